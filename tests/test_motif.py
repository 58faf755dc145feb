"""The motif predictor against an obvious implementation of the same definition, and its windows base by base."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agdb.errors import UsageError
from agdb.genome import Genome
from agdb.predictors.contract import Answer, Predictor, Variant, VariantFailed
from agdb.predictors.motif import EPSILON, PRIOR, WINDOW_RANGE, MotifPredictor, log2_ratio, occupancy, scorer
from agdb.predictors.motifs import IUPAC, MISMATCH, MOTIFS, Motif, log_odds, reverse_complement, strands

COMPLEMENT = str.maketrans("ACGTN", "TGCAN")
WINDOW = 41
CENTRE = WINDOW // 2


def ascii_of(*sequences: str) -> npt.NDArray[np.uint8]:
    return np.array([list(sequence.encode()) for sequence in sequences], dtype=np.uint8)


def other_strand(sequence: str) -> str:
    return sequence.translate(COMPLEMENT)[::-1]


def obvious_odds(word: str, consensus: str) -> float:
    """PRIOR times the product over positions of p(base) / 0.25, straight from the definition."""
    odds = PRIOR
    for base, code in zip(word, consensus, strict=True):
        allowed = IUPAC[code]
        odds *= ((1 - MISMATCH * (4 - len(allowed))) / len(allowed) if base in allowed else MISMATCH) / 0.25
    return odds


def obvious_occupancy(sequence: str) -> float:
    """The definition, one placement at a time. AP-1 is the one motif that is its own reverse complement."""
    total = 0.0
    for motif in MOTIFS:
        length = len(motif.consensus)
        for strand in (sequence,) if motif.name == "AP-1" else (sequence, other_strand(sequence)):
            for place in range(len(strand) - length + 1):
                word = strand[place : place + length]
                if "N" not in word:
                    odds = obvious_odds(word, motif.consensus)
                    total += odds / (1 + odds)
    return total


def genome_of(folder: Path, sequence: str, chrom: str = "chr1") -> Genome:
    path = folder / "genome.fa"
    path.write_text(f">{chrom}\n{sequence}\n")
    return Genome(path, folder / "work")


def predictor_of(genome: Genome, window_bp: int = WINDOW) -> MotifPredictor:
    return MotifPredictor(genome, scorer("GRCh38", window_bp).of)


def reason(predictor: MotifPredictor, variant: Variant) -> str:
    """Why a variant is not scored; "" if it is."""
    [got] = predictor.score([variant])
    return got.reason if isinstance(got, VariantFailed) else ""


def values(answer: Answer | VariantFailed) -> tuple[float, float, float]:
    """Score, occupancy of REF, occupancy of ALT."""
    assert isinstance(answer, Answer)
    assert answer.ref_values is not None
    assert answer.alt_values is not None
    assert answer.scores.shape == answer.ref_values.shape == answer.alt_values.shape == (1, 1)
    return float(answer.scores[0, 0]), float(answer.ref_values[0, 0]), float(answer.alt_values[0, 0])


def scored(predictor: MotifPredictor, variant: Variant) -> tuple[float, float, float]:
    """The same of one variant."""
    return values(*predictor.score([variant]))


# --- motifs -----------------------------------------------------------------------------------------------------------


def test_a_consensus_base_weighs_what_the_rule_says() -> None:
    expected = np.log([[0.94, 0.02, 0.02, 0.02], [0.48, 0.02, 0.48, 0.02], [0.25] * 4]) - np.log(0.25)
    np.testing.assert_allclose(log_odds("ARN"), expected, atol=1e-12)


@pytest.mark.parametrize("motif", MOTIFS, ids=lambda motif: motif.name)
def test_each_position_of_a_motif_is_a_distribution(motif: Motif) -> None:
    probabilities = np.exp(log_odds(motif.consensus)) / 4
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert motif.source


def test_the_reverse_complement_of_gata_is_tatc() -> None:
    np.testing.assert_array_equal(reverse_complement(log_odds("WGATAR")), log_odds("YTATCW"))


def test_only_ap1_is_its_own_reverse_complement() -> None:
    assert [motif.name for motif in MOTIFS if len(strands(motif)) == 1] == ["AP-1"]


# --- occupancy --------------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.lists(st.text("ACGT", min_size=45, max_size=45) | st.text("ACGTN", min_size=45, max_size=45), max_size=5))
def test_occupancy_is_the_sum_over_all_placements(sequences: list[str]) -> None:
    expected = [obvious_occupancy(sequence) for sequence in sequences]
    np.testing.assert_allclose(occupancy(ascii_of(*sequences).reshape(-1, 45)), expected, rtol=1e-12)


@pytest.mark.parametrize("width", [1, 5, 6, 8, 9, 10, 13, 18, 19])
def test_placements_that_do_not_fit_are_not_counted(width: int) -> None:
    sequence = ("CAGGTGACCTGATCCAGATAAGG" * 2)[3 : 3 + width]
    np.testing.assert_allclose(occupancy(ascii_of(sequence)), [obvious_occupancy(sequence)], rtol=1e-12, atol=0)


@settings(deadline=None)
@given(st.text("ACGTN", min_size=45, max_size=45))
def test_both_strands_have_the_same_occupancy(sequence: str) -> None:
    one, other = occupancy(ascii_of(sequence, other_strand(sequence)))
    assert one == pytest.approx(other, rel=1e-12)


@pytest.mark.parametrize("motif", MOTIFS, ids=lambda motif: motif.name)
def test_a_planted_site_raises_occupancy_and_a_broken_one_does_not(motif: Motif) -> None:
    site = "".join(IUPAC[code][0] for code in motif.consensus)
    firm = next(at for at, code in enumerate(motif.consensus) if len(IUPAC[code]) == 1)
    broken = site[:firm] + "ACGT"[("ACGT".index(site[firm]) + 2) % 4] + site[firm + 1 :]
    # N all around: whatever the occupancy is, it stems from the site.
    intact, spoilt = occupancy(ascii_of("NN" + site + "NN", "NN" + broken + "NN"))
    assert intact > spoilt
    assert intact >= obvious_odds(site, motif.consensus) / (1 + obvious_odds(site, motif.consensus))


def test_sequence_that_is_all_n_has_no_occupancy() -> None:
    assert occupancy(ascii_of("N" * 60)).tolist() == [0.0]


def test_occupancy_of_a_sequence_does_not_depend_on_its_batch() -> None:
    sequences = np.frombuffer(b"ACGTN", np.uint8)[np.random.default_rng(5).choice(5, (150, 97), p=[0.24] * 4 + [0.04])]
    together = occupancy(sequences)
    assert together.tolist() == [occupancy(row[None])[0] for row in sequences]
    assert together[::-1].tolist() == occupancy(sequences[::-1]).tolist()
    assert together[3:76].tolist() == occupancy(sequences[3:76]).tolist()


def test_log2_ratio_is_positive_where_alt_binds_more_and_zero_where_nothing_changes() -> None:
    got = log2_ratio(np.array([1.0, 0.0, 0.3, 0.0]), np.array([0.0, 1.0, 0.3, 0.0]))
    up = np.log2((1 + EPSILON) / EPSILON)
    np.testing.assert_allclose(got, [up, -up, 0, 0])


# --- windows ----------------------------------------------------------------------------------------------------------


@st.composite
def genome_and_variant(draw: st.DrawFn) -> tuple[str, int, str, str]:
    """A chromosome, and a 0-based start, REF and ALT on it; some near its ends, some N, some long."""
    sequence = draw(st.text("ACGT", min_size=60, max_size=140))
    masked = draw(st.integers(0, 20))
    sequence = sequence[:masked] + "N" * draw(st.integers(0, 6)) + sequence[masked:]
    start = draw(st.integers(0, len(sequence) - 1))
    ref = sequence[start : start + draw(st.integers(1, 30))]
    return sequence, start, ref, draw(st.text("ACGT", min_size=1, max_size=30))


@settings(deadline=None)
@given(genome_and_variant())
def test_ref_and_alt_windows_are_slices_of_the_two_sequences(
    tmp_path_factory: pytest.TempPathFactory, case: tuple[str, int, str, str]
) -> None:
    sequence, start, ref, alt = case
    left = start - CENTRE
    changed = sequence[:start] + alt + sequence[start + len(ref) :]
    windows = [whole[max(left, 0) : left + WINDOW] for whole in (sequence, changed)]
    if max(len(ref), len(alt)) > WINDOW - CENTRE:
        expected = "allele_longer_than_window"
    elif left < 0 or left + WINDOW > min(len(sequence), len(changed)):
        expected = "window_outside_genome"
    elif max(window.count("N") for window in windows) > WINDOW // 10:
        expected = "window_has_N"
    else:
        expected = ""

    genome = genome_of(tmp_path_factory.mktemp("genome"), sequence)
    [got] = predictor_of(genome).score([Variant("chr1", start + 1, ref, alt)])
    genome.close()
    if expected:
        assert isinstance(got, VariantFailed)
        assert got.reason == expected
    else:
        np.testing.assert_allclose(values(got)[1:], [obvious_occupancy(window) for window in windows], rtol=1e-12)


def test_deletion_reads_further_bases_on_the_right(tmp_path: Path) -> None:
    # A GATA site lies across the right end of the REF window: the deletion of four bases draws it in.
    sequence = "C" * CENTRE + "CAAAA" + "C" * 12 + "AGATAA" + "C" * 9
    predictor = predictor_of(genome_of(tmp_path, sequence))
    score, ref, alt = scored(predictor, Variant("chr1", CENTRE + 1, "CAAAA", "C"))
    assert ref == pytest.approx(obvious_occupancy("C" * 21 + "AAAA" + "C" * 12 + "AGAT"))
    assert alt == pytest.approx(obvious_occupancy("C" * 21 + "C" * 12 + "AGATAA" + "CC"))
    assert score > 0.5


def test_insertion_pushes_bases_out_on_the_right_only(tmp_path: Path) -> None:
    sequence = "AGATAA" + "C" * (CENTRE - 6) + "C" + "C" * (CENTRE - 6) + "AGATAA" + "C" * 9
    score, _, alt = scored(predictor_of(genome_of(tmp_path, sequence)), Variant("chr1", CENTRE + 1, "C", "CC"))
    assert alt == pytest.approx(obvious_occupancy("AGATAA" + "C" * 30 + "AGATA"))
    assert score < 0


def test_a_variant_that_makes_a_gata_site_scores_above_zero_and_its_reverse_below(tmp_path: Path) -> None:
    sequence = "C" * 20 + "TTTTAGCTAAGTTTTTTTTTTTTTT" + "C" * 20
    at = sequence.index("AGCTAA") + 2
    made, *_ = scored(predictor_of(genome_of(tmp_path, sequence)), Variant("chr1", at + 1, "C", "A"))
    other = sequence[:at] + "A" + sequence[at + 1 :]
    lost, *_ = scored(predictor_of(genome_of(tmp_path, other)), Variant("chr1", at + 1, "A", "C"))
    assert made > 0.5
    assert lost == pytest.approx(-made, rel=1e-12)


def test_a_ref_allele_that_the_genome_does_not_say_is_not_scored(tmp_path: Path) -> None:
    predictor = predictor_of(genome_of(tmp_path, "ACGT" * 40))
    assert reason(predictor, Variant("chr1", 81, "C", "G")) == "ref_not_in_genome"
    got = predictor.score([Variant("chr1", 81, "A", "G"), Variant("chr1", 81, "ACC", "A")])
    assert [type(one) for one in got] == [Answer, VariantFailed]


@pytest.mark.parametrize(("unknown", "expected"), [(4, ""), (5, "window_has_N")])
def test_a_window_of_which_more_than_a_tenth_is_n_is_not_scored(tmp_path: Path, unknown: int, expected: str) -> None:
    sequence = "ACGT" * 10 + "N" * unknown + "ACGT" * 20
    assert reason(predictor_of(genome_of(tmp_path, sequence)), Variant("chr1", 37, "A", "G")) == expected


def test_a_chromosome_that_the_fasta_lacks_is_outside_the_genome(tmp_path: Path) -> None:
    predictor = predictor_of(genome_of(tmp_path, "ACGT" * 40))
    assert reason(predictor, Variant("chr9", 81, "A", "G")) == "window_outside_genome"


# --- predictor --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> tuple[MotifPredictor, list[Variant]]:
    """200 variants on a random chromosome: SNVs, insertions, deletions, and some that cannot be scored."""
    rng = np.random.default_rng(8)
    sequence = "".join(rng.choice(list("ACGT"), 3000))
    variants = []
    for start in rng.integers(0, 2990, 200).tolist():
        ref = sequence[start : start + int(rng.choice([1, 1, 1, 2, 9]))]
        alt = "".join(rng.choice(list("ACGT"), rng.choice([1, 1, 1, 4, 300])))
        variants.append(Variant("chr1", start + 1, ref, alt))
    return predictor_of(genome_of(tmp_path_factory.mktemp("mixed"), sequence), 501), variants


def test_every_variant_comes_back_once_in_the_order_given(mixed: tuple[MotifPredictor, list[Variant]]) -> None:
    predictor, variants = mixed
    together = predictor.score(variants)
    assert {type(one) for one in together} == {Answer, VariantFailed}
    assert len(together) == len(variants)
    for variant, got in zip(variants, together, strict=True):
        [alone] = predictor.score([variant])
        if isinstance(got, VariantFailed):
            assert isinstance(alone, VariantFailed)
            assert alone.reason == got.reason
        else:
            assert values(alone) == values(got)


def test_no_variants_are_no_answers(mixed: tuple[MotifPredictor, list[Variant]]) -> None:
    assert mixed[0].score([]) == []


def test_an_answer_is_one_number_without_genes_tracks_and_quantiles(
    mixed: tuple[MotifPredictor, list[Variant]],
) -> None:
    predictor, variants = mixed
    answers = [answer for answer in predictor.score(variants) if isinstance(answer, Answer)]
    assert predictor.tracks() == ()
    assert {answer.scores.shape for answer in answers} == {(1, 1)}
    assert all(answer.genes is None and answer.quantiles is None and not answer.is_broken_in() for answer in answers)


def test_the_score_is_the_log2_ratio_of_the_two_occupancies(mixed: tuple[MotifPredictor, list[Variant]]) -> None:
    predictor, variants = mixed
    told = np.array([values(answer) for answer in predictor.score(variants) if isinstance(answer, Answer)])
    score, ref, alt = told.T
    np.testing.assert_allclose(score, np.log2((0.1 + alt) / (0.1 + ref)), rtol=1e-12)


@settings(deadline=None)
@given(data=st.data())
def test_a_score_does_not_depend_on_the_batch(mixed: tuple[MotifPredictor, list[Variant]], data: st.DataObject) -> None:
    predictor, variants = mixed
    whole = dict(zip(variants, predictor.score(variants), strict=True))
    chosen = data.draw(st.lists(st.sampled_from(variants), min_size=1, max_size=40, unique=True))
    for variant, got in zip(chosen, predictor.score(chosen), strict=True):
        if isinstance(got, Answer):
            assert values(got) == values(whole[variant])
        else:
            assert isinstance(whole[variant], VariantFailed)


def test_the_scorer_says_what_it_is(tmp_path: Path) -> None:
    made = scorer("GRCh37", 101, model_version="7")
    of = made.of
    assert (made.name, made.track_set, made.track_aggregation) == ("motif", "", None)
    assert (of.provider, of.model, of.model_version) == ("motif", "agdb-motif", "7")
    assert (of.assembly, of.window_bp, of.mask_bp) == ("GRCh37", 101, None)
    assert (of.output_type, of.aggregation) == ("OCCUPANCY", "LOG2_RATIO")
    assert of.is_signed
    assert of.reads_genome
    predictor: Predictor = MotifPredictor(genome_of(tmp_path, "ACGT" * 40), of)
    assert predictor.computation == of
    assert predictor.software.startswith("agdb ")


@pytest.mark.parametrize("window_bp", [0, WINDOW_RANGE[0] - 1, WINDOW_RANGE[1] + 1])
def test_a_window_out_of_range_is_refused_with_the_range(window_bp: int) -> None:
    with pytest.raises(UsageError) as caught:
        scorer("GRCh38", window_bp)
    assert "38 to 10001" in str(caught.value)


def test_the_smallest_window_is_twice_the_longest_motif() -> None:
    assert WINDOW_RANGE[0] == 2 * max(len(motif.consensus) for motif in MOTIFS) == 38
