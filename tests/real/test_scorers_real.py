"""The terms of the scorers against AlphaGenome's own table of tracks: each has the tracks that it speaks of."""

import csv
from collections import Counter
from pathlib import Path

import pytest

from agdb.predictors import scorers
from agdb.predictors.contract import Track
from agdb.predictors.tracks import check, columns

STRANDS = {"POSITIVE": "+", "NEGATIVE": "-", "UNSTRANDED": "."}


@pytest.fixture(scope="module")
def tracks(shared: Path) -> list[Track]:
    """All human tracks."""
    with (shared / "alphagenome" / "alphagenome_human_all_tracks.tsv").open(newline="") as file:
        return [
            Track(row["output_type"], row["name"], STRANDS[row["strand"]], row["ontology_curie"] or None,
                  row["biosample_name"] or None, row["biosample_type"] or None, gtex_tissue=row["gtex_tissue"] or None)
            for row in csv.DictReader(file, delimiter="\t")
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "n"),
    [
        ("dnase-k562", 1),
        ("dnase-gm12878", 1),
        ("dnase-blood", 28),
        ("dnase-all", 305),
        ("atac-k562", 1),
        ("atac-gm12878", 1),
        ("atac-blood", 13),
        ("atac-all", 167),
        ("rna-whole-blood", 1),
        ("original", 305),
    ],
)
def test_a_preset_has_the_tracks_that_it_speaks_of(tracks: list[Track], name: str, n: int) -> None:
    scorer = scorers.scorer(scorers.presets()[name])
    of_output = [track for track in tracks if track.output_type == scorer.of.output_type]
    check(of_output, scorer)
    assert len(columns(of_output, scorer.track_set)) == n


@pytest.mark.parametrize(("name", "biosample"), [("k562", "K562"), ("gm12878", "GM12878")])
def test_a_preset_of_a_cell_line_is_of_that_cell_line(tracks: list[Track], name: str, biosample: str) -> None:
    for output in ("DNASE", "ATAC"):
        of_output = [track for track in tracks if track.output_type == output]
        [place] = columns(of_output, scorers.presets()[f"{output.lower()}-{name}"].tracks)
        assert of_output[place].biosample_name == biosample


@pytest.mark.parametrize("name", ["dnase-blood", "atac-blood"])
def test_blood_holds_no_cell_lines(tracks: list[Track], name: str) -> None:
    preset = scorers.presets()[name]
    of_output = [track for track in tracks if track.output_type == preset.output]
    found = [of_output[i] for i in columns(of_output, preset.tracks)]
    assert "cell_line" not in {track.biosample_type for track in found}


def test_every_gtex_tissue_is_one_rna_track(tracks: list[Track]) -> None:
    rna = [track for track in tracks if track.output_type == "RNA_SEQ"]
    tissues = Counter(track.gtex_tissue for track in rna if track.gtex_tissue)
    assert len(tissues) == 54
    for tissue in tissues:
        check(rna, scorers.scorer(scorers.rna(tissue)))
