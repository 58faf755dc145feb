"""Variants alone: VCFs and tables, and one spelling for each variant, against all spellings that there are."""

import gzip
from pathlib import Path
from typing import NamedTuple

import duckdb
import make
import pytest
from conftest import Ask
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from agdb.errors import Refused, UsageError
from agdb.genome import Genome
from agdb.ingest import normalize, qtl, reference, source, text, variant_list
from agdb.ingest.normalize import Alleles
from agdb.ingest.preset import from_options, shipped
from agdb.ingest.variant_table import Options

Connection = duckdb.DuckDBPyConnection

SEARCH = settings(
    max_examples=100, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip


# --- one spelling ---


def spellings(genome: str, pos: int, ref: str, alt: str) -> list[Alleles]:
    """Every (pos, ref, alt) without an empty allele that makes the same haplotype from `genome`, shortest first.

    Of the shortest ones the leftmost comes first: what Tan, Abecasis & Kang (2015) call normalised.
    """
    haplotype = genome[: pos - 1] + alt + genome[pos - 1 + len(ref) :]
    longer = len(haplotype) - len(genome)
    found = []
    for start in range(len(genome)):
        for end in range(max(start + 1, start + 1 - longer), len(genome) + 1):
            before, after = haplotype[:start], haplotype[end + longer :]
            if before == genome[:start] and after == genome[end:]:
                found.append(Alleles(start + 1, genome[start:end], haplotype[start : end + longer]))
    return sorted((v for v in found if "N" not in v.ref + v.alt), key=lambda v: (len(v.ref), v.pos))


class Region(NamedTuple):
    """A genome of a few bases, and how many bases of chr2 lie before it."""

    bases: str
    offset: int


@st.composite
def regions(draw: st.DrawFn) -> Region:
    """Bases of a small alphabet repeat a lot. What is not known stands at the left, as in real chromosomes."""
    bases = draw(st.text(draw(st.sampled_from(["A", "AC", "ACG", "ACGT"])), min_size=4, max_size=24))
    return Region("N" * draw(st.sampled_from([0, 0, 3])) + bases, draw(st.sampled_from([0, 0, 50])))


@st.composite
def spelled(draw: st.DrawFn, region: Region) -> Alleles:
    """A variant whose REF is the genome's, with any number of bases around it that did not change."""
    first_known = region.bases.rfind("N") + 1
    start = draw(st.integers(first_known, len(region.bases) - 1))
    ref = region.bases[start : start + draw(st.integers(1, 8))]
    kept = draw(st.integers(0, len(ref)))
    alt = ref[:kept] + draw(st.text(sorted(set(region.bases[first_known:])) or "A", max_size=4)) + ref[kept + 2 :]
    return Alleles(start + 1, ref, alt)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Region, list[Alleles]]:
    region = draw(regions())
    given = draw(st.lists(spelled(region), min_size=1, max_size=12))
    return region, [v for v in given if v.alt and v.alt != v.ref]


def stage(con: Connection, variants: list[Alleles], offset: int = 0) -> None:
    con.execute(
        "CREATE OR REPLACE TEMP TABLE staged (chrom chrom_t, pos INTEGER, ref VARCHAR, alt VARCHAR, odd VARCHAR)"
    )
    for pos, ref, alt in variants:
        con.execute("INSERT INTO staged VALUES ('chr2', ?, ?, ?, NULL)", [pos + offset, ref, alt])


def staged(con: Connection, offset: int = 0) -> list[Alleles]:
    found = con.execute("SELECT pos, ref, alt FROM staged ORDER BY rowid").fetchall()
    return [Alleles(pos - offset, ref, alt) for pos, ref, alt in found]


def genome_of(tmp_path: Path, region: Region) -> Genome:
    end = region.offset + len(region.bases)
    name = f"chr2:{region.offset + 1}-{end}" if region.offset else "chr2"
    return Genome(make.fasta(tmp_path / "g.fa", {name: region.bases}), tmp_path / "work")


@SEARCH
@given(case=cases())
def test_a_variant_gets_the_leftmost_of_its_shortest_spellings(
    con: Connection, tmp_path: Path, case: tuple[Region, list[Alleles]]
) -> None:
    region, given = case
    stage(con, given, region.offset)
    genome = genome_of(tmp_path, region)
    n = normalize.staged(con, genome)
    wanted = [spellings(region.bases, *v)[0] for v in given]
    assert staged(con, region.offset) == wanted
    assert n == sum(a != b for a, b in zip(given, wanted, strict=True))
    event("changed" if n else "as it was")
    assert normalize.staged(con, genome) == 0
    genome.close()


@SEARCH
@given(case=cases())
def test_without_a_genome_a_variant_gets_the_shortest_spelling_inside_its_own_bases(
    con: Connection, case: tuple[Region, list[Alleles]]
) -> None:
    _, given = case
    stage(con, given)
    normalize.staged(con, None)
    wanted = []
    for pos, ref, alt in given:
        best = spellings(ref, 1, ref, alt)[0]
        wanted.append(best._replace(pos=pos + best.pos - 1))
    assert staged(con) == wanted


@pytest.mark.parametrize("n", [199, 200, 201, 999, 5000])
def test_an_indel_in_a_repeat_that_is_longer_than_what_is_read_at_first_goes_all_the_way(
    con: Connection, tmp_path: Path, n: int
) -> None:
    genome = genome_of(tmp_path, Region("C" * 300 + "G" + "A" * n + "T", 0))
    stage(con, [Alleles(301 + n, "AT", "AAAT"), Alleles(300 + n, "AA", "A")])
    normalize.staged(con, genome)
    genome.close()
    assert staged(con) == [Alleles(301, "G", "GAA"), Alleles(301, "GA", "G")]


def test_an_indel_whose_ref_is_not_the_genomes_is_trimmed_only(con: Connection, tmp_path: Path) -> None:
    genome = genome_of(tmp_path, Region("GAAAAAAT", 0))
    stage(con, [Alleles(4, "CCA", "CA"), Alleles(4, "AAA", "AA")])
    normalize.staged(con, genome)
    genome.close()
    assert staged(con) == [Alleles(4, "CC", "C"), Alleles(1, "GA", "G")]


@pytest.mark.parametrize("pos", [49, 50, 58, 59])
def test_an_indel_that_does_not_lie_on_the_genome_is_trimmed_only(con: Connection, tmp_path: Path, pos: int) -> None:
    genome = genome_of(tmp_path, Region("AAAAAAAA", 50))
    stage(con, [Alleles(pos, "AAA", "AA")])
    normalize.staged(con, genome)
    genome.close()
    assert staged(con) == [Alleles(pos, "AA", "A")]


# --- VCF ---

HEAD = ["##fileformat=VCFv4.2", "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS1\tS2"]
REST = "50\tPASS\tAF=0.5\tGT\t0/1\t1/1"


def vcf(path: Path, rows: list[str], head: list[str] = HEAD) -> Path:
    return make.write(path, "\n".join([*head, *(f"{row}\t{REST}" for row in rows), ""]).encode())


def load(con: Connection, path: Path, assembly: str | None = "GRCh38") -> source.Loaded:
    presets = [p for p in shipped() if p.kind == "variants"]
    return variant_list.ingest(con, path, presets, Options(assembly=assembly))


LISTED = "SELECT chrom::VARCHAR, pos, ref, alt, name FROM listed_variant ORDER BY ALL"


def test_sites_become_variants_with_their_names(con: Connection, ask: Ask, tmp_path: Path) -> None:
    rows = ["chr2\t100\trs1\tA\tG", "2\t200\t.\tAC\tA", "X\t300\trs3;rs4\tt\tc", "MT\t400\trs5\tA\tT"]
    loaded = load(con, vcf(tmp_path / "a.vcf", rows))
    assert (loaded.rows_read, loaded.rows_kept, loaded.notes) == (4, 4, [])
    assert ask(LISTED) == [
        ("chr2", 100, "A", "G", "rs1"), ("chr2", 200, "AC", "A", None), ("chrM", 400, "A", "T", "rs5"),
        ("chrX", 300, "T", "C", "rs3"), ("chrX", 300, "T", "C", "rs4"),
    ]  # fmt: skip
    assert ask("SELECT kind, format, assembly, tissue, qtl_type FROM source") == [
        ("variants", "vcf", "GRCh38", None, None)
    ]
    assert ask("SELECT count(*) FROM variant") == [(4,)]
    assert ask("SELECT count(*) FROM candidate") == [(4,)]


def test_each_alternative_allele_becomes_a_variant_and_is_trimmed(con: Connection, ask: Ask, tmp_path: Path) -> None:
    loaded = load(con, vcf(tmp_path / "a.vcf", ["2\t100\trs1\tCAA\tC,CA,CAG,CAAA"]))
    assert (loaded.rows_read, loaded.rows_kept) == (4, 4)
    assert loaded.notes == ["3 variants were written in another way: trimmed; no genome is registered to align them"]
    assert ask("SELECT pos, ref, alt FROM listed_variant ORDER BY ALL") == [
        (100, "C", "CA"), (100, "CA", "C"), (100, "CAA", "C"), (102, "A", "G")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("ref", "alt", "reasons"),
    [
        ("A", "G,*", {"allele_star": 1}),
        ("A", "<DEL>,G", {"allele_symbolic": 1}),
        ("A", "<NON_REF>", {"allele_symbolic": 1}),
        ("A", "A[chr3:77[", {"allele_symbolic": 1}),
        ("A", ".", {"allele_missing": 1}),
        ("A", "R", {"allele_not_acgt": 1}),
        ("N", "A", {"allele_not_acgt": 1}),
        ("A", "a", {"ref_equals_alt": 1}),
    ],
)
def test_an_allele_that_is_no_sequence_is_rejected_by_itself(
    con: Connection, ask: Ask, tmp_path: Path, ref: str, alt: str, reasons: dict[str, int]
) -> None:
    row = f"2\t100\trs1\t{ref}\t{alt}"
    loaded = load(con, vcf(tmp_path / "a.vcf", ["2\t90\trs0\tA\tG", row]))
    assert loaded.rejected == reasons
    assert ask("SELECT line, text FROM rejected") == [(4, f"{row}\t{REST}")]
    assert ask("SELECT count(*) FROM variant") == [(1 + ("G" in alt.split(",")),)]


def test_sites_of_contigs_that_are_not_primary_are_rejected(con: Connection, ask: Ask, tmp_path: Path) -> None:
    names = ["chrUn_KI270742v1", "GL000192.1", "HLA-A*01:01", "chr1_KI270706v1_random", "hs37d5"]
    rows = [f"{name}\t100\trs1\tA\tG" for name in names[:4]]
    loaded = load(con, vcf(tmp_path / "a.vcf", ["2\t90\trs0\tA\tG", *rows]))
    assert loaded.rejected == {"contig_not_primary": 4}
    with pytest.raises(Refused, match="unknown chromosome: hs37x in hs37x_100_A_G") as refusal:
        load(con, vcf(tmp_path / "b.vcf", ["hs37x\t100\trs1\tA\tG"]))
    assert refusal.value.where == f"{tmp_path / 'b.vcf'}, line 3"


def test_a_site_that_stands_twice_is_listed_once_whatever_the_parts(
    con: Connection, ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text, "CHUNK_BYTES", 100)
    rows = ["2\t100\trs1\tA\tG", *(f"2\t{200 + i}\t.\tA\tG" for i in range(20)), "2\t100\trs1\tA\tG"]
    assert load(con, vcf(tmp_path / "a.vcf", [*rows, "2\t200\t.\tA\tG"])).rows_read == 23
    assert ask("SELECT count(*), count(DISTINCT pos) FROM listed_variant") == [(21, 21)]


def test_genotypes_of_thousands_of_samples_are_not_read(con: Connection, ask: Ask, tmp_path: Path) -> None:
    head = [HEAD[0], HEAD[1] + "".join(f"\tX{i}" for i in range(3000))]
    row = f"2\t100\trs1\tA\tG\t{REST}" + "\t0|1" * 3000
    path = tmp_path / "a.vcf.gz"
    path.write_bytes(gzip.compress("\n".join([*head, row, ""]).encode()))
    assert load(con, path).rows_kept == 1


@pytest.mark.parametrize(("assembly", "length"), [("GRCh38", 242_193_529), ("hg19", 243_199_373)])
def test_a_header_with_the_lengths_of_the_assembly_is_taken(
    con: Connection, tmp_path: Path, assembly: str, length: int
) -> None:
    contigs = [f"##contig=<ID=chr2,length={length}>", "##contig=<ID=GL000192.1,length=547496,assembly=x>",
               "##contig=<ID=chrM,length=16571>"]  # fmt: skip
    path = vcf(tmp_path / "a.vcf", ["2\t100\trs1\tA\tG"], [HEAD[0], *contigs, HEAD[1]])
    assert load(con, path, assembly).is_new


@pytest.mark.parametrize(
    "line", ["##contig=<ID=2,length=243199373>", "##contig=<assembly=b37,length=243199373,ID=chr2>"]
)
def test_a_header_with_the_lengths_of_another_assembly_is_refused(con: Connection, tmp_path: Path, line: str) -> None:
    path = vcf(tmp_path / "a.vcf", ["2\t100\trs1\tA\tG"], [HEAD[0], line, HEAD[1]])
    before = make.rows_of(con)
    with pytest.raises(Refused, match="its header gives chr2 243,199,373 bases; on GRCh38 it has 242,193,529") as error:
        load(con, path)
    assert error.value.where == f"{path}: {line}"
    assert make.rows_of(con) == before


def test_the_assembly_of_a_vcf_has_to_be_said(con: Connection, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the assembly of the file is not said"):
        load(con, vcf(tmp_path / "a.vcf", ["2\t100\trs1\tA\tG"]), None)


def test_a_vcf_of_the_other_spelling_gives_the_same_variants(con: Connection, ask: Ask, tmp_path: Path) -> None:
    """BASES have CC at 98: one C of them may be deleted in several ways."""
    reference.ingest(con, make.fasta(tmp_path / "g.fa", {"2": "GATTACAAAAAAT" * 4}), "GRCh38")
    load(con, vcf(tmp_path / "a.vcf", ["2\t6\trs1\tCA\tC"]))
    loaded = load(con, vcf(tmp_path / "b.vcf", ["2\t10\trs1\taaat\taat"]))
    assert loaded.notes[0] == "1 variants were written in another way: trimmed or moved to the left of their repeat"
    assert ask("SELECT pos, ref, alt, ref_status FROM variant") == [(6, "CA", "C", "match")]


def test_an_indel_in_several_spellings_is_said_whatever_comes_first(con: Connection, tmp_path: Path) -> None:
    """A table of QTLs is not normalised, nor a list that came before the genome: one deletion is several variants."""
    fasta = make.fasta(tmp_path / "g.fa", {"2": "G" * 160 + "GCACACACAT" + "G" * 40})
    listed = load(con, vcf(tmp_path / "a.vcf", ["2\t161\trs1\tGCA\tG", "2\t167\trs2\tACA\tA", "2\t10\t.\tGG\tG"]))
    assert listed.notes == ["2 indels go further to the left: a genome that is ingested first moves them"]
    preset = from_options(["variant_id=v,slope=b,gene_id=g"], kind="qtl", assembly="hg38", effect_allele="alt",
                          effect_unit="sd", qtl_type="eqtl")  # fmt: skip
    table = b"v\tb\tg\nchr2_161_GCACA_GCA\t0.5\tG1\nchr2_20_GG_G\t-0.5\tG2\n"
    said = "warning: {} indels are there in several spellings, each a variant of its own"

    def told(notes: list[str]) -> list[str]:
        return [note.partition("\n")[0] for note in notes if "spellings" in note]

    assert told(reference.ingest(con, fasta, "GRCh38").notes) == [said.format(1)]
    path = make.write(tmp_path / "q.tsv", table)
    assert told(qtl.ingest(con, path, [preset], Options("Liver")).notes) == [said.format(2)]


@pytest.mark.parametrize("first", ["2\t1e2\trs1\tA\tG", "2\t10.5\trs1\tA\tG", "2\t0\trs1\tA\tG", "2\t-7\trs1\tA\tG"])
def test_a_position_that_is_none_is_rejected_as_no_variant(
    con: Connection, ask: Ask, tmp_path: Path, first: str
) -> None:
    path = vcf(tmp_path / "a.vcf", [first, "2\t100\trs2\tA\tG"])
    if first.startswith("2\t1e2"):  # it is a number that is whole
        assert load(con, path).rows_kept == 2
        return
    assert load(con, path).rejected == {"not_a_variant": 1}


def test_a_position_beyond_its_chromosome_refuses_the_file(con: Connection, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="the position lies beyond the end of its chromosome: chr2_242193530_A_G"):
        load(con, vcf(tmp_path / "a.vcf", ["2\t242193530\trs1\tA\tG"]))
    assert load(con, vcf(tmp_path / "b.vcf", ["2\t242193529\trs1\tA\tG"])).rows_kept == 1


# --- tables ---


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("chrom\tpos\tref\talt\trsid", "2\t100\ta\tG\trs1,rs2"),
        ("chromosome\tposition\tREF\tALT\tid", "chr2\t100\tA\tG\trs1,rs2"),
        ("variant\tname", "chr2_100_A_G\trs1,rs2"),
        ("variant_id\tname", "2:100:A:G\trs1,rs2"),
        ("variant_id\tname", "chr2_100_A_G_b38\trs1,rs2"),
        ("name,chr,pos,ref,alt", '"rs1,rs2",2,100,A,G'),
    ],
)
def test_a_table_of_variants_is_known_by_its_columns(
    con: Connection, ask: Ask, tmp_path: Path, header: str, row: str
) -> None:
    if '"' in row:
        header = ",".join(f'"{name}"' for name in header.split(","))
    load(con, make.write(tmp_path / "a.tsv", f"{header}\n{row}\n".encode()))
    assert ask(LISTED) == [("chr2", 100, "A", "G", "rs1"), ("chr2", 100, "A", "G", "rs2")]


def test_columns_of_any_name_are_mapped(con: Connection, ask: Ask, tmp_path: Path) -> None:
    preset = from_options(["chrom=k, pos=where", "ref=one,alt=two,name=who"], kind="variants", assembly="hg38",
                          effect_allele="alt", effect_unit=None, qtl_type="eqtl")  # fmt: skip
    path = make.write(tmp_path / "a.csv", b"who,two,one,where,k\nrs7,G,A,100,2\n")
    variant_list.ingest(con, path, [preset], Options())
    assert ask(LISTED) == [("chr2", 100, "A", "G", "rs7")]


def test_an_id_of_another_build_refuses_the_table(con: Connection, tmp_path: Path) -> None:
    path = make.write(tmp_path / "a.tsv", b"variant_id\tname\nchr2_100_A_G_b37\trs1\n")
    with pytest.raises(Refused, match="the variant id is of another build: chr2_100_A_G_b37"):
        load(con, path)
    assert load(con, path, "hg19").is_new


@pytest.mark.parametrize(("chrom", "ref"), [("2", "A"), ("chr2", "a")])
def test_an_id_and_columns_that_say_the_same_in_other_letters_agree(
    con: Connection, ask: Ask, tmp_path: Path, chrom: str, ref: str
) -> None:
    rows = f"variant\tchrom\tpos\tref\talt\nchr2_100_A_G\t{chrom}\t100\t{ref}\tG\n"
    load(con, make.write(tmp_path / "a.tsv", rows.encode()))
    assert ask("SELECT pos, ref FROM variant") == [(100, "A")]


@pytest.mark.parametrize(
    "row", ["chr2_100_A_G\t2\t101\tA\tG", "chr2_100_A_G\t2\t100\tG\tA", "chr2_100_A_G\t3\t100\tA\tG"]
)
def test_an_id_and_columns_that_disagree_refuse_the_table(con: Connection, tmp_path: Path, row: str) -> None:
    path = make.write(tmp_path / "a.tsv", f"variant\tchrom\tpos\tref\talt\n{row}\n".encode())
    with pytest.raises(Refused, match="the variant id and the columns of chromosome, position and alleles disagree"):
        load(con, path)
