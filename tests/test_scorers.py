"""The scorers that agdb knows by name, those made of them by options, and which tracks enter."""

from dataclasses import replace

import pytest
from alphagenome.models.v1 import dna_client, variant_scorers
from typer.testing import CliRunner, Result

from agdb.cli import app
from agdb.errors import UsageError
from agdb.predictors import scorers
from agdb.predictors.alphagenome import scorer_of
from agdb.predictors.contract import Scorer, Track
from agdb.predictors.scorers import ATLAS_NAMES, CENTER, MASKS, WINDOWS, Preset, presets, rna, scorer
from agdb.predictors.tracks import check, columns, kept

K562 = "EFO:0002067"
BASE = presets()["dnase-k562"]


def agdb(*words: str) -> Result:
    return CliRunner().invoke(app, ["--db", "no-such.duckdb", *words], env={"COLUMNS": "200"})


def refused(preset: Preset = BASE, **how: object) -> UsageError:
    with pytest.raises(UsageError) as caught:
        scorer(preset, **how)  # type: ignore[arg-type]
    return caught.value


# --- presets ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in presets() if name != "rna"])
def test_every_preset_is_a_scorer_that_the_sdk_has(name: str) -> None:
    preset = presets()[name]
    made = scorer(preset)
    assert (made.name, made.of.provider, made.of.assembly) == (name, "alphagenome", "GRCh38")
    assert preset.about
    if made.of.aggregation not in scorers.SEQUENCE:
        assert scorer_of(made.of).is_signed == made.of.is_signed


def test_the_default_is_the_published_recipe_in_k562() -> None:
    of = scorer(BASE).of
    assert scorer_of(of) == variant_scorers.RECOMMENDED_VARIANT_SCORERS["DNASE"]
    assert (of.output_type, of.mask_bp, of.aggregation) == ("DNASE", 501, "DIFF_LOG2_SUM")
    assert (of.window_bp, of.is_signed, of.reads_genome) == (1_048_576, True, False)
    assert (scorer(BASE).track_set, scorer(BASE).track_aggregation) == (K562, None)


@pytest.mark.parametrize(("name", "n"), [("dnase-blood", 28), ("atac-blood", 13)])
def test_blood_is_the_mean_over_cell_types_named_by_their_ontology(name: str, n: int) -> None:
    made = scorer(presets()[name])
    terms = made.track_set.split(",")
    assert len(terms) == len(set(terms)) == n
    assert all(term.startswith("CL:") and len(term) == len("CL:0000000") for term in terms)
    assert made.track_aggregation == "mean"


def test_scorers_that_differ_in_their_tracks_alone_share_their_computation() -> None:
    of_dnase = [scorer(presets()[f"dnase-{name}"]) for name in ("k562", "gm12878", "blood", "all")]
    assert len({made.of.computation_id for made in of_dnase}) == 1
    assert len({made.scorer_id for made in of_dnase}) == 4


@pytest.mark.parametrize("tissue", ["Whole_Blood", "Liver", "Brain_Cerebellum"])
def test_rna_of_a_tissue_is_named_for_it(tissue: str) -> None:
    made = scorer(rna(tissue))
    assert made.name == "rna-" + tissue.lower().replace("_", "-")
    assert made.track_set == f"gtex_tissue={tissue}"
    assert scorer_of(made.of) == variant_scorers.RECOMMENDED_VARIANT_SCORERS["RNA_SEQ"]


def test_rna_of_whole_blood_is_the_preset_of_that_name() -> None:
    assert scorer(rna("Whole_Blood")).scorer_id == scorer(presets()["rna-whole-blood"]).scorer_id


def test_rna_without_a_tissue_is_refused_with_the_option() -> None:
    assert "--gtex-tissue" in str(refused(presets()["rna"]).cure)


def test_original_is_the_studys_mean_over_all() -> None:
    made = scorer(presets()["original"])
    assert (made.of.output_type, made.of.mask_bp, made.of.aggregation) == ("DNASE", None, "SEQUENCE_DIFF_MEAN")
    assert (made.track_set, made.track_aggregation, made.of.reads_genome) == ("all", "mean", True)


# --- windows, masks, versions -----------------------------------------------------------------------------------------


def test_windows_masks_aggregations_outputs_and_versions_are_the_sdks() -> None:
    center, genes = variant_scorers.BaseVariantScorer.CENTER_MASK, variant_scorers.BaseVariantScorer.GENE_MASK_LFC
    assert set(WINDOWS) == set(dna_client.SUPPORTED_SEQUENCE_LENGTHS.values())
    assert {None, *MASKS} == set(variant_scorers.SUPPORTED_WIDTHS[center])
    assert set(CENTER) == {kind.name for kind in variant_scorers.SUPPORTED_AGGREGATIONS[center]}
    outputs = variant_scorers.SUPPORTED_OUTPUT_TYPES
    assert set(scorers.OUTPUTS) == {output.name for output in outputs[center]}
    assert set(scorers.GENE_OUTPUTS) == {output.name for output in outputs[genes]}
    assert set(scorers.MODEL_VERSIONS) == set(dna_client.ModelVersion.__members__)


@pytest.mark.parametrize("window", [2_048, 4_096, 1_000, 16_385, 2_097_152, 0, -2_048])
def test_a_window_that_the_service_does_not_read_is_refused_with_those_that_it_does(window: int) -> None:
    error = refused(window_bp=window)
    assert f"no window of {window} bp" in error.what
    assert all(str(allowed) in str(error.cure) for allowed in WINDOWS)
    assert ("does badly on very short sequences" in str(error.cure)) == (window == 2_048)


@pytest.mark.parametrize("window", [2_048, 4_096, 16_384, 526_336, 1_048_576])
def test_an_own_server_reads_multiples_of_2048(window: int) -> None:
    assert scorer(BASE, window_bp=window, is_service=False).of.window_bp == window


@pytest.mark.parametrize("window", [0, 1_000, 2_049, 1_050_624, -2_048])
def test_an_own_server_reads_no_other_windows(window: int) -> None:
    assert "a multiple of 2048" in str(refused(window_bp=window, is_service=False).cure)


def test_the_window_and_the_model_version_are_part_of_the_identity() -> None:
    made = [*(scorer(BASE, window_bp=window) for window in WINDOWS), scorer(BASE, model_version="FOLD_0")]
    assert len({one.scorer_id for one in made}) == len({one.of.computation_id for one in made}) == 5


def test_an_unknown_model_version_is_refused_with_those_that_there_are() -> None:
    assert "FOLD_0" in str(refused(model_version="FOLD_9").cure)


@pytest.mark.parametrize(
    ("changes", "cure"),
    [
        ({"mask_bp": 500}, "501"),
        ({"mask_bp": 501, "aggregation": "GENE_LFC"}, "DIFF_LOG2_SUM"),
        ({"mask_bp": 501, "aggregation": "SEQUENCE_DIFF_MEAN"}, "DIFF_LOG2_SUM"),
        ({"aggregation": "diff_log2_sum"}, "DIFF_LOG2_SUM"),
        ({"output": "DNAse"}, "DNASE"),
        ({"output": "CONTACT_MAPS"}, "DNASE"),
        ({"output": "CHIP_TF", "aggregation": "GENE_LFC", "mask_bp": None}, "RNA_SEQ"),
        ({"tracks": ""}, "--tracks"),
        ({"of_tracks": "median"}, "max_abs"),
    ],
)
def test_what_alphagenome_does_not_compute_is_refused_with_what_it_does(changes: dict[str, object], cure: str) -> None:
    assert cure in str(refused(replace(BASE, **changes)).cure)  # type: ignore[arg-type]


# --- providers --------------------------------------------------------------------------------------------------------


def test_the_preferred_provider_comes_first_and_all_compute_the_same() -> None:
    made = scorer(BASE, providers=["atlas", "alphagenome"])
    assert [c.provider for c in made.computations] == ["atlas", "alphagenome"]
    assert replace(made.computations[0], provider="alphagenome") == made.computations[1]


def test_scores_of_different_providers_are_different_scorers() -> None:
    who = (["alphagenome"], ["atlas"], ["atlas", "alphagenome"])
    assert len({scorer(BASE, providers=providers).scorer_id for providers in who}) == 3


@pytest.mark.parametrize(("output", "mask", "aggregation"), ATLAS_NAMES, ids=ATLAS_NAMES.values())
def test_atlas_holds_the_sdks_recommended_scorers(output: str, mask: int | None, aggregation: str) -> None:
    made = scorer(Preset("x", "", output, aggregation, mask, "all", "mean"), providers=["atlas"])
    name = ATLAS_NAMES[output, mask, aggregation]
    assert scorer_of(made.of) == variant_scorers.RECOMMENDED_VARIANT_SCORERS[name]


@pytest.mark.parametrize("window", WINDOWS[:-1])
def test_atlas_holds_no_other_window(window: int) -> None:
    assert f"Atlas holds no dnase-k562 at {window:,} bp" in refused(providers=["atlas"], window_bp=window).what


def test_atlas_holds_no_other_mask_and_not_the_studys_score() -> None:
    assert "recommended" in str(refused(replace(BASE, mask_bp=2001), providers=["atlas"]).cure)
    assert "recommended" in str(refused(presets()["original"], providers=["alphagenome", "atlas"]).cure)


def test_another_provider_is_refused() -> None:
    assert "'motif' does not compute dnase-k562" in refused(providers=["motif"]).what


# --- tracks -----------------------------------------------------------------------------------------------------------

TRACKS = [
    Track("RNA_SEQ", "K562 polyA", "+", K562),
    Track("RNA_SEQ", "K562 polyA", "-", K562),
    Track("RNA_SEQ", "blood", ".", "UBERON:0013756", gtex_tissue="Whole_Blood"),
    Track("RNA_SEQ", "liver", ".", "UBERON:0001114", gtex_tissue="Liver"),
    Track("RNA_SEQ", "nameless"),
]


@pytest.mark.parametrize(
    ("track_set", "places"),
    [
        ("", [0, 1, 2, 3, 4]),
        ("all", [0, 1, 2, 3, 4]),
        ("gtex", [2, 3]),
        ("gtex_tissue=Liver", [3]),
        (K562, [0, 1]),
        (f"UBERON:0001114,{K562}", [0, 1, 3]),
    ],
)
def test_tracks_are_found_by_what_they_are(track_set: str, places: list[int]) -> None:
    assert columns(TRACKS, track_set) == places


@pytest.mark.parametrize(
    ("track_set", "missing"),
    [("EFO:9999999", "EFO:9999999"), (f"{K562},EFO:9999999", "EFO:9999999"), ("gtex_tissue=Kidney", "Kidney"),
     ("gtex_tissue=liver", "liver"), ("K562", "K562")],
)  # fmt: skip
def test_a_term_without_a_track_is_an_error_that_names_it(track_set: str, missing: str) -> None:
    with pytest.raises(UsageError, match=f"no RNA_SEQ track of {missing}") as caught:
        columns(TRACKS, track_set)
    assert "FROM track" in str(caught.value.cure)


def test_a_set_of_gtex_tissues_without_any_is_an_error() -> None:
    with pytest.raises(UsageError, match="gtex_tissue"):
        columns(TRACKS[:2], "gtex")


def of(track_set: str, track_aggregation: str | None = None, preset: Preset = BASE) -> Scorer:
    return scorer(replace(preset, tracks=track_set, of_tracks=track_aggregation))


def test_several_tracks_without_an_aggregation_are_refused_with_their_names() -> None:
    with pytest.raises(UsageError, match=r"2 tracks are of EFO:0002067: K562 polyA \(\+\), K562 polyA \(-\)") as caught:
        check(TRACKS, of(K562))
    assert "--track-aggregation mean" in str(caught.value.cure)


@pytest.mark.parametrize("made", [of(K562, "max_abs"), of("gtex_tissue=Liver"), of("all", "mean")])
def test_one_track_or_an_aggregation_is_enough(made: Scorer) -> None:
    check(TRACKS, made)


@pytest.mark.parametrize(
    ("made", "keep", "expected"),
    [
        (scorer(BASE), None, "all"),
        (scorer(BASE), "selected", K562),
        (scorer(BASE), "all", "all"),
        (scorer(rna("Liver")), None, "gtex_tissue=Liver"),
        (scorer(rna("Liver")), "gtex", "gtex"),
        (scorer(rna("Liver")), "all", "all"),
    ],
)
def test_all_tracks_are_kept_but_those_of_genes(made: Scorer, keep: str | None, expected: str) -> None:
    assert kept(made, keep) == expected


def test_another_way_to_keep_is_refused() -> None:
    with pytest.raises(UsageError, match="some"):
        kept(scorer(BASE), "some")


# --- on the command line ----------------------------------------------------------------------------------------------


def test_agdb_scorers_lists_every_preset_and_what_it_is_for() -> None:
    listed = agdb("scorers").stdout
    for name, preset in presets().items():
        assert name in listed
        assert preset.about in listed
    assert "motif" in listed


@pytest.mark.parametrize("word", ["dnase-k526", "DNASE", "rna-liver"])
def test_an_unknown_scorer_is_refused_with_those_that_there_are(word: str) -> None:
    result = agdb("predict", word)
    assert result.exit_code == 2
    assert f"unknown scorer {word!r}" in result.stderr
    assert all(name in result.stderr for name in ("motif", *presets()))


def test_a_window_of_2048_is_refused_for_the_service_with_the_reason() -> None:
    result = agdb("predict", "dnase-k562", "--window", "2048")
    assert result.exit_code == 2
    assert "does badly on very short sequences" in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["dnase-k562", "--gtex-tissue", "Liver"], "dnase-k562 has no GTEx tissue"),
        (["rna"], "--gtex-tissue"),
        (["dnase-k562", "--mask", "2001"], "--name"),
        (["dnase-k562", "--mask", "500", "--name", "x"], "501"),
        (["dnase-k562", "--output", "DNA", "--name", "x"], "DNASE"),
        (["dnase-k562", "--model-version", "FOLD_7"], "FOLD_3"),
        (["dnase-k562", "--provider", "google"], "--provider alphagenome"),
        (["dnase-k562", "--provider", "atlas", "--window", "16384"], "Atlas holds no dnase-k562"),
        (["dnase-k562", "--model", "m:f", "--address", "localhost:1"], "leave out --address"),
        (["motif", "--provider", "atlas"], "motif asks no server"),
    ],
)
def test_options_that_do_not_go_together_are_refused_with_the_cure(words: list[str], said: str) -> None:
    result = agdb("predict", *words)
    assert result.exit_code == 2
    assert said in result.stderr
