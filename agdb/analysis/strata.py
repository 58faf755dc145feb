"""Ways to divide rows: SQL over the columns of view analysed_qtl. NULL is in no stratum."""

import re
from typing import NamedTuple

import duckdb

from agdb.analysis import expression
from agdb.errors import UsageError

_KEY = "chrom, pos, ref, alt, phenotype_id"


class Quantiles(NamedTuple):
    """k strata of equal size, by a value: the smallest first, rows of one value in genome order; NULL is in none.

    `sql` says it for people. `rows.read` asks for the value alone and numbers the rows itself: a window function sorts
    all columns of all rows, and three of them took 10 of the 17 core seconds in which 2.4 M rows were read.
    """

    value: str
    k: int
    prefix: str

    @property
    def sql(self) -> str:
        """A window function over the rows that are analysed."""
        within = f"PARTITION BY ({self.value}) IS NULL ORDER BY {self.value}, {_KEY}"
        nth = f"printf('{self.prefix}%0{self.digits}d', ntile({self.k}) OVER ({within}))"
        return f"if(({self.value}) IS NULL, NULL, {nth})"

    @property
    def names(self) -> list[str]:
        """Of the strata, in order."""
        return [f"{self.prefix}{i:0{self.digits}d}" for i in range(1, self.k + 1)]

    @property
    def digits(self) -> int:
        """Of the number of a stratum."""
        return len(str(self.k))


QUANTILES = {
    "effect_size": Quantiles("if(label = 'pval_nominal', NULL, abs(effect - null_value))", 4, "Q"),
    "peak_signal": Quantiles("peak_signal", 4, "Q"),
    "score_decile": Quantiles("abs(score)", 10, "D"),
}

#: Stratifications by name. Quantiles are those of the rows that are analysed.
STRATA = {
    "all": "'all'",
    "kind": "kind",
    "peak": "peak",
    "effect_size": QUANTILES["effect_size"].sql,
    "effect_cut": "effect_cut",
    "pip": "pip_bin",
    "tss_distance": "tss_bin",
    "maf": "maf_bin",
    "egene": "egene",
    "peak_signal": QUANTILES["peak_signal"].sql,
    "summit_distance": "summit_bin",
    "mhc": "if(in_mhc, 'MHC', 'outside the MHC')",
    "score_decile": QUANTILES["score_decile"].sql,
    "chrom": "chrom::VARCHAR",
}  # fmt: skip


#: Not for users: that of the steps of agdb compare-study.
OF_STEPS = "study"


def chosen(con: duckdb.DuckDBPyConnection, asked: list[str] | None) -> dict[str, str]:
    """Stratifications by name: those that were asked for, by name or as NAME=SQL; all of them for None.

    Raises:
        UsageError: an unknown name, or an expression that is not SQL over the columns of view analysed_qtl.
    """
    if asked is None:
        return dict(STRATA)
    found = {"all": STRATA["all"]}
    for text in asked:
        name, equals, sql = (part.strip() for part in text.partition("="))
        if not equals:
            if name not in STRATA:
                raise UsageError(f"unknown stratification {name!r}",
                                 cure=f"one of {', '.join(STRATA)}; or one of yours: NAME=SQL")  # fmt: skip
            found[name] = STRATA[name]
            continue
        if not re.fullmatch(r"[A-Za-z_]\w*", name) or name in {*STRATA, *found, OF_STEPS}:
            raise UsageError(f"{name!r} cannot name a stratification", cure="a word that no other one has: NAME=SQL")
        expression.check(con, sql, f"stratification {name}")
        found[name] = f"({sql})::VARCHAR"
    return found
