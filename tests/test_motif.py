"""The motif predictor against an obvious implementation of the same definition, and its windows base by base."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agdb.errors import UsageError
from agdb.genome import Genome
from agdb.predictors.contract import FAILURES, SCORES, VARIANTS, Predicted, Predictor
from agdb.predictors.motif import EPSILON, PRIOR, WINDOW_RANGE, MotifPredictor, log2_ratio, occupancy
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


def variants_of(*rows: tuple[int, str, str], chrom: str = "chr1") -> pa.Table:
    pos, refs, alts = zip(*rows, strict=True) if rows else ((), (), ())
    names = [f"{chrom}_{at}_{ref}_{alt}" for at, ref, alt in rows]
    columns = {"variant_id": names, "chrom": [chrom] * len(rows), "pos": pos, "ref": refs, "alt": alts}
    return pa.table(columns, schema=VARIANTS)


def reasons(predicted: Predicted) -> list[str]:
    return predicted.failures["reason"].to_pylist()  # type: ignore[no-any-return]


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
    got = MotifPredictor(genome, "GRCh38", WINDOW).score(variants_of((start + 1, ref, alt)))
    genome.close()
    if expected:
        assert reasons(got) == [expected]
        assert got.scores.num_rows == 0
    else:
        assert got.failures.num_rows == 0
        values = got.scores.select(["ref_value", "alt_value"]).to_pylist()[0].values()
        np.testing.assert_allclose(list(values), [obvious_occupancy(window) for window in windows], rtol=1e-12)


def test_deletion_reads_further_bases_on_the_right(tmp_path: Path) -> None:
    # A GATA site lies across the right end of the REF window: the deletion of four bases draws it in.
    sequence = "C" * CENTRE + "CAAAA" + "C" * 12 + "AGATAA" + "C" * 9
    predictor = MotifPredictor(genome_of(tmp_path, sequence), "GRCh38", WINDOW)
    row = predictor.score(variants_of((CENTRE + 1, "CAAAA", "C"))).scores.to_pylist()[0]
    assert row["ref_value"] == pytest.approx(obvious_occupancy("C" * 21 + "AAAA" + "C" * 12 + "AGAT"))
    assert row["alt_value"] == pytest.approx(obvious_occupancy("C" * 21 + "C" * 12 + "AGATAA" + "CC"))
    assert row["score"] > 0.5


def test_insertion_pushes_bases_out_on_the_right_only(tmp_path: Path) -> None:
    sequence = "AGATAA" + "C" * (CENTRE - 6) + "C" + "C" * (CENTRE - 6) + "AGATAA" + "C" * 9
    got = MotifPredictor(genome_of(tmp_path, sequence), "GRCh38", WINDOW).score(variants_of((CENTRE + 1, "C", "CC")))
    row = got.scores.to_pylist()[0]
    assert row["alt_value"] == pytest.approx(obvious_occupancy("AGATAA" + "C" * 30 + "AGATA"))
    assert row["score"] < 0


def test_a_variant_that_makes_a_gata_site_scores_above_zero_and_its_reverse_below(tmp_path: Path) -> None:
    sequence = "C" * 20 + "TTTTAGCTAAGTTTTTTTTTTTTTT" + "C" * 20
    at = sequence.index("AGCTAA") + 2
    made = MotifPredictor(genome_of(tmp_path, sequence), "GRCh38", WINDOW).score(variants_of((at + 1, "C", "A")))
    other = sequence[:at] + "A" + sequence[at + 1 :]
    lost = MotifPredictor(genome_of(tmp_path, other), "GRCh38", WINDOW).score(variants_of((at + 1, "A", "C")))
    assert made.scores["score"][0].as_py() > 0.5
    assert lost.scores["score"][0].as_py() == pytest.approx(-made.scores["score"][0].as_py(), rel=1e-12)


def test_a_ref_allele_that_the_genome_does_not_say_is_not_scored(tmp_path: Path) -> None:
    predictor = MotifPredictor(genome_of(tmp_path, "ACGT" * 40), "GRCh38", WINDOW)
    assert reasons(predictor.score(variants_of((81, "C", "G")))) == ["ref_not_in_genome"]
    assert reasons(predictor.score(variants_of((81, "A", "G"), (81, "ACC", "A")))) == ["ref_not_in_genome"]


@pytest.mark.parametrize(("unknown", "expected"), [(4, []), (5, ["window_has_N"])])
def test_a_window_of_which_more_than_a_tenth_is_n_is_not_scored(
    tmp_path: Path, unknown: int, expected: list[str]
) -> None:
    sequence = "ACGT" * 10 + "N" * unknown + "ACGT" * 20
    predictor = MotifPredictor(genome_of(tmp_path, sequence), "GRCh38", WINDOW)
    assert reasons(predictor.score(variants_of((37, "A", "G")))) == expected


def test_a_chromosome_that_the_fasta_lacks_is_outside_the_genome(tmp_path: Path) -> None:
    predictor = MotifPredictor(genome_of(tmp_path, "ACGT" * 40), "GRCh38", WINDOW)
    assert reasons(predictor.score(variants_of((81, "A", "G"), chrom="chr9"))) == ["window_outside_genome"]


# --- predictor --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> tuple[MotifPredictor, pa.Table]:
    """200 variants on a random chromosome: SNVs, insertions, deletions, and some that cannot be scored."""
    rng = np.random.default_rng(8)
    sequence = "".join(rng.choice(list("ACGT"), 3000))
    rows = []
    for start in rng.integers(0, 2990, 200).tolist():
        ref = sequence[start : start + int(rng.choice([1, 1, 1, 2, 9]))]
        rows.append((start + 1, ref, "".join(rng.choice(list("ACGT"), rng.choice([1, 1, 1, 4, 300])))))
    return MotifPredictor(genome_of(tmp_path_factory.mktemp("mixed"), sequence), "GRCh38", 501), variants_of(*rows)


def test_every_variant_comes_back_once_in_the_order_given(mixed: tuple[MotifPredictor, pa.Table]) -> None:
    predictor, variants = mixed
    got = predictor.score(variants)
    scored, failed = (table["variant_id"].to_pylist() for table in got)
    given_ids = variants["variant_id"].to_pylist()
    assert scored
    assert failed
    assert sorted(scored + failed) == sorted(given_ids)
    assert scored == [name for name in given_ids if name in set(scored)]


def test_tables_have_the_schemas_of_the_contract(mixed: tuple[MotifPredictor, pa.Table]) -> None:
    predictor, variants = mixed
    for table in (variants, variants.slice(0, 0)):
        got = predictor.score(table)
        assert got.scores.schema == SCORES
        assert got.failures.schema == FAILURES
    assert got.scores.num_rows == 0


def test_the_score_is_the_log2_ratio_of_the_two_occupancies(mixed: tuple[MotifPredictor, pa.Table]) -> None:
    predictor, variants = mixed
    scores = predictor.score(variants).scores
    ref, alt = scores["ref_value"].to_numpy(), scores["alt_value"].to_numpy()
    np.testing.assert_allclose(scores["score"].to_numpy(), np.log2((0.1 + alt) / (0.1 + ref)), rtol=1e-12)
    assert np.isfinite(scores["score"].to_numpy()).all()


@settings(deadline=None)
@given(data=st.data())
def test_a_score_does_not_depend_on_the_batch(mixed: tuple[MotifPredictor, pa.Table], data: st.DataObject) -> None:
    predictor, variants = mixed
    whole = {row["variant_id"]: row for row in predictor.score(variants).scores.to_pylist()}
    chosen = data.draw(st.lists(st.integers(0, variants.num_rows - 1), min_size=1, max_size=40, unique=True))
    for row in predictor.score(variants.take(chosen)).scores.to_pylist():
        assert row == whole[row["variant_id"]]


def test_the_scorer_says_what_it_is(tmp_path: Path) -> None:
    predictor: Predictor = MotifPredictor(genome_of(tmp_path, "ACGT" * 40), "GRCh37", 101, model_version="7")
    scorer = predictor.scorer
    assert (scorer.name, scorer.model, scorer.model_version) == ("motif", "agdb-motif", "7")
    assert (scorer.assembly, scorer.window_bp, scorer.mask_bp) == ("GRCh37", 101, None)
    assert (scorer.output_type, scorer.aggregation, scorer.track_set) == ("OCCUPANCY", "LOG2_RATIO", "")
    assert scorer.is_signed
    assert scorer.reads_genome
    assert predictor.provider == "motif"
    assert predictor.software.startswith("agdb ")


@pytest.mark.parametrize("window_bp", [0, WINDOW_RANGE[0] - 1, WINDOW_RANGE[1] + 1])
def test_a_window_out_of_range_is_refused_with_the_range(tmp_path: Path, window_bp: int) -> None:
    with pytest.raises(UsageError) as caught:
        MotifPredictor(genome_of(tmp_path, "ACGT" * 40), "GRCh38", window_bp)
    assert "38 to 10001" in str(caught.value)


def test_the_smallest_window_is_twice_the_longest_motif() -> None:
    assert WINDOW_RANGE[0] == 2 * max(len(motif.consensus) for motif in MOTIFS) == 38
