"""From labelled, scored associations to table `result`: label sets, strata, statistics with intervals of clusters.

`labels` (which rows) and `strata` (how they are divided) make SQL; `rows` brings the rows as arrays; `measures` and
`paired` make numbers of them by `agdb.statistics`; `run` stores them; `explain` goes the way back.
"""
