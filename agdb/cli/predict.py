"""agdb predict: scores for the variants that have none; scorers, merge and audit around it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agdb.cli import predict_options as o
from agdb.cli import progress
from agdb.cli.app import say
from agdb.errors import UsageError
from agdb.predict.provider import Who, genomes, scorer_of

if TYPE_CHECKING:
    from agdb.predict.capacity import Wanted
    from agdb.predict.run import Place, Settings, Summary
    from agdb.predictors.contract import Scorer


def register(app: typer.Typer) -> None:
    """Add the commands."""
    also = o.also(workers="actors", output_type="output")
    app.command(context_settings=also, epilog="Example: agdb predict dnase-k562 --in-peaks --dry-run")(predict)
    app.command(epilog="Example: agdb scorers")(scorers)
    app.command(epilog="Example: agdb merge part-1 part-2")(merge)
    app.command(epilog="Example: agdb audit dnase-k562 --sample 0.5%")(audit)


def predict(
    ctx: typer.Context,
    name: o.Name,
    window: o.Window = None,
    gtex_tissue: o.Tissue = None,
    output: o.Output = None,
    mask: o.Mask = None,
    aggregation: o.Aggregation = None,
    tracks: o.Tracks = None,
    track_aggregation: o.TrackAggregation = None,
    rename: o.Rename = None,
    model_version: o.ModelVersion = "ALL_FOLDS",
    in_peaks: o.InPeaks = False,
    where: o.Where = None,
    sample: o.Sample = None,
    seed: o.Seed = 0,
    limit: o.Limit = None,
    retry_failed: o.RetryFailed = False,
    shard: o.Shard = None,
    variants: o.Variants = None,
    provider: o.Provider = None,
    address: o.Address = None,
    insecure: o.Insecure = False,
    key_file: o.KeyFile = None,
    model: o.Model = None,
    same_model: o.SameModel = False,
    in_flight: o.InFlight = None,
    deadline: o.Deadline = 300.0,
    patience: o.Patience = 600.0,
    quota_window: o.QuotaWindow = 60.0,
    engine: o.Engine = o.Engines.local,
    ray_address: o.RayAddress = None,
    actors: o.Actors = None,
    cpus_per_actor: o.Cpus = 1.0,
    gpus_per_actor: o.Gpus = 0.0,
    dry_run: o.DryRun = False,
    worklist: o.Worklist = None,
    max_calls: o.MaxCalls = None,
    keep: o.Keep = None,
    out: o.Out = None,
    log: o.Log = None,
    quiet: o.Quiet = False,
) -> None:
    """Score the variants that have no score yet. Stop and rerun as you like: no variant is paid for twice."""
    from agdb.predict import run, work

    changes = {"output": output, "mask_bp": mask, "aggregation": aggregation, "tracks": tracks,
               "of_tracks": track_aggregation}  # fmt: skip
    database = ctx.obj if variants is None else None
    with genomes(database) as genome_of:
        who = Who(
            genome_of=genome_of, providers=provider or (), addresses=address or (), insecure=insecure,
            key_file=key_file, model=model, in_flight=in_flight, deadline_s=deadline, keep=keep,
        )  # fmt: skip
        scorer = scorer_of(name, window, gtex_tissue, changes, rename, model_version, who)
        choice = work.Choice(
            in_peaks=in_peaks, where=where, sample=None if sample is None else (sample, seed), limit=limit,
            retry_failed=retry_failed, shard=_shard(shard),
        )  # fmt: skip
        if variants is not None and (out is None or in_peaks or where or sample):
            raise UsageError(
                "--variants goes with --out, and without --in-peaks, --where and --sample",
                cure="choose variants where the database is: agdb predict ... --worklist FILE.parquet",
            )
        place = run.Place(database, variants, out)
        by = who.origin(scorer, same_model=same_model)
        settings = run.Settings(choice, keep, by, max_calls=max_calls, window_s=quota_window, patience_s=patience)
        if dry_run:
            _estimate(place, scorer, settings)
        elif worklist is not None:
            n = _write_worklist(place, scorer, settings, worklist)
            say(f"{worklist}: {n:,} variants for {scorer.name} at {scorer.of.window_bp:,} bp")
        else:
            wanted = _wanted(engine, ray_address, actors, cpus_per_actor, gpus_per_actor)
            _run(place, scorer, who, settings, log, quiet, wanted)


def scorers() -> None:
    """List the scorers that agdb knows by name: tracks, calls, and what each is for."""
    from agdb import export
    from agdb.predict.estimate import TRACKS
    from agdb.predictors.scorers import SIGNED, presets

    rows: list[tuple[object, ...]] = [
        ("motif", "", "", "0", "signed", "occupancy by blood transcription factors, from a FASTA alone: the baseline")
    ]
    for preset in presets().values():
        n = TRACKS[preset.output] if preset.tracks == "all" else len(preset.tracks.split(","))
        shown = preset.tracks or "--gtex-tissue T"
        of = shown if n == 1 else f"{n} tracks, {preset.of_tracks}"
        mask = f"{preset.aggregation}" + (f" {preset.mask_bp}" if preset.mask_bp else "")
        calls = "2" if preset.aggregation.startswith("SEQUENCE_") else "1"
        signed = "signed" if SIGNED[preset.aggregation] else "unsigned"
        rows.append((preset.name, f"{preset.output} {mask}", of, calls, signed, preset.about))
    names = ["scorer", "computation", "tracks", "calls", "score", "what it is for"]
    typer.echo(export.text_table(names, rows), nl=False)


def merge(
    ctx: typer.Context,
    folders: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FOLDER", help="Folders of --out; without any what waits beside the database."),
    ] = None,
    same_model: o.SameModel = False,
) -> None:
    """Merge finished batches of predict into the database: those of other machines, or those that had to wait."""
    from agdb.predict import merge as merging
    from agdb.predict import spool

    for folder in folders or ():
        if not folder.is_dir():
            raise UsageError(
                "there is no such folder", where=str(folder), cure="agdb merge FOLDER, of predict --out FOLDER"
            )
    places = folders or [spool.folder_of(ctx.obj)]
    found = [file for place in places for file in spool.batches(place, with_merged=True)]
    files = list(spool.unmerged(found))
    merged = merging.merge(ctx.obj, files, same_model=same_model)
    if files:
        say(f"{merged.batches:,} batches merged: {merged.scored:,} variants scored, "
            f"{merged.failed:,} failed with a reason")  # fmt: skip
        return
    noted = f"; {len(found):,} batches are merged, says {spool.MERGED} beside them: without it they are merged again"
    say(f"nothing waits in {', '.join(map(str, places))}{noted if found else ''}")


def audit(
    ctx: typer.Context,
    name: o.Name,
    sample: Annotated[str, typer.Option(help="Share of the scored variants, e.g. 0.5%, or their number.")] = "0.5%",
    seed: Annotated[int, typer.Option(help="Of the sample.")] = 0,
    window: o.Window = None,
    gtex_tissue: o.Tissue = None,
    model_version: o.ModelVersion = "ALL_FOLDS",
    provider: o.Provider = None,
    address: o.Address = None,
    insecure: o.Insecure = False,
    key_file: o.KeyFile = None,
    model: o.Model = None,
    same_model: o.SameModel = False,
    in_flight: o.InFlight = None,
    deadline: o.Deadline = 300.0,
    patience: o.Patience = 600.0,
    quota_window: o.QuotaWindow = 60.0,
    log: o.Log = None,
    quiet: o.Quiet = False,
) -> None:
    """Score a sample of the scored variants again, and say how far the provider repeats itself."""
    from agdb import db, export
    from agdb.predict import audit as auditing
    from agdb.predict import run

    with genomes(ctx.obj) as genome_of:
        who = Who(
            genome_of=genome_of, providers=provider or (), addresses=address or (), insecure=insecure,
            key_file=key_file, model=model, in_flight=in_flight, deadline_s=deadline,
        )  # fmt: skip
        scorer = auditing.named(ctx.obj, name, window)
        scorer = scorer or scorer_of(name, window, gtex_tissue, {}, None, model_version, who)
        choice = auditing.Drawn(*auditing.share(sample), seed)
        by = who.origin(scorer, same_model=same_model)
        settings = run.Settings(origin=by, drawn=choice, window_s=quota_window, patience_s=patience)
        _run(run.Place(ctx.obj), scorer, who, settings, log, quiet)
        with db.reading(ctx.obj) as con:
            names, rows = auditing.report(con, scorer)
    typer.echo(export.text_table(names, rows), nl=False)


def _shard(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    i, slash, n = text.partition("/")
    if not (slash and i.isdecimal() and n.isdecimal() and 1 <= int(i) <= int(n)):
        raise UsageError(f"{text!r} is no shard", cure="--shard 2/8: the second of eight")
    return int(i), int(n)


def _wanted(engine: o.Engines, address: str | None, actors: int | None, cpus: float, gpus: float) -> "Wanted | None":
    """What is asked of a cluster; None: this process computes."""
    if engine == o.Engines.ray:
        from agdb.predict.capacity import Wanted

        return Wanted(address, actors, cpus, gpus)
    if address is not None or actors is not None or cpus != 1 or gpus:
        raise UsageError(
            "--ray-address, --actors, --cpus-per-actor and --gpus-per-actor are of a cluster", cure="--engine ray"
        )
    return None


def _write_worklist(place: "Place", scorer: "Scorer", settings: "Settings", into: Path) -> int:
    from agdb.export.files import whole
    from agdb.predict import run

    if place.database is None:
        raise UsageError("--worklist writes what the database lacks, and --variants is a work list",
                         cure="leave out one of them")  # fmt: skip
    with whole(into) as part:
        return run.write_worklist(place, scorer, settings, part)


def _estimate(place: "Place", scorer: "Scorer", settings: "Settings") -> None:
    from agdb import db, export
    from agdb.predict import estimate, run
    from agdb.predictors.tracks import kept

    if place.database is None:
        raise UsageError("a dry run looks into the database", cure="run it where the database is")
    keeps = kept(scorer, settings.keep)
    spooled = {c: run.spooled(place, scorer, c) for c in scorer.computations}
    with db.reading(place.database) as con:
        rows = estimate.estimate(con, scorer, settings.choice, spooled, keeps)
    say(f"scorer {scorer.name} at {scorer.of.window_bp:,} bp; a dry run: nothing is asked, nothing is stored")
    typer.echo(export.text_table(["what", "value", "note"], [tuple(row) for row in rows]), nl=False)


def _run(
    place: "Place", scorer: "Scorer", who: Who, settings: "Settings", log: Path | None, quiet: bool,
    wanted: "Wanted | None" = None,
) -> None:  # fmt: skip
    from agdb.predict import run, work_none

    with progress.events(log) as tell, progress.shown(quiet) as show:
        say(f"scorer {scorer.name} at {scorer.of.window_bp:,} bp, "
            f"by {', then '.join(c.provider for c in scorer.computations)}")  # fmt: skip
        summary, talk = run.Summary(), run.Talk(show, say, tell)
        predictor_of = who.predictor(scorer)
        if wanted is not None:
            from agdb.predict import cluster

            predictor_of = cluster.predictors(wanted, who, scorer, talk, summary, settings.patience_s)
        try:
            summary = run.run(place, scorer, predictor_of, settings, talk, summary)
        finally:
            show(None)
            if summary.pending:
                say(_told(summary, is_local=scorer.of.provider == "motif"))
    if not summary.pending:
        say(work_none.why(place, scorer, settings))


def _told(summary: "Summary", *, is_local: bool) -> str:
    """What a run did, in a line or two."""
    text = f"{summary.scored:,} variants scored, {summary.failed:,} failed with a reason"
    if summary.calls and not is_local:
        text += f"; {summary.calls:,} calls in {summary.seconds:,.0f} s"
        if summary.refusals:
            text += f", {summary.refusals:,} of them refused for the quota ({summary.seconds_waited:,.0f} s waited)"
    if summary.workers is not None:
        text += f"; {summary.crew}"
    if summary.unmerged:
        text += f"\n{summary.unmerged:,} batches wait in the spool, for {summary.held_by}: agdb merge merges them"
    return text
