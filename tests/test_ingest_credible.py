"""Fine-mapping: SuSiE, DAP-G and the eQTL Catalogue, each column where its name says."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import duckdb
import make
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import Ask

from agdb.errors import Refused, UsageError
from agdb.ingest import credible, reference, source, text
from agdb.ingest.preset import Preset, from_options, shipped
from agdb.ingest.variant_table import Options

Connection = duckdb.DuckDBPyConnection
PRESETS = [p for p in shipped() if p.kind == "credible"]


def load(
    con: Connection,
    path: Path,
    tissue: str | None = None,
    presets: Sequence[Preset] = PRESETS,
    where: str | None = None,
) -> source.Loaded:
    return credible.ingest(con, path, presets, Options(tissue, where=where))


SETS = ("SELECT tissue, variant_id(chrom, pos, ref, alt), gene_id, molecular_trait_id, pip, cs_id, cs_size, cs_pip, z, "
        "posterior_mean, posterior_sd FROM credible JOIN source USING (source_id) ORDER BY pos")  # fmt: skip

DAPG = [
    ("2", 77, "A", "G", "Liver", "ENSG01.5", 1, 0.999, 0.875),
    ("2", 79, "AT", "A", "Liver", "ENSG01.5", 1, 0.999, 0.125),
    ("X", 81, "C", "T", "Lung", "ENSG02.1", 2, "NA", 0.25),
]


def test_dapg_in_sqlite_is_one_source_a_tissue_and_text_among_numbers_is_taken(
    con: Connection, ask: Ask, tmp_path: Path
) -> None:
    path = tmp_path / "dapg.db"
    with closing(sqlite3.connect(path)) as file:
        file.execute(
            "CREATE TABLE dapg (chrom, pos INTEGER, ref, alt, tissue, gene, cluster INTEGER, spip REAL, pip REAL)"
        )
        file.executemany("INSERT INTO dapg VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", DAPG)
        file.commit()
    loaded = load(con, path)
    assert (loaded.source_ids, loaded.rows_kept) == ([1, 2], 3)
    assert ask(SETS) == [
        ("Liver", "chr2_77_A_G", "ENSG01.5", None, 0.875, "1", None, 0.999, None, None, None),
        ("Liver", "chr2_79_AT_A", "ENSG01.5", None, 0.125, "1", None, 0.999, None, None, None),
        ("Lung", "chrX_81_C_T", "ENSG02.1", None, 0.25, "2", None, None, None, None, None),
    ]
    assert ask("SELECT kind, format, qtl_type, rows_read, rows_kept FROM source") == [
        ("credible", "gtex_dapg", "eqtl", 2, 2), ("credible", "gtex_dapg", "eqtl", 1, 1)
    ]  # fmt: skip
    assert ask("SELECT count(*) FROM candidate") == [(3,)]


def test_dapg_as_text_of_gtex_has_other_names_for_the_same(con: Connection, ask: Ask, tmp_path: Path) -> None:
    names = ["tissue_id", "gene_id", "cluster_id", "cluster_pip", "variant_id", "variant_pip"]
    cells = ["Liver", "ENSG01.5", "1", "0.999", "chr2_77_A_G_b38", "0.875"]
    load(con, make.write(tmp_path / "CS95.txt.gz", make.table([dict(zip(names, cells, strict=True))])))
    assert ask(SETS) == [("Liver", "chr2_77_A_G", "ENSG01.5", None, 0.875, "1", None, 0.999, None, None, None)]


def test_susie_of_gtex_in_parquet(con: Connection, ask: Ask, tmp_path: Path) -> None:
    row = {"phenotype_id": "ENSG01.5", "variant_id": "chr2_77_A_G_b38", "pip": 0.875, "af": 0.25, "cs_id": 2}
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "Lung.v10.SuSiE_summary.parquet")
    loaded = load(con, tmp_path / "Lung.v10.SuSiE_summary.parquet", "Lung")
    assert loaded.rows_kept == 1
    assert ask(SETS) == [("Lung", "chr2_77_A_G", "ENSG01.5", None, 0.875, "2", None, None, None, None, None)]


CATALOGUE = {"molecular_trait_id": "ENST07", "gene_id": "ENSG01", "cs_id": "ENST07_L1", "variant": "chr2_77_A_G",
             "rsid": "rs7", "cs_size": "3", "pip": "0.875", "pvalue": "1e-9", "beta": "0.5", "se": "0.1", "z": "-4.25",
             "cs_min_r2": "0.9", "region": "chr2:1-900"}  # fmt: skip


def test_credible_sets_of_the_eqtl_catalogue(con: Connection, ask: Ask, tmp_path: Path) -> None:
    rows = [CATALOGUE, {**CATALOGUE, "rsid": "rs8"}]
    loaded = load(con, make.write(tmp_path / "QTD1.credible_sets.tsv.gz", make.table(rows)), "liver")
    assert loaded.notes == ["1 rows repeat another for another name of its variant: merged, the names are kept"]
    assert ask(SETS) == [("liver", "chr2_77_A_G", "ENSG01", "ENST07", 0.875, "ENST07_L1", 3, None, -4.25, None, None)]
    assert ask("SELECT name FROM listed_variant ORDER BY 1") == [("rs7",), ("rs8",)]


def test_credible_sets_of_an_older_release_have_posteriors_and_no_gene(
    con: Connection, ask: Ask, tmp_path: Path
) -> None:
    row = {"#phenotype_id": "ENSG01", "variant_id": "chr2_77_A_G", "cs_id": "ENSG01_L2", "cs_size": "3", "pip": "0.875",
           "z": "-4.25", "posterior_mean": "-1.5", "posterior_sd": "0.25"}  # fmt: skip
    load(con, make.write(tmp_path / "a.txt.gz", make.table([row])), "liver")
    assert ask(SETS) == [("liver", "chr2_77_A_G", "ENSG01", None, 0.875, "ENSG01_L2", 3, None, -4.25, -1.5, 0.25)]


MINE = from_options(["variant_id=snp,pip=p,gene_id=g,cs_id=set,tissue=t"], kind="credible", assembly="hg38",
                    effect_allele="alt", effect_unit=None, qtl_type="eqtl")  # fmt: skip


def rows(n: int = 20) -> list[make.Row]:
    return [{"snp": make.variant(i)[:-4], "p": str(i / 32), "g": f"G{i}", "set": f"L{i}", "t": "AB"[i % 2]}
            for i in range(n)]  # fmt: skip


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [("p", "1.25", "pip_out_of_range"), ("p", "NA", "pip_out_of_range"), ("p", "nan", "not_finite"),
     ("g", "NA", "phenotype_missing"), ("snp", "rs7", "not_a_variant")],
)  # fmt: skip
def test_a_row_that_cannot_be_used_is_rejected_under_its_tissue(
    con: Connection, ask: Ask, tmp_path: Path, column: str, value: str, reason: str
) -> None:
    given = rows()
    given[5][column] = value
    loaded = load(con, make.write(tmp_path / "a.tsv", make.table(given)), presets=[MINE])
    assert loaded.rejected == {reason: 1}
    assert ask("SELECT tissue, line, reason FROM rejected JOIN source USING (source_id)") == [("B", 7, reason)]
    assert ask("SELECT tissue, rows_read, rows_kept, rows_rejected FROM source ORDER BY 1") == [
        ("A", 10, 10, 0), ("B", 10, 9, 1)
    ]  # fmt: skip


@pytest.mark.parametrize("chunk", [1, 64 << 20])
def test_tissues_are_numbered_as_the_file_names_them_whatever_its_chunks(
    con: Connection, ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(text, "CHUNK_BYTES", chunk)
    rows = [{"t": t, "snp": f"chr2_{i + 1}_A_C", "p": "0.01", "g": "G", "set": "1"} for i, t in enumerate("TBTAB")]
    load(con, make.write(tmp_path / "a.tsv", make.table(rows)), presets=[MINE])
    assert ask("SELECT tissue FROM source ORDER BY source_id") == [("T",), ("B",), ("A",)]


def test_a_row_without_a_tissue_refuses_the_file(con: Connection, tmp_path: Path) -> None:
    given = rows()
    given[5]["t"] = ""
    before = make.rows_of(con)
    with pytest.raises(Refused, match=f"the tissue is missing: {given[5]['snp']}"):
        load(con, make.write(tmp_path / "a.tsv", make.table(given)), presets=[MINE])
    assert make.rows_of(con) == before


def test_the_same_file_again_changes_nothing(con: Connection, tmp_path: Path) -> None:
    path = make.write(tmp_path / "a.tsv", make.table(rows()))
    load(con, path, presets=[MINE])
    before = make.rows_of(con)
    assert not load(con, path, presets=[MINE]).is_new
    assert make.rows_of(con) == before


def test_a_condition_keeps_the_likely_variants(con: Connection, ask: Ask, tmp_path: Path) -> None:
    load(con, make.write(tmp_path / "a.tsv", make.table(rows())), presets=[MINE], where="p > 0.5")
    assert ask("SELECT pip FROM credible ORDER BY 1") == [(17 / 32,), (18 / 32,), (19 / 32,)]


def test_a_table_without_probabilities_is_a_usage_error(con: Connection, tmp_path: Path) -> None:
    mine = from_options(["variant_id=snp,gene_id=g"], kind="credible", assembly="hg38", effect_allele="alt",
                        effect_unit=None, qtl_type="eqtl")  # fmt: skip
    with pytest.raises(UsageError, match="is not one of fine-mapping"):
        load(con, make.write(tmp_path / "a.tsv", make.table(rows())), "Liver", [mine])


@pytest.mark.parametrize("genome_first", [True, False])
def test_z_and_posterior_mean_are_turned_with_swapped_alleles_and_the_rest_is_not(
    con: Connection, ask: Ask, tmp_path: Path, genome_first: bool
) -> None:
    i = next(i for i in range(24) if set(make.variant(i).split("_")[2:4]) not in ({"A", "T"}, {"C", "G"}))
    chrom, pos, ref, alt, _ = make.variant(i).split("_")
    row = {"phenotype_id": "ENSG01", "variant_id": f"{chrom}_{pos}_{alt}_{ref}", "cs_id": "L2", "cs_size": "3",
           "pip": "0.875", "z": "-4.25", "posterior_mean": "-1.5", "posterior_sd": "0.25"}  # fmt: skip
    path, genome = make.write(tmp_path / "a.txt", make.table([row])), make.fasta(tmp_path / "g.fa")
    if genome_first:
        reference.ingest(con, genome, "GRCh38")
    load(con, path, "liver")
    if not genome_first:
        reference.ingest(con, genome, "GRCh38")
    found = ask("SELECT ref, alt, pip, z, posterior_mean, posterior_sd, reoriented FROM credible")
    assert found == [(ref, alt, 0.875, 4.25, 1.5, 0.25, "swapped")]
