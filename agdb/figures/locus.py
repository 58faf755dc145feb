"""One gene: effects, scores, peaks and transcription starts along the chromosome."""

from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from agdb import plots
from agdb.analysis.groups import Group
from agdb.analysis.rows import query
from agdb.errors import UsageError
from agdb.figures.choice import Choice, Drawn, floats, one_group, rows, table, unit_of

#: Neighbouring genes that are named.
NEIGHBOURS = 4


def locus(con: duckdb.DuckDBPyConnection, choice: Choice) -> Drawn:
    """The associations of one gene with their scores.

    Raises:
        UsageError: nothing matches, several do, no gene was given, or it has no scored association.
    """
    group = one_group(con, choice)
    scorer = group.scorers[0]
    gene, name = _gene(con, group, choice.gene)
    data = table(
        con,
        f"SELECT chrom::VARCHAR AS chrom, pos, ref, alt, phenotype_id, effect, slope_se, score_0 AS score, "
        f"stratum_0 AS side, tss_distance FROM ({query(group, {'side': _SIDE})}) "
        "WHERE unversioned(phenotype_id) = ? ORDER BY pos, ref, alt",
        [gene],
    )
    chrom = data["chrom"][0].as_py()
    pos = np.asarray(data["pos"].cast(pa.int64()).to_numpy())
    tss, genes = _starts(con, group, gene, name, data)
    ends = [float(pos.min()), float(pos.max()), *([] if tss is None else [tss])]
    pad = max(0.05 * (max(ends) - min(ends)), 500)
    low, high = min(ends) - pad, max(ends) + pad
    peaks = _peaks(con, group, chrom, low, high)
    effect, score = floats(data, "effect"), floats(data, "score")
    variants = plots.Variants(pos, effect, floats(data, "slope_se"), score, np.array(data["side"].to_pylist()))
    shown = [g for g in genes if low <= g[1] <= high][: NEIGHBOURS + 1]
    known = not data["side"].to_pylist().count("peaks not known")
    in_view = f"{peaks.num_rows:,} peaks in view" if known else f"no peaks are known on {chrom}"
    counted = f"n = {len(pos):,} associations with {name}, {in_view}"
    both = name if name == gene else f"{name} ({gene})"
    figure = plots.locus(
        variants, np.stack([floats(peaks, "chrom_start"), floats(peaks, "chrom_end")], axis=1), shown, chrom=chrom,
        effect_label=unit_of(group), score_label=f"{scorer.name} score\n({scorer.window_bp:,} bp)",
        title=f"{both}, {group.tissue}: {group.labels.label} of {group.source}", told=counted,
        note="Bars of effects: 95 % intervals, 1.96 slope_se. Variants of a locus are linked: no correlation is told. "
             + ("No transcription start is known: agdb ingest genes." if tss is None else "Dashed: the gene's TSS."),
        null_effect=group.null_value,
    )  # fmt: skip
    return Drawn("locus", figure, data, f"{counted}, {chrom}:{pos.min():,}-{pos.max():,}")


_SIDE = "CASE WHEN in_peak THEN 'in a peak' WHEN NOT in_peak THEN 'outside peaks' ELSE 'peaks not known' END"


def _peaks(con: duckdb.DuckDBPyConnection, group: Group, chrom: str, low: float, high: float) -> pa.Table:
    """Peaks that reach into a stretch of a chromosome."""
    return table(
        con,
        "SELECT DISTINCT chrom_start, chrom_end FROM peak_bin WHERE kind = 'peaks' AND assembly = "
        "(SELECT assembly FROM source WHERE source_id = ?) AND chrom = ? AND chrom_start < ? AND chrom_end > ? "
        "ORDER BY ALL",
        [group.source_id, chrom, high, low],
    )


def _gene(con: duckdb.DuckDBPyConnection, group: Group, asked: str | None) -> tuple[str, str]:
    """(id without version, name) of the gene that is asked for by either."""
    found = con.execute(
        f"SELECT gene, coalesce(any_value(g.gene_name), gene) AS name, any_value(n) AS n FROM "
        f"(SELECT unversioned(phenotype_id) AS gene, count(*) AS n FROM ({query(group, {})}) GROUP BY ALL) "
        "LEFT JOIN (SELECT unversioned(gene_id) AS gene, gene_name FROM gene UNION ALL "
        "SELECT unversioned(gene_id), gene_name FROM egene) AS g USING (gene) "
        "GROUP BY gene ORDER BY n DESC, gene",
    ).fetchall()
    wanted = con.execute("SELECT unversioned(?)", [asked]).fetchall()[0][0]
    for gene, name, _ in found:
        if wanted is not None and wanted in (gene, name):
            return gene, name
    listed = ", ".join(f"{name} ({n:,})" for _, name, n in found[:8])
    what = "no gene was given" if asked is None else f"{asked} has no scored association in {group.source}"
    raise UsageError(what, cure=f"--gene ID or NAME; those with most associations: {listed}")


def _starts(
    con: duckdb.DuckDBPyConnection, group: Group, gene: str, name: str, data: pa.Table
) -> tuple[float | None, list[tuple[str, float, int]]]:
    """TSS of the gene, from the annotation or from the table's own distances; and of it and its neighbours."""
    near = rows(
        table(
            con,
            "SELECT coalesce(any_value(gene_name), gene_id) AS name, unversioned(gene_id) AS gene, "
            "any_value(tss) AS tss, any_value(strand) AS strand FROM gene "
            "WHERE assembly = (SELECT assembly FROM source WHERE source_id = ?) AND chrom = ? AND tss IS NOT NULL "
            "GROUP BY gene_id ORDER BY tss",
            [group.source_id, data["chrom"][0].as_py()],
        )
    )
    own = next((r for r in near if r["gene"] == gene), None)
    if own is not None:
        others = sorted((r for r in near if r is not own), key=lambda r: abs(r["tss"] - own["tss"]))
        return float(own["tss"]), [_start(own), *map(_start, others[:NEIGHBOURS])]
    distances = [(r["pos"], r["tss_distance"]) for r in rows(data) if r["tss_distance"] is not None]
    if not distances:
        return None, []
    tss = float(distances[0][0] - distances[0][1])
    return tss, [(name, tss, 0)]


def _start(row: dict[str, Any]) -> tuple[str, float, int]:
    return str(row["name"]), float(row["tss"]), {"+": 1, "-": -1}.get(row["strand"], 0)
