"""Answers out: stats, plot, export, sql."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from agdb.cli.app import say

plot_app = typer.Typer(no_args_is_help=True, help="Draw a figure (PNG, SVG or PDF by the file's ending).")

Out = Annotated[Path, typer.Option("-o", "--output", help="The file to write.", show_default=False)]
Source = Annotated[int | None, typer.Option(help="QTL source (source_id), where there are several.")]
Label = Annotated[str | None, typer.Option(help="slope or pval_nominal, where a source has both.")]
Scorer = Annotated[str | None, typer.Option(help="Scorer by name, where there are several.")]
Format = Annotated[str, typer.Option("--format", help="table, csv, tsv or json.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: agdb stats --all --format csv > result.csv")(stats)
    app.command(epilog="Example: agdb export correlation -o correlation.csv")(export)
    app.command(epilog="Example: agdb sql 'SELECT tissue, count(*) FROM qtl GROUP BY tissue' --format csv")(sql)


#: What `agdb stats` prints for eyes: a label set and scorer a row, then a pair of windows a row.
SUMMARY = """
    SELECT label, tissue, scorer, window_bp, stratum, n,
           any_value(printf('%+.3f', estimate)) FILTER (metric = 'spearman') AS spearman,
           any_value(printf('%+.3f to %+.3f', ci_low, ci_high)) FILTER (metric = 'spearman') AS "95 % interval",
           any_value(printf('%.2g', p)) FILTER (metric = 'spearman') AS p,
           any_value(printf('%+.3f', estimate)) FILTER (metric = 'pearson') AS pearson,
           any_value(printf('%+.3f to %+.3f', ci_low, ci_high)) FILTER (metric = 'pearson') AS "95 % interval ",
           any_value(printf('%.2g', p)) FILTER (metric = 'pearson') AS "p ",
           source_id, any_value(source) AS source
    FROM result
    WHERE run_id = {run_id} AND metric IN ('spearman', 'pearson') AND {strata}
    GROUP BY label, tissue, scorer, window_bp, stratum, n, source_id, scorer_id
    ORDER BY min(result_id)"""
WINDOWS = """
    SELECT label, tissue, scorer, stratum, n, printf('%+.3f', estimate) AS spearman_difference,
           printf('%+.3f to %+.3f', ci_low, ci_high) AS "95 % interval", printf('%.2g', p) AS p, source_id, source
    FROM result
    WHERE run_id = {run_id} AND metric = 'spearman_difference'
    ORDER BY result_id"""


def stats(
    ctx: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="Print the strata too.")] = False,
    format_: Format = "table",
) -> None:
    """Add 95 % intervals and p-values to the correlations, store them in `result`, and print them."""
    from agdb import db, export, report

    with db.writing(ctx.obj) as con:
        run_id = report.stats(con)
    strata = "true" if every else "stratum = 'all'"
    with db.reading(ctx.obj) as con:
        if format_ == "table":
            for query in (SUMMARY, WINDOWS):
                export.to_stream(con, query.format(run_id=run_id, strata=strata), "table", sys.stdout.buffer)
        else:
            query = f"SELECT * FROM result WHERE run_id = {run_id} AND ({strata} OR metric = 'spearman_difference')"
            export.to_stream(con, f"{query} ORDER BY result_id", format_, sys.stdout.buffer)
        found = con.execute("SELECT count(*), min(result_id) FROM result WHERE run_id = ?", [run_id]).fetchall()[0]
    sys.stdout.flush()
    say(f"{found[0]:,} results stored in table result (run {run_id}, from result {found[1]})")
    say("intervals take rows as independent; linked variants and shared genes make them too narrow")


@plot_app.command(epilog="Example: agdb plot scatter -o scatter.png --scorer motif --stratum 'peak: in peak'")
def scatter(
    ctx: typer.Context,
    output: Out,
    source: Source = None,
    label: Label = None,
    scorer: Scorer = None,
    window: Annotated[int | None, typer.Option(help="Window of the scorer in bp, where there are several.")] = None,
    stratum: Annotated[str | None, typer.Option(help="A stratum, e.g. 'peak: in peak' or 'kind: SNV'.")] = None,
) -> None:
    """Measured effect against score, with both correlations and their intervals."""
    from agdb import db, report

    with db.reading(ctx.obj) as con:
        say(report.scatter(con, report.Choice(source, label, scorer, window, stratum), output))


@plot_app.command(epilog="Example: agdb plot windows -o windows.svg --source 1")
def windows(ctx: typer.Context, output: Out, source: Source = None, label: Label = None, scorer: Scorer = None) -> None:
    """Spearman correlation by window, on the associations that every window scored."""
    from agdb import db, report

    with db.reading(ctx.obj) as con:
        say(report.windows(con, report.Choice(source, label, scorer), output))


def export(
    ctx: typer.Context,
    view: Annotated[str, typer.Argument(help="A view or table; agdb schema lists them.", show_default=False)],
    output: Out,
    format_: Annotated[
        str | None, typer.Option("--format", help="csv, tsv, json or parquet; else by the file's ending.")
    ] = None,
) -> None:
    """Write a whole view or table to a file."""
    from agdb import db
    from agdb import export as out

    with db.reading(ctx.obj) as con:
        rows = out.to_file(con, view, output, format_)
    say(f"{output}: {rows:,} rows of {view}")


def sql(
    ctx: typer.Context,
    query: Annotated[str, typer.Argument(help="One SELECT.", show_default=False)],
    format_: Format = "table",
) -> None:
    """Ask the database anything; it is opened read-only."""
    from agdb import db
    from agdb import export as out

    with db.reading(ctx.obj) as con:
        out.to_stream(con, query, format_, sys.stdout.buffer)
    sys.stdout.flush()
