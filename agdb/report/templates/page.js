"use strict";
// Tables are sorted by a button in each head; what a link leads to is opened. Without this the page says the same.
(() => {
  const number = new Intl.Collator("en", { numeric: true });
  const key = (row, i) => row.cells[i].dataset.v ?? row.cells[i].textContent;
  const compare = (a, b, isNumber) => isNumber ? Number(a) - Number(b) : number.compare(a, b);

  function sort(table, head, i) {
    const isDown = head.getAttribute("aria-sort") === "ascending";
    const isNumber = head.dataset.kind === "number";
    const body = table.tBodies[0];
    const rows = [...body.rows].sort((a, b) => {
      const [x, y] = [key(a, i), key(b, i)];
      if (x === "" || y === "") return (x === "") - (y === "");  // what has no value stands last, either way
      return isDown ? compare(y, x, isNumber) : compare(x, y, isNumber);
    });
    body.append(...rows);
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", isDown ? "descending" : "ascending");
  }

  for (const table of document.querySelectorAll("table.sortable")) {
    [...table.tHead.rows[0].cells].forEach((head, i) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      button.addEventListener("click", () => sort(table, head, i));
      head.append(button);
    });
  }

  function open() {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let box = target; box; box = box.parentElement) if (box.tagName === "DETAILS") box.open = true;
    target.scrollIntoView();
  }
  addEventListener("hashchange", open);
  open();
})();
