"""GTEx v8 eQTL tables: `*.signif_variant_gene_pairs.txt.gz` and `*.egenes.txt.gz`, by column name, all columns kept.

A GTEx `slope` is the effect of ALT against REF on inverse-normal-transformed expression (unit: standard deviations per
ALT allele); ids carry the assembly (`_b38`), positions are 1-based.
"""

from pathlib import Path

import duckdb

from agdb.errors import Refused
from agdb.ingest import reference, source, table, text, variants
from agdb.ingest.table import Rule

PAIRS = {
    "variant_id": "VARCHAR", "gene_id": "VARCHAR", "tss_distance": "INTEGER", "ma_samples": "INTEGER",
    "ma_count": "INTEGER", "maf": "DOUBLE", "pval_nominal": "DOUBLE", "slope": "DOUBLE", "slope_se": "DOUBLE",
    "pval_nominal_threshold": "DOUBLE", "min_pval_nominal": "DOUBLE", "pval_beta": "DOUBLE",
}  # fmt: skip

EGENES = {
    "gene_id": "VARCHAR", "gene_name": "VARCHAR", "gene_chr": "VARCHAR", "gene_start": "INTEGER",
    "gene_end": "INTEGER", "strand": "VARCHAR", "num_var": "INTEGER", "beta_shape1": "DOUBLE",
    "beta_shape2": "DOUBLE", "true_df": "DOUBLE", "pval_true_df": "DOUBLE", "variant_id": "VARCHAR",
    "tss_distance": "INTEGER", "chr": "VARCHAR", "variant_pos": "INTEGER", "ref": "VARCHAR", "alt": "VARCHAR",
    "num_alt_per_site": "INTEGER", "rs_id_dbSNP151_GRCh38p7": "VARCHAR", "minor_allele_samples": "INTEGER",
    "minor_allele_count": "INTEGER", "maf": "DOUBLE", "ref_factor": "TINYINT", "pval_nominal": "DOUBLE",
    "slope": "DOUBLE", "slope_se": "DOUBLE", "pval_perm": "DOUBLE", "pval_beta": "DOUBLE", "qval": "DOUBLE",
    "pval_nominal_threshold": "DOUBLE", "log2_aFC": "DOUBLE", "log2_aFC_lower": "DOUBLE", "log2_aFC_upper": "DOUBLE",
}  # fmt: skip

#: Columns of egenes that have another name in the database.
RENAMED = {
    "minor_allele_samples": "ma_samples", "minor_allele_count": "ma_count", "rs_id_dbSNP151_GRCh38p7": "rs_id",
    "log2_aFC": "log2_afc", "log2_aFC_lower": "log2_afc_lower", "log2_aFC_upper": "log2_afc_upper",
}  # fmt: skip

#: Columns of egenes that are facts about the gene or its lead variant beyond their association: table `egene`.
OF_GENE = [
    "gene_name", "gene_chr", "gene_start", "gene_end", "strand", "num_var", "beta_shape1", "beta_shape2", "true_df",
    "pval_true_df", "pval_perm", "num_alt_per_site", "rs_id_dbSNP151_GRCh38p7", "ref_factor", "log2_aFC",
    "log2_aFC_lower", "log2_aFC_upper",
]  # fmt: skip

#: Columns that the variant itself holds.
OF_VARIANT = ["variant_id", "chr", "variant_pos", "ref", "alt"]

REFUSED = [
    Rule("the gene is missing", "gene_id IS NULL", "variant_id", "give the original file"),
    Rule("slope is missing", "slope IS NULL", "variant_id", "GTEx has a slope in every row; give the original file"),
    Rule("slope_se is not a positive number", "slope_se IS NULL OR slope_se <= 0",
         "coalesce(slope_se::VARCHAR, '(missing)')", "give the original file; are columns swapped?"),
    Rule("pval_nominal is not a probability", "pval_nominal IS NULL OR NOT (pval_nominal >= 0 AND pval_nominal <= 1)",
         "coalesce(pval_nominal::VARCHAR, '(missing)')", "give the original file; are columns swapped?"),
    Rule("maf is not a minor allele frequency", "NOT (maf >= 0 AND maf <= 0.5)", "maf::VARCHAR",
         "it lies in 0 to 0.5; are columns swapped?"),
]  # fmt: skip

PROBABILITIES = ["pval_nominal_threshold", "min_pval_nominal", "pval_beta", "pval_true_df", "pval_perm", "qval"]

#: egenes say the position twice; the two must agree.
REFUSED_EGENES = [
    Rule("the variant id and its columns chr, variant_pos, ref, alt disagree",
         "(chr, variant_pos::BIGINT::VARCHAR, ref, alt) IS DISTINCT FROM (parts[1], parts[2], parts[3], parts[4])",
         "concat_ws(' ', variant_id, 'but', chr, variant_pos::BIGINT, ref, alt)", "give the original file"),
]  # fmt: skip

REJECTED = [Rule("pval_underflow", "pval_nominal = 0", "")]


def layout(path: Path) -> tuple[str, table.Layout]:
    """Recognise a GTEx file by its header: (`gtex_pairs` | `gtex_egenes`, its layout).

    Raises:
        Refused: an sQTL file, or a header that lacks a column.
    """
    names = text.header(path)
    if "phenotype_id" in names and "gene_id" not in names:
        raise Refused(
            "this is a splicing-QTL file (column 'phenotype_id'), not an eQTL file",
            where=f"{path}, line 1",
            cure="give *.v8.signif_variant_gene_pairs.txt.gz or *.v8.egenes.txt.gz",
        )
    egenes = len(set(names) & (EGENES.keys() - PAIRS.keys())) > len(set(names) & (PAIRS.keys() - EGENES.keys()))
    wanted = EGENES if egenes else PAIRS
    kind = "gtex_egenes" if egenes else "gtex_pairs"
    text.require(path, names, list(wanted), f"a GTEx v8 {kind.removeprefix('gtex_')} file")
    return kind, table.Layout({n: wanted.get(n, table.IGNORED) for n in names})


def ingest(con: duckdb.DuckDBPyConnection, path: Path, tissue: str) -> source.Loaded:
    """Load one GTEx v8 eQTL file as the associations of `tissue`.

    Raises:
        Refused: the file is not what it has to be, or a gate of sql/checks closes. The database is as before.
    """
    kind, columns = layout(path)
    draft = source.Draft(
        "qtl", kind, path, variants.ASSEMBLY, tissue=tissue, effect="slope", effect_allele="ALT", null_value=0.0,
        effect_unit="SD of inverse-normal expression per ALT allele",
    )  # fmt: skip
    digest = source.sha256(path)
    if seen := source.already(con, draft, digest):
        return seen
    with source.loading(con, draft, digest) as loaded:
        variants.stage(con, path, columns, loaded, _refused(kind), REJECTED)
        variants.insert(con)
        _insert(con, kind, loaded.source_id, tissue)
        loaded.notes += [
            f"column {n!r} is not part of GTEx v8 and was not kept"
            for n in columns.columns
            if n not in (EGENES if kind == "gtex_egenes" else PAIRS)
        ]
        loaded.notes += reference.check_new(con, variants.ASSEMBLY)
    return loaded


def _refused(kind: str) -> list[Rule]:
    columns = EGENES if kind == "gtex_egenes" else PAIRS
    probabilities = [
        Rule(f"{p} is not a probability", f"NOT ({p} >= 0 AND {p} <= 1)", f"{p}::VARCHAR", "are columns swapped?")
        for p in PROBABILITIES
        if p in columns
    ]
    return [*REFUSED, *probabilities, *(REFUSED_EGENES if kind == "gtex_egenes" else [])]


def _insert(con: duckdb.DuckDBPyConnection, kind: str, source_id: int, tissue: str) -> None:
    columns = EGENES if kind == "gtex_egenes" else PAIRS
    of_association = [n for n in columns if n not in OF_VARIANT and n not in OF_GENE]
    con.execute(
        f"INSERT INTO qtl BY NAME SELECT ? AS source_id, '{variants.ASSEMBLY}' AS assembly, "
        f"{variants.VARIANT_ID} AS variant_id, gene_id AS phenotype_id, ? AS tissue, {_named(of_association)} "
        "FROM staged",
        [source_id, tissue],
    )
    if kind == "gtex_egenes":
        con.execute(
            f"INSERT INTO egene BY NAME SELECT ? AS source_id, gene_id, {variants.VARIANT_ID} AS variant_id, "
            f"{_named(OF_GENE)} FROM staged",
            [source_id],
        )


def _named(columns: list[str]) -> str:
    """SQL of columns under their names in the database; GTEx writes a dot for no rsID."""
    values = {"rs_id_dbSNP151_GRCh38p7": "nullif(rs_id_dbSNP151_GRCh38p7, '.')"}
    return ", ".join(f"{values.get(n, n)} AS {RENAMED.get(n, n)}" for n in columns)
