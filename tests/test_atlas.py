"""Atlas: scores that were computed beforehand, against a made-up one on loopback."""

from collections.abc import Iterator

import numpy as np
import pytest
from fakes import genes, sequence
from fakes.faults import Fault, Plan
from fakes.process import Server
from served import FAR, GM12878, K562, MB, computed, connected, expected, sdk, snv, snvs

from agdb.errors import ProviderError, UsageError
from agdb.predictors.alphagenome import AlphaGenomePredictor
from agdb.predictors.alphagenome_connection import Connection
from agdb.predictors.atlas import AtlasPredictor
from agdb.predictors.contract import Answer, Computation, Predictor, TryAgain, Variant, VariantFailed
from agdb.predictors.scorers import ATLAS_NAMES

FACTOR = 1.01  # Plan.atlas_factor: its scores are close to the model's, and not the same


@pytest.fixture(scope="module")
def opened(running: Server) -> Iterator[Connection]:
    with connected(running.address) as connection:
        yield connection


@pytest.fixture
def connection(opened: Connection, server: Server) -> Connection:
    return opened


def held(aggregation: str = "DIFF_LOG2_SUM", mask: int | None = 501, output: str = "DNASE") -> Computation:
    """A computation that Atlas holds."""
    return computed(aggregation, mask, output=output, window_bp=MB, provider="atlas")


def ready(connection: Connection, computation: Computation, track_set: str = "all") -> AtlasPredictor:
    """A predictor that knows its tracks."""
    predictor = AtlasPredictor(connection, computation, track_set)
    predictor.tracks()
    return predictor


def answer_of(predictor: Predictor, variant: Variant) -> Answer:
    [answer] = predictor.score([variant])
    assert isinstance(answer, Answer)
    return answer


def refusal(predictor: Predictor, variant: Variant) -> VariantFailed:
    with pytest.raises(VariantFailed) as caught:
        predictor.score([variant])
    return caught.value


# --- scores -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("output", ["DNASE", "ATAC"])
@pytest.mark.parametrize("aggregation", ["DIFF_LOG2_SUM", "ACTIVE_SUM"])
def test_the_scores_are_those_that_atlas_holds_of_every_track(
    connection: Connection, output: str, aggregation: str
) -> None:
    predictor: Predictor = AtlasPredictor(connection, held(aggregation, output=output))
    found = tuple(predictor.tracks())
    for variant in snvs(3):
        answer = answer_of(predictor, variant)
        assert answer.genes is None
        assert answer.scores[0] / FACTOR == expected(variant, found, aggregation)


def test_quantiles_come_where_atlas_has_them(server: Server, connection: Connection) -> None:
    predictor = ready(connection, held())
    answer = answer_of(predictor, snv())
    scaled = 10 * answer.scores  # `fakes.model.quantile`
    assert answer.quantiles is not None
    np.testing.assert_allclose(answer.quantiles, scaled / (1 + np.abs(scaled)), rtol=1e-5)
    server.set_plan(Plan(quantiles=False))
    assert answer_of(predictor, snv()).quantiles is None


@pytest.mark.parametrize("aggregation", ["GENE_LFC", "GENE_ACTIVE"])
def test_scores_of_genes_are_the_models_in_the_tissue_that_is_wanted(connection: Connection, aggregation: str) -> None:
    predictor = ready(connection, held(aggregation, None, "RNA_SEQ"), "gtex_tissue=Whole_Blood")
    answer = answer_of(predictor, snv())
    model = AlphaGenomePredictor(connection, computed(aggregation, None, output="RNA_SEQ", window_bp=MB))
    [blood] = [i for i, track in enumerate(model.tracks()) if track.gtex_tissue == "Whole_Blood"]
    live = answer_of(model, snv())
    assert answer.genes == live.genes == tuple(g.gene_id for g in genes.inside("chr2", FAR - MB // 2, FAR + MB // 2))
    np.testing.assert_allclose(answer.scores, FACTOR * live.scores[:, [blood]], rtol=1e-5)


def test_the_strands_of_an_experiment_are_one_track_of_atlas(connection: Connection) -> None:
    predictor = ready(connection, held("GENE_LFC", None, "RNA_SEQ"))
    assert [(track.ontology_curie, track.strand) for track in predictor.tracks()] == [
        (K562, "."), ("UBERON:0013756", "."),
    ]  # fmt: skip
    assert not np.isnan(answer_of(predictor, snv()).scores).any()


def test_each_variant_is_one_call(server: Server, connection: Connection) -> None:
    predictor = ready(connection, held())
    for variant in snvs(5):
        answer_of(predictor, variant)
    assert server.stats(variants=True)["calls_by_variant"] == {str(sdk(variant)): 1 for variant in snvs(5)}
    assert server.stats()["calls_by_method"] == {"ListVariantScoresMetadata": 1, "GetDenseVariantScores": 5}


# --- the tracks that are wanted ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("terms", [[K562], [K562, GM12878], ["UBERON:0001114", "CL:0000236", GM12878]])
def test_only_the_tracks_that_are_wanted_are_sent_in_the_order_of_tracks(
    connection: Connection, terms: list[str]
) -> None:
    predictor = ready(connection, held(), ",".join(terms))
    found = tuple(predictor.tracks())
    assert {track.ontology_curie for track in found} == set(terms)
    answer = answer_of(predictor, snv())
    assert answer.scores.shape == (1, len(terms))
    assert answer.scores[0] / FACTOR == expected(snv(), found)


def test_a_term_that_atlas_has_no_track_of_is_an_error(connection: Connection) -> None:
    with pytest.raises(UsageError, match="no DNASE track of EFO:9999999"):
        ready(connection, held(), f"{K562},EFO:9999999")


@pytest.mark.parametrize("key", [key for key in ATLAS_NAMES if key[0] not in ("DNASE", "ATAC", "RNA_SEQ")], ids=str)
def test_scores_that_atlas_does_not_hold_are_an_error(connection: Connection, key: tuple[str, int | None, str]) -> None:
    output, mask, aggregation = key
    with pytest.raises(ProviderError, match=f"Atlas holds no scores {ATLAS_NAMES[key]}") as caught:
        ready(connection, held(aggregation, mask, output))
    assert "--provider alphagenome" in str(caught.value.cure)


# --- what Atlas does not hold -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ref", "alt"), [("A", "AC"), ("AC", "A"), ("AC", "GT")])
def test_a_variant_that_is_no_snv_is_refused(connection: Connection, ref: str, alt: str) -> None:
    fault = refusal(ready(connection, held()), Variant("chr2", FAR, ref, alt))
    assert fault.reason == f"invalid_argument: chr2:{FAR}:{ref}>{alt} is no single nucleotide variant"
    assert fault.blames_provider


def test_a_ref_that_is_not_the_genomes_is_refused_with_what_it_is(connection: Connection) -> None:
    base = sequence.text("chr2", FAR - 1, FAR)
    wrong = "ACGT".replace(base, "")[0]
    fault = refusal(ready(connection, held()), Variant("chr2", FAR, wrong, base))
    assert f"is {base}, not {wrong}" in fault.reason


def test_a_variant_of_the_mitochondrion_is_refused(connection: Connection) -> None:
    assert "chrM" in refusal(ready(connection, held()), Variant("chrM", 9_000, "A", "G")).reason


def test_an_answer_that_leaves_the_scorer_out_is_a_refusal(connection: Connection) -> None:
    far_from_genes = next(
        pos for pos in range(MB, 99 * MB, 100_000) if not genes.inside("chr2", pos - MB // 2, pos + MB // 2)
    )  # fmt: skip
    fault = refusal(ready(connection, held("GENE_LFC", None, "RNA_SEQ")), snv(far_from_genes))
    assert fault.reason == "no_scores: Atlas holds no RNA_SEQ of this variant"
    assert fault.blames_provider


# --- answers that make no sense ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [Fault("shape"), Fault("outputs", outputs=2)], ids=["too few values", "two tables"])
def test_an_answer_of_another_shape_is_to_be_asked_for_again(
    server: Server, connection: Connection, fault: Fault
) -> None:
    predictor = ready(connection, held())
    server.set_plan(Plan(faults=(fault,)))
    with pytest.raises(TryAgain, match="malformed_answer") as caught:
        predictor.score([snv()])
    assert not caught.value.is_quota
    assert not caught.value.is_down


def test_nan_in_every_track_is_a_broken_answer(server: Server, connection: Connection) -> None:
    predictor = ready(connection, held())
    server.set_plan(Plan(faults=(Fault("nan"),)))
    assert answer_of(predictor, snv()).is_broken_in()
