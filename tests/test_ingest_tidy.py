"""tidy_scores of the SDK, imported: every number under its track, the scorers that read them, and what is refused."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import duckdb
import grpc
import pandas as pd
import pytest
from alphagenome.data import genome
from alphagenome.models.v1 import dna_client, variant_scorers
from conftest import Ask
from fakes.process import Server
from fakes.sequence import snv
from rows import add_qtls, add_source, add_variants

from agdb.errors import Refused
from agdb.ingest import source, tidy_scores
from agdb.ingest.variant_table import Options

Connection = duckdb.DuckDBPyConnection
WINDOW = 524_288
PLACES = [("chr1", 1_000_000), ("chr1", 2_000_000), ("chr22", 30_000_000)]


def variants() -> list[genome.Variant]:
    return [genome.Variant(chrom, pos, *snv(chrom, pos)) for chrom, pos in PLACES]


@pytest.fixture(scope="module")
def long_form() -> Iterator[pd.DataFrame]:
    """What the SDK makes of three variants: DNASE, GM12878's and K562's among its tracks, and genes' expression."""
    asked = [variant_scorers.RECOMMENDED_VARIANT_SCORERS[name] for name in ("DNASE", "RNA_SEQ")]
    with Server() as server, grpc.insecure_channel(server.address) as channel:
        client = dna_client.DnaClient(channel=channel)
        scores = [client.score_variant(v.reference_interval.resize(WINDOW), v, asked) for v in variants()]
        yield variant_scorers.tidy_scores(scores).astype({"variant_id": str, "scored_interval": str})


@pytest.fixture
def study(con: Connection) -> Connection:
    """A database that knows the variants, with eQTLs of the liver."""
    add_source(con, 1, tissue="Liver")
    found = add_variants(con, [(v.chromosome, v.position, v.reference_bases, v.alternate_bases) for v in variants()])
    add_qtls(con, 1, found, [0.1] * len(found))
    return con


def write(frame: pd.DataFrame, path: Path) -> Path:
    frame.to_parquet(path) if path.suffix == ".parquet" else frame.to_csv(path, index=False)
    return path


def load(con: Connection, path: Path, version: str = "", only: str | None = None) -> source.Loaded:
    return tidy_scores.ingest(con, path, version, only, Options())


@pytest.mark.parametrize("name", ["tidy.csv", "tidy.csv.gz", "tidy.parquet"])
def test_every_score_of_the_sdk_stands_once_under_its_track(
    study: Connection, ask: Ask, long_form: pd.DataFrame, tmp_path: Path, name: str
) -> None:
    loaded = load(study, write(long_form, tmp_path / name))
    assert loaded.rows_kept == len(long_form) == ask("SELECT count(*) FROM prediction")[0][0]
    stored = ask(
        "SELECT chrom || ':' || pos || ':' || ref || '>' || alt, gene_id, output_type, t.name, strand, score, quantile "
        "FROM prediction JOIN track AS t USING (track_id)"
    )
    names = ["variant_id", "gene_id", "output_type", "track_name", "track_strand", "raw_score", "quantile_score"]
    given = long_form[names].astype(object).where(long_form[names].notna(), None)
    assert sorted(rounded(row) for row in stored) == sorted(rounded(row) for row in given.values.tolist())
    assert ask("SELECT DISTINCT provider, model, output_type, window_bp, mask_bp, aggregation FROM computation "
               "ORDER BY output_type") == [
        ("import", "alphagenome", "DNASE", WINDOW, 501, "DIFF_LOG2_SUM"),
        ("import", "alphagenome", "RNA_SEQ", WINDOW, None, "GENE_LFC"),
    ]  # fmt: skip


def rounded(row: Iterable[object]) -> tuple[str, ...]:
    """So that rows compare, with missing values among them."""
    return tuple(f"{value:.6g}" if isinstance(value, float) else str(value) for value in row)


def test_scorers_that_the_file_answers_are_known_and_give_the_scores_of_their_tracks(
    study: Connection, ask: Ask, long_form: pd.DataFrame, tmp_path: Path
) -> None:
    load(study, write(long_form, tmp_path / "tidy.csv"))
    names = [name for (name,) in ask("SELECT name FROM scorer ORDER BY name")]
    assert {"dnase-k562", "dnase-gm12878", "dnase-all", "rna-whole-blood"} <= set(names)
    assert "atac-k562" not in names  # the file has no ATAC
    of_k562 = long_form[(long_form.output_type == "DNASE") & (long_form.ontology_curie == "EFO:0002067")]
    found = ask("SELECT score FROM score JOIN scorer USING (scorer_id) WHERE name = 'dnase-k562' ORDER BY chrom, pos")
    assert [score for (score,) in found] == pytest.approx(list(of_k562.raw_score))
    mean = long_form[long_form.output_type == "DNASE"].groupby("variant_id").raw_score.mean()
    found = ask("SELECT score FROM score JOIN scorer USING (scorer_id) WHERE name = 'dnase-all' ORDER BY score")
    assert [score for (score,) in found] == pytest.approx(sorted(mean))


def test_the_scorer_of_a_tissue_that_has_qtls_is_known_where_its_track_is_there(
    study: Connection, ask: Ask, long_form: pd.DataFrame, tmp_path: Path
) -> None:
    as_liver = long_form.assign(gtex_tissue=long_form.gtex_tissue.replace("Whole_Blood", "Liver"))
    load(study, write(as_liver, tmp_path / "tidy.csv"))
    assert ask("SELECT name FROM scorer WHERE starts_with(name, 'rna')") == [("rna-liver",)]


def test_one_scorer_may_be_asked_for(study: Connection, ask: Ask, long_form: pd.DataFrame, tmp_path: Path) -> None:
    path = write(long_form, tmp_path / "tidy.csv")
    load(study, path, only="dnase-gm12878")
    assert ask("SELECT name FROM scorer") == [("dnase-gm12878",)]
    with pytest.raises(Refused, match="the file does not answer atac-k562"):
        load(study, write(long_form.iloc[::-1], tmp_path / "other.csv"), only="atac-k562")


def test_a_file_that_is_there_answers_scorers_that_are_asked_for_later(
    study: Connection, ask: Ask, long_form: pd.DataFrame, tmp_path: Path
) -> None:
    as_liver = long_form.assign(gtex_tissue=long_form.gtex_tissue.replace("Whole_Blood", "Liver"))
    path = write(as_liver, tmp_path / "tidy.csv")
    load(study, path, only="dnase-gm12878")
    again = load(study, path, only="dnase-k562")
    assert (again.is_new, again.notes) == (False, [f"scorers that read it from now on: dnase-k562 at {WINDOW:,} bp"])
    assert load(study, path, only="dnase-k562").notes == []
    with pytest.raises(Refused, match="the file does not answer atac-k562"):
        load(study, path, only="atac-k562")
    load(study, path)
    assert ask("SELECT count(*) FROM scorer WHERE name IN ('dnase-all', 'rna-liver')") == [(2,)]
    whole = ask("SELECT name, scorer_id FROM scorer ORDER BY ALL")
    study.execute("DELETE FROM scorer")
    load(study, write(as_liver.iloc[::-1], tmp_path / "backwards.csv"))
    assert ask("SELECT name, scorer_id FROM scorer ORDER BY ALL") == whole


def test_rows_of_scorers_of_other_units_are_passed_over(
    study: Connection, ask: Ask, long_form: pd.DataFrame, tmp_path: Path
) -> None:
    splice = long_form.iloc[:5].assign(variant_scorer="SpliceJunctionScorer()", output_type="SPLICE_JUNCTIONS")
    loaded = load(study, write(pd.concat([splice, long_form]), tmp_path / "tidy.csv"))
    assert loaded.notes[0] == "5 rows of splice, polyA and other scorers were passed over"
    assert ask("SELECT count(*) FROM prediction") == [(len(long_form),)]


def test_the_same_scores_again_add_nothing_and_other_ones_are_refused(
    study: Connection, ask: Ask, long_form: pd.DataFrame, tmp_path: Path
) -> None:
    load(study, write(long_form, tmp_path / "tidy.csv"), "ALL_FOLDS")
    before = ask("SELECT count(*), sum(score) FROM prediction")
    loaded = load(study, write(long_form.iloc[::-1], tmp_path / "backwards.csv"), "ALL_FOLDS")
    assert f"{len(long_form):,} scores were there already" in loaded.notes[0]
    other = long_form.assign(raw_score=long_form.raw_score + 1)
    with pytest.raises(Refused, match="two different scores of scorer"):
        load(study, write(other, tmp_path / "other.csv"), "ALL_FOLDS")
    assert ask("SELECT count(*), sum(score) FROM prediction") == before
    load(study, write(other, tmp_path / "other.csv"), "FOLD_0")  # of another model they are other scores
    assert ask("SELECT count(*) FROM prediction") == [(2 * len(long_form),)]


@pytest.mark.parametrize(
    ("column", "value", "what"),
    [
        ("scored_interval", "chr1", "the scored interval is none"),
        ("scored_interval", "chr1:1000500-999000:.", "the scored interval does not hold the variant"),
        ("scored_interval", "chr1:1000000-1000500:.", "the scored interval does not hold the variant"),
        ("scored_interval", "chr2:999000-1000500:.", "the scored interval does not hold the variant"),
        ("scored_interval", "chr1:1-99999999999:.", "the scored interval does not hold the variant"),
        ("track_strand", "forward", "the strand of a track is not"),
        ("variant_scorer", "CenterMaskScorer(requested_output=DNASE, width=501, aggregation_type=MEDIAN)", "none that"),
        ("raw_score", "much", "raw_score"),
        ("variant_id", "chr1:1000001:A>C", "variants that the database does not know"),
    ],
)
def test_a_row_that_cannot_be_refuses_the_file(
    study: Connection, ask: Ask, long_form: pd.DataFrame, tmp_path: Path, column: str, value: str, what: str
) -> None:
    bad = long_form.astype({column: object}).copy()
    bad.loc[bad.index[3], column] = value
    with pytest.raises(Refused) as refused:
        load(study, write(bad, tmp_path / "tidy.csv"))
    assert what in str(refused.value)
    assert ask("SELECT (SELECT count(*) FROM prediction) + (SELECT count(*) FROM track)") == [(0,)]
