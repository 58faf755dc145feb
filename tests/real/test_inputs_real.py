"""Every real file that there is, through the command line: ingested with the rows that it has, or refused by name.

Goldens are the counts of the data's own documentation. The published prediction files and the study that is made of
several files stand in test_study_real.py.
"""

import csv
import gzip
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from pyliftover import LiftOver
from typer.testing import CliRunner, Result

from agdb.cli import app

PAIRS = "gtex/Kidney_Cortex.v8.signif_variant_gene_pairs.txt.gz"
SPLICING = "gtex/Kidney_Cortex.v8.sqtl_signifpairs.txt.gz"
BLOOD = "gtex/Whole_Blood.v8.egenes.txt.gz"
INDEPENDENT = "gtex/Whole_Blood.v8.independent_eqtls.annotated_Peters_celltype_eQTLs.txt.gz"
TISSUES = "gtex/chr2.All_Tissues.sorted.txt.gz"
CATALOGUE = "eqtl_catalogue/GTEx_ge_liver.all.tsv.gz"
DAPG = "gtex/GTEx_v8_finemapping_DAPG.sqlite.db"
UP, DOWN = "chain/hg19ToHg38.over.chain.gz", "chain/hg38ToHg19.over.chain.gz"
EFFECTS, GKM = "caqtl/GSE31388_dsQtlTable.txt.gz", "caqtl/41588_2015_BFng3331_MOESM26_ESM.csv.gz"
SLOPES = "derived/whole_blood_v8_slopes_from_official_subsets.tsv.gz"
PREDICTED = "derived/seed10k_exact_whole_blood_slopes_59.tsv"
FASTA = "fasta/chr2_1-2333275.fa.gz"

K562 = ["--biosample", "K562", "--assembly", "hg38"]
LCL = ["--map", "chrom=var.chr,pos=var.pos_hg38,ref=var.allele1,alt=var.allele2", "--assembly", "hg38"]
ALLELES = "chrom=chrom_hg18,pos=pos_hg18,ref=allele1,alt=allele2"
TO_BLOOD = ["--map", "variant_id=variant_id,gene_id=gene_id,slope=slope,slope_se=slope_se,pval_nominal=pval_nominal",
            "--effect-unit", "sd", "--assembly", "hg38", "--tissue", "Whole_Blood"]  # fmt: skip
ORIGINAL = ["--format", "original", "--window", "2048"]

#: File: command with its options, rows kept, rows read.
INGESTED: dict[str, tuple[list[str], int, int]] = {
    "alphagenome/alphagenome_human_all_tracks.tsv": (["tracks"], 5_196, 5_196),
    "alphagenome/alphagenome_human_dnase_tracks.tsv": (["tracks", "--output-type", "DNASE"], 305, 305),
    "caqtl/caqtls.african.lcls.benchmarking.subset.tsv": (["variants", *LCL], 10, 10),
    GKM: (["variants", "--map", ALLELES, "--assembly", "hg18"], 28_309, 28_309),
    UP: (["chain"], 51_963, 53_950),
    DOWN: (["chain"], 108_199, 185_795),
    PREDICTED: (["qtl", *TO_BLOOD], 59, 59),
    SLOPES: (["qtl", *TO_BLOOD, "--where", "source = 'egenes'"], 20_315, 20_315),
    "dhs/ABC_K562_chr22_DNase_macs2_peaks.narrowPeak.gz": (["peaks", *K562], 26_612, 26_612),
    "dhs/ABC_K562_chr22_EnhancerList.bed.gz": (["peaks", *K562], 17_732, 17_732),
    "dhs/DNADiffusion_K562_ENCLB843GMH.txt.gz": (["peaks", *K562], 11_968, 11_968),
    "dhs/GRCh38_unified_blacklist.bed": (["peaks", "--blacklist", "--assembly", "hg38"], 910, 910),
    "eqtl_catalogue/GTEx.liver_ge.purity_filtered.sorted.txt.gz": (["credible", "--tissue", "Liver"], 141, 141),
    CATALOGUE: (["qtl", "--tissue", "Liver"], 110_032, 113_612),
    FASTA: (["genome", "--assembly", "hg38"], 1, 1),
    "fasta/hisat2_hg19_22_20-21M.fa.gz": (["genome", "--assembly", "hg19"], 1, 1),
    "genes/gencode.v30.annotation.gtf.genes.bed.gz": (["genes", "--assembly", "hg38"], 58_870, 58_870),
    "genes/gencode_v26_gtex_tested_genes.tsv.gz": (["genes", "--assembly", "hg38"], 39_832, 39_832),
    DAPG: (["credible"], 197, 197),
    "gtex/Kidney_Cortex.v8.egenes.txt.gz": (["gtex"], 24_807, 24_807),
    PAIRS: (["gtex"], 111_169, 111_169),
    SPLICING: (["qtl", "--tissue", "Kidney_Cortex"], 42_401, 45_566),
    "gtex/Liver.allpairs.sorted.txt.gz": (["qtl", "--tissue", "Liver"], 11_061, 11_064),
    BLOOD: (["gtex"], 20_315, 20_315),
    INDEPENDENT: (["gtex"], 16_265, 16_265),
    TISSUES: (["qtl"], 24_144, 24_144),
    "seed/seed10k_16.csv": (["predictions", *ORIGINAL], 9_998, 9_998),
    "seed/seed10k_2.csv": (["predictions", *ORIGINAL], 10_000, 10_000),
    "seed/seed_131.csv": (["predictions", *ORIGINAL], 1_000, 1_000),
    "seed/seed_16.csv": (["predictions", *ORIGINAL], 1_000, 1_000),
    "seed/seed_2.csv": (["predictions", *ORIGINAL], 1_000, 1_000),
}  # fmt: skip

#: File: command with its options, and why it is refused.
REFUSED: list[tuple[str, list[str], str]] = [
    ("alphagenome/alphagenome_human_dnase_tracks.tsv", ["tracks"], "lacks column 'output_type'"),
    (EFFECTS, ["qtl"], "not one row can be used (no_variant_at_position: 6,070)"),
    (f"{FASTA}.fai", ["genome", "--assembly", "hg38"], "this is no FASTA"),
    (f"{FASTA}.gzi", ["genome", "--assembly", "hg38"], "this is no FASTA"),
    (SPLICING, ["gtex", "--tissue", "Kidney_Cortex"], "this is another kind of file: GTEx v8 significant splicing"),
    (SLOPES, ["qtl", *TO_BLOOD], "9,004 associations stand twice or more"),
    ("seed/seed_2.csv", ["predictions", *ORIGINAL, "--effect", "slope"], "the column given as slope holds p-values"),
    (
        PAIRS,
        ["qtl", "--preset", "eqtl_catalogue", "--tissue", "Kidney_Cortex"],
        "this is another kind of file: GTEx v8 significant variant-gene pairs",
    ),
    (UP, ["peaks", *K562], "bed has 3 to 12 columns, this has 13"),
]


def agdb(study: Path, *words: object) -> Result:
    return CliRunner().invoke(app, ["--db", str(study), *map(str, words)])


def ingest(study: Path, command: list[str], file: Path, *more: object) -> Result:
    return agdb(study, "ingest", command[0], file, *command[1:], *more)


def ask(study: Path, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(study), read_only=True) as con:
        return con.execute(query).fetchall()


def test_every_file_of_the_manifest_is_ingested_or_refused_here(shared: Path) -> None:
    with (shared / "MANIFEST.tsv").open() as manifest:
        named = {row["file"] for row in csv.DictReader(manifest, delimiter="\t")}
    assert named == {*INGESTED, *(file for file, *_ in REFUSED)}


@pytest.mark.parametrize("file", INGESTED)
def test_a_file_is_ingested_with_the_rows_that_it_has(shared: Path, fresh_db: Path, file: str) -> None:
    command, kept, read = INGESTED[file]
    result = ingest(fresh_db, command, shared / file)
    assert result.exit_code == 0, result.output
    assert f", {kept:,} of {read:,} " in result.output.splitlines()[0]


@pytest.mark.parametrize(("file", "command", "said"), REFUSED)
def test_a_file_is_refused_for_what_it_is(
    shared: Path, fresh_db: Path, file: str, command: list[str], said: str
) -> None:
    result = ingest(fresh_db, command, shared / file)
    assert result.exit_code == 1
    assert said in result.output.splitlines()[0]
    assert ask(fresh_db, "SELECT (SELECT count(*) FROM source), (SELECT count(*) FROM variant)") == [(0, 0)]


def test_the_tracks_of_dnase_alone_are_those_of_dnase_among_all(shared: Path, fresh_db: Path) -> None:
    ingest(fresh_db, ["tracks", "--output-type", "DNASE"], shared / "alphagenome/alphagenome_human_dnase_tracks.tsv")
    alone = ask(fresh_db, "FROM track ORDER BY ALL")
    result = ingest(fresh_db, ["tracks"], shared / "alphagenome/alphagenome_human_all_tracks.tsv")
    assert "4,891 tracks are new, 305 were known" in result.output
    assert ask(fresh_db, "FROM track WHERE output_type = 'DNASE' ORDER BY ALL") == alone


def test_slopes_of_genes_with_several_signals_are_conditional(shared: Path, fresh_db: Path) -> None:
    ingest(fresh_db, ["gtex"], shared / INDEPENDENT)
    assert ask(fresh_db, "SELECT count(*) FILTER (is_conditional), count(DISTINCT gene_id) FROM qtl") == [
        (10_802, 9_697)
    ]


def test_each_tissue_of_a_file_of_49_is_a_source(shared: Path, fresh_db: Path) -> None:
    ingest(fresh_db, ["qtl"], shared / TISSUES)
    assert ask(fresh_db, "SELECT count(DISTINCT tissue), sum(rows_kept) FROM source") == [(49, 24_144)]


def test_rows_of_the_catalogue_that_repeat_for_an_rs_number_are_one_and_keep_the_numbers(
    shared: Path, fresh_db: Path
) -> None:
    ingest(fresh_db, ["qtl", "--tissue", "Liver"], shared / CATALOGUE)
    with gzip.open(shared / CATALOGUE, "rt") as file:
        rows = [(r["variant"], r["rsid"]) for r in csv.DictReader(file, delimiter="\t")]
    found = ask(fresh_db, "SELECT variant_id(chrom, pos, ref, alt), name FROM listed_variant")
    assert set(found) == {(variant, name) for variant, name in rows if name != "NA"}


# --- lifting ---


@pytest.fixture(scope="module")
def lifted(shared: Path, template_db: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The variants of the dsQTL table, hg19, and the lead variants of blood, hg38, each lifted to the other."""
    study = Path(shutil.copyfile(template_db, tmp_path_factory.mktemp("lifted") / "study.duckdb"))
    gkm = "chrom=chrom_hg19,pos=pos_hg19,ref=allele1,alt=allele2,name=SNPname2"
    up = ["variants", "--map", gkm, "--assembly", "hg19", "--lift", str(shared / UP)]
    assert ingest(study, up, shared / GKM).exit_code == 0
    assert ingest(study, ["gtex", "--lift", str(shared / DOWN)], shared / BLOOD).exit_code == 0
    return study


def leads(shared: Path) -> Iterator[dict[str, str]]:
    for name in (BLOOD, "gtex/Kidney_Cortex.v8.egenes.txt.gz"):
        with gzip.open(shared / name, "rt") as file:
            yield from csv.DictReader(file, delimiter="\t")


def test_lifted_rs_numbers_lie_where_gtex_has_them(shared: Path, lifted: Path) -> None:
    known = {
        name: (row["chr"], int(row["variant_pos"]))
        for row in leads(shared)
        for name in row["rs_id_dbSNP151_GRCh38p7"].split(",")
    }
    found = ask(lifted, "SELECT name, chrom::VARCHAR, pos FROM listed_variant WHERE assembly = 'GRCh38'")
    common = [(known[str(name)], place) for name, *place in found if name in known]
    assert len(common) == 217
    assert [pair for pair in common if pair[0] != tuple(pair[1])] == []


def test_positions_are_lifted_where_pyliftover_lifts_them(shared: Path, lifted: Path) -> None:
    """Of a deletion pyliftover knows the first base only, and of an insertion not that its anchor is on one side.

    36 would land where a better chain has another place: on the way back 34 of them come to that one, not home.
    """
    chain, primary = LiftOver(str(shared / DOWN)), {f"chr{c}" for c in [*range(1, 23), "X", "Y", "M"]}
    with gzip.open(shared / BLOOD, "rt") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if len(row["ref"]) == len(row["alt"]) == 1]
    genes = {row["gene_id"] for row in rows}
    places = {row["gene_id"]: chain.convert_coordinate(row["chr"], int(row["variant_pos"]) - 1) for row in rows}
    wanted = {gene: (p[0][0], p[0][1] + 1) for gene, p in places.items() if len(p) == 1 and p[0][0] in primary}
    told = ask(lifted, "SELECT split_part(text, chr(9), 1) FROM rejected WHERE reason = 'lift_collision'")
    taken = {str(gene) for (gene,) in told} & wanted.keys()
    there_and_back = LiftOver(str(shared / UP))
    home = {row["gene_id"]: (row["chr"], int(row["variant_pos"])) for row in rows}
    back = {gene: there_and_back.convert_coordinate(chrom, pos - 1) for gene, (chrom, pos) in wanted.items()}
    assert sum([(p[0], p[1] + 1) for p in back[gene]] != [home[gene]] for gene in taken) == 34
    wanted = {gene: place for gene, place in wanted.items() if gene not in taken}
    assert len(taken) == 36
    found = ask(lifted, "SELECT gene_id, chrom::VARCHAR, pos FROM qtl WHERE assembly = 'GRCh37'")
    assert {gene: tuple(place) for gene, *place in found if gene in genes} == wanted
    unmapped = ask(lifted, "SELECT split_part(text, chr(9), 1) FROM rejected WHERE reason = 'lift_unmapped'")
    assert {gene for (gene,) in unmapped} & genes == {gene for gene, p in places.items() if not p}


# --- the positive control ---


def test_dsqtls_agree_with_gkm_svm_from_files_to_correlation(shared: Path, fresh_db: Path) -> None:
    """The table of effects has no alleles, the table of predictions has; both are on hg18."""
    by_label = ["variants", "--map", f"{ALLELES},name=SNPname1", "--assembly", "hg18", "--where"]
    scores = ["predictions", "--map", f"{ALLELES},score=gkm_SVM", "--assembly", "hg18", "--scorer", "gkm-SVM",
              "--window", "1000"]  # fmt: skip
    for command, file in (
        ([*by_label, "label = 1"], GKM), (["qtl"], EFFECTS), ([*by_label, "label = -1"], GKM), (scores, GKM),
    ):  # fmt: skip
        assert (result := ingest(fresh_db, command, shared / file)).exit_code == 0, result.output
    correlations = ask(fresh_db, "SELECT scorer, n, spearman, pearson FROM correlation")
    assert correlations == [("gkm-SVM", 574, pytest.approx(0.711562, abs=5e-7), pytest.approx(0.726418, abs=5e-7))]
    by_label_score = ask(
        fresh_db,
        "SELECT q.pos IS NOT NULL, abs(score) FROM prediction AS p LEFT JOIN qtl AS q "
        "USING (assembly, chrom, pos, ref, alt)",
    )
    assert auroc(by_label_score) == pytest.approx(0.751988, abs=5e-7)


def auroc(of_label: list[tuple[object, ...]]) -> float:
    """Share of pairs of a positive and a negative that the score orders rightly."""
    from scipy.stats import mannwhitneyu

    positive = [score for is_positive, score in of_label if is_positive]
    negative = [score for is_positive, score in of_label if not is_positive]
    return float(mannwhitneyu(positive, negative).statistic / (len(positive) * len(negative)))
