"""Genes: the same gene, however an annotation writes it, and where its transcription starts."""

from pathlib import Path

import duckdb
import make
import pytest
from conftest import Ask

from agdb import db
from agdb.errors import Refused
from agdb.ingest import genes

Connection = duckdb.DuckDBPyConnection
CHECKS = {check.name: check.sql for check in db.checks()}

#: Two genes, 1-based inclusive: chr2:101-200 on + and chr2:301-450 on -.
GTF = """#!genome-build GRCh38
chr2\tHAVANA\tgene\t101\t200\t.\t+\t.\tgene_id "ENSG01.5"; gene_type "lincRNA"; gene_name "ONE"; level 2;
chr2\tHAVANA\ttranscript\t101\t190\t.\t+\t.\tgene_id "ENSG01.5"; transcript_id "ENST01.1"; gene_name "ONE";
chr2\tHAVANA\texon\t101\t120\t.\t+\t.\tgene_id "ENSG01.5"; transcript_id "ENST01.1"; exon_number 1;
2\tensembl\tgene\t301\t450\t.\t-\t.\tgene_id "ENSG02"; gene_biotype "protein_coding";
"""
GFF3 = """##gff-version 3
##sequence-region 2 1 242193529
2\thavana\tncRNA_gene\t101\t200\t.\t+\t.\tID=gene:ENSG01;Name=ONE;biotype=lincRNA;gene_id=ENSG01.5;logic_name=havana
2\thavana\tlnc_RNA\t101\t190\t.\t+\t.\tID=transcript:ENST01;Parent=gene:ENSG01;Name=ONE-201
2\tensembl\tgene\t301\t450\t.\t-\t.\tID=gene:ENSG02;biotype=protein_coding;gene_id=ENSG02
"""
TABLE = """gene_id\tgene_name\tName\tgene_chr\tgene_start\tgene_end\tstrand\tgene_type
ENSG01.5\tONE\tother\tchr2\t101\t200\t+\tlincRNA
ENSG02\t\tother\t2\t301\t450\t-\tprotein_coding
"""
BED = "track name=x\nchr2\t100\t200\tENSG01.5\t0\t+\nchr2\t300\t450\tENSG02\t0\t-\n"
GENCODE = """chr2\tHAVANA\tgene\t101\t200\t+\tENSG01.5\tlincRNA\tONE
chr2\tHAVANA\tgene\t301\t450\t-\tENSG02\tprotein_coding\t.
"""

QUOTED = "\n".join("\t".join(f'"{cell}"' for cell in line.split("\t")) for line in TABLE.splitlines()) + "\n"
FORMS = {"gtf": GTF, "gff3": GFF3, "table": TABLE, "bed": BED, "gencode": GENCODE, "quoted": QUOTED}


def load(con: Connection, path: Path, text: str, assembly: str = "GRCh38") -> int:
    return genes.ingest(con, make.write(path, text.encode()), assembly).rows_kept


@pytest.mark.parametrize("form", FORMS)
def test_genes_of_every_format_start_where_they_start(con: Connection, ask: Ask, tmp_path: Path, form: str) -> None:
    assert load(con, tmp_path / "a", FORMS[form]) == 2
    names = ("ONE", "lincRNA"), (None, "protein_coding")
    (one, kind), (two, other) = names if form != "bed" else ((None, None), (None, None))
    found = ask("SELECT gene_id, gene_name, biotype, chrom, chrom_start, chrom_end, strand, tss FROM gene ORDER BY 5")
    assert found == [
        ("ENSG01.5", one, kind, "chr2", 100, 200, "+", 101), ("ENSG02", two, other, "chr2", 300, 450, "-", 450)
    ]  # fmt: skip


def test_transcripts_and_exons_are_passed_over_and_counted(con: Connection, tmp_path: Path) -> None:
    loaded = genes.ingest(con, make.write(tmp_path / "a.gtf", GTF.encode()), "GRCh38")
    assert (loaded.rows_read, loaded.rows_kept) == (2, 2)
    assert loaded.notes == ["2 lines of transcripts, exons and the like were passed over"]


def test_an_annotation_of_transcripts_alone_is_refused_in_its_own_words(con: Connection, tmp_path: Path) -> None:
    """As UCSC makes them of refGene."""
    with pytest.raises(Refused, match="no lines of feature gene, as those of GENCODE"):
        load(con, tmp_path / "a.gtf", "".join(line + "\n" for line in GTF.splitlines() if "\tgene\t" not in line))


def test_lines_between_the_genes_of_gff3_are_passed_over(con: Connection, tmp_path: Path) -> None:
    text = GFF3.replace("2\tensembl", "###\n# a comment\n2\tensembl") + "###\n"
    assert load(con, tmp_path / "a.gff3", text) == 2


BAD = {
    "unknown chromosome": (GTF.replace("2\tensembl", "2L\tensembl"), "unknown chromosome: 2L", 5),
    "no id": (GTF.replace('gene_id "ENSG02"; ', ""), "the gene has no id: 300 450 -", 5),
    "no strand": (GTF.replace("450\t.\t-", "450\t.\t."), "the gene has no strand: ENSG02 300 450", 5),
    "turned round": (GTF.replace("301\t450", "450\t301"), "the gene is empty or turned round: ENSG02 449 301", 5),
    "beyond": (GTF.replace("450", "242193530"), "the gene ends beyond its chromosome on GRCh38", 5),
    "before": (BED.replace("\t300\t", "\t-3\t"), "the gene is empty or turned round: ENSG02 -3 450", 3),
    "a word": (BED.replace("\t300\t", "\tx\t"), "'x' is not a number", 3),
}


@pytest.mark.parametrize("case", BAD)
def test_a_gene_that_cannot_be_refuses_the_annotation_by_its_line(con: Connection, tmp_path: Path, case: str) -> None:
    text, said, line = BAD[case]
    path = make.write(tmp_path / "a", text.encode())
    before = make.rows_of(con)
    with pytest.raises(Refused) as error:
        genes.ingest(con, path, "GRCh38")
    assert error.value.what.startswith(said)
    assert (error.value.where or "").startswith(f"{path}, line {line}")
    assert make.rows_of(con) == before


@pytest.mark.parametrize(
    "text", ["chr2\t100\t200\n", "# only\n# comments\n", "gene\tchrom\tstart\n", "chr2\t100\t200\tG\t0\t?\n", "a b c\n"]
)
def test_what_is_no_annotation_is_refused_with_the_formats(con: Connection, tmp_path: Path, text: str) -> None:
    with pytest.raises(Refused, match="this is no annotation that agdb knows") as error:
        load(con, tmp_path / "a", text)
    assert "GTF, GFF3, BED" in (error.value.cure or "")


def test_genes_of_unplaced_contigs_are_rejected(con: Connection, ask: Ask, tmp_path: Path) -> None:
    rows = [f"chr2\t{100 + i}\t{200 + i}\tG{i}\t0\t+\n" for i in range(10)]
    assert load(con, tmp_path / "a.bed", "".join([*rows, "chrUn_KI270742v1\t1\t5\tGX\t0\t+\n"])) == 10
    assert ask("SELECT line, reason FROM rejected") == [(11, "contig_not_primary")]


def test_the_same_annotation_again_changes_nothing(con: Connection, tmp_path: Path) -> None:
    load(con, tmp_path / "a.gtf", GTF)
    before = make.rows_of(con)
    assert not genes.ingest(con, make.write(tmp_path / "b.gtf", GTF.encode()), "hg38").is_new
    assert make.rows_of(con) == before
    with pytest.raises(Refused, match="now it is given as gtf, GRCh37"):
        genes.ingest(con, tmp_path / "b.gtf", "hg19")


# --- the distance to the transcription start ---

DISTANCE = "SELECT gene_id, tss_distance FROM association ORDER BY ALL"


def pairs(con: Connection, path: Path, distances: dict[str, object]) -> list[str]:
    """Associations of genes, each with a variant at position 350; returns the notes."""
    rows = make.pairs_rows(len(distances))
    for row, (gene, distance) in zip(rows, distances.items(), strict=True):
        row.update(variant_id="chr2_350_A_C_b38", gene_id=gene, tss_distance=str(distance), maf="0.1")
    return make.gtex(con, make.write(path, make.table(rows)), "Liver").notes


def test_a_distance_that_a_table_lacks_comes_from_the_genes(con: Connection, ask: Ask, tmp_path: Path) -> None:
    """Signed by position: 350 lies after the start of the gene on +, and before that of the gene on -."""
    load(con, tmp_path / "a.gtf", GTF)
    pairs(
        con, tmp_path / "a.txt", {"ENSG01.5": "NA", "ENSG01.77": "NA", "ENSG02.1": "NA", "ENSG03": "NA", "ENSG02": -7}
    )
    assert ask(DISTANCE) == [
        ("ENSG01.5", 249), ("ENSG01.77", 249), ("ENSG02", -7), ("ENSG02.1", -100), ("ENSG03", None)
    ]  # fmt: skip


def test_genes_of_another_assembly_fill_nothing(con: Connection, ask: Ask, tmp_path: Path) -> None:
    load(con, tmp_path / "a.gtf", GTF, "hg19")
    pairs(con, tmp_path / "a.txt", {"ENSG01.5": "NA"})
    assert ask(DISTANCE) == [("ENSG01.5", None)]


def test_a_gene_of_two_annotations_counts_once_as_the_first_says(con: Connection, ask: Ask, tmp_path: Path) -> None:
    load(con, tmp_path / "a.gtf", GTF)
    load(con, tmp_path / "b.bed", BED.replace("\t100\t200\t", "\t50\t200\t"))
    pairs(con, tmp_path / "a.txt", {"ENSG01.5": "NA"})
    assert ask(DISTANCE) == [("ENSG01.5", 249)]


@pytest.mark.parametrize("starts", [(100, 150), (150, 100)])
def test_of_a_gene_with_several_starts_the_first_counts_and_it_is_said(
    con: Connection, ask: Ask, tmp_path: Path, starts: tuple[int, int]
) -> None:
    lines = [f"chr2\t{start}\t200\tONE\t0\t+\n" for start in starts] + ["chr2\t300\t450\tTWO\t0\t-\n"] * 2
    loaded = genes.ingest(con, make.write(tmp_path / "a.bed", "".join(lines).encode()), "GRCh38")
    assert ask("SELECT gene, tss FROM gene_tss ORDER BY ALL") == [("ONE", starts[0] + 1), ("TWO", 450)]
    said = "warning: 1 genes have several transcription start sites, e.g. ONE: of each the first in the file counts"
    assert [note.partition("\n")[0] for note in loaded.notes] == [said]


def test_a_gene_of_both_pseudoautosomal_regions_counts_on_x(con: Connection, ask: Ask, tmp_path: Path) -> None:
    load(con, tmp_path / "a.bed", "chrY\t10\t90\tENSG01.5_PAR_Y\t0\t+\nchrX\t20\t90\tENSG01.5\t0\t+\n")
    assert ask("SELECT gene, tss FROM gene_tss") == [("ENSG01", 21)]
    assert ask("SELECT problem FROM (" + CHECKS["gene_starts_at_one_place"] + ")") == []


def test_a_gene_of_another_chromosome_has_no_distance(con: Connection, ask: Ask, tmp_path: Path) -> None:
    load(con, tmp_path / "a.bed", "chr5\t100\t200\tENSG01.5\t0\t+\n")
    pairs(con, tmp_path / "a.txt", {"ENSG01.5": "NA"})
    assert ask(DISTANCE) == [("ENSG01.5", None)]


def test_two_clones_are_two_genes(con: Connection, ask: Ask, tmp_path: Path) -> None:
    """What stands behind the dot of an id that is not Ensembl's is no version."""
    clones = "chr2\t200\t260\tRP11-34P13.7\t0\t+\nchr2\t300\t400\tRP11-34P13.13\t0\t+\n"
    load(con, tmp_path / "a.bed", clones)
    pairs(con, tmp_path / "a.txt", {"RP11-34P13.13": "NA"})
    assert ask(DISTANCE) == [("RP11-34P13.13", 49)]


WARNING = "warning: {} of 101 associations of a.txt have a tss_distance that is not pos - tss of a.bed"


@pytest.mark.parametrize("genes_first", [True, False])
@pytest.mark.parametrize(("off", "is_said"), [(0, False), (1, False), (2, True)])
def test_distances_that_are_not_those_of_the_genes_are_said(
    con: Connection, tmp_path: Path, off: int, is_said: bool, genes_first: bool
) -> None:
    """One association in a hundred may be off: 2 of 101 are too many."""
    distances: dict[str, object] = {f"ENSG{i:03}": 350 - 101 + (7 if i < off else 0) for i in range(101)}
    bed = "".join(f"chr2\t100\t200\tENSG{i:03}.4\t0\t+\n" for i in range(101))
    if genes_first:
        load(con, tmp_path / "a.bed", bed)
        notes = pairs(con, tmp_path / "a.txt", distances)
    else:
        pairs(con, tmp_path / "a.txt", distances)
        notes = genes.ingest(con, make.write(tmp_path / "a.bed", bed.encode()), "GRCh38").notes
    assert any(note.startswith(WARNING.format(off)) for note in notes) == is_said
