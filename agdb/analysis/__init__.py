"""From labelled, scored associations to table `result`: label sets, strata, statistics with intervals of clusters.

`labels` (which rows) and `strata` (how they are divided) make SQL; `rows` brings the rows as arrays; `measures`,
`paired`, `controls`, `winners_curse`, `causality` and `overlap` make numbers of them by `agdb.statistics`; `results`
makes rows of the table, and `store` stores them. `run` is `agdb stats`; `waterfall` is `agdb compare-study`, by
`profile` (what there is of a study) and `steps`; `explain` goes the way back.
"""

from agdb.errors import UsageError

#: Resamples of the clusters, and shifts of the peaks, where nothing else is asked for.
RESAMPLES, SHIFTS = 2000, 1000
#: Of fewer resamples an interval says little.
FEWEST = 200


def check_draws(resamples: int, seed: int) -> None:
    """Refuse what nothing can be drawn by, or too little: results of it would replace good ones.

    Raises:
        UsageError: fewer than FEWEST resamples, or a negative seed.
    """
    if resamples < FEWEST:
        raise UsageError(f"{resamples} resamples are too few", cure=f"{FEWEST} or more; {RESAMPLES:,} are usual")
    if seed < 0:
        raise UsageError(f"{seed} is no seed", cure="0 or more; the same seed gives the same numbers")
