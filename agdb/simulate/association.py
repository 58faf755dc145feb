"""What a QTL study would have measured at one locus: allele frequencies, linkage, effects, noise and significance."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from agdb.simulate.locus import Bools, Floats, Ints, Locus, true_effects
from agdb.statistics import t_pvalue

#: Donors and residual degrees of freedom, as of Whole Blood in GTEx v8.
DONORS, DF = 670, 600
#: Candidates per locus with the strongest association that are written; the last locus writes fewer.
KEPT_PER_LOCUS = 100

#: Share of a gene's variance that the variants of its locus explain together: lowest and highest.
_HERITABILITY = (0.5, 0.9)
#: A second or third gene answers to the same block with this probability.
_SHARED_REGULATION = 0.35
#: Variants outside peaks that have an effect of their own.
_CAUSAL_OUTSIDE = 0.05
#: Variants of a linkage block: fewest and most.
_BLOCK = (3, 8)
#: Correlation of next neighbours in a block: lowest and highest.
_RHO = (0.8, 0.98)
#: No |t| is larger, so that p stays above 1e-170 and is never printed as 0.
_MAX_T = 40.0

#: 10^0 to 10^22, all that a float64 holds exactly; `np.power` may be off by a unit in the last place.
_EXACT_POWERS = np.array([float(f"1e{k}") for k in range(23)])


@dataclass(frozen=True, slots=True)
class Associations:
    """Every candidate variant against every gene of a locus. v variants, g genes; effects are of ALT against REF.

    Attributes:
        ma_count, ma_samples: Minor alleles among 2 * DONORS, and their carriers: int64 (v,).
        true_effect: Log2 accessibility ratio: float64 (v,); 0 outside peaks where it is not written.
        beta: Own contribution of the variant to the slope: float64 (v, g), SD of expression per ALT allele.
        slope_expected: After linkage, before noise: float64 (v, g).
        slope, slope_se, p: As printed, to six significant digits, p from the two before it: float64 (v, g).
        threshold: Largest p that is significant for the gene: float64 (g,).
        p_beta: Smallest p of the gene, corrected for the number of blocks: float64 (g,).
        kept: Significant pairs: bool (v, g).
    """

    ma_count: Ints
    ma_samples: Ints
    true_effect: Floats
    beta: Floats
    slope_expected: Floats
    slope: Floats
    slope_se: Floats
    p: Floats
    threshold: Floats
    p_beta: Floats
    kept: Bools


@dataclass(frozen=True, slots=True)
class Linkage:
    """Correlation of the genotypes of neighbours: r_ij = phase_i phase_j rho^|i-j| within a block, 0 between blocks.

    A first-order autoregression, so that products with r and with its Cholesky root need the near diagonals only.
    `block` int64 (n,) ascending, `rho` float64 (n,) the same throughout a block, `phase` float64 (n,) of -1 and 1.
    """

    block: Ints
    rho: Floats
    phase: Floats

    def spread(self, values: Floats) -> Floats:
        """r @ values; values float64 (n, columns)."""
        signed = values * self.phase[:, None]
        total = signed.copy()
        for distance, decay in self._diagonals():
            total[distance:] += decay * signed[:-distance]
            total[:-distance] += decay * signed[distance:]
        return total * self.phase[:, None]

    def correlate(self, noise: Floats) -> Floats:
        """Root @ noise: independent standard normal values, float64 (n, columns), become ones with correlation r."""
        first = np.append(True, self.block[1:] != self.block[:-1])
        fresh = noise * np.where(first, 1.0, np.sqrt(1 - self.rho**2))[:, None]
        total = fresh.copy()
        for distance, decay in self._diagonals():
            total[distance:] += decay * fresh[:-distance]
        return total * self.phase[:, None]

    def _diagonals(self) -> Iterator[tuple[int, Floats]]:
        """Each distance below the diagonal within a block, with rho^distance: float64 (n - distance, 1)."""
        for distance in range(1, _BLOCK[1]):
            linked = self.block[distance:] == self.block[:-distance]
            yield distance, np.where(linked, self.rho[distance:] ** distance, 0.0)[:, None]


def six_digits(values: Floats) -> Floats:
    """Round to six significant digits: exactly the float64 that `%.6g` reads back as, for 1e-15 < |x| < 1e5."""
    exponent = np.floor(np.log10(np.abs(values), out=np.zeros_like(values), where=values != 0))
    # With an exact power of ten the quotient is the float nearest to the printed decimal.
    scale = _EXACT_POWERS[np.clip(5 - exponent, 0, 22).astype(np.intp)]
    return np.asarray(np.rint(values * scale) / scale)


def associate(locus: Locus, n_kept: int, share_outside: float, rng: np.random.Generator) -> Associations:
    """Run the study at one locus: `n_kept` variants come out significant for at least one gene each.

    `share_outside`, in [0, 1), is the share of the genetic variance, sum of 2 maf (1 - maf) beta^2 over the candidates,
    that each gene has from variants outside peaks.
    """
    n, genes = len(locus.variants.start), len(locus.tss)
    block = _draw_blocks(n, rng)
    maf, count = _draw_frequencies(block, rng)
    variance = 2 * maf * (1 - maf)
    linkage = _draw_linkage(block, rng)
    answers, in_peak = _draw_answers(block, genes, rng), locus.variants.in_peak
    effect = true_effects(locus, in_peak)
    beta = _draw_effects(effect, in_peak, answers, variance, share_outside, rng)
    beta = _scale_to_heritability(beta, linkage, variance, rng)
    # R_ij = r_ij sd_j / sd_i: linkage between standardised genotypes turned into one between effects per allele.
    sd = np.sqrt(variance)[:, None]
    expected = linkage.spread(beta * sd) / sd
    # Standard error of a simple regression of a trait with variance 1, with the scatter that an estimate of it has.
    se = np.sqrt((1 - (expected * sd) ** 2) / (sd**2 * DF) * rng.chisquare(DF, (n, genes)) / DF)
    noise = linkage.correlate(rng.normal(size=(n, genes)))
    slope = np.clip(expected + noise * se, -_MAX_T * se, _MAX_T * se)
    slope, se = six_digits(slope), six_digits(se)
    p = t_pvalue(slope / se, DF)
    kept, threshold = _significant(p, n_kept, rng)
    effect += true_effects(locus, kept.any(axis=1) & ~in_peak)
    # P(smallest of m independent p <= p_min), m = the blocks: the Beta(1, m) that GTEx fits to permutations.
    p_beta = -np.expm1((block[-1] + 1) * np.log1p(-p.min(axis=0)))
    carriers = count - rng.binomial(count // 2, maf)
    return Associations(count, carriers, effect, beta, expected, slope, se, p, threshold, p_beta, kept)


def _draw_blocks(n: int, rng: np.random.Generator) -> Ints:
    """Cut n neighbours into linkage blocks of 3 to 8: the block of each variant, int64 (n,)."""
    sizes = rng.integers(_BLOCK[0], _BLOCK[1] + 1, n // _BLOCK[0] + 1)
    return np.repeat(np.arange(len(sizes)), sizes)[:n]


def _draw_frequencies(block: Ints, rng: np.random.Generator) -> tuple[Floats, Ints]:
    """Minor allele frequency and count, float64 and int64 (n,): nearly one per block, as r near 1 demands."""
    common = 0.01 + 0.49 * rng.beta(1.0, 1.5, block[-1] + 1)
    maf = np.clip(common[block] * np.exp(rng.normal(0, 0.05, len(block))), 0.0105, 0.5)
    count = np.rint(2 * DONORS * maf).astype(np.int64)
    return count / (2 * DONORS), count


def _draw_answers(block: Ints, genes: int, rng: np.random.Generator) -> Bools:
    """Which genes answer to which variant, bool (n, genes): the same throughout a block."""
    blocks = block[-1] + 1
    answers = rng.random((blocks, genes)) < _SHARED_REGULATION
    answers[np.arange(blocks), rng.integers(genes, size=blocks)] = True
    return np.asarray(answers[block])


def _draw_effects(
    true_effect: Floats, in_peak: Bools, answers: Bools, variance: Floats, share: float, rng: np.random.Generator
) -> Floats:
    """Effects up to a factor a gene, float64 (n, genes): in peaks the true effect, outside whatever the dice say."""
    inside = np.where(answers & in_peak[:, None], true_effect[:, None], 0.0)
    causal = (rng.random(len(in_peak)) < _CAUSAL_OUTSIDE) & ~in_peak
    outside = np.where(answers & causal[:, None], rng.normal(size=(len(in_peak), 1)), 0.0)
    have, want = (np.sum(variance[:, None] * part**2, axis=0) for part in (outside, inside))
    scale = np.sqrt(np.divide(want * share, have * (1 - share), out=np.zeros(len(have)), where=have > 0))
    return np.asarray(inside + outside * scale)


def _scale_to_heritability(beta: Floats, linkage: Linkage, variance: Floats, rng: np.random.Generator) -> Floats:
    """Give each gene its sensitivity: the positive factor at which its variants explain a drawn share of its variance.

    The share is beta' C beta, C the covariance of the genotypes; no variant alone can explain more (Cauchy-Schwarz).
    """
    standardised = beta * np.sqrt(variance)[:, None]
    have = np.sum(standardised * linkage.spread(standardised), axis=0)
    want = rng.uniform(*_HERITABILITY, len(have))
    return np.asarray(beta * np.sqrt(np.divide(want, have, out=np.zeros_like(have), where=have > 0)))


def _draw_linkage(block: Ints, rng: np.random.Generator) -> Linkage:
    rho = rng.uniform(*_RHO, block[-1] + 1)[block]
    return Linkage(block, rho, rng.choice([-1.0, 1.0], len(block)))


def _significant(p: Floats, n_kept: int, rng: np.random.Generator) -> tuple[Bools, Floats]:
    """Pairs at or below their gene's threshold, bool (n, genes), and the thresholds, float64 (genes,).

    The thresholds differ between genes, and are set as high as lets exactly `n_kept` variants be significant.
    """
    weight = np.exp(rng.normal(0, 0.3, p.shape[1]))
    weighted = p * weight
    best = weighted.min(axis=1)
    chosen = np.zeros(len(p), bool)
    chosen[np.argsort(best, kind="stable")[:n_kept]] = True
    limit = best[chosen].max()
    kept = chosen[:, None] & (weighted <= limit)
    # At the limit itself the division may round to just below the p that set it.
    return kept, np.maximum(limit / weight, np.where(kept, p, 0).max(axis=0))
