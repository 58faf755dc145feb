"""How to make a predictor: all that it takes, as a value that can be sent to another machine, and the making."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from agdb.errors import Refused, UsageError
from agdb.genome import Genome

if TYPE_CHECKING:
    from agdb.predictors.contract import Computation, Predictor

#: A FASTA is told from another one by its records and by the bases of so many windows of so many bases.
PROBES, PROBE_BP = 200, 1000


@dataclass(frozen=True)
class Fasta:
    """A FASTA as another machine has to have it.

    Attributes:
        path: Where it lies, on every machine.
        work_dir: Where its indexes lie if they are not beside it; used where this folder is there and can be written.
        content: See `content_of`.
    """

    path: Path
    work_dir: Path
    content: str

    @contextmanager
    def opened(self) -> Iterator[Genome]:
        """The genome.

        Raises:
            Refused: it cannot be read on this machine, or another one lies there.
        """
        cure = "put the same FASTA under the same path on every node, best on a disk that they share"
        if not self.path.is_file():
            raise Refused("the FASTA cannot be read on this node", where=str(self.path), cure=cure)
        is_shared = os.access(self.work_dir, os.W_OK)
        own = Path(tempfile.gettempdir()) / f"agdb-{os.getuid()}"  # of this machine: every worker on it finds it there
        genome = Genome(self.path, self.work_dir if is_shared else own)
        try:
            if content_of(genome) != self.content:
                raise Refused("another FASTA lies on this node than on yours", where=str(self.path), cure=cure)
            yield genome
        finally:
            genome.close()


def content_of(genome: Genome) -> str:
    """Digest of a genome, however it is packed: the records, and bases at `PROBES` places along them."""
    digest = hashlib.sha256(repr([tuple(contig) for contig in genome.contigs]).encode())
    ends = np.cumsum([contig.end - contig.start for contig in genome.contigs])
    for place in np.linspace(0, ends[-1], PROBES, endpoint=False).astype(np.int64).tolist():
        number = int(np.searchsorted(ends, place, side="right"))
        contig = genome.contigs[number]
        width = min(PROBE_BP, contig.end - contig.start)
        start = min(contig.end - int(ends[number]) + place, contig.end - width)
        digest.update(genome.windows(contig.chrom, np.array([start]), width).tobytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class Recipe:
    """What makes the predictor of a computation.

    Attributes:
        computation: What it computes.
        kept: The tracks that are kept, as in `tracks.kept`: Atlas can leave out others.
        addresses, insecure, deadline_s: See `alphagenome_connection.connect`.
        key: API key of a server; in no text that is shown.
        model: `module:factory` of a model object, or the object; None for a server.
        folder: Where a module of the user's may lie, beside those that Python finds.
        in_flight: Calls at a time, at most; None for the predictor's own number.
        fasta: The genome, where the predictor reads it and is made on another machine.
    """

    computation: "Computation"
    kept: str = ""
    addresses: tuple[str, ...] = ()
    insecure: bool = False
    key: str | None = field(default=None, repr=False)
    model: object | None = None
    folder: Path | None = None
    in_flight: int | None = None
    deadline_s: float = 300.0
    fasta: Fasta | None = None

    @property
    def is_of_server(self) -> bool:
        """Whether a server is asked."""
        return self.model is None and self.computation.provider != "motif"


@contextmanager
def made(recipe: Recipe, genome: Genome | None) -> "Iterator[Predictor]":
    """The predictor, until the end of the block.

    Args:
        recipe: What makes it.
        genome: The genome, for a computation that reads it.

    Raises:
        UsageError: there is no such model object, or it does not compute this.
        ProviderError: the server cannot be reached, or there is no key for it.
    """
    if recipe.computation.provider == "motif":
        from agdb.predictors.motif import MotifPredictor

        assert genome is not None
        yield MotifPredictor(genome, recipe.computation)
    elif recipe.model is not None:
        yield _of_object(recipe)
    else:
        from agdb.predictors.alphagenome_connection import connect

        connection = connect(recipe.addresses, recipe.key, insecure=recipe.insecure, deadline_s=recipe.deadline_s)
        try:
            yield _of_server(recipe, connection, genome)
        finally:
            connection.close()


def _of_object(recipe: Recipe) -> "Predictor":
    from agdb.predictors import model_object

    if recipe.computation.aggregation.startswith("SEQUENCE_"):
        raise UsageError("--model computes no SEQUENCE_DIFF_MEAN", cure="ask a server: --address host:port")
    model = recipe.model
    loaded = model_object.load(model, recipe.folder) if isinstance(model, str) else model
    return model_object.ModelObjectPredictor(loaded, recipe.computation, in_flight=recipe.in_flight or 1)


def _of_server(recipe: Recipe, connection: Any, genome: Genome | None) -> "Predictor":
    from agdb.predictors import alphagenome, atlas, sequence_difference

    computation = recipe.computation
    given = {} if recipe.in_flight is None else {"in_flight": recipe.in_flight}
    if computation.provider == "atlas":
        return atlas.AtlasPredictor(connection, computation, recipe.kept, **given)
    if computation.aggregation.startswith("SEQUENCE_"):
        assert genome is not None
        return sequence_difference.SequenceDifferencePredictor(connection, genome, computation, **given)
    return alphagenome.AlphaGenomePredictor(connection, computation, **given)
