"""Answers out: sql, export."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from agdb.cli.app import say
from agdb.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: agdb sql 'SELECT tissue, count(*) FROM qtl GROUP BY tissue' --format csv")(sql)
    app.command(epilog="Example: agdb export correlation -o correlation.csv")(export)


def sql(
    ctx: typer.Context,
    query: Annotated[
        str | None, typer.Argument(help="A SELECT, or several with ; between.", show_default=False)
    ] = None,
    file: Annotated[
        Path | None, typer.Option("-f", "--file", help="Read them from a file; - for standard input.")
    ] = None,
    param: Annotated[
        list[str] | None, typer.Option("--param", help="NAME=VALUE, for $NAME in the query; may be repeated.")
    ] = None,
    format_: Annotated[str, typer.Option("--format", help="table, csv, tsv, json or parquet.")] = "table",
) -> None:
    """Ask the database anything; it is opened read-only, and nothing of it is kept."""
    from agdb import db
    from agdb import export as out

    if (query is None) == (file is None):
        raise UsageError("no query is given, or two are", cure="agdb sql 'SELECT ...', or agdb sql -f FILE")
    values = _parameters(param or [])
    text, name = (query, None) if query is not None else (_read(file), str(file))
    with db.reading(ctx.obj) as con:
        out.to_stream(con, text or "", format_, sys.stdout.buffer, values, file=name)
    sys.stdout.flush()


def export(
    ctx: typer.Context,
    view: Annotated[str, typer.Argument(
        help="A view or table (agdb schema lists them); with --layout the folder.", show_default=False)],
    output: Annotated[Path | None, typer.Option(
        "-o", "--output", help="The file to write, or the folder; - for stdout.")] = None,
    format_: Annotated[str | None, typer.Option(
        "--format", help="csv, tsv, json, parquet, bed, narrowPeak or vcf; else by the file's ending.")] = None,
    where: Annotated[str | None, typer.Option(help="Only rows that meet this: SQL over the view's columns.")] = None,
    assembly: Annotated[str | None, typer.Option(help="Only rows of this assembly.")] = None,
    scorer: Annotated[list[str] | None, typer.Option(
        help="Scorer by name whose scores a VCF or layout holds; may be repeated for a VCF. Default: all.")] = None,
    partition_by: Annotated[list[str] | None, typer.Option(
        help="Write a folder of Parquet files, one below it for each value of this column; may be repeated.")] = None,
    layout: Annotated[str | None, typer.Option(
        help="original: the files of the study that agdb re-does, under their names.")] = None,
    source: Annotated[int | None, typer.Option(help="QTL source (source_id) of a layout, of several.")] = None,
    label: Annotated[str | None, typer.Option(help="slope or pval_nominal, where a source has both.")] = None,
) -> None:  # fmt: skip
    """Write a view or table to a file: a table, or BED and VCF where it holds intervals or variants."""
    if layout is not None:
        if output or format_ or where or assembly or partition_by or len(scorer or []) > 1:
            raise UsageError("a layout has its own files and formats", cure="agdb export --layout original DIR")
        _layout(ctx.obj, layout, Path(view), source, label, scorer[0] if scorer else None)
    elif output is None:
        raise UsageError("where to is not said", cure=f"-o {view}.csv, or another ending")
    elif source is not None or label is not None:
        raise UsageError("--source and --label are of a layout", cure='--where "source_id = 1" chooses rows of a view')
    else:
        _view(ctx.obj, view, output, format_, where, assembly, scorer or [], partition_by or [])


def _view(
    db_path: Path, view: str, output: Path, format_: str | None, where: str | None, assembly: str | None,
    scorers: list[str], partition_by: list[str],
) -> None:  # fmt: skip
    from agdb import db
    from agdb import export as out

    with db.reading(db_path) as con:
        if str(output) == "-":
            if partition_by or format_ is None:
                raise UsageError(
                    "what goes to stdout is one file of a --format", cure=f"-o - --format csv; -o {view}.csv"
                )
            out.to_pipe(con, view, sys.stdout.buffer, format_, where=where, assembly=assembly, scorers=scorers)
            sys.stdout.flush()
            return
        if partition_by:
            if scorers or assembly or format_ not in (None, "parquet"):
                raise UsageError("--partition-by writes Parquet of a whole view", cure="choose rows by --where")
            rows = out.to_folder(con, view, output, partition_by, where=where)
        else:
            rows = out.to_file(con, view, output, format_, where=where, assembly=assembly, scorers=scorers)
    say(f"{output}: {rows:,} rows of {view}")


def _layout(
    db_path: Path, layout: str, folder: Path, source: int | None, label: str | None, scorer: str | None
) -> None:
    from agdb import db, original

    if layout != "original":
        raise UsageError(f"unknown layout {layout!r}", cure="--layout original")
    with db.reading(db_path) as con:
        written = original.write(con, folder, source, label, scorer)
    for name in written.made:
        say(f"{folder / name}")
    for name, reason in written.left_out.items():
        say(f"left out: {name}: {reason}")
    for note in written.notes:
        say(f"note: {note}")


def _read(file: Path | None) -> str:
    if str(file) == "-":
        return sys.stdin.read()
    assert file is not None
    if not file.is_file():
        raise UsageError("there is no such file", where=str(file), cure="-f FILE, a text file of SELECTs")
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError("the file is not text in UTF-8", where=str(file), cure="save it as UTF-8") from error


def _parameters(given: list[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    if wrong := [text for text, (name, equals, _) in zip(given, pairs, strict=True) if not (name and equals)]:
        raise UsageError(f"--param {wrong[0]} gives no name a value", cure="--param NAME=VALUE, for $NAME in the query")
    return {name: value for name, _, value in pairs}
