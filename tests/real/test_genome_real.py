"""Genome on real FASTA files: the right build says every GTEx REF allele, the wrong build does not."""

import csv
import gzip
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from agdb.genome import Contig, Genome


@pytest.fixture
def chr2(shared: Path, tmp_path: Path) -> Iterator[Genome]:
    """The first 2.3 Mb of hg38 chr2: bgzip, with its indexes beside it."""
    genome = Genome(shared / "fasta" / "chr2_1-2333275.fa.gz", tmp_path)
    yield genome
    genome.close()


@pytest.fixture
def hg19_chr22(shared: Path, tmp_path: Path) -> Iterator[Genome]:
    """One megabase of hg19 chr22: plain gzip, its place in the record's name."""
    genome = Genome(shared / "fasta" / "hisat2_hg19_22_20-21M.fa.gz", tmp_path)
    yield genome
    genome.close()


def gtex_alleles(shared: Path, chrom: str, first: int, last: int) -> set[tuple[int, str]]:
    """(1-based position, REF) of GTEx v8 kidney and whole-blood variants in first..last of `chrom` (hg38)."""
    found = set()
    for name in ("Kidney_Cortex.v8.signif_variant_gene_pairs", "Kidney_Cortex.v8.egenes", "Whole_Blood.v8.egenes"):
        with gzip.open(shared / "gtex" / f"{name}.txt.gz", "rt") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                of, position, ref, *_ = row["variant_id"].split("_")
                if of == chrom and first <= int(position) and int(position) + len(ref) - 1 <= last:
                    found.add((int(position), ref))
    return found


def share_that_match(genome: Genome, chrom: str, alleles: set[tuple[int, str]]) -> float:
    positions, refs = zip(*sorted(alleles), strict=True)
    return float(genome.alleles_match(chrom, np.array(positions) - 1, refs).mean())


def test_a_bgzip_fasta_with_its_indexes_is_read_in_place(chr2: Genome, tmp_path: Path) -> None:
    assert chr2.contigs == [Contig("chr2", "chr2", 0, 2_333_275)]
    assert not list(tmp_path.iterdir())


def test_indexes_built_here_read_the_same_as_those_of_samtools(chr2: Genome, tmp_path: Path) -> None:
    alone = tmp_path / "alone" / "chr2.fa.gz"
    alone.parent.mkdir()
    alone.symlink_to(chr2.path)
    starts = np.random.default_rng(0).integers(0, 2_333_275 - 501, 400)
    with_own = Genome(alone, tmp_path / "work")
    np.testing.assert_array_equal(with_own.windows("chr2", starts, 501), chr2.windows("chr2", starts, 501))
    assert {file.suffix for file in (tmp_path / "work").iterdir()} == {".fai", ".gzi"}


def test_the_whole_record_equals_the_text_of_the_file(chr2: Genome) -> None:
    with gzip.open(chr2.path, "rt") as file:
        text = "".join(line.strip() for line in file if not line.startswith(">")).upper()
    starts = np.arange(0, 2_333_275 - 1000, 1000)
    rows = chr2.windows("chr2", starts[::-1], 1000)[::-1]
    assert rows.tobytes().decode() == text[: rows.size]


def test_every_gtex_ref_allele_is_in_its_own_build(chr2: Genome, shared: Path) -> None:
    alleles = gtex_alleles(shared, "chr2", 1, 2_333_275)
    assert len(alleles) >= 50
    assert any(len(ref) > 1 for _, ref in alleles)
    assert share_that_match(chr2, "chr2", alleles) == 1


def test_the_offset_in_the_record_name_places_the_sequence(hg19_chr22: Genome) -> None:
    assert hg19_chr22.contigs == [Contig("22:20000001-21000000", "chr22", 20_000_000, 21_000_000)]
    assert hg19_chr22.windows("chr22", np.array([20_000_000]), 10).tobytes() == b"TGGGAAGGTG"
    assert hg19_chr22.covers(
        "chr22", np.array([19_999_999, 20_999_999]), np.array([20_000_001, 21_000_000])
    ).tolist() == [
        False,
        True,
    ]


def test_the_wrong_build_says_few_ref_alleles(hg19_chr22: Genome, shared: Path) -> None:
    alleles = gtex_alleles(shared, "chr22", 20_000_001, 21_000_000)
    assert len(alleles) >= 25
    assert share_that_match(hg19_chr22, "chr22", alleles) < 0.4
