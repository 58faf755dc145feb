"""What is measured of sequences: windows out of a FASTA, the motif scorer, and how long a command takes to begin.

Windows: `Place.stored` is the FASTA, one chromosome of random bases, `Place.n` how many windows, `Case.label` how wide.
Found = [windows, sum of the ASCII of their middle bases]. Motif: found = [variants, sum of scores x 1e6].
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.cases import Case, Place

LINE, SEED = 60, 11
LENGTH = 3_333_333 * LINE  # 200 Mb in whole lines
#: Windows that are held at once: what a model is given.
BATCH_BYTES = 64 << 20
#: Bases of a window, and how many windows: 100,000 of them, and as many bytes of the wider ones.
WIDTHS = {16_384: 100_000, 131_072: 20_000, 1_048_576: 2_000}
#: Bio.motifs takes 2 ms a variant.
MOTIF_VARIANTS = 10_000

_held: dict[str, Any] = {}


def write_fasta(path: Path, length: int = LENGTH) -> None:
    """chr1 of `length` random bases, and its index."""
    bases = np.frombuffer(b"ACGT", np.uint8)[np.random.default_rng(SEED).integers(0, 4, length)].reshape(-1, LINE)
    lines = np.hstack([bases, np.full((len(bases), 1), ord("\n"), np.uint8)])
    path.write_bytes(b">chr1\n" + lines.tobytes())
    path.with_name(path.name + ".fai").write_text(f"chr1\t{bases.size}\t6\t{LINE}\t{LINE + 1}\n")


Positions = npt.NDArray[np.int64]


def starts(place: Place, width: int) -> Positions:
    """0-based starts of the windows, as variants lie: in clumps, in the order of the genome."""
    length = int((place.stored.with_name(place.stored.name + ".fai")).read_text().split("\t")[1])
    rng = np.random.default_rng(SEED)
    gaps = np.cumsum(rng.gamma(0.3, 1.0, place.n))
    found: Positions = (gaps / gaps[-1] * (length - width - 1)).astype(np.int64)
    return found


def _batches(place: Place, width: int) -> Iterator[Positions]:
    at, step = starts(place, width), max(BATCH_BYTES // width, 1)
    yield from (at[i : i + step] for i in range(0, len(at), step))


def load_agdb(place: Place) -> None:
    """The genome, open."""
    from agdb.genome import Genome

    _held["genome"] = Genome(place.stored, place.work)


def agdb_windows(width: int) -> Callable[[Place], list[int]]:
    """agdb: windows of a batch of variants at once, as bytes."""

    def run(place: Place) -> list[int]:
        n = total = 0
        for batch in _batches(place, width):
            windows = _held["genome"].windows("chr1", batch, width)
            n, total = n + len(windows), total + int(windows[:, width // 2].sum(dtype=np.int64))
        return [n, total]

    return run


def load_pyfaidx(place: Place) -> None:
    """pyfaidx, which agdb reads through."""
    from pyfaidx import Faidx

    _held["faidx"] = Faidx(str(place.stored), as_raw=True, rebuild=False)


def load_pysam(place: Place) -> None:
    """htslib's faidx."""
    import pysam

    _held["pysam"] = pysam.FastaFile(str(place.stored))


def one_by_one(width: int, fetch: Callable[[int, int], str]) -> Callable[[Place], list[int]]:
    """A fetch a window."""

    def run(place: Place) -> list[int]:
        n = total = 0
        for start in starts(place, width).tolist():
            text = fetch(start, start + width)
            n, total = n + 1, total + ord(text[width // 2])
        return [n, total]

    return run


def sequential(width: int) -> Callable[[Place], list[int]]:
    """The floor: the file read once, from beginning to end, and each window copied out of it."""

    def run(place: Place) -> list[int]:
        raw = np.fromfile(place.stored, np.uint8)[6:]
        bases = raw.reshape(-1, LINE + 1)[:, :LINE].ravel()
        n = total = 0
        for batch in _batches(place, width):
            windows = np.lib.stride_tricks.sliding_window_view(bases, width)[batch]
            n, total = n + len(windows), total + int(windows[:, width // 2].sum(dtype=np.int64))
        return [n, total]

    return run


# --- motif ---


def _variants(place: Place, genome: Any) -> list[Any]:
    from agdb.predictors.contract import Variant

    at = starts(place, 1_000) + 500
    refs = genome.windows("chr1", at, 1)[:, 0]
    other = dict(zip(b"ACGT", "CGTA", strict=True))
    return [Variant("chr1", int(p) + 1, chr(r), other[r]) for p, r in zip(at.tolist(), refs.tolist(), strict=True)]


def load_motif(place: Place) -> None:
    """The variants, and the sequences of their windows: what every case starts from."""
    from agdb.genome import Genome
    from agdb.predictors.motif import MotifPredictor, scorer
    from agdb.predictors.sequences import ascii_of, pairs

    genome = Genome(place.stored, place.work)
    variants = _variants(place, genome)
    _held["predictor"] = MotifPredictor(genome, scorer("GRCh38").computations[0])
    _held["variants"] = variants
    at = np.array([v.pos - 1 for v in variants], np.int64)
    refs, alts = (ascii_of([getattr(v, allele) for v in variants]) for allele in ("ref", "alt"))
    _, _, _held["ref"], _held["alt"] = pairs(genome, "chr1", at, refs, alts, 501)


def agdb_motif(_: Place) -> list[int]:
    """agdb's scorer, from the variants on (the others have their windows already)."""
    predictor, variants = _held["predictor"], _held["variants"]
    total = 0.0
    for i in range(0, len(variants), predictor.batch_size):
        total += sum(answer.scores[0, 0] for answer in predictor.score(variants[i : i + predictor.batch_size]))
    return [len(variants), round(total * 1e3)]


def _occupied(scores: Any) -> Any:
    from agdb.predictors.motif import PRIOR

    weight = PRIOR * np.exp(scores)
    return weight / (1 + weight)


def sliding_windows(_: Place) -> list[int]:
    """The same law in plain numpy: each matrix slid over each window."""
    from agdb.predictors.motif import log2_ratio
    from agdb.predictors.motifs import MOTIFS, strands

    digit = np.zeros(256, np.int8)
    digit[list(b"ACGT")] = range(4)

    def occupancy(bases: Any) -> Any:
        coded, total = digit[bases], np.zeros(len(bases))
        for motif in MOTIFS:
            for matrix in strands(motif):
                places = bases.shape[1] - len(matrix) + 1
                scores = np.zeros((len(bases), places))
                for offset, row in enumerate(matrix):
                    scores += row[coded[:, offset : offset + places]]
                total += _occupied(scores).sum(axis=1)
        return total

    total = 0.0
    for i in range(0, len(_held["ref"]), 1_000):
        ref, alt = (_held[allele][i : i + 1_000] for allele in ("ref", "alt"))
        total += float(log2_ratio(occupancy(alt), occupancy(ref)).sum())
    return [len(_held["ref"]), round(total * 1e3)]


def biopython(_: Place) -> list[int]:
    """The same law by Bio.motifs, whose scan is written in C, in single precision: its sum is not compared."""
    from Bio.motifs import matrix as bio

    from agdb.predictors.motif import log2_ratio
    from agdb.predictors.motifs import MOTIFS, strands

    made: Any = bio.PositionSpecificScoringMatrix
    matrices = [
        made("ACGT", {base: matrix[:, i].tolist() for i, base in enumerate("ACGT")})
        for motif in MOTIFS for matrix in strands(motif)
    ]  # fmt: skip

    def occupancy(bases: Any) -> float:
        sequence = bases.tobytes()
        return float(sum(_occupied(matrix.calculate(sequence)).sum() for matrix in matrices))

    for ref, alt in zip(_held["ref"], _held["alt"], strict=True):
        log2_ratio(np.array(occupancy(alt)), np.array(occupancy(ref)))
    return [len(_held["ref"])]


# --- the start of a command ---


def _command(*words: str) -> Callable[[Place], None]:
    def run(place: Place) -> None:
        agdb = str(Path(sys.executable).with_name("agdb"))
        subprocess.run([agdb, *words], cwd=place.work, stdout=subprocess.DEVNULL, check=True)

    return run


def make_study(place: Place) -> None:
    """An empty database where the command looks for it."""
    from agdb import db

    db.create(place.work / "agdb.duckdb")


def _windows(width: int) -> dict[str, Case]:
    group = f"windows of {width:,} bp"
    return {
        f"windows-{width}-agdb": Case(group, "agdb", agdb_windows(width), load_agdb, "windows"),
        f"windows-{width}-pyfaidx": Case(
            group, "pyfaidx, a fetch a window",
            one_by_one(width, lambda start, end: _held["faidx"].fetch("chr1", start + 1, end)), load_pyfaidx, "windows",
        ),
        f"windows-{width}-pysam": Case(
            group, "pysam (htslib), a fetch a window",
            one_by_one(width, lambda start, end: _held["pysam"].fetch("chr1", start, end)), load_pysam, "windows",
            "pysam", is_peer=True,
        ),
        f"windows-{width}-sequential": Case(
            group, "floor: the file read once, windows copied out of it", sequential(width), None, "windows"
        ),
    }  # fmt: skip


CASES = {
    **{name: case for width in WIDTHS for name, case in _windows(width).items()},
    "motif-agdb": Case("motif", "agdb predict motif, its scorer", agdb_motif, load_motif, "scores"),
    "motif-numpy": Case("motif", "plain numpy, a sliding window", sliding_windows, load_motif, "scores"),
    "motif-biopython": Case("motif", "Bio.motifs", biopython, load_motif),
    "start-help": Case("start", "agdb --help", _command("--help")),
    "start-sql": Case("start", 'agdb sql "select 1"', _command("sql", "select 1"), make_study),
}  # fmt: skip


def n_of(name: str, *, quick: bool) -> int:
    """Windows or variants of a case."""
    n = WIDTHS[int(name.split("-")[1])] if name.startswith("windows") else MOTIF_VARIANTS
    return n // 1_000 if quick else n
