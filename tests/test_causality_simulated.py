"""A simulated study, whose causal variants are known, from its files to the AUROC: the score finds them."""

import math
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agdb import db
from agdb.cli import app

Numbers = dict[str, tuple[float, float, float]]  # NULL as NaN


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Numbers:
    """Estimate and interval by metric; the truth's own column says who is causal, as a fine-mapping without doubt."""
    folder = tmp_path_factory.mktemp("simulated")
    agdb = runner(folder / "study.duckdb")
    study = folder / "study"
    agdb("simulate", str(study), "--variants", "1500", "--seed", "5")
    agdb("init")
    agdb("ingest", "gtex", str(next(study.glob("*signif_variant_gene_pairs.txt.gz"))))
    agdb("ingest", "peaks", str(next(study.glob("*.narrowPeak.gz"))), "--biosample", "made up", "--assembly", "GRCh38")
    agdb("ingest", "genome", str(study / "genome.fa"), "--assembly", "GRCh38")
    columns = "variant_id=variant_id,gene_id=gene_id,pip=is_causal"
    of = ("--map", columns, "--tissue", "Simulated_Blood", "--assembly", "GRCh38")
    agdb("ingest", "credible", str(study / "truth.tsv.gz"), *of)
    agdb("predict", "motif")
    agdb("stats", "--labels", "all", "--resamples", "300", "--shifts", "200", "--stratify", "kind")
    with db.reading(folder / "study.duckdb") as con:
        rows = con.execute("SELECT metric, estimate, ci_low, ci_high FROM result WHERE stratum = 'all'").fetchall()
    nan = float("nan")
    return {name: tuple(nan if v is None else v for v in values) for name, *values in rows}  # type: ignore[misc]


def runner(path: Path) -> Callable[..., None]:
    def agdb(*words: str) -> None:
        run = CliRunner().invoke(app, ["--db", str(path), *words])
        assert run.exit_code == 0, run.output

    return agdb


def test_the_score_tells_the_causal_variants_from_their_controls(found: Numbers) -> None:
    for metric in ("causal_auroc", "causal_auprc", "causal_pairwise"):
        estimate, low, _ = found[metric]
        assert estimate > 0.6, metric
        assert low > 0.55, metric


def test_nearness_to_the_tss_does_not_for_the_controls_are_as_near(found: Numbers) -> None:
    assert found["causal_auroc_tss_distance"][0] == pytest.approx(0.5, abs=0.02)
    assert found["causal_auroc_gain"][1] > 0.1
    for metric in ("causal_smd_tss_distance", "causal_smd_maf"):
        assert abs(found[metric][0]) < 0.1


def test_variants_with_an_effect_lie_in_peaks_more_often_than_in_shifted_ones(found: Numbers) -> None:
    assert found["overlap_enrichment"][1] > 2


def test_slopes_without_winners_curse_go_with_the_score_as_well(found: Numbers) -> None:
    raw, shrunken = found["spearman"], found["spearman_conditional"]
    assert shrunken[0] == pytest.approx(raw[0], abs=0.1)
    assert shrunken[1] < shrunken[0] < shrunken[2]
    assert math.isnan(found["spearman_fiqt"][0])
