"""Causal variants, and those that may be their controls: the rows of view causal_candidate, one a variant.

Mostly they are among the rows of the label set, which are read with the columns that tell; a label set of one row a
variant, or of pooled sources, has other rows, and covariates of the user's are reckoned for candidates alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from agdb.analysis import expression
from agdb.analysis.groups import Group
from agdb.analysis.rows import Rows
from agdb.errors import UsageError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Codes = NDArray[np.integer]
Bools = NDArray[np.bool_]

#: Covariates that are matched, as SQL over view causal_candidate.
COVARIATES = {"tss_distance": "log10(1 + abs(tss_distance))", "maf": "maf"}


@dataclass(frozen=True)
class Candidates:
    """Causal variants and those that may be controls, in genome order.

    Attributes:
        score: Shape (n,).
        is_causal: Shape (n,).
        chrom: Number of the chromosome (of a tissue, where several are pooled): controls are of the same. Shape (n,).
        cluster, gene: Numbers from 0. Shape (n,).
        names: Of the covariates that are known.
        covariates: NaN where not known. Shape (n, covariates).
    """

    score: Floats
    is_causal: Bools
    chrom: Codes
    cluster: Codes
    gene: Codes
    names: list[str]
    covariates: Floats


def chosen(con: duckdb.DuckDBPyConnection, asked: tuple[str, ...] | None) -> dict[str, str]:
    """Covariates by name: those that are always matched, and NAME=SQL of the user's.

    Raises:
        UsageError: no name, one that is taken, or what is no number over the columns of view analysed_qtl.
    """
    found = dict(COVARIATES)
    for text in asked or ():
        name, _, sql = (part.strip() for part in text.partition("="))
        if not name.isidentifier() or name in found:
            raise UsageError(f"{name!r} cannot name a covariate", cure="a word that no other one has: NAME=SQL")
        expression.check(con, sql, f"covariate {name}")
        found[name] = f"({sql})::DOUBLE"
    return found


def columns(group: Group, covariates: Mapping[str, str]) -> dict[str, str]:
    """Columns, as SQL by name, with which the candidates are among the rows of a group; none where they are not."""
    if group.labels.unit != "pair" or group.labels.is_pooled or covariates != COVARIATES:
        return {}
    return {"causal_class": "CASE causal_class WHEN 'causal' THEN 1 WHEN 'control' THEN 0 ELSE -1 END::TINYINT",
            "pip": "pip", "cluster_hash": f"hash({_cluster(group)})",
            **{f"covariate_{i}": sql for i, sql in enumerate(covariates.values())}}  # fmt: skip


def of_rows(rows: Rows, covariates: Mapping[str, str]) -> Candidates:
    """The candidates among rows that were read with `columns`: as `read` finds them."""
    assert rows.places is not None
    found = np.flatnonzero(rows.more["causal_class"] >= 0)
    starts = np.flatnonzero(np.r_[True, np.diff(rows.variant[found]) != 0][: len(found)])
    one = found[starts]
    several = np.diff(np.r_[starts, len(found)]) > 1
    if several.any():  # the row that `query` puts first; rows are in the order of their phenotypes
        of = found[np.repeat(several, np.diff(np.r_[starts, len(found)]))]
        keys = (rows.more["covariate_0"], -rows.more["pip"], rows.variant)  # all of one class
        of = of[np.lexsort([key[of] for key in keys])]
        one[several] = of[np.r_[True, np.diff(rows.variant[of]) != 0]]
    values = {name: np.asarray(rows.more[f"covariate_{i}"][one], float) for i, name in enumerate(covariates)}
    return _known(rows.scores[0][one], rows.more["causal_class"][one] == 1, values, rows.places.chrom[one],
                  _codes(rows.more["cluster_hash"][one]), rows.phenotype[one])  # fmt: skip


def _cluster(group: Group) -> str:
    """Columns that tell a cluster from others."""
    return {"block": "chrom, cluster_start", "gene": "phenotype_id", "chrom": "chrom"}[group.labels.cluster]


def query(group: Group, covariates: Mapping[str, str]) -> str:
    """SQL of the candidates of a group: one row a variant, in genome order; of several phenotypes the nearest one."""
    more = "".join(f", {sql} AS covariate_{i}" for i, sql in enumerate(covariates.values()))
    return f"""
SELECT score, causal_class = 'causal' AS is_causal, tissue, chrom, pos, ref, alt, phenotype_id,
       hash(tissue, chrom) AS place, hash(phenotype_id) AS gene, hash({_cluster(group)}) AS cluster{more}
FROM causal_candidate AS analysed_qtl
WHERE effect IS NOT NULL AND {group.where}
QUALIFY row_number() OVER (
  PARTITION BY tissue, assembly, chrom, pos, ref, alt ORDER BY causal_class, pip DESC, abs(tss_distance), phenotype_id
) = 1
ORDER BY tissue, assembly, chrom, pos, ref, alt""".strip()


def read(con: duckdb.DuckDBPyConnection, group: Group, covariates: Mapping[str, str]) -> Candidates:
    """The candidates of a group; covariates that are known for fewer than half of the causal variants are left out."""
    with expression.over_rows_of(group.labels.name, "a covariate", "causal_candidate"):
        kept = "".join(f", covariate_{i}" for i in range(len(covariates)))
        rows = f"FROM ({query(group, covariates)})"
        found = con.sql(f"SELECT score, is_causal, place, gene, cluster{kept} {rows}").fetchnumpy()
    is_causal = np.asarray(found["is_causal"], bool)
    values = {name: floats(found[f"covariate_{i}"]) for i, name in enumerate(covariates)}
    return _known(floats(found["score"]), is_causal, values, *(_codes(found[n]) for n in ("place", "cluster", "gene")))


def _known(
    score: Floats, is_causal: Bools, covariates: dict[str, Floats], place: Codes, cluster: Codes, gene: Codes
) -> Candidates:
    """Candidates with the covariates that are known for half of the causal variants."""
    of_causal = {name: values[is_causal] for name, values in covariates.items()}
    kept = [name for name, values in of_causal.items() if len(values) and np.isfinite(values).mean() > 0.5]
    columns = [covariates[name] for name in kept]
    return Candidates(score, is_causal, place, cluster, gene, kept,
                      np.stack(columns, axis=1) if columns else np.empty((len(score), 0)))  # fmt: skip


def floats(column: Any) -> Floats:
    """A column of fetchnumpy, NULL as NaN."""
    return np.asarray(np.ma.filled(np.ma.asarray(column, float), np.nan), float)


def _codes(column: Any) -> Ints:
    """Numbers from 0 for what is distinct."""
    return np.asarray(np.unique(np.asarray(column), return_inverse=True)[1], np.int64)
