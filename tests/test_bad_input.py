"""Bad input at the command line: one error of what and where, the documented exit code, and nothing changed."""

import gzip
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import duckdb
import make
import pytest
from Bio import bgzf
from typer.testing import CliRunner, Result

from agdb import db
from agdb.cli import app
from agdb.errors import ExitCode, Refused
from agdb.ingest import peaks, predictions, tap

Rows = dict[str, list[tuple[object, ...]]]
Refuses = Callable[[list[object], str, str], None]


class Bad(NamedTuple):
    """A bad file: its name, its bytes, what is said of it, and at which line (0: of the file as a whole)."""

    name: str
    data: bytes
    said: str
    line: int = 0


@pytest.fixture(scope="module")
def filled(template_db: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that holds associations, peaks and predictions: what must not change."""
    folder = tmp_path_factory.mktemp("filled")
    path = folder / "filled.duckdb"
    shutil.copyfile(template_db, path)
    with db.writing(path) as con:
        make.gtex(con, make.write(folder / "good.txt", make.table(make.pairs_rows(30))), "Lung")
        peaks.ingest(con, make.write(folder / "good.bed", make.bed(make.narrow_rows(20))), "HepG2", "GRCh38")
        scores = make.write(folder / "good.csv", make.table(make.original_rows(30), sep=","))
        predictions.ingest_original(con, scores, 512, "Lung")
    return path


@pytest.fixture
def study(filled: Path, tmp_path: Path) -> Path:
    """A copy of `filled` in a folder of its own."""
    path = tmp_path / "db" / "study.duckdb"
    path.parent.mkdir()
    shutil.copyfile(filled, path)
    return path


@pytest.fixture(scope="module")
def rows(filled: Path) -> Rows:
    """What `filled` holds."""
    return make.content(filled)


def agdb(study: Path, *arguments: object) -> Result:
    return CliRunner().invoke(app, ["--db", str(study), *map(str, arguments)], catch_exceptions=False)


@pytest.fixture
def refused(study: Path, rows: Rows) -> Refuses:
    """Run a command that has to fail, and hold it to what every failure owes the user."""

    def check(arguments: list[object], said: str, place: str) -> None:
        result = agdb(study, *arguments)
        assert result.exit_code == ExitCode.REFUSED, result.stderr
        what, *rest = result.stderr.splitlines()
        assert what.startswith("error: ")
        assert said in what
        assert [text[:9] for text in rest] == ["  where: ", "  cure:  "]
        assert re.match(re.escape(f"  where: {place}") + r"($|: |, column '| \(check )", rest[0])
        assert result.stdout == ""
        assert make.content(study) == rows
        assert [p.name for p in study.parent.iterdir()] == [study.name]

    return check


def where(path: Path, line: int) -> str:
    return f"{path}, line {line}" if line else str(path)


# --- GTEx tables ---


def pairs(change: Callable[[list[make.Row]], object]) -> bytes:
    """A pairs file after a change to its rows."""
    rows = make.pairs_rows()
    change(rows)
    return make.table(rows)


def cell(column: str, value: str) -> bytes:
    """A pairs file with another value in the sixth row, which is line 7."""
    return pairs(lambda rows: rows[5].update({column: value}))


def line(change: Callable[[str], str]) -> bytes:
    """A pairs file whose line 7 is changed as text."""
    lines = GOOD.decode().splitlines(keepends=True)
    lines[6] = change(lines[6])
    return "".join(lines).encode()


def exchanged(a: str, b: str, rows: list[make.Row] | None = None) -> bytes:
    """A file in which the values of two columns are exchanged and their names are not."""
    return make.table([{**r, a: r[b], b: r[a]} for r in rows or make.pairs_rows()])


def renamed(old: str, new: str, rows: list[make.Row] | None = None) -> bytes:
    return make.table([{new if k == old else k: v for k, v in r.items()} for r in rows or make.pairs_rows()])


def without(column: str, rows: list[make.Row] | None = None) -> bytes:
    return make.table([{k: v for k, v in r.items() if k != column} for r in rows or make.pairs_rows()])


def positive_slopes(rows: list[make.Row]) -> None:
    for row in rows:
        row["slope"] = row["slope"].lstrip("-")


def swapped_in_egenes() -> bytes:
    rows = make.egenes_rows()
    rows[5]["ref"], rows[5]["alt"] = rows[5]["alt"], rows[5]["ref"]
    return make.table(rows)


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :]


GOOD = make.table(make.pairs_rows())
BODY = GOOD.split(b"\n", 1)[1]
PACKED = gzip.compress(GOOD, mtime=0)
CUT = "the gzip file is cut short or damaged"
SPLICING = [{("phenotype_id" if k == "gene_id" else k): v for k, v in r.items()} for r in make.pairs_rows()]
EXTRA = [{**r, "rs_id": "."} for r in make.pairs_rows()]

GTEX = {
    "a column is missing": Bad("a.txt", without("slope_se"), "lacks column 'slope_se'", 1),
    "a column of egenes is missing": Bad("a.txt", without("qval", make.egenes_rows()), "lacks column 'qval'", 1),
    "a column is renamed": Bad(
        "a.txt", renamed("pval_nominal", "p_nominal"), "lacks column 'pval_nominal'; was it renamed to 'p_nominal'?", 1
    ),
    "a column is named twice": Bad(
        "a.txt",
        renamed("rs_id", "slope_se", EXTRA).replace(b"pval_beta", b"slope_se", 1),
        "column 'slope_se' stands twice in the header",
        1,
    ),
    "the header ends in a tab": Bad("a.txt", GOOD.replace(b"\n", b"\t\n", 1), "column 13 of the header has no name", 1),
    "only a header": Bad("a.txt", GOOD.splitlines(keepends=True)[0], "the file has no data rows"),
    "only a header, gzip": Bad("a.txt.gz", gzip.compress(GOOD.splitlines()[0], mtime=0), "the file has no data rows"),
    "no header": Bad("a.txt", GOOD.split(b"\n", 1)[1], "none that agdb knows by its columns", 1),
    "slope and pval_nominal exchanged": Bad(
        "a.txt", exchanged("slope", "pval_nominal"), "pval_nominal is not a probability", 3
    ),
    "slope and pval_nominal exchanged, all slopes positive": Bad(
        "a.txt",
        exchanged("slope", "pval_nominal", [{**r, "slope": r["slope"].lstrip("-")} for r in make.pairs_rows()]),
        "the column given as slope holds p-values",
    ),
    "slope holds the p-values": Bad(
        "a.txt",
        pairs(lambda rows: [r.update(slope=r["pval_nominal"]) for r in rows]),
        "the column given as slope holds p-values",
    ),
    "slope and slope_se exchanged": Bad(
        "a.txt", exchanged("slope", "slope_se"), "slope_se is not a positive number", 3
    ),
    "slope and slope_se exchanged, all slopes positive": Bad(
        "a.txt",
        exchanged("slope", "slope_se", [{**r, "slope": r["slope"].lstrip("-")} for r in make.pairs_rows()]),
        "all 24 effects have the same sign",
    ),
    "slope and maf exchanged": Bad("a.txt", exchanged("slope", "maf"), "maf is not a minor allele frequency", 3),
    "all slopes positive": Bad("a.txt", pairs(positive_slopes), "all 24 effects have the same sign"),
    "an sQTL file": Bad(
        "a.txt", make.table(SPLICING), "this is another kind of file: GTEx v8 significant splicing QTLs", 1
    ),
    **{
        f"gzip cut after {n} bytes": Bad("a.txt.gz", PACKED[:n], CUT)
        for n in (2, 9, 40, len(PACKED) // 2, len(PACKED) - 9, len(PACKED) - 1)
    },
    **{
        f"gzip with byte {n} flipped": Bad("a.txt.gz", flipped(PACKED, n), CUT)
        for n in (len(PACKED) // 2, len(PACKED) - 7, len(PACKED) - 2)
    },
    "gzip with something after it": Bad("a.txt.gz", PACKED + b"more", CUT),
    "gzip whose second member is cut": Bad("a.txt.gz", PACKED + gzip.compress(b"", mtime=0)[:12], CUT),
    "empty": Bad("a.txt", b"", "the file is empty"),
    "empty, named .gz": Bad("a.txt.gz", b"", "the file is empty"),
    "gzip of nothing": Bad("a.txt.gz", gzip.compress(b"", mtime=0), "the file is empty"),
    "line ends only": Bad("a.txt", b"\n\n\n", "the file is empty"),
    "a BOM only": Bad("a.txt", b"\xef\xbb\xbf", "the file is empty"),
    "spaces": Bad("a.txt", GOOD.replace(b"\t", b" "), "the header is not separated by tabs: it looks like spaces", 1),
    "UTF-16": Bad("a.txt", GOOD.decode().encode("utf-16"), "this is text in UTF-16"),
    "a picture": Bad("a.txt", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)), "this is not a text file (UTF-8)"),
    "Latin-1 in row 129": Bad(
        "a.txt", GOOD + BODY * 4 + BODY.replace(b"ENSG00000000002", b"\xe9", 1), "the line is not text (UTF-8)", 128
    ),
    "a NUL byte": Bad("a.txt", cell("gene_id", "ENSG\0"), "a NUL byte", 7),
    "a blank line between the rows": Bad("a.txt", line(lambda t: "\n" + t), "a line between the rows is blank", 7),
    "two blank lines between the rows": Bad(
        "a.txt", line(lambda t: "\r\n\n" + t).replace(b"\n\r\n", b"\n\n"), "is blank", 7
    ),
    "one carriage return": Bad("a.txt", line(lambda t: t.replace("\n", "\r")), "the lines do not end alike", 7),
    "a line of 3 MB": Bad("a.txt", cell("gene_id", "E" * 3_000_000), "longer than 2 MB", 7),
    "an id without build": Bad(
        "a.txt", cell("variant_id", "chr2_30_A_C"), "the variant id has no build: chr2_30_A_C", 7
    ),
    "an id of hg19": Bad("a.txt", cell("variant_id", "chr2_30_A_C_b37"), "the variant id is of another build", 7),
    "an rs id": Bad("a.txt", cell("variant_id", "rs1234"), "this is not a GTEx variant id: rs1234", 7),
    "an id with a fraction": Bad("a.txt", cell("variant_id", "chr2_30.5_A_C_b38"), "this is not a GTEx variant id", 7),
    "an id with zeros before": Bad("a.txt", cell("variant_id", "chr2_030_A_C_b38"), "this is not a GTEx variant id", 7),
    "position 0": Bad("a.txt", cell("variant_id", "chr2_0_A_C_b38"), "this is not a GTEx variant id", 7),
    "no id": Bad("a.txt", cell("variant_id", ""), "this is not a GTEx variant id: (missing)", 7),
    "no gene": Bad("a.txt", cell("gene_id", ""), "the gene is missing", 7),
    "NaN": Bad("a.txt", cell("slope", "nan"), "column 'slope' is not a finite number: nan", 7),
    "-NaN": Bad("a.txt", cell("slope_se", "-nan"), "column 'slope_se' is not a finite number: -nan", 7),
    "infinity": Bad("a.txt", cell("slope", "inf"), "column 'slope' is not a finite number: inf", 7),
    "a number too large for a computer": Bad(
        "a.txt", cell("slope", "-1e999"), "column 'slope' is not a finite number: -inf", 7
    ),
    "NaN in a column of whole numbers": Bad(
        "a.txt", cell("ma_count", "nan"), "column 'ma_count' is not a finite number", 7
    ),
    "NaN as a threshold": Bad("a.txt", cell("pval_nominal_threshold", "NaN"), "is not a finite number", 7),
    "no slope": Bad("a.txt", cell("slope", ""), "slope is missing", 7),
    "NA for slope": Bad("a.txt", cell("slope", "NA"), "slope is missing", 7),
    "no slope_se": Bad("a.txt", cell("slope_se", ""), "slope_se is not a positive number: (missing)", 7),
    "slope_se 0": Bad("a.txt", cell("slope_se", "0"), "slope_se is not a positive number: 0", 7),
    "no p-value": Bad("a.txt", cell("pval_nominal", ""), "pval_nominal is not a probability: (missing)", 7),
    "p-value above 1": Bad("a.txt", cell("pval_nominal", "1.01"), "pval_nominal is not a probability: 1.01", 7),
    "p-value below 0": Bad("a.txt", cell("pval_nominal", "-1e-9"), "pval_nominal is not a probability: -1e-09", 7),
    "pval_beta above 1": Bad("a.txt", cell("pval_beta", "7"), "pval_beta is not a probability: 7", 7),
    "p-value above its threshold": Bad("a.txt", cell("pval_nominal", "0.9"), "1 rows have pval_nominal above"),
    "maf above .5": Bad("a.txt", cell("maf", "0.51"), "maf is not a minor allele frequency (0 to 0.5): 0.51", 7),
    "maf below 0": Bad("a.txt", cell("maf", "-0.1"), "maf is not a minor allele frequency (0 to 0.5): -0.1", 7),
    "text for a number": Bad("a.txt", cell("slope", "abc"), "'abc' is not a number", 7),
    "a decimal comma": Bad("a.txt", cell("slope", "0,5"), "'0,5' is not a number", 7),
    "two signs, padded": Bad("a.txt", cell("slope", " +-5"), "' +-5' is not a number", 7),
    "a hexadecimal count": Bad("a.txt", cell("ma_count", "0x10"), "'0x10' is not a number", 7),
    "half a sample": Bad(
        "a.txt", cell("ma_samples", "10.5"), "column 'ma_samples' is not a whole number up to 2,147,483,647: 10.5", 7
    ),
    "fewer minor alleles than carriers": Bad(
        "a.txt", cell("ma_count", "5"), "ma_count is not ma_samples to twice ma_samples: 5 of 15 for chr2_", 7
    ),
    "a count too large": Bad("a.txt", cell("ma_count", "99999999999"), "column 'ma_count' is not a whole number", 7),
    "a cell too few": Bad(
        "a.txt", line(lambda t: t.replace("\t", "", 1)), "the row has 11 columns where 12 are expected", 7
    ),
    "a cell too many": Bad(
        "a.txt", line(lambda t: t.replace("\n", "\tx\n")), "the row has 13 columns where 12 are expected", 7
    ),
    "the last row is cut": Bad("a.txt", GOOD[:-30], "columns where 12 are expected", 25),
    "a row twice": Bad("a.txt", line(lambda t: t + t), "1 associations stand twice or more, e.g. chr2_20_"),
    "a position beyond its chromosome": Bad(
        "a.txt", cell("variant_id", "chr2_242193530_A_C_b38"), "the position lies beyond the end of its chromosome", 7
    ),
    "a deletion beyond its chromosome": Bad(
        "a.txt", cell("variant_id", "chr2_242193529_AC_A_b38"), "the position lies beyond the end of its chromosome", 7
    ),
    "chromosome 1 without chr": Bad(
        "a.txt", cell("variant_id", "1_30_A_C_b38"), "unknown chromosome: 1 in 1_30_A_C_b38", 7
    ),
    "chromosome chrZZ": Bad("a.txt", cell("variant_id", "chrZZ_30_A_C_b38"), "unknown chromosome: chrZZ", 7),
    "ids and columns of egenes disagree": Bad(
        "a.txt", swapped_in_egenes(), "the variant id and the columns of chromosome, position and alleles", 7
    ),
    "half an egene": Bad(
        "a.txt",
        make.table([*make.egenes_rows()[:5], {**make.egenes_rows()[5], "ref_factor": "300"}]),
        "column 'ref_factor' is not a whole number up to 127: 300",
        7,
    ),
    "a file of peaks": Bad("a.narrowPeak", make.bed(make.narrow_rows()), "none that agdb knows by its columns", 1),
    "a FASTA": Bad("a.fa", b">chr2\nACGT\n", "the header is not separated by tabs", 1),
}


@pytest.mark.parametrize("case", GTEX)
def test_a_bad_gtex_file_is_refused(refused: Refuses, tmp_path: Path, case: str) -> None:
    bad = GTEX[case]
    path = tmp_path / bad.name
    path.write_bytes(bad.data)
    refused(["ingest", "gtex", path, "--tissue", "Liver"], bad.said, where(path, bad.line))


@pytest.mark.parametrize(("column", "value"), [("slope", "abc"), ("ma_count", "x"), ("maf", "0,5")])
def test_a_number_that_is_none_is_told_by_line_and_column(study: Path, tmp_path: Path, column: str, value: str) -> None:
    path = make.write(tmp_path / "a.txt", cell(column, value))
    result = agdb(study, "ingest", "gtex", path, "--tissue", "Liver")
    assert f"  where: {path}, line 7, column '{column}'\n" in result.stderr


# --- peaks ---


def peak_cell(column: int, value: str) -> bytes:
    """A narrowPeak file with another value in the sixth row."""
    rows = make.narrow_rows()
    rows[5][column] = value
    return make.bed(rows)


PEAKS = {
    "the end is the start": Bad(
        "a.narrowPeak", peak_cell(2, "2100"), "the interval is empty or turned round: chr2 2100 2100", 6
    ),
    "the end is before the start": Bad(
        "a.narrowPeak", peak_cell(2, "2000"), "the interval is empty or turned round", 6
    ),
    "a negative start": Bad(
        "a.narrowPeak", peak_cell(1, "-1"), "the interval starts before the chromosome: chr2 -1", 6
    ),
    "half a base": Bad("a.narrowPeak", peak_cell(1, "2100.5"), "column 'chrom_start' is not a whole number", 6),
    "text for a position": Bad("a.narrowPeak", peak_cell(2, "end"), "'end' is not a number", 6),
    "no start": Bad("a.narrowPeak", peak_cell(1, ""), "the interval has no start or no end", 6),
    "a header that names no end": Bad(
        "a.bed", b"chrom\tstart\tstop\nchr2\t1\t2\n", "column 2 is not a position: 'start'; is this a header?", 1
    ),
    "a header after a track line": Bad("a.bed", b"track name=a\nchrom\tbegin\tend\n", "is this a header?", 2),
    "a peak beyond its chromosome": Bad(
        "a.narrowPeak", peak_cell(2, "242193530"), "the interval ends beyond its chromosome on GRCh38", 6
    ),
    "a position of 1e9": Bad("a.narrowPeak", peak_cell(2, "1000000000"), "the interval ends beyond its chromosome", 6),
    "a position of 1e12": Bad(
        "a.narrowPeak", peak_cell(2, "1000000000000"), "column 'chrom_end' is not a whole number", 6
    ),
    "a position of 1e999": Bad("a.narrowPeak", peak_cell(2, "1e999"), "column 'chrom_end' is not a finite number", 6),
    "a summit outside": Bad(
        "a.narrowPeak", peak_cell(9, "150"), "the summit lies outside the peak: chr2 2100 2250 summit at 2250", 6
    ),
    "a summit of 2e9": Bad("a.narrowPeak", peak_cell(9, "2147483647"), "the summit lies outside the peak", 6),
    "a summit of -5": Bad("a.narrowPeak", peak_cell(9, "-5"), "the summit lies outside the peak", 6),
    "a signal of NaN": Bad("a.narrowPeak", peak_cell(6, "nan"), "column 'signal_value' is not a finite number: nan", 6),
    "a chromosome chrZZ": Bad("a.narrowPeak", peak_cell(0, "chrZZ"), "unknown chromosome: chrZZ", 6),
    "no chromosome": Bad("a.narrowPeak", peak_cell(0, ""), "unknown chromosome: (missing)", 6),
    "commas": Bad("a.bed", b"chr2,10,20\n", "the row is not separated by tabs", 1),
    "two columns": Bad("a.bed", b"chr2\t10\n", "the row is not separated by tabs", 1),
    "13 columns": Bad(
        "a.bed", make.bed([["chr2", "10", "20", *["1"] * 10]]), "bed has 3 to 12 columns, this has 13", 1
    ),
    "nine columns named narrowPeak": Bad(
        "a.narrowPeak", make.bed([r[:9] for r in make.narrow_rows()]), "narrowPeak has 10 columns, this has 9", 1
    ),
    "a row with a column less": Bad(
        "a.narrowPeak",
        make.bed([*make.narrow_rows()[:5], make.narrow_rows()[5][:9]]),
        "the row has 9 columns where 10 are expected",
        6,
    ),
    "a blank line": Bad(
        "a.narrowPeak",
        make.bed(make.narrow_rows()[:5]) + b"\n" + make.bed(make.narrow_rows()),
        "a line between the rows is blank",
        6,
    ),
    "comments only": Bad("a.bed", b"# a\n# b\n", "the first 100 lines hold no interval"),
    "empty": Bad("a.bed", b"", "the file is empty"),
    "gzip cut": Bad("a.bed.gz", gzip.compress(make.bed(make.narrow_rows()))[:-20], CUT),
    "gzip of another checksum": Bad("a.bed.gz", flipped(gzip.compress(make.bed(make.narrow_rows())), -7), CUT),
    "a GTEx table": Bad("a.bed", GOOD, "column 2 is not a position: 'gene_id'", 1),
}


@pytest.mark.parametrize("case", PEAKS)
def test_a_bad_peak_file_is_refused(refused: Refuses, tmp_path: Path, case: str) -> None:
    bad = PEAKS[case]
    path = tmp_path / bad.name
    path.write_bytes(bad.data)
    command = ["ingest", "peaks", path, "--biosample", "K562", "--assembly", "GRCh38"]
    refused(command, bad.said, where(path, bad.line))


@pytest.mark.parametrize("kind", ["peaks", "genome"])
@pytest.mark.parametrize("assembly", ["mm9", "mm10", "", "GRCh38.p14", "'"])
def test_an_unknown_assembly_is_refused_with_the_known_ones(
    study: Path, rows: Rows, tmp_path: Path, kind: str, assembly: str
) -> None:
    path = make.fasta(tmp_path / "a.fa") if kind == "genome" else make.write(tmp_path / "a.bed", b"chr2\t1\t2\n")
    result = agdb(
        study, "ingest", kind, path, *(["--biosample", "x"] if kind == "peaks" else []), "--assembly", assembly
    )
    assert result.exit_code == ExitCode.REFUSED
    assert result.stderr.startswith(f"error: unknown assembly {assembly!r}\n")
    assert "GRCh38, hg38, b38, GRCh37, hg19, b37" in result.stderr
    assert make.content(study) == rows


# --- the genome ---


def bgzip(text: str, path: Path) -> bytes:
    with bgzf.BgzfWriter(str(path), "wb") as file:  # type: ignore[no-untyped-call]
        file.write(text.encode())
    return path.read_bytes()


def bad_fasta(case: str, folder: Path) -> bytes:
    text = f">chr2\n{make.BASES}\n"
    if case == "truncated bgzip":
        return bgzip(text, folder / "whole")[:-40]
    if case == "bgzip without its last block":
        return bgzip(text, folder / "whole")[:-28]
    return {
        "empty": b"",
        "a table": GOOD,
        "two records of one name": (text * 2).encode(),
        "two records of one place": f"{text}>2:1-60\n{make.BASES[:60]}\n".encode(),
        "truncated gzip": gzip.compress(text.encode())[:-12],
        "not compressed": text.encode(),
        "of no bases": b">chr2\n",
    }[case]


FASTA = {
    "empty": ("a.fa", "the FASTA is empty"),
    "a table": ("a.fa", "this is no FASTA"),
    "two records of one name": ("a.fa", "two records have one name"),
    "two records of one place": ("a.fa", "both hold chr2:1"),
    "truncated bgzip": ("a.fa.gz", "the compressed FASTA is cut short or damaged"),
    "bgzip without its last block": ("a.fa.gz", "the compressed FASTA is cut short or damaged"),
    "truncated gzip": ("a.fa.gz", "the compressed FASTA is cut short or damaged"),
    "not compressed": ("a.fa.gz", "the FASTA is named as compressed, but is not"),
    "of no bases": ("a.fa", "the FASTA holds no bases"),
}


@pytest.mark.parametrize("case", FASTA)
def test_a_bad_fasta_is_refused(refused: Refuses, tmp_path: Path, case: str) -> None:
    name, said = FASTA[case]
    path = tmp_path / name
    path.write_bytes(bad_fasta(case, tmp_path))
    refused(["ingest", "genome", path, "--assembly", "GRCh38"], said, str(path))


# --- paths ---

COMMANDS: dict[str, list[object]] = {
    "gtex": ["--tissue", "Liver"],
    "peaks": ["--biosample", "K562", "--assembly", "GRCh38"],
    "genome": ["--assembly", "GRCh38"],
    "predictions": ["--format", "original", "--window", "2048"],
}


@pytest.mark.parametrize("kind", COMMANDS)
@pytest.mark.parametrize("what", ["missing", "a folder", "of a strange name"])
def test_a_path_without_a_file_is_refused(study: Path, rows: Rows, tmp_path: Path, kind: str, what: str) -> None:
    path = tmp_path / ("it's \"[*?].txt" if what == "of a strange name" else "nothing")
    if what == "a folder":
        path.mkdir()
    result = agdb(study, "ingest", kind, path, *COMMANDS[kind])
    assert result.exit_code == ExitCode.REFUSED
    assert result.stderr.startswith("error: ")
    assert f"  where: {path}\n" in result.stderr
    assert make.content(study) == rows
    assert [p.name for p in study.parent.iterdir()] == [study.name]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads and writes everything: not run")
@pytest.mark.parametrize("kind", COMMANDS)
def test_an_unreadable_file_is_refused(study: Path, rows: Rows, tmp_path: Path, kind: str) -> None:
    path = make.write(tmp_path / "a.txt", GOOD)
    path.chmod(0)
    result = agdb(study, "ingest", kind, path, *COMMANDS[kind])
    # typer looks at the permissions of an argument before the command does, and calls it a wrong use
    assert result.exit_code in (ExitCode.REFUSED, ExitCode.USAGE)
    assert result.stderr.lower().count("error") == 1
    assert make.content(study) == rows


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads and writes everything: not run")
def test_a_file_that_becomes_unreadable_is_refused(tmp_path: Path) -> None:
    path = make.write(tmp_path / "a.txt", GOOD)
    path.chmod(0)
    with pytest.raises(Refused, match="the file cannot be read"):
        tap.check_path(path)


# --- the database itself ---


TEXT, SQLITE = b"this is no database\n" * 300, b"SQLite format 3\0" + bytes(4096)


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """A file that nothing is wrong with."""
    return make.write(tmp_path / "good.txt", GOOD)


def test_a_missing_database_is_named_and_not_made(tmp_path: Path, good: Path) -> None:
    path = tmp_path / "none.duckdb"
    result = agdb(path, "ingest", "gtex", good, "--tissue", "Liver")
    assert result.exit_code == ExitCode.REFUSED
    assert result.stderr == f"error: there is no database here\n  where: {path}\n  cure:  agdb --db {path} init\n"
    assert not path.exists()


@pytest.mark.parametrize(
    ("content", "command"),
    [  # an empty file is a new database to DuckDB, and so to init
        *((content, c) for content in (TEXT, SQLITE) for c in ("ingest", "init", "status")),
        (b"", "ingest"),
        (b"", "status"),
    ],
)
def test_a_file_that_is_no_agdb_database_is_refused_and_left_as_it_was(
    tmp_path: Path, good: Path, content: bytes, command: str
) -> None:
    path = tmp_path / "other.duckdb"
    path.write_bytes(content)
    result = agdb(path, *(["ingest", "gtex", good, "--tissue", "Liver"] if command == "ingest" else [command]))
    assert result.exit_code == ExitCode.REFUSED
    assert result.stderr.count("error: ") == 1
    assert f"  where: {path}\n" in result.stderr
    assert not content or path.read_bytes() == content


@pytest.mark.parametrize("command", ["ingest", "init", "status", "migrate"])
def test_a_duckdb_file_of_something_else_is_refused_and_left_as_it_was(
    tmp_path: Path, good: Path, command: str
) -> None:
    path = tmp_path / "other.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute("CREATE TABLE mine AS SELECT 42 AS answer")
    result = agdb(path, *(["ingest", "gtex", good, "--tissue", "Liver"] if command == "ingest" else [command]))
    assert result.exit_code == ExitCode.REFUSED
    assert f"error: this DuckDB file is not an agdb database\n  where: {path}\n" in result.stderr
    assert make.content(path) == {"mine": [(42,)], "(views)": []}


@pytest.mark.parametrize("command", ["ingest", "status"])
def test_a_second_writer_is_told_who_holds_the_database(
    study: Path, rows: Rows, good: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setattr(db, "PATIENCE_S", 0.2)
    hold = "import duckdb, sys; con = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    holder = [sys.executable, "-c", hold, str(study)]
    with subprocess.Popen(holder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        result = agdb(study, *(["ingest", "gtex", good, "--tissue", "Liver"] if command == "ingest" else [command]))
        process.communicate("")
    assert result.exit_code == ExitCode.BUSY
    assert result.stderr.startswith("error: the database is held by ")
    assert result.stderr.splitlines()[0].endswith(f"(PID {process.pid})")  # and nothing of DuckDB's own -readonly
    assert f"  where: {study}\n" in result.stderr
    assert make.content(study) == rows
    assert agdb(study, "ingest", "gtex", good, "--tissue", "Liver").exit_code == ExitCode.OK


def test_a_database_in_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    result = agdb(tmp_path / "none" / "a.duckdb", "init")
    assert result.exit_code == ExitCode.REFUSED
    assert "the folder of the database does not exist" in result.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads and writes everything: not run")
def test_a_database_in_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o500)
    result = agdb(folder / "a.duckdb", "init")
    assert result.exit_code == ExitCode.REFUSED
    assert "the database cannot be opened" in result.stderr


def test_the_real_command_fails_as_the_tests_say(study: Path, tmp_path: Path) -> None:
    path = make.write(tmp_path / "a.txt", cell("slope", "abc"))
    command = [sys.executable, "-m", "agdb", "--db", str(study), "ingest", "gtex", str(path), "--tissue", "Liver"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"error: 'abc' is not a number\n  where: {path}, line 7, column 'slope'\n"
        "  cure:  mend that line, or download the file again; nothing was kept\n"
    )
