"""Does the provider repeat itself? A sample of the scored variants is scored again; the scores go to `replicate`."""

import json
from dataclasses import dataclass
from pathlib import Path

import duckdb

from agdb import db
from agdb.errors import UsageError
from agdb.predictors.contract import Computation, Scorer
from agdb.predictors.scorers import presets
from agdb.schema import same


@dataclass(frozen=True)
class Drawn:
    """A sample of the scored variants: a share of them, or so many; drawn by hash, with a seed."""

    share: float | None
    n: int | None
    seed: int


def share(text: str) -> tuple[float | None, int | None]:
    """`0.5%` is a share, `500` a number.

    Raises:
        UsageError: it is neither.
    """
    try:
        if text.endswith("%"):
            value = float(text[:-1]) / 100
            if 0 < value <= 1:
                return value, None
        elif int(text) > 0:
            return None, int(text)
    except ValueError:
        pass
    raise UsageError(f"{text!r} is no sample", cure="--sample 0.5%, or --sample 500")


def named(database: Path, name: str, window_bp: int | None) -> Scorer | None:
    """The scorer that a user made by `--name`; None where agdb knows the name itself, or the database does not.

    Raises:
        UsageError: it has several windows, and none was said.
    """
    if name in ("motif", "alphagenome", "rna") or name in presets():
        return None
    with db.reading(database) as con:
        found = con.execute(
            "SELECT config FROM scorer WHERE name = ? AND window_bp = coalesce(?, window_bp) ORDER BY window_bp",
            [name, window_bp],
        ).fetchall()
    if not found:
        return None
    configs = [json.loads(config) for (config,) in found]
    if len(configs) > 1:
        windows = " or ".join(f"--window {config['window_bp']}" for config in configs)
        raise UsageError(f"there are {len(configs)} scorers {name!r}", cure=windows)
    config = configs[0]
    of_scorer = {key: config.pop(key) for key in ("name", "track_set", "track_aggregation")}
    computations = tuple(Computation(provider=provider, **config) for provider in config.pop("providers"))
    return Scorer(computations=computations, **of_scorer)


def drawn(computation: Computation, scorer: Scorer, sample: Drawn) -> str:
    """SQL of the variants of a sample: chrom, pos, ref, alt; at least one, if anything has been scored."""
    scored = (
        f"SELECT assembly, chrom, pos, ref, alt FROM answer WHERE scorer_id = '{scorer.scorer_id}' "
        f"AND computation_id = '{computation.computation_id}'"
    )
    n = str(sample.n) if sample.n is not None else f"(SELECT ceil(count(*) * {sample.share})::BIGINT FROM ({scored}))"
    return (
        f"SELECT chrom, pos, ref, alt FROM (FROM ({scored}) QUALIFY row_number() OVER "
        f"(ORDER BY md5(variant_id(chrom, pos, ref, alt) || ':{sample.seed}'), pos) <= {n})"
    )


def report(con: duckdb.DuckDBPyConnection, scorer: Scorer) -> tuple[list[str], list[tuple[object, ...]]]:
    """Columns and rows: of each audit of a scorer, how its scores differ from those that are stored, in its tracks."""
    result = con.execute(
        "SELECT r.run_id, c.provider, count(DISTINCT (r.chrom, r.pos, r.ref, r.alt)) AS variants, count(*) AS scores, "
        "avg((r.score = p.score)::INTEGER) AS share_identical, max(abs(r.score - p.score)) AS largest_difference, "
        "sqrt(avg((r.score - p.score) ** 2)) AS rms_difference, stddev_samp(p.score) AS sd_of_scores "
        "FROM replicate AS r JOIN computation AS c ON c.computation_id = r.computation_id "
        f"JOIN prediction AS p ON p.computation_id = r.computation_id AND {same('p', 'r')} "
        "AND p.gene_id IS NOT DISTINCT FROM r.gene_id AND p.track_id IS NOT DISTINCT FROM r.track_id "
        "WHERE r.computation_id IN ? AND (r.track_id IS NULL OR r.track_id IN "
        "(SELECT track_id FROM scorer_track WHERE scorer_id = ?)) GROUP BY ALL ORDER BY r.run_id",
        [[c.computation_id for c in scorer.computations], scorer.scorer_id],
    )
    return [d[0] for d in result.description or []], result.fetchall()
