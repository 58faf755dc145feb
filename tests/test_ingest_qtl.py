"""QTL tables of any shape: which effect is whose, what is one source, and what stands where afterwards."""

import io
import json
import math
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
import make
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import Ask

from agdb.errors import Refused, UsageError
from agdb.ingest import qtl, reference, source, text, variant_list
from agdb.ingest.preset import Preset, from_options, named, save, shipped
from agdb.ingest.variant_table import Options

Connection = duckdb.DuckDBPyConnection

#: What every table here has; tests map more.
MAPPED = "variant_id=snp,slope=beta,slope_se=se,pval_nominal=p,gene_id=gene"
IN_COLUMNS = "chrom=c,pos=pos,ref=ref,alt=alt,slope=beta,gene_id=gene"


def preset(
    maps: str = MAPPED,
    *,
    effect_allele: str = "alt",
    effect_unit: str | None = "sd",
    qtl_type: str = "eqtl",
    assembly: str = "GRCh38",
) -> Preset:
    return from_options([maps], kind="qtl", assembly=assembly, effect_allele=effect_allele, effect_unit=effect_unit,
                        qtl_type=qtl_type)  # fmt: skip


def effect(i: int) -> float:
    """The true effect of ALT of the i-th association."""
    return (0.25 + i / 64) * (1 if (i // 2 + i % 2) % 2 == 0 else -1)


def table(n: int = 8, null: float = 0.0, **columns: Callable[[int, make.Row], object]) -> list[make.Row]:
    """n associations, each of a gene of its own, whose effects, standard errors and p-values are of one test."""
    rows = []
    for i in range(n):
        se = 0.05 + i / 4096
        p = math.erfc(abs(effect(i) / se) / math.sqrt(2))
        _, pos, ref, alt, _ = make.variant(i).split("_")
        row = {"snp": f"chr2_{pos}_{ref}_{alt}", "gene": f"ENSG{i:03}.{i}", "beta": repr(null + effect(i)),
               "se": repr(se), "p": repr(p), "ref": ref, "alt": alt, "pos": pos}  # fmt: skip
        row.update({name: str(of(i, row)) for name, of in columns.items()})
        rows.append(row)
    return rows


def load(
    con: Connection, path: Path, rows: list[make.Row], how: Preset | None = None, options: Options | None = None
) -> source.Loaded:
    return qtl.ingest(con, make.write(path, make.table(rows)), [how or preset()], options or Options("LCL"))


SLOPES = "SELECT gene_id, slope FROM qtl ORDER BY gene_id"


def genes(rows: list[make.Row]) -> list[str]:
    return [row["gene"] for row in rows]


# --- the effect allele ---

#: How a table gives effects: its map and effect allele, and of row i: does the effect in it refer to ALT?
SIDES: dict[str, tuple[str, str, Callable[[int], bool]]] = {
    "alt": (MAPPED, "alt", lambda i: True),
    "ref": (MAPPED, "ref", lambda i: False),
    "the column that is mapped to ref": (IN_COLUMNS, "ref", lambda i: False),
    "a column, by option": (MAPPED, "tested", lambda i: i % 3 > 0),
    "a column, by map": (f"{MAPPED},effect_allele=tested", "alt", lambda i: i % 3 > 0),
    "a column, by both": (f"{MAPPED},effect_allele=tested", "tested", lambda i: i % 3 > 0),
    "a column, alleles in columns": (IN_COLUMNS, "tested", lambda i: i % 3 > 0),
}  # fmt: skip


@pytest.mark.parametrize("null", [0.0, 0.5])
@pytest.mark.parametrize("side", SIDES)
def test_an_effect_of_any_allele_becomes_that_of_alt(
    con: Connection, ask: Ask, tmp_path: Path, side: str, null: float
) -> None:
    """An effect of REF is as far from the null value as that of ALT, on the other side."""
    maps, effect_allele, is_of_alt = SIDES[side]
    size = 0.5 if null else 1.0  # so that allelic ratios stay between 0 and 1
    rows = table(
        c=lambda i, r: 2,
        tested=lambda i, r: r["alt"].lower() if is_of_alt(i) else r["ref"],
        beta=lambda i, r: null + size * (effect(i) if is_of_alt(i) else -effect(i)),
    )
    unit = "allelic_ratio" if null else "sd"
    load(con, tmp_path / "a.tsv", rows, preset(maps, effect_allele=effect_allele, effect_unit=unit))
    assert ask(SLOPES) == [(g, pytest.approx(null + size * effect(i), abs=1e-15)) for i, g in enumerate(genes(rows))]
    assert ask("SELECT effect_unit, null_value FROM source") == [(unit, null)]


def test_a_derived_effect_allele_is_the_one_that_effects_refer_to(con: Connection, ask: Ask, tmp_path: Path) -> None:
    rows = table(
        tested=lambda i, r: r["alt" if i % 3 else "ref"].lower(), beta=lambda i, r: effect(i) if i % 3 else -effect(i)
    )
    derived = replace(preset(), derived={"effect_allele": "upper(tested)"})
    save(derived, tmp_path / "mine.toml")
    how = named(str(tmp_path / "mine.toml"))
    load(con, tmp_path / "a.tsv", rows, how)
    assert ask(SLOPES) == [(row["gene"], effect(i)) for i, row in enumerate(rows)]
    assert ask("SELECT effect_allele FROM source") == [("effect_allele",)]


def test_what_the_columns_of_a_table_were_taken_for_stands_on_its_run(
    con: Connection, ask: Ask, tmp_path: Path
) -> None:
    how = replace(preset(effect_allele="tested"), derived={"maf": "p / 2"})
    load(con, tmp_path / "a.tsv", table(tested=lambda i, r: r["ref"]), how)
    said = json.loads(str(ask("SELECT arguments FROM run JOIN source USING (run_id)")[0][0]))
    columns = {field: column for field, _, column in (pair.partition("=") for pair in MAPPED.split(","))}
    assert said["columns"] == {**columns, "effect_allele": "tested"}
    assert (said["derived"], said["effect_allele"]) == ({"maf": "p / 2"}, "tested")


def test_a_derived_build_is_held_to_the_assembly(con: Connection, tmp_path: Path) -> None:
    how = replace(preset(), derived={"build": "if(beta > 0, 'b38', 'hg19')"})
    with pytest.raises(Refused, match="the row is of another build: hg19"):
        load(con, tmp_path / "a.tsv", table(), how)


def test_a_row_whose_effect_allele_is_neither_allele_is_rejected(con: Connection, ask: Ask, tmp_path: Path) -> None:
    rows = table(20, tested=lambda i, r: "NA" if i == 3 else make.other_base(r["alt"]) * 2 if i == 5 else r["alt"])
    loaded = load(con, tmp_path / "a.tsv", rows, preset(effect_allele="tested"))
    assert loaded.rejected == {"effect_allele_is_neither": 2}
    assert ask("SELECT line FROM rejected ORDER BY line") == [(5,), (7,)]


def test_a_column_of_effect_alleles_that_is_not_there_is_named(con: Connection, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="lacks column 'tasted'; was it renamed to 'tested'"):
        load(con, tmp_path / "a.tsv", table(tested=lambda i, r: "A"), preset(effect_allele="tasted"))


def test_an_effect_allele_that_is_said_in_two_ways_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="the effect allele is ref, and column 'tested' tells it"):
        preset(f"{MAPPED},effect_allele=tested", effect_allele="ref")


@pytest.mark.parametrize(("side", "alt_of"), [("alt", lambda f: f), ("ref", lambda f: 1 - f)])
def test_the_frequency_of_the_effect_allele_becomes_that_of_alt_and_of_the_rarer_one(
    con: Connection, ask: Ask, tmp_path: Path, side: str, alt_of: Callable[[float], float]
) -> None:
    frequencies = [0.0, 0.125, 0.5, 0.75, 1.0, 0.25, 0.625, 0.875]
    rows = table(eaf=lambda i, r: frequencies[i])
    load(con, tmp_path / "a.tsv", rows, preset(f"{MAPPED},eaf=eaf", effect_allele=side))
    wanted = [(alt_of(f), f if f < 0.5 else 1 - f) for f in frequencies]
    assert ask("SELECT af, maf FROM qtl ORDER BY gene_id") == wanted


def test_a_frequency_of_alt_is_taken_as_it_is_whatever_the_effect_allele(
    con: Connection, ask: Ask, tmp_path: Path
) -> None:
    load(con, tmp_path / "a.tsv", table(f=lambda i, r: 0.75), preset(f"{MAPPED},af=f", effect_allele="ref"))
    assert ask("SELECT DISTINCT af, maf FROM qtl") == [(0.75, 0.25)]


@pytest.mark.parametrize("value", ["1.5", "-0.25"])
def test_a_frequency_that_is_none_is_rejected(con: Connection, tmp_path: Path, value: str) -> None:
    rows = table(20, eaf=lambda i, r: value if i == 3 else "0.5")
    assert load(con, tmp_path / "a.tsv", rows, preset(f"{MAPPED},eaf=eaf")).rejected == {"af_out_of_range": 1}


# --- units ---

NULLS = {"sd": 0, "log2fc": 0, "lnfc": 0, "log_odds": 0, "beta": 0, "z": 0, "allelic_ratio": 0.5}


@pytest.mark.parametrize("unit", NULLS)
def test_a_unit_stands_on_the_source_with_its_null_value(con: Connection, ask: Ask, tmp_path: Path, unit: str) -> None:
    rows = table(beta=lambda i, r: 0.5 + effect(i) / 2)
    load(con, tmp_path / "a.tsv", rows, preset(effect_unit=unit, qtl_type="caqtl"))
    told = ask("SELECT effect, effect_unit, null_value, effect_allele, qtl_type, tissue FROM source")
    assert told == [("slope", unit, NULLS[unit], "alt", "caqtl", "LCL")]


def test_an_unknown_unit_lists_those_that_are_known() -> None:
    with pytest.raises(UsageError, match="unknown effect unit 'foldchange'") as error:
        preset(effect_unit="foldchange")
    assert all(f"{unit}: " in (error.value.cure or "") for unit in NULLS)


def test_a_unit_that_is_not_said_is_asked_for(con: Connection, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the unit of the effect is not said") as error:
        load(con, tmp_path / "a.tsv", table(), preset(effect_unit=None))
    assert all(unit in (error.value.cure or "") for unit in NULLS)


# --- fields and what was measured ---


@pytest.mark.parametrize(
    ("maps", "said"),
    [
        ("variant_id=snp,slop=beta", "--map 'slop=beta' is not of the form field=column"),
        ("slope", "--map 'slope' is not of the form field=column"),
        ("variant_id=snp,slope=a,slope=b", "--map 'slope=b' is given twice"),
        ("slope=beta,chrom=c", "does not say which columns tell the variant"),
    ],
)
def test_a_map_that_says_nothing_is_a_usage_error(maps: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as error:
        preset(maps)
    assert "fields are" in (error.value.cure or "") or "map variant_id or chrom+pos" in (error.value.cure or "")


def test_a_map_without_an_effect_is_a_usage_error(con: Connection, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not one of associations"):
        load(con, tmp_path / "a.tsv", table(), preset("variant_id=snp,gene_id=gene"))


def test_a_column_may_have_commas_and_equals_signs_in_its_name(con: Connection, ask: Ask, tmp_path: Path) -> None:
    rows = [{"snp": r["snp"], "b, of ALT": r["beta"], "Pr(>|t|)": r["p"], "it's": r["gene"]} for r in table()]
    load(con, tmp_path / "a.tsv", rows, preset("variant_id=snp,slope=b, of ALT,pval_nominal=Pr(>|t|),gene_id=it's"))
    assert ask(SLOPES) == [(r["gene"], effect(i)) for i, r in enumerate(table())]


@pytest.mark.parametrize(
    ("qtl_type", "maps", "gene", "trait"),
    [
        ("eqtl", "gene_id=gene", "ENSG000.0", None),
        ("eqtl", "molecular_trait_id=gene", "ENSG000.0", None),
        ("eqtl", "gene_id=gene,molecular_trait_id=peak", "ENSG000.0", "peak0"),
        ("eqtl", "gene_id=gene,molecular_trait_id=again", "ENSG000.0", None),
        ("caqtl", "molecular_trait_id=peak", None, "peak0"),
        ("caqtl", "molecular_trait_id=peak,gene_id=gene", "ENSG000.0", "peak0"),
        ("caqtl", "slope_se=se", None, "caqtl"),
    ],
)
def test_what_was_measured_is_a_gene_or_a_trait(
    con: Connection, ask: Ask, tmp_path: Path, qtl_type: str, maps: str, gene: str | None, trait: str | None
) -> None:
    rows = table(peak=lambda i, r: f"peak{i}", again=lambda i, r: r["gene"])
    load(con, tmp_path / "a.tsv", rows, preset(f"variant_id=snp,slope=beta,{maps}", qtl_type=qtl_type))
    found = ask("SELECT gene_id, molecular_trait_id FROM qtl WHERE pos = 10")
    assert found == [(gene, trait)]
    assert ask("SELECT phenotype_id FROM association WHERE pos = 10") == [(trait or gene,)]


def test_facts_about_a_gene_of_a_table_without_genes_do_no_harm(con: Connection, ask: Ask, tmp_path: Path) -> None:
    rows = table(near=lambda i, r: "GENE", peak=lambda i, r: f"peak{i}")
    how = preset("variant_id=snp,slope=beta,molecular_trait_id=peak,gene_name=near", qtl_type="caqtl")
    assert load(con, tmp_path / "a.tsv", rows, how).rows_kept == 8
    assert ask("SELECT count(*) FROM egene") == [(0,)]


def test_a_name_of_what_was_measured_that_is_none_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match='"it\'s" is no name of what was measured'):
        preset(qtl_type="it's")


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("p", "1.18", "pval_out_of_range"),
        ("p", "NA", "pval_out_of_range"),
        ("p", "0", "pval_underflow"),
        ("se", "0", "slope_se_not_positive"),
        ("se", "-nan", "not_finite"),
        ("beta", "", "slope_missing"),
        ("beta", "inf", "not_finite"),
        ("gene", ".", "phenotype_missing"),
        ("snp", "rs77", "not_a_variant"),
        ("snp", "chr2_1e2_A_C", "not_a_variant"),
        ("snp", "chr2_012_A_C", "not_a_variant"),
        ("snp", "chrUn_KI270742v1_5_A_C", "contig_not_primary"),
        ("snp", "chr2_5_A_AN", "allele_not_acgt"),
    ],
)
def test_a_row_of_somebodys_table_that_cannot_be_used_is_rejected_with_its_line(
    con: Connection, ask: Ask, tmp_path: Path, column: str, value: str, reason: str
) -> None:
    rows = table(20)
    rows[7][column] = value
    loaded = load(con, tmp_path / "a.tsv", rows)
    assert (loaded.rows_read, loaded.rows_kept, loaded.rejected) == (20, 19, {reason: 1})
    assert ask("SELECT source_id, line, reason, text FROM rejected") == [(1, 9, reason, "\t".join(rows[7].values()))]


# --- sources ---


def tissues(i: int, row: make.Row) -> str:
    return ["Lung", "Liver", "Skin"][i // 4 % 3]


PER_TISSUE = "SELECT tissue, rows_read, rows_kept, rows_rejected FROM source ORDER BY source_id"


def test_a_column_of_tissues_makes_each_of_them_a_source_with_its_own_counts(
    con: Connection, ask: Ask, tmp_path: Path
) -> None:
    rows = table(60, t=tissues)
    rows[5]["p"], rows[6]["p"], rows[8]["p"] = "0", "7", "0"
    loaded = load(con, tmp_path / "a.tsv", rows, preset(f"{MAPPED},tissue=t"), Options())
    assert (loaded.source_ids, loaded.rows_read, loaded.rows_kept) == ([1, 2, 3], 60, 57)
    assert ask(PER_TISSUE) == [("Lung", 20, 20, 0), ("Liver", 20, 18, 2), ("Skin", 20, 19, 1)]
    assert ask("SELECT tissue, line FROM rejected JOIN source USING (source_id) ORDER BY line") == [
        ("Liver", 7), ("Liver", 8), ("Skin", 10)
    ]  # fmt: skip
    found = ask("SELECT tissue, gene_id FROM association ORDER BY gene_id")
    assert found == [(tissues(i, r), r["gene"]) for i, r in enumerate(rows) if i not in (5, 6, 8)]
    assert ask("SELECT count(DISTINCT sha256), count(DISTINCT run_id), bool_and(bytes > 0) FROM source") == [
        (1, 1, True)
    ]


def test_a_file_of_several_tissues_again_changes_nothing(con: Connection, tmp_path: Path) -> None:
    rows, how = table(60, t=tissues), preset(f"{MAPPED},tissue=t")
    load(con, tmp_path / "a.tsv", rows, how, Options())
    before = make.rows_of(con)
    again = load(con, tmp_path / "b.tsv", rows, how, Options())
    assert (again.is_new, again.source_ids, again.rows_kept) == (False, [1, 2, 3], 60)
    assert make.rows_of(con) == before


@pytest.mark.parametrize("kind", ["a row", "a row that is odd besides", "the option"])
def test_a_tissue_that_is_missing_or_said_twice_refuses_the_file(con: Connection, tmp_path: Path, kind: str) -> None:
    rows = table(60, t=lambda i, r: "NA" if i == 7 and kind != "the option" else tissues(i, r))
    if "odd" in kind:
        rows[7]["snp"], rows[7]["beta"] = "chrUn_KI270742v1_7_A_G", "nan"
    options = Options() if kind != "the option" else Options("Lung")
    before = make.rows_of(con)
    said = "the file names the tissues itself" if kind == "the option" else f"the tissue is missing: {rows[7]['snp']}"
    with pytest.raises((Refused, UsageError), match=said):
        load(con, tmp_path / "a.tsv", rows, preset(f"{MAPPED},tissue=t"), options)
    assert make.rows_of(con) == before


def test_a_tissue_that_nobody_says_is_asked_for(con: Connection, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the tissue is not said"):
        load(con, tmp_path / "a.tsv", table(), options=Options())


def test_a_preset_that_was_saved_reads_the_same_rows_and_knows_the_file(
    con: Connection, ask: Ask, tmp_path: Path
) -> None:
    how = preset(f"{MAPPED},effect_allele=tested,eaf=f", effect_unit="log2fc", qtl_type="caqtl", assembly="hg19")
    rows = table(tested=lambda i, r: r["ref"], f=lambda i, r: 0.25)
    save(how, tmp_path / "mine.toml")
    load(con, tmp_path / "a.tsv", rows, how)
    before = make.rows_of(con)
    assert not load(con, tmp_path / "b.tsv", rows, named(str(tmp_path / "mine.toml"))).is_new
    assert make.rows_of(con) == before
    con.execute("DELETE FROM source; DELETE FROM qtl; DELETE FROM variant; DELETE FROM run")
    load(con, tmp_path / "a.tsv", rows, named(str(tmp_path / "mine.toml")))
    after = make.rows_of(con)
    assert [after[t] for t in ("qtl", "variant", "source")] == [before[t] for t in ("qtl", "variant", "source")]


@pytest.mark.parametrize(
    "other",
    [preset(MAPPED.replace("slope=beta", "slope=other")), preset(effect_allele="ref"), preset(effect_unit="beta")],
)
def test_the_same_bytes_with_another_meaning_are_refused(con: Connection, tmp_path: Path, other: Preset) -> None:
    """Else whoever corrects a --map would be told that there is nothing to do."""
    rows = table(other=lambda i, r: r["beta"])
    load(con, tmp_path / "a.tsv", rows)
    before = make.rows_of(con)
    with pytest.raises(Refused, match=r"in the database already, as custom-.*; now it is given as custom-"):
        load(con, tmp_path / "a.tsv", rows, other)
    assert make.rows_of(con) == before


def test_two_conditions_on_one_file_are_two_sources(con: Connection, ask: Ask, tmp_path: Path) -> None:
    rows = table(8)
    assert load(con, tmp_path / "a.tsv", rows, options=Options("LCL", where="pos < 15")).rows_kept == 3
    assert load(con, tmp_path / "a.tsv", rows, options=Options("LCL", where="pos >= 15")).rows_kept == 5
    assert not load(con, tmp_path / "a.tsv", rows, options=Options("LCL", where="pos >= 15")).is_new
    assert ask("SELECT row_filter, rows_read FROM source ORDER BY source_id") == [("pos < 15", 3), ("pos >= 15", 5)]


def test_standard_input_is_known_again_by_its_bytes(
    con: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = make.table(table())

    def pipe() -> source.Loaded:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        return qtl.ingest(con, Path("-"), [preset()], Options("LCL"))

    assert (pipe().is_new, pipe().is_new) == (True, False)
    before = make.rows_of(con)
    again = pipe()
    assert (again.is_new, again.source_id, again.rows_kept) == (False, 1, 8)
    assert not load(con, tmp_path / "a.tsv", table()).is_new
    assert make.rows_of(con) == before


# --- repeats, conditions, derived columns ---


def catalogue(n: int = 6) -> list[make.Row]:
    """Rows of the eQTL Catalogue: the second variant has two rsIDs, and so two rows."""
    names = [
        "molecular_trait_id", "chromosome", "position", "ref", "alt", "variant", "ma_samples", "maf", "pvalue", "beta",
        "se", "type", "ac", "an", "r2", "molecular_trait_object_id", "gene_id", "median_tpm", "rsid",
    ]  # fmt: skip
    rows = []
    for i, row in enumerate(table(n)):
        cells = [f"ENSG{i}", "2", row["pos"], row["ref"], row["alt"], row["snp"], 20 + i, 0.25, row["p"], row["beta"],
                 row["se"], "SNP", 30, 200, "NA", f"ENSG{i}", f"ENSG{i}", 1.5, f"rs{i}"]  # fmt: skip
        rows.append(dict(zip(names, map(str, cells), strict=True)))
    return [*rows[:2], {**rows[1], "rsid": "rs77"}, *rows[2:]]


CATALOGUE = [p for p in shipped() if p.kind == "qtl"]


def test_a_row_for_each_name_of_a_variant_is_one_association_with_both_names(
    con: Connection, ask: Ask, tmp_path: Path
) -> None:
    path = make.write(tmp_path / "a.tsv.gz", make.table(catalogue()))
    loaded = qtl.ingest(con, path, CATALOGUE, Options("liver"))
    assert (loaded.rows_read, loaded.rows_kept) == (7, 6)
    assert loaded.notes[0] == "1 rows repeat another for another name of its variant: merged, the names are kept"
    assert ask("SELECT count(*), count(DISTINCT gene_id) FROM qtl") == [(6, 6)]
    assert ask("SELECT list(name ORDER BY name) FROM listed_variant WHERE pos = 12") == [(["rs1", "rs77"],)]
    assert ask("SELECT rows_read, rows_kept FROM source") == [(7, 6)]


def test_rows_of_one_association_that_differ_refuse_the_file(con: Connection, tmp_path: Path) -> None:
    rows = catalogue()
    rows[2]["beta"] = "0.75"
    path = make.write(tmp_path / "a.tsv", make.table(rows))
    before = make.rows_of(con)
    with pytest.raises(Refused, match=r"1 associations stand twice or more, e\.g\. chr2_12_"):
        qtl.ingest(con, path, CATALOGUE, Options("liver"))
    assert make.rows_of(con) == before


def test_repeats_of_a_table_that_has_none_refuse_the_file(con: Connection, tmp_path: Path) -> None:
    rows = table()
    with pytest.raises(Refused, match="1 associations stand twice or more"):
        load(con, tmp_path / "a.tsv", [*rows, rows[3]])


LABELS = "SELECT tissue, gene_id, list(DISTINCT label) FROM label GROUP BY ALL ORDER BY ALL"


def test_the_slopes_of_a_gene_with_several_signals_are_conditional(con: Connection, ask: Ask, tmp_path: Path) -> None:
    rows = table(6, gene=lambda i, r: "ABBCCC"[i], rank=lambda i, r: [1, 1, 2, 1, 2, 3][i])
    loaded = load(con, tmp_path / "a.tsv", rows, preset(f"{MAPPED},signal_rank=rank"))
    assert "5 slopes are conditional on other signals of their gene: label conditional_slope" in loaded.notes
    assert ask(LABELS) == [
        ("LCL", "A", ["slope"]), ("LCL", "B", ["conditional_slope"]), ("LCL", "C", ["conditional_slope"])
    ]  # fmt: skip
    assert ask("SELECT signal_rank FROM qtl ORDER BY pos") == [(1,), (1,), (2,), (1,), (2,), (3,)]


def test_signals_of_one_gene_in_two_tissues_are_not_conditional_on_each_other(
    con: Connection, ask: Ask, tmp_path: Path
) -> None:
    rows = table(4, gene=lambda i, r: "AABB"[i], t=lambda i, r: ["Lung", "Skin"][i % 2], rank=lambda i, r: 1)
    rows[3]["rank"] = "2"
    load(con, tmp_path / "a.tsv", rows, preset(f"{MAPPED},signal_rank=rank,tissue=t"), Options())
    assert ask(LABELS) == [
        ("Lung", "A", ["slope"]), ("Lung", "B", ["slope"]), ("Skin", "A", ["slope"]),
        ("Skin", "B", ["conditional_slope"]),
    ]  # fmt: skip


def test_the_second_signal_is_conditional_where_the_first_was_rejected(
    con: Connection, ask: Ask, tmp_path: Path
) -> None:
    rows = table(20, gene=lambda i, r: f"G{i // 2:02}", rank=lambda i, r: 1 + i % 2)
    rows[0]["p"] = "0"
    load(con, tmp_path / "a.tsv", rows, preset(f"{MAPPED},signal_rank=rank"))
    assert ask("SELECT DISTINCT is_conditional FROM qtl") == [(True,)]


@pytest.mark.parametrize("where", ["rank = 1", "rank = 2"])
def test_a_slope_is_conditional_on_a_signal_of_the_file_that_was_not_asked_for(
    con: Connection, ask: Ask, tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = table(6, gene=lambda i, r: "ABCABC"[i], t=lambda i, r: ["Lung", "Skin"][i in (1, 2, 4)])
    rows = [{**row, "rank": str(rank)} for row, rank in zip(rows, [1, 1, 1, 2, 2, 1], strict=True)]
    monkeypatch.setattr(text, "CHUNK_BYTES", 200)  # signals of one gene in several parts
    how = preset(f"{MAPPED},signal_rank=rank,tissue=t")
    load(con, tmp_path / "a.tsv", rows, how, Options(where=where))
    conditional = {("Lung", "A"), ("Skin", "B")}  # C has one signal in each tissue
    found = ask("SELECT tissue, gene_id, is_conditional FROM association ORDER BY ALL")
    assert found == [
        (tissue, gene, (tissue, gene) in conditional)
        for tissue, gene, rank in sorted((row["t"], row["gene"], row["rank"]) for row in rows)
        if rank == where[-1]
    ]


def test_signals_of_what_is_no_gene_are_conditional_too(con: Connection, ask: Ask, tmp_path: Path) -> None:
    rows = table(4, peak=lambda i, r: "PPQR"[i], rank=lambda i, r: 1 + (i == 1))
    maps = "variant_id=snp,slope=beta,molecular_trait_id=peak,signal_rank=rank"
    load(con, tmp_path / "a.tsv", rows, preset(maps, qtl_type="caqtl"))
    assert ask("SELECT is_conditional FROM qtl ORDER BY pos") == [(True,), (True,), (False,), (False,)]


def test_a_condition_reads_the_rows_that_meet_it_and_no_others(con: Connection, ask: Ask, tmp_path: Path) -> None:
    rows = table(8, fdr=lambda i, r: "NA" if i == 2 else i / 10, state=lambda i, r: "good" if i % 2 else "bad")
    options = Options("LCL", where="fdr < 0.55 AND (state = 'good' OR se < 0.051)")
    loaded = load(con, tmp_path / "a.tsv", rows, options=options)
    wanted = [i for i in range(8) if i != 2 and i / 10 < 0.55 and (i % 2 or 0.05 + i / 4096 < 0.051)]
    assert ask(SLOPES) == [(rows[i]["gene"], effect(i)) for i in wanted]
    assert (loaded.rows_read, loaded.rows_kept) == (len(wanted), len(wanted))


@pytest.mark.parametrize(
    ("column", "where", "kept"),
    [
        ("reads", "reads >= 500", None),
        ("reads", "coalesce(reads, 0) >= 500", None),
        ("reads", "replace(reads::VARCHAR, ',', '')::DOUBLE >= 500", 60),
        ("trait", "trait IS NULL", None),
        ("trait", 'CAST("trait" AS TEXT) IS NULL', 100),
    ],
)
def test_a_cell_that_is_not_of_the_type_of_the_first_rows_is_refused_and_not_passed_over(
    con: Connection, tmp_path: Path, column: str, where: str, kept: int | None
) -> None:
    later = {"reads": "1,234", "trait": "asthma"}[column]
    rows = table(110, reads=lambda i, r: 10 * i, trait=lambda i, r: "NA")
    rows = [{**row, **({column: later} if i >= 100 else {})} for i, row in enumerate(rows)]
    if kept:
        assert load(con, tmp_path / "a.tsv", rows, options=Options("LCL", where=where)).rows_kept == kept
        return
    with pytest.raises(Refused, match=f"'{later}' is not a number") as error:
        load(con, tmp_path / "a.tsv", rows, options=Options("LCL", where=where))
    assert f"a.tsv, line 102, column '{column}'" in (error.value.where or "")
    assert f'"{column}"::VARCHAR' in (error.value.cure or "")


def test_a_mapped_cell_that_is_no_number_counts_only_where_the_condition_asks_for_it(
    con: Connection, tmp_path: Path
) -> None:
    rows = table(8, p=lambda i, r: "0,007" if i == 5 else r["p"], state=lambda i, r: "failed" if i == 5 else "ok")
    assert load(con, tmp_path / "a.tsv", rows, options=Options("LCL", where="state = 'ok'")).rows_kept == 7
    with pytest.raises(Refused, match="'0,007' is not a number"):
        load(con, tmp_path / "a.tsv", rows, options=Options("LCL", where="p < 0.5"))


@pytest.mark.parametrize(
    ("where", "kept"),
    [
        ("batch <> '003'", 8),
        ("trait IS NOT NULL", 4),
        ("trait = 'asthma'", 4),
        ("is_lead", 3),
        ("day >= '1970-01-05'", 5),
        ("list_contains(tissues, 'B')", 4),
        ("n > 4.5", 4),
    ],
)
def test_a_condition_takes_the_columns_of_parquet_for_what_they_are(
    con: Connection, tmp_path: Path, where: str, kept: int
) -> None:
    rows: dict[str, object] = {name: [row[name] for row in table(9)] for name in table(1)[0]}
    rows |= {"batch": [f"{i:03}" for i in range(9)], "trait": [None] * 5 + ["asthma"] * 4, "n": list(range(9)),
             "is_lead": [i % 3 == 0 for i in range(9)], "tissues": [["A", "B"][i % 2 :][:1] for i in range(9)],
             "day": pa.array(range(9), pa.date32())}  # fmt: skip
    pq.write_table(pa.table(rows), tmp_path / "a.parquet")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "HEAD_LINES", 4)
        loaded = qtl.ingest(con, tmp_path / "a.parquet", [preset()], Options("LCL", where=where))
    assert loaded.rows_kept == kept


@pytest.mark.parametrize("kind", ["list<element: double>", "halffloat"])
def test_a_column_of_parquet_that_is_neither_text_nor_numbers_is_refused_by_its_name(
    con: Connection, tmp_path: Path, kind: str
) -> None:
    rows = {name: [row[name] for row in table(4)] for name in table(1)[0]}
    odd = pa.array([[0.5]] * 4, pa.list_(pa.float64())) if "list" in kind else pa.array([0.5] * 4, pa.float16())
    for name, refused in (("unused", False), ("beta", True)):
        pq.write_table(pa.table({**rows, name: odd}), tmp_path / f"{name}.parquet")
        if not refused:
            assert qtl.ingest(con, tmp_path / f"{name}.parquet", [preset()], Options("LCL")).rows_kept == 4
            continue
        with pytest.raises(Refused, match=f"column '{name}' holds {kind}"):
            qtl.ingest(con, tmp_path / f"{name}.parquet", [preset()], Options("LCL"))


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("nothing < 0.5", "cannot be computed: .*nothing"),
        ("p <", "cannot be computed: .*syntax error"),
        ("true); DROP TABLE qtl; --", "cannot be computed"),
        ("gene > 5", "cannot be computed: "),
        ("row_number() OVER (PARTITION BY gene ORDER BY p) = 1", "looks at other rows: row_number"),
        ("p = min(p) over (partition by gene)", "looks at other rows: "),
        ("gene NOT IN (SELECT gene_id FROM qtl)", "looks at other rows: gene NOT IN"),
        ("(SELECT count(*) FROM range(2) JOIN main.listed_variant ON true) = 0", "looks at other rows: "),
        ("p < -1", "no row meets the condition of --where"),
    ],
)
def test_a_condition_that_means_nothing_is_said_and_changes_nothing(
    con: Connection, tmp_path: Path, where: str, said: str
) -> None:
    before = make.rows_of(con)
    with pytest.raises((UsageError, Refused), match=said):
        load(con, tmp_path / "a.tsv", table(), options=Options("LCL", where=where))
    assert make.rows_of(con) == before


def test_a_condition_may_hold_the_word_over_and_subqueries_over_what_is_no_table(
    con: Connection, ask: Ask, tmp_path: Path
) -> None:
    make.write(tmp_path / "not.csv", b"id\nENSG004.4\n")
    where = "gene <> 'x over (y)' AND pos::INTEGER NOT IN (SELECT row_number() OVER () FROM range(9))"
    where += f" AND p < (SELECT 1) AND gene NOT IN (FROM '{tmp_path}/not.csv')"
    load(con, tmp_path / "a.tsv", table(4), options=Options("LCL", where=where))
    assert ask("SELECT count(*) FROM qtl") == [(4,)]


def test_a_derived_column_is_computed_from_those_of_the_file(con: Connection, ask: Ask, tmp_path: Path) -> None:
    toml = """
effect_unit = "log2fc"
assembly = "GRCh38"
qtl_type = "caqtl"
tissue = "LCL"
[columns]
variant_id = "snp"
[derived]
slope = "log2(\\"fold change\\")"
molecular_trait_id = "'peak' || number"
"""
    rows = table(4, number=lambda i, r: "0" + str(i))
    rows = [{**row, "fold change": str([0.5, 2, 4, 1][i])} for i, row in enumerate(rows)]
    path = make.write(tmp_path / "fold.toml", toml.encode())
    load(con, tmp_path / "a.tsv", rows, named(str(path)), Options())
    found = ask("SELECT slope FROM qtl ORDER BY pos")
    assert found == [(-1,), (1,), (2,), (0,)]


def test_a_derived_column_that_cannot_be_computed_is_a_usage_error(con: Connection, tmp_path: Path) -> None:
    toml = (
        'effect_unit="sd"\ntissue="LCL"\nassembly="hg38"\n[columns]\nvariant_id="snp"\n[derived]\nslope="ln(nothing)"\n'
    )
    how = named(str(make.write(tmp_path / "mine.toml", toml.encode())))
    with pytest.raises(UsageError, match="a condition or derived column cannot be computed"):
        load(con, tmp_path / "a.tsv", table(), how, Options())
    with pytest.raises(UsageError, match="a condition or derived column looks at other rows: lag"):
        load(con, tmp_path / "a.tsv", table(), replace(how, derived={"slope": "lag(beta) OVER ()"}), Options())


@pytest.mark.parametrize("before", [[], ["# made by me, for you"], ["# made by me", "#", "## 2024"]])
@pytest.mark.parametrize("delimiter", ["\t", ","])
def test_comments_before_the_header_are_no_header_and_names_may_stand_in_quotes(
    con: Connection, ask: Ask, tmp_path: Path, before: list[str], delimiter: str
) -> None:
    if delimiter == ",":
        before = [line.replace(",", "") for line in before]
    rows = [{"#" + "snp": row.pop("snp"), '"gene, name"': row.pop("gene"), **row} for row in table()]
    lines = [*before, delimiter.join(rows[0]), *(delimiter.join(row.values()) for row in rows), ""]
    path = make.write(tmp_path / "a.csv", "\n".join(lines).encode())
    how = preset("variant_id=snp,slope=beta,slope_se=se,gene_id=gene, name")
    assert qtl.ingest(con, path, [how], Options("LCL")).rows_kept == 8
    assert ask(SLOPES) == [(row["gene"], effect(i)) for i, row in enumerate(table())]
    broken = make.write(tmp_path / "b.csv", ("\n".join(lines[:-1]) + delimiter + "one\n").encode())
    with pytest.raises(Refused, match="columns where 8 are expected") as error:
        qtl.ingest(con, broken, [how], Options("LCL"))
    assert f"line {len(before) + 9}" in (error.value.where or "")


# --- alleles that the table does not have ---

BY_POSITION = "chrom=c,pos=pos,slope=beta,gene_id=gene"
SITES = [p for p in shipped() if p.kind == "variants"]


def sites(con: Connection, path: Path, variants: list[tuple[int, str, str]]) -> None:
    rows = [{"chrom": "2", "pos": str(pos), "ref": ref, "alt": alt} for pos, ref, alt in variants]
    variant_list.ingest(con, make.write(path, make.table(rows)), SITES, Options(assembly="hg38"))


def test_alleles_are_those_of_the_one_variant_that_is_known_at_the_position(
    con: Connection, ask: Ask, tmp_path: Path
) -> None:
    sites(
        con, tmp_path / "sites.tsv", [(10, "A", "C"), (12, "AT", "A"), (14, "A", "C"), (14, "A", "G"), (90, "A", "C")]
    )
    rows = table(4, c=lambda i, r: "chr2" if i < 3 else "chr3")
    loaded = load(con, tmp_path / "a.tsv", rows, preset(BY_POSITION))
    assert loaded.rejected == {"no_variant_at_position": 1, "several_variants_at_position": 1}
    assert ask("SELECT pos, ref, alt, slope FROM qtl ORDER BY pos") == [
        (10, "A", "C", effect(0)), (12, "AT", "A", effect(1))
    ]  # fmt: skip
    assert ask("SELECT line, reason FROM rejected ORDER BY line") == [
        (4, "several_variants_at_position"), (5, "no_variant_at_position")
    ]  # fmt: skip


def test_alleles_of_another_assembly_do_not_count(con: Connection, tmp_path: Path) -> None:
    sites(con, tmp_path / "sites.tsv", [(10, "A", "C")])
    with pytest.raises(Refused, match="no_variant_at_position: 8") as error:
        load(con, tmp_path / "a.tsv", table(c=lambda i, r: "2"), preset(BY_POSITION, assembly="hg19"))
    assert "ingest the variants first" in (error.value.cure or "")


@pytest.mark.parametrize("genome_first", [True, False])
def test_alleles_that_are_swapped_are_looked_up_as_they_were_given_and_turned_then(
    con: Connection, ask: Ask, tmp_path: Path, genome_first: bool
) -> None:
    """The effect of such a table is that of the ALT of the list of variants, whatever the genome says."""
    i = next(i for i in range(8) if set(make.variant(i).split("_")[2:4]) not in ({"A", "T"}, {"C", "G"}))
    _, pos, ref, alt, _ = make.variant(i).split("_")
    if genome_first:
        reference.ingest(con, make.fasta(tmp_path / "g.fa"), "GRCh38")
    sites(con, tmp_path / "sites.tsv", [(int(pos), alt, ref)])
    load(con, tmp_path / "a.tsv", [{**table()[i], "c": "2"}], preset(BY_POSITION))
    if not genome_first:
        reference.ingest(con, make.fasta(tmp_path / "g.fa"), "GRCh38")
    assert ask("SELECT ref, alt, slope, reoriented FROM qtl") == [(ref, alt, -effect(i), "swapped")]


def test_a_column_of_effect_alleles_needs_alleles(con: Connection, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="alleles that are looked up by position have no effect allele of the file"):
        load(
            con,
            tmp_path / "a.tsv",
            table(c=lambda i, r: "2", e=lambda i, r: "A"),
            preset(BY_POSITION, effect_allele="e"),
        )


@pytest.mark.parametrize("value", ["1.5", "0", "-3", "99999999999"])
def test_a_position_without_alleles_that_is_none_refuses_the_file(con: Connection, tmp_path: Path, value: str) -> None:
    rows = table(c=lambda i, r: "2", pos=lambda i, r: value if i == 3 else r["pos"])
    with pytest.raises(Refused) as error:
        load(con, tmp_path / "a.tsv", rows, preset(BY_POSITION))
    assert error.value.where == f"{tmp_path / 'a.tsv'}, line 5"


# --- other containers ---


def test_a_parquet_file_and_a_text_file_give_the_same_rows(con: Connection, ask: Ask, tmp_path: Path) -> None:
    rows = [{**r, "pos": int(r["pos"]), **{n: float(r[n]) for n in ("beta", "se", "p")}} for r in table(24)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet", row_group_size=5)
    qtl.ingest(con, tmp_path / "a.parquet", [preset()], Options("parquet"))
    load(con, tmp_path / "a.tsv", table(24), options=Options("text"))
    columns = "variant_id, gene_id, slope, slope_se, pval_nominal"
    of = f"SELECT {columns} FROM association WHERE tissue = ? ORDER BY gene_id"
    assert ask(of, "parquet") == ask(of, "text")
    assert len(ask(of, "text")) == 24
