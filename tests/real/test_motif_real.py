"""What occupancy means: it tells open chromatin of K562 from the genome around it, better than GC content does."""

import csv
import gzip
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import mannwhitneyu

from agdb.genome import Genome
from agdb.predictors.motif import occupancy

WIDTH = 200


@pytest.fixture(scope="module")
def dhs(shared: Path) -> list[dict[str, str]]:
    """DNase hypersensitive sites of K562, each with the 200 bases of hg38 around its summit."""
    with gzip.open(shared / "dhs" / "DNADiffusion_K562_ENCLB843GMH.txt.gz", "rt") as file:
        return list(csv.DictReader(file, delimiter="\t"))


@pytest.fixture(scope="module")
def open_and_other(
    dhs: list[dict[str, str]], shared: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """The DHS, and as many stretches of chr2 at random that hold no N and touch no DHS."""
    sites = np.array([list(row["sequence"].encode()) for row in dhs], dtype=np.uint8)
    spans = [(int(row["start"]), int(row["end"])) for row in dhs if row["chr"] == "chr2"]
    genome = Genome(shared / "fasta" / "chr2_1-2333275.fa.gz", tmp_path_factory.mktemp("index"))
    starts = np.random.default_rng(1).integers(0, 2_333_275 - WIDTH, 2 * len(sites))
    for first, last in spans:
        starts = starts[(starts + WIDTH <= first) | (starts >= last)]
    others = genome.windows("chr2", starts, WIDTH)
    genome.close()
    return sites, others[(others != ord("N")).all(axis=1)][: len(sites)]


def auroc(positives: npt.NDArray[np.float64], negatives: npt.NDArray[np.float64]) -> float:
    return float(mannwhitneyu(positives, negatives).statistic / (len(positives) * len(negatives)))


def gc_content(sequences: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    return np.isin(sequences, [ord("C"), ord("G")]).mean(axis=1)  # type: ignore[no-any-return]


def test_occupancy_tells_k562_dhs_from_background_better_than_gc_content(
    open_and_other: tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]],
) -> None:
    sites, others = open_and_other
    assert len(sites) == len(others) == 11_968
    by_motifs, by_gc = (auroc(measure(sites), measure(others)) for measure in (occupancy, gc_content))
    print(f"AUROC of occupancy {by_motifs:.4f}, of GC content {by_gc:.4f}")
    assert by_motifs == pytest.approx(0.78, abs=0.01)
    assert by_gc == pytest.approx(0.64, abs=0.01)
