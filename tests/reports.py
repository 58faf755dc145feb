"""Reports to test: a made-up study with results, and its page read as a tree by the standard library's parser."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from rows import add_peaks, add_source
from studies import add_study, drawn, score
from typer.testing import CliRunner

from agdb import db, report
from agdb.analysis import run
from agdb.cli import app

#: Elements that HTML closes by itself.
_VOID = {"meta", "link", "img", "br", "hr", "input"}


@dataclass
class Element:
    """An element of a page."""

    name: str
    attributes: dict[str, str]
    children: list["Element | str"] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All that it says, with single spaces."""
        return " ".join("".join(c if isinstance(c, str) else f" {c.text} " for c in self.children).split())

    def all(self, name: str, **wanted: str) -> list["Element"]:
        """Elements below it of this name and with these attributes (`class_` for class: one of them), in order."""
        return [e for e in self.below() if e.name == name and all(e._has(k.rstrip("_"), v) for k, v in wanted.items())]

    def one(self, name: str, **wanted: str) -> "Element":
        """The only one."""
        (found,) = self.all(name, **wanted)
        return found

    def below(self) -> Iterator["Element"]:
        """Every element below it, in order."""
        for child in self.children:
            if isinstance(child, Element):
                yield child
                yield from child.below()

    def _has(self, key: str, value: str) -> bool:
        held = self.attributes.get(key)
        return value in (held or "").split() if key == "class" else held == value


class _Reader(HTMLParser):
    """Builds the tree; whatever is not closed in its place is an error."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open = [Element("page", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(element)
        if tag not in _VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].name == tag, f"</{tag}> closes <{self.open[-1].name}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def tree(html: str) -> Element:
    """The page as a tree."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert len(reader.open) == 1, f"<{reader.open[-1].name}> is not closed"
    return reader.open[0]


def cells(table: Element) -> list[dict[str, str]]:
    """The rows of a table, by the heads of its columns."""
    heads = [head.text for head in table.one("thead").all("th")]
    rows = [[c.text for c in row.children if isinstance(c, Element)] for row in table.one("tbody").all("tr")]
    return [dict(zip(heads, row, strict=True)) for row in rows]


def add_studied(path: Path, *, tissue: str = "Lung") -> None:
    """A study in an initialised database: a source, peaks, a scorer at two windows, a scorer of noise; its results."""
    with db.writing(path) as con:
        study = drawn()
        add_study(con, study, tissue=tissue)
        score(con, study, "t", -study.score + 0.5 * study.effect, window_bp=200)
        score(con, study, "u", study.pval_nominal, name="noise", window_bp=300)
        add_source(con, 2, "peaks", effect=None, tissue=None, biosample="K562")
        held = {(c, int(p)) for c, p in zip(study.chrom, study.pos, strict=True) if p // 40_000 % 3}
        add_peaks(con, 2, [(chrom, pos - 30, pos + 30) for chrom, pos in sorted(held)])
    run.stats(path, run.Asked(label_sets=("all",), resamples=200, stratify=("kind", "peak", "maf", "score_decile")))


def copied(template: Path, folder: Path) -> Path:
    """A copy of a database, to write to."""
    path = folder / "study.duckdb"
    path.write_bytes(template.read_bytes())
    return path


def change(path: Path, *statements: str) -> None:
    """Change a database in SQL."""
    with db.writing(path) as con:
        for statement in statements:
            con.execute(statement)


def stored(path: Path, query: str) -> list[tuple[Any, ...]]:
    """The rows of a query."""
    with db.reading(path) as con:
        return con.execute(query).fetchall()


def page(path: Path, *, figures: bool = False, **asked: Any) -> Element:
    """The page of a database, as a tree."""
    return tree(html(path, figures=figures, **asked))


def html(path: Path, *, figures: bool = False, **asked: Any) -> str:
    """The page of a database, as it is written."""
    with db.reading(path) as con:
        return report.as_html(report.gather(con, path, report.Asked(**asked), with_figures=figures))


def markdown(path: Path, *words: str) -> str:
    """What `agdb report --format md` prints, without the marks that keep Markdown from reading it as its own."""
    shown = CliRunner().invoke(app, ["--db", str(path), "report", "--format", "md", *words])
    assert shown.exit_code == 0, shown.output
    return re.sub(r"\\(\W|_)", r"\1", shown.stdout)


def in_words(path: Path) -> list[str]:
    """The verdicts of the Markdown, a line each."""
    told = markdown(path).partition("<details><summary>In words</summary>")[2].partition("</details>")[0]
    return [line for line in told.splitlines() if line.startswith("- ")]
