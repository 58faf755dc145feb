"""BED and VCF out: read back by pysam where it is installed, and checked against the words of the specifications."""

import importlib.util
import re
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rows import add_peaks, add_scorer, add_scores, add_source, add_variants, forget, insert

from agdb import export
from agdb.errors import UsageError

#: On two contigs whose order as text is not theirs by number; an insertion, a deletion and an MNV among them.
VARIANTS = [("chr10", 5, "A", "C"), ("chr2", 300, "AT", "A"), ("chr2", 20, "G", "GTT"), ("chr2", 20, "GC", "TA"),
            ("chrX", 7, "T", "G")]  # fmt: skip


@pytest.fixture
def scored(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Variants in two peaks and outside, a scorer at two windows, and one that scores genes."""
    ids = add_variants(con, VARIANTS)
    add_peaks(con, 9, [("chr2", 10, 40), ("chr10", 100, 200)])
    for scorer, window in (("a", 501), ("b", 2048)):
        add_scorer(con, scorer, window, name="k562 (DNase)")
        add_scores(con, scorer, ids[:3], [0.5, -1e-9, 3.25])
    add_scorer(con, "g", 100, name="9genes")
    add_scores(con, "g", ids[:1], [1.5], gene="ENSG1")
    add_scores(con, "g", ids[:1], [-2.0], gene="a,b;c=d|e f%")
    return con


def lines(con: duckdb.DuckDBPyConnection, view: str, path: Path, **options: object) -> list[list[str]]:
    """The lines of an exported file, cell by cell."""
    export.to_file(con, view, path, **options)  # type: ignore[arg-type]
    return [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]


def records(con: duckdb.DuckDBPyConnection, path: Path, view: str = "candidate", **options: object) -> list[list[str]]:
    """The records of an exported VCF, without its header."""
    return [cells for cells in lines(con, view, path, **options) if not cells[0].startswith("#")]


def info(record: list[str]) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in record[7].split(";"))


def test_peaks_are_bed6_in_the_order_of_sort(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    add_peaks(con, 1, [("chr2", 50, 60), ("chr10", 900, 950), ("chr10", 100, 200)])
    con.execute("UPDATE peak SET name = 'p', score = 12110 WHERE chrom_start = 100")
    assert lines(con, "peak", tmp_path / "p.bed") == [
        ["chr10", "100", "200", "p", "1000", "."],
        ["chr10", "900", "950", ".", "0", "."],
        ["chr2", "50", "60", ".", "0", "."],
    ]


def test_a_narrow_peak_file_has_the_summit_as_an_offset(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    add_peaks(con, 1, [("chr1", 50, 60), ("chr1", 70, 90)])
    con.execute("UPDATE peak SET signal_value = 2.5, neglog10_p = 3, neglog10_q = 1.25, summit = 73 "
                "WHERE chrom_start = 70")  # fmt: skip
    assert [row[6:] for row in lines(con, "peak", tmp_path / "p.narrowPeak")] == [
        ["-1.0", "-1.0", "-1.0", "-1"], ["2.5", "3.0", "1.25", "3"]
    ]  # fmt: skip


def test_a_narrow_peak_file_comes_back_through_ingest(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    from agdb.ingest import peaks

    add_peaks(con, 1, [("chr1", 50, 60), ("chr10", 70, 90)])
    con.execute("UPDATE peak SET name = 'x', score = 7, signal_value = 2.5, summit = chrom_start + 4")
    export.to_file(con, "peak", tmp_path / "p.narrowPeak")
    peaks.ingest(con, tmp_path / "p.narrowPeak", "K562", "GRCh38")
    columns = "chrom, chrom_start, chrom_end, name, score, signal_value, neglog10_p, summit"
    was, now = (con.execute(f"SELECT {columns} FROM peak WHERE source_id {which} 1 ORDER BY ALL").fetchall()
                for which in ("=", "<>"))  # fmt: skip
    assert len(now) == 2
    assert now == was


def test_a_variant_is_a_bed_line_that_spans_its_ref(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    add_variants(con, VARIANTS)
    assert lines(con, "candidate", tmp_path / "v.bed") == [
        ["chr10", "4", "5", "chr10_5_A_C"],
        ["chr2", "19", "20", "chr2_20_G_GTT"],
        ["chr2", "19", "21", "chr2_20_GC_TA"],
        ["chr2", "299", "301", "chr2_300_AT_A"],
        ["chrX", "6", "7", "chrX_7_T_G"],
    ]


def test_a_variant_with_two_associations_is_one_bed_line(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    add_variants(con, VARIANTS[:1])
    add_source(con, 1)
    insert(con, "qtl (source_id, assembly, chrom, pos, ref, alt, gene_id, slope)",
           [[1, "GRCh38", *VARIANTS[0], gene, 0.5] for gene in ("ENSG1", "ENSG2")])  # fmt: skip
    assert len(lines(con, "association", tmp_path / "v.bed")) == 1


def test_genes_have_their_strand(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    insert(con, "gene (source_id, assembly, gene_id, chrom, chrom_start, chrom_end, strand)",
           [[1, "GRCh38", "ENSG1.2", "chr3", 5, 9, "-"]])  # fmt: skip
    assert lines(con, "gene", tmp_path / "g.bed") == [["chr3", "5", "9", "ENSG1.2", "0", "-"]]


@pytest.mark.parametrize(("view", "name", "said"), [
    ("correlation", "x.bed", "neither intervals nor variants"), ("correlation", "x.vcf", "no variants"),
    ("candidate", "x.narrowPeak", "no peaks"), ("peak", "x.vcf", "no variants"),
])  # fmt: skip
def test_a_view_without_places_is_refused(
    view: str, name: str, said: str, con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=said):
        export.to_file(con, view, tmp_path / name)
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize("ending", ["bed", "vcf"])
def test_places_of_two_assemblies_do_not_share_a_file(
    ending: str, con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    add_variants(con, VARIANTS)
    add_variants(con, VARIANTS[:2], assembly="GRCh37")
    with pytest.raises(UsageError, match="GRCh37 and GRCh38"):
        export.to_file(con, "candidate", tmp_path / f"x.{ending}")
    assert export.to_file(con, "candidate", tmp_path / f"x.{ending}", assembly="GRCh37") == 2


def test_peaks_and_a_blacklist_do_not_share_a_file(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    add_peaks(con, 1, [("chr1", 50, 60)])
    add_source(con, 2, "blacklist", effect=None, tissue=None)
    add_peaks(con, 2, [("chr1", 500, 600)])
    with pytest.raises(UsageError, match="regions of a blacklist"):
        export.to_file(con, "peak", tmp_path / "x.bed")
    assert export.to_file(con, "peak", tmp_path / "x.bed", where="source_id = 2") == 1


def test_a_record_has_the_scores_of_every_scorer(scored: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    found = {tuple(r[:2] + r[3:5]): info(r) for r in records(scored, tmp_path / "x.vcf")}
    assert found["chr10", "5", "A", "C"]["k562__DNase__501"] == "0.5"
    assert found["chr2", "300", "AT", "A"]["k562__DNase__2048"] == "-1e-09"
    assert found["chrX", "7", "T", "G"] == {"REF_STATUS": "match"}


def test_scores_of_genes_name_them_and_special_characters_are_encoded(
    scored: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    (record,) = [r for r in records(scored, tmp_path / "x.vcf") if r[0] == "chr10"]
    assert info(record)["_9genes_100"] == "ENSG1|1.5,a%2Cb%3Bc%3Dd%7Ce%20f%25|-2.0"


def test_in_peak_is_absent_where_no_peaks_are_known(scored: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    found = {tuple(r[:2]): info(r).get("IN_PEAK") for r in records(scored, tmp_path / "x.vcf")}
    assert found == {("chr2", "20"): "1", ("chr2", "300"): "0", ("chr10", "5"): "0", ("chrX", "7"): None}


def test_chosen_scorers_alone_are_in_the_file(scored: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    export.to_file(scored, "candidate", tmp_path / "x.vcf", scorers=["9genes"])
    text = (tmp_path / "x.vcf").read_text()
    assert "_9genes_100=" in text
    assert "k562" not in text


def test_an_unknown_scorer_lists_those_that_are_known(scored: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no scorer 'motif'") as caught:
        export.to_file(scored, "candidate", tmp_path / "x.vcf", scorers=["motif"])
    assert "9genes, k562 (DNase)" in str(caught.value)


def test_a_scorer_is_no_choice_of_other_formats(scored: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--scorer"):
        export.to_file(scored, "candidate", tmp_path / "x.bed", scorers=["9genes"])


def test_scorers_of_one_name_and_window_have_fields_of_their_own(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    ids = add_variants(con, VARIANTS)
    for scorer, score in (("first", 1.0), ("second", 2.0)):
        add_scorer(con, scorer, 100, name="motif")
        add_scores(con, scorer, ids[:1], [score])
    (record,) = [r for r in records(con, tmp_path / "x.vcf") if "motif" in r[7]]
    assert {v for k, v in info(record).items() if k.startswith("motif_100")} == {"1.0", "2.0"}


def test_a_record_has_its_rsids_and_no_other_name(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    add_variants(con, VARIANTS)
    names = [(0, "rs7"), (0, "rs12"), (0, "rs7"), (1, "my;variant"), (2, None)]
    insert(con, "listed_variant (source_id, assembly, chrom, pos, ref, alt, name)",
           [[i, "GRCh38", *VARIANTS[at], name] for i, (at, name) in enumerate(names)])  # fmt: skip
    found = {(r[0], r[1], r[4]): r[2] for r in records(con, tmp_path / "x.vcf")}
    assert found["chr10", "5", "C"] == "rs12;rs7"
    assert {name for place, name in found.items() if place[0] != "chr10"} == {"."}


def test_a_variant_that_is_not_analysed_says_so_in_its_filter(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    add_variants(con, VARIANTS[:1], ref_status="swapped")
    add_variants(con, VARIANTS[1:2], ref_status="unchecked")
    found = {r[0]: r[6] for r in records(con, tmp_path / "x.vcf", "variant")}
    assert found == {"chr10": "swapped", "chr2": "PASS"}


def problems(text: str) -> list[str]:
    """What the VCF 4.3 specification forbids and the text has: section 1.4 on the header, 1.6 on the records."""
    head = [line for line in text.splitlines() if line.startswith("#")]
    body = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    contigs = [re.findall(r"^##contig=<ID=([^,]+),length=(\d+)", line)[0] for line in head if line.startswith("##con")]
    length, order = {c: int(n) for c, n in contigs}, [c for c, _ in contigs]
    field = r'^##INFO=<ID=([A-Za-z_][\w.]*),Number=(?:1|A|\.),Type=(\w+),Description="(?:[^"\\]|\\.)*">$'
    kinds = dict(re.findall(field, "\n".join(head), re.MULTILINE))
    filters = set(re.findall(r"^##FILTER=<ID=(\w+),", "\n".join(head), re.MULTILINE))
    found = [] if head[0] == "##fileformat=VCFv4.3" else ["first line"]
    found += ["column line"] * (head[-1] != "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO")
    found += ["INFO line"] * (len(kinds) != sum(line.startswith("##INFO") for line in head))
    found += ["order"] * (body != sorted(body, key=lambda r: (order.index(r[0]), int(r[1]))))
    number = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
    for chrom, pos, _, ref, alt, _, filter_, text_ in body:
        found += ["place"] * (not 1 <= int(pos) <= length[chrom]) + ["filter"] * (filter_ not in filters)
        found += ["allele"] * (not re.fullmatch("[ACGTN]+", ref + alt))
        for key, value in (pair.split("=") for pair in text_.split(";")):
            known, text_is_number = kinds.get(key), number.fullmatch(value)
            found += ["undefined " + key] * (known is None) + ["value " + value] * (
                known == "Float" and not text_is_number
            )
            found += ["white"] * bool(re.search(r"\s", value))
    return found


def test_the_file_is_as_the_specification_says(scored: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    con = scored
    con.execute("""UPDATE scorer SET track_set = 'a "quoted" \\ set' WHERE scorer_id = 'a'""")
    export.to_file(con, "candidate", tmp_path / "x.vcf")
    assert problems((tmp_path / "x.vcf").read_text()) == []


@pytest.mark.parametrize(("old", "new", "what"), [
    ("##fileformat=VCFv4.3\n", "", "first line"), ("chr2\t20\t", "chr2\t900000000\t", "place"),
    ("##INFO=<ID=REF_STATUS", "##INFO=<ID=1REF_STATUS", "INFO line"), ("=0.5;", "=half;", "value half"),
    ("##FILTER=<ID=PASS", "##FILTER=<ID=OK", "filter"), ("chr2\t300\t", "chr2\t3\t", "order"),
])  # fmt: skip
def test_the_check_of_the_specification_sees_what_is_wrong(
    old: str, new: str, what: str, scored: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    export.to_file(scored, "candidate", tmp_path / "x.vcf")
    text = (tmp_path / "x.vcf").read_text()
    assert old in text
    assert what in problems(text.replace(old, new))


@pytest.mark.skipif(importlib.util.find_spec("pysam") is None, reason="pysam is not installed: htslib was NOT asked")
def test_htslib_reads_the_file_and_its_index(scored: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    import pysam

    path = tmp_path / "x.vcf.gz"
    export.to_file(scored, "candidate", path)
    pysam.tabix_index(str(path), preset="vcf")
    with pysam.VariantFile(str(path)) as file:
        assert [(r.chrom, r.pos, r.ref, r.alts) for r in file] == [
            (chrom, pos, ref, (alt,)) for chrom, pos, ref, alt in sorted(VARIANTS, key=lambda v: (int(v[0][3:].replace(
                "X", "23")), *v[1:]))]  # fmt: skip
        (record,) = file.fetch("chr10")
        assert record.info["k562__DNase__501"] == (0.5,)
        assert record.info["_9genes_100"] == ("ENSG1|1.5", "a%2Cb%3Bc%3Dd%7Ce%20f%25|-2.0")
        assert record.filter.keys() == ["PASS"]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    places=st.sets(st.tuples(st.sampled_from(["chr1", "chr2", "chr10", "chr22"]), st.integers(1, 10**6)), min_size=1),
    scores=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=5),
)
def test_every_score_comes_back_exactly(
    places: set[tuple[str, int]], scores: list[float], con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    forget(con)
    ids = add_variants(con, [(chrom, pos, "A", "C") for chrom, pos in places])
    add_scorer(con, "s", 100, name="s")
    some = dict(zip(ids, scores, strict=False))
    add_scores(con, "s", list(some), list(some.values()))
    found = {f"{r[0]}_{r[1]}_{r[3]}_{r[4]}": info(r).get("s_100") for r in records(con, tmp_path / "x.vcf")}
    assert found.keys() == set(ids)
    assert {v: float(s) for v, s in found.items() if s is not None} == some
