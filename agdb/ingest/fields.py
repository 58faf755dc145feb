"""What a column of a QTL or fine-mapping table can be: its field, the type it is read as, and what it must not be.

A field has the name of the column of table `qtl`, `credible` or `egene` that it goes to; some only help to make others.
"""

from collections.abc import Iterable
from typing import NamedTuple

from agdb.ingest.plan import Rule

#: Effect units, with the value that means no effect.
UNITS = {
    "sd": ("standard deviations of the (inverse-normal) phenotype per ALT allele", 0.0),
    "log2fc": ("log2 fold change of ALT against REF", 0.0),
    "lnfc": ("natural log fold change of ALT against REF", 0.0),
    "log_odds": ("natural log odds ratio", 0.0),
    "allelic_ratio": ("share of the ALT allele among the reads of heterozygotes", 0.5),
    "z": ("z-score of ALT", 0.0),
    "beta": ("regression coefficient per ALT allele, in the unit of its phenotype", 0.0),
}


class Field(NamedTuple):
    """A field: its DuckDB type; what a row must not be, in words and in SQL."""

    type: str
    what: str = ""
    broken: str = ""
    reason: str = ""


def _number(what: str, reason: str, broken: str) -> Field:
    return Field("DOUBLE", what, broken, reason)


def _share(name: str, highest: float = 1.0, what: str = "is not a probability") -> Field:
    return _number(f"{name} {what}", f"{name}_out_of_range", f"NOT ({name} >= 0 AND {name} <= {highest})")


def _count(name: str) -> Field:
    return Field("INTEGER", f"{name} is not a count", f"{name} < 0", f"{name}_negative")


TEXT, WHOLE, NUMBER = Field("VARCHAR"), Field("INTEGER"), Field("DOUBLE")

#: What tells the variant; `build` and `effect_allele` are only looked at.
OF_VARIANT = {"variant_id": TEXT, "chrom": TEXT, "pos": NUMBER, "ref": TEXT, "alt": TEXT, "build": TEXT,
              "effect_allele": TEXT, "name": TEXT}  # fmt: skip

#: What was measured. `eaf` is the frequency of the effect allele.
OF_PHENOTYPE = {"gene_id": TEXT, "molecular_trait_id": TEXT, "tissue": TEXT}

QTL = {
    **OF_PHENOTYPE,
    "slope": _number("slope is missing", "slope_missing", "slope IS NULL"),
    "slope_se": _number("slope_se is not a positive number", "slope_se_not_positive", "slope_se IS NULL OR slope_se "
    "<= 0"),
    "pval_nominal": _number("pval_nominal is not a probability", "pval_out_of_range",
                            "pval_nominal IS NULL OR NOT (pval_nominal >= 0 AND pval_nominal <= 1)"),
    "af": _share("af", 1.0, "is not an allele frequency"),
    "eaf": _share("eaf", 1.0, "is not an allele frequency"),
    "maf": _share("maf", 0.5, "is not a minor allele frequency (0 to 0.5)"),
    "tss_distance": WHOLE, "ma_samples": _count("ma_samples"), "ma_count": _count("ma_count"),
    "pval_nominal_threshold": _share("pval_nominal_threshold"), "min_pval_nominal": _share("min_pval_nominal"),
    "pval_beta": _share("pval_beta"), "qval": _share("qval"), "signal_rank": Field("SMALLINT"),
}  # fmt: skip

#: Facts about the gene of an egenes or independent-eQTL file, beyond its association: table egene.
EGENE = {
    "gene_name": TEXT, "gene_chr": TEXT, "gene_start": WHOLE, "gene_end": WHOLE, "strand": TEXT, "biotype": TEXT,
    "num_var": _count("num_var"), "beta_shape1": NUMBER, "beta_shape2": NUMBER, "true_df": NUMBER,
    "pval_true_df": _share("pval_true_df"), "pval_perm": _share("pval_perm"), "num_alt_per_site": WHOLE,
    "ref_factor": Field("TINYINT"), "log2_afc": NUMBER, "log2_afc_lower": NUMBER, "log2_afc_upper": NUMBER,
}  # fmt: skip

CREDIBLE = {
    **OF_PHENOTYPE,
    "pip": _number("pip is not a probability", "pip_out_of_range", "pip IS NULL OR NOT (pip >= 0 AND pip <= 1)"),
    "cs_id": TEXT, "cs_size": _count("cs_size"), "cs_pip": _share("cs_pip"), "z": NUMBER, "posterior_mean": NUMBER,
    "posterior_sd": NUMBER,
}  # fmt: skip

#: What a model predicted; `label` is the column that the original study's files carry along.
SCORE = {
    "score": _number("a score is missing", "score_missing", "score IS NULL"),
    "ref_value": NUMBER, "alt_value": NUMBER, "quantile": NUMBER, "label": NUMBER,
}  # fmt: skip

#: What AlphaGenome's tidy_scores say of a score: what computed it, and for which track.
OF_TRACK = dict.fromkeys((
    "variant_scorer", "scored_interval", "output_type", "track_name", "track_strand", "ontology_curie",
    "biosample_name", "biosample_type", "biosample_life_stage", "assay", "data_source", "gtex_tissue",
), TEXT)  # fmt: skip

#: A p-value of 0 is one that was too small to write: no effect size can be told from it.
UNDERFLOW = Rule("pval_underflow", "", "pval_nominal = 0", "", "", False)

#: Of called genotypes alone: of dosages a carrier may count for less than one.
_CARRIERS = Rule(
    "ma_count_not_of_ma_samples",
    "ma_count is not ma_samples to twice ma_samples",
    "NOT ma_count BETWEEN ma_samples AND 2 * ma_samples",
    "concat_ws(' ', ma_count::BIGINT, 'of', ma_samples::BIGINT, 'for', concat_ws('_', chrom, pos, ref, alt))",
)

FIELDS = {**OF_VARIANT, **QTL, **EGENE, **CREDIBLE, **SCORE, **OF_TRACK}


def rules(fields: Iterable[str], *, is_strict: bool) -> list[Rule]:
    """The rules of these fields, over columns of their names. In a strict file a broken one refuses the file."""
    found, names = [], list(fields)
    for name in names:
        field = FIELDS[name]
        if field.broken:
            variant = "coalesce(odd, concat_ws('_', chrom, pos, ref, alt))"
            shown = f"concat_ws(' for ', coalesce({name}::VARCHAR, '(missing)'), {variant})"
            found.append(Rule(field.reason, field.what, field.broken, shown, is_fatal=is_strict))
            if name == "pval_nominal":
                found.append(UNDERFLOW)
    return found + ([_CARRIERS] if is_strict and {"ma_samples", "ma_count"} <= set(names) else [])
