"""GTEx tables: what lands where, what is the same file, and what is set aside."""

import csv
import gzip
import random
import re
from collections.abc import Callable
from pathlib import Path

import duckdb
import make
import pytest
from conftest import Ask
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from agdb.errors import Refused

Connection = duckdb.DuckDBPyConnection


def load(con: Connection, path: Path, data: bytes, tissue: str = "Liver") -> None:
    assert make.gtex(con, make.write(path, data), tissue).is_new


def slopes(ask: Ask) -> dict[tuple[object, object], tuple[object, ...]]:
    found = ask("SELECT variant_id || '_b38', gene_id, slope, pval_nominal FROM association")
    return {(v, g): (slope, p) for v, g, slope, p in found}


def expected_slopes(rows: list[make.Row]) -> dict[tuple[object, object], object]:
    return {(r["variant_id"], r["gene_id"]): (float(r["slope"]), float(r["pval_nominal"])) for r in rows}


def test_columns_in_another_order_are_read_by_name(con: Connection, ask: Ask, tmp_path: Path) -> None:
    rows = make.pairs_rows()
    shuffled = random.Random(1).sample(make.PAIRS, len(make.PAIRS))
    load(con, tmp_path / "a.txt", make.table(rows, shuffled))
    assert slopes(ask) == expected_slopes(rows)


def test_every_pairs_column_lands_in_the_column_of_its_name(con: Connection, ask: Ask, tmp_path: Path) -> None:
    row = make.pairs_rows()[5]
    load(con, tmp_path / "a.txt", make.table(make.pairs_rows()))
    columns = make.PAIRS[2:]
    found = ask(f"SELECT {', '.join(columns)} FROM association WHERE variant_id || '_b38' = ?", row["variant_id"])
    assert found == [tuple(float(row[n]) for n in columns)]
    ids = ask("SELECT DISTINCT gene_id = phenotype_id, tissue, assembly, source_id FROM association")
    assert ids == [(True, "Liver", "GRCh38", 1)]


def test_every_egenes_column_lands_in_its_column(con: Connection, ask: Ask, tmp_path: Path) -> None:
    row = make.egenes_rows()[5]
    load(con, tmp_path / "a.txt.gz", make.table(make.egenes_rows()))
    renamed = {
        "minor_allele_samples": "ma_samples", "minor_allele_count": "ma_count", "rs_id_dbSNP151_GRCh38p7": "name",
        "log2_aFC": "log2_afc", "log2_aFC_lower": "log2_afc_lower", "log2_aFC_upper": "log2_afc_upper",
    }  # fmt: skip
    of_variant = {"variant_id", "chr", "variant_pos", "ref", "alt"}
    wanted = {renamed.get(n, n): row[n] for n in make.EGENES if n not in of_variant}
    both = "qtl JOIN egene USING (source_id, gene_id) JOIN listed_variant USING (source_id, chrom, pos, ref, alt)"
    (found,) = ask(f"SELECT {', '.join(wanted)} FROM {both} WHERE gene_id = ?", row["gene_id"])
    texts = {"gene_id", "gene_name", "gene_chr", "strand", "name"}
    assert found == tuple(v if n in texts else float(v) for n, v in wanted.items())
    variant = ask(
        "SELECT chrom::VARCHAR, pos, ref, alt FROM variant WHERE variant_id(chrom, pos, ref, alt) || '_b38' = ?",
        row["variant_id"],
    )
    assert variant == [(row["chr"], int(row["variant_pos"]), row["ref"], row["alt"])]
    assert ask("SELECT format FROM source") == [("gtex_v8_egenes",)]


def test_pairs_have_no_rows_about_genes(con: Connection, ask: Ask, tmp_path: Path) -> None:
    load(con, tmp_path / "a.txt", make.table(make.pairs_rows()))
    assert ask("SELECT count(*) FROM egene") == [(0,)]


def test_a_dot_for_rs_id_and_an_empty_fold_change_are_null(con: Connection, ask: Ask, tmp_path: Path) -> None:
    load(con, tmp_path / "a.txt", make.table(make.egenes_rows()))
    unnamed = (
        "SELECT gene_name FROM egene JOIN qtl USING (gene_id) ANTI JOIN listed_variant USING (chrom, pos, ref, alt)"
    )
    assert ask(unnamed) == [("GENE0",)]
    assert ask("SELECT gene_name FROM egene WHERE log2_afc_upper IS NULL") == [("GENE1",)]


def test_na_and_empty_cells_are_null(con: Connection, ask: Ask, tmp_path: Path) -> None:
    rows = make.pairs_rows()
    rows[0]["tss_distance"], rows[1]["maf"], rows[2]["pval_beta"] = "NA", "", "NA"
    load(con, tmp_path / "a.txt", make.table(rows))
    nulls = ask("SELECT count(*) FILTER (tss_distance IS NULL), count(*) FILTER (maf IS NULL), "
                "count(*) FILTER (pval_beta IS NULL) FROM qtl")  # fmt: skip
    assert nulls == [(1, 1, 1)]


def test_a_variant_of_three_genes_is_one_variant(con: Connection, ask: Ask, tmp_path: Path) -> None:
    rows = make.pairs_rows()
    for row in rows[:3]:
        row["variant_id"] = rows[0]["variant_id"]
    load(con, tmp_path / "a.txt", make.table(rows))
    assert ask(
        "SELECT count(*), (SELECT count(*) FROM variant), (SELECT count(DISTINCT variant_id) FROM candidate) FROM qtl"
    ) == [(24, 22, 22)]
    load(con, tmp_path / "b.txt", make.table(make.egenes_rows()), "Lung")
    assert ask("SELECT count(*), count(DISTINCT variant_id) FROM candidate") == [(24, 24)]


@pytest.mark.parametrize(
    ("variant_id", "start", "end", "kind"),
    [
        ("chr2_100_A_G_b38", 99, 100, "SNV"),
        ("chr2_100_ACGT_A_b38", 99, 103, "deletion"),
        ("chr2_100_A_ACGT_b38", 99, 100, "insertion"),
        ("chr2_100_AC_GT_b38", 99, 101, "MNV"),
        ("chrX_100_A_G_b38", 99, 100, "SNV"),
    ],
)
def test_the_span_of_a_variant_is_that_of_its_ref(
    con: Connection, ask: Ask, tmp_path: Path, variant_id: str, start: int, end: int, kind: str
) -> None:
    rows = make.pairs_rows()
    rows[7]["variant_id"] = variant_id
    load(con, tmp_path / "a.txt", make.table(rows))
    found = ask(
        "SELECT chrom_start, chrom_end, kind FROM variant WHERE variant_id(chrom, pos, ref, alt) || '_b38' = ?",
        variant_id,
    )
    assert found == [(start, end, kind)]


def test_the_same_file_again_changes_nothing_and_says_so(con: Connection, tmp_path: Path) -> None:
    data = make.table(make.pairs_rows())
    load(con, tmp_path / "a.txt", data)
    before = make.rows_of(con)
    again = make.gtex(con, make.write(tmp_path / "renamed.txt", data), "Liver")
    assert (again.is_new, again.source_id, again.rows_kept) == (False, 1, 24)
    assert make.rows_of(con) == before


def test_the_same_bytes_of_another_tissue_are_refused(con: Connection, tmp_path: Path) -> None:
    data = make.table(make.pairs_rows())
    load(con, tmp_path / "a.txt", data)
    before = make.rows_of(con)
    with pytest.raises(Refused, match=r"in the database already, as .*Liver.*; now it is given as .*Lung"):
        make.gtex(con, tmp_path / "a.txt", "Lung")
    assert make.rows_of(con) == before


PACKED: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "plain": ("a.txt", lambda d: d),
    "gzip": ("a.txt.gz", lambda d: gzip.compress(d)),
    "gzip of two members": ("a.txt.gz", lambda d: gzip.compress(d[:500]) + gzip.compress(d[500:])),
    "gzip with an empty member at its end, as bgzip": ("a.txt.gz", lambda d: gzip.compress(d) + gzip.compress(b"")),
    "plain, named .gz": ("a.txt.gz", lambda d: d),
    "gzip, named .txt": ("a.txt", lambda d: gzip.compress(d)),
    "CRLF": ("a.txt", lambda d: d.replace(b"\n", b"\r\n")),
    "CRLF in gzip": ("a.txt.gz", lambda d: gzip.compress(d.replace(b"\n", b"\r\n"))),
    "CR": ("a.txt", lambda d: d.replace(b"\n", b"\r")),
    "BOM": ("a.txt", lambda d: b"\xef\xbb\xbf" + d),
    "BOM in gzip": ("a.txt.gz", lambda d: gzip.compress(b"\xef\xbb\xbf" + d)),
    "no line end after the last row": ("a.txt", lambda d: d.rstrip(b"\n")),
    "blank lines after the last row": ("a.txt", lambda d: d + b"\n\n"),
}  # fmt: skip


@pytest.mark.parametrize("packing", PACKED)
def test_however_it_is_packed_the_same_rows_are_read(con: Connection, ask: Ask, tmp_path: Path, packing: str) -> None:
    name, pack = PACKED[packing]
    rows = make.pairs_rows()
    path = tmp_path / name
    path.write_bytes(pack(make.table(rows)))
    loaded = make.gtex(con, path, "Liver")
    assert (loaded.rows_read, loaded.rows_kept) == (24, 24)
    assert slopes(ask) == expected_slopes(rows)


@pytest.mark.parametrize(
    "name",
    [
        "it's.txt",
        "a*.txt",
        "a?.txt",
        "a[1].txt",
        "c1=Lung/a.txt",
        "a b ü.txt",
        'a"b.txt',
        "a;--.txt",
        "a\nb.txt",
        "{a,b}.txt",
    ],
)
def test_a_file_of_any_name_is_read_and_no_other(con: Connection, ask: Ask, tmp_path: Path, name: str) -> None:
    other = make.pairs_rows()
    other[0]["gene_id"] = "ENSG99999999999.1"
    make.write(tmp_path / "ab.txt", make.table(other))
    make.write(tmp_path / "a1.txt", make.table(other))
    load(con, tmp_path / name, make.table(make.pairs_rows()))
    assert slopes(ask) == expected_slopes(make.pairs_rows())
    assert ask("SELECT name, path FROM source") == [(Path(name).name, str((tmp_path / name).resolve()))]


def test_a_column_that_gtex_does_not_have_is_named_and_not_kept(con: Connection, ask: Ask, tmp_path: Path) -> None:
    rows = [{**row, "line": "9", "Slope": "x", "it's": "'"} for row in make.pairs_rows()]
    loaded = make.gtex(con, make.write(tmp_path / "a.txt", make.table(rows)), "Liver")
    assert loaded.notes == ["not kept, because gtex_v8_pairs does not name them: line, Slope, it's"]
    assert slopes(ask) == expected_slopes(make.pairs_rows())


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("variant_id", "chrUn_KI270742v1_5000_A_G_b38", "contig_not_primary"),
        ("variant_id", "chr1_KI270706v1_random_5000_A_G_b38", "contig_not_primary"),
        ("variant_id", "chr22_KI270879v1_alt_5000_A_G_b38", "contig_not_primary"),
        ("variant_id", "chr2_5000_A_<DEL>_b38", "allele_symbolic"),
        ("variant_id", "chr2_5000_A_*_b38", "allele_star"),
        ("variant_id", "chr2_5000_N_A_b38", "allele_not_acgt"),
        ("variant_id", "chr2_5000_A_A_b38", "ref_equals_alt"),
        ("pval_nominal", "0", "pval_underflow"),
    ],
)
def test_a_row_that_cannot_be_used_is_kept_with_its_line_and_reason(
    con: Connection, ask: Ask, tmp_path: Path, column: str, value: str, reason: str
) -> None:
    rows = make.pairs_rows()
    rows[6][column] = value
    loaded = make.gtex(con, make.write(tmp_path / "a.txt", make.table(rows)), "Liver")
    assert (loaded.rows_read, loaded.rows_kept, loaded.rejected) == (24, 23, {reason: 1})
    assert ask("SELECT source_id, line, reason FROM rejected") == [(1, 8, reason)]
    assert ask("SELECT text FROM rejected") == [("\t".join(rows[6].values()),)]
    assert ask("SELECT rows_read, rows_kept, rows_rejected FROM source") == [(24, 23, 1)]
    assert slopes(ask) == expected_slopes(rows[:6] + rows[7:])


def test_more_than_a_tenth_of_unusable_rows_refuses_the_file(con: Connection, ask: Ask, tmp_path: Path) -> None:
    rows = make.pairs_rows(30)
    for i in range(3):
        rows[i]["variant_id"] = f"chrUn_KI270742v1_{5000 + i}_A_G_b38"
    load(con, tmp_path / "tenth.txt", make.table(rows))
    assert ask("SELECT count(*) FROM qtl") == [(27,)]
    rows[3]["variant_id"] = "chrUn_KI270742v1_6000_A_G_b38"
    before = make.rows_of(con)
    with pytest.raises(Refused, match=r"4 of 30 rows cannot be used \(contig_not_primary: 4\)"):
        make.gtex(con, make.write(tmp_path / "more.txt", make.table(rows)), "Lung")
    assert make.rows_of(con) == before


@pytest.mark.parametrize(
    "slope", ["1e-320", "1.7976931348623157e308", "0.1", "123456789.123456789", "5e-324", "-2.2250738585072011e-308"]
)
def test_a_number_is_read_to_its_last_bit(con: Connection, ask: Ask, tmp_path: Path, slope: str) -> None:
    row = make.pairs_rows()[0]
    row["slope"] = slope
    load(con, tmp_path / "a.txt", make.table([row]))
    assert ask("SELECT slope FROM qtl") == [(float(slope),)]


# --- any damage at all: a file is read as an obvious reader reads it, or refused ---

VALID = make.table(make.pairs_rows(8))
Mutation = Callable[[bytes], bytes]


def _split(data: bytes) -> list[list[bytes]]:
    return [line.split(b"\t") for line in data.split(b"\n")]


def _join(cells: list[list[bytes]]) -> bytes:
    return b"\n".join(b"\t".join(row) for row in cells)


def _flip(at: int, bit: int) -> Mutation:
    return lambda d: d[: at % len(d)] + bytes([d[at % len(d)] ^ (1 << bit)]) + d[at % len(d) + 1 :] if d else d


def _cut(at: int) -> Mutation:
    return lambda d: d[: at % (len(d) + 1)]


def _insert(at: int, what: bytes) -> Mutation:
    return lambda d: d[: at % (len(d) + 1)] + what + d[at % (len(d) + 1) :]


def _column(change: str, i: int, j: int) -> Mutation:
    def mutate(data: bytes) -> bytes:
        cells = _split(data)
        for row in cells:
            a, b = i % len(row), j % len(row)
            if change == "drop":
                del row[a]
            elif change == "double":
                row.insert(b, row[a])
            else:
                row[a], row[b] = row[b], row[a]
        return _join(cells)

    return mutate


def _cell(line: int, column: int, value: bytes) -> Mutation:
    def mutate(data: bytes) -> bytes:
        cells = _split(data)
        row = cells[line % len(cells)]
        row[column % len(row)] = value
        return _join(cells)

    return mutate


def _line(change: str, i: int) -> Mutation:
    def mutate(data: bytes) -> bytes:
        lines = data.split(b"\n")
        a = i % len(lines)
        lines[a : a + 1] = [] if change == "drop" else [lines[a], lines[a]]
        return b"\n".join(lines)

    return mutate


CELLS = [
    b"", b"NA", b"nan", b"inf", b"-inf", b"1e999", b"-1e999", b"1e-999", b"1000000000", b"99999999999999999999", b"1.5",
    b"0x10", b"1_0", b" 7", b"7 ", b"+5", b"-0", b"1e3", b"0", b"1", b"-1", b"0.2", b"chr1_1000000000_A_G_b38",
    b"chr2_0_A_G_b38", b"chr2_1e3_A_G_b38", b"chr2_010_A_G_b38", b"chr2_10.5_A_G_b38", b"chrUn_KI270742v1_7_A_G_b38",
    b"chr2_4000000000_A_G_b38", b"chr2__A_G_b38", b"chr2_77_A_G_b38", b"'", b'"', b'"a', b"\\", b"#",
    "٣".encode(), "é".encode(),
]  # fmt: skip
INSERTS = [
    b"\0",
    b'"',
    b"'",
    b" ",
    b"\t",
    b"\n",
    b"\r",
    b"\r\n",
    b"\\",
    b"#",
    b"\x1a",
    "\u00a0".encode(),
    "\u2028".encode(),
    b"\xff",
]
NUMBER = st.integers(0, 5000)
MUTATION = st.one_of(
    st.builds(_flip, NUMBER, st.integers(0, 7)),
    st.builds(_cut, NUMBER),
    st.builds(_insert, NUMBER, st.sampled_from(INSERTS)),
    st.builds(_column, st.sampled_from(["drop", "double", "swap"]), st.integers(0, 11), st.integers(0, 11)),
    st.builds(_cell, st.integers(0, 12), st.integers(0, 11), st.sampled_from(CELLS)),
    st.builds(_line, st.sampled_from(["drop", "double"]), st.integers(0, 12)),
    st.just(lambda d: d.replace(b"\n", b"\r\n")),
)
FUZZ = settings(
    max_examples=80, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip


def damaged(data: bytes, mutations: list[Mutation]) -> bytes:
    for mutate in mutations:
        data = mutate(data)
    return data


def obvious_pairs(data: bytes) -> list[tuple[str, str, float, float]]:
    """(variant_id, gene_id, slope, pval_nominal) of a pairs file, the slow way; p = 0 and odd alleles set aside."""
    lines = [
        row
        for row in csv.reader(re.split("\r\n|\r|\n", data.decode("utf-8-sig")), delimiter="\t", quoting=csv.QUOTE_NONE)
        if row
    ]
    rows = [dict(zip(lines[0], row, strict=False)) for row in lines[1:]]
    read = [(r["variant_id"], r["gene_id"], float(r["slope"]), float(r["pval_nominal"])) for r in rows]
    alleles = [v.split("_")[2:4] for v, *_ in read]
    return sorted(
        row
        for row, (ref, alt) in zip(read, alleles, strict=True)
        if row[3] and not set(ref + alt) - set("ACGT") and ref != alt
    )


@FUZZ
@given(mutations=st.lists(MUTATION, min_size=1, max_size=3))
def test_a_damaged_pairs_file_is_read_as_it_stands_or_refused(
    con: Connection, ask: Ask, tmp_path: Path, mutations: list[Mutation]
) -> None:
    path, data = tmp_path / "a.txt", damaged(VALID, mutations)
    for name in ("qtl", "variant", "source", "run", "rejected"):
        con.execute(f"DELETE FROM {name}")
    path.write_bytes(data)
    before = make.rows_of(con)
    error = make.refusal(lambda: make.gtex(con, path, "Liver"))
    event("refused" if error else "loaded")
    if error:
        assert "\n" not in error.what
        assert make.rows_of(con) == before
        return
    assert sorted(ask("SELECT variant_id || '_b38', gene_id, slope, pval_nominal FROM association")) == obvious_pairs(
        data
    )
