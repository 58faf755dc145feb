"""Peak files: the formats, what lands where, and what is set aside."""

import re
from pathlib import Path

import duckdb
import make
import pytest
from conftest import Ask
from hypothesis import event, given
from hypothesis import strategies as st
from test_ingest_gtex import FUZZ, MUTATION, Mutation, damaged

from agdb.errors import Refused
from agdb.ingest import peaks, text

Connection = duckdb.DuckDBPyConnection
STORED = "chrom::VARCHAR, chrom_start, chrom_end, name, score, signal_value, neglog10_p, neglog10_q, summit"


def load(con: Connection, path: Path, data: bytes, format_: str = "auto") -> None:
    assert peaks.ingest(con, make.write(path, data), "K562", "GRCh38", format_).is_new


def test_every_narrowpeak_column_lands_in_its_column(con: Connection, ask: Ask, tmp_path: Path) -> None:
    load(con, tmp_path / "a.narrowPeak.gz", make.bed(make.narrow_rows()))
    stored = ask(f"SELECT {STORED} FROM peak ORDER BY peak_id")
    assert stored[0] == ("chr2", 100, 250, "peak0", 500.0, 3.5, 12.25, 9.5, 175)
    assert len(stored) == 12
    assert ask("SELECT DISTINCT biosample, assembly, source_id FROM peak") == [("K562", "GRCh38", 1)]
    assert ask("SELECT kind, format, rows_read, rows_kept FROM source") == [("peaks", "narrowPeak", 12, 12)]


def test_minus_one_and_a_dot_are_null(con: Connection, ask: Ask, tmp_path: Path) -> None:
    load(con, tmp_path / "a.narrowPeak", make.bed(make.narrow_rows()))
    nulls = "name IS NULL AND neglog10_p IS NULL AND neglog10_q IS NULL AND summit IS NULL"
    assert ask(f"SELECT chrom_start, signal_value FROM peak WHERE {nulls}") == [(500, 4.5)]


@pytest.mark.parametrize("chunk", [1, 70, 64 << 20])
def test_peaks_are_numbered_once_in_the_order_of_their_files(
    con: Connection, ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(text, "CHUNK_BYTES", chunk)
    rows = [[f"chr{3 - i % 2}", str(900 - 9 * i), "1000"] for i in range(40)]
    rows[7][0] = rows[8][0] = "chrUn_KI270742v1"
    load(con, tmp_path / "a.bed", make.bed(rows))
    load(con, tmp_path / "b.bed", make.bed(rows[::-1]))
    wanted = [(row[0], int(row[1])) for row in rows if row[0] != "chrUn_KI270742v1"]
    assert ask("SELECT chrom::VARCHAR, chrom_start FROM peak ORDER BY peak_id") == wanted + wanted[::-1]
    assert ask("SELECT count(DISTINCT peak_id), min(peak_id) FROM peak") == [(2 * len(wanted), 1)]


ROW = ["chr2", "1000", "1200", "p", "7", "+", "5.5", "2.5", "1.5", "50"]
FORMATS = {  # file name, format asked for, row, format found, stored
    "BED3": ("a.bed", "auto", ROW[:3], "bed3", (None, None, None, None, None, None)),
    "BED4": ("a.bed", "auto", ROW[:4], "bed4", ("p", None, None, None, None, None)),
    "BED6": ("a.bed", "auto", ROW[:6], "bed6", ("p", 7.0, None, None, None, None)),
    "BED9 with a colour": ("a.bed", "auto", [*ROW[:6], "1000", "1200", "255,0,0"], "bed9", ("p", 7.0, *[None] * 4)),
    "BED12": ("a.bed", "auto", [*ROW[:6], "1000", "1200", "0", "2", "9,9,", "0,191,"], "bed12",
              ("p", 7.0, *[None] * 4)),
    "broadPeak": ("a.broadPeak", "auto", ROW[:9], "broadPeak", ("p", 7.0, 5.5, 2.5, 1.5, None)),
    "broadPeak named .bed": ("a.bed.gz", "auto", ROW[:9], "broadPeak", ("p", 7.0, 5.5, 2.5, 1.5, None)),
    "narrowPeak named .bed": ("a.bed.gz", "auto", ROW, "narrowPeak", ("p", 7.0, 5.5, 2.5, 1.5, 1050)),
    "hotspot2 named .bed": ("a.bed.gz", "auto", [*ROW[:6], "12", "-1", "-1", "75"], "narrowPeak",
                            ("p", 7.0, 12.0, None, None, 1075)),
    "BED9 by name": ("a.bed", "bed", [*ROW[:6], "1.5", "1", "0"], "bed9", ("p", 7.0, None, None, None, None)),
    "no strand": ("a.bed", "auto", [*ROW[:5], "."], "bed6", ("p", 7.0, None, None, None, None)),
}  # fmt: skip


@pytest.mark.parametrize("case", FORMATS)
def test_a_format_is_told_by_its_columns(con: Connection, ask: Ask, tmp_path: Path, case: str) -> None:
    name, asked, row, kind, wanted = FORMATS[case]
    load(con, tmp_path / name, make.bed([row]), asked)
    assert ask("SELECT format FROM source") == [(kind,)]
    assert ask(f"SELECT {STORED} FROM peak") == [("chr2", 1000, 1200, *wanted)]


HEADS = {
    "track": b'track name="a b" description="#1"\n',
    "browser and track": b"browser position chr2:1-1000\nbrowser hide all\ntrack type=narrowPeak\n",
    "comments": b"#chrom\tstart\tend\n# by hand\n",
    "a blank line and a comment": b"\n#x\n",
    "BOM": b"\xef\xbb\xbf",
    "BOM and a comment": b"\xef\xbb\xbf# x\n",
    "CRLF": b"# x\r\n",
    "40 comments": b"# x\n" * 40,
}


@pytest.mark.parametrize("head", HEADS)
def test_lines_before_the_first_row_are_passed_over_and_counted(
    con: Connection, ask: Ask, tmp_path: Path, head: str
) -> None:
    rows = make.narrow_rows()
    rows[4][0] = "chrUn_KI270742v1"
    end = "\r\n" if head == "CRLF" else "\n"
    load(con, tmp_path / "a.narrowPeak", HEADS[head] + make.bed(rows, end))
    assert ask("SELECT count(*), min(chrom_start), max(summit) FROM peak") == [(11, 100, 4575)]
    assert ask("SELECT line FROM rejected") == [(HEADS[head].count(b"\n") + 5,)]


@pytest.mark.parametrize("line", ["# a comment", "#", "track name=second", "browser hide all"])
def test_a_comment_between_the_rows_is_refused_by_its_line(con: Connection, tmp_path: Path, line: str) -> None:
    rows = make.narrow_rows()
    path = make.write(tmp_path / "a.bed", make.bed(rows[:5]) + line.encode() + b"\n" + make.bed(rows[5:]))
    with pytest.raises(Refused, match="a comment stands between the rows") as refusal:
        peaks.ingest(con, path, "K562", "hg38")
    assert refusal.value.where == f"{path}, line 6"


def test_a_number_sign_in_a_name_is_no_comment(con: Connection, ask: Ask, tmp_path: Path) -> None:
    load(con, tmp_path / "a.bed", make.bed([["chr2", "10", "20", "peak#1"], ["chr2", "30", "40", 'say "x"']]))
    assert ask("SELECT name FROM peak ORDER BY peak_id") == [("peak#1",), ('say "x"',)]


HEADER = "chr start end length {} -log10(pvalue) fold_enrichment name"


@pytest.mark.parametrize("summit", ["abs_summit", "pileup"])  # of narrow peaks, and of broad ones
def test_the_table_of_macs_is_refused_because_it_is_1_based(con: Connection, tmp_path: Path, summit: str) -> None:
    rows = [HEADER.format(summit).split(), ["chr22", "10001", "10200", "200", "10100", "7.5", "3.2", "p_1"]]
    path = make.write(tmp_path / "a_peaks.xls", b"# This file is generated by MACS version 2.2\n\n" + make.bed(rows))
    with pytest.raises(Refused, match="the positions of this table are 1-based, as MACS writes them") as refusal:
        peaks.ingest(con, path, "K562", "hg38")
    assert refusal.value.where == f"{path}, line 3"


ONE_BASED = {
    "HOMER": ("#PeakID chr start end strand reads", "chr1-1 chr1 10001 10200 + 33.1", "HOMER and SAF have"),
    "annotatePeaks": ("PeakID_(cmd=x) Chr Start End Strand Score", "p chr1 10001 10200 + 3", "HOMER and SAF have"),
    "SAF": ("GeneID Chr Start End Strand", "p1 chr1 10001 10200 .", "HOMER and SAF have"),
    "GRanges": ("chrom start end width name", "chr1 10001 10200 200 p1", "R's GRanges has"),
}


@pytest.mark.parametrize("whose", ONE_BASED)
def test_tables_of_other_makers_that_are_1_based_are_refused(con: Connection, tmp_path: Path, whose: str) -> None:
    header, row, told = ONE_BASED[whose]
    path = make.write(tmp_path / "a.txt", b"# HOMER Peaks\n# x = 1\n#\n" + make.bed([header.split(), row.split()]))
    with pytest.raises(Refused, match=f"the positions of this table are 1-based, as {told} them") as refusal:
        peaks.ingest(con, path, "K562", "hg38")
    assert refusal.value.where == f"{path}, line 4"


def test_a_table_with_widths_of_0_based_intervals_is_read(con: Connection, ask: Ask, tmp_path: Path) -> None:
    rows = [["peakid", "chrom", "start", "end", "width"], ["p_1", "chr1", "10000", "10200", "200"]]
    load(con, tmp_path / "a.txt", make.bed(rows))
    assert ask("SELECT chrom_start, chrom_end FROM peak") == [(10000, 10200)]


def test_a_table_with_lengths_of_0_based_intervals_is_read_and_what_is_not_kept_is_named(
    con: Connection, ask: Ask, tmp_path: Path
) -> None:
    rows = [HEADER.format("pileup").split(), ["chr22", "10000", "10200", "200", "8", "7.5", "3.2", "p_1"]]
    loaded = peaks.ingest(con, make.write(tmp_path / "a.txt", make.bed(rows)), "K562", "hg38")
    assert loaded.notes == ["not kept: length, pileup, -log10(pvalue), fold_enrichment"]
    assert ask("SELECT chrom_start, chrom_end, name FROM peak") == [(10000, 10200, "p_1")]


@pytest.mark.parametrize("contig", ["chrUn_KI270742v1", "chr1_KI270706v1_random", "chr22_KI270879v1_alt", "chrEBV"])
def test_a_peak_on_an_unplaced_contig_is_kept_with_its_line_and_reason(
    con: Connection, ask: Ask, tmp_path: Path, contig: str
) -> None:
    rows = make.narrow_rows()
    rows[9][0] = contig
    loaded = peaks.ingest(con, make.write(tmp_path / "a.narrowPeak", make.bed(rows)), "K562", "hg38")
    assert (loaded.rows_kept, loaded.rejected) == (11, {"contig_not_primary": 1})
    assert ask("SELECT line, reason, text FROM rejected") == [(10, "contig_not_primary", "\t".join(rows[9]))]


def test_more_than_a_tenth_on_unplaced_contigs_refuses_the_file(con: Connection, tmp_path: Path) -> None:
    rows = make.narrow_rows()
    rows[3][0] = rows[4][0] = "chrUn_KI270742v1"
    before = make.rows_of(con)
    with pytest.raises(Refused, match="2 of 12 rows cannot be used"):
        peaks.ingest(con, make.write(tmp_path / "a.narrowPeak", make.bed(rows)), "K562", "hg38")
    assert make.rows_of(con) == before


def test_the_same_peaks_again_change_nothing(con: Connection, tmp_path: Path) -> None:
    path = make.write(tmp_path / "a.narrowPeak", make.bed(make.narrow_rows()))
    assert peaks.ingest(con, path, "K562", "hg38").is_new
    before = make.rows_of(con)
    again = peaks.ingest(con, path, "K562", "GRCh38")
    assert (again.is_new, again.rows_kept) == (False, 12)
    assert make.rows_of(con) == before


@pytest.mark.parametrize(
    ("biosample", "assembly", "format_", "said"),
    [
        ("HepG2", "GRCh38", "auto", "now it is given as narrowPeak, GRCh38, HepG2"),
        ("K562", "hg19", "auto", "now it is given as narrowPeak, GRCh37, K562"),
        ("K562", "GRCh38", "bed", "now it is given as bed10, GRCh38, K562"),
    ],
)
def test_the_same_bytes_as_something_else_are_refused(
    con: Connection, tmp_path: Path, biosample: str, assembly: str, format_: str, said: str
) -> None:
    path = make.write(tmp_path / "a.narrowPeak", make.bed(make.narrow_rows()))
    peaks.ingest(con, path, "K562", "GRCh38")
    before = make.rows_of(con)
    with pytest.raises(Refused, match=said):
        peaks.ingest(con, path, biosample, assembly, format_)
    assert make.rows_of(con) == before


def test_a_blacklist_by_another_name_is_the_same_unless_its_name_is_said(con: Connection, tmp_path: Path) -> None:
    data = make.bed(row[:3] for row in make.narrow_rows())
    paths = [make.write(tmp_path / name, data) for name in ("a.bed", "b.bed")]
    assert peaks.ingest(con, paths[0], None, "hg38", is_blacklist=True).is_new
    before = make.rows_of(con)
    again = peaks.ingest(con, paths[1], None, "hg38", is_blacklist=True)
    assert (again.is_new, again.name) == (False, "a.bed")
    with pytest.raises(Refused, match=r"already, as bed3, GRCh38, a\.bed; now it is given as bed3, GRCh38, mine"):
        peaks.ingest(con, paths[1], "mine", "hg38", is_blacklist=True)
    assert make.rows_of(con) == before


@pytest.mark.parametrize("chrom", ["chr1", "chr22", "chrX", "chrM"])
def test_a_peak_may_end_where_its_chromosome_ends_and_no_base_later(
    con: Connection, ask: Ask, tmp_path: Path, chrom: str
) -> None:
    length = int(str(ask("SELECT length FROM contig WHERE assembly = 'GRCh38' AND chrom = ?", chrom)[0][0]))
    load(con, tmp_path / "in.bed", make.bed([[chrom, str(length - 9), str(length)]]))
    with pytest.raises(Refused, match="the interval ends beyond its chromosome on GRCh38"):
        load(con, tmp_path / "out.bed", make.bed([[chrom, str(length - 9), str(length + 1)]]))


# --- any damage at all ---


def obvious_peaks(data: bytes) -> list[tuple[str, int, int]]:
    """(chrom, start, end) of a peak file, read the slow way; other contigs are set aside."""
    lines = [
        line
        for line in re.split("\r\n|\r|\n", data.decode("utf-8-sig"))
        if line and not re.match("#|track|browser", line)
    ]
    rows = [(c, float(s), float(e)) for c, s, e, *_ in (line.split("\t") for line in lines)]
    assert all(s == int(s) and e == int(e) for _, s, e in rows)
    return sorted((c, int(s), int(e)) for c, s, e in rows if "_" not in c)


PEAKS = make.bed(make.narrow_rows(10))


@FUZZ
@given(mutations=st.lists(MUTATION, min_size=1, max_size=3))
def test_a_damaged_peak_file_is_read_as_it_stands_or_refused(
    con: Connection, ask: Ask, tmp_path: Path, mutations: list[Mutation]
) -> None:
    path, data = tmp_path / "a.txt", damaged(PEAKS, mutations)
    for name in ("peak", "source", "run", "rejected"):
        con.execute(f"DELETE FROM {name}")
    path.write_bytes(data)
    before = make.rows_of(con)
    error = make.refusal(lambda: peaks.ingest(con, path, "K562", "hg38"))
    event("refused" if error else "loaded")
    if error:
        assert "\n" not in error.what
        assert make.rows_of(con) == before
        return
    assert sorted(ask("SELECT chrom::VARCHAR, chrom_start, chrom_end FROM peak")) == obvious_peaks(data)
