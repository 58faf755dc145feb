"""The sequence of one simulated locus: background, peaks with planted motif sites, genes, and candidate variants.

Coordinates are 0-based within the locus, intervals half-open; the writer adds the place of the locus in its contig.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from agdb.predictors.motif import log2_ratio, occupancy
from agdb.predictors.motifs import MOTIFS, strands

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Bases = NDArray[np.uint8]

#: Bases of sequence that the true effect of a variant depends on.
WINDOW_BP = 501
#: Bases of a locus.
LOCUS_BP = 100_000
#: No peak or variant lies nearer to the end of a locus, so that no window, whatever is deleted, crosses into the next.
MARGIN_BP = 400
#: The longest insertion or deletion, and the shortest and longest peak, in bases.
INDEL_BP, PEAK_BP = 30, (200, 800)

_ACGT = np.frombuffer(b"ACGT", np.uint8)
#: 104 of 256 equally likely bytes are G or C: 0.406, near the 0.41 of the human genome.
_BACKGROUND = np.repeat(_ACGT, [76, 52, 52, 76])
_CODE = np.zeros(256, np.intp)
_CODE[_ACGT] = np.arange(4)

#: Candidates in planted sites, anywhere in peaks, beside peaks, and anywhere; about a quarter are written.
_IN_SITES, _IN_PEAKS, _NEAR_PEAKS, _ANYWHERE = 40, 12, 360, 50
_NEAR_BP = 500
_SHARE_INSERTED, _SHARE_DELETED = 0.05, 0.05


@dataclass(frozen=True, slots=True)
class Peaks:
    """Peaks of one locus, sorted and apart from each other: int64 (n,) each; `sites` counts planted motif sites."""

    start: Ints
    end: Ints
    summit: Ints
    sites: Ints

    def touched_by(self, start: Ints, end: Ints) -> Bools:
        """Whether each span [start, end) shares a base with a peak: bool, shaped as `start`."""
        # Peaks are disjoint: only the first one that ends after the span begins can share a base with it.
        nearest = np.searchsorted(self.end, start, side="right")
        return (nearest < len(self.end)) & (np.append(self.start, LOCUS_BP)[nearest] < end)


@dataclass(frozen=True, slots=True)
class Variants:
    """Candidate variants of one locus by position: `start` int64 (n,) of the first REF base, VCF alleles, `in_peak`."""

    start: Ints
    ref: list[str]
    alt: list[str]
    in_peak: Bools


@dataclass(frozen=True, slots=True)
class Locus:
    """One locus: `sequence` uint8 ASCII (LOCUS_BP,), peaks, `tss` int64 (genes,) sorted, and candidate variants."""

    sequence: Bases
    peaks: Peaks
    tss: Ints
    variants: Variants


def draw_locus(rng: np.random.Generator) -> Locus:
    """Draw a locus: the genome first, then what lies on it."""
    sequence = _BACKGROUND[np.frombuffer(rng.bytes(LOCUS_BP), np.uint8)]
    peaks, sites = _plant_peaks(sequence, rng)
    genes = rng.integers(1, 4, 2).max()  # three are more common than one
    tss = np.sort(rng.integers(MARGIN_BP, LOCUS_BP - MARGIN_BP, genes))
    return Locus(sequence, peaks, tss, _draw_variants(sequence, peaks, sites, rng))


def true_effects(locus: Locus, chosen: Bools) -> Floats:
    """Log2 accessibility ratio ALT/REF of the chosen variants, 0 for the others: float64 (variants,).

    The planted world's law: `log2_ratio(occupancy(alt), occupancy(ref))` over the WINDOW_BP bases that are centred on
    the first REF base; after an indel the ALT window is filled up, or cut, on its right.
    """
    effects = np.zeros(len(chosen))
    index = np.flatnonzero(chosen)
    if not len(index):
        return effects
    half = WINDOW_BP // 2
    starts = locus.variants.start[index]
    ref = locus.sequence[starts[:, None] + np.arange(-half, half + 1)]
    alt = ref.copy()
    for row, variant in enumerate(index):
        bases = np.frombuffer(locus.variants.alt[variant].encode(), np.uint8)
        after = starts[row] + len(locus.variants.ref[variant])
        alt[row, half:] = np.concatenate([bases, locus.sequence[after : after + half + 1]])[: half + 1]
    effects[index] = log2_ratio(occupancy(alt), occupancy(ref))
    return effects


@cache
def _site_models() -> list[Floats]:
    """Cumulated base probabilities of every motif and strand: float64 (width, 4) each, in the order A, C, G, T."""
    return [np.cumsum(0.25 * np.exp(matrix), axis=1) for motif in MOTIFS for matrix in strands(motif)]


def _plant_peaks(sequence: Bases, rng: np.random.Generator) -> tuple[Peaks, list[tuple[int, int]]]:
    """Draw 8 to 12 peaks and write 1 to 5 motif sites into each: the peaks, and (start, end) of the sites."""
    n_peaks = int(rng.integers(8, 13))
    pitch = (LOCUS_BP - 2 * MARGIN_BP) // n_peaks
    width = rng.integers(PEAK_BP[0], PEAK_BP[1] + 1, n_peaks)
    start = MARGIN_BP + pitch * np.arange(n_peaks) + rng.integers(0, pitch - width)
    summit, count = np.empty(n_peaks, np.int64), rng.integers(1, 6, n_peaks)
    sites = []
    for peak in range(n_peaks):
        # One site in each equal part of the peak, so that no site overwrites another.
        part = width[peak] // count[peak]
        planted = [_plant_site(sequence, int(start[peak] + part * i), int(part), rng) for i in range(count[peak])]
        centre = planted[rng.integers(len(planted))]
        summit[peak] = (centre[0] + centre[1]) // 2
        sites += planted
    return Peaks(start, start + width, summit, count), sites


def _plant_site(sequence: Bases, start: int, room: int, rng: np.random.Generator) -> tuple[int, int]:
    """Write one site, sampled base by base from a motif's probabilities, into [start, start + room)."""
    models = _site_models()
    model = models[rng.integers(len(models))]
    site_start = start + int(rng.integers(0, room - len(model) + 1))
    # The last cumulated probability is 1 up to rounding: leaving it out keeps the code within 0..3.
    code = (rng.random((len(model), 1)) > model[:, :3]).sum(axis=1)
    sequence[site_start : site_start + len(model)] = _ACGT[code]
    return site_start, site_start + len(model)


def _draw_variants(sequence: Bases, peaks: Peaks, sites: list[tuple[int, int]], rng: np.random.Generator) -> Variants:
    start = _draw_positions(peaks, np.array(sites), rng)
    ref, alt = _draw_alleles(sequence, start, rng)
    return Variants(start, ref, alt, peaks.touched_by(start, start + np.array([len(allele) for allele in ref])))


def _draw_positions(peaks: Peaks, sites: Ints, rng: np.random.Generator) -> Ints:
    """Distinct sorted positions: in sites, in peaks, beside peaks, anywhere."""
    site = sites[rng.integers(len(sites), size=_IN_SITES)]
    peak = rng.integers(len(peaks.start), size=_IN_PEAKS)
    beside = rng.integers(len(peaks.start), size=_NEAR_PEAKS)
    distance = rng.integers(1, _NEAR_BP + 1, _NEAR_PEAKS)
    left = rng.random(_NEAR_PEAKS) < 0.5
    drawn = np.concatenate(
        [
            rng.integers(site[:, 0], site[:, 1]),
            rng.integers(peaks.start[peak], peaks.end[peak]),
            np.where(left, peaks.start[beside] - distance, peaks.end[beside] - 1 + distance),
            rng.integers(MARGIN_BP, LOCUS_BP - MARGIN_BP, _ANYWHERE),
        ]
    )
    return np.unique(np.clip(drawn, MARGIN_BP, LOCUS_BP - MARGIN_BP - 1))


def _draw_alleles(sequence: Bases, start: Ints, rng: np.random.Generator) -> tuple[list[str], list[str]]:
    """REF and ALT at each start: SNVs, and indels that are left-aligned and parsimonious (Tan et al. 2015).

    Such an indel is one whose two alleles end in different bases: else it could be written further left.
    """
    anchor, kind = sequence[start], rng.random(len(start))
    length = np.minimum(rng.geometric(0.3, len(start)), INDEL_BP)
    other = _ACGT[(_CODE[anchor] + rng.integers(1, 4, len(start))) % 4]
    ref, alt = list(anchor.tobytes().decode()), list(other.tobytes().decode())
    for i in np.flatnonzero(kind < _SHARE_INSERTED):
        alt[i] = ref[i] + _ACGT[rng.integers(0, 4, length[i] - 1)].tobytes().decode() + alt[i]
    for i in np.flatnonzero((kind >= _SHARE_INSERTED) & (kind < _SHARE_INSERTED + _SHARE_DELETED)):
        ends = np.flatnonzero(sequence[start[i] + 1 : start[i] + 1 + INDEL_BP] != anchor[i]) + 1
        deleted = ends[np.argmin(np.abs(ends - length[i]))]
        alt[i] = ref[i]
        ref[i] = sequence[start[i] : start[i] + 1 + deleted].tobytes().decode()
    return ref, alt
