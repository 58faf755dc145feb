"""Commands on the database itself: init, migrate, status, schema, check; and presets, which need none."""

from typing import Annotated

import typer

from agdb.cli.app import say
from agdb.errors import ExitCode

#: What `agdb status` shows: title, and the question.
STATUS = {
    "Sources": """
        SELECT source_id, kind, format, coalesce(tissue, biosample, '') AS tissue_or_biosample,
               assembly || coalesce(' (from ' || lifted_from || ')', '') AS assembly,
               rows_read, rows_kept, rows_rejected, left(sha256, 12) AS sha256, name
        FROM source ORDER BY source_id""",
    "Fetched": """
        SELECT source_id, release, strftime(retrieved_at, '%Y-%m-%d') AS retrieved,
               url || coalesce(' (' || archive_member || ')', '') AS address
        FROM source WHERE url IS NOT NULL ORDER BY source_id""",
    "Variants": """
        SELECT assembly, count(*) AS variants, count(*) FILTER (kind = 'SNV') AS snv,
               count(*) FILTER (kind = 'insertion') AS insertions, count(*) FILTER (kind = 'deletion') AS deletions,
               count(*) FILTER (ref_status = 'match') AS ref_match,
               count(*) FILTER (ref_status IN ('swapped', 'strand', 'strand_swapped')) AS turned,
               count(*) FILTER (ref_status IN ('mismatch', 'palindromic')) AS left_out,
               count(*) FILTER (ref_status = 'unchecked') AS ref_unchecked
        FROM variant GROUP BY assembly ORDER BY assembly""",
    "Peaks": """
        SELECT s.kind, p.biosample, p.assembly, count(DISTINCT p.peak_id) AS intervals,
               count(DISTINCT (v.chrom, v.pos, v.ref, v.alt)) FILTER (v.pos > 0) AS variants_inside
        FROM peak AS p
        JOIN source AS s ON s.source_id = p.source_id
        LEFT JOIN (SELECT peak_id, chrom, pos, ref, alt FROM variant_in_peak
                   UNION ALL SELECT peak_id, chrom, pos, ref, alt FROM variant_in_blacklist) AS v ON v.peak_id =
                   p.peak_id
        GROUP BY ALL ORDER BY ALL""",
    "Genes": """
        SELECT assembly, count(*) AS genes, count(DISTINCT source_id) AS annotations
        FROM gene GROUP BY ALL ORDER BY ALL""",
    "Fine-mapping": """
        SELECT s.name, s.tissue, count(*) AS variants, count(DISTINCT cs_id) AS sets, count(*) FILTER (pip > 0.9) AS
        pip_above_09
        FROM credible AS c JOIN source AS s ON s.source_id = c.source_id GROUP BY ALL ORDER BY ALL""",
    "Predictions": """
        SELECT s.name AS scorer, s.window_bp, (
                 SELECT string_agg(c.provider, ', ' ORDER BY list_position(s.computations, c.computation_id))
                 FROM computation AS c WHERE list_contains(s.computations, c.computation_id)
               ) AS providers,
               (SELECT count(*) FROM answer AS a WHERE a.scorer_id = s.scorer_id) AS variants_scored,
               (SELECT count(*) FROM failure AS f WHERE f.computation_id = s.computations[-1]) AS failed,
               (SELECT count(*) FROM pending AS w WHERE w.scorer_id = s.scorer_id) AS pending, s.scorer_id
        FROM scorer AS s ORDER BY s.name, s.window_bp, s.scorer_id""",
    "Failures": """
        SELECT c.output_type, c.window_bp, c.provider, split_part(f.reason, ':', 1) AS reason, count(*) AS variants,
               min(f.reason) AS example
        FROM failure AS f JOIN computation AS c ON c.computation_id = f.computation_id
        GROUP BY ALL ORDER BY ALL""",
    "Last runs": """
        SELECT run_id, command, status, n_rows, strftime(started_at, '%Y-%m-%d %H:%M') AS started_utc,
               round(epoch(finished_at - started_at), 1) AS seconds,
               if(command = 'predict', round(n_rows / nullif(epoch(finished_at - started_at), 0), 1), NULL) AS a_second,
               coalesce((arguments->>'workers') || ' on ' || (arguments->>'nodes'), '') AS workers_on_nodes,
               agdb_version AS agdb
        FROM run ORDER BY run_id DESC LIMIT 8""",
}

EXAMPLES = {
    "init": "agdb --db study.duckdb init",
    "migrate": "agdb --db study.duckdb migrate --list",
    "status": "agdb --db study.duckdb status",
    "schema": "agdb --db study.duckdb schema scored_qtl",
    "check": "agdb --db study.duckdb check",
    "presets": "agdb presets eqtl_catalogue",
}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (init, migrate, status, schema, check, presets):
        app.command(epilog=f"Example: {EXAMPLES[command.__name__]}")(command)


def init(ctx: typer.Context) -> None:
    """Make a new database (or bring an existing one up to date)."""
    from agdb import db

    done = db.create(ctx.obj)
    say(f"{ctx.obj}: {', '.join(m.name for m in done) if done else 'up to date, nothing to do'}")


def migrate(
    ctx: typer.Context,
    only_list: Annotated[bool, typer.Option("--list", help="Show the migrations and change nothing.")] = False,
) -> None:
    """Apply the migrations that this database has not seen."""
    from agdb import db

    if not only_list:
        init(ctx)
        return
    with db.reading(ctx.obj, current=False) as con:
        applied = db.applied_migrations(con)
    for m in applied:
        typer.echo(f"applied  {m.applied_at:%Y-%m-%d %H:%M} UTC  {m.sha256[:12]}  {m.name}")
    for new in db.pending_migrations(db.migrations(), applied):
        typer.echo(f"pending  {'':20}  {new.sha256[:12]}  {new.name}")


def status(ctx: typer.Context) -> None:
    """Show what is in the database: sources, variants, peaks, predictions, failures, last runs."""
    from agdb import db, export

    with db.reading(ctx.obj) as con:
        for title, query in STATUS.items():
            result = con.execute(query)
            names, rows = [d[0] for d in result.description or []], result.fetchall()
            if rows:
                typer.echo(f"{title}\n{export.text_table(names, rows)}")
            elif title not in ("Fetched", "Failures", "Genes", "Fine-mapping"):
                typer.echo(f"{title}\n(none)\n")


def schema(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(help="A table, view or macro; without it all are listed.")] = None,
) -> None:
    """Show tables, views and macros, and their columns, with what each one means."""
    from agdb import db, export
    from agdb.schema import described

    with db.reading(ctx.obj) as con:
        found = described(con, name)
    if "macro" in found[0]:
        typer.echo("\n\n".join(text for text in found[0].values() if text))
        return
    names = ["one row is, or how it is called" if column == "comment" else column for column in found[0]]
    typer.echo(export.text_table(names, [tuple(row.values()) for row in found]), nl=False)


def check(ctx: typer.Context) -> None:
    """Run every check on the data. Exit code 1 if one that refuses finds something."""
    from agdb import db

    failed = 0
    with db.reading(ctx.obj) as con:
        for c in db.checks():
            problems = c.problems(con)
            mark = "ok  " if not problems else ("FAIL" if c.severity == "refuse" else "warn")
            typer.echo(f"{mark}  {c.claim}")
            for problem in problems:
                typer.echo(f"        {problem}")
            if problems:
                typer.echo(f"        cure: {c.cure}")
                failed += c.severity == "refuse"
    if failed:
        say(f"{failed} checks failed")
        raise typer.Exit(ExitCode.REFUSED)


def presets(
    name: Annotated[str | None, typer.Argument(help="Show this one as TOML; without it all are listed.")] = None,
) -> None:
    """Show the kinds of tables that agdb knows: what each column of them means."""
    from agdb import export
    from agdb.ingest import preset

    if name is not None:
        typer.echo(preset.as_toml(preset.named(name)), nl=False)
        return
    known = preset.shipped()
    rows: list[tuple[object, ...]] = [(p.name, p.kind, p.qtl_type, p.assembly, p.file, p.title) for p in known]
    typer.echo(export.text_table(["preset", "kind", "qtl_type", "assembly", "file", "what it is"], rows), nl=False)
