"""agdb compare-study on a simulated study, from its files to its steps: what it finds is what the truth says."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from typer.testing import CliRunner

from agdb.cli import app
from agdb.simulate import Study, write_study

#: How far hg19 lies before hg38 in this world, and the lengths by which agdb tells a chain's assemblies.
SHIFT = 1_000
LENGTHS = {"chr1": (249_250_621, 248_956_422), "chr2": (243_199_373, 242_193_529)}


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return write_study(tmp_path_factory.mktemp("simulated") / "study", 200, 11)


@pytest.fixture(scope="module")
def steps(simulated: Study, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, object]]:
    """Peaks of hg19, ingested as they are and lifted; the truth as fine-mapping; the scorer that shares its law."""
    folder = tmp_path_factory.mktemp("compared")
    db = folder / "study.duckdb"
    peaks, chain = folder / "hg19.narrowPeak", folder / "hg19ToHg38.chain"
    peaks.write_text("".join("\t".join([c, str(int(s) + SHIFT), str(int(e) + SHIFT), *rest]) + "\n"
                             for c, s, e, *rest in table(simulated.peaks)))  # fmt: skip
    chain.write_text("".join(
        f"chain 1000 {chrom} {old} + {SHIFT} {SHIFT + 10**6} {chrom} {new} + 0 {10**6} {i}\n{10**6}\n\n"
        for i, (chrom, (old, new)) in enumerate(LENGTHS.items(), 1)))  # fmt: skip
    for words in (
        ["init"], ["ingest", "gtex", simulated.pairs, "--tissue", "Simulated_Blood"],
        ["ingest", "peaks", peaks, "--biosample", "K562", "--assembly", "hg19"],
        ["ingest", "peaks", peaks, "--biosample", "K562", "--assembly", "hg19", "--lift", chain],
        ["ingest", "genome", simulated.genome, "--assembly", "GRCh38"],
        ["ingest", "credible", simulated.truth, "--map", "variant_id=variant_id,gene_id=gene_id,pip=is_causal",
         "--tissue", "Simulated_Blood", "--assembly", "GRCh38"], ["predict", "motif"],
    ):  # fmt: skip
        run = CliRunner().invoke(app, ["--db", str(db), *map(str, words)])
        assert run.exit_code == 0, run.output
    run = CliRunner().invoke(app, ["--db", str(db), "compare-study", "--resamples", "200", "--format", "json"])
    assert run.exit_code == 0, run.output
    return {row["step"]: row for row in json.loads(run.stdout)}


def table(path: Path) -> list[list[str]]:
    with gzip.open(path, "rt") as file:
        return [line.rstrip("\n").split("\t") for line in file]


def truth(simulated: Study) -> dict[str, list[str]]:
    header, *rows = table(simulated.truth)
    return dict(zip(header, (list(column) for column in zip(*rows, strict=True)), strict=True))


def rho(simulated: Study, own: np.ndarray) -> float:
    """Spearman of the planted effect and the measured slope."""
    effect, slope = (np.array(truth(simulated)[name], float) for name in ("true_effect", "slope"))
    return float(stats.spearmanr(effect[own], slope[own]).statistic)


def test_the_study_begins_with_the_variants_in_peaks_of_the_wrong_assembly(
    simulated: Study, steps: dict[str, dict[str, object]]
) -> None:
    peaks = [(c, int(s) + SHIFT, int(e) + SHIFT) for c, s, e, *_ in table(simulated.peaks)]
    places = [variant.split("_")[:2] for variant in truth(simulated)["variant_id"]]
    n = sum(any(chrom == c and s <= int(pos) - 1 < e for c, s, e in peaks) for chrom, pos in places)
    assert steps["published"]["n"] == n > 10


def test_lifted_peaks_give_the_known_answer_of_the_truth(simulated: Study, steps: dict[str, dict[str, object]]) -> None:
    in_peak = np.array(truth(simulated)["in_peak"]) == "1"
    assert steps["peaks"]["n"] == in_peak.sum()
    assert steps["peaks"]["spearman"] == pytest.approx(rho(simulated, in_peak), abs=1e-4)


def test_peaks_of_the_wrong_assembly_hide_a_part_of_it(steps: dict[str, dict[str, object]]) -> None:
    assert float(str(steps["slope"]["spearman"])) < float(str(steps["peaks"]["spearman"]))
    assert float(str(steps["peaks"]["difference"])) > 0


def test_fine_mapped_rows_are_the_causal_variants_in_peaks(
    simulated: Study, steps: dict[str, dict[str, object]]
) -> None:
    found = truth(simulated)
    fine = {v for v, peak, causal in zip(found["variant_id"], found["in_peak"], found["is_causal"], strict=True)
            if peak == causal == "1"}  # fmt: skip
    assert steps["fine-mapped"]["n"] == len(fine)
