"""The genome: every REF against the FASTA, whatever comes first."""

import gzip
from pathlib import Path

import duckdb
import make
import pytest
from conftest import Ask

from agdb.errors import Refused
from agdb.ingest import qtl, reference
from agdb.ingest.preset import from_options
from agdb.ingest.variant_table import Options

Connection = duckdb.DuckDBPyConnection
STATUS = "SELECT ref_status, count(*) FROM variant GROUP BY 1 ORDER BY 1"


def pairs(path: Path, changed: dict[int, str] | None = None, n: int = 24) -> Path:
    rows = make.pairs_rows(n)
    for i, variant_id in (changed or {}).items():
        rows[i]["variant_id"] = variant_id
    return make.write(path, make.table(rows))


def swapped(i: int) -> str:
    """The i-th variant with REF and ALT exchanged."""
    chrom, pos, ref, alt, build = make.variant(i).split("_")
    return "_".join([chrom, pos, alt, ref, build])


def wrong(i: int) -> str:
    """A deletion at the i-th variant of which neither allele is the genome's, on either strand."""
    chrom, pos, ref, _, build = make.variant(i).split("_")
    other = make.other_base(ref)
    return "_".join([chrom, pos, other + other, other, build])


def test_variants_that_agree_match_and_the_rest_do_not(con: Connection, ask: Ask, tmp_path: Path) -> None:
    make.gtex(con, pairs(tmp_path / "a.txt", {5: wrong(5)}), "Liver")
    loaded = reference.ingest(con, make.fasta(tmp_path / "g.fa"), "hg38")
    assert loaded.notes[0] == "REF of 24 variants compared with the genome: 23 match, 1 mismatch (4.2%)"
    assert loaded.notes[1].startswith("warning: 1 of 24 checked variants of GRCh38 have a REF that is not the genome's")
    assert ask(STATUS) == [("match", 23), ("mismatch", 1)]
    mismatch = "SELECT variant_id(chrom, pos, ref, alt) || '_b38' FROM variant WHERE ref_status = 'mismatch'"
    assert ask(mismatch) == [(wrong(5),)]


COMPLEMENT = str.maketrans("ACGT", "TGCA")


def written(i: int, how: str) -> str:
    """The i-th variant as a source writes it that has its alleles swapped, or from the other strand."""
    chrom, pos, ref, alt, build = make.variant(i).split("_")
    if "strand" in how:
        ref, alt = ref.translate(COMPLEMENT), alt.translate(COMPLEMENT)
    if "swapped" in how:
        ref, alt = alt, ref
    return "_".join([chrom, pos, ref, alt, build])


ASSOCIATION = "SELECT variant_id || '_b38', slope, reoriented FROM association WHERE gene_id = ? AND pos = ?"


@pytest.mark.parametrize("genome_first", [True, False])
@pytest.mark.parametrize(("how", "sign"), [("swapped", -1), ("strand", 1), ("strand_swapped", -1)])
def test_alleles_of_the_other_order_or_strand_are_turned_with_their_effect(
    con: Connection, ask: Ask, tmp_path: Path, how: str, sign: int, genome_first: bool
) -> None:
    i = next(i for i in range(24) if set(make.variant(i).split("_")[2:4]) not in ({"A", "T"}, {"C", "G"}))
    rows = make.pairs_rows()
    slope, gene, pos = float(rows[i]["slope"]), rows[i]["gene_id"], int(rows[i]["variant_id"].split("_")[1])
    rows[i]["variant_id"] = written(i, how)
    path, genome = make.write(tmp_path / "a.txt", make.table(rows)), make.fasta(tmp_path / "g.fa")
    if genome_first:
        reference.ingest(con, genome, "GRCh38")
    make.gtex(con, path, "Liver")
    if not genome_first:
        reference.ingest(con, genome, "GRCh38")
    assert ask(ASSOCIATION, gene, pos) == [(make.variant(i), sign * slope, how)]
    assert ask(STATUS) == sorted([("match", 24), (how, 1)])
    assert ask("SELECT count(*) FROM candidate") == [(24,)]


def test_a_palindrome_that_is_not_the_genomes_is_left_out_and_said(con: Connection, ask: Ask, tmp_path: Path) -> None:
    reference.ingest(con, make.fasta(tmp_path / "g.fa"), "GRCh38")
    _, pos, ref, _, _ = make.variant(5).split("_")
    palindrome = f"chr2_{pos}_{ref.translate(COMPLEMENT)}_{ref}_b38"
    loaded = make.gtex(con, pairs(tmp_path / "a.txt", {5: palindrome}), "Liver")
    assert loaded.notes[1:] == ["  1 are A/T or C/G and not the genome's, swapped or of the other strand: left out"]
    assert ask(STATUS) == [("match", 23), ("palindromic", 1)]
    assert ask("SELECT count(*) FROM candidate") == [(23,)]


@pytest.mark.parametrize(("eaf", "how"), [(0.1, "strand"), (0.9, "swapped"), (0.45, None)])
def test_allele_frequencies_tell_what_a_palindrome_is(
    con: Connection, ask: Ask, tmp_path: Path, eaf: float, how: str | None
) -> None:
    """A checked source says that ALT has a frequency of 0.12; the other one wrote the complement of REF as REF."""
    reference.ingest(con, make.fasta(tmp_path / "g.fa"), "GRCh38")
    _, pos, ref, _, _ = make.variant(5).split("_")
    other = ref.translate(COMPLEMENT)
    how_read = ["chrom=c,pos=p,ref=r,alt=a,slope=b,gene_id=g,eaf=f"]
    preset = from_options(
        how_read, kind="qtl", assembly="GRCh38", effect_allele="alt", effect_unit="sd", qtl_type="eqtl"
    )
    for name, (r, a, f) in {"known": (ref, other, 0.12), "new": (other, ref, eaf)}.items():
        rows = [["c", "p", "r", "a", "b", "g", "f"], ["chr2", pos, r, a, "0.5", f"G{name}", str(f)]]
        path = make.write(tmp_path / name, "".join("\t".join(row) + "\n" for row in rows).encode())
        qtl.ingest(con, path, [preset], Options(tissue=name))
    found = ask(
        "SELECT slope, af, reoriented FROM association SEMI JOIN candidate USING (variant_id) WHERE gene_id = 'Gnew'"
    )
    turned = {"strand": [(0.5, 0.1, "strand")], "swapped": [(-0.5, pytest.approx(0.1), "swapped")], None: []}
    assert found == turned[how]


def test_a_fifth_of_swapped_alleles_is_turned_and_not_taken_for_another_assembly(
    con: Connection, ask: Ask, tmp_path: Path
) -> None:
    reference.ingest(con, make.fasta(tmp_path / "g.fa"), "GRCh38")
    plain = [i for i in range(48) if set(make.variant(i).split("_")[2:4]) not in ({"A", "T"}, {"C", "G"})]
    loaded = make.gtex(con, pairs(tmp_path / "a.txt", {i: swapped(i) for i in plain[::5]}, n=48), "Liver")
    assert f"  {len(plain[::5])} have REF and ALT swapped: turned, with what effects they have" in loaded.notes
    assert ask("SELECT count(*) FROM candidate") == [(48,)]


@pytest.mark.parametrize("last_is_right", [True, False])
def test_the_whole_of_a_deleted_allele_is_compared(
    con: Connection, ask: Ask, tmp_path: Path, last_is_right: bool
) -> None:
    chrom, pos, ref, alt, build = make.variant(5, deletion=6).split("_")
    if not last_is_right:
        ref, alt = ref[:-1] + make.other_base(ref[-1]), make.other_base(ref[0])
    make.gtex(con, pairs(tmp_path / "a.txt", {5: "_".join([chrom, pos, ref, alt, build])}), "Liver")
    reference.ingest(con, make.fasta(tmp_path / "g.fa"), "GRCh38")
    found = ask("SELECT ref_status FROM variant WHERE kind = 'deletion'")
    assert found == [("match" if last_is_right else "mismatch",)]


def test_variants_outside_the_fasta_stay_unchecked(con: Connection, ask: Ask, tmp_path: Path) -> None:
    over_the_end = f"chr2_{len(make.BASES)}_{make.BASES[-1]}A_{make.BASES[-1]}_b38"
    make.gtex(con, pairs(tmp_path / "a.txt", {0: "chr3_50_A_G_b38", 1: "chr2_9000_A_G_b38", 2: over_the_end}), "Liver")
    reference.ingest(con, make.fasta(tmp_path / "g.fa"), "GRCh38")
    assert ask(STATUS) == [("match", 21), ("unchecked", 3)]


def test_a_fasta_of_a_part_is_compared_at_its_own_coordinates(con: Connection, ask: Ask, tmp_path: Path) -> None:
    make.gtex(con, pairs(tmp_path / "a.txt"), "Liver")
    part = make.fasta(tmp_path / "g.fa", {"2:21-40": make.BASES[20:40]})
    reference.ingest(con, part, "GRCh38")
    inside = [i for i in range(24) if 20 <= 9 + 2 * i < 40]
    assert ask(STATUS) == [("match", len(inside)), ("unchecked", 24 - len(inside))]


def test_lower_case_bases_match(con: Connection, ask: Ask, tmp_path: Path) -> None:
    make.gtex(con, pairs(tmp_path / "a.txt"), "Liver")
    reference.ingest(con, make.fasta(tmp_path / "g.fa", {"2": make.BASES.lower()}), "GRCh38")
    assert ask(STATUS) == [("match", 24)]


def test_a_gzip_is_unpacked_beside_the_database_and_says_so(con: Connection, tmp_path: Path) -> None:
    loaded = reference.ingest(con, make.fasta(tmp_path / "g.fa.gz"), "GRCh38")
    assert [note.partition(" into ")[0] for note in loaded.notes[1:]] == ["its gzip is unpacked"]


def test_what_a_killed_ingest_left_half_unpacked_goes_away(con: Connection, fresh_db: Path, tmp_path: Path) -> None:
    """An unpacked hg38.fa.gz has 3 GB."""
    left = Path(f"{fresh_db}.d") / ".part-u59g5n0v" / "g-0-0.fa"
    left.parent.mkdir(parents=True)
    left.write_text(">chr")
    packed = tmp_path / "g.fa.gz"
    packed.write_bytes(gzip.compress(make.fasta(tmp_path / "g.fa").read_bytes()))
    reference.ingest(con, packed, "hg38")
    assert not left.parent.exists()
    assert len(list(left.parent.parent.iterdir())) == 2


def test_variants_that_come_after_the_genome_are_checked_when_they_come(
    con: Connection, ask: Ask, tmp_path: Path
) -> None:
    first = reference.ingest(con, make.fasta(tmp_path / "g.fa"), "GRCh38")
    assert first.notes == ["no variant of the database lies on this genome yet; those that come will be checked"]
    loaded = make.gtex(con, pairs(tmp_path / "a.txt", {7: wrong(7)}), "Liver")
    assert loaded.notes == ["REF of 24 variants compared with the genome: 23 match, 1 mismatch (4.2%)"]
    assert ask(STATUS) == [("match", 23), ("mismatch", 1)]


def test_a_file_of_another_assembly_is_refused_where_the_genome_is_known(con: Connection, tmp_path: Path) -> None:
    reference.ingest(con, make.fasta(tmp_path / "g.fa"), "GRCh38")
    before = make.rows_of(con)
    path = pairs(tmp_path / "a.txt", {i: wrong(i) for i in range(12)})
    with pytest.raises(Refused, match="50% of the REF alleles differ"):
        make.gtex(con, path, "Liver")
    assert make.rows_of(con) == before


def shifted(path: Path) -> Path:
    return make.fasta(path, {"chr2": make.BASES[1:]})


AGREE = sum(make.BASES[9 + 2 * i] == make.BASES[10 + 2 * i] for i in range(24))


def test_a_fasta_of_another_assembly_is_refused_with_the_share_and_changes_nothing(
    con: Connection, tmp_path: Path
) -> None:
    make.gtex(con, pairs(tmp_path / "a.txt"), "Liver")
    before, files = make.rows_of(con), make.folder(tmp_path / "db").keys()
    with pytest.raises(
        Refused,
        match=rf"^{(24 - AGREE) / 24:.0%} of the REF alleles differ \({24 - AGREE} of 24; of these \d+ are the ALT",
    ):
        reference.ingest(con, shifted(tmp_path / "g.fa"), "GRCh38")
    assert make.rows_of(con) == before
    assert make.folder(tmp_path / "db").keys() == files
    assert not (tmp_path / "db" / "study.duckdb.d").exists()


def test_allow_mismatch_registers_it_marks_the_variants_and_turns_none(
    con: Connection, ask: Ask, tmp_path: Path
) -> None:
    make.gtex(con, pairs(tmp_path / "a.txt"), "Liver")
    assert reference.ingest(con, shifted(tmp_path / "g.fa"), "GRCh38", allow_mismatch=True).is_new
    assert ask(STATUS) == [("match", AGREE), ("mismatch", 24 - AGREE)]
    assert ask("SELECT count(*) FROM candidate") == [(AGREE,)]
    assert ask("SELECT count(*) FROM qtl WHERE reoriented IS NOT NULL") == [(0,)]


def test_nine_mismatches_do_not_refuse_a_fasta_and_ten_do(con: Connection, ask: Ask, tmp_path: Path) -> None:
    genome = make.fasta(tmp_path / "g.fa")
    make.gtex(con, pairs(tmp_path / "a.txt", {i: wrong(i) for i in range(10)}), "Liver")
    with pytest.raises(Refused, match="42% of the REF alleles differ"):
        reference.ingest(con, genome, "GRCh38")
    con.execute("DELETE FROM variant WHERE variant_id(chrom, pos, ref, alt) || '_b38' = ?", [wrong(0)])
    reference.ingest(con, genome, "GRCh38")
    assert ask(STATUS) == [("match", 14), ("mismatch", 9)]


def test_a_fasta_whose_chromosomes_have_the_lengths_of_another_assembly_is_refused(
    con: Connection, tmp_path: Path
) -> None:
    """chrM of hg19 differs from that of hg38, and says nothing: it is often replaced. chrY's length tells."""
    path = make.fasta(tmp_path / "g.fa", {"chr2": make.BASES})
    con.execute("UPDATE contig SET length = ? WHERE assembly = 'GRCh37' AND chrom = 'chr2'", [len(make.BASES)])
    with pytest.raises(Refused, match="this FASTA is of GRCh37, not of GRCh38"):
        reference.ingest(con, path, "GRCh38")
    assert reference.ingest(con, path, "GRCh37").is_new


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
        make.gtex(con, pairs(tmp_path / "a.txt"), "Liver")
    assert refusal.value.where == str(genome)
    assert make.rows_of(con) == before


def test_a_fasta_that_was_moved_is_read_where_it_is_registered_again(con: Connection, ask: Ask, tmp_path: Path) -> None:
    reference.ingest(con, make.fasta(tmp_path / "g.fa"), "GRCh38")
    moved = (tmp_path / "g.fa").rename(tmp_path / "elsewhere.fa")
    again = reference.ingest(con, moved, "GRCh38")
    assert (again.is_new, again.notes) == (False, [f"it is read from {moved} now"])
    assert ask("SELECT name, path FROM source WHERE kind = 'genome'") == [("elsewhere.fa", str(moved))]
    make.gtex(con, pairs(tmp_path / "a.txt"), "Liver")
    assert ask(STATUS) == [("match", 24)]
    assert reference.ingest(con, moved, "GRCh38").notes == []


def test_a_gzip_fasta_is_read_too(con: Connection, ask: Ask, tmp_path: Path) -> None:
    make.gtex(con, pairs(tmp_path / "a.txt"), "Liver")
    path = tmp_path / "g.fa.gz"
    path.write_bytes(gzip.compress(make.fasta(tmp_path / "g.fa").read_bytes()))
    reference.ingest(con, path, "GRCh38")
    assert ask(STATUS) == [("match", 24)]
    assert ask("SELECT record, chrom, chrom_start, chrom_end FROM genome_contig") == [
        ("chr2", "chr2", 0, len(make.BASES))
    ]
