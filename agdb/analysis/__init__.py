"""From labelled, scored associations to table `result`: label sets, strata, statistics with intervals of clusters.

`labels` (which rows) and `strata` (how they are divided) make SQL; `rows` brings the rows as arrays; `measures`,
`paired`, `controls`, `winners_curse`, `causality` and `overlap` make numbers of them by `agdb.statistics`; `results`
makes rows of the table, and `store` stores them. `run` is `agdb stats`; `waterfall` is `agdb compare-study`, by
`profile` (what there is of a study) and `steps`; `explain` goes the way back.
"""

#: Resamples of the clusters, and shifts of the peaks, where nothing else is asked for.
RESAMPLES, SHIFTS = 2000, 1000
