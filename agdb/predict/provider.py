"""Who computes, and what: the scorer that a name and options mean, and the predictors that give its scores."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agdb.errors import Refused, UsageError

if TYPE_CHECKING:
    from agdb.genome import Genome
    from agdb.predict.provider_origin import Origin
    from agdb.predict.recipe import Recipe
    from agdb.predictors.contract import Computation, Predictor, Scorer
    from agdb.predictors.scorers import Preset


@dataclass(frozen=True, kw_only=True)
class Who:
    """Who computes: makes the predictor of a computation, when it is needed.

    Attributes:
        genome_of: Gives the genome of an assembly, and its assembly; see `genomes`.
        providers, addresses, insecure, key_file, model, in_flight, keep: As the options of `agdb predict`; `model` may
            be the object itself.
        deadline_s: Seconds that a call may take.

    Raises:
        UsageError: a model of this process, and a server.
    """

    genome_of: "Callable[[str | None], tuple[Genome, str]]"
    providers: Sequence[str] = ()
    addresses: Sequence[str] = ()
    insecure: bool = False
    key_file: Path | None = None
    model: object | None = None
    in_flight: int | None = None
    deadline_s: float = 300.0
    keep: str | None = None

    def __post_init__(self) -> None:
        if self.model and (self.addresses or self.insecure or "atlas" in self.providers):
            raise UsageError("--model is a model in this process", cure="leave out --address, --insecure and Atlas")

    @property
    def is_service(self) -> bool:
        """Whether Google's service computes."""
        return not (self.addresses or self.model)

    def origin(self, scorer: "Scorer", *, same_model: bool = False) -> "Origin":
        """What is kept of it with the scores."""
        from agdb.predict.provider_origin import GOOGLE, Origin

        if scorer.of.provider == "motif":
            return Origin()
        if self.model is not None:
            return Origin((), self.model if isinstance(self.model, str) else None, same_model)
        return Origin(tuple(self.addresses) or (GOOGLE,), None, same_model)

    def predictor(self, scorer: "Scorer") -> "Callable[[Computation], AbstractContextManager[Predictor]]":
        """What the run asks for predictors of this scorer's computations."""
        from agdb.predict.recipe import made

        @contextmanager
        def of(computation: "Computation") -> "Iterator[Predictor]":
            recipe = self.recipe(scorer, computation)
            with made(recipe, self.genome_of(computation.assembly)[0] if computation.reads_genome else None) as one:
                yield one

        return of

    def recipe(self, scorer: "Scorer", computation: "Computation") -> "Recipe":
        """What makes the predictor of one of a scorer's computations, but for the genome."""
        from agdb.predict.recipe import Recipe
        from agdb.predictors import tracks

        is_asked = self.model is None and computation.provider != "motif"
        return Recipe(
            computation, tracks.kept(scorer, self.keep), tuple(self.addresses), self.insecure,
            self._key() if is_asked else None, self.model, None, self.in_flight, self.deadline_s,
        )  # fmt: skip

    def recipe_to_send(self, scorer: "Scorer", computation: "Computation") -> "Recipe":
        """The same for another machine: with the FASTA, and the folder in which a module of the user's may lie."""
        from agdb.predict.recipe import Fasta, content_of

        recipe = replace(self.recipe(scorer, computation), folder=Path.cwd())
        if not computation.reads_genome:
            return recipe
        genome, _ = self.genome_of(computation.assembly)
        return replace(recipe, fasta=Fasta(genome.path.resolve(), genome.work_dir.resolve(), content_of(genome)))

    def _key(self) -> str | None:
        if self.key_file is None:
            return os.environ.get("ALPHAGENOME_API_KEY")
        if not self.key_file.is_file():
            raise UsageError("there is no key file", where=str(self.key_file),
                             cure="--key-file names a file with the key in it")  # fmt: skip
        try:
            key = self.key_file.read_text(encoding="ascii").strip()
        except (OSError, ValueError):  # it would quote the key
            key = ""
        if not key or len(key.split()) > 1:
            raise UsageError("the key file does not hold a key, and nothing else", where=str(self.key_file),
                             cure="one line of plain text (ASCII, not UTF-16) that may be read")  # fmt: skip
        return key


def scorer_of(
    name: str, window: int | None, tissue: str | None, changes: dict[str, Any], rename: str | None,
    model_version: str, who: Who,
) -> "Scorer":  # fmt: skip
    """The scorer of a name and of the options that change it."""
    changes = {key: value for key, value in changes.items() if value is not None}
    if name == "motif":
        if who.addresses or who.insecure or who.key_file or who.model or who.providers or changes or tissue:
            raise UsageError("motif asks no server and has no tracks", cure="its option is --window")
        from agdb.predictors import motif

        assembly = who.genome_of(None)[1]
        return motif.scorer(assembly) if window is None else motif.scorer(assembly, window)
    from agdb.predictors import scorers

    preset = _preset(name, tissue)
    if changes:
        if rename is None:
            raise UsageError(f"these options make another scorer of {name}", cure="give it a name: --name NAME")
        if changes.get("mask_bp") == 0:
            changes["mask_bp"] = None
        if "tracks" in changes:
            changes["tracks"] = ",".join(term.strip() for term in changes["tracks"].split(","))
        preset = replace(preset, **changes)
    if rename is not None:
        preset = replace(preset, name=rename)
    return scorers.scorer(
        preset, window_bp=scorers.DEFAULT_WINDOW if window is None else window, providers=_in_order(who.providers),
        model_version=model_version, is_service=who.is_service,
    )  # fmt: skip


def _in_order(providers: Sequence[str]) -> list[str]:
    """Each once, Atlas first, in whichever order they were given: it holds SNVs alone, and the model takes the rest."""
    return sorted(dict.fromkeys(providers or ["alphagenome"]), key=lambda provider: provider != "atlas")


def _preset(name: str, tissue: str | None) -> "Preset":
    from agdb.predictors import scorers

    known = scorers.presets()
    name = {"alphagenome": "dnase-k562"}.get(name, name)  # the default scorer
    if name == "rna" and tissue is not None:
        return scorers.rna(tissue)
    if tissue is not None:
        raise UsageError(f"{name} has no GTEx tissue", cure="agdb predict rna --gtex-tissue T")
    if name not in known:
        raise UsageError(
            f"unknown scorer {name!r}", cure=f"one of motif, {', '.join(known)}; agdb scorers explains them"
        )
    return known[name]


@contextmanager
def genomes(database: Path | None) -> "Iterator[Callable[[str | None], tuple[Genome, str]]]":
    """Gives the registered genome of an assembly (None: of the only one), and its assembly; closes it at the end."""
    with ExitStack() as opened:

        def genome_of(assembly: str | None) -> "tuple[Genome, str]":
            from agdb import db
            from agdb.ingest import reference

            if database is None:
                raise UsageError(
                    "this scorer reads the genome that a database knows", cure="run it where the database is"
                )
            with db.reading(database) as con:
                registered = con.execute("SELECT DISTINCT assembly FROM source WHERE kind = 'genome'").fetchall()
                found = [name for (name,) in registered if assembly in (None, name)]
                if len(found) != 1:
                    raise Refused(
                        "this scorer reads the genome, and none is registered" if not found
                        else "two genomes are registered",
                        cure="agdb ingest genome FASTA --assembly GRCh38",
                    )  # fmt: skip
                genome = reference.registered(con, found[0])
            assert genome is not None
            opened.callback(genome.close)
            return genome, str(found[0])

        yield genome_of
