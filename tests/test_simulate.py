"""The simulated study: its files are what their formats ask for, and its truth is in them."""

import gzip
import re
import subprocess
import sys
from collections import defaultdict
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from agdb.errors import AgdbError, Refused, UsageError
from agdb.genome import Genome
from agdb.predictors.contract import Answer, Variant
from agdb.predictors.motif import MotifPredictor, scorer
from agdb.simulate import Study, write_study

GRCH38_CHR21 = 46_709_983
PAIRS_COLUMNS = """variant_id gene_id tss_distance ma_samples ma_count maf pval_nominal slope slope_se
pval_nominal_threshold min_pval_nominal pval_beta"""
TRUTH_COLUMNS = "variant_id gene_id in_peak is_causal true_effect beta slope_expected slope"

Row = dict[str, str]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return write_study(tmp_path_factory.mktemp("simulated") / "study", 3_000, seed=1)


@pytest.fixture(scope="module")
def pairs(study: Study) -> list[Row]:
    return read_rows(study.pairs)


@pytest.fixture(scope="module")
def truth(study: Study) -> list[Row]:
    return read_rows(study.truth)


@pytest.fixture(scope="module")
def genome(study: Study) -> dict[str, str]:
    return read_fasta(study.genome)


@pytest.fixture(scope="module")
def peaks(study: Study) -> list[list[str]]:
    with gzip.open(study.peaks, "rt") as file:
        return [line.rstrip("\n").split("\t") for line in file]


def read_rows(path: Path) -> list[Row]:
    with gzip.open(path, "rt") as file:
        header = file.readline().rstrip("\n").split("\t")
        return [dict(zip(header, line.rstrip("\n").split("\t"), strict=True)) for line in file]


def read_fasta(path: Path) -> dict[str, str]:
    records = path.read_text().split(">")[1:]
    return {head: body.replace("\n", "") for head, _, body in (record.partition("\n") for record in records)}


def alleles(variant_id: str) -> tuple[str, int, str, str]:
    """Contig, 0-based position, REF, ALT."""
    chrom, pos, ref, alt, build = variant_id.split("_")
    assert build == "b38"
    return chrom, int(pos) - 1, ref, alt


def numbers(rows: list[Row], column: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([float(row[column]) for row in rows])


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(directory.iterdir())}


def test_columns_are_those_of_gtex_and_of_the_truth(pairs: list[Row], truth: list[Row]) -> None:
    assert list(pairs[0]) == PAIRS_COLUMNS.split()
    assert list(truth[0]) == TRUTH_COLUMNS.split()


def test_the_pairs_hold_exactly_the_variants_asked_for(study: Study, pairs: list[Row]) -> None:
    assert len({row["variant_id"] for row in pairs}) == study.n_variants == 3_000
    assert len({row["gene_id"] for row in pairs}) == study.n_genes
    assert len(pairs) == study.n_pairs
    assert 1.15 < study.n_pairs / study.n_variants < 1.45


@pytest.mark.parametrize("n_variants", [100, 101, 199, 200, 201, 305])
def test_any_number_of_variants_is_met_on_two_contigs_or_more(tmp_path: Path, n_variants: int) -> None:
    study = write_study(tmp_path / "study", n_variants, seed=3)
    assert len({row["variant_id"] for row in read_rows(study.pairs)}) == n_variants
    assert len(read_fasta(study.genome)) >= 2


def test_pairs_are_unique_and_grouped_by_gene(pairs: list[Row]) -> None:
    assert len({(row["variant_id"], row["gene_id"]) for row in pairs}) == len(pairs)
    changes = sum(one["gene_id"] != other["gene_id"] for one, other in pairwise(pairs))
    assert changes + 1 == len({row["gene_id"] for row in pairs})
    assert all(re.fullmatch(r"ENSG\d{11}\.\d+", row["gene_id"]) for row in pairs)


def test_the_reference_allele_is_what_the_genome_says(pairs: list[Row], genome: dict[str, str]) -> None:
    for row in pairs:
        chrom, start, ref, alt = alleles(row["variant_id"])
        assert 250 <= start <= len(genome[chrom]) - 250 - len(ref)
        assert genome[chrom][start : start + len(ref)] == ref != alt


def test_indels_are_left_aligned_and_of_both_kinds(pairs: list[Row]) -> None:
    variants = [alleles(variant_id) for variant_id in {row["variant_id"] for row in pairs}]
    indels = [(ref, alt) for _, _, ref, alt in variants if len(ref) != len(alt)]
    assert all(ref[0] == alt[0] and ref[-1] != alt[-1] and 1 in (len(ref), len(alt)) for ref, alt in indels)
    assert max(max(len(ref), len(alt)) for ref, alt in indels) <= 31
    assert 0.03 < sum(len(ref) > 1 for ref, _ in indels) / len(variants) < 0.08
    assert 0.03 < sum(len(alt) > 1 for _, alt in indels) / len(variants) < 0.08


def test_positions_are_distinct(pairs: list[Row]) -> None:
    ids = {row["variant_id"] for row in pairs}
    assert len({alleles(variant_id)[:2] for variant_id in ids}) == len(ids)


def test_the_fasta_index_finds_every_line(study: Study, genome: dict[str, str]) -> None:
    raw = study.genome.read_bytes()
    index = [line.split("\t") for line in Path(f"{study.genome}.fai").read_text().splitlines()]
    assert [name for name, *_ in index] == list(genome)
    for name, *fields in index:
        length, offset, bases, width = map(int, fields)
        assert length == len(genome[name]) <= GRCH38_CHR21
        assert width == bases + 1
        block = raw[offset : offset + length // bases * width].decode()
        assert block.replace("\n", "") == genome[name]
        assert block[bases::width] == "\n" * (length // bases)
    assert Path(f"{study.genome}.fai").stat().st_mtime_ns >= study.genome.stat().st_mtime_ns


def test_the_genome_is_bases_with_human_gc_content(genome: dict[str, str]) -> None:
    bases = "".join(genome.values())
    assert set(bases) == set("ACGT")
    assert 0.40 < (bases.count("G") + bases.count("C")) / len(bases) < 0.42


def test_peaks_are_sorted_disjoint_narrowpeak(study: Study, peaks: list[list[str]], genome: dict[str, str]) -> None:
    assert len(peaks) == study.n_peaks
    spans = [(row[0], int(row[1]), int(row[2])) for row in peaks]
    assert spans == sorted(spans)
    for (chrom, _, end), (next_chrom, start, _) in pairwise(spans):
        assert chrom != next_chrom or end < start
    for row, (chrom, start, end) in zip(peaks, spans, strict=True):
        assert len(row) == 10
        assert 0 <= start < end <= len(genome[chrom])
        assert 200 <= end - start <= 800
        assert 0 <= int(row[9]) < end - start
        assert 0 <= int(row[4]) <= 1000
        assert all(float(value) > 0 for value in row[6:9])


def test_in_peak_is_what_comparing_with_every_peak_says(study: Study, truth: list[Row], peaks: list[list[str]]) -> None:
    by_contig = defaultdict(list)
    for contig, peak_start, peak_end, *_ in peaks:
        by_contig[contig].append((int(peak_start), int(peak_end)))
    inside = set()
    for row in truth:
        chrom, start, ref, _ = alleles(row["variant_id"])
        shares = any(start < end and start + len(ref) > peak for peak, end in by_contig[chrom])
        assert row["in_peak"] == str(int(shares))
        if shares:
            inside.add(row["variant_id"])
    assert len(inside) == study.n_in_peak
    assert 0.24 < len(inside) / study.n_variants < 0.36


def test_p_is_that_of_the_printed_slope_and_standard_error(study: Study, pairs: list[Row]) -> None:
    t = numbers(pairs, "slope") / numbers(pairs, "slope_se")
    p = numbers(pairs, "pval_nominal")
    assert (p > 0).all()
    np.testing.assert_allclose(p, 2 * stats.t.sf(np.abs(t), study.df), rtol=1e-5)


def test_every_pair_is_significant_and_knows_its_genes_smallest_p(pairs: list[Row]) -> None:
    assert (numbers(pairs, "pval_nominal") <= numbers(pairs, "pval_nominal_threshold")).all()
    of_gene = defaultdict(list)
    for row in pairs:
        of_gene[row["gene_id"]].append(row)
    for rows in of_gene.values():
        assert {row["min_pval_nominal"] for row in rows} == {min((r["pval_nominal"] for r in rows), key=float)}
        assert len({(row["pval_nominal_threshold"], row["pval_beta"]) for row in rows}) == 1
        assert float(rows[0]["min_pval_nominal"]) <= float(rows[0]["pval_beta"]) <= 1


def test_allele_counts_are_possible_in_670_donors(pairs: list[Row]) -> None:
    count, carriers, maf = (numbers(pairs, column) for column in ("ma_count", "ma_samples", "maf"))
    np.testing.assert_allclose(maf, count / 1340, rtol=1e-5)
    assert (maf >= 0.01).all()
    assert (maf <= 0.5).all()
    assert (carriers <= count).all()
    assert (2 * carriers >= count).all()


def test_the_distance_to_a_genes_start_is_measured_along_the_genome(pairs: list[Row]) -> None:
    starts = defaultdict(set)
    for row in pairs:
        starts[row["gene_id"]].add(alleles(row["variant_id"])[1] + 1 - int(row["tss_distance"]))
    assert all(len(tss) == 1 for tss in starts.values())
    assert all(tss > 0 for (tss,) in starts.values())


def test_the_truth_has_the_pairs_in_their_order(pairs: list[Row], truth: list[Row]) -> None:
    key = ("variant_id", "gene_id", "slope")
    assert [[row[c] for c in key] for row in pairs] == [[row[c] for c in key] for row in truth]


def test_the_true_effect_is_the_score_of_the_motif_predictor(study: Study, truth: list[Row], tmp_path: Path) -> None:
    effect = {row["variant_id"]: float(row["true_effect"]) for row in truth}
    variants = [Variant(chrom, start + 1, ref, alt) for chrom, start, ref, alt in map(alleles, effect)]
    with closing(Genome(study.genome, tmp_path)) as genome:
        answers = MotifPredictor(genome, scorer("GRCh38").of).score(variants)
    told = [answer.scores[0, 0] for answer in answers if isinstance(answer, Answer)]
    np.testing.assert_allclose(told, list(effect.values()), rtol=1e-5, atol=1e-12)


def test_effects_in_peaks_have_the_sign_and_the_scale_of_the_true_effect(truth: list[Row]) -> None:
    ratios = defaultdict(list)
    for row in truth:
        assert row["is_causal"] == str(int(float(row["beta"]) != 0))
        if row["in_peak"] == "1" and row["is_causal"] == "1":
            ratios[row["gene_id"]].append(float(row["beta"]) / float(row["true_effect"]))
    assert all(min(ratio) > 0 for ratio in ratios.values())
    assert all(max(ratio) < 1.0001 * min(ratio) for ratio in ratios.values())


def test_strong_slopes_scatter_around_their_expectation_by_their_standard_error(
    pairs: list[Row], truth: list[Row]
) -> None:
    slope, expected, se = numbers(truth, "slope"), numbers(truth, "slope_expected"), numbers(pairs, "slope_se")
    strong = np.abs(expected) > 5 * se  # the weaker ones were selected for their noise too
    z = ((slope - expected) / se)[strong]
    assert len(z) > 500
    assert 0.9 < z.std() < 1.15
    assert abs(z.mean()) < 0.15


def test_linkage_carries_effects_to_variants_that_have_none(truth: list[Row]) -> None:
    innocent = [row for row in truth if row["is_causal"] == "0"]
    assert len(innocent) > len(truth) / 4
    assert stats.spearmanr(numbers(innocent, "slope_expected"), numbers(innocent, "slope"))[0] > 0.8


def test_slopes_follow_the_true_effect_in_peaks_and_not_outside(truth: list[Row]) -> None:
    inside, outside = ([row for row in truth if row["in_peak"] == flag] for flag in "10")
    assert 0.25 < stats.spearmanr(numbers(inside, "true_effect"), numbers(inside, "slope"))[0] < 0.7
    assert abs(stats.spearmanr(numbers(outside, "true_effect"), numbers(outside, "slope"))[0]) < 0.1


def test_without_effects_outside_only_variants_in_peaks_are_causal(tmp_path: Path) -> None:
    truth = read_rows(write_study(tmp_path / "study", 300, seed=1, share_outside=0.0).truth)
    assert {row["in_peak"] for row in truth if row["is_causal"] == "1"} == {"1"}


def test_the_share_outside_peaks_is_about_what_was_asked_for(pairs: list[Row], truth: list[Row]) -> None:
    maf = numbers(pairs, "maf")
    variance = maf * (1 - maf) * numbers(truth, "beta") ** 2
    outside = numbers(truth, "in_peak") == 0
    assert 0.1 < variance[outside].sum() / variance.sum() < 0.3


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    write_study(tmp_path / "one", 250, seed=7)
    write_study(tmp_path / "two", 250, seed=7)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_another_seed_gives_another_study(tmp_path: Path) -> None:
    one, other = (contents(write_study(tmp_path / str(seed), 250, seed=seed).directory) for seed in (7, 8))
    assert all(one[name] != other[name] for name in one if not name.endswith(".fai"))


def test_a_longer_study_begins_with_the_same_loci(tmp_path: Path) -> None:
    short, long = (write_study(tmp_path / str(n), n, seed=7) for n in (2_300, 4_700))
    longer = read_fasta(long.genome)
    assert all(longer[name].startswith(bases) for name, bases in read_fasta(short.genome).items())
    assert set(map(str, read_rows(short.pairs))) < set(map(str, read_rows(long.pairs)))


def test_the_readme_says_that_it_is_simulated_and_how(study: Study) -> None:
    text = study.readme.read_text()
    assert "SIMULATED" in text
    assert "not of the human genome" in text
    assert re.search(r"^seed +1$", text, re.MULTILINE)
    assert f"{study.n_variants:,} unique" in text
    assert f"{study.df} degrees of freedom" in text
    assert all(path.name in text for path in (study.genome, study.pairs, study.peaks, study.truth))


def test_no_file_keeps_its_temporary_name(study: Study) -> None:
    expected = {study.genome, Path(f"{study.genome}.fai"), study.pairs, study.peaks, study.truth, study.readme}
    assert set(study.directory.iterdir()) == expected


def test_a_study_that_breaks_off_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("agdb.simulate._readme", full)
    with pytest.raises(Refused, match="No space left"):
        write_study(tmp_path / "study", 100, seed=1)
    assert list((tmp_path / "study").iterdir()) == []


@pytest.mark.parametrize(
    ("n_variants", "seed", "share_outside"),
    [(99, 1, 0.2), (10**9, 1, 0.2), (200, -1, 0.2), (200, 1, 1.0), (200, 1, -0.1), (200, 1, float("nan"))],
)
def test_numbers_out_of_range_are_refused_before_anything_is_made(
    tmp_path: Path, n_variants: int, seed: int, share_outside: float
) -> None:
    with pytest.raises(UsageError) as raised:
        write_study(tmp_path / "study", n_variants, seed, share_outside=share_outside)
    assert raised.value.cure
    assert not (tmp_path / "study").exists()


def test_a_folder_that_holds_something_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    refused(tmp_path)
    assert contents(tmp_path) == {"notes.txt": b"mine"}


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "study").write_text("mine")
    refused(tmp_path / "study")
    refused(tmp_path / "study" / "below")


def refused(directory: Path) -> None:
    with pytest.raises(AgdbError) as raised:
        write_study(directory, 100, seed=1)
    assert isinstance(raised.value, Refused)
    assert raised.value.where == str(directory)
    assert "folder" in str(raised.value.cure)


def test_importing_the_simulator_does_not_import_the_database_or_the_figures() -> None:
    code = "import sys, agdb.simulate; print(sorted({'duckdb', 'typer', 'matplotlib'} & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
