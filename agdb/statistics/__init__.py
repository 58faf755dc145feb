"""Statistics: arrays in, numbers out. Nothing here knows of the database.

`intervals` are those of independent rows, `bootstrap` those of clusters, `wild` those of differences; `ranks` makes
Spearman of Pearson, `partial` takes covariates out of it. `classification`, `precision` and `matching` are of causal
variants and controls, `shrinkage` of noisy labels. `permutation` and `circular_shift` say what chance makes, `power`
what would have been found, `families` what many tests make of a p-value; `line` is drawn in figures.
"""

from agdb.statistics.intervals import (
    Interval,
    bonett_wright_interval,
    correlation_pvalue,
    detectable_correlation,
    fisher_interval,
    kendall,
    meng_pvalue,
    t_pvalue,
    wilson_interval,
    zou_difference,
)

__all__ = [
    "Interval",
    "bonett_wright_interval",
    "correlation_pvalue",
    "detectable_correlation",
    "fisher_interval",
    "kendall",
    "meng_pvalue",
    "t_pvalue",
    "wilson_interval",
    "zou_difference",
]
