"""A model object of the user's own: anything with the SDK's `DnaModel` interface, e.g. a local AlphaGenome.

`--model module:factory`: the factory is called without arguments, once, and gives the object.
"""

import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import version
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np

from agdb.errors import ProviderError, UsageError
from agdb.predictors.alphagenome import scorer_of
from agdb.predictors.contract import Answer, Computation, Track, TryAgain, Variant, VariantFailed
from agdb.predictors.scorers import GENES


def load(name: str, folder: Path | None = None) -> Any:
    """The object that `module:factory` makes.

    Args:
        name: Module and factory, as Python imports them.
        folder: Where the module may lie, beside those that Python finds; None for the working directory.

    Raises:
        UsageError: there is no such module or factory.
        ProviderError: the factory failed.
    """
    module_name, _, factory_name = name.partition(":")
    with _found_first(str(folder or Path.cwd())):  # a script beside the database, as `python -m` would find it
        try:
            factory = getattr(importlib.import_module(module_name), factory_name)
        except (ImportError, AttributeError, ValueError) as error:
            cure = "--model module:factory, both as Python imports them"
            raise UsageError(f"--model {name}: {error}", cure=cure) from error
        except Exception as error:  # whatever the user's code raises
            raise ProviderError(f"the module of --model {name} failed: {type(error).__name__}: {error}") from error
        try:
            return factory()
        except Exception as error:  # whatever the user's code raises
            raise ProviderError(f"the factory of --model {name} failed: {type(error).__name__}: {error}") from error


@contextmanager
def _found_first(folder: str) -> Iterator[None]:
    """Modules are looked for in this folder first, until the end of the block; what it adds to the path stays there."""
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        with suppress(ValueError):  # it has been taken out
            sys.path.remove(folder)


class ModelObjectPredictor:
    """Scores a variant by the object's `score_variant`, in every track of an output type.

    Args:
        model: The object.
        computation: One of provider `alphagenome` that is no `SEQUENCE_...`.
        in_flight: Calls at a time; a local model does one.

    Raises:
        UsageError: the object is no model.
    """

    batch_size = 1

    def __init__(self, model: Any, computation: Computation, *, in_flight: int = 1) -> None:
        self._model, self.computation, self.in_flight = model, computation, in_flight
        kind = type(model)
        lacking = [name for name in ("output_metadata", "score_variant") if not callable(getattr(model, name, None))]
        if lacking:
            raise UsageError(
                f"the model is a {kind.__module__}.{kind.__qualname__}, which has no method {' or '.join(lacking)}",
                cure="--model module:factory, where the factory makes an object with the methods of the SDK's DnaModel",
            )
        self.software = f"{kind.__module__}.{kind.__qualname__} (alphagenome {version('alphagenome')})"
        self._scorer = scorer_of(computation)
        # The SDK's own client joins the strands of gene scorers unless told not to; a local model has no such option.
        can_merge = False
        with suppress(TypeError, ValueError):  # what is compiled may have no signature
            can_merge = "merge_stranded_gene_tracks" in signature(model.score_variant).parameters
        self._options = {"merge_stranded_gene_tracks": False} if can_merge else {}
        self._tracks: tuple[Track, ...] = ()

    def tracks(self) -> Sequence[Track]:
        """The tracks of the output type, as the object's `output_metadata` lists them.

        Raises:
            ProviderError: it fails, or lists none.
        """
        from alphagenome.models.v1 import dna_client

        output_type = self.computation.output_type
        try:
            listed = self._model.output_metadata(dna_client.Organism.HOMO_SAPIENS)
            table = getattr(listed, output_type.lower(), None)
            rows = [] if table is None else table.to_dict("records")
            self._tracks = tuple(_track(row, output_type) for row in rows if row["name"] != "Padding")
        except Exception as error:  # whatever the user's code raises
            raise ProviderError(
                f"the model does not say which tracks it has: {type(error).__name__}: {' '.join(str(error).split())}",
                where="output_metadata of --model", cure="it has to be as that of the SDK's DnaModel",
            ) from error  # fmt: skip
        if not self._tracks:
            raise ProviderError(f"the model has no {output_type} tracks")
        return self._tracks

    def score(self, variants: Sequence[Variant]) -> Sequence[Answer]:
        """One call, for one variant.

        Raises:
            VariantFailed: the object raised ValueError.
            TryAgain: it raised something else, or its answer makes no sense.
        """
        from alphagenome.data import genome

        (variant,) = variants
        place = genome.Variant(*variant)
        interval = place.reference_interval.resize(self.computation.window_bp)
        try:
            tables = self._model.score_variant(interval, place, [self._scorer], **self._options)
        except ValueError as error:
            reason = f"value_error: {' '.join(str(error).split())}"
            if interval.start < 0:  # no wonder
                reason = f"window_outside_contig: {reason}"
            raise VariantFailed(reason, blames_provider=True, is_likely=interval.start < 0) from None
        except Exception as error:  # noqa: BLE001  # whatever a model raises is no reason to lose the others
            raise TryAgain(f"{type(error).__name__}: {' '.join(str(error).split())}") from None
        try:
            return [self._answer(tables)]
        except (ValueError, LookupError) as error:
            raise TryAgain(f"malformed_answer: {error}") from None

    def cancel(self) -> None:
        """A call of a model object cannot be ended: it is left alone."""

    def _answer(self, tables: Sequence[Any]) -> Answer:
        if len(tables) != 1:
            raise ValueError(f"{len(tables)} score tables for 1 scorer")
        table = tables[0]
        place = {key: i for i, key in enumerate(zip(table.var["name"], table.var["strand"].astype(str), strict=True))}
        order = [place[track.name, track.strand] for track in self._tracks]
        genes = None
        if self.computation.aggregation in GENES:
            # the SDK leaves the column out where there are no rows
            genes = tuple(str(gene).partition(".")[0] for gene in table.obs["gene_id"]) if table.n_obs else ()
        elif table.n_obs != 1:
            raise ValueError(f"{table.n_obs} rows of scores, and a centre mask has 1")
        quantiles = table.layers.get("quantiles")
        return Answer(
            np.asarray(table.X)[:, order], genes, None if quantiles is None else np.asarray(quantiles)[:, order]
        )


def _track(row: dict[str, Any], output_type: str) -> Track:
    """A row of the SDK's track metadata; NaN is None."""

    def text(column: str) -> str | None:
        value = row.get(column)
        return None if value is None or value != value else str(value)  # NaN

    return Track(
        output_type=output_type,
        name=str(row["name"]),
        strand=str(row["strand"]),
        ontology_curie=text("ontology_curie"),
        biosample_name=text("biosample_name"),
        biosample_type=text("biosample_type"),
        biosample_life_stage=text("biosample_life_stage"),
        assay=text("Assay title"),
        data_source=text("data_source"),
        gtex_tissue=text("gtex_tissue"),
    )
