"""The made-up genome and model once more, in plain Python: one base, one word, one track at a time.

`fakes.sequence` and `fakes.model` are checked against it, and a test may check with it the scores that came through
agdb. It is written from their docstrings and from the formulas of google-deepmind/alphagenome_research, and shares no
code with them but the lengths of the chromosomes. Variants are the SDK's; coordinates are 0-based and half-open.
"""

import functools
import hashlib
import math
import struct
from collections.abc import Callable
from typing import Any

from alphagenome.models.v1.variant_scorers import AggregationType

from fakes.sequence import LENGTHS

K562_DNASE = "DNASE|EFO:0002067 DNase-seq|UNSTRANDED"
WHOLE_BLOOD_RNA = "RNA_SEQ|UBERON:0013756 gtex Whole_Blood polyA plus RNA-seq|UNSTRANDED"


def splitmix64(x: int) -> int:
    """The output of SplitMix64 for a state."""
    wrap = (1 << 64) - 1
    z = x + 0x9E3779B97F4A7C15 & wrap
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & wrap
    z = (z ^ z >> 27) * 0x94D049BB133111EB & wrap
    return z ^ z >> 31


def bases(chrom: str, start: int, end: int) -> str:
    """The genome at [start, end)."""
    number, length = list(LENGTHS).index(chrom) + 1, LENGTHS[chrom]
    return "".join("ACGT"[splitmix64(number << 40 | at) >> 62] if 0 <= at < length else "N" for at in range(start, end))


def windows(v: Any, start: int, width: int) -> tuple[str, str]:
    """REF and ALT, as `extract_variant_sequences`: extend by REF, replace the allele, cut to width."""
    longer = bases(v.chromosome, start, start + width + len(v.reference_bases))
    at = v.position - 1 - start
    before, after = longer[:at], longer[at + len(v.reference_bases) :]
    return (before + v.reference_bases + after)[:width], (before + v.alternate_bases + after)[:width]


@functools.cache
def word_signal(word: str, track: str) -> float:
    """Signal of a word of six bases on a track `output_type|name|strand`, such as `K562_DNASE`; a float32."""
    if len(word) < 6 or "N" in word:
        return 0.0
    seed = splitmix64(int.from_bytes(hashlib.sha256(track.encode()).digest()[:8], "big"))
    number = sum("ACGT".index(base) * 4 ** (5 - i) for i, base in enumerate(word))
    factor, drawn = 0.5 + 1.5 * (seed >> 40) / 2**24, (splitmix64(number ^ seed) >> 40) / 2**24
    return float(struct.unpack("f", struct.pack("f", factor * drawn**8))[0])


def signal(window: str, track: str) -> list[float]:
    """Signal at each base of a whole window."""
    of_words = [word_signal(window[i : i + 6], track) for i in range(len(window))]
    if not track.startswith("RNA_SEQ"):
        return of_words
    middle = len(window) // 2 - 250
    drive = 1 + sum(of_words[middle : middle + 501]) / 50
    return [value * drive for value in of_words]


def aggregate(kind: Any, ref: list[float], alt: list[float]) -> float:
    """A centre-mask score: an `AggregationType` of the two signals in the mask."""
    log1p = math.log1p
    of_kind: dict[Any, Callable[[], float]] = {
        AggregationType.DIFF_LOG2_SUM: lambda: math.log2(1 + sum(alt)) - math.log2(1 + sum(ref)),
        AggregationType.DIFF_SUM_LOG2: lambda: sum(math.log2(a + 1) for a in alt) - sum(math.log2(r + 1) for r in ref),
        AggregationType.DIFF_SUM: lambda: sum(alt) - sum(ref),
        AggregationType.DIFF_MEAN: lambda: (sum(alt) - sum(ref)) / len(ref),
        AggregationType.L2_DIFF: lambda: math.dist(alt, ref),
        AggregationType.L2_DIFF_LOG1P: lambda: math.dist([log1p(a) for a in alt], [log1p(r) for r in ref]),
        AggregationType.ACTIVE_MEAN: lambda: max(sum(alt), sum(ref)) / len(ref),
        AggregationType.ACTIVE_SUM: lambda: max(sum(alt), sum(ref)),
    }
    return of_kind[kind]()


def center_score(v: Any, track: str = K562_DNASE, mask: int = 501, kind: Any = AggregationType.DIFF_LOG2_SUM) -> float:
    """A centre-mask score of any window that holds the mask and the five bases after it: it reads nothing beyond."""
    pair = windows(v, v.start - mask // 2, mask + 5)
    ref, alt = ([word_signal(window[i : i + 6], track) for i in range(mask)] for window in pair)
    return aggregate(kind, ref, alt)


def aligned(alt: list[float], v: Any, start: int) -> list[float]:
    """ALT's signal, aligned to REF as `align_alternate`: an insertion counts by its loudest base, a deletion as 0."""
    n, longer = len(alt), len(v.alternate_bases) - len(v.reference_bases)
    pivot = v.position - 1 - start + min(len(v.reference_bases), len(v.alternate_bases)) - 1
    if longer > 0:
        return (alt[:pivot] + [max(alt[pivot : pivot + longer + 1])] + alt[pivot + longer + 1 :] + [0.0] * longer)[:n]
    return (alt[: pivot + 1] + [0.0] * -longer + alt[pivot + 1 :])[:n]


def gene_means(v: Any, start: int, width: int, exon: tuple[int, int], track: str = WHOLE_BLOOD_RNA) -> list[float]:
    """Mean signal of REF and of ALT, aligned, over an exon [start, end) of the chromosome, in a window."""
    ref, alt = (signal(window, track) for window in windows(v, start, width))
    inside = slice(exon[0] - start, exon[1] - start)
    return [sum(values[inside]) / (exon[1] - exon[0]) for values in (ref, aligned(alt, v, start))]
