"""Scores of a file, in temp table `scores`, into table `prediction`: one for a computation, variant, gene and track."""

from collections.abc import Iterable
from pathlib import Path

import duckdb

from agdb import db
from agdb.errors import Refused
from agdb.ingest.alleles import TURNED
from agdb.predictors.contract import Scorer
from agdb.schema import KEY, same

#: The columns of `scores`, in any order; the last four and gene_id may be NULL.
COLUMNS = ("computation_id", *KEY, "gene_id", "track_id", "score", "quantile", "ref_value", "alt_value")

_PLACE = ", ".join(COLUMNS[:8])


def store(con: duckdb.DuckDBPyConnection, path: Path, scorers: Iterable[Scorer], tracks: str, run_id: int) -> int:
    """Store what is in `scores` and was not there; returns how many rows were there already.

    Args:
        path: The file, for an error.
        scorers: Those that read these scores; their computations hold those of `scores`.
        tracks: The tracks that each variant has here, as `scored_variant.tracks`.
        run_id: The run that brought them.

    Raises:
        Refused: the file, or the file and the database, have two different scores in one place.
    """
    for scorer in scorers:
        for computation in scorer.computations:
            db.add_once(con, "computation", computation.row)
        db.add_once(con, "scorer", scorer.row)
    _turn_with_its_variant(con)
    held = f"p.computation_id = i.computation_id AND {same('p', 'i')} " \
           "AND p.gene_id IS NOT DISTINCT FROM i.gene_id AND p.track_id IS NOT DISTINCT FROM i.track_id"  # fmt: skip
    clash = con.execute(
        f"SELECT any_value(variant_id(chrom, pos, ref, alt)) FROM scores GROUP BY {_PLACE} HAVING count(*) > 1 "
        "UNION ALL SELECT variant_id(i.chrom, i.pos, i.ref, i.alt) FROM scores AS i JOIN prediction AS p "
        f"ON {held} WHERE p.score <> i.score LIMIT 1"
    ).fetchall()
    if clash:
        one = next(iter(scorers))
        raise Refused(
            f"{clash[0][0]} has two different scores of scorer {one.name} at {one.of.window_bp:,} bp",
            where=str(path),
            cure="is --window the window of this file, and --model-version its model? the same scorer gives the same "
            "variant one score",
        )
    total = con.execute("SELECT count(*) FROM scores").fetchall()[0][0]
    new = con.execute(f"INSERT INTO prediction BY NAME SELECT i.* FROM scores AS i ANTI JOIN prediction AS p ON {held}")
    n_new = new.fetchall()[0][0]
    con.execute(
        f"INSERT INTO scored_variant SELECT DISTINCT computation_id, {', '.join(KEY)}, $tracks, $run "
        "FROM scores AS i ANTI JOIN scored_variant AS p ON p.computation_id = i.computation_id "
        f"AND p.tracks = $tracks AND {same('p', 'i')}",
        {"tracks": tracks, "run": run_id},
    )
    return int(total - n_new)


def _turn_with_its_variant(con: duckdb.DuckDBPyConnection) -> None:
    """Give scores of swapped or complemented alleles the alleles of the genome, as their associations have got them.

    A score that has a direction is turned with them.
    """
    signed = "(SELECT any_value(c.is_signed) FROM computation AS c WHERE c.computation_id = s.computation_id)"
    sign = f"if(t.is_swapped AND {signed}, -1, 1)"
    con.execute(
        f"UPDATE scores AS s SET ref = t.new_ref, alt = t.new_alt, score = {sign} * score, quantile = {sign} * "
        "quantile, ref_value = if(t.is_swapped, alt_value, ref_value), "
        f"alt_value = if(t.is_swapped, ref_value, alt_value) FROM ({TURNED}) AS t WHERE {same('t', 's')}"
    )
