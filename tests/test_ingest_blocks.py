"""Blocks of linkage: which files are read, what is refused, and that agdb stats draws them as a whole."""

from pathlib import Path

import duckdb
import make
import numpy as np
import pytest
from conftest import Ask
from studies import add_study, drawn, one, results
from typer.testing import CliRunner

from agdb.cli import app
from agdb.errors import Refused
from agdb.ingest import blocks

Connection = duckdb.DuckDBPyConnection

ROWS = [("chr1", 10_583, 1_892_607), ("chr1", 1_892_607, 3_582_736), ("chrX", 0, 500)]
PLAIN = "".join(f"{chrom}\t{start}\t{end}\n" for chrom, start, end in ROWS)


def kept(con: Connection, path: Path, text: str) -> list[tuple[object, ...]]:
    blocks.ingest(con, make.write(path, text.encode()), "hg38", "EUR")
    return con.execute("SELECT chrom, chrom_start, chrom_end FROM ld_block ORDER BY ALL").fetchall()


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        "chr\tstart\tstop\n" + PLAIN,
        "#chrom\tchromStart\tchromEnd\n" + PLAIN,
        "chr \t start \t stop \n" + "".join(f"{c} \t {s} \t {e} \n" for c, s, e in ROWS),
        "track name=blocks\n" + PLAIN,
        PLAIN.replace("chr", ""),
        "".join(f"{c}\t{s}\t{e}\tblock\t7\n" for c, s, e in ROWS),
        "chrom,start,end\n" + PLAIN.replace("\t", ","),
        PLAIN.replace("\n", "\r\n"),
        "".join(reversed(PLAIN.splitlines(keepends=True))),
    ],
)
def test_a_bed_file_is_read_with_or_without_a_header_of_the_field(con: Connection, tmp_path: Path, text: str) -> None:
    assert kept(con, tmp_path / "blocks.bed", text) == ROWS


def test_a_gzip_is_read_too(con: Connection, tmp_path: Path) -> None:
    assert kept(con, tmp_path / "blocks.bed.gz", PLAIN) == ROWS


def test_the_source_says_what_the_blocks_are_of_and_counts_them(con: Connection, ask: Ask, tmp_path: Path) -> None:
    other = "".join(f"chr2\t{i}\t{i + 1}\n" for i in range(10)) + "chrUn_KI270742v1\t0\t9\n"
    loaded = blocks.ingest(con, make.write(tmp_path / "b.bed", other.encode()), "GRCh38", "EUR")
    assert (loaded.rows_read, loaded.rows_kept, loaded.rejected) == (11, 10, {"contig_not_primary": 1})
    assert ask("SELECT kind, biosample, assembly, rows_kept FROM source") == [("blocks", "EUR", "GRCh38", 10)]


def test_the_same_file_again_is_a_no_op(con: Connection, tmp_path: Path) -> None:
    path = make.write(tmp_path / "b.bed", PLAIN.encode())
    assert [blocks.ingest(con, path, "hg38").is_new for _ in "12"] == [True, False]
    assert not blocks.ingest(con, path.rename(tmp_path / "of_another_name.bed"), "hg38").is_new
    with pytest.raises(Refused, match="in the database already, as bed3, GRCh38"):
        blocks.ingest(con, tmp_path / "of_another_name.bed", "hg19")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("chr1\t5\t10\nchr1\t9\t12\n", "blocks overlap: chr1 5 10 and chr1 9 12"),
        ("chr1\t5\t10\nchr1\t5\t10\nchr1\t6\t7\n", r"blocks overlap: chr1 5 10 and chr1 5 10 \(and 1 more\)"),
        ("chr1\t5\t5\n", "the block is empty or turned round: chr1 5 5"),
        ("chr1\t9\t5\n", "the block is empty or turned round: chr1 9 5"),
        ("chr1\t-1\t5\n", "not chr, start and stop"),
        ("chr1\t1\t5\nchr1\t-7\t1\n", "the block is empty or turned round: chr1 -7 1"),
        ("chr1\t1\t\n", "the block has no start or no end: chr1 1"),
        ("chr1\t1\tx\n", "'x' is not a number"),
        ("chr1\t1\t5.5\n", "not a whole number"),
        ("chr99\t1\t5\n", "unknown chromosome: chr99"),
        ("chr1\t1\t248956423\n", "ends beyond its chromosome on GRCh38"),
        ("chr1 1 5\n", "separated by tabs"),
        ("chr1\t5\n", "separated by tabs"),
        ("gene\tstart\tstop\nchr1\t1\t5\n", "not chr, start and stop"),
        ("chr1\t1\t5\nchr1\t6\n", "line 2"),
        ("", "empty"),
    ],
)
def test_what_is_no_set_of_blocks_is_refused_and_nothing_is_kept(
    con: Connection, tmp_path: Path, text: str, message: str
) -> None:
    before = make.rows_of(con)
    with pytest.raises(Refused) as refused:
        blocks.ingest(con, make.write(tmp_path / "b.bed", text.encode()), "GRCh38")
    assert refused.match(message) or message in str(refused.value)
    assert make.rows_of(con) == before


def test_blocks_that_touch_do_not_overlap(con: Connection, tmp_path: Path) -> None:
    assert len(kept(con, tmp_path / "b.bed", "chr1\t5\t10\nchr1\t10\t12\nchr2\t5\t10\n")) == 3


def test_agdb_stats_draws_blocks_and_says_so_and_1_mb_windows_where_there_are_none(
    con: Connection, tmp_path: Path
) -> None:
    study = drawn()
    add_study(con, study)
    windows = one(results(con))
    text = "".join(
        f"chr{c}\t{start}\t{start + 500_000}\n" for c in (1, 2, 3) for start in range(0, 10_000_000, 500_000)
    )
    blocks.ingest(con, make.write(tmp_path / "b.bed", text.encode()), "GRCh38")
    of_blocks = one(results(con))
    for found, name, width in ((windows, "mb", 1_000_000), (of_blocks, "block", 500_000)):
        n = len({(c, p) for c, p in zip(study.chrom, np.asarray(study.pos - 1) // width, strict=True)})
        assert (found["cluster"], found["n_clusters"]) == (name, n)
    assert windows["estimate"] == of_blocks["estimate"]


def test_blocks_of_an_assembly_that_no_association_is_on_are_warned_of(
    fresh_db: Path, con: Connection, tmp_path: Path
) -> None:
    add_study(con, drawn())
    con.close()
    path = make.write(tmp_path / "b.bed", PLAIN.encode())
    run = CliRunner().invoke(app, ["--db", str(fresh_db), "ingest", "blocks", str(path), "--assembly", "hg19"])
    assert run.exit_code == 0, run.output
    assert "b.bed: source 2, 3 of 3 blocks kept" in run.stderr
    assert "no association is on GRCh37, but on GRCh38: these blocks serve none of them" in run.stderr
