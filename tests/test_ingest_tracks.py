"""Tables of tracks: read by name, filled in, never contradicted."""

from pathlib import Path

import duckdb
import make
import pytest
from conftest import Ask

from agdb.errors import Refused, UsageError
from agdb.ingest import source, tracks
from agdb.predictors.contract import Track

Connection = duckdb.DuckDBPyConnection
K562 = {"output_type": "DNASE", "name": "EFO:0002067 DNase-seq", "strand": "UNSTRANDED",
        "ontology_curie": "EFO:0002067", "biosample_name": "K562", "biosample_type": "cell_line",
        "biosample_life_stage": "adult", "assay": "DNase-seq", "data_source": "encode", "gtex_tissue": "",
        "nonzero_mean": "0.5"}  # fmt: skip
BLOOD = {**K562, "output_type": "RNA_SEQ", "name": "UBERON:0013756 RNA-seq", "strand": "NEGATIVE",
         "ontology_curie": "UBERON:0013756", "biosample_name": "venous blood", "biosample_type": "tissue",
         "assay": "polyA plus RNA-seq", "data_source": "gtex", "gtex_tissue": "Whole_Blood"}  # fmt: skip


def load(con: Connection, path: Path, *rows: make.Row, output_type: str | None = None) -> source.Loaded:
    return tracks.ingest(con, make.write(path, make.table(rows)), "alphagenome", output_type=output_type)


def without(row: make.Row, *names: str) -> make.Row:
    return {name: value for name, value in row.items() if name not in names}


def test_a_table_of_tracks_is_read_by_name(con: Connection, ask: Ask, tmp_path: Path) -> None:
    loaded = load(con, tmp_path / "tracks.tsv", K562, BLOOD)
    assert loaded.notes == ["2 tracks are new, 0 were known"]
    assert ask("SELECT * EXCLUDE (track_id) FROM track ORDER BY output_type") == [
        ("alphagenome", "DNASE", "EFO:0002067 DNase-seq", ".", "EFO:0002067", "K562", "cell_line", "adult", "DNase-seq",
         "encode", None),
        ("alphagenome", "RNA_SEQ", "UBERON:0013756 RNA-seq", "-", "UBERON:0013756", "venous blood", "tissue", "adult",
         "polyA plus RNA-seq", "gtex", "Whole_Blood"),
    ]  # fmt: skip


def test_a_track_that_is_known_keeps_its_number_and_learns_what_was_not_known(
    con: Connection, ask: Ask, tmp_path: Path
) -> None:
    (number,) = tracks.track_ids(con, "alphagenome", [Track("DNASE", K562["name"], ".", "EFO:0002067")])
    loaded = load(con, tmp_path / "tracks.tsv", BLOOD, K562)
    assert loaded.notes == ["1 tracks are new, 1 were known"]
    assert ask("SELECT biosample_name FROM track WHERE track_id = ?", number) == [("K562",)]
    assert ask("SELECT count(*), count(DISTINCT track_id) FROM track") == [(2, 2)]


def test_a_table_that_contradicts_what_is_known_is_refused(con: Connection, ask: Ask, tmp_path: Path) -> None:
    load(con, tmp_path / "tracks.tsv", K562)
    before = ask("FROM track")
    with pytest.raises(Refused, match="ontology_curie EFO:0002067, not EFO:0002784"):
        load(con, tmp_path / "others.tsv", BLOOD, {**K562, "ontology_curie": "EFO:0002784"})
    assert ask("FROM track") == before


RUN = Track("DNASE", K562["name"], ".", K562["ontology_curie"], "K-562 cells")


def test_what_a_table_left_out_is_learned_from_a_run_and_the_rest_stays(
    con: Connection, ask: Ask, tmp_path: Path
) -> None:
    load(con, tmp_path / "tracks.tsv", {**K562, "ontology_curie": "", "data_source": ""}, BLOOD)
    tracks.track_ids(con, "alphagenome", [RUN])
    found = ask("SELECT ontology_curie, biosample_name, data_source FROM track WHERE output_type = 'DNASE'")
    assert found == [("EFO:0002067", "K562", None)]
    assert ask("SELECT count(*) FROM track") == [(2,)]


@pytest.mark.parametrize(
    ("told", "what"),
    [
        (RUN._replace(ontology_curie="EFO:0002784"), "ontology_curie EFO:0002067, not EFO:0002784"),
        (Track("RNA_SEQ", BLOOD["name"], "-", gtex_tissue="Lung"), "gtex_tissue Whole_Blood, not Lung"),
    ],
)
def test_a_run_whose_tracks_are_of_other_biosamples_than_a_table_said_is_refused(
    con: Connection, ask: Ask, tmp_path: Path, told: Track, what: str
) -> None:
    load(con, tmp_path / "tracks.tsv", K562, BLOOD)
    before = ask("FROM track ORDER BY ALL")
    with pytest.raises(Refused, match=what):
        tracks.track_ids(con, "alphagenome", [Track("ATAC", "new"), told])
    assert ask("FROM track ORDER BY ALL") == before


@pytest.mark.parametrize(
    ("rows", "what"),
    [
        ([{**K562, "strand": "forward"}], "the strand is none of"),
        ([{**K562, "name": ""}], "a track has no output_type or no name"),
        ([K562, {**K562, "biosample_name": "K-562"}], "stands there twice, and differs"),
        ([without(K562, "data_source")], "lacks column 'data_source'"),
        ([without(K562, "output_type")], "lacks column 'output_type'"),
    ],
)
def test_a_table_of_something_else_is_refused(
    con: Connection, ask: Ask, tmp_path: Path, rows: list[make.Row], what: str
) -> None:
    with pytest.raises(Refused) as refused:
        load(con, tmp_path / "tracks.tsv", *rows)
    assert what in str(refused.value)
    assert ask("SELECT count(*) FROM track") == [(0,)]


def test_a_table_of_one_output_is_that_of_the_whole_table(con: Connection, ask: Ask, tmp_path: Path) -> None:
    of_dnase = without(K562, "output_type", "gtex_tissue")
    load(con, tmp_path / "dnase.tsv", of_dnase, output_type="dnase")
    told = ask("SELECT * EXCLUDE (track_id) FROM track")
    con.execute("DELETE FROM track")
    load(con, tmp_path / "tracks.tsv", K562)
    assert told == ask("SELECT * EXCLUDE (track_id) FROM track")


def test_a_table_that_says_its_output_types_is_not_told_another(con: Connection, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="says the output type of each track itself"):
        load(con, tmp_path / "tracks.tsv", K562, output_type="ATAC")


def test_the_same_table_cannot_be_that_of_two_outputs(con: Connection, tmp_path: Path) -> None:
    row = without(K562, "output_type")
    load(con, tmp_path / "tracks.tsv", row, output_type="DNASE")
    assert not load(con, tmp_path / "tracks.tsv", row, output_type="DNASE").is_new
    with pytest.raises(Refused, match="as alphagenome DNASE, GRCh38; now it is given as alphagenome ATAC"):
        load(con, tmp_path / "tracks.tsv", row, output_type="ATAC")
