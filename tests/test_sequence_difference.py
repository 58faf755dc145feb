"""The original study's score: two predicted sequences, of which only the means over positions are kept."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from fakes import plain, tracks
from fakes.faults import Fault, Plan, poisoned
from fakes.process import Server
from served import W16, computed, connected, once_back, plain_name

from agdb.errors import ProviderError
from agdb.genome import Genome
from agdb.predictors import scorers
from agdb.predictors.alphagenome_connection import Connection
from agdb.predictors.contract import Answer, Predictor, Track, TryAgain, Variant, VariantFailed
from agdb.predictors.sequence_difference import SequenceDifferencePredictor

RNG = np.random.default_rng(11)
LENGTH = 20_000
#: A chromosome of our own: the server is sent sequences, and need not know where they are from.
SEQUENCE = "".join(RNG.choice(list("ACGT"), LENGTH))
#: 0-based; near the middle.
MIDDLE = 10_000

ALLELES = {"SNV": (1, "T"), "MNV": (3, "TAA"), "insertion": (1, "TACCGT"), "deletion": (6, "T")}


@pytest.fixture(scope="module")
def opened(running: Server) -> Iterator[Connection]:
    with connected(running.address) as connection:
        yield connection


@pytest.fixture
def connection(opened: Connection, server: Server) -> Connection:
    return opened


@contextmanager
def predictor_of(
    connection: Connection, folder: Path, sequence: str = SEQUENCE, *, output: str = "DNASE", window_bp: int = W16
) -> Iterator[SequenceDifferencePredictor]:
    """A predictor that reads a FASTA of one chromosome, and knows its tracks."""
    path = folder / "genome.fa"
    path.write_text(f">chr1\n{sequence}\n")
    genome = Genome(path, folder / "work")
    computation = computed("SEQUENCE_DIFF_MEAN", None, output=output, window_bp=window_bp)
    predictor = SequenceDifferencePredictor(connection, genome, computation)
    predictor.tracks()
    try:
        yield predictor
    finally:
        genome.close()


def at(start: int, n_ref: int = 1, alt: str = "T", sequence: str = SEQUENCE) -> Variant:
    """A variant at a 0-based place; ALT begins with REF's first base where the lengths differ."""
    ref = sequence[start : start + n_ref].upper()
    if len(alt) == n_ref == 1:
        alt = "ACGT"["ACGT".index(ref) - 1]
    return Variant("chr1", start + 1, ref, alt if len(alt) == n_ref else ref[0] + alt[1:])


def windows_of(variant: Variant, sequence: str = SEQUENCE, width: int = W16) -> tuple[str, str]:
    """REF and ALT, of one width and from one base on."""
    start = variant.pos - 1
    left = start - width // 2
    changed = sequence[:start] + variant.alt + sequence[start + len(variant.ref) :]
    return sequence[left : left + width].upper(), changed[left : left + width].upper()


def means_of(window: str, listed: tuple[Track, ...]) -> list[float]:
    """Mean predicted signal of a sequence, for each track."""
    return [sum(plain.signal(window, plain_name(track))) / len(window) for track in listed]


def answer_of(predictor: Predictor, variant: Variant) -> Answer:
    [answer] = predictor.score([variant])
    assert isinstance(answer, Answer)
    return answer


def check(answer: Answer, variant: Variant, listed: tuple[Track, ...], sequence: str = SEQUENCE) -> None:
    """The score of each track is the difference of the two means, and both are told."""
    ref, alt = (np.array(means_of(window, listed)) for window in windows_of(variant, sequence))
    assert answer.genes is None
    assert answer.scores.shape == (1, len(listed))
    assert answer.ref_values is not None
    assert answer.alt_values is not None
    np.testing.assert_allclose(answer.ref_values[0], ref, rtol=1e-6)
    np.testing.assert_allclose(answer.alt_values[0], alt, rtol=1e-6)
    np.testing.assert_allclose(answer.scores[0], alt - ref, rtol=1e-4, atol=1e-9)


# --- the score --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("alleles", ALLELES.values(), ids=ALLELES)
def test_the_score_is_mean_alt_minus_mean_ref_over_windows_of_one_length(
    connection: Connection, tmp_path: Path, alleles: tuple[int, str]
) -> None:
    with predictor_of(connection, tmp_path) as predictor:
        variant = at(MIDDLE, *alleles)
        check(answer_of(predictor, variant), variant, tuple(predictor.tracks()))


def test_strands_are_tracks_of_their_own(connection: Connection, tmp_path: Path) -> None:
    with predictor_of(connection, tmp_path, output="RNA_SEQ") as predictor:
        listed = tuple(predictor.tracks())
        assert [track.strand for track in listed] == ["+", "-", "."]
        check(answer_of(predictor, at(MIDDLE)), at(MIDDLE), listed)


@pytest.mark.parametrize("start", [W16 // 2, LENGTH - W16 // 2])
def test_a_window_may_touch_the_end_of_the_chromosome(connection: Connection, tmp_path: Path, start: int) -> None:
    with predictor_of(connection, tmp_path) as predictor:
        check(answer_of(predictor, at(start)), at(start), tuple(predictor.tracks()))


def test_a_lower_case_fasta_is_sent_in_upper_case(connection: Connection, tmp_path: Path) -> None:
    with predictor_of(connection, tmp_path, SEQUENCE.lower()) as predictor:
        check(answer_of(predictor, at(MIDDLE)), at(MIDDLE), tuple(predictor.tracks()))


def test_a_few_n_are_sent_as_they_are(connection: Connection, tmp_path: Path) -> None:
    sequence = SEQUENCE[:5_000] + "N" * 1_000 + SEQUENCE[6_000:]
    with predictor_of(connection, tmp_path, sequence) as predictor:
        variant = at(MIDDLE, sequence=sequence)
        check(answer_of(predictor, variant), variant, tuple(predictor.tracks()), sequence)


def test_an_answer_beyond_four_megabytes_arrives_in_one_piece_and_in_many(
    server: Server, connection: Connection, tmp_path: Path
) -> None:
    sequence = SEQUENCE * 7
    with predictor_of(connection, tmp_path, sequence, window_bp=131_072) as predictor:
        place = len(sequence) // 2
        whole = answer_of(predictor, at(place, sequence=sequence))
        assert 131_072 * len(predictor.tracks()) * 4 >= 4 << 20
        server.set_plan(Plan(chunk_bytes=1 << 20))
        in_chunks = answer_of(predictor, at(place, sequence=sequence))
        listed = tuple(predictor.tracks())[1:2]
    np.testing.assert_array_equal(whole.scores, in_chunks.scores)
    ref, _ = windows_of(at(place, sequence=sequence), sequence, 131_072)
    assert whole.ref_values is not None
    assert whole.ref_values[0, 1] == pytest.approx(means_of(ref, listed)[0], rel=1e-6)


def test_it_is_what_the_scorer_original_computes() -> None:
    scorer = scorers.scorer(scorers.presets()["original"], window_bp=W16)
    assert (scorer.of.aggregation, scorer.of.output_type, scorer.of.mask_bp) == ("SEQUENCE_DIFF_MEAN", "DNASE", None)
    assert (scorer.track_set, scorer.track_aggregation) == ("all", "mean")
    assert scorer.of.is_signed
    assert scorer.of.reads_genome


# --- variants without windows -----------------------------------------------------------------------------------------

UNSCORED = {
    "left of the chromosome": (at(W16 // 2 - 1), "window_outside_genome"),
    "right of the chromosome": (at(LENGTH - W16 // 2 + 1), "window_outside_genome"),
    "a deletion that needs more": (at(LENGTH - W16 // 2, 6), "window_outside_genome"),
    "another chromosome": (at(MIDDLE)._replace(chrom="chr2"), "window_outside_genome"),
    "another REF": (Variant("chr1", MIDDLE + 1, *reversed(at(MIDDLE)[2:])), "ref_not_in_genome"),
    "an allele longer than half of it": (at(MIDDLE, 1, "T" * (W16 // 2 + 1)), "allele_longer_than_window"),
}


@pytest.mark.parametrize("case", UNSCORED)
def test_a_variant_without_windows_is_refused_by_reason_and_no_call(
    server: Server, connection: Connection, tmp_path: Path, case: str
) -> None:
    variant, reason = UNSCORED[case]
    with predictor_of(connection, tmp_path) as predictor:
        server.reset()
        with pytest.raises(VariantFailed) as caught:
            predictor.score([variant])
    assert caught.value.reason == reason
    assert not caught.value.blames_provider
    assert server.stats()["calls"] == 0


def test_a_window_that_is_mostly_n_is_refused_and_no_call(
    server: Server, connection: Connection, tmp_path: Path
) -> None:
    sequence = SEQUENCE[:5_000] + "N" * 2_000 + SEQUENCE[7_000:]
    with predictor_of(connection, tmp_path, sequence) as predictor:
        server.reset()
        with pytest.raises(VariantFailed, match="window_has_N"):
            predictor.score([at(MIDDLE)])
    assert server.stats()["calls"] == 0


# --- calls ------------------------------------------------------------------------------------------------------------


def of_sequence(window: str) -> str:
    """What the server calls a sequence."""
    return f"sequence:{hashlib.sha256(window.encode()).hexdigest()[:16]}"


def test_a_variant_is_two_calls(server: Server, connection: Connection, tmp_path: Path) -> None:
    with predictor_of(connection, tmp_path) as predictor:
        server.reset()
        answer_of(predictor, at(MIDDLE))
    assert server.stats()["calls_by_method"] == {"PredictSequence": 2}


def test_when_the_second_call_fails_the_first_is_not_made_again(
    server: Server, connection: Connection, tmp_path: Path
) -> None:
    _, alt = windows_of(at(MIDDLE))
    with predictor_of(connection, tmp_path) as predictor:
        server.set_plan(Plan(faults=(Fault(variants=(of_sequence(alt),), first_attempts=1),)))
        server.reset()
        with pytest.raises(TryAgain, match="unavailable") as caught:
            predictor.score([at(MIDDLE)])
        assert caught.value.is_down
        check(answer_of(predictor, at(MIDDLE)), at(MIDDLE), tuple(predictor.tracks()))
    assert server.stats()["calls_by_method"]["PredictSequence"] == 3


def test_a_refused_sequence_is_the_variants_failure(server: Server, connection: Connection, tmp_path: Path) -> None:
    with predictor_of(connection, tmp_path) as predictor:
        server.set_plan(Plan(faults=(poisoned(1.0),)))
        with pytest.raises(VariantFailed, match="invalid_argument: the variant is refused") as caught:
            predictor.score([at(MIDDLE)])
    assert caught.value.blames_provider


@pytest.mark.parametrize(
    "fault",
    [Fault("outputs", outputs=0), Fault("outputs", outputs=2), Fault("shape"), Fault("drop", code="INTERNAL")],
    ids=["no output", "two outputs", "a track too few", "dropped midway"],
)
def test_an_answer_that_makes_no_sense_is_to_be_asked_for_again(
    server: Server, connection: Connection, tmp_path: Path, fault: Fault
) -> None:
    with predictor_of(connection, tmp_path) as predictor:
        server.set_plan(Plan(faults=(fault,)))
        with pytest.raises(TryAgain, match=r"malformed_answer|internal") as caught:
            predictor.score([at(MIDDLE)])
    assert not caught.value.is_quota
    assert not caught.value.is_down


def test_nan_in_every_position_is_a_broken_answer(server: Server, connection: Connection, tmp_path: Path) -> None:
    with predictor_of(connection, tmp_path) as predictor:
        server.set_plan(Plan(faults=(Fault("nan"),)))
        assert answer_of(predictor, at(MIDDLE)).is_broken_in()


@pytest.mark.parametrize("output", ["DNASE", "RNA_SEQ"])
def test_tracks_that_come_in_another_order_than_they_were_listed_end_the_run(tmp_path: Path, output: str) -> None:
    header, *rows = tracks.DEFAULT.read_text().splitlines()
    rows = [row for row in rows if row.startswith(output)][:2]  # of RNA_SEQ, two strands of one name
    table = tmp_path / "tracks.tsv"
    table.write_text("\n".join([header, *rows]) + "\n")
    with (
        Server(tracks_tsv=table) as server,
        connected(server.address) as connection,
        predictor_of(connection, tmp_path, output=output) as predictor,
    ):
        table.write_text("\n".join([header, *rows[::-1]]) + "\n")
        server.restart()
        with pytest.raises(ProviderError, match="another order"):
            once_back(lambda: answer_of(predictor, at(MIDDLE)))
