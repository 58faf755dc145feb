"""The page of agdb report where people read it: in a browser, on a desk and on a phone, light, dark and printed."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import CHROMIUM, Page, browser
from reports import add_studied, cells, copied, html, tree

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium: the page was NOT tried in a browser")

DESK, PHONE = 1280, 360


@pytest.fixture(scope="module")
def report(template_db: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with figures and long names."""
    folder = tmp_path_factory.mktemp("report")
    path = copied(template_db, folder)
    add_studied(path, tissue="Brain_Nucleus_accumbens_basal_ganglia_of_a_very_long_name_without_a_space_in_it")
    (folder / "report.html").write_text(html(path, figures=True), encoding="utf-8")
    return folder / "report.html"


@pytest.fixture(scope="module")
def tab() -> Iterator[Page]:
    with browser() as page:
        yield page


@pytest.mark.parametrize("width", [DESK, PHONE])
@pytest.mark.parametrize("dark", [False, True])
def test_it_loads_without_complaint_and_asks_for_nothing(tab: Page, report: Path, width: int, dark: bool) -> None:
    tab.open(report, width, dark=dark)
    assert tab.complaints() == []
    assert tab.requests() == [report.as_uri()]


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_nothing_is_wider_than_the_window(tab: Page, report: Path, width: int) -> None:
    tab.open(report, width)
    tab.ask("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert tab.ask("document.scrollingElement.scrollWidth") <= width
    assert tab.ask("innerWidth") == width


def test_every_figure_is_drawn(tab: Page, report: Path) -> None:
    tab.open(report, DESK)
    tab.ask("document.querySelectorAll('details').forEach(d => d.open = true)")
    sizes = tab.ask("Promise.all([...document.images].map(i => i.decode().then(() => [i.naturalWidth, i.width])))")
    assert len(sizes) >= 9
    assert all(natural > 100 and width > 100 for natural, width in sizes)


def column(tab: Page, table: str, head: str) -> list[str]:
    """What a column shows, from above to below."""
    return list(
        tab.ask(f"""(() => {{
        const t = document.getElementById({table!r}), heads = [...t.tHead.rows[0].cells];
        const i = heads.findIndex(h => h.textContent === {head!r});
        return [...t.tBodies[0].rows].map(r => r.cells[i].textContent.trim());
    }})()""")
    )


def head_of(table: str, head: str) -> str:
    """JavaScript for a head of a table."""
    return f"[...document.getElementById({table!r}).tHead.rows[0].cells].find(h => h.textContent === {head!r})"


def by_number(shown: list[str]) -> list[str]:
    """In the order of the numbers that they begin with; those without one last."""
    found = [(re.match(r"[-+]?[\d.]+(?:e[-+]?\d+)?", text.replace(",", "")), text) for text in shown]
    return [text for _, _, text in sorted((m is None, float(m[0]) if m else 0.0, text) for m, text in found)]


@pytest.mark.parametrize("head", ["n", "estimate", "95 % interval", "p", "design effect"])
def test_numbers_are_sorted_as_numbers(tab: Page, report: Path, head: str) -> None:
    tab.open(report, DESK)
    before = column(tab, "strata-1", head)
    tab.ask(f"{head_of('strata-1', head)}.querySelector('button').click()")
    assert column(tab, "strata-1", head) == by_number(before)
    assert tab.ask(f"{head_of('strata-1', head)}.getAttribute('aria-sort')") == "ascending"


def test_a_second_click_turns_the_order_and_leaves_what_has_no_value_last(tab: Page, report: Path) -> None:
    tab.open(report, DESK)
    click = f"{head_of('differences-1', '95 % interval')}.querySelector('button').click()"
    tab.ask(f"{click}; {click}")
    shown = column(tab, "differences-1", "95 % interval")
    told = [text for text in shown if text]
    assert shown == told + [""] * (len(shown) - len(told))
    assert [float(text.split()[0]) for text in told] == sorted((float(t.split()[0]) for t in told), reverse=True)
    assert len(told) < len(shown)


def test_rows_stay_whole_when_they_are_sorted(tab: Page, report: Path) -> None:
    tab.open(report, DESK)
    tab.ask(f"{head_of('strata-1', 'estimate')}.querySelector('button').click()")
    shown = list(zip(*(column(tab, "strata-1", h) for h in ("stratum", "n", "estimate")), strict=True))
    rows = cells(tree(report.read_text(encoding="utf-8")).one("table", id="strata-1"))
    assert sorted(shown) == sorted((r["stratum"], r["n"], r["estimate"]) for r in rows)


def test_only_one_head_says_that_it_sorts(tab: Page, report: Path) -> None:
    tab.open(report, DESK)
    for head in ("n", "stratum"):
        tab.ask(f"{head_of('strata-1', head)}.querySelector('button').click()")
    assert tab.ask("[...document.querySelectorAll('#strata-1 [aria-sort]')].map(h => h.textContent)") == ["stratum"]


def test_a_table_is_sorted_with_the_keyboard(tab: Page, report: Path) -> None:
    tab.open(report, DESK)
    before = column(tab, "strata-1", "n")
    tab.ask(f"{head_of('strata-1', 'n')}.querySelector('button').focus()")
    for kind in ("keyDown", "keyUp"):
        tab.do("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", windowsVirtualKeyCode=13, text="\r")
    assert column(tab, "strata-1", "n") == by_number(before)


def test_a_number_opens_its_way_back(tab: Page, report: Path) -> None:
    tab.open(report, DESK)
    target = tab.ask("document.querySelector('#agreement a').getAttribute('href').slice(1)")
    assert tab.ask(f"document.getElementById({target!r}).checkVisibility()") is False
    tab.ask("document.querySelector('#agreement a').click(); new Promise(r => setTimeout(r, 50))")
    assert tab.ask(f"document.getElementById({target!r}).open")
    seen = tab.ask(f"document.querySelector('#{target} dl').getBoundingClientRect().toJSON()")
    assert 0 <= seen["top"] < 900


@pytest.mark.parametrize("dark", [False, True])
def test_words_stand_out_from_what_is_behind_them(tab: Page, report: Path, dark: bool) -> None:
    tab.open(report, DESK, dark=dark)
    ratios = tab.ask("""(() => {
        const light = c => { const [r, g, b] = c.match(/[\\d.]+/g).map(v => v / 255)
            .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
            return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
        const behind = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
            if (c !== 'rgba(0, 0, 0, 0)') return c; } };
        return [...document.querySelectorAll('p, h1, h2, h3, a, td, th, span, li, summary, caption, button')]
            .filter(e => e.textContent.trim() && e.checkVisibility()).map(e => {
                const [a, b] = [getComputedStyle(e).color, behind(e)].map(light);
                return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05); });
    })()""")
    assert len(ratios) > 300
    assert min(ratios) >= 4.5  # WCAG 2, AA


def test_light_and_dark_are_not_the_same(tab: Page, report: Path) -> None:
    seen = []
    for dark in (False, True):
        tab.open(report, DESK, dark=dark)
        seen.append(tab.ask("getComputedStyle(document.body).backgroundColor"))
    assert seen[0] != seen[1]


def test_printed_it_is_whole_without_what_only_a_screen_can_do(tab: Page, report: Path, tmp_path: Path) -> None:
    tab.open(report, 720, media="print", dark=True)
    assert tab.ask("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not tab.ask("document.querySelector('nav').checkVisibility()")
    assert tab.ask("document.getElementById('sources').checkVisibility()")
    cut = "[...document.querySelectorAll('.scroll')].filter(s => getComputedStyle(s).overflowY !== 'visible').length"
    assert tab.ask(cut) == 0
    tab.print(tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF-")
