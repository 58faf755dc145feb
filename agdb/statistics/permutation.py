"""Permutation of labels: what correlation would chance alone have made of these very scores and labels?"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from agdb.statistics.intervals import Floats
from agdb.statistics.ranks import Ranker

#: Permuted labels that are held in memory at a time, as 8-byte numbers: 16 MB, which caches well.
_LABELS_AT_ONCE = 2_000_000


class Permuted(NamedTuple):
    """A correlation beside those of permuted labels.

    rho: Spearman's, of the labels as they are. expected: mean of rho over all permutations, exact and not from the
    sample of them; within clusters it is what the clusters' means alone make. p: (1 + b) / (1 + B), two-sided about
    `expected`. rho is NaN for n < 2 or a constant; p is NaN where no permutation changes rho.
    """

    rho: float
    expected: float
    p: float


def permutation_spearman(
    score: ArrayLike, label: ArrayLike, clusters: ArrayLike | None = None, permutations: int = 2_000, seed: int = 0
) -> Permuted:
    """Test of Spearman's rho by shuffling labels, within clusters if there are.

    Labels of a gene, or a block of linkage, change places among themselves only: what scores and labels share through
    their cluster is in every permutation too, and only what is beyond it counts. b counts permutations whose rho is as
    far from its expectation as the real one; the real one is one of 1 + B, so p is never 0 (Phipson & Smyth 2010).

    Args:
        score, label: Shape (n,), finite.
        clusters: Any code of the cluster of each row, shape (n,). None to shuffle all labels.
        permutations: B; p is at least 1 / (1 + B).
        seed: The same seed gives the same p.
    """
    x, y = np.asarray(score, float), np.asarray(label, float)
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(f"scores of shape {x.shape}, labels of shape {y.shape}: want (n,)")
    codes = np.zeros(len(x), np.intp) if clusters is None else np.unique(np.asarray(clusters), return_inverse=True)[1]
    if codes.shape != x.shape:
        raise ValueError(f"clusters of shape {codes.shape}, scores of shape {x.shape}")
    a, b = Ranker(x).within(), Ranker(y).within()
    scale = np.sqrt((a @ a) * (b @ b))
    if not scale > 0:
        return Permuted(np.nan, np.nan, np.nan)
    sizes = np.bincount(codes)
    # rho = (sum over clusters of size x mean x mean + sum of products of what is left) / scale: the first never changes
    a_left, b_left = (v - (np.bincount(codes, v) / np.maximum(sizes, 1))[codes] for v in (a, b))
    rho, left = float(a @ b / scale), float(a_left @ b_left)
    squares = np.bincount(codes, a_left**2) * np.bincount(codes, b_left**2)
    sd = float(np.sqrt((squares[sizes > 1] / (sizes[sizes > 1] - 1)).sum()))
    if sd <= 1e-12 * scale:
        return Permuted(rho, rho, np.nan)
    of_null = _sums_of_products(a_left, b_left, codes, sizes, permutations, seed)
    as_far = int((np.abs(of_null) >= abs(left) - 1e-9 * sd).sum())  # a tie is as far, whatever rounding made of it
    return Permuted(rho, rho - left / float(scale), (1 + as_far) / (1 + permutations))


def _sums_of_products(
    a: Floats, b: Floats, codes: NDArray[np.intp], sizes: NDArray[np.intp], permutations: int, seed: int
) -> Floats:
    """Sum of a x permuted b, of each permutation: clusters of one size are shuffled together. Shape (permutations,)."""
    rng, found = np.random.default_rng(seed), np.zeros(permutations)
    order = np.argsort(codes, kind="stable")
    starts = np.cumsum(sizes) - sizes
    for size in np.unique(sizes[sizes > 1]):
        rows = order[starts[sizes == size][:, None] + np.arange(size)]  # (clusters of that size, size)
        fixed, moved = a[rows], b[rows]
        at_once = max(1, _LABELS_AT_ONCE // rows.size)
        for first in range(0, permutations, at_once):
            count = min(at_once, permutations - first)
            shuffled = rng.permuted(np.broadcast_to(moved, (count, *moved.shape)), axis=-1)
            # einsum: BLAS shares so short a product among threads and waits for them, 5 times slower on a busy machine
            found[first : first + count] += np.einsum("ij,j->i", shuffled.reshape(count, -1), fixed.ravel())
    return found
