"""AlphaGenome's scores as the predictor hands them on: a made-up model on loopback against the same in plain Python.

What a failed call means is in test_alphagenome_connection.py.
"""

import csv
import math
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from alphagenome import tensor_utils
from alphagenome.models.v1 import variant_scorers
from alphagenome.protos import tensor_pb2
from alphagenome.protos.v1 import dna_model_pb2, dna_model_service_pb2
from fakes import genes, plain, tracks
from fakes.faults import Fault, Plan
from fakes.process import Server
from served import ALLELES, FAR, MB, W16, computed, connected, expected, once_back, plain_name, sdk, snv, snvs

from agdb.errors import ProviderError
from agdb.predictors import scorers
from agdb.predictors.alphagenome import AlphaGenomePredictor, scorer_of, tracks_of, unpacked
from agdb.predictors.alphagenome_connection import Connection
from agdb.predictors.contract import Answer, Computation, Predictor, Track, TryAgain, Variant, VariantFailed
from agdb.predictors.tracks import columns


@pytest.fixture(scope="module")
def connection(running: Server) -> Iterator[Connection]:
    with connected(running.address) as opened:
        yield opened


def scored(
    connection: Connection, computation: Computation, variant: Variant
) -> tuple[Answer, tuple[Track, ...]]:  # fmt: skip
    """The answer for one variant, and its tracks."""
    predictor: Predictor = AlphaGenomePredictor(connection, computation)
    found = tuple(predictor.tracks())
    [answer] = predictor.score([variant])
    assert isinstance(answer, Answer)
    return answer, found


def answer_of(predictor: AlphaGenomePredictor, variant: Variant) -> Answer:
    [answer] = predictor.score([variant])
    return answer


@pytest.fixture
def dnase(connection: Connection, server: Server) -> AlphaGenomePredictor:
    """The predictor of the default scorer at 16 kb, which knows its tracks."""
    predictor = AlphaGenomePredictor(connection, computed())
    predictor.tracks()
    return predictor


# --- tracks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("output", "n"), [("DNASE", 8), ("ATAC", 2), ("RNA_SEQ", 3)])
def test_the_tracks_are_those_of_the_output_type_in_the_servers_order(
    connection: Connection, output: str, n: int
) -> None:
    with tracks.DEFAULT.open(newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["output_type"] == output]
    strands = {"POSITIVE": "+", "NEGATIVE": "-", "UNSTRANDED": "."}
    found = AlphaGenomePredictor(connection, computed(output=output)).tracks()
    assert len(found) == n
    assert [tuple(track) for track in found] == [
        (output, row["name"], strands[row["strand"]], row["ontology_curie"], row["biosample_name"],
         row["biosample_type"], row["biosample_life_stage"], row["assay"], row["data_source"],
         row["gtex_tissue"] or None)
        for row in rows
    ]  # fmt: skip


def test_what_the_server_does_not_say_of_a_track_is_none(tmp_path: Path) -> None:
    header, first, *_ = tracks.DEFAULT.read_text().splitlines()
    kept = {"output_type", "track_index", "name", "strand"}
    bare = [value if name in kept else "" for name, value in zip(header.split("\t"), first.split("\t"), strict=True)]
    table = tmp_path / "tracks.tsv"
    table.write_text(header + "\n" + "\t".join(bare) + "\n")
    with Server(tracks_tsv=table) as server, connected(server.address) as connection:
        assert AlphaGenomePredictor(connection, computed()).tracks() == (Track("DNASE", "EFO:0002784 DNase-seq"),)


def test_tracks_that_make_no_sense_are_an_error() -> None:
    class Half:
        address = "here"

        def stream(self, *_: object) -> Iterator[dna_model_service_pb2.MetadataResponse]:
            output = dna_model_service_pb2.MetadataResponse().output_metadata.add()
            output.output_type = dna_model_pb2.OutputType.OUTPUT_TYPE_DNASE
            output.tracks.metadata.add(name="K562")  # of no strand
            yield dna_model_service_pb2.MetadataResponse(output_metadata=[output])

        class stub:  # as gRPC's
            GetMetadata = None

    with pytest.raises(ProviderError, match="does not say which tracks it has"):
        tracks_of(Half(), Half.stub, "DNASE")  # type: ignore[arg-type]


def test_a_server_without_such_tracks_is_an_error(connection: Connection) -> None:
    with pytest.raises(ProviderError, match="no CAGE tracks"):
        AlphaGenomePredictor(connection, computed(output="CAGE")).tracks()


# --- scores of a centre mask ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("window_bp", scorers.WINDOWS)
@pytest.mark.parametrize("alleles", ALLELES.values(), ids=ALLELES)
def test_the_score_of_each_track_is_that_of_the_two_sequences(
    connection: Connection, server: Server, alleles: tuple[str, str], window_bp: int
) -> None:
    variant = Variant("chr2", FAR, *alleles)
    answer, found = scored(connection, computed(window_bp=window_bp), variant)
    assert answer.genes is None
    assert answer.scores.shape == (1, 8)
    assert answer.scores[0] == expected(variant, found)


@pytest.mark.parametrize("mask", [501, 10_001])
@pytest.mark.parametrize("aggregation", scorers.CENTER)
def test_every_aggregation_over_a_mask_is_its_formula(connection: Connection, aggregation: str, mask: int) -> None:
    variant = Variant("chr2", FAR, "C", "GGT")
    answer, found = scored(connection, computed(aggregation, mask), variant)
    assert answer.scores[0] == expected(variant, found, aggregation, mask)


@pytest.mark.parametrize("aggregation", scorers.CENTER)
def test_without_a_mask_the_score_is_of_the_whole_window(connection: Connection, aggregation: str) -> None:
    answer, found = scored(connection, computed(aggregation, None, output="ATAC"), snv())
    windows = plain.windows(sdk(snv()), FAR - W16 // 2, W16)
    ref, alt = (plain.signal(window, plain_name(found[1])) for window in windows)
    whole = plain.aggregate(variant_scorers.AggregationType[aggregation], ref, alt)
    assert answer.scores[0, 1] == pytest.approx(whole, rel=1e-3, abs=2e-6)


def test_quantiles_come_with_the_scores_where_the_server_gives_them(
    connection: Connection, server: Server, dnase: AlphaGenomePredictor
) -> None:
    answer = answer_of(dnase, snv())
    scaled = 10 * answer.scores  # `fakes.model.quantile`
    assert answer.quantiles is not None
    np.testing.assert_allclose(answer.quantiles, scaled / (1 + np.abs(scaled)), rtol=1e-5)
    server.set_plan(Plan(quantiles=False))
    assert answer_of(dnase, snv()).quantiles is None
    np.testing.assert_array_equal(answer_of(dnase, snv()).scores, answer.scores)


def test_each_model_version_is_a_model_of_its_own(connection: Connection) -> None:
    versions = ("ALL_FOLDS", "FOLD_0", "FOLD_1", "FOLD_2", "FOLD_3")
    answers = [scored(connection, computed(model_version=version), snv())[0] for version in versions]
    assert len({float(answer.scores[0, 0]) for answer in answers}) == 5


@pytest.mark.parametrize("chunk_bytes", [4, 10, 1000])
def test_an_answer_in_chunks_is_the_same_answer(server: Server, dnase: AlphaGenomePredictor, chunk_bytes: int) -> None:
    whole = answer_of(dnase, snv())
    server.set_plan(Plan(chunk_bytes=chunk_bytes))
    np.testing.assert_array_equal(answer_of(dnase, snv()).scores, whole.scores)


def test_an_answer_that_ends_before_its_last_chunk_is_malformed() -> None:
    tensor, chunks = tensor_utils.pack_tensor(np.ones((1, 1, 8), np.float32), bytes_per_chunk=16)
    first, *_ = chunks

    class Message:
        tensor_chunk = first

    with pytest.raises(ValueError, match="16 bytes"):
        unpacked(tensor, iter([Message()]))


def test_garbled_scores_are_malformed() -> None:
    tensor, _ = tensor_utils.pack_tensor(np.ones((1, 1, 8), np.float32))
    tensor.array.data, tensor.array.compression_type = b"garbage", tensor_pb2.COMPRESSION_TYPE_ZSTD
    with pytest.raises(ValueError, match="garbled"):
        unpacked(tensor, iter([]))


def test_each_variant_is_one_call_whichever_thread_asks(server: Server, dnase: AlphaGenomePredictor) -> None:
    server.set_plan(Plan(latency_ms=50))
    server.reset()
    asked, found = snvs(40), dnase.tracks()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda variant: answer_of(dnase, variant), asked))
    for variant, answer in zip(asked, answers, strict=True):
        assert answer.scores[0] == expected(variant, tuple(found))
    stats = server.stats(variants=True)
    assert stats["calls_by_variant"] == {str(sdk(variant)): 1 for variant in asked}
    assert stats["max_in_flight"] > 2


# --- scores of genes --------------------------------------------------------------------------------------------------


def short_gene() -> genes.Gene:
    """A gene that a 16-kb window around its exon holds whole."""
    return next(gene for gene in genes.inside("chr2", 0, 50_000_000) if gene.end - gene.start < 8_000)


@pytest.mark.parametrize("alleles", ALLELES.values(), ids=ALLELES)
@pytest.mark.parametrize("aggregation", scorers.GENES)
def test_a_gene_score_is_of_its_exon_in_each_tissue(
    connection: Connection, server: Server, aggregation: str, alleles: tuple[str, str]
) -> None:
    gene = short_gene()
    variant = Variant("chr2", gene.exon_start + 100, *alleles)
    answer, found = scored(connection, computed(aggregation, None, output="RNA_SEQ"), variant)
    assert answer.genes == (gene.gene_id,)
    exon = gene.exon_start, gene.exon_end
    start = sdk(variant).reference_interval.resize(W16).start
    ref, alt = plain.gene_means(sdk(variant), start, W16, exon, plain.WHOLE_BLOOD_RNA)
    change = math.log(alt + 1e-3) - math.log(ref + 1e-3)
    [blood] = columns(found, "gtex_tissue=Whole_Blood")
    assert answer.scores[0, blood] == pytest.approx(
        change if aggregation == "GENE_LFC" else max(ref, alt), rel=1e-3, abs=1e-6
    )


def test_a_gene_has_no_score_on_the_tracks_of_the_other_strand(connection: Connection) -> None:
    answer, found = scored(connection, computed("GENE_LFC", None, output="RNA_SEQ", window_bp=MB), snv())
    start = FAR - MB // 2
    inside = genes.inside("chr2", start, start + MB)
    assert answer.genes == tuple(gene.gene_id for gene in inside)
    expected_nan = [[track.strand not in (".", gene.strand) for track in found] for gene in inside]
    assert {gene.strand for gene in inside} <= {"+", "-"}
    np.testing.assert_array_equal(np.isnan(answer.scores), expected_nan)
    assert not answer.is_broken_in()


def test_a_window_without_genes_is_an_answer_without_rows(connection: Connection) -> None:
    answer, _ = scored(connection, computed("GENE_LFC", None, output="RNA_SEQ"), snv())
    assert genes.inside("chr2", FAR - W16 // 2, FAR + W16 // 2) == []
    assert (answer.genes, answer.scores.shape) == ((), (0, 3))


# --- presets, end to end ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server_of_presets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a DNASE and an ATAC track of each term that a preset names, out of order; and the RNA tracks."""
    header, *rows = tracks.DEFAULT.read_text().splitlines()
    terms = {term for preset in scorers.presets().values() for term in preset.tracks.split(",") if ":" in term}
    template = next(row for row in rows if row.startswith("ATAC"))
    made = [
        template.replace("ATAC", output).replace("EFO:0002784", term)
        for output in ("DNASE", "ATAC") for term in sorted(terms, key=lambda term: term[::-1])
    ]  # fmt: skip
    table = tmp_path_factory.mktemp("presets") / "tracks.tsv"
    table.write_text("\n".join([header, *made, *(row for row in rows if row.startswith("RNA_SEQ"))]) + "\n")
    with Server(tracks_tsv=table) as server:
        yield server


@pytest.mark.parametrize("name", [name for name, p in scorers.presets().items() if p.aggregation in scorers.CENTER])
def test_the_tracks_of_a_preset_are_scored_as_its_terms_say(server_of_presets: Server, name: str) -> None:
    scorer = scorers.scorer(scorers.presets()[name])
    with connected(server_of_presets.address) as connection:
        answer, found = scored(connection, scorer.of, snv())
    places = columns(found, scorer.track_set)
    terms = {track.ontology_curie for track in found} if scorer.track_set == "all" else set(scorer.track_set.split(","))
    assert {found[i].ontology_curie for i in places} == terms
    assert answer.scores[0, places] == expected(snv(), tuple(found[i] for i in places))


# --- windows at the ends of chromosomes -------------------------------------------------------------------------------


@pytest.mark.parametrize("pos", [1, 3, 8_000, 242_193_529 - 5, 242_193_529])
def test_a_window_may_reach_beyond_the_chromosome_where_it_is_n(
    connection: Connection, server: Server, pos: int
) -> None:
    answer, found = scored(connection, computed(), snv(pos))
    assert answer.scores[0] == expected(snv(pos), found)


def test_a_refused_window_before_the_chromosome_says_so(server: Server, dnase: AlphaGenomePredictor) -> None:
    server.set_plan(Plan(faults=(Fault(code="OUT_OF_RANGE", details="start < 0"),)))
    with pytest.raises(VariantFailed) as caught:
        dnase.score([snv(100)])
    assert caught.value.reason == "window_outside_contig: out_of_range: start < 0"
    assert caught.value.is_likely


def test_a_window_longer_than_its_chromosome_is_not_asked_for(connection: Connection, server: Server) -> None:
    predictor = AlphaGenomePredictor(connection, computed(window_bp=131_072))
    with pytest.raises(VariantFailed, match="window_longer_than_contig"):
        predictor.score([Variant("chrM", 8_000, "A", "G")])
    assert server.stats()["calls"] == 0


# --- answers that make no sense ---------------------------------------------------------------------------------------


def test_nan_in_every_track_is_a_broken_answer(server: Server, dnase: AlphaGenomePredictor) -> None:
    server.set_plan(Plan(faults=(Fault("nan"),)))
    assert answer_of(dnase, snv()).is_broken_in()


@pytest.mark.parametrize(
    "fault",
    [Fault("shape"), Fault("outputs", outputs=0), Fault("outputs", outputs=2)],
    ids=["a value too few", "no table", "two tables"],
)
def test_an_answer_of_another_shape_is_to_be_asked_for_again(
    server: Server, dnase: AlphaGenomePredictor, fault: Fault
) -> None:
    server.set_plan(Plan(faults=(fault,)))
    with pytest.raises(TryAgain, match="malformed_answer") as caught:
        dnase.score([snv()])
    assert not caught.value.is_quota
    assert not caught.value.is_down


def restarted_with(
    folder: Path, first: list[str], then: list[str], computation: Computation
) -> tuple[Answer, tuple[Track, ...]]:
    """The answer of a server that has listed tracks, and has been restarted with others."""
    header = tracks.DEFAULT.read_text().splitlines()[0]
    table = folder / "tracks.tsv"
    table.write_text("\n".join([header, *first]) + "\n")
    with Server(tracks_tsv=table) as server, connected(server.address) as connection:
        predictor = AlphaGenomePredictor(connection, computation)
        listed = tuple(predictor.tracks())
        assert answer_of(predictor, snv()).scores.shape == (1, len(listed))  # whose order is remembered
        table.write_text("\n".join([header, *then]) + "\n")
        server.restart()
        return once_back(lambda: answer_of(predictor, snv())), listed


def rows_of(output: str) -> list[str]:
    return [row for row in tracks.DEFAULT.read_text().splitlines() if row.startswith(output)]


def test_scores_go_by_the_names_of_tracks_when_the_answer_has_another_order(tmp_path: Path) -> None:
    rows = rows_of("DNASE")
    answer, listed = restarted_with(tmp_path, rows[1:], rows[::-1], computed())
    assert answer.scores.shape == (1, 7)
    assert answer.scores[0] == expected(snv(), listed)


def test_the_strands_of_a_track_are_told_apart_when_the_answer_has_another_order(tmp_path: Path) -> None:
    rows = rows_of("RNA_SEQ")
    answer, listed = restarted_with(tmp_path, rows, rows[::-1], computed("ACTIVE_SUM", output="RNA_SEQ"))
    pair = plain.windows(sdk(snv()), FAR - W16 // 2, W16)
    middle = slice(W16 // 2 - 251, W16 // 2 + 250)
    sums = [max(sum(plain.signal(window, plain_name(track))[middle]) for window in pair) for track in listed]
    assert answer.scores[0] == pytest.approx(sums, rel=1e-3)


def test_an_answer_without_a_track_that_was_listed_is_malformed(tmp_path: Path) -> None:
    rows = rows_of("DNASE")
    with pytest.raises(TryAgain, match=r"malformed_answer: no score for track .*EFO:0002067"):
        restarted_with(tmp_path, rows, [row for row in rows if "EFO:0002067" not in row], computed())


# --- the SDK ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("aggregation", scorers.SIGNED)
def test_a_scorer_is_signed_where_the_sdk_says_so(aggregation: str) -> None:
    if aggregation in scorers.SEQUENCE:
        assert scorers.SIGNED[aggregation]
    else:
        assert scorer_of(computed(aggregation, None)).is_signed == scorers.SIGNED[aggregation]


def test_importing_the_predictor_does_not_import_the_sdk() -> None:
    heavy = "{'grpc', 'alphagenome', 'pandas', 'anndata'}"
    code = f"import sys, agdb.predictors.alphagenome, agdb.predictors.atlas; print({heavy} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "set()"
