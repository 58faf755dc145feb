"""Presets: every column of a known table lands where its name says, and what a preset file may say."""

import gzip
from pathlib import Path

import duckdb
import make
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import Ask
from hypothesis import given, settings
from hypothesis import strategies as st

from agdb.errors import AgdbError, Refused, UsageError
from agdb.ingest import qtl, source
from agdb.ingest.fields import FIELDS, UNITS
from agdb.ingest.preset import Preset, as_toml, from_options, named, recognised, save, shipped
from agdb.ingest.variant_table import Options

Connection = duckdb.DuckDBPyConnection


def of_kind(kind: str) -> list[Preset]:
    return [p for p in shipped() if p.kind == kind]


def load(con: Connection, path: Path, tissue: str | None = "Liver") -> source.Loaded:
    return qtl.ingest(con, path, of_kind("qtl"), Options(tissue))


def one_row(path: Path, cells: dict[str, object]) -> Path:
    return make.write(path, make.table([{name: str(value) for name, value in cells.items()}]))


ASSOCIATION = (
    "variant_id", "gene_id", "phenotype_id", "slope", "slope_se", "pval_nominal", "af", "maf", "tss_distance",
    "ma_samples", "ma_count", "pval_nominal_threshold", "min_pval_nominal", "pval_beta", "qval", "signal_rank",
)  # fmt: skip


def association(ask: Ask) -> dict[str, object]:
    """What view `association` has of the only row, without what is NULL."""
    (row,) = ask(f"SELECT {', '.join(ASSOCIATION)} FROM association")
    return {name: value for name, value in zip(ASSOCIATION, row, strict=True) if value is not None}


def egene(con: Connection) -> dict[str, object]:
    found = con.execute("SELECT * EXCLUDE (source_id) FROM egene")
    names = [column[0] for column in found.description or []]
    (row,) = found.fetchall()
    return {name: value for name, value in zip(names, row, strict=True) if value is not None}


#: One association of GTEx, as each of its tables has it.
TEST = {"tss_distance": -1234, "ma_samples": 21, "ma_count": 23, "pval_nominal": 2.5e-7, "slope": -0.75,
        "slope_se": 0.125}  # fmt: skip
IN_V10 = {**TEST, "af": 0.875}
IN_V8 = {**TEST, "maf": 0.125}
OF_GENE = {"pval_nominal_threshold": 1e-4, "min_pval_nominal": 1e-9, "pval_beta": 3e-6}
KEY = {"variant_id": "chr2_77_A_G", "gene_id": "ENSG00000188976.10", "phenotype_id": "ENSG00000188976.10"}


@pytest.mark.parametrize(("gene", "distance"), [("gene_id", "tss_distance"), ("phenotype_id", "start_distance")])
def test_gtex_v10_pairs_in_parquet(con: Connection, ask: Ask, tmp_path: Path, gene: str, distance: str) -> None:
    """Public documents disagree on the names and on the order: both are read, by name."""
    cells = {"variant_id": "chr2_77_A_G_b38", gene: KEY["gene_id"], **IN_V10, **OF_GENE}
    cells[distance] = cells.pop("tss_distance")
    path = tmp_path / "Lung.v10.eQTLs.signif_pairs.parquet"
    pq.write_table(pa.Table.from_pylist([dict(reversed(cells.items()))]), path)
    loaded = qtl.gtex(con, path, Options())
    assert loaded.rows_kept == 1
    assert association(ask) == {**KEY, **IN_V10, **OF_GENE, "maf": 0.125}
    assert ask("SELECT format, tissue, qtl_type, assembly, effect_unit FROM source") == [
        ("gtex_v10_pairs", "Lung", "eqtl", "GRCh38", "sd")
    ]


def test_gtex_v10_pairs_in_float32_and_with_a_row_of_nulls(con: Connection, ask: Ask, tmp_path: Path) -> None:
    cells = {"variant_id": "chr2_77_A_G_b38", "gene_id": KEY["gene_id"], **IN_V10, **OF_GENE}
    schema = pa.schema(
        [(n, {float: pa.float32(), int: pa.int32(), str: pa.string()}[type(v)]) for n, v in cells.items()]
    )
    pq.write_table(pa.Table.from_pylist([cells], schema), tmp_path / "a.parquet")
    load(con, tmp_path / "a.parquet")
    found = association(ask)
    assert found == {**KEY, **{n: pytest.approx(v, rel=1e-6) for n, v in {**IN_V10, **OF_GENE}.items()}, "maf": 0.125}
    pq.write_table(pa.Table.from_pylist([{**cells, "slope": None}], schema), tmp_path / "b.parquet")
    with pytest.raises(Refused, match="slope is missing") as error:
        load(con, tmp_path / "b.parquet")
    assert error.value.where == f"{tmp_path / 'b.parquet'}, row 1"


def test_gtex_v8_pairs_lack_what_v10_has_and_the_other_way_round(con: Connection, ask: Ask, tmp_path: Path) -> None:
    cells = {"variant_id": "chr2_77_A_G_b38", "gene_id": KEY["gene_id"], **IN_V8, **OF_GENE}
    load(con, one_row(tmp_path / "a.txt", cells))
    assert association(ask) == {**KEY, **IN_V8, **OF_GENE}
    assert ask("SELECT format FROM source") == [("gtex_v8_pairs",)]


OF_EGENE: dict[str, object] = {
    "gene_name": "NOC2L", "gene_chr": "chr2", "gene_start": 501, "gene_end": 900, "strand": "-", "num_var": 1364,
    "beta_shape1": 1.25, "beta_shape2": 300.5, "true_df": 540.5, "pval_true_df": 1e-6,
}  # fmt: skip


def test_gtex_v10_egenes(con: Connection, ask: Ask, tmp_path: Path) -> None:
    cells = {"gene_id": KEY["gene_id"], "biotype": "protein_coding", **OF_EGENE, "variant_id": "chr2_77_A_G_b38",
             "chr": "chr2", "variant_pos": 77, "ref": "A", "alt": "G", "num_alt_per_site": 2,
             "rs_id_dbSNP155_GRCh38p13": "rs7,rs8", **IN_V10, "pval_perm": 1e-3, "pval_beta": 3e-6, "qval": 0.25,
             "pval_nominal_threshold": 1e-4, "afc": -0.5, "afc_se": 0.25}  # fmt: skip
    loaded = load(con, one_row(tmp_path / "Lung.v10.eGenes.txt.gz", cells), None)
    assert loaded.notes == ["not kept, because gtex_v10_egenes does not name them: afc_se"]
    of_pair = {"pval_nominal_threshold": 1e-4, "pval_beta": 3e-6, "qval": 0.25}
    assert association(ask) == {**KEY, **IN_V10, **of_pair, "maf": 0.125}
    assert egene(con) == {"gene_id": KEY["gene_id"], "biotype": "protein_coding", **OF_EGENE, "num_alt_per_site": 2,
                          "pval_perm": 1e-3, "log2_afc": -0.5}  # fmt: skip
    assert ask("SELECT pos, ref, alt, name FROM listed_variant ORDER BY name") == [
        (77, "A", "G", "rs7"), (77, "A", "G", "rs8")
    ]  # fmt: skip


def independent(rank: int, gene: str = KEY["gene_id"]) -> dict[str, object]:
    in_order = {"gene_id": gene, "num_var": 1364, "beta_shape1": 1.25, "beta_shape2": 300.5, "true_df": 540.5,
                "pval_true_df": 1e-6, "variant_id": f"chr2_{76 + rank}_A_G_b38", **IN_V8, "ref_factor": -1,
                "pval_perm": 1e-3, "pval_beta": 3e-6, "rank": rank}  # fmt: skip
    renamed = {"ma_samples": "minor_allele_samples", "ma_count": "minor_allele_count"}
    return {renamed.get(name, name): value for name, value in in_order.items()}


def test_gtex_independent_eqtls(con: Connection, ask: Ask, tmp_path: Path) -> None:
    loaded = load(con, one_row(tmp_path / "Lung.v8.independent_eqtls.txt.gz", independent(1)), None)
    assert loaded.notes == ["0 slopes are conditional on other signals of their gene: label conditional_slope"]
    assert association(ask) == {**KEY, **IN_V8, "pval_beta": 3e-6, "signal_rank": 1}
    facts = {n: OF_EGENE[n] for n in ("num_var", "beta_shape1", "beta_shape2", "true_df", "pval_true_df")}
    assert egene(con) == {"gene_id": KEY["gene_id"], **facts, "pval_perm": 1e-3, "signal_rank": 1, "ref_factor": -1}


def test_gtex_sqtls_name_the_cluster_and_its_gene(con: Connection, ask: Ask, tmp_path: Path) -> None:
    cluster = "chr1:946545:948131:clu_30221:ENSG00000188976.10"
    cells = {"variant_id": "chr2_77_A_G_b38", "phenotype_id": cluster, **IN_V8, **OF_GENE}
    path = tmp_path / "Lung.v8.sqtl_signifpairs.txt.gz"
    row = make.table([{n: str(v) for n, v in cells.items()}] * 2)  # some rows of the official file stand twice
    path.write_bytes(gzip.compress(row))
    loaded = load(con, path, None)
    assert loaded.notes == ["1 rows repeat another in every column: merged"]
    assert association(ask) == {**KEY, "phenotype_id": cluster, **IN_V8, **OF_GENE}
    assert ask("SELECT format, tissue, qtl_type FROM source") == [("gtex_v8_sqtl", "Lung", "sqtl")]
    with pytest.raises(Refused, match="this is another kind of file: GTEx v8 significant splicing QTLs") as error:
        qtl.gtex(con, path, Options())
    assert error.value.cure == "agdb ingest qtl --preset gtex_v8_sqtl"


@pytest.mark.parametrize("form", ["id", "columns", "columns with tissues"])
def test_gtex_allpairs(con: Connection, ask: Ask, tmp_path: Path, form: str) -> None:
    parts = {"chr": "chr2", "pos": 77, "ref": "A", "alt": "G", "build": "b38"}
    variant = {"variant_id": "chr2_77_A_G_b38"} if form == "id" else parts
    tissue = {"tissue": "Lung"} if "tissues" in form else {}
    cells = {"gene_id": KEY["gene_id"], **variant, **IN_V8, **tissue}
    loaded = load(con, one_row(tmp_path / "Lung.v8.allpairs.txt.gz", cells), None)
    assert loaded.notes == []
    assert association(ask) == {**KEY, **IN_V8}
    assert ask("SELECT format, tissue FROM source") == [("gtex_v8_allpairs", "Lung")]


def test_a_row_of_another_build_refuses_allpairs(con: Connection, tmp_path: Path) -> None:
    cells = {"gene_id": "G", "chr": "chr2", "pos": 77, "ref": "A", "alt": "G", "build": "b37", **IN_V8}
    with pytest.raises(Refused, match="the row is of another build: b37"):
        load(con, one_row(tmp_path / "a.txt", cells))


def test_gtex_v7_names_its_build_and_no_chr(con: Connection, ask: Ask, tmp_path: Path) -> None:
    path = one_row(tmp_path / "Liver.allpairs.txt.gz", {"gene_id": "G", "variant_id": "2_77_A_G_b37", **IN_V8})
    qtl.ingest(con, path, shipped(), Options("Liver", "hg19"))
    assert ask("SELECT assembly, chrom, pos, ref, alt FROM qtl") == [("GRCh37", "chr2", 77, "A", "G")]


def test_a_tissue_that_is_not_the_one_of_the_file_s_name_is_refused(con: Connection, ask: Ask, tmp_path: Path) -> None:
    cells = {"gene_id": "G", "variant_id": "chr2_77_A_G_b38", **IN_V8}
    path = one_row(tmp_path / "Kidney_Cortex.v8.allpairs.txt.gz", cells)
    with pytest.raises(UsageError, match="the file's name says Kidney_Cortex, not Liver"):
        load(con, path, "Liver")
    load(con, path, "Kidney_Cortex")
    assert ask("SELECT tissue FROM source") == [("Kidney_Cortex",)]


@pytest.mark.parametrize("variant", [{"variant_id": "2_77_A_G"}, {"variant_id": "2:77:A:G"},
                                     {"chr": "chr2", "pos": 77, "ref": "A", "alt": "G"}])  # fmt: skip
def test_allpairs_of_no_build_are_of_the_assembly_that_is_said(
    con: Connection, ask: Ask, tmp_path: Path, variant: dict[str, object]
) -> None:
    """The columns are those of FastQTL, which other studies were run with, on other assemblies."""
    path = one_row(tmp_path / "a.allpairs.txt.gz", {"gene_id": "G", **variant, **IN_V8})
    with pytest.raises(Refused, match="the variants have no build") as error:
        load(con, path)
    assert "say --assembly (GRCh38 is GTEx's)" in (error.value.cure or "")
    loaded = qtl.ingest(con, path, shipped(), Options("Lung", "hg19"))
    assert loaded.rows_kept == 1
    assert ask("SELECT assembly, format FROM source") == [("GRCh37", "gtex_v8_allpairs")]


def test_the_eqtl_catalogue_drops_no_column_that_it_names(con: Connection, ask: Ask, tmp_path: Path) -> None:
    cells = {"molecular_trait_id": "ENSG00000188976", "chromosome": 2, "position": 77, "ref": "A", "alt": "G",
             "variant": "chr2_77_A_G", "ma_samples": 21, "maf": 0.125, "pvalue": 2.5e-7, "beta": -0.75, "se": 0.125,
             "type": "SNP", "ac": 175, "an": 200, "r2": "NA", "molecular_trait_object_id": "ENSG00000188976",
             "gene_id": "ENSG00000188976", "median_tpm": 95.5, "rsid": "rs7"}  # fmt: skip
    loaded = load(con, one_row(tmp_path / "a.all.tsv.gz", cells))
    assert loaded.notes == [
        "not kept, because eqtl_catalogue does not name them: variant, type, ac, an, r2, molecular_trait_object_id, "
        "median_tpm"
    ]
    gene = {"gene_id": "ENSG00000188976", "phenotype_id": "ENSG00000188976"}
    values = {n: TEST[n] for n in ("slope", "slope_se", "pval_nominal", "ma_samples")}
    assert association(ask) == {"variant_id": "chr2_77_A_G", **gene, **values, "maf": 0.125}
    assert ask("SELECT name FROM listed_variant") == [("rs7",)]


def test_a_transcript_of_the_eqtl_catalogue_is_the_phenotype_of_its_gene(
    con: Connection, ask: Ask, tmp_path: Path
) -> None:
    cells = {"molecular_trait_id": "ENST00000327044", "chromosome": "X", "position": 77, "ref": "A", "alt": "G",
             "ma_samples": 21, "maf": 0.125, "pvalue": 2.5e-7, "beta": -0.75, "se": 0.125,
             "gene_id": "ENSG00000188976"}  # fmt: skip
    load(con, one_row(tmp_path / "a.tsv", cells))
    assert ask("SELECT chrom, gene_id, phenotype_id FROM association") == [
        ("chrX", "ENSG00000188976", "ENST00000327044")
    ]


def test_dsqtls_are_named_by_their_window_and_take_their_alleles_from_the_list(
    con: Connection, ask: Ask, tmp_path: Path
) -> None:
    con.execute("INSERT INTO variant (assembly, chrom, pos, ref, alt) VALUES ('NCBI36', 'chr2', 77, 'A', 'G')")
    cells = {"Chr": "chr2", "Start": 100, "End": 200, "SNP": 77, "Estimate": "-7.500e-01", "Std. Error": " 1.250e-01",
             "t value": "-6.0", "Pr(>|t|)": " 2.500e-07"}  # fmt: skip
    load(con, one_row(tmp_path / "a.txt", cells), None)
    found = association(ask)
    assert found == {"variant_id": "chr2_77_A_G", "phenotype_id": "chr2:100-200", "slope": -0.75, "slope_se": 0.125,
                     "pval_nominal": 2.5e-7}  # fmt: skip
    assert ask("SELECT assembly, tissue, qtl_type, effect_unit FROM source") == [("NCBI36", "LCL", "dsqtl", "beta")]


# --- which preset fits ---


@pytest.mark.parametrize("preset", [p.name for p in shipped() if p.name not in ("gtex_v8_allpairs", "gtex_dapg")])
def test_a_table_with_the_columns_of_a_preset_is_told_by_them(preset: str) -> None:
    mine = named(preset)
    columns = [aliases[0] for field, aliases in mine.columns.items() if field not in mine.optional]
    some_variant = ["variant_id"] if preset == "variant_list" else []
    assert recognised(Path("a"), [*columns, *some_variant, "more"], shipped()).name == preset


def test_a_table_that_no_preset_knows_is_answered_with_how_to_say_what_it_is() -> None:
    with pytest.raises(Refused, match="this table is none that agdb knows by its columns") as error:
        recognised(Path("a.tsv"), ["snp", "effect", "P"], of_kind("qtl"))
    assert error.value.where == "a.tsv, line 1: snp, effect, P"
    cure = "say what they mean: agdb ingest qtl --map field=column,... (agdb presets lists what is known)"
    assert error.value.cure == cure


def test_a_file_of_another_kind_is_answered_with_its_command() -> None:
    names = ["variant_id", "gene_id", "slope", "ref_score", "alt_score", "delta_pred"]
    with pytest.raises(Refused, match="this is another kind of file: predictions of the original study") as error:
        recognised(Path("a.tsv"), names, of_kind("qtl"))
    assert error.value.cure == "agdb ingest predictions --format original --window BP"


def test_every_shipped_preset_says_what_it_is() -> None:
    for preset in shipped():
        assert preset.title
        assert preset.effect_unit in {None, *UNITS}
        assert (preset.effect_unit is not None) == (preset.kind in ("qtl", "credible"))
        assert preset.qtl_type is not None or preset.kind in ("variants", "predictions")
        assert {*preset.columns, *preset.derived} <= FIELDS.keys()
        assert {field: aliases for field, aliases in preset.columns.items() if len({*aliases}) < len(aliases)} == {}


# --- preset files ---

TEXT = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\x7f"), min_size=1, max_size=12)
NAMES = st.sampled_from(sorted(FIELDS))


@st.composite
def presets(draw: st.DrawFn) -> Preset:
    """Any preset whose words may have quotes, backslashes, brackets, line ends and signs of other scripts."""
    columns = draw(st.dictionaries(NAMES, st.lists(TEXT, min_size=1, max_size=3)))
    columns.pop("effect_allele", None)
    return Preset(
        "mine", draw(TEXT), draw(st.sampled_from(["qtl", "credible", "variants", "predictions"])),
        {**columns, "variant_id": ["id"]}, draw(st.sampled_from([None, "eqtl", "caqtl"])), draw(st.none() | TEXT),
        draw(st.sampled_from(["alt", "ref"])), draw(st.sampled_from([None, *UNITS])), draw(st.booleans()),
        draw(st.booleans()), draw(st.none() | TEXT), draw(st.none() | TEXT), frozenset(draw(st.sets(NAMES))),
        draw(st.dictionaries(NAMES.filter(lambda name: name not in ("effect_allele", "variant_id")), TEXT)),
    )  # fmt: skip


@settings(max_examples=200, deadline=None, derandomize=True)
@given(preset=presets())
def test_a_preset_file_reads_back_as_what_was_saved(preset: Preset, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("preset") / "mine.toml"
    save(preset, path)
    assert named(str(path)) == preset


def test_the_order_of_a_map_and_the_name_of_a_preset_do_not_change_its_format() -> None:
    def made(maps: str) -> Preset:
        return from_options([maps], kind="qtl", assembly="hg38", effect_allele="alt", effect_unit="sd", qtl_type="eqtl")

    one, other = made("variant_id=v,slope=b"), made("slope=b,variant_id=v")
    assert one.format == other.format
    assert one.format != made("variant_id=v,slope=c").format


GOOD = '[columns]\nvariant_id = "v"\nslope = "b"\n'
BAD: dict[str, tuple[str, str]] = {
    "no TOML": ("[columns\n", "the preset is not TOML: "),
    "no columns": ('title = "x"\n', "the preset has no table"),
    "an unknown key": ('titel = "x"\n' + GOOD, "the preset has an unknown key 'titel'"),
    "an unknown field": (GOOD + 'slop = "b"\n', "preset mine has an unknown field 'slop'"),
    "an unknown optional field": ('optional = ["slop"]\n' + GOOD, "preset mine has an unknown field 'slop'"),
    "an unknown kind": ('kind = "gwas"\n' + GOOD, "preset mine is of an unknown kind 'gwas'"),
    "a derived id": ('[columns]\nslope = "b"\n[derived]\nvariant_id = "i"\n', "derives variant_id"),
    "two effect alleles": (
        f'effect_allele = "ref"\n{GOOD}[derived]\neffect_allele = "a"\n',
        r"the effect allele is ref, and \[derived",
    ),
    "an unknown unit": ('effect_unit = "fold"\n' + GOOD, "unknown effect unit 'fold'"),
    "no variant": ('[columns]\nslope = "b"\n', "preset mine does not say which columns tell the variant"),
    "half a variant": ('[columns]\nchrom = "c"\nref = "r"\nalt = "a"\n', "does not say which columns tell the variant"),
    "columns that are no table": ('columns = "variant_id"\n', "the preset has columns = 'variant_id'"),
    "a column that is a number": ("[columns]\nvariant_id = 3\n", "the preset has columns = {'variant_id': 3}"),
    "a column without names": ("[columns]\nvariant_id = []\n", "the preset has columns = "),
    "a list in derived": (GOOD + '[derived]\nmaf = ["a"]\n', "the preset has derived = "),
    "a title that is a number": ("title = 3\n" + GOOD, "the preset has title = 3"),
    "a flag that is a text": ('is_strict = "yes"\n' + GOOD, "the preset has is_strict = 'yes'"),
    "optional that is a text": ('optional = "maf"\n' + GOOD, "the preset has optional = 'maf'"),
    "a type that is none": ('qtl_type = "x y"\n' + GOOD, "'x y' is no name of what was measured"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_preset_file_that_says_nothing_is_refused(tmp_path: Path, case: str) -> None:
    toml, said = BAD[case]
    with pytest.raises(AgdbError, match=f"^{said}" if said[0] != "d" else said) as error:
        named(str(make.write(tmp_path / "mine.toml", toml.encode())))
    assert error.value.cure


@pytest.mark.parametrize("data", [b"\xff\xfe", b"title = '\x80'"])
def test_a_preset_file_that_is_no_text_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(Refused, match="the preset cannot be read as text"):
        named(str(make.write(tmp_path / "mine.toml", data)))


@pytest.mark.parametrize("name", ["gtex_v9", "there_is.none.toml", "."])
def test_a_preset_that_is_not_there_is_a_usage_error(name: str) -> None:
    with pytest.raises(UsageError, match=r"there is no (such )?preset"):
        named(name)


@pytest.mark.parametrize("name", ["mine.txt", "no/such/folder/mine.toml"])
def test_a_preset_that_cannot_be_written_is_a_usage_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"a preset is a TOML file|the preset cannot be written"):
        save(named("vcf"), tmp_path / name)


def test_a_preset_of_ones_own_on_the_same_assembly_by_another_name_is_taken(
    con: Connection, ask: Ask, tmp_path: Path
) -> None:
    toml = 'assembly = "hg38"\nis_strict = true\neffect_unit = "sd"\ntissue = "LCL"\n' + GOOD
    mine = named(str(make.write(tmp_path / "mine.toml", toml.encode())))
    path = make.write(tmp_path / "a.tsv", b"v\tb\nchr2_77_A_G_b38\t0.5\n")
    qtl.ingest(con, path, [mine], Options(assembly="GRCh38"))
    assert ask("SELECT assembly FROM source") == [("GRCh38",)]
    assert as_toml(mine).count("hg38") == 1
