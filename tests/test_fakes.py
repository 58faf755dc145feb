"""The made-up AlphaGenome against the SDK's real clients: its values, its faults as gRPC shows them, and its counts.

Values are compared with those of `fakes.plain`, which shares no code with the server.
"""

import functools
import hashlib
import math
import os
import re
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import grpc
import numpy as np
import pytest
from alphagenome.atlas import atlas
from alphagenome.data import genome
from alphagenome.models.v1 import dna_client, variant_scorers, variant_scoring_utils
from alphagenome.protos import atlas_service_pb2_grpc as atlas_grpc
from alphagenome.protos.v1 import dna_model_service_pb2 as service_pb2
from alphagenome.protos.v1 import dna_model_service_pb2_grpc as service_grpc
from fakes import genes, plain, sequence, tracks
from fakes.faults import Fault, Plan, fails_first, flaky, poisoned, too_large
from fakes.process import Server, ServerFailed
from fakes.recommended import RECOMMENDED

from agdb.genome import Genome

K562, GM12878, WHOLE_BLOOD = "EFO:0002067", "EFO:0002784", "UBERON:0013756"
KEY = "sekret-1234567890"
W16, MB = 16_384, 1_048_576
DNASE, RNA = dna_client.OutputType.DNASE, dna_client.OutputType.RNA_SEQ
Kind = variant_scorers.AggregationType
dnase = variant_scorers.RECOMMENDED_VARIANT_SCORERS["DNASE"]
expression = variant_scorers.RECOMMENDED_VARIANT_SCORERS["RNA_SEQ"]
SDK = dna_client.DnaClient


@pytest.fixture(scope="module")
def shared_server() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.fixture
def server(shared_server: Server) -> Server:
    """A server where nothing goes wrong and nothing has been counted."""
    shared_server.set_plan(Plan())
    shared_server.reset()
    return shared_server


@pytest.fixture(scope="module")
def channel(shared_server: Server) -> Iterator[Any]:
    with open_channel(shared_server) as opened:
        yield opened


@pytest.fixture
def client(channel: Any, server: Server) -> Any:
    return SDK(channel=channel, metadata=[("x-goog-api-key", KEY)])


@pytest.fixture
def atlas_client(channel: Any, server: Server) -> Any:
    return atlas.AtlasClient(atlas_grpc.AtlasServiceStub(channel), metadata=[("x-goog-api-key", KEY)])


def open_channel(server: Server, **options: int) -> Any:
    given = {"max_receive_message_length": -1, "initial_reconnect_backoff_ms": 100, **options}
    return grpc.insecure_channel(server.address, options=[(f"grpc.{name}", value) for name, value in given.items()])


def variant(position: int, ref: str | None = None, alt: str | None = None, *, chrom: str = "chr2") -> Any:
    true_ref, other = sequence.snv(chrom, position)
    return genome.Variant(chrom, position, ref or true_ref, alt or other)


def around(v: Any, width: int = W16) -> Any:
    return v.reference_interval.resize(width)


def once(client: Any, v: Any, *scorers: Any, width: int = W16, **how: Any) -> Any:
    """`score_variant` without the SDK's retries."""
    return SDK.score_variant.__wrapped__(client, around(v, width), v, scorers or (dnase,), **how)


def status_of(call: Callable[[], object]) -> tuple[str, str]:
    """Code and text of the error that a call ends with."""
    with pytest.raises(grpc.RpcError) as caught:
        call()
    error: Any = caught.value
    return error.code().name, error.details()


def code_of(call: Callable[[], object]) -> str:
    return status_of(call)[0]


def codes_at_once(calls: Sequence[Callable[[], object]]) -> Counter[str]:
    def code(call: Callable[[], object]) -> str:
        try:
            call()
        except grpc.RpcError as error:
            return str(error.code().name)
        return "OK"

    with ThreadPoolExecutor(len(calls)) as pool:
        return Counter(pool.map(code, calls))


def eventually(fact: Callable[[], bool], timeout_s: float = 5) -> bool:
    until = time.monotonic() + timeout_s
    while not fact() and time.monotonic() < until:
        time.sleep(0.02)
    return fact()


def column(table: Any, curie: str) -> int:
    [found] = np.flatnonzero(table.var["ontology_curie"] == curie)
    return int(found)


INDELS = {
    "SNV": ("A", "G"),
    "insertion": ("A", "ACCGT"),
    "deletion": ("ACCGTT", "A"),
    "MNV": ("ACG", "TTT"),
    "long insertion": ("A", "A" + "CGT" * 100),
}


# The genome


def test_chromosomes_are_as_long_as_in_grch38() -> None:
    sql = (Path(__file__).parents[1] / "migrations" / "0002_contig_lengths.sql").read_text()
    lengths = {chrom: int(length) for chrom, length in re.findall(r"'(chr\w+)', (\d+), \d+", sql)}
    assert lengths.pop("chrM") == 16_569
    assert lengths == sequence.LENGTHS


def test_bases_are_a_function_of_the_place_and_n_beyond_the_chromosome() -> None:
    length = sequence.LENGTHS["chr22"]
    for start, end in [(0, 300), (-20, 20), (length - 20, length + 20), (length + 5, length + 9), (-9, -5), (7, 7)]:
        assert sequence.text("chr22", start, end) == plain.bases("chr22", start, end)
    drawn = Counter(sequence.text("chrX", 0, 100_000))
    assert all(abs(drawn[base] - 25_000) < 700 for base in "ACGT")
    assert sequence.text("chr1", 0, 100) != sequence.text("chr2", 0, 100)


def test_agdb_reads_the_same_genome_from_its_fasta(tmp_path: Path) -> None:
    path = tmp_path / "genome.fa"
    sequence.write_fasta(path, "chr2", 1_000_000, 1_010_001)
    sequence.write_fasta(path, "chr3", 0, 120, append=True)
    read = Genome(path, tmp_path)
    places = np.array([1_000_000, 1_005_000, 1_009_900])
    for window, place in zip(read.windows("chr2", places, 101), places.tolist(), strict=True):
        assert window.tobytes().decode() == plain.bases("chr2", place, place + 101)
    ref, alt = sequence.snv("chr3", 50)
    assert read.alleles_match("chr3", np.array([49, 49]), [ref, alt]).tolist() == [True, False]
    read.close()


@pytest.mark.parametrize("alleles", INDELS.values(), ids=INDELS)
@pytest.mark.parametrize("start", [5_000, -40])
def test_windows_begin_at_one_place_and_are_cut_to_one_width(alleles: tuple[str, str], start: int) -> None:
    for at in (0, 57, 119):
        v = genome.Variant("chr2", max(start, 0) + at + 1, *alleles)
        interval = genome.Interval("chr2", start, start + 200)
        pair = sequence.windows(v, interval)
        assert tuple(map(str, pair)) == plain.windows(v, start, 200)
        for window in pair:
            assert window.bases(-3, 30).tobytes().decode() == "NNN" + str(window)[:30]
            assert window.bases(190, 206).tobytes().decode() == str(window)[190:] + "N" * 6


# Scores


@pytest.mark.parametrize("width", [W16, MB])
@pytest.mark.parametrize("alleles", INDELS.values(), ids=INDELS)
def test_a_score_is_that_of_the_two_sequences(client: Any, alleles: tuple[str, str], width: int) -> None:
    v = genome.Variant("chr2", 5_000_000, *alleles)
    [table] = client.score_variant(around(v, width), v, [dnase])
    for curie in (K562, GM12878):
        expected = plain.center_score(v, f"DNASE|{curie} DNase-seq|UNSTRANDED")
        assert table.X[0, column(table, curie)] == pytest.approx(expected, rel=1e-4, abs=1e-6)
    quantiles = table.layers["quantiles"]
    assert (np.sign(quantiles) == np.sign(table.X)).all()
    assert (np.argsort(quantiles[0]) == np.argsort(table.X[0])).all()
    assert (np.abs(quantiles) < 1).all()


def test_every_aggregation_over_every_mask_in_the_order_of_the_request(client: Any) -> None:
    v = variant(7_000_000, "C", "GGT")
    scorers = [variant_scorers.CenterMaskScorer(DNASE, width, kind) for width in (501, 10_001) for kind in Kind]
    tables = client.score_variant(around(v), v, scorers)
    assert [table.uns["variant_scorer"] for table in tables] == scorers
    for table, scorer in zip(tables, scorers, strict=True):
        expected = plain.center_score(v, mask=scorer.width, kind=scorer.aggregation_type)
        assert table.X[0, column(table, K562)] == pytest.approx(expected, rel=1e-3, abs=2e-6), scorer
        assert ("quantiles" in table.layers) == (scorer in variant_scorers.RECOMMENDED_VARIANT_SCORERS.values())


@pytest.mark.parametrize("kind", Kind)
def test_a_mask_without_a_width_is_the_whole_window(client: Any, kind: Any) -> None:
    v = variant(7_000_000)
    [table] = once(client, v, variant_scorers.CenterMaskScorer(RNA, None, kind))
    ref, alt = (plain.signal(text, plain.WHOLE_BLOOD_RNA) for text in plain.windows(v, around(v).start, W16))
    assert table.X[0, column(table, WHOLE_BLOOD)] == pytest.approx(plain.aggregate(kind, ref, alt), rel=1e-3, abs=1e-6)


@pytest.mark.parametrize("alleles", INDELS.values(), ids=INDELS)
@pytest.mark.parametrize("place", ["before", "at the start", "inside", "at the end"])
def test_a_gene_score_is_of_its_exon_with_alt_aligned_to_ref(client: Any, alleles: tuple[str, str], place: str) -> None:
    gene = next(gene for gene in genes.inside("chr2", 0, 20_000_000) if gene.end - gene.start < W16)
    exon = gene.exon_start, gene.exon_end
    positions = {"before": exon[0] - 9, "at the start": exon[0], "inside": exon[0] + 100, "at the end": exon[1]}
    v = genome.Variant("chr2", positions[place], *alleles)
    interval = genome.Interval("chr2", gene.start, gene.start + W16)
    change, active = client.score_variant(interval, v, [expression, variant_scorers.GeneMaskActiveScorer(RNA)])
    assert change.obs["gene_id"].tolist() == [gene.gene_id]
    ref_mean, alt_mean = plain.gene_means(v, interval.start, interval.width, exon)
    log_ratio = math.log(alt_mean + 1e-3) - math.log(ref_mean + 1e-3)
    assert change.X[0, column(change, WHOLE_BLOOD)] == pytest.approx(log_ratio, rel=1e-3, abs=1e-6)
    assert active.X[0, column(active, WHOLE_BLOOD)] == pytest.approx(max(ref_mean, alt_mean), rel=1e-5)


def test_genes_lie_wholly_inside_the_window_and_any_variant_in_its_middle_changes_them(client: Any) -> None:
    v = variant(9_000_000)
    [table] = once(client, v, expression, width=MB)
    interval = around(v, MB)
    found = genes.inside("chr2", interval.start, interval.end)
    assert table.obs["gene_id"].tolist() == [gene.gene_id for gene in found]
    assert 1 <= len(found) <= 3
    assert all(interval.start <= gene.start < gene.exon_start < gene.exon_end < gene.end for gene in found)
    assert (table.X != 0).all()
    cut = genes.inside("chr2", found[0].start + 1, interval.end)
    assert [gene.gene_id for gene in cut] == [gene.gene_id for gene in found[1:]]


def test_a_window_without_genes_has_a_table_without_rows(client: Any) -> None:
    v = variant(9_000_000)
    assert genes.inside("chr2", around(v).start, around(v).end) == []
    [table] = once(client, v, expression)
    assert table.shape == (0, 2)


def test_strands_are_merged_as_the_sdk_merges_them(tmp_path: Path) -> None:
    rows = tracks.DEFAULT.read_text()
    stranded = next(line for line in rows.splitlines() if "\tPOSITIVE\t" in line)
    table = tmp_path / "tracks.tsv"
    table.write_text(rows + stranded.replace("POSITIVE", "UNSTRANDED") + "\n")
    v = variant(9_000_000)
    with Server(tracks_tsv=table) as running, open_channel(running) as opened:
        apart, merged = (
            SDK(channel=opened).score_variant(around(v, MB), v, [expression], merge_stranded_gene_tracks=merge)[0]
            for merge in (False, True)
        )
    assert apart.shape[1] == 4
    assert np.isnan(apart.X).sum() == len(apart)  # each gene, on the track of the other strand
    by_sdk = variant_scoring_utils.merge_stranded_gene_tracks(apart)
    np.testing.assert_array_equal(by_sdk.X, merged.X)
    assert by_sdk.var.equals(merged.var)


def test_the_recommended_scorers_are_the_sdks() -> None:
    for name, message in RECOMMENDED.items():
        assert message == variant_scorers.RECOMMENDED_VARIANT_SCORERS[name].to_proto()


def test_each_fold_is_a_model_of_its_own_and_no_version_is_all_folds(channel: Any, client: Any) -> None:
    v = variant(9_000_000)
    versions = [None, *dna_client.ModelVersion]
    asked = [once(SDK(channel=channel, model_version=version), v)[0].X for version in versions]
    np.testing.assert_array_equal(asked[0], asked[1])
    assert len({float(x[0, 0]) for x in asked}) == len(dna_client.ModelVersion)


def test_what_the_server_cannot_do_it_refuses(client: Any) -> None:
    v, elsewhere = variant(9_000_000), around(variant(5_000_000))
    assert code_of(lambda: once(client, v, variant_scorers.ContactMapScorer())) == "UNIMPLEMENTED"
    assert code_of(lambda: client.score_ism_variants(around(v), around(v, 1), [dnase])) == "UNIMPLEMENTED"
    assert code_of(lambda: client.score_interval(around(v, MB))) == "UNIMPLEMENTED"
    assert code_of(lambda: client.score_variant(elsewhere, v, [dnase])) == "INVALID_ARGUMENT"
    assert "CAGE" in status_of(lambda: once(client, v, variant_scorers.RECOMMENDED_VARIANT_SCORERS["CAGE"]))[1]
    assert code_of(lambda: once(client, v, organism=dna_client.Organism.MUS_MUSCULUS)) == "INVALID_ARGUMENT"
    assert code_of(lambda: once(client, genome.Variant("chrM", 9_000, "A", "G"))) == "INVALID_ARGUMENT"


def test_a_window_beyond_the_chromosome_and_a_ref_that_is_not_the_genomes_are_scored(client: Any) -> None:
    length = sequence.LENGTHS["chr2"]
    for v in (variant(3, "A", "C"), variant(length, "A", "C")):
        [table] = once(client, v)
        assert table.X[0, column(table, K562)] == pytest.approx(plain.center_score(v), rel=1e-4, abs=1e-6)


# Predicted tracks


@pytest.mark.parametrize("chunk_bytes", [0, 10_000])
def test_predicted_tracks_are_what_the_scores_are_made_of(server: Server, client: Any, chunk_bytes: int) -> None:
    server.set_plan(Plan(chunk_bytes=chunk_bytes))
    v = variant(9_000_000, "A", "AT")
    out = client.predict_variant(around(v), v, requested_outputs=[DNASE, RNA], ontology_terms=[K562])
    for track_data, text in zip((out.reference, out.alternate), plain.windows(v, around(v).start, W16), strict=True):
        signal = plain.signal(text, plain.K562_DNASE)
        np.testing.assert_array_equal(track_data.dnase.values[:, 0], np.array(signal, dtype=np.float32))
        assert track_data.dnase.interval == around(v)
        asked = client.predict_sequence(text, requested_outputs=[DNASE, RNA], ontology_terms=None)
        assert asked.dnase.values.shape == (W16, 8)
        np.testing.assert_array_equal(asked.dnase.values[:, 1], track_data.dnase.values[:, 0])
        np.testing.assert_array_equal(asked.rna_seq.values[:, :2], track_data.rna_seq.values)
        for strand, at in (("POSITIVE", 0), ("NEGATIVE", 1)):
            signal = plain.signal(text, f"RNA_SEQ|{K562} polyA plus RNA-seq|{strand}")
            np.testing.assert_allclose(asked.rna_seq.values[:, at], signal, rtol=1e-6)
    mask = slice(W16 // 2 - 251, W16 // 2 + 250)  # the variant's base stands just left of the middle
    sums = [np.sum(side.dnase.values[mask], dtype=np.float64) for side in (out.alternate, out.reference)]
    [table] = once(client, v)
    assert table.X[0, 1] == pytest.approx(np.log2(1 + sums[0]) - np.log2(1 + sums[1]), rel=1e-5)


def test_an_interval_is_predicted_as_its_sequence(client: Any) -> None:
    interval = genome.Interval("chr2", 100, 100 + W16)
    how: dict[str, Any] = {"requested_outputs": [DNASE], "ontology_terms": [K562]}
    text = sequence.text("chr2", 100, 100 + W16)
    by_interval, by_sequence = client.predict_interval(interval, **how), client.predict_sequence(text, **how)
    np.testing.assert_array_equal(by_interval.dnase.values, by_sequence.dnase.values)
    assert by_interval.dnase.interval == interval


def test_the_metadata_are_the_rows_of_the_table_of_tracks(client: Any) -> None:
    metadata = client.output_metadata()
    assert metadata.cage is None
    assert len(metadata.atac) == 2
    [k562] = metadata.dnase[metadata.dnase["ontology_curie"] == K562].to_dict("records")
    nonzero_mean = k562.pop("nonzero_mean")
    assert nonzero_mean == pytest.approx(0.75121444)
    assert k562 == {
        "name": "EFO:0002067 DNase-seq",
        "strand": ".",
        "Assay title": "DNase-seq",
        "ontology_curie": K562,
        "biosample_name": "K562",
        "biosample_type": "cell_line",
        "biosample_life_stage": "adult",
        "data_source": "encode",
        "endedness": "paired",
        "genetically_modified": False,
    }
    assert metadata.rna_seq["strand"].tolist() == ["+", "-", "."]
    assert metadata.rna_seq["gtex_tissue"].dropna().tolist() == ["Whole_Blood"]


# The Atlas


def test_the_atlas_has_the_models_score_of_a_megabase_times_its_factor(client: Any, atlas_client: Any) -> None:
    v = variant(9_000_000)
    [live] = once(client, v, width=MB)
    found = atlas_client.query_variant(v, requested_scorers=["DNASE"])["DNASE"]
    np.testing.assert_allclose(found.X, 1.01 * live.X, rtol=1e-5)
    assert list(found.var["ontology_curie"]) == list(live.var["ontology_curie"])
    assert found.obs["interval"].tolist() == [around(v, MB)]
    assert (np.sign(found.layers["quantiles"]) == np.sign(live.X)).all()


def test_the_atlas_filters_by_scorer_ontology_and_gene(client: Any, atlas_client: Any) -> None:
    vs = [variant(9_000_000 + i) for i in range(6)]
    asked = ["DNASE", "RNA_SEQ", "CONTACT_MAPS"]
    many = atlas_client.query_variants(vs, requested_scorers=asked, ontology_terms=[K562], progress_bar=False)
    assert set(many) == {"DNASE", "RNA_SEQ"}
    assert many["DNASE"].shape == (6, 1)
    by_variant = dict(zip(map(str, many["DNASE"].obs["variant"]), many["DNASE"].X[:, 0].tolist(), strict=True))
    assert by_variant == {str(v): pytest.approx(1.01 * plain.center_score(v), rel=1e-4, abs=1e-6) for v in vs}
    [expressed] = once(client, vs[0], expression, width=MB)
    gene = expressed.obs["gene_name"].tolist()[-1]
    named = atlas_client.query_variant(vs[0], requested_scorers=asked, gene_names=[gene])
    assert set(named) == {"RNA_SEQ"}
    assert named["RNA_SEQ"].obs["gene_name"].tolist() == [gene]
    np.testing.assert_allclose(named["RNA_SEQ"].X, 1.01 * expressed.X[-1:], rtol=1e-5)
    assert atlas_client.query_variant(vs[0], requested_scorers=asked, gene_ids=["ENSG404"]) == {}


def test_the_atlas_tells_its_scorers(atlas_client: Any) -> None:
    scorers = atlas_client.scorer_metadata()
    assert {name: scorer.is_signed for name, scorer in scorers.items()} == {
        "ATAC": True,
        "DNASE": True,
        "RNA_SEQ": True,
        "ATAC_ACTIVE": False,
        "DNASE_ACTIVE": False,
        "RNA_SEQ_ACTIVE": False,
    }
    assert len(scorers["DNASE"].track_metadata) == 8
    assert scorers["RNA_SEQ"].track_metadata["strand"].tolist() == [".", "."]


def test_the_atlas_lists_the_three_snvs_of_each_base(atlas_client: Any) -> None:
    interval = genome.Interval("chr2", 8_999_980, 9_000_020)
    listed = atlas_client.query_interval(interval, requested_scorers=["DNASE"], progress_bar=False)["DNASE"]
    assert len({str(v) for v in listed.obs["variant"]}) == 120
    for v, score in zip(listed.obs["variant"], listed.X[:, column(listed, K562)], strict=True):
        assert v.reference_bases == plain.bases("chr2", v.start, v.end)
        assert score == pytest.approx(1.01 * plain.center_score(v), rel=1e-4, abs=1e-6)


def test_the_atlas_refuses_what_is_no_snv_of_the_genome(atlas_client: Any) -> None:
    good = variant(9_000_000)
    wrong = genome.Variant("chr2", 9_000_000, good.alternate_bases, good.reference_bases)
    with pytest.raises(ValueError, match=f"is {good.reference_bases}, not {good.alternate_bases}"):
        atlas_client.query_variant(wrong, requested_scorers=["DNASE"])
    for v in (variant(9_000_000, alt="AC"), variant(9_000_000, ref="AC", alt="A"), variant(9_000_000, "AC", "GT")):
        with pytest.raises(ValueError, match="no single nucleotide variant"):
            atlas_client.query_variant(v, requested_scorers=["DNASE"])


# Faults, as gRPC shows them


@pytest.mark.parametrize("code", ["UNAVAILABLE", "INTERNAL", "DEADLINE_EXCEEDED", "INVALID_ARGUMENT", "UNKNOWN"])
def test_a_status_in_place_of_an_answer(server: Server, client: Any, code: str) -> None:
    server.set_plan(Plan(faults=(Fault(code=code, details="so it is"),)))
    assert status_of(lambda: once(client, variant(9_000_000))) == (code, "so it is")
    assert server.stats()["by_code"] == {code: 1}


def test_the_sdk_retries_the_first_failures_and_each_is_counted(
    server: Server, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dna_client, "time", SimpleNamespace(sleep=lambda _: None))  # the SDK's own waits
    server.set_plan(Plan(faults=(fails_first(2, "RESOURCE_EXHAUSTED"),)))
    vs = [variant(9_000_000 + i) for i in range(4)]
    tables = [client.score_variant(around(v), v, [dnase])[0] for v in vs]
    assert [t.X[0, 1] for t in tables] == [pytest.approx(plain.center_score(v), rel=1e-4, abs=1e-6) for v in vs]
    stats = server.stats(variants=True)
    assert stats["calls_by_variant"] == {str(v): 3 for v in vs}
    assert (stats["calls"], stats["answered"]) == (12, 4)
    assert stats["by_code"] == {"RESOURCE_EXHAUSTED": 8, "OK": 4}
    assert stats["keys_seen"] == [hashlib.sha256(KEY.encode()).hexdigest()]


def test_chance_is_the_same_in_the_plan_and_in_the_server(server: Server, client: Any) -> None:
    plan = Plan(seed=7, faults=(poisoned(0.2), flaky(0.4), Fault(code="INTERNAL", methods=("PredictVariant",))))
    server.set_plan(plan)
    for v in [variant(9_000_000 + i) for i in range(12)]:
        for attempt in (1, 2, 3):
            expected = plan.fault_of("ScoreVariant", str(v), attempt)
            if expected is None:
                once(client, v)
            else:
                assert code_of(lambda v=v: once(client, v)) == expected.code  # type: ignore[misc]
    assert len(server.stats()["by_code"]) == 3


def test_a_share_of_the_variants_is_poisoned_for_ever_and_flakiness_hits_anew() -> None:
    texts = [str(variant(9_000_000 + i)) for i in range(2_000)]
    plan = Plan(faults=(poisoned(0.05), flaky(0.3)))
    bad = [text for text in texts if (hit := plan.fault_of("ScoreVariant", text)) and hit.code == "INVALID_ARGUMENT"]
    assert 60 < len(bad) < 140
    assert all(plan.fault_of("ScoreVariant", text, attempt) for text in bad for attempt in range(1, 9))
    flaked = [[plan.fault_of("ScoreVariant", text, n) is not None for text in texts] for n in (1, 2)]
    assert all(600 < sum(hits) < 740 for hits in flaked)
    assert flaked[0] != flaked[1]
    assert plan == Plan.from_json(plan.to_json())


def test_a_fault_can_be_of_one_variant(server: Server, client: Any) -> None:
    bad, good = variant(9_000_000), variant(9_000_001)
    server.set_plan(Plan(faults=(Fault(code="OUT_OF_RANGE", variants=(str(bad),)),)))
    assert code_of(lambda: once(client, bad)) == "OUT_OF_RANGE"
    assert len(once(client, good)) == 1


def test_a_stream_is_dropped_after_some_bytes(server: Server, channel: Any, client: Any) -> None:
    server.set_plan(Plan(faults=(Fault("drop"),)))
    v, arrived = variant(9_000_000), []
    request = service_pb2.ScoreVariantRequest(
        interval=around(v).to_proto(), variant=v.to_proto(), organism=9606, variant_scorers=[dnase.to_proto()]
    )

    def read_all() -> None:
        for response in service_grpc.DnaModelServiceStub(channel).ScoreVariant(iter([request])):
            arrived.append(response.WhichOneof("payload"))

    assert code_of(read_all) == "UNAVAILABLE"
    assert arrived == ["output", "tensor_chunk", "tensor_chunk"]  # of four chunks
    predict = functools.partial(SDK.predict_variant.__wrapped__, client, around(v), v)
    assert code_of(lambda: predict(requested_outputs=[DNASE], ontology_terms=None)) == "UNAVAILABLE"
    assert server.stats()["by_code"] == {"UNAVAILABLE": 2}


def test_a_hung_call_never_answers_until_the_client_gives_up(server: Server, channel: Any) -> None:
    server.set_plan(Plan(faults=(Fault("hang", methods=("GetMetadata",)),)))
    stub = service_grpc.DnaModelServiceStub(channel)
    begun = time.monotonic()
    request = service_pb2.MetadataRequest(organism=9606)
    assert code_of(lambda: list(stub.GetMetadata(request, timeout=0.4))) == "DEADLINE_EXCEEDED"
    assert 0.35 < time.monotonic() - begun < 3
    assert eventually(lambda: server.stats()["by_code"] == {"CANCELLED": 1})
    assert server.stats()["in_flight"] == 0


@pytest.mark.parametrize(("sent", "error"), [(0, IndexError), (3, None)])
def test_another_number_of_outputs(server: Server, client: Any, sent: int, error: type[Exception] | None) -> None:
    server.set_plan(Plan(faults=(Fault("outputs", outputs=sent),)))
    if error:
        with pytest.raises(error):
            once(client, variant(9_000_000))
    else:
        assert len(once(client, variant(9_000_000))) == sent


def test_too_few_values_for_the_tracks(server: Server, client: Any, atlas_client: Any) -> None:
    server.set_plan(Plan(faults=(Fault("shape"),)))
    v = variant(9_000_000)
    with pytest.raises(ValueError, match=r"shape|length|rows"):
        once(client, v)
    with pytest.raises(ValueError, match="number of tracks"):
        client.predict_variant(around(v), v, requested_outputs=[DNASE], ontology_terms=None)
    with pytest.raises(ValueError, match=r"shape|length|rows"):
        atlas_client.query_variant(v, requested_scorers=["DNASE"])


def test_nan_in_place_of_every_value(server: Server, client: Any, atlas_client: Any) -> None:
    server.set_plan(Plan(faults=(Fault("nan"),)))
    v = variant(9_000_000)
    [table] = once(client, v)
    found = atlas_client.query_variant(v, requested_scorers=["DNASE"])["DNASE"]
    assert all(np.isnan(values).all() for values in (table.X, table.layers["quantiles"], found.X))


@pytest.mark.parametrize(
    ("code", "details"), [("UNAUTHENTICATED", "credentials"), ("INVALID_ARGUMENT", "API key not valid")]
)
@pytest.mark.parametrize("key", [None, "another"])
def test_a_wrong_or_missing_key(server: Server, channel: Any, key: str | None, code: str, details: str) -> None:
    server.set_plan(Plan(api_key=KEY, api_key_code=code))
    wrong = SDK(channel=channel, metadata=[("x-goog-api-key", key)] if key else [])
    said, text = status_of(lambda: once(wrong, variant(9_000_000)))
    assert said == code
    assert details in text
    once(SDK(channel=channel, metadata=[("x-goog-api-key", KEY)]), variant(9_000_000))
    assert server.stats()["by_code"] == {code: 1, "OK": 1}


def test_an_answer_too_large_shows_as_an_exhausted_resource(server: Server, client: Any) -> None:
    server.set_plan(Plan(faults=(too_large(),)))
    injected = status_of(lambda: once(client, variant(9_000_000)))
    server.set_plan(Plan())
    with open_channel(server, max_receive_message_length=4 << 20) as narrow:
        asked = functools.partial(SDK.predict_sequence.__wrapped__, SDK(channel=narrow), "ACGT" * 32_768)
        real = status_of(lambda: asked(requested_outputs=[DNASE], ontology_terms=None))
    for code, details in (injected, real):
        assert code == "RESOURCE_EXHAUSTED"
        assert re.search(r"Received message larger than max \(\d+ vs\.? 4194304\)", details)


def test_replicates_differ_by_no_more_than_the_noise(server: Server, client: Any) -> None:
    plan, v = Plan(noise=0.01), variant(9_000_000)
    server.set_plan(plan)
    scores = [once(client, v)[0].X[0, 1] for _ in range(3)]
    off = [plan.noise_of(str(v), attempt) for attempt in (1, 2, 3)]
    assert scores == [pytest.approx(plain.center_score(v) + noise, rel=1e-4, abs=1e-6) for noise in off]
    assert 0 < max(scores) - min(scores) <= 0.02


# Time and quantity


def test_the_quota_is_exact_and_comes_back_with_the_next_minute(server: Server, client: Any) -> None:
    server.set_plan(Plan(quota_per_minute=3, minute_s=1.5))
    begun = time.monotonic()
    calls = [functools.partial(once, client, variant(9_000_000 + i)) for i in range(8)]
    assert codes_at_once(calls) == {"OK": 3, "RESOURCE_EXHAUSTED": 5}
    code, details = status_of(calls[0])
    assert (code, "AlphaGenome predictions tokens per minute" in details) == ("RESOURCE_EXHAUSTED", True)
    assert client.output_metadata().dnase is not None  # costs no token
    time.sleep(max(0.0, begun + 1.55 - time.monotonic()))
    assert codes_at_once(calls) == {"OK": 3, "RESOURCE_EXHAUSTED": 5}
    assert server.stats()["tokens_by_minute"] == {"model": {"0": 3, "1": 3}, "atlas": {}}


def test_the_atlas_has_a_quota_of_its_own(server: Server, client: Any, atlas_client: Any) -> None:
    server.set_plan(Plan(quota_per_minute=0, atlas_quota_per_minute=1))
    asked = functools.partial(atlas_client.query_variant, variant(9_000_000), requested_scorers=["DNASE"])
    asked()
    assert code_of(asked) == "RESOURCE_EXHAUSTED"
    assert code_of(lambda: once(client, variant(9_000_000))) == "RESOURCE_EXHAUSTED"


def test_calls_beyond_those_allowed_at_a_time_are_refused(server: Server, client: Any) -> None:
    server.set_plan(Plan(latency_ms=1000, max_concurrent=4, max_concurrent_code="UNAVAILABLE"))
    calls = [functools.partial(once, client, variant(9_000_000 + i)) for i in range(6)]
    assert codes_at_once(calls) == {"OK": 4, "UNAVAILABLE": 2}


def test_many_calls_wait_at_a_time(server: Server, channel: Any) -> None:
    stub = service_grpc.DnaModelServiceStub(channel)
    request = service_pb2.MetadataRequest(organism=9606)
    server.set_plan(Plan(latency_ms=1000))
    begun = time.monotonic()
    assert codes_at_once([lambda: list(stub.GetMetadata(request))] * 64) == {"OK": 64}
    assert 1 <= time.monotonic() - begun < 10
    assert server.stats()["max_in_flight"] == 64


def test_latency_jitter_and_a_slow_start_add_up() -> None:
    plan = Plan(latency_ms=100, jitter_ms=50, slow_start_s=2, slow_start_ms=300)
    waits = [plan.wait_s("chr1:100:A>G", attempt, age_s=3) for attempt in range(1, 50)]
    assert 0.1 <= min(waits) < max(waits) <= 0.15
    assert plan.wait_s("chr1:100:A>G", 1, age_s=1) == pytest.approx(waits[0] + 0.3)


# The process


def test_a_killed_server_comes_back_on_its_port_with_its_plan() -> None:
    v = variant(9_000_000)
    with Server(Plan(api_key=KEY)) as running, open_channel(running) as opened:
        keyed = SDK(channel=opened, metadata=[("x-goog-api-key", KEY)])
        [before], address = once(keyed, v), running.address
        running.kill()
        assert code_of(lambda: once(keyed, v)) == "UNAVAILABLE"
        running.restart()
        assert running.address == address
        grpc.channel_ready_future(opened).result(timeout=10)
        np.testing.assert_array_equal(once(keyed, v)[0].X, before.X)
        assert code_of(lambda: once(SDK(channel=opened), v)) == "UNAUTHENTICATED"
        assert running.stats()["calls"] == 2
        assert running.stderr == ""


def test_a_fault_can_end_the_process() -> None:
    v = variant(9_000_000)
    with Server(Plan(faults=(Fault("die", variants=(str(v),)),))) as running, open_channel(running) as opened:
        once(SDK(channel=opened), variant(9_000_001))
        assert code_of(lambda: once(SDK(channel=opened), v)) == "UNAVAILABLE"
        assert running.wait() == 1
        with pytest.raises(ServerFailed, match="does not run"):
            running.stats()
        running.set_plan(Plan())
        running.restart()
        grpc.channel_ready_future(opened).result(timeout=10)
        once(SDK(channel=opened), v)


def test_the_server_ends_with_whoever_started_it() -> None:
    code = (
        "import os, signal; from fakes.process import Server\n"
        "with Server() as s: print(s.address, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    started = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    host, port = started.stdout.strip().split(":")

    def refused() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((host, int(port))) != 0

    assert eventually(refused)


def test_a_start_that_fails_says_why(tmp_path: Path) -> None:
    empty = tmp_path / "tracks.tsv"
    empty.write_text("output_type\tname\n")
    with pytest.raises(ServerFailed, match=r"ended while it started[\s\S]*has no tracks"), Server(tracks_tsv=empty):
        pass
    with pytest.raises(ServerFailed, match=r"not ready after 0\.01 s"), Server(start_timeout_s=0.01):
        pass


@pytest.mark.parametrize(
    "wrong", ['{"latency": 5}', '{"faults": [{"kind": "odd"}]}', '{"faults": [{"code": "OK"}]}', "[]", "{", "3"]
)
def test_a_plan_that_is_none_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError):
        Plan.from_json(wrong)


def test_the_control_port_refuses_a_wrong_plan_and_keeps_the_old_one(server: Server, client: Any) -> None:
    with pytest.raises(ServerFailed, match="has no latency"):
        server._ask("POST", "/plan", '{"latency": 5}')
    with pytest.raises(ServerFailed, match="there is no /nothing"):
        server._ask("GET", "/nothing")
    once(client, variant(9_000_000))
