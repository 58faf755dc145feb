"""Every track of a model: which agree with what was measured."""

import duckdb
import numpy as np
import pyarrow as pa

from agdb import plots, statistics
from agdb.analysis.groups import Group
from agdb.analysis.rows import query
from agdb.errors import Refused
from agdb.figures.choice import Choice, Drawn, one_group, rows, table, title

#: Columns of the map, where they have rows.
STRATA = ("all", "in peak", "outside peaks", "SNV", "deletion", "insertion", "MNV")

#: Associations that a stratum must have to be a column: of fewer, correlations of hundreds of tracks are noise.
FEWEST = 10


def tracks(con: duckdb.DuckDBPyConnection, choice: Choice) -> Drawn:
    """Spearman of every track that the scorer's computation keeps, with the tracks of the scorer itself marked.

    Raises:
        UsageError: nothing matches, or several do.
        Refused: the scorer's computation keeps no tracks, or its scores have no direction.
    """
    group = one_group(con, choice)
    scorer = group.scorers[0]
    data = _of_tracks(con, group) if scorer.is_signed else pa.table({"track_id": pa.array([], pa.int32())})
    found = [row for row in rows(data) if row["spearman"] is not None]
    overall = {row["track_id"]: row for row in found if row["stratum"] == "all"}
    if len(overall) < 2:
        what = "keeps no scores of several tracks" if scorer.is_signed else "has no direction"
        cure = "a scorer of AlphaGenome keeps all tracks of its output: agdb predict dnase-k562"
        raise Refused(f"{scorer.name} {what}", cure=cure)
    order = sorted(overall, key=lambda t: (-overall[t]["spearman"], t))
    most = {s: max((row["n"] for row in found if row["stratum"] == s), default=0) for s in STRATA}
    strata = [s for s in STRATA if most[s] >= FEWEST]
    by = {(row["track_id"], row["stratum"]): row["spearman"] for row in found}
    rho = np.array([[by.get((t, s), np.nan) for s in strata] for t in order])
    n = np.array([overall[t]["n"] for t in order])
    interval = statistics.bonett_wright_interval(rho[:, 0], n)
    names = [_named(overall[t]) for t in order]
    figure = plots.tracks(
        names, rho, interval.low, interval.high, [(s, most[s]) for s in strata],
        np.array([overall[t]["is_of_scorer"] for t in order]),
        title=f"{title(group)}, every track behind {scorer.name} ({scorer.window_bp:,} bp)",
        told=f"n = {n.max():,} associations, {len(order):,} tracks; the best of so many is too good by chance",
        note="Intervals: of independent rows (Bonett-Wright), one track at a time.",
    )  # fmt: skip
    told = (f"{len(order):,} tracks of {scorer.name}, n = {n.max():,}: from {rho[0, 0]:+.3f} ({names[0]}) to "
            f"{rho[-1, 0]:+.3f} ({names[-1]})")  # fmt: skip
    return Drawn("tracks", figure, data, told)


#: What of a row tells which score in a track is its own, and the columns that it is in.
_DIVIDED = {
    "assembly": "assembly::VARCHAR",
    "gene": "coalesce(gene_key(gene_id), '')",
    "kind": "kind",
    "side": "CASE WHEN in_peak THEN 'in peak' WHEN NOT in_peak THEN 'outside peaks' END",
}


def _of_tracks(con: duckdb.DuckDBPyConnection, group: Group) -> pa.Table:
    """One row a track and stratum: n and Spearman (average ranks) of the rows of the group."""
    return table(
        con,
        f"""
        WITH r AS ({query(group, _DIVIDED)}),
        of_track AS (
          SELECT r.effect, p.score, p.track_id, unnest(['all', r.stratum_2, r.stratum_3]) AS stratum
          FROM r
          JOIN answer AS a
            ON a.scorer_id = $scorer AND a.assembly = r.stratum_0 AND a.chrom = r.chrom AND a.pos = r.pos
           AND a.ref = r.ref AND a.alt = r.alt
          JOIN prediction AS p
            ON p.computation_id = a.computation_id AND p.assembly = a.assembly AND p.chrom = r.chrom AND p.pos = r.pos
           AND p.ref = r.ref AND p.alt = r.alt AND (p.gene_id IS NULL OR p.gene_id = r.stratum_1)
          WHERE p.track_id IS NOT NULL
        ),
        ranked AS (
          SELECT track_id, stratum,
                 count(*) OVER (g ORDER BY effect RANGE UNBOUNDED PRECEDING) + rank() OVER (g ORDER BY effect)
                   - count(*) OVER g - 1 AS e,
                 count(*) OVER (g ORDER BY score RANGE UNBOUNDED PRECEDING) + rank() OVER (g ORDER BY score)
                   - count(*) OVER g - 1 AS s
          FROM of_track
          WHERE stratum IS NOT NULL
          WINDOW g AS (PARTITION BY track_id, stratum)
        ),
        agreement AS (
          SELECT track_id, stratum, count(*) AS n,
                 sum(e * s)::DOUBLE / nullif(sqrt(sum(e * e)::DOUBLE * sum(s * s)::DOUBLE), 0) AS spearman
          FROM ranked
          GROUP BY track_id, stratum
        )
        SELECT g.track_id, t.name AS track, t.strand, t.biosample_name, g.stratum, g.n, g.spearman,
               o.track_id IS NOT NULL AS is_of_scorer
        FROM agreement AS g
        JOIN track AS t ON t.track_id = g.track_id
        LEFT JOIN scorer_track AS o ON o.scorer_id = $scorer AND o.track_id = g.track_id
        ORDER BY ALL""",
        {"scorer": group.scorers[0].scorer_id},
    )


def _named(row: dict[str, object]) -> str:
    strand = f" ({row['strand']})" if row["strand"] in ("+", "-") else ""
    name = str(row["biosample_name"] or row["track"]) + strand
    return name if len(name) <= 40 else f"{name[:38]}..."
