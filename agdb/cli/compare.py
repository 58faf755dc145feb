"""agdb compare-study: the original study beside the right one, a step at a time."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from agdb.analysis import RESAMPLES
from agdb.cli.app import say
from agdb.cli.statistics import Resamples, Seed

if TYPE_CHECKING:
    import duckdb


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("compare-study", epilog="Example: agdb compare-study --source 6 --original original@2048")(compare)


#: What is printed for eyes: the steps that have numbers.
_STEPS = """
    SELECT step, change AS "what it changes", scorer || ' @' || window_bp AS scorer, n, n_clusters AS clusters,
           printf('%+.4f', spearman) AS spearman,
           if(ci_low IS NULL, '', printf('%+.3f to %+.3f', ci_low, ci_high)) AS "95 % interval",
           if(difference IS NULL, '', printf('%+.4f', difference)) AS change,
           if(difference_low IS NULL, '', printf('%+.3f to %+.3f', difference_low, difference_high))
             AS "interval of the change",
           result_id AS result
    FROM study_step WHERE run_id = {run_id} AND spearman IS NOT NULL ORDER BY place"""

Ids = list[int] | None


def compare(
    ctx: typer.Context,
    label_set: Annotated[str, typer.Option("--labels", help="Label set by name: of slopes and pairs.")] = "all",
    source: Annotated[int | None, typer.Option(help="QTL source. Default: the one with most scored rows.")] = None,
    original: Annotated[
        str | None, typer.Option(help="The study's scorer, NAME or NAME@WINDOW: mean of the window, all tracks.")
    ] = None,
    tracks: Annotated[str | None, typer.Option(help="The same with the tracks of the cell type alone.")] = None,
    mask: Annotated[str | None, typer.Option(help="The scorer with a centre mask of 501 bp.")] = None,
    rna: Annotated[str | None, typer.Option(help="The scorer of expression.")] = None,
    peaks_as_given: Annotated[
        Ids, typer.Option(help="Peak source of another assembly, read as if it were of this; may be repeated.")
    ] = None,
    peaks: Annotated[Ids, typer.Option(help="Peak source of the labels' assembly; may be repeated.")] = None,
    pip: Annotated[float, typer.Option(help="Fine-mapped: a PIP above this.")] = 0.9,
    resamples: Resamples = RESAMPLES,
    seed: Seed = 0,
    format_: Annotated[str, typer.Option("--format", help="table, csv, tsv or json.")] = "table",
) -> None:
    """The original study beside the right one: what each correction does to the correlation, with its interval.

    Label p-value -> slope, peaks of the wrong assembly -> of the right one, all tracks -> the cell type's, mean of the
    window -> 501 bp mask, pairs -> variants, all -> fine-mapped, chromatin -> expression. A step whose data are not
    there is left out, with the reason. Stored in `result`; view `study_step` has it step by step.
    """
    from agdb import db, export
    from agdb.analysis import waterfall
    from agdb.analysis.profile import Asked

    export.check_stream_format(format_)
    asked = Asked(
        label_set, source=source, original=original, tracks=tracks, mask=mask, rna=rna,
        peaks_as_given=tuple(peaks_as_given or ()) or None, peaks=tuple(peaks or ()) or None, pip=pip,
        resamples=resamples, seed=seed,
    )  # fmt: skip
    run_id, told = waterfall.compare(ctx.obj, asked)
    for line in told:
        say(line)
    with db.reading(ctx.obj) as con:
        if format_ == "table":
            export.to_stream(con, _STEPS.format(run_id=run_id), "table", sys.stdout.buffer)
            sys.stdout.flush()
            _tell_changes(con, run_id)
        else:
            query = f"SELECT * FROM study_step WHERE run_id = {run_id} ORDER BY place"
            export.to_stream(con, query, format_, sys.stdout.buffer)
        sys.stdout.flush()
        first, n = con.execute("SELECT min(result_id), count(*) FROM result WHERE run_id = ?", [run_id]).fetchall()[0]
    say(f"{n:,} results stored in table result (run {run_id}, from result {first}); view study_step shows the steps, "
        "agdb explain RESULT tells more")  # fmt: skip


def _tell_changes(con: "duckdb.DuckDBPyConnection", run_id: int) -> None:
    """A line a step: the verdict on its change, or why it was left out; and what the field expects of it."""
    from agdb.analysis.paired import verdict
    from agdb.query import records

    found = records(
        con,
        "SELECT step, change, versus, spearman, difference AS estimate, difference_low AS ci_low, difference_high AS "
        "ci_high, detectable, n_compared, reason, expected FROM study_step WHERE run_id = ? ORDER BY place",
        [run_id],
    )
    bands: dict[str, list[str]] = {}
    for row in found:
        if row["spearman"] is None:
            typer.echo(f"{row['step']}: left out: {row['reason']}")
        elif row["estimate"] is not None:
            typer.echo(f"{row['step']} against {row['versus']}: {verdict(row)} (n = {row['n_compared']:,})")
        elif row["versus"] is not None:
            typer.echo(f"{row['step']} against {row['versus']}: {row['reason']}")
        if row["expected"] is not None:
            bands.setdefault(row["expected"], []).append(row["step"])
    for band, steps in bands.items():
        say(f"expected of {', '.join(steps)}: {band}; far outside, look for a bug first")
