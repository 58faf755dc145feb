"""The REF and the ALT window of a variant, base by base, against slices of the two sequences written out."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agdb.genome import Genome
from agdb.predictors.sequences import MAX_N, ascii_of, pairs

WIDTH = 20


class Pair(NamedTuple):
    """What `pairs` says of one variant; no windows where there is a reason."""

    reason: str
    ref: str = ""
    alt: str = ""


def genome_of(folder: Path, sequence: str, record: str = "chr1") -> Genome:
    path = folder / "genome.fa"
    path.write_text(f">{record}\n{sequence}\n")
    return Genome(path, folder / "work")


def pair_of(genome: Genome, start: int, ref: str, alt: str, *, chrom: str = "chr1", width: int = WIDTH) -> Pair:
    """The windows of a variant that starts at a 0-based place."""
    place = np.array([start], dtype=np.int64)
    [reason], rows, refs, alts = pairs(genome, chrom, place, ascii_of([ref]), ascii_of([alt]), width)
    if reason:
        assert (len(rows), refs.shape, alts.shape) == (0, (0, width), (0, width))
        return Pair(reason)
    assert rows.tolist() == [0]
    return Pair("", refs.tobytes().decode(), alts.tobytes().decode())


def obvious(sequence: str, start: int, ref: str, alt: str, width: int = WIDTH) -> Pair:
    """The definition: both windows begin at one base; ALT's is a slice of the chromosome with ALT instead of REF."""
    left = start - width // 2
    changed = sequence[:start] + alt + sequence[start + len(ref) :]
    if max(len(ref), len(alt)) > width - width // 2:
        return Pair("allele_longer_than_window")
    if left < 0 or left + width > min(len(sequence), len(changed)):
        return Pair("window_outside_genome")
    windows = [whole[left : left + width].upper() for whole in (sequence, changed)]
    if max(window.count("N") for window in windows) > MAX_N * width:
        return Pair("window_has_N")
    return Pair("" if sequence[start : start + len(ref)].upper() == ref else "ref_not_in_genome", *windows)


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, int, str, str]:
    """A chromosome in both cases, and a 0-based start, REF (mostly right) and ALT; near its ends too, and near N."""
    sequence = draw(st.text("ACGTacgt", min_size=WIDTH, max_size=70))
    at, n = draw(st.integers(0, len(sequence))), draw(st.integers(0, 4))
    sequence = sequence[:at] + "N" * n + sequence[at:]
    start = draw(st.integers(0, len(sequence) - 1))
    ref = sequence[start : start + draw(st.integers(1, 12))].upper().replace("N", "A")
    if draw(st.integers(0, 9)) == 0:
        ref = "ACGT"["ACGT".index(ref[0]) - 1] + ref[1:]
    return sequence, start, ref, draw(st.text("ACGT", min_size=1, max_size=12))


@settings(deadline=None, max_examples=300)
@given(cases())
def test_windows_and_reasons_are_those_of_the_definition(
    tmp_path_factory: pytest.TempPathFactory, case: tuple[str, int, str, str]
) -> None:
    sequence, start, ref, alt = case
    genome = genome_of(tmp_path_factory.mktemp("genome"), sequence)
    found, told = pair_of(genome, start, ref, alt), obvious(sequence, start, ref, alt)
    genome.close()
    assert found.reason == told.reason
    if not told.reason:
        assert (found.ref, found.alt) == (told.ref, told.alt)


ALPHABET = "AACCAGGTTACGTACCATGGATTACAGGCATCCAGTGACT"  # 40 bases


def test_an_snv_changes_the_base_in_the_middle(tmp_path: Path) -> None:
    genome = genome_of(tmp_path, ALPHABET)
    assert pair_of(genome, 20, "A", "C") == Pair("", ALPHABET[10:30], ALPHABET[10:20] + "C" + ALPHABET[21:30])


def test_right_of_a_deletion_further_bases_come_in(tmp_path: Path) -> None:
    genome = genome_of(tmp_path, ALPHABET)
    assert pair_of(genome, 20, "ATTA", "A") == Pair("", ALPHABET[10:30], ALPHABET[10:20] + "A" + ALPHABET[24:33])


def test_right_of_an_insertion_bases_are_pushed_out(tmp_path: Path) -> None:
    genome = genome_of(tmp_path, ALPHABET)
    assert pair_of(genome, 20, "A", "ACCC") == Pair("", ALPHABET[10:30], ALPHABET[10:20] + "ACCC" + ALPHABET[21:27])


def test_lower_case_bases_are_bases(tmp_path: Path) -> None:
    upper = pair_of(genome_of(tmp_path, ALPHABET), 20, "A", "C")
    (tmp_path / "lower").mkdir()
    assert pair_of(genome_of(tmp_path / "lower", ALPHABET.lower()), 20, "A", "C") == upper


@pytest.mark.parametrize(
    ("start", "ref", "alt", "reason"),
    [
        (9, "C", "A", "window_outside_genome"),
        (10, "C", "A", ""),
        (30, "T", "A", ""),
        (31, "C", "A", "window_outside_genome"),
        (28, "CAT", "C", ""),
        (29, "ATC", "A", "window_outside_genome"),
        (30, "T", "TCC", ""),
    ],
)
def test_a_window_may_touch_the_ends_of_the_chromosome_and_not_pass_them(
    tmp_path: Path, start: int, ref: str, alt: str, reason: str
) -> None:
    assert pair_of(genome_of(tmp_path, ALPHABET), start, ref, alt).reason == reason


def test_a_record_of_a_part_of_a_chromosome_is_read_at_its_place(tmp_path: Path) -> None:
    genome = genome_of(tmp_path, ALPHABET, "chr1:1001-1040")
    assert pair_of(genome, 1020, "A", "C").ref == ALPHABET[10:30]
    assert pair_of(genome, 20, "A", "C").reason == "window_outside_genome"


def test_a_chromosome_that_the_fasta_lacks_is_outside_the_genome(tmp_path: Path) -> None:
    assert pair_of(genome_of(tmp_path, ALPHABET), 20, "A", "C", chrom="chr9").reason == "window_outside_genome"


def test_a_ref_is_compared_over_its_whole_length(tmp_path: Path) -> None:
    assert pair_of(genome_of(tmp_path, ALPHABET), 20, "ATTC", "A").reason == "ref_not_in_genome"


@pytest.mark.parametrize(("n", "reason"), [(2, ""), (3, "window_has_N")])
def test_a_tenth_of_a_window_may_be_n_and_no_more(tmp_path: Path, n: int, reason: str) -> None:
    sequence = ALPHABET[:12] + "N" * n + ALPHABET[12 + n :]
    assert pair_of(genome_of(tmp_path, sequence), 20, "A", "C").reason == reason


def test_the_n_that_a_deletion_draws_in_count_too(tmp_path: Path) -> None:
    sequence = ALPHABET[:30] + "NNN" + ALPHABET[33:]
    assert pair_of(genome_of(tmp_path, sequence), 20, "A", "C").reason == ""
    assert pair_of(genome_of(tmp_path, sequence), 20, "ATTA", "A").reason == "window_has_N"


def test_an_allele_that_fills_its_half_is_read_and_a_longer_one_is_not(tmp_path: Path) -> None:
    genome = genome_of(tmp_path, ALPHABET)
    assert pair_of(genome, 20, "A", "A" * 10).alt == ALPHABET[10:20] + "A" * 10
    assert pair_of(genome, 20, "A", "A" * 11).reason == "allele_longer_than_window"


def test_many_variants_come_back_in_their_order_with_their_own_reasons(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    sequence = "".join(rng.choice(list("ACGT"), 400))
    starts = rng.integers(0, 400, 100)
    refs = [sequence[start] if i % 7 else "ACGT"["ACGT".index(sequence[start]) - 1] for i, start in enumerate(starts)]
    genome = genome_of(tmp_path, sequence)
    reasons, rows, ref, alt = pairs(genome, "chr1", starts, ascii_of(refs), ascii_of(["T"] * 100), WIDTH)
    told = [obvious(sequence, start, base, "T") for start, base in zip(starts.tolist(), refs, strict=True)]
    assert reasons.tolist() == [pair.reason for pair in told]
    assert set(reasons.tolist()) == {"", "window_outside_genome", "ref_not_in_genome"}
    assert rows.tolist() == [i for i, pair in enumerate(told) if not pair.reason]
    for row, one, other in zip(rows.tolist(), ref, alt, strict=True):
        assert (one.tobytes().decode(), other.tobytes().decode()) == told[row][1:]
