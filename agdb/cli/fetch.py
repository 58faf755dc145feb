"""agdb fetch: files of the field from their official addresses."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agdb.cli import progress
from agdb.cli.app import say
from agdb.errors import ExitCode

if TYPE_CHECKING:
    from agdb.fetch.addresses import Address, Wanted
    from agdb.fetch.bring import Bringer

app = typer.Typer(
    no_args_is_help=True,
    help="Bring files of the field from their official addresses, checked; or say what to download by hand.",
)

To = Annotated[
    Path | None,
    typer.Option("--to", help="Folder to keep them in; else $AGDB_CACHE, else the user's cache.", show_default=False),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be fetched, and how big it is.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress bar.")]


@app.command(epilog="Example: agdb fetch gtex --release v8 --tissue Whole_Blood --tissue Kidney_Cortex")
def gtex(
    ctx: typer.Context,
    tissue: Annotated[list[str], typer.Option(help="GTEx's spelling; may be repeated.", show_default=False)],
    release: Annotated[str, typer.Option(help="v8 or v10.")] = "v8",
    table: Annotated[str, typer.Option(help="pairs (significant variant-gene pairs) or egenes.")] = "pairs",
    to: To = None,
    dry_run: DryRun = False,
    quiet: Quiet = False,
) -> None:
    """GTEx eQTLs of some tissues: only these files out of GTEx's archive, which is never downloaded whole."""
    from agdb.fetch.addresses import of_tissues

    wanted = of_tissues(release, table, tissue)
    _bring(ctx, _bringer(to, quiet), wanted, dry_run)


@app.command(epilog="Example: agdb fetch dhs --biosample K562")
def dhs(
    ctx: typer.Context,
    biosample: Annotated[str | None, typer.Option(help="K562, GM12878; or what an accession is of.")] = None,
    accession: Annotated[str | None, typer.Option(help="A file of ENCODE with peaks, ENCFF....")] = None,
    to: To = None,
    dry_run: DryRun = False,
    quiet: Quiet = False,
) -> None:
    """DNase peaks of ENCODE; the portal is asked for their md5, assembly and biosample."""
    from agdb.fetch import encode
    from agdb.fetch.addresses import Wanted

    address = encode.of_biosample(biosample, accession)
    bringer = _bringer(to, quiet)
    address = encode.asked_or_known(bringer.web, address, biosample, bringer.folder, say)
    _bring(ctx, bringer, [Wanted(address)], dry_run)


@app.command(epilog="Example: agdb fetch blacklist")
def blacklist(
    ctx: typer.Context,
    assembly: Annotated[str, typer.Argument(help="hg38.")] = "hg38", to: To = None, dry_run: DryRun = False,
    quiet: Quiet = False,
) -> None:  # fmt: skip
    """Regions of the genome that give signal in every experiment (ENCODE)."""
    _bring_named(ctx, "blacklist", [assembly], to, dry_run, quiet)


@app.command(epilog="Example: agdb fetch genome hg38")
def genome(
    ctx: typer.Context,
    assembly: Annotated[str, typer.Argument(help="hg38 or hg19.")] = "hg38", to: To = None, dry_run: DryRun = False,
    quiet: Quiet = False,
) -> None:  # fmt: skip
    """The genome, as UCSC gives it: about 1 GB."""
    _bring_named(ctx, "genome", [assembly], to, dry_run, quiet)


@app.command(epilog="Example: agdb fetch chain hg38ToHg19")
def chain(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="hg19ToHg38, hg38ToHg19 or hg18ToHg38.")] = "hg19ToHg38", to: To = None,
    dry_run: DryRun = False, quiet: Quiet = False,
) -> None:  # fmt: skip
    """A liftover chain of UCSC, for --lift."""
    _bring_named(ctx, "chain", [name], to, dry_run, quiet)


@app.command("alphagenome-evals", epilog="Example: agdb fetch alphagenome-evals caqtl-african dsqtl-yoruba")
def alphagenome_evals(
    ctx: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(help="caqtl-african, caqtl-european, dsqtl-yoruba (else these three), eqtl-coefficient, "
                            "eqtl-causality.", show_default=False),
    ] = None,
    to: To = None,
    dry_run: DryRun = False,
    quiet: Quiet = False,
) -> None:  # fmt: skip
    """Evaluations that were published with AlphaGenome: what was measured and what was predicted, in one table."""
    chosen = names or ["caqtl-african", "caqtl-european", "dsqtl-yoruba"]
    _bring_named(ctx, "alphagenome-evals", chosen, to, dry_run, quiet)


@app.command(epilog="Example: agdb fetch url https://example.org/qtl/kidney.all.tsv.gz --checksum sha256:0123...")
def url(
    ctx: typer.Context,
    address: Annotated[str, typer.Argument(help="http or https address of a file.", show_default=False)],
    checksum: Annotated[
        str | None, typer.Option(help="md5:... or sha256:..., where its publisher gives one.", show_default=False)
    ] = None,
    to: To = None,
    dry_run: DryRun = False,
    quiet: Quiet = False,
) -> None:
    """Any other file: the same resuming and checks, and its address goes into the database with it."""
    from agdb.fetch.addresses import Wanted, elsewhere

    _bring(ctx, _bringer(to, quiet), [Wanted(elsewhere(address, checksum))], dry_run)


@app.command("check-urls", epilog="Example: agdb fetch check-urls")
def check_urls() -> None:
    """Ask every official address whether its file is still there, and as big as it was. Exit code 1 if one is not."""
    from agdb import export
    from agdb.fetch import addresses, bring
    from agdb.fetch.web import Web

    table = addresses.table()
    probes = bring.probes(Web.of_environment(), table)
    rows: list[tuple[object, ...]] = [
        (address.what, address.name, found.told, "" if found.bytes is None else f"{found.bytes:,}", address.url)
        for address, found in zip(table, probes, strict=True)
    ]
    typer.echo(export.text_table(["what", "name", "answer", "bytes", "address"], rows), nl=False)
    if failed := sum(not found.is_right for found in probes):
        say(f"{failed} of {len(rows)} addresses do not answer as they should")
        raise typer.Exit(ExitCode.REFUSED)


def _bringer(to: Path | None, quiet: bool) -> "Bringer":
    from agdb.fetch import folder
    from agdb.fetch.bring import Bringer
    from agdb.fetch.web import Web

    return Bringer(Web.of_environment(), to or folder.default(), say, lambda name: progress.of_bytes(name, quiet))


def _bring_named(
    ctx: typer.Context, what: str, names: Sequence[str], to: Path | None, dry_run: bool, quiet: bool
) -> None:
    from agdb.fetch.addresses import Wanted, named

    wanted = [Wanted(named(what, name)) for name in dict.fromkeys(names)]
    _bring(ctx, _bringer(to, quiet), wanted, dry_run)


def _bring(ctx: typer.Context, bringer: "Bringer", wanted: "Sequence[Wanted]", dry_run: bool) -> None:
    """Bring them one after the other; the last lines, on stdout, are the commands that read them."""
    if dry_run:
        for one in wanted:
            typer.echo(bringer.plan(one))
        return
    kept = []
    for one in wanted:
        file = bringer.bring(one)
        say(f"{one.file}: {file.bytes:,} bytes, {file.how}")
        kept.append((one.address, file.path))
    say(f"kept in {bringer.folder}; next:")
    root = ctx.find_root()
    source = root.get_parameter_source("db")
    is_said = source is not None and source.name == "COMMANDLINE"  # what is in the environment, a shell inherits
    for line in _next(kept, f"agdb --db {shlex.quote(str(root.obj))}" if is_said else "agdb"):
        typer.echo(line)


def _next(kept: "Sequence[tuple[Address, Path]]", agdb: str) -> list[str]:
    """The commands that read what was brought: one for all files of a kind; the path alone where none is known."""
    paths: dict[str | None, list[Path]] = {}
    for address, path in kept:
        paths.setdefault(address.next, []).append(path)
    lines = []
    for command, files in paths.items():
        words = " ".join(shlex.quote(str(path)) for path in files)
        lines.append(words if command is None else f"{agdb} {command.replace('{path}', words)}")
    return lines
