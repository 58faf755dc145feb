"""A made-up study with everything that figures show, and what is drawn on them: for the tests of figures."""

from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import StepPatch
from numpy.typing import NDArray
from rows import add_scorer, add_tracks, insert, parts
from studies import Floats, Study, add_study, drawn, score

from agdb import db, plots
from agdb.analysis import labels, run

#: Scores of the second window, and of each of the three tracks behind scorer "tracked".
NOISE = 0.8

#: Bases of a peak: every third variant lies in one, the first of all in a second, of 11 bases, as well.
WIDTH = 200


def study() -> Study:
    """280 associations of 240 variants."""
    return drawn(240, rho=0.5, seed=3, two_genes=40)


def noisy(of: Floats, seed: int) -> Floats:
    """The same with noise, the same for the rows of one variant."""
    rng = np.random.default_rng(seed)
    _, first = np.unique(study().variant, return_index=True)
    return of + NOISE * rng.standard_normal(len(first))[study().variant]


def build(path: Path) -> None:
    """Write the study into an empty database, with results of `agdb stats`."""
    with db.writing(path) as con:
        s = study()
        add_study(con, s, scorer="near", null_value=0)
        con.execute("UPDATE source SET rows_read = 1480 WHERE source_id = 1")
        con.execute("INSERT INTO rejected SELECT 1, i, 'p_value_of_zero', 'x' FROM range(1200) AS t(i)")
        score(con, s, "far", noisy(s.score, 5), window_bp=200)
        _track_scores(con, s)
        _peaks(con, s)
        _genes(con, s)
        labels.add(con, labels.LabelSet("by-chrom", cluster="chrom"))
    run.stats(path, run.Asked(resamples=200, scorer="scorer"))


def _track_scores(con: duckdb.DuckDBPyConnection, s: Study) -> None:
    """Scorer "tracked" reads track EFO:1 of three; two variants failed."""
    add_tracks(con, "EFO:1", "EFO:2", "EFO:3")
    add_scorer(con, "tracked", 300, name="tracked", track_set="EFO:1")
    first = np.unique(s.variant, return_index=True)[1]
    ids = [s.ids()[i] for i in first]
    for track in (1, 2, 3):
        values = track_scores(track)[first]
        rows = [
            ["tracked", "GRCh38", *parts(v), None, track, float(x)] for v, x in zip(ids[2:], values[2:], strict=True)
        ]
        insert(con, "prediction (computation_id, assembly, chrom, pos, ref, alt, gene_id, track_id, score)", rows)
    insert(con, "scored_variant (computation_id, assembly, chrom, pos, ref, alt, tracks, run_id)",
           [["tracked", "GRCh38", *parts(v), "all", 1] for v in ids[2:]])  # fmt: skip
    con.execute(
        "INSERT INTO failure SELECT 'tracked', assembly, chrom, pos, ref, alt, 'beyond the chromosome', 1, "
        "now()::TIMESTAMP, 1 FROM variant ORDER BY chrom, pos LIMIT 2"
    )


def track_scores(track: int) -> Floats:
    """Scores of each association's variant in a track: the third goes the wrong way."""
    return noisy(study().score, 10 + track) * (-1 if track == 3 else 1)


def in_peak() -> NDArray[np.bool_]:
    """Whether each association's variant lies in a peak."""
    return np.asarray(study().variant % 3 == 0)


def _peaks(con: duckdb.DuckDBPyConnection, s: Study) -> None:
    own = np.flatnonzero(in_peak())
    chosen = {(s.chrom[i], int(s.pos[i])) for i in own}
    con.execute("INSERT INTO source (source_id, kind, format, name, biosample, assembly, path, sha256, bytes, run_id) "
                "VALUES (70, 'peaks', 'test', 'peaks', 'K562', 'GRCh38', 'f', 's', 1, 1)")  # fmt: skip
    rows = [[70, "K562", "GRCh38", c, p - 51, p - 51 + WIDTH, p + 9] for c, p in sorted(chosen)]
    first = min(chosen, key=lambda x: x[1])
    rows.append([70, "K562", "GRCh38", first[0], first[1] - 1, first[1] + 10, first[1] + 4])
    numbered = [[i, *row] for i, row in enumerate(rows, 1)]
    insert(con, "peak (peak_id, source_id, biosample, assembly, chrom, chrom_start, chrom_end, summit)", numbered)


def _genes(con: duckdb.DuckDBPyConnection, s: Study) -> None:
    """Gene ENSG0, named ALPHA, and a neighbour."""
    con.execute("INSERT INTO source (source_id, kind, format, name, assembly, path, sha256, bytes, run_id) "
                "VALUES (71, 'genes', 'test', 'genes', 'GRCh38', 'f', 's', 1, 1)")  # fmt: skip
    place = int(s.pos[0])
    insert(con, "gene (source_id, assembly, gene_id, gene_name, chrom, chrom_start, chrom_end, strand)",
           [[71, "GRCh38", "ENSG0.7", "ALPHA", "chr1", place - 10, place + 500, "+"],
            [71, "GRCh38", "ENSG900.1", "BETA", "chr1", place + 100, place + 900, "-"]])  # fmt: skip


def xs(line: Any) -> list[float]:
    """Where a line is drawn along x."""
    return [float(v) for v in line.get_xdata()]


def ys(line: Any) -> list[float]:
    """Where a line is drawn along y."""
    return [float(v) for v in line.get_ydata()]


def steps(ax: Any) -> list[float]:
    """Heights of the only histogram of an axes."""
    (found,) = (p for p in ax.patches if isinstance(p, StepPatch))
    values: Any = found.get_data()
    return [float(v) for v in values.values]


def texts(ax: Axes) -> list[str]:
    """What is written inside the axes."""
    return [t.get_text() for t in ax.texts]


def note(figure: plots.Figure) -> str:
    """What is written below a figure."""
    return " ".join(figure.get_supxlabel().split())


def heading(figure: plots.Figure) -> str:
    """What is written above a figure, on one line."""
    return " ".join(figure.get_suptitle().split())


def segments(ax: Axes) -> list[list[tuple[float, float]]]:
    """The error bars of an axes, container by container: their ends as (x, y)."""
    found = []
    for container in ax.containers:
        bars = container[2] if len(container) > 2 else ()
        found += [[(float(x), float(y)) for x, y in part] for bar in bars for part in bar.get_segments()]
    return found
