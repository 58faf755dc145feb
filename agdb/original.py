"""`agdb export --layout original`: the files of the study that agdb re-does, under their names and with their columns.

For people who compare theirs with ours, file by file: five of the study's first run, and twelve of its comparison of
windows. What the database cannot give is left out, and the reason is told. The names are those of its repository; so is
the column name `slope`, whatever the label is (in the study's own files it is pval_nominal, as a note says).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

import duckdb

from agdb import export, figures, statistics
from agdb.analysis import labels
from agdb.analysis.groups import OneScorer, groups, probing_with_associations
from agdb.errors import AgdbError, Refused, UsageError
from agdb.export.files import whole
from agdb.export.tables import LINES, copied
from agdb.query import literal

#: How the study calls the windows that it had.
_CALLED = {2048: "Standard (2 KB)", 16384: "Promoter-proximal (16 KB)", 131072: "TAD-scale (131 KB)"}

_FIRST = 2048  # the window of its first run

_BUILD = {"GRCh38": "b38", "GRCh37": "b37"}

#: Label sets that have these labels, for the figures.
_LABEL_SET = {"slope": "all", "pval_nominal": "p-value", "conditional_slope": "conditional"}

_ROWS = """
    SELECT variant_id(q.chrom, q.pos, q.ref, q.alt) || '_' || {build} AS variant_id, q.gene_id, s.effect AS slope,
           p.ref_value AS ref_score, p.alt_value AS alt_score, s.score AS delta_pred
    FROM scored_qtl AS s
    JOIN qtl AS q
      ON q.source_id = s.source_id AND q.assembly = s.assembly AND q.chrom = s.chrom AND q.pos = s.pos AND q.ref = s.ref
     AND q.alt = s.alt AND coalesce(q.molecular_trait_id, q.gene_id) = s.phenotype_id
    JOIN score AS p
      ON p.scorer_id = s.scorer_id AND p.assembly = s.assembly AND p.chrom = s.chrom AND p.pos = s.pos
     AND p.ref = s.ref AND p.alt = s.alt AND (p.gene_id IS NULL OR p.gene_id = gene_key(s.gene_id))
    WHERE s.source_id = {source} AND s.label = {label} AND s.scorer_id = {scorer}
    ORDER BY q.rowid"""

_BED = """
    SELECT q.chrom, q.pos - 1, q.pos,
           concat_ws(':', variant_id(q.chrom, q.pos, q.ref, q.alt) || '_' || {build},
                     coalesce(q.gene_id, l.phenotype_id), l.effect, q.ref, q.alt)
    FROM label AS l
    JOIN qtl AS q
      ON q.source_id = l.source_id AND q.assembly = l.assembly AND q.chrom = l.chrom AND q.pos = l.pos AND q.ref = l.ref
     AND q.alt = l.alt AND coalesce(q.molecular_trait_id, q.gene_id) = l.phenotype_id
    WHERE l.source_id = {source} AND l.label = {label} AND {where}
    ORDER BY q.rowid"""

_IN_PEAK = (
    "(q.chrom, q.pos, q.ref, q.alt) IN (SELECT (chrom, pos, ref, alt) FROM variant_in_peak_point WHERE assembly = {})"
)


class Window(NamedTuple):
    """A scorer at one window, on the associations of the choice: what the study's statistics are of.

    Statistics are None where they are not defined: `_check_defined` comes before they are written.
    """

    bp: int
    scorer_id: str
    n: int
    spearman: float
    pearson: float
    effect_mean: float
    effect_sd: float
    score_mean: float
    score_sd: float

    @property
    def called(self) -> str:
        """As the study calls it."""
        return _CALLED.get(self.bp, self.size.replace("kb", " KB").replace("bp", " bp"))

    @property
    def size(self) -> str:
        """As the study's folders have it: 2048 is 2kb. Other numbers than powers of two are written out."""
        return f"{self.bp // 1000}kb" if self.bp >= 1024 and self.bp.bit_count() == 1 else f"{self.bp}bp"


@dataclass
class Written:
    """What was made, path by path; what was left out, with its reason; and what is to be known of them."""

    made: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Study:
    """One QTL source, label and scorer: what the files are of."""

    con: duckdb.DuckDBPyConnection
    source_id: int
    source: str
    label: str
    scorer: str
    assembly: str
    model: str
    windows: list[Window]

    @property
    def build(self) -> str:
        return literal(_BUILD.get(self.assembly, self.assembly))

    def choice(self, window_bp: int | None = None) -> figures.Choice:
        return figures.Choice(_LABEL_SET[self.label], self.source_id, self.scorer, window_bp)


def write(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    source_id: int | None = None,
    label: str | None = None,
    scorer: str | None = None,
) -> Written:
    """Write the files into a new or empty folder: all that can be made, or none.

    Args:
        con: A reading connection.
        folder: See above.
        source_id, label, scorer: What the files are of; None where there is only one.

    Raises:
        UsageError: several sources, labels or scorers match (they are listed), or none.
        Refused: the folder holds something, or cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Refused("the folder holds something already", where=str(folder), cure="give a new or empty folder")
    with probing_with_associations(con):
        study = _chosen(con, source_id, label, scorer)
        written = Written(notes=list(_notes(study)))
        with whole(folder) as part:
            for name, make in _files(study):
                (part / name).parent.mkdir(parents=True, exist_ok=True)
                try:
                    make(part / name)
                except AgdbError as error:
                    written.left_out[name] = error.what
                else:
                    written.made.append(name)
    return written


def _chosen(con: duckdb.DuckDBPyConnection, source_id: int | None, label: str | None, scorer: str | None) -> _Study:
    scored = [
        group
        for name, label_set in _LABEL_SET.items()
        if label in (None, name)
        for group in groups(con, labels.named(con, label_set), scorer, source_id=source_id)
    ]
    of: dict[tuple[int, str, str, str], list[OneScorer]] = {}
    for g in scored:
        of.setdefault((g.source_id, g.source, g.labels.label, g.scorers[0].name), []).extend(g.scorers)
    if len(of) != 1:
        listed = "\n    ".join("--source {0} --label {2} --scorer {3}   ({1})".format(*row) for row in list(of)[:12])
        what = "several label sets and scorers match" if of else "no association has a score that matches"
        raise UsageError(what, cure=f"choose one:\n    {listed}" if of else "agdb sql 'FROM correlation' lists them")
    (((source_id, source, label, scorer), scorers),) = of.items()
    ((assembly, model),) = con.execute(
        "SELECT s.assembly::VARCHAR, r.model FROM source AS s, scorer AS r WHERE source_id = ? AND scorer_id = ?",
        [source_id, scorers[0].scorer_id],
    ).fetchall()
    windows = [_window(con, source_id, label, s) for s in sorted(scorers, key=lambda s: (s.window_bp, s.scorer_id))]
    return _Study(con, source_id, source, label, scorer, assembly, model, windows)


def _window(con: duckdb.DuckDBPyConnection, source_id: int, label: str, scorer: OneScorer) -> Window:
    # constants, which go below what the views count; parameters do not: all tissues would be ranked
    where = f"source_id = {source_id} AND label = {literal(label)} AND scorer_id = {literal(scorer.scorer_id)}"
    ((spearman, pearson),) = con.execute(f"SELECT spearman, pearson FROM correlation WHERE {where}").fetchall()
    ((n, *moments),) = con.execute(
        "SELECT count(*), avg(effect), stddev_samp(effect), avg(score), stddev_samp(score) FROM scored_qtl "
        f"WHERE {where}"
    ).fetchall()
    return Window(scorer.window_bp, scorer.scorer_id, n, spearman, pearson, *moments)


def _notes(study: _Study) -> Iterator[str]:
    if study.label != "slope":
        yield f"the column slope holds {study.label}, the label of {study.source}"
    if not study.model.startswith("alphagenome"):
        yield f"where names and texts say AlphaGenome, it is {study.scorer}"
    values = f"FROM score WHERE scorer_id = {literal(study.windows[0].scorer_id)} AND ref_value IS NOT NULL LIMIT 1"
    if not study.con.execute(values).fetchall():
        yield f"ref_score and alt_score are empty: {study.scorer} gives differences alone"
    peaks = study.con.execute(
        "SELECT DISTINCT biosample FROM source WHERE kind = 'peaks' AND assembly = ? ORDER BY 1", [study.assembly],
    ).fetchall()  # fmt: skip
    if peaks and [name for (name,) in peaks] != ["K562"]:
        yield f"filtered_eqtls_in_k562_dhs.bed is of peaks of {', '.join(name for (name,) in peaks)}"


def _files(study: _Study) -> Iterator[tuple[str, Callable[[Path], None]]]:
    """Every file of the study's repository, and what makes it; a maker that cannot raises the reason."""
    yield "output/gtex_eqtls.bed", lambda path: _bed(study, path, "true")
    yield "output/filtered_eqtls_in_k562_dhs.bed", lambda path: _bed_in_peaks(study, path)
    first = next((w for w in study.windows if w.bp == _FIRST), None)
    yield "output/alphagenome_eqtl_predictions.csv", lambda path: _predictions(study, _there(first), path)
    yield "output/alphagenome_vs_gtex_benchmark.txt", lambda path: _benchmark(_there(first), path)
    yield "output/scatter_plot.png", lambda path: _figure(study, "scatter", path, _there(first).bp)
    of = "multi_window_experiment/output"
    for window in study.windows:
        inside = f"{of}/window_{window.size}"
        yield f"{inside}/predictions.csv", partial(_predictions, study, window)
        yield f"{inside}/statistics.txt", partial(_statistics, window)
        yield f"{inside}/scatter_plot.png", partial(_figure, study, "scatter", window_bp=window.bp)
    yield f"{of}/comparative_analysis/correlation_summary.csv", lambda path: _summary(study.windows, path)
    yield f"{of}/comparative_analysis/side_by_side_comparison.png", lambda path: _figure(study, "panels", path)
    yield f"{of}/comparative_analysis/correlation_bar_chart.png", lambda path: _figure(study, "windows", path)
    yield f"{of}/EXPERIMENT_SUMMARY.txt", lambda path: _no_verdict()


def _there(window: Window | None) -> Window:
    if window is None:
        raise Refused(f"there are no scores at {_FIRST:,} bp, the window of the study's first run")
    return window


def _check_defined(windows: list[Window]) -> None:
    if unknown := [f"{window.bp:,}" for window in windows if None in window[3:]]:
        raise Refused(f"the correlation at {', '.join(unknown)} bp is not defined: its scores have no direction, or "
                      "there are no two rows that differ in label and in score")  # fmt: skip


def _no_verdict() -> None:
    raise Refused("its verdict is of a threshold (max - min > 0.05); agdb stats gives the difference and its interval")


def _bed(study: _Study, path: Path, where: str) -> None:
    query = _BED.format(build=study.build, source=study.source_id, label=literal(study.label), where=where)
    study.con.execute(copied(query, path, LINES))


def _bed_in_peaks(study: _Study, path: Path) -> None:
    query = "SELECT count(*) FROM source WHERE kind = 'peaks' AND assembly = ?"
    if study.con.execute(query, [study.assembly]).fetchall() == [(0,)]:
        raise Refused(f"no peaks of {study.assembly} are ingested")
    _bed(study, path, _IN_PEAK.format(literal(study.assembly)))


def _predictions(study: _Study, window: Window, path: Path) -> None:
    query = _ROWS.format(build=study.build, source=study.source_id, label=literal(study.label),
                         scorer=literal(window.scorer_id))  # fmt: skip
    study.con.execute(copied(query, path, export.COPY["csv"]))


def _figure(study: _Study, name: str, path: Path, window_bp: int | None = None) -> None:
    figures.write(study.con, figures.draw(study.con, name, study.choice(window_bp)), path)


def _correlations(window: Window) -> str:
    p_spearman, p_pearson = statistics.correlation_pvalue([window.spearman, window.pearson], window.n)
    return (
        f"Spearman correlation: {window.spearman:.4f}\nSpearman p-value: {p_spearman:.2e}\n\n"
        f"Pearson correlation: {window.pearson:.4f}\nPearson p-value: {p_pearson:.2e}\n\n"
    )


def _moments(window: Window, digits: int) -> str:
    named = {"GTEx slope mean": window.effect_mean, "GTEx slope std": window.effect_sd,
             "AlphaGenome delta mean": window.score_mean, "AlphaGenome delta std": window.score_sd}  # fmt: skip
    return "".join(f"{name}: {value:.{digits}f}\n" for name, value in named.items())


def _statistics(window: Window, path: Path) -> None:
    _check_defined([window])
    path.write_text(
        f"{window.called} Window Results\n{'=' * 60}\n\nWindow size: {window.bp} bp\nNumber of variants: {window.n}\n\n"
        f"{_correlations(window)}{_moments(window, 6)}", encoding="utf-8",
    )  # fmt: skip


def _benchmark(window: Window, path: Path) -> None:
    _check_defined([window])
    path.write_text(
        f"AlphaGenome vs GTEx eQTL Benchmark Results\n{'=' * 60}\n\nNumber of variants: {window.n}\n\n"
        f"{_correlations(window)}Summary Statistics:\n{_moments(window, 4)}", encoding="utf-8",
    )  # fmt: skip


def _summary(windows: list[Window], path: Path) -> None:
    _check_defined(windows)
    lines = ["Window Size,Window (bp),N Variants,Spearman r,Spearman p,Pearson r,Pearson p,eQTL Effect Std,"
             "Prediction Std"]  # fmt: skip
    for w in windows:
        p_spearman, p_pearson = statistics.correlation_pvalue([w.spearman, w.pearson], w.n)
        lines.append(f"{w.called},{w.bp},{w.n},{w.spearman:.4f},{p_spearman:.2e},{w.pearson:.4f},{p_pearson:.2e},"
                     f"{w.effect_sd:.6f},{w.score_sd:.6f}")  # fmt: skip
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
