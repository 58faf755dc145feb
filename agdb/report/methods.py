"""The methods, in words, with citations: of what these results were made with, and of nothing else.

The words and the works stand in methods.toml.
"""

import re
import tomllib
from dataclasses import dataclass
from importlib import resources

import duckdb

from agdb.report.found import STUDY, Found, Result

Words = dict[str, dict[str, str]]

#: Correlations whose intervals are those of resampled clusters.
_CORRELATIONS = ("spearman", "abs_spearman", "pearson")


@dataclass(frozen=True)
class Methods:
    """Paragraphs, each of one text or of a list of sentences, with [numbers]; the works that these mean, in order."""

    paragraphs: list[list[str]]
    references: list[str]


def methods(con: duckdb.DuckDBPyConnection, found: Found) -> Methods:
    """The methods of the results."""
    words = tomllib.loads((resources.files("agdb.report") / "methods.toml").read_text(encoding="utf-8"))
    rows = [r for g in found.groups for r in g.results] + found.comparisons + found.steps
    last = " ".join(text for text in (_families(rows, words), _software(con, found, words)) if text)
    told = [[_data(con, found, rows, words)], _measures(rows, words), [_intervals(rows, words)], [last]]
    return _numbered([paragraph for paragraph in told if any(paragraph)], words["references"])


def _data(con: duckdb.DuckDBPyConnection, found: Found, rows: list[Result], words: Words) -> str:
    formats = _formats(con, rows)
    known = words["formats"]
    own = [max((key for key in known if name.startswith(key)), key=len, default=None) for name in formats]
    of_maker = {name.split("_")[0] for name in formats}
    told = [text for key, text in known.items() if key in own or key in of_maker]
    units = sorted({row["unit"] for row in rows})
    told.append(words["text"]["rows"] % " or ".join(words["text"].get(unit, unit) for unit in units))
    models = con.execute(
        "SELECT DISTINCT model FROM scorer WHERE list_contains(?, scorer_id)", [found.scorer_ids]
    ).fetchall()
    told += [text for model, text in words["models"].items() if (model,) in models]
    return " ".join(told)


def _formats(con: duckdb.DuckDBPyConnection, rows: list[Result]) -> list[str]:
    """Formats of the QTL tables of the results, of others of their tissues, and of fine-mapping where it was used."""
    found = con.execute(
        """
        WITH own AS (
          SELECT DISTINCT assembly, tissue FROM source AS s
          WHERE list_contains($sources, source_id) OR kind = 'qtl' AND EXISTS (
            FROM label_set AS l WHERE l.is_pooled AND list_contains($sets, l.name)
              AND (l.source_ids IS NULL OR list_contains(l.source_ids, s.source_id)))
        )
        SELECT DISTINCT s.format FROM source AS s
        JOIN own AS o ON o.assembly = s.assembly AND o.tissue IS NOT DISTINCT FROM s.tissue
        WHERE s.kind <> 'credible' OR $is_fine_mapped ORDER BY ALL""",
        {"sources": list({row["source_id"] for row in rows}), "sets": list({row["label_set"] for row in rows}),
         "is_fine_mapped": _is_fine_mapped(con, rows)},
    ).fetchall()  # fmt: skip
    return [name for (name,) in found]


def _is_fine_mapped(con: duckdb.DuckDBPyConnection, rows: list[Result]) -> bool:
    """Whether a result rests on fine-mapping: causal variants, strata, a step, or the condition of its label set."""
    found = con.execute("SELECT name FROM label_set WHERE regexp_matches(condition, 'pip|causal')").fetchall()
    return any(
        row["metric"].startswith("causal_") or "pip" in row["stratification"] or (row["label_set"],) in found
        or (row["stratification"], row["stratum"]) == (STUDY, "fine-mapped")
        for row in rows if row["estimate"] is not None
    )  # fmt: skip


def _measures(rows: list[Result], words: Words) -> list[str]:
    known = words["metrics"]
    seen = {row["metric"] for row in rows if row["estimate"] is not None}
    plain = {metric if metric in known else metric.replace("abs_", "") for metric in seen}
    return [text for metric, text in known.items() if metric in plain]


def _intervals(rows: list[Result], words: Words) -> str:
    made = [row for row in rows if row["ci_low"] is not None and row["metric"] in _CORRELATIONS]
    if not made:
        return ""
    resamples = " or ".join(f"{n:,}" for n in sorted({row["resamples"] for row in made}))
    seeds = " or ".join(str(n) for n in sorted({row["seed"] for row in made}))
    clusters = " or ".join(words["clusters"].get(c, c) for c in sorted({row["cluster"] for row in made}))
    analytic = any(row["analytic_low"] is not None for row in made)
    text = words["text"]
    return _filled(text["intervals"], resamples, seeds, clusters) + (text["independent"] if analytic else "")


def _filled(text: str, *values: str) -> str:
    """The text with values in the places of %s; other signs of per cent are what they are."""
    for value in values:
        text = text.replace("%s", value, 1)
    return text


def _families(rows: list[Result], words: Words) -> str:
    if all(row["q"] is None for row in rows):
        return ""
    jointly = any("max-T" in row["method"] for row in rows)
    return words["text"]["families"] + (words["text"]["jointly"] if jointly else "") + "."


def _software(con: duckdb.DuckDBPyConnection, found: Found, words: Words) -> str:
    versions = con.execute(
        "SELECT DISTINCT agdb_version, duckdb_version FROM run WHERE list_contains(?, run_id) ORDER BY ALL",
        [found.run_ids],
    ).fetchall()
    return words["text"]["software"] % " and ".join(f"agdb {agdb} on DuckDB {engine}" for agdb, engine in versions)


def _numbered(paragraphs: list[list[str]], works: dict[str, str]) -> Methods:
    """Keys in braces become numbers, from 1, in the order in which they are met."""
    order: list[str] = []

    def number(match: re.Match[str]) -> str:
        if match[1] not in order:
            order.append(match[1])
        return f"[{order.index(match[1]) + 1}]"

    told = [[re.sub(r"\{(\w+)\}", number, text) for text in paragraph] for paragraph in paragraphs]
    return Methods(told, [works[key] for key in order])
