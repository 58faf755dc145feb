"""The genome: every REF against the FASTA, whatever comes first."""

import gzip
from pathlib import Path

import duckdb
import make
import pytest
from conftest import Ask

from agdb.errors import Refused
from agdb.ingest import gtex, reference

Connection = duckdb.DuckDBPyConnection
STATUS = "SELECT ref_status, count(*) FROM variant GROUP BY 1 ORDER BY 1"


def pairs(path: Path, changed: dict[int, str] | None = None, n: int = 24) -> Path:
    rows = make.pairs_rows(n)
    for i, variant_id in (changed or {}).items():
        rows[i]["variant_id"] = variant_id
    return make.write(path, make.table(rows))


def wrong(i: int) -> str:
    """The i-th variant with REF and ALT exchanged."""
    chrom, pos, ref, alt, build = make.variant(i).split("_")
    return "_".join([chrom, pos, alt, ref, build])


def test_variants_that_agree_match_and_the_rest_do_not(con: Connection, ask: Ask, tmp_path: Path) -> None:
    gtex.ingest(con, pairs(tmp_path / "a.txt", {5: wrong(5)}), "Liver")
    loaded = reference.ingest(con, make.fasta(tmp_path / "g.fa"), "hg38")
    assert loaded.notes == ["REF of 24 variants compared with the genome: 23 match, 1 mismatch (4.2%)"]
    assert ask(STATUS) == [("match", 23), ("mismatch", 1)]
    assert ask("SELECT variant_id || '_b38' FROM variant WHERE ref_status = 'mismatch'") == [(wrong(5),)]


@pytest.mark.parametrize("last_is_right", [True, False])
def test_the_whole_of_a_deleted_allele_is_compared(
    con: Connection, ask: Ask, tmp_path: Path, last_is_right: bool
) -> None:
    chrom, pos, ref, alt, build = make.variant(5, deletion=6).split("_")
    ref = ref if last_is_right else ref[:-1] + make.other_base(ref[-1])
    gtex.ingest(con, pairs(tmp_path / "a.txt", {5: "_".join([chrom, pos, ref, alt, build])}), "Liver")
    reference.ingest(con, make.fasta(tmp_path / "g.fa"), "GRCh38")
    found = ask("SELECT ref_status FROM variant WHERE kind = 'deletion'")
    assert found == [("match" if last_is_right else "mismatch",)]


def test_variants_outside_the_fasta_stay_unchecked(con: Connection, ask: Ask, tmp_path: Path) -> None:
    over_the_end = f"chr2_{len(make.BASES)}_{make.BASES[-1]}A_{make.BASES[-1]}_b38"
    gtex.ingest(
        con, pairs(tmp_path / "a.txt", {0: "chr3_50_A_G_b38", 1: "chr2_9000_A_G_b38", 2: over_the_end}), "Liver"
    )
    reference.ingest(con, make.fasta(tmp_path / "g.fa"), "GRCh38")
    assert ask(STATUS) == [("match", 21), ("unchecked", 3)]


def test_a_fasta_of_a_part_is_compared_at_its_own_coordinates(con: Connection, ask: Ask, tmp_path: Path) -> None:
    gtex.ingest(con, pairs(tmp_path / "a.txt"), "Liver")
    part = make.fasta(tmp_path / "g.fa", {"2:21-40": make.BASES[20:40]})
    reference.ingest(con, part, "GRCh38")
    inside = [i for i in range(24) if 20 <= 9 + 2 * i < 40]
    assert ask(STATUS) == [("match", len(inside)), ("unchecked", 24 - len(inside))]


def test_lower_case_bases_match(con: Connection, ask: Ask, tmp_path: Path) -> None:
    gtex.ingest(con, pairs(tmp_path / "a.txt"), "Liver")
    reference.ingest(con, make.fasta(tmp_path / "g.fa", {"2": make.BASES.lower()}), "GRCh38")
    assert ask(STATUS) == [("match", 24)]


def test_variants_that_come_after_the_genome_are_checked_when_they_come(
    con: Connection, ask: Ask, tmp_path: Path
) -> None:
    first = reference.ingest(con, make.fasta(tmp_path / "g.fa"), "GRCh38")
    assert first.notes == ["no variant of the database lies on this genome yet; those that come will be checked"]
    loaded = gtex.ingest(con, pairs(tmp_path / "a.txt", {7: wrong(7)}), "Liver")
    assert loaded.notes == ["REF of 24 variants compared with the genome: 23 match, 1 mismatch (4.2%)"]
    assert ask(STATUS) == [("match", 23), ("mismatch", 1)]


def test_a_file_of_another_assembly_is_refused_where_the_genome_is_known(con: Connection, tmp_path: Path) -> None:
    reference.ingest(con, make.fasta(tmp_path / "g.fa"), "GRCh38")
    before = make.rows_of(con)
    path = pairs(tmp_path / "a.txt", {i: wrong(i) for i in range(12)})
    with pytest.raises(Refused, match="50% of the REF alleles differ"):
        gtex.ingest(con, path, "Liver")
    assert make.rows_of(con) == before


def shifted(path: Path) -> Path:
    return make.fasta(path, {"chr2": make.BASES[1:]})


def test_a_fasta_of_another_assembly_is_refused_with_the_share_and_changes_nothing(
    con: Connection, tmp_path: Path
) -> None:
    gtex.ingest(con, pairs(tmp_path / "a.txt"), "Liver")
    agree = sum(make.BASES[9 + 2 * i] == make.BASES[10 + 2 * i] for i in range(24))
    before, files = make.rows_of(con), make.folder(tmp_path / "db").keys()
    with pytest.raises(
        Refused, match=rf"^{(24 - agree) / 24:.0%} of the REF alleles differ \({24 - agree} mismatch, {agree} match"
    ):
        reference.ingest(con, shifted(tmp_path / "g.fa"), "GRCh38")
    assert make.rows_of(con) == before
    assert make.folder(tmp_path / "db").keys() == files
    assert not (tmp_path / "db" / "study.duckdb.d").exists()


def test_allow_mismatch_registers_it_and_marks_the_variants(con: Connection, ask: Ask, tmp_path: Path) -> None:
    gtex.ingest(con, pairs(tmp_path / "a.txt"), "Liver")
    assert reference.ingest(con, shifted(tmp_path / "g.fa"), "GRCh38", allow_mismatch=True).is_new
    agree = sum(make.BASES[9 + 2 * i] == make.BASES[10 + 2 * i] for i in range(24))
    assert ask(STATUS) == [("match", agree), ("mismatch", 24 - agree)]
    assert ask("SELECT count(*) FROM candidate") == [(agree,)]


def test_nine_mismatches_do_not_refuse_a_fasta_and_ten_do(con: Connection, ask: Ask, tmp_path: Path) -> None:
    genome = make.fasta(tmp_path / "g.fa")
    gtex.ingest(con, pairs(tmp_path / "a.txt", {i: wrong(i) for i in range(10)}), "Liver")
    with pytest.raises(Refused, match="42% of the REF alleles differ"):
        reference.ingest(con, genome, "GRCh38")
    con.execute("DELETE FROM variant WHERE variant_id || '_b38' = ?", [wrong(0)])
    reference.ingest(con, genome, "GRCh38")
    assert ask(STATUS) == [("match", 14), ("mismatch", 9)]


def test_a_second_fasta_of_an_assembly_is_refused(con: Connection, tmp_path: Path) -> None:
    reference.ingest(con, make.fasta(tmp_path / "g.fa"), "GRCh38")
    before, files = make.rows_of(con), make.folder(tmp_path / "db").keys()
    with pytest.raises(Refused, match=r"g\.fa is registered as the genome of GRCh38 already"):
        reference.ingest(con, make.fasta(tmp_path / "h.fa", {"chr3": make.BASES}), "hg38")
    assert make.rows_of(con) == before
    assert make.folder(tmp_path / "db").keys() == files
    assert reference.ingest(con, make.fasta(tmp_path / "h.fa", {"chr3": make.BASES}), "hg19").is_new


def test_the_same_fasta_again_changes_nothing(con: Connection, tmp_path: Path) -> None:
    genome = make.fasta(tmp_path / "g.fa")
    reference.ingest(con, genome, "GRCh38")
    before = make.rows_of(con)
    assert not reference.ingest(con, genome, "hg38").is_new
    with pytest.raises(Refused, match="now it is given as fasta, GRCh37"):
        reference.ingest(con, genome, "hg19")
    assert make.rows_of(con) == before


@pytest.mark.parametrize("what", ["moved", "longer"])
def test_a_fasta_that_was_moved_or_changed_is_refused_when_it_is_used(
    con: Connection, tmp_path: Path, what: str
) -> None:
    genome = make.fasta(tmp_path / "g.fa")
    reference.ingest(con, genome, "GRCh38")
    if what == "moved":
        genome.rename(tmp_path / "elsewhere.fa")
    else:
        make.fasta(genome, {"chr2": make.BASES + "A"})
    before = make.rows_of(con)
    with pytest.raises(Refused, match="the FASTA registered for GRCh38 has been moved or changed") as refusal:
        gtex.ingest(con, pairs(tmp_path / "a.txt"), "Liver")
    assert refusal.value.where == str(genome)
    assert make.rows_of(con) == before


def test_a_gzip_fasta_is_read_too(con: Connection, ask: Ask, tmp_path: Path) -> None:
    gtex.ingest(con, pairs(tmp_path / "a.txt"), "Liver")
    path = tmp_path / "g.fa.gz"
    path.write_bytes(gzip.compress(make.fasta(tmp_path / "g.fa").read_bytes()))
    reference.ingest(con, path, "GRCh38")
    assert ask(STATUS) == [("match", 24)]
    assert ask("SELECT record, chrom, chrom_start, chrom_end FROM genome_contig") == [
        ("chr2", "chr2", 0, len(make.BASES))
    ]
