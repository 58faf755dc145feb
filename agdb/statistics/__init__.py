"""Statistics: arrays in, numbers out. Nothing here knows of the database.

`intervals` are those of independent rows, `bootstrap` those of clusters; `ranks` makes Spearman of Pearson.
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
