"""A study: a database file, with a method for each command of agdb.

It is held only while a method runs, so that a notebook keeps nobody from writing; within `with study:` the methods that
read share one connection, which lets go where one of them writes.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agdb import db
from agdb.analysis import RESAMPLES, SHIFTS
from agdb.errors import UsageError
from agdb.study.ingest import Ingest
from agdb.study.outputs import Outputs

if TYPE_CHECKING:
    from types import TracebackType

    import pyarrow as pa

    from agdb.analysis.run import Asked
    from agdb.predict.run import Summary


def create(path: str | Path) -> "Study":
    """Make a new database, or bring an existing one up to date, and open it: `agdb init`.

    Raises:
        Refused: the folder cannot be written, or the file is no agdb database.
    """
    db.create(Path(path))
    return Study(path)


def open(path: str | Path) -> "Study":
    """Open an existing database.

    Raises:
        Refused: there is none, it is of an older agdb, or it is not one of agdb's.
    """
    study = Study(path)
    with study.connection():
        return study


def open_lake(lake: str | Path, path: str | Path, *, verify: bool = False) -> "Study":
    """Make a database at `path` that looks at a lake, and open it: `agdb lake open`. `open` opens it the next time.

    Raises:
        Refused: there is a file already, or the lake is not whole or of another agdb.
    """
    from agdb import lake as of

    of.open_database(of.found(lake, verify=verify), Path(path))
    return Study(path)


class Study(Outputs):
    """A study: one database file, and what agdb does with it.

    Attributes:
        path: The file.
        ingest: `agdb ingest`: study.ingest.gtex(path), study.ingest.peaks(path, biosample="K562", ...).
    """

    def __init__(self, path: str | Path) -> None:
        super().__init__(path)
        self.ingest = Ingest(self.writing)

    def __repr__(self) -> str:
        return f"agdb.open({str(self.path)!r})"

    def __enter__(self) -> "Study":
        self._held = ExitStack()
        return self

    def __exit__(
        self, kind: "type[BaseException] | None", error: "BaseException | None", trace: "TracebackType | None"
    ) -> None:
        self._let_go()
        self._held = None

    def stats(
        self, *labels: str, scorer: str | None = None, window: int | None = None, stratify: Sequence[str] | None = None,
        resamples: int = RESAMPLES, seed: int = 0, permutations: int = 0, kendall: bool = False, controls: int = 1,
        match: Sequence[str] | None = None, shifts: int = SHIFTS,
    ) -> "pa.Table":  # fmt: skip
        """Compute how well scores agree with effects, store it in `result`, and give those rows: `agdb stats`.

        Args:
            *labels: Label sets by name; none for all that have rows of their own.
            scorer, window: Only this scorer; only this window, in bp.
            stratify: Stratifications, by name or as NAME=SQL; None for all that are known, () for none.
            resamples, seed: Of the clusters; of differences, flips of their signs.
            permutations: Of labels within clusters, for a second p-value; 0 for none.
            kendall: Kendall's tau as well.
            controls, match: Matched controls to a causal variant, and more covariates to match in, as NAME=SQL.
            shifts: Of the peaks round their chromosomes, for the enrichment of the overlap; 0 for none.

        Raises:
            UsageError: an unknown label set or stratification, or a number out of range.
            Refused: no association of these has a score.
        """
        from agdb.analysis import run

        asked = _asked(
            labels, scorer=scorer, window=window, stratify=stratify, resamples=resamples, seed=seed,
            permutations=permutations, kendall=kendall, controls=controls, match=match, shifts=shifts,
        )  # fmt: skip
        self._let_go()
        run_id = run.stats(self.path, asked)
        return self.sql("SELECT * FROM result WHERE run_id = $run ORDER BY result_id", run=run_id)

    def lake_export(self, folder: str | Path) -> int:
        """Write the study as sorted Parquet with a manifest; returns its bytes: `agdb lake export`.

        Raises:
            Refused: the folder holds something, or cannot be written.
        """
        from agdb import lake

        with self.connection() as con:
            return lake.export(con, Path(folder))

    def analyse(
        self, lake: str | Path, *labels: str, engine: str = "local", address: str | None = None,
        workers: int | None = None, cpus: int = 1, memory: str = "1GB", **options: Any,
    ) -> "pa.Table":  # fmt: skip
        """What `stats` computes, by many workers over a lake of this study; the same rows: `agdb analyse`.

        Args:
            lake: A folder or address that each worker sees.
            *labels: As for `stats`.
            engine: local (processes of this machine) or ray.
            address, workers, cpus, memory: Of the cluster; processes; cores and DuckDB's memory of each.
            **options: As for `stats`.

        Raises:
            UsageError: an unknown engine, label set or stratification.
            Refused: the lake is not whole or of another study, a worker died, or there is no such cluster.
        """
        from agdb import lake as of

        self._let_go()
        by = of.Workers(engine, address, workers, cpus, memory)
        run_id = of.analyse(self.path, of.found(lake), _asked(labels, **options), by)
        return self.sql("SELECT * FROM result WHERE run_id = $run ORDER BY result_id", run=run_id)

    def compare_study(self, **options: Any) -> "pa.Table":
        """The original study beside the right one, step by step; stored in `result`: `agdb compare-study`.

        Args:
            **options: Attributes of `agdb.analysis.profile.Asked`.

        Returns:
            The rows of view study_step: a step each, with its reason where it is left out.
        """
        from agdb.analysis import profile, waterfall

        self._let_go()
        run_id, _ = waterfall.compare(self.path, profile.Asked(**options))
        return self.sql("SELECT * FROM study_step WHERE run_id = $run ORDER BY place", run=run_id)

    def add_labels(self, name: str, where: str | None = None, **options: Any) -> None:
        """Store a label set: `agdb labels --add`.

        Args:
            name: Its name, for `stats`.
            where: SQL over the columns of view analysed_qtl.
            **options: Other attributes of `agdb.analysis.labels.LabelSet`: label, source_ids, unit, cluster, about.
        """
        from agdb.analysis import labels

        self._let_go()
        with db.writing(self.path, facts=False) as con:
            labels.add(con, labels.LabelSet(name, condition=where, **options))

    def remove_labels(self, name: str) -> None:
        """Remove a label set that no result refers to: `agdb labels --remove`."""
        from agdb.analysis import labels

        self._let_go()
        with db.writing(self.path, facts=False) as con:
            labels.remove(con, name)

    def predict(
        self, scorer: str = "motif", *, window: int | None = None, gtex_tissue: str | None = None,
        providers: Sequence[str] = (), addresses: Sequence[str] = (), insecure: bool = False,
        key_file: str | Path | None = None, model: object | None = None, in_peaks: bool = False,
        where: str | None = None, limit: int | None = None, engine: str = "local", ray_address: str | None = None,
        actors: int | None = None, cpus_per_actor: float = 1.0, gpus_per_actor: float = 0.0,
        model_version: str = "ALL_FOLDS", name: str | None = None, same_model: bool = False,
    ) -> "Summary":  # fmt: skip
        """Score the variants that have no score yet: `agdb predict`, whose help says what each argument is.

        `model` may be the object itself: anything with the interface of the SDK's `DnaModel`, in this process. For
        `engine="ray"` it is module:factory, which each worker calls.

        Stop it as you like: what was scored is kept, and the same call goes on from there.

        Raises:
            UsageError: an unknown scorer, or arguments that do not go together.
            ProviderError: whoever computes failed, or there is no key.
            Refused: nothing can be scored, or the scores that are there are of another model; the cure says what to do.
        """
        from agdb.predict import capacity, cluster, run, work, work_none
        from agdb.predict.provider import Who, genomes, scorer_of

        if engine not in ("local", "ray"):
            raise UsageError(f"there is no engine {engine!r}", cure="local or ray")
        if engine == "ray" and not isinstance(model, str | None):
            raise UsageError("a model of this process cannot go to others", cure='model="module:factory"')
        self._let_go()
        key = None if key_file is None else Path(key_file)
        with genomes(self.path) as genome_of:
            who = Who(
                genome_of=genome_of, providers=providers, addresses=addresses, insecure=insecure, key_file=key,
                model=model,
            )  # fmt: skip
            chosen = scorer_of(scorer, window, gtex_tissue, {}, name, model_version, who)
            by_whom = who.origin(chosen, same_model=same_model)
            settings = run.Settings(work.Choice(in_peaks=in_peaks, where=where, limit=limit), origin=by_whom)
            talk, summary, by = run.Talk(), run.Summary(), who.predictor(chosen)
            if engine == "ray":
                wanted = capacity.Wanted(ray_address, actors, cpus_per_actor, gpus_per_actor)
                by = cluster.predictors(wanted, who, chosen, talk, summary, settings.patience_s)
            place = run.Place(self.path)
            summary = run.run(place, chosen, by, settings, talk, summary)
            if not summary.pending:
                work_none.why(place, chosen, settings)  # refuses where there is nothing that can be scored
            return summary


def _asked(
    labels: tuple[str, ...], *, window: int | None = None, stratify: Sequence[str] | None = None, kendall: bool = False,
    match: Sequence[str] | None = None, **more: Any,
) -> "Asked":  # fmt: skip
    from agdb.analysis.run import Asked

    more |= {"stratify": _several(stratify), "match": _several(match)}
    return Asked(labels or None, window_bp=window, with_kendall=kendall, **more)


def _several(names: Sequence[str] | None) -> tuple[str, ...] | None:
    """One name is no sequence of letters."""
    return names if names is None else (names,) if isinstance(names, str) else tuple(names)
