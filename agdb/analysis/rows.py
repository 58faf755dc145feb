"""The rows of a label set and its scorers, as arrays."""

import os
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from agdb.analysis import expression
from agdb.analysis.groups import Group, probing_with_associations
from agdb.analysis.strata import QUANTILES, Quantiles
from agdb.errors import UsageError

Floats = NDArray[np.float64]
Ints = NDArray[np.integer]

#: What tells a row from others of its label set.
KEY = ("assembly", "chrom", "pos", "ref", "alt", "phenotype_id")

#: Strata that a division may have: their sums over clusters, and their replicates, are held in memory.
MOST_STRATA = 1_000

#: Rows that are brought at a time.
_ROWS_AT_ONCE = 200_000

#: Columns that are made strata at a time.
_AT_ONCE = 2


@dataclass(frozen=True)
class Division:
    """A way to divide the rows: each row's stratum as a number (-1: in none), and their names."""

    name: str
    codes: Ints
    strata: list[str]


class Places(NamedTuple):
    """Where n rows lie, and of which phenotype: numbers and what they stand for.

    chrom, phenotype: Numbers of `chroms`, `phenotypes`. start, end: Of REF, 0-based half-open. Shape (n,).
    """

    chrom: Ints
    chroms: list[str]
    start: Ints
    end: Ints
    phenotypes: list[str]


@dataclass(frozen=True)
class Rows:
    """n rows in genome order.

    Attributes:
        effect: Measured effect of ALT against REF, less the value that means none. Shape (n,).
        scores: One row a scorer. Shape (scorers, n).
        slope_se, log_tss_distance, maf: NaN where not known. Shape (n,).
        variant, phenotype, cluster: Numbers from 0. Shape (n,).
        cluster_of: What a cluster is: block, mb, gene, chrom.
        divisions: Ways to divide the rows.
        sql: The query they came from.
        pval_nominal: NaN where not known. Shape (n,).
        places: Where they lie.
        more: Other columns that were asked for, by name. Shape (n,).
    """

    effect: Floats
    scores: Floats
    slope_se: Floats
    log_tss_distance: Floats
    maf: Floats
    variant: Ints
    phenotype: Ints
    cluster: Ints
    cluster_of: str
    divisions: list[Division]
    sql: str
    pval_nominal: Floats = field(default_factory=lambda: np.zeros(0))
    places: Places | None = None
    more: dict[str, NDArray[Any]] = field(default_factory=dict)

    @property
    def n_clusters(self) -> int:
        """How many clusters there are."""
        return int(self.cluster.max()) + 1 if len(self.cluster) else 0


def read(
    con: duckdb.DuckDBPyConnection, group: Group, strata: Mapping[str, str], more: Mapping[str, str] | None = None
) -> Rows:
    """Bring the rows of a group; those that every scorer of it scored. `more`: other columns, as SQL, by name."""
    values = {name: QUANTILES[name].value if name in QUANTILES else sql for name, sql in strata.items()}
    with expression.over_rows_of(group.labels.name), probing_with_associations(con):
        table = _table(con.sql(query(group, values, more)))
    floats = {name: _floats(table[name]) for name in ("effect", "slope_se", "tss_distance", "maf", "pval_nominal")}
    (chrom, chroms), (ref, refs), block = _codes(table["chrom"]), _codes(table["ref"]), _ints(table["cluster_start"])
    pos = _ints(table["pos"])
    variant = _runs(chrom, pos, ref, _codes(table["alt"])[0])
    phenotype, phenotypes = _codes(table["phenotype_id"])
    lengths = np.array([len(text) for text in refs], np.int64)
    places = Places(chrom, chroms, pos - 1, pos - 1 + (lengths[ref] if len(ref) else 0), phenotypes)
    cluster_of = group.labels.cluster
    if cluster_of == "block":
        # not runs: the two ends of a 1 Mb window are one cluster, although a block may lie between them
        cluster = numbered(chrom * 2**32 + block)
        cluster_of = "block" if (block >= 0).any() else "mb"
    else:
        cluster = phenotype if cluster_of == "gene" else _runs(chrom)
    columns = [table[f"stratum_{i}"] for i in range(len(strata))]
    with ThreadPoolExecutor(min(os.cpu_count() or 1, _AT_ONCE)) as pool:  # sorted without the GIL
        divisions = list(pool.map(_division, strata, columns))
    scores = np.stack([_floats(table[f"score_{i}"]) for i in range(len(group.scorers))])
    distance = np.log10(1 + np.abs(floats["tss_distance"]))
    return Rows(floats["effect"] - group.null_value, scores, floats["slope_se"], distance, floats["maf"], variant,
                phenotype, cluster, cluster_of, divisions, query(group, strata), floats["pval_nominal"],
                places, {name: table[name].to_numpy() for name in more or ()})  # fmt: skip


def query(group: Group, strata: Mapping[str, str], more: Mapping[str, str] | None = None) -> str:
    """SQL of the rows of a group, in genome order."""
    labels, others = group.labels, group.scorers[1:]
    key = ", ".join((*KEY, "source_id") if labels.is_pooled else KEY)
    ids = ", ".join(map(str, group.source_ids))
    joined = "".join(
        f"\nJOIN (SELECT {key}, score AS score_{i} FROM scored_qtl WHERE source_id IN ({ids}) "
        f"AND label = '{labels.label}' AND scorer_id = '{other.scorer_id}') USING ({key})"
        for i, other in enumerate(others, 1)
    )
    scores = "".join(f", score_{i}" for i in range(1, len(group.scorers)))
    strata_sql = "".join(f",\n       {sql} AS stratum_{i}" for i, sql in enumerate(strata.values()))
    strata_sql += "".join(f",\n       {sql} AS {name}" for name, sql in (more or {}).items())
    return f"""
WITH chosen AS (
  SELECT * FROM analysed_qtl
  WHERE effect IS NOT NULL AND {group.where}
  {labels.one_a_variant}
)
SELECT effect, score AS score_0{scores}, slope_se, tss_distance, maf, pval_nominal, chrom, pos, ref, alt,
       phenotype_id, cluster_start{strata_sql}
FROM chosen AS analysed_qtl{joined}
ORDER BY {key}""".strip()


def _table(found: duckdb.DuckDBPyRelation) -> pa.Table:
    """All rows; texts as numbers, part by part: there are never as many texts in memory as rows."""
    reader = found.to_arrow_reader(_ROWS_AT_ONCE)
    texts = {i for i, of in enumerate(reader.schema.types) if pa.types.is_string(of) or pa.types.is_large_string(of)}
    schema = pa.schema([pa.field(of.name, pa.dictionary(pa.int32(), of.type)) if i in texts else of
                        for i, of in enumerate(reader.schema)])  # fmt: skip
    return pa.Table.from_batches(
        (pa.record_batch([c.dictionary_encode() if i in texts else c for i, c in enumerate(part.columns)],
                         schema=schema) for part in reader), schema,
    )  # fmt: skip


def _division(name: str, column: pa.ChunkedArray) -> Division:
    """The strata of a column: texts, or values to make quantiles of."""
    if name in QUANTILES:
        return _quantiles(name, QUANTILES[name], _floats(column))
    codes, names = _codes(column)
    if len(names) > MOST_STRATA:
        raise UsageError(f"stratification {name} has {len(names):,} strata", cure=f"at most {MOST_STRATA:,}: bins")
    order = sorted(range(len(names)), key=lambda k: _natural(names[k]))
    place = np.full(len(names) + 1, -1, np.int16)
    place[order] = np.arange(len(order))
    return Division(name, place[codes], [names[k] for k in order])


def _quantiles(name: str, of: Quantiles, values: Floats) -> Division:
    """Strata of equal size: as SQL's ntile, the first have one row more where the number of rows is no multiple."""
    order = np.argsort(values, kind="stable")[: np.count_nonzero(~np.isnan(values))]
    sizes = np.full(of.k, len(order) // of.k)
    sizes[: len(order) % of.k] += 1
    codes = np.full(len(values), -1, np.int16)
    codes[order] = np.repeat(np.arange(of.k, dtype=np.int16), sizes)
    return Division(name, codes, of.names[: min(of.k, len(order))])


def _floats(column: pa.ChunkedArray) -> Floats:
    return np.asarray(column.cast(pa.float64()).to_numpy(), float)


def _ints(column: pa.ChunkedArray) -> NDArray[np.int64]:
    return np.asarray(column.cast(pa.int64()).to_numpy(), np.int64)


def _codes(column: pa.ChunkedArray) -> tuple[Ints, list[str]]:
    """Each value as a number, NULL as -1, and the values."""
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    encoded = column.unify_dictionaries().combine_chunks()
    codes = np.asarray(encoded.indices.cast(pa.int64()).fill_null(-1).to_numpy(zero_copy_only=False))
    return codes, [str(name) for name in encoded.dictionary.to_pylist()]


def _runs(*columns: Ints) -> Ints:
    """Numbers from 0 for what is distinct in columns that are sorted together."""
    if not len(columns[0]):
        return np.zeros(0, np.int64)
    changes = np.any([column[1:] != column[:-1] for column in columns], axis=0)
    return np.concatenate([[0], np.cumsum(changes)])


def numbered(keys: Ints) -> Ints:
    """Numbers from 0 for what is distinct, in the order in which it comes first."""
    runs = _runs(keys)
    heads = keys[np.flatnonzero(np.r_[True, runs[1:] != runs[:-1]][: len(keys)])]  # sorting these, not every row
    _, first, number = np.unique(heads, return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(first))[number][runs], np.int64)


def _natural(name: str) -> tuple[int, float, str]:
    """Order of strata: bins by their last number (< first, >= and > last), the rest by name."""
    numbers = re.findall(r"[0-9]+(?:\.[0-9]+)?", name)
    first = 0 if name.startswith("<") else 2 if name.startswith(">") else 1
    return (first, float(numbers[-1]) if numbers else 0.0, name)
