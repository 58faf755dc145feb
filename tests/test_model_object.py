"""`--model module:factory`: a model object of the user's own, with the interface of the SDK's `DnaModel`.

Two stand in for it: one in this process, as alphagenome_research's (no quantiles, versions in gene ids, no way to
join strands), and the SDK's own client of a made-up server.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anndata  # type: ignore[import-untyped]  # as the SDK that returns it
import grpc
import numpy as np
import pandas as pd
import pytest
from alphagenome.models.v1 import dna_client, track_data_utils
from alphagenome.protos.v1 import dna_model_pb2 as model_pb2
from fakes import genes, tracks
from fakes.model import Model
from fakes.process import Server
from fakes.sequence import windows
from served import ALLELES, FAR, MB, W16, computed, connected, expected, snv

from agdb.errors import ProviderError, UsageError
from agdb.predictors.alphagenome import AlphaGenomePredictor
from agdb.predictors.contract import Answer, Computation, Predictor, TryAgain, Variant, VariantFailed
from agdb.predictors.model_object import ModelObjectPredictor, load

RNA = computed("GENE_LFC", None, output="RNA_SEQ", window_bp=MB)


class LocalModel:
    """The made-up model in this process, as alphagenome_research hands its scores out.

    Args:
        spoil: What is done to the tables before they are handed out; it may raise.
        padding: Whether the table of tracks holds a row that stands for none, as the model's own does.
    """

    def __init__(self, spoil: Callable[[list[Any]], list[Any]] = lambda tables: tables, *, padding: bool = False):
        self._model, self._spoil, self._padding = Model(tracks.load()), spoil, padding
        self.asked: list[tuple[Any, Any, Any]] = []

    def output_metadata(self, organism: Any) -> Any:
        """The tracks of each output type; None for those that it has not."""
        assert organism == dna_client.Organism.HOMO_SAPIENS
        found = {of.name.lower(): table_of(of.metadata) for of in self._model.tracks.values()}
        if self._padding:
            row = pd.DataFrame({"name": ["Padding"], "strand": ["."]})
            found = {name: pd.concat([table, row], ignore_index=True) for name, table in found.items()}
        return SimpleNamespace(**{"cage": None, **found})

    def score_variant(
        self, interval: Any, variant: Any, variant_scorers: Sequence[Any] = (), *, organism: Any = None
    ) -> list[Any]:
        """A table for each scorer."""
        self.asked.append((interval, variant, variant_scorers))
        tables = []
        for scorer in variant_scorers:
            scores = self._model.score(scorer.to_proto(), *windows(variant, interval), merge=False)
            obs = None
            if scores.genes is not None:
                ids = [f"{gene.gene_id}.{7 + i}" for i, gene in enumerate(scores.genes)]
                obs = pd.DataFrame({"gene_id": ids}, index=list(map(str, range(len(ids)))), dtype=str)
            var = table_of(scores.metadata.track_metadata)
            tables.append(anndata.AnnData(X=scores.values.astype(np.float32), obs=obs, var=var))
        return self._spoil(tables)


def table_of(metadata: Any) -> pd.DataFrame:
    """Track metadata as the SDK's table."""
    table = track_data_utils.metadata_from_proto(model_pb2.TracksMetadata(metadata=metadata))
    table.index = table.index.map(str)
    return table


def predictor_of(model: Any, computation: Computation | None = None) -> ModelObjectPredictor:
    """A predictor that knows its tracks."""
    predictor = ModelObjectPredictor(model, computation or computed())
    predictor.tracks()
    return predictor


def answer_of(predictor: Predictor, variant: Variant) -> Answer:
    [answer] = predictor.score([variant])
    assert isinstance(answer, Answer)
    return answer


# --- scores -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("alleles", ALLELES.values(), ids=ALLELES)
@pytest.mark.parametrize("output", ["DNASE", "ATAC"])
def test_the_scores_of_a_local_model_are_those_of_the_two_sequences(output: str, alleles: tuple[str, str]) -> None:
    predictor: Predictor = ModelObjectPredictor(LocalModel(), computed(output=output))
    found, variant = tuple(predictor.tracks()), Variant("chr2", FAR, *alleles)
    answer = answer_of(predictor, variant)
    assert answer.scores[0] == expected(variant, found)
    assert (answer.genes, answer.quantiles) == (None, None)


def test_it_is_asked_once_for_the_window_centred_on_the_variant() -> None:
    model = LocalModel()
    answer_of(predictor_of(model), snv())
    [(interval, variant, [scorer])] = model.asked
    assert (interval.chromosome, interval.start, interval.end) == ("chr2", FAR - W16 // 2, FAR + W16 // 2)
    assert (variant.position, variant.reference_bases, variant.alternate_bases) == snv()[1:]
    assert (scorer.requested_output.name, scorer.width, scorer.aggregation_type.name) == ("DNASE", 501, "DIFF_LOG2_SUM")


def test_genes_have_no_version_and_no_score_on_the_other_strand() -> None:
    answer = answer_of(predictor_of(LocalModel(), RNA), snv())
    inside = genes.inside("chr2", FAR - MB // 2, FAR + MB // 2)
    assert answer.genes == tuple(gene.gene_id for gene in inside)
    assert np.isnan(answer.scores).tolist() == [[gene.strand == "-", gene.strand == "+", False] for gene in inside]


def test_tracks_are_the_servers_of_the_same_model(running: Server) -> None:
    with connected(running.address) as connection:
        for output in ("DNASE", "ATAC", "RNA_SEQ"):
            computation = computed(output=output)
            told = AlphaGenomePredictor(connection, computation).tracks()
            assert tuple(ModelObjectPredictor(LocalModel(), computation).tracks()) == tuple(told)


def test_padding_is_no_track() -> None:
    predictor = predictor_of(LocalModel(padding=True))
    assert len(predictor.tracks()) == 8
    assert answer_of(predictor, snv()).scores[0] == expected(snv(), tuple(predictor.tracks()))


def test_an_output_that_the_model_has_no_tracks_of_is_an_error() -> None:
    with pytest.raises(ProviderError, match="no CAGE tracks"):
        predictor_of(LocalModel(), computed(output="CAGE"))


def test_scores_go_by_the_names_of_tracks_whatever_their_order() -> None:
    predictor = predictor_of(LocalModel(lambda tables: [tables[0][:, ::-1].copy()]))
    assert answer_of(predictor, snv()).scores[0] == expected(snv(), tuple(predictor.tracks()))


# --- the SDK's own client as the object -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture
def sdk_client(running: Server) -> Iterator[Any]:
    options = [("grpc.max_receive_message_length", -1)]
    with grpc.insecure_channel(running.address, options=options) as channel:
        yield dna_client.DnaClient(channel=channel)


@pytest.mark.parametrize("computation", [computed(), RNA], ids=["centre mask", "genes"])
def test_the_sdks_client_gives_what_the_predictor_of_its_protocol_gives(
    running: Server, sdk_client: Any, computation: Computation
) -> None:
    by_object = answer_of(predictor_of(sdk_client, computation), snv())
    with connected(running.address) as connection:
        predictor = AlphaGenomePredictor(connection, computation)
        predictor.tracks()
        by_protocol = answer_of(predictor, snv())
    assert by_object.genes == by_protocol.genes
    np.testing.assert_array_equal(by_object.scores, by_protocol.scores)
    assert by_object.quantiles is not None
    assert by_protocol.quantiles is not None
    np.testing.assert_array_equal(by_object.quantiles, by_protocol.quantiles)


# anndata warns of the table without rows that the SDK makes
@pytest.mark.filterwarnings("ignore:Transforming to str index")
@pytest.mark.parametrize("which", ["local", "sdk"])
def test_a_window_without_genes_is_an_answer_without_rows(sdk_client: Any, which: str) -> None:
    model = LocalModel() if which == "local" else sdk_client
    answer = answer_of(predictor_of(model, computed("GENE_LFC", None, output="RNA_SEQ")), snv())
    assert (answer.genes, answer.scores.shape) == ((), (0, 3))


# --- what goes wrong --------------------------------------------------------------------------------------------------


def raising(error: Exception) -> Callable[[list[Any]], list[Any]]:
    def spoil(_: list[Any]) -> list[Any]:
        raise error

    return spoil


def test_a_value_error_is_the_variants_failure() -> None:
    predictor = predictor_of(LocalModel(raising(ValueError("the window\n is too short"))))
    with pytest.raises(VariantFailed) as caught:
        predictor.score([snv()])
    assert caught.value.reason == "value_error: the window is too short"
    assert caught.value.blames_provider


def test_a_value_error_where_the_window_begins_before_the_chromosome_is_no_fault_of_the_model() -> None:
    """Variants come in genome order: the first ones of a run are at the beginning of chr1."""
    predictor = predictor_of(LocalModel(raising(ValueError("start < 0"))))
    with pytest.raises(VariantFailed) as caught:
        predictor.score([Variant("chr1", W16 // 2 - 1, "A", "C")])
    assert caught.value.reason == "window_outside_contig: value_error: start < 0"
    assert caught.value.is_likely


@pytest.mark.parametrize("error", [MemoryError("the device is full"), RuntimeError("oops"), KeyError("x")])
def test_any_other_error_of_the_model_is_to_be_asked_for_again(error: Exception) -> None:
    predictor = predictor_of(LocalModel(raising(error)))
    with pytest.raises(TryAgain, match=f"{type(error).__name__}: ") as caught:
        predictor.score([snv()])
    assert not caught.value.is_quota
    assert not caught.value.is_down


@pytest.mark.parametrize("error", [AttributeError("x"), KeyError("x"), RuntimeError("no weights")])
def test_an_object_that_cannot_list_its_tracks_is_an_error(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    model = LocalModel()
    monkeypatch.setattr(model, "output_metadata", lambda organism: raising(error)([]))
    with pytest.raises(ProviderError, match=f"does not say which tracks it has: {type(error).__name__}: "):
        predictor_of(model)


@pytest.mark.parametrize(
    ("model", "lacks"), [({}, "output_metadata or score_variant"), (SimpleNamespace(score_variant=len), "output_meta")]
)
def test_an_object_that_is_no_model_is_a_usage_error(model: object, lacks: str) -> None:
    with pytest.raises(UsageError, match=f"has no method {lacks}"):
        ModelObjectPredictor(model, computed())


def two_rows(tables: list[Any]) -> list[Any]:
    doubled = anndata.concat([tables[0], tables[0]], index_unique="-", merge="same")
    return [doubled]


@pytest.mark.parametrize(
    "spoil",
    [lambda tables: [], lambda tables: tables * 2, lambda tables: [tables[0][:, 2:].copy()], two_rows],
    ids=["no table", "two tables", "a track too few", "two rows"],
)
def test_an_answer_that_makes_no_sense_is_to_be_asked_for_again(spoil: Callable[[list[Any]], list[Any]]) -> None:
    predictor = predictor_of(LocalModel(spoil))
    with pytest.raises(TryAgain, match="malformed_answer"):
        predictor.score([snv()])


# --- module:factory ---------------------------------------------------------------------------------------------------


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Write a module into the present folder: its name, which no other test has."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def write_module(code: str) -> str:
        name = f"of_{tmp_path.name}".replace("-", "_")
        (tmp_path / f"{name}.py").write_text(code)
        monkeypatch.delitem(sys.modules, name, raising=False)
        return name

    return write_module


def test_the_factory_of_a_module_in_the_present_folder_makes_the_object(write: Callable[[str], str]) -> None:
    name, path = write("def make():\n    return ['the object']\n"), list(sys.path)
    assert load(f"{name}:make") == ["the object"]
    assert sys.path == path


def test_a_factory_may_import_what_lies_beside_its_module(write: Callable[[str], str], tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    name, path = write("import sys\nsys.path.insert(0, 'other')\ndef make():\n    import beside_it\n"
                       "    return beside_it\n"), list(sys.path)  # fmt: skip
    (tmp_path / "beside_it.py").touch()
    try:
        assert load(f"{name}:make").__name__ == "beside_it"
        assert sys.path == ["other", *path]
    finally:
        sys.path[:] = path
        sys.modules.pop("beside_it", None)


@pytest.mark.parametrize(
    ("factory", "said"),
    [(":other", "other"), ("", "module"), (":", "module"), ("_missing:make", "No module named")],
)
def test_a_name_that_is_nothing_is_a_usage_error_that_says_what_a_name_is(
    write: Callable[[str], str], factory: str, said: str
) -> None:
    name = write("def make():\n    return 1\n")
    with pytest.raises(UsageError, match=said) as caught:
        load(f"{name}{factory}")
    assert "module:factory" in str(caught.value.cure)


def test_an_import_that_fails_inside_the_module_is_said(write: Callable[[str], str]) -> None:
    name = write("import no_such_thing_at_all\n")
    with pytest.raises(UsageError, match="no_such_thing_at_all"):
        load(f"{name}:make")


@pytest.mark.parametrize("code", ["raise RuntimeError('no GPU')\n", "def make(:\n"], ids=["raises", "is no Python"])
def test_a_module_that_fails_is_an_error_that_names_it(write: Callable[[str], str], code: str) -> None:
    name = write(code)
    with pytest.raises(ProviderError, match=f"the module of --model {name}:make failed: (RuntimeError|SyntaxError)"):
        load(f"{name}:make")


def test_a_factory_that_fails_is_an_error_that_names_it(write: Callable[[str], str]) -> None:
    name = write("def make():\n    raise RuntimeError('no GPU')\n")
    with pytest.raises(ProviderError, match=f"the factory of --model {name}:make failed: RuntimeError: no GPU"):
        load(f"{name}:make")
