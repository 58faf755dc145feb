"""A study with rows in every table, the lake of it, and a database that looks at that: for the tests of lakes."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import duckdb
import figured
import numpy as np
from rows import insert
from studies import Floats, Study, add_blocks, add_fine_mapping, add_study, drawn

from agdb import db, lake
from agdb.analysis import labels

Rows = list[tuple[object, ...]]

#: A name of a tissue that no folder can have as it is.
ODD = "Muscle - Skeletal/left=é%"

#: Rows for tables that the study leaves empty: each by the columns that it needs.
REST = {
    "egene (source_id, gene_id, gene_name, log2_afc)": [1, "ENSG1.3", "ALPHA", 0.5],
    "listed_variant (source_id, assembly, chrom, pos, ref, alt, name)": [1, "GRCh38", "chr1", 5, "A", "C", "rs1"],
    "chain_block VALUES": [9, 1, 10, "chr1", 0, 5, "chr2", "+", 7],
    "sample VALUES": [1, 2, 3, "true", "GRCh38", "2026-01-01"],
    "sample_variant VALUES": [1, "GRCh38", "chr1", 5, "A", "C"],
    "replicate VALUES": ["s", "GRCh38", "chr1", 5, "A", "C", None, 1, 0.25, 1],
    "genome_contig VALUES": [9, "22:1-5", "chr22", 0, 5],
}


class Lakes(NamedTuple):
    """The study, its lake, and a database opened from that."""

    study: Path
    folder: Path
    opened: Path


def build(path: Path) -> None:
    """Fill an initialised database: three tissues, p-values with and without slopes, fine-mapping, blocks, a pool."""
    figured.build(path)
    with db.writing(path) as con:
        one, other = figured.study(), drawn(240, rho=0.2, seed=9, two_genes=40)
        add_study(con, other, 2, tissue=ODD, scorer=None)
        add_study(con, one, 3, tissue="Lung", label="pval_nominal", null_value=1, scorer=None)
        add_fine_mapping(con, one, _pips(one))
        add_blocks(con, [("chr1", 0, 3_000_000), ("chr2", 0, 9_000_000)])
        con.execute("UPDATE qtl SET is_conditional = true WHERE source_id = 2 AND pos % 3 = 0")
        labels.add(con, labels.LabelSet("pool", source_ids=(1, 2), is_pooled=True))
        labels.add(con, labels.LabelSet("best", unit="variant", condition="maf > 0.1"))
        for into, values in REST.items():
            marks = ", ".join("?" * len(values))
            con.execute(f"INSERT INTO {into if into.endswith('VALUES') else into + ' VALUES'} ({marks})", values)
        insert(con, "track (track_id, model, output_type, name, strand)", [[9, "model", "RNA_SEQ", "other", "-"]])


def _pips(of: Study) -> Floats:
    """Fine-mapping of every other gene: mostly of no weight, some causal."""
    rng = np.random.default_rng(4)
    pip = np.where(rng.uniform(size=len(of.effect)) < 0.3, 0.95, 0.001)
    return np.where([int(gene[4:].split(".")[0]) % 2 == 0 for gene in of.gene], pip, np.nan)


def made(template: Path, folder: Path) -> Lakes:
    """The study, exported and opened, in a folder whose name has the characters of a pattern."""
    home = folder / "a [lake] of * 'mine'"
    home.mkdir()
    these = Lakes(home / "study.duckdb", home / "lake", home / "opened.duckdb")
    these.study.write_bytes(template.read_bytes())
    build(these.study)
    with db.reading(these.study) as con:
        lake.export(con, these.folder)
    lake.open_database(lake.found(these.folder), these.opened)
    return these


def names(con: duckdb.DuckDBPyConnection, of: str) -> list[str]:
    """Names of all tables, or of all views."""
    query = f"SELECT {of}_name FROM duckdb_{of}s() WHERE NOT internal ORDER BY ALL"
    return [name for (name,) in con.execute(query).fetchall()]


def rows(con: duckdb.DuckDBPyConnection, query: str) -> Rows:
    """All rows."""
    return con.execute(query).fetchall()


def assert_same(one: Sequence[tuple[object, ...]], other: Sequence[tuple[object, ...]], what: str) -> None:
    """The same rows in whatever order, numbers to 1e-12: sums of many threads differ in their last bits."""
    assert len(one) == len(other), what
    for a, b in zip(sorted(one, key=_place), sorted(other, key=_place), strict=True):
        assert_alike(a, b, what)


def assert_alike(one: tuple[object, ...], other: tuple[object, ...], what: str) -> None:
    """The same row, numbers to 1e-12."""
    for x, y in zip(one, other, strict=True):
        if isinstance(x, float) and isinstance(y, float):
            is_same = math.isclose(x, y, rel_tol=1e-12, abs_tol=1e-12) or (math.isnan(x) and math.isnan(y))
            assert is_same, (what, one, other)
        else:
            assert x == y, (what, one, other)


def _place(row: tuple[object, ...]) -> list[str]:
    return [f"{value:.9g}" if isinstance(value, float) else str(value) for value in row]
