"""A QTL study whose truth is known, in the file formats of the real one.

Genome. Loci of 100 kb stand end to end on up to 22 contigs, dealt out in turn: locus 1 on chr1, locus 2 on chr2, ...,
none longer than that chromosome of GRCh38. The background is independent bases with a GC share of 0.41. Each locus has
8 to 12 DNase peaks of 200 to 800 bp, and each peak 1 to 5 sites, sampled base by base from the position weight matrices
of `agdb.predictors.motifs`, on either strand.

Variants. About 450 candidates a locus: in planted sites, elsewhere in peaks, within 500 bp of peaks, and anywhere; 90 %
SNVs, 5 % insertions and 5 % deletions of 1 to 30 bases, left-aligned and parsimonious. The true effect of a variant is
the log2 ratio ALT/REF of motif occupancy over the 501 bases around it: the law of `agdb.predictors.motif`.

Effects. A locus has 1 to 3 genes, and each linkage block has one or more of them that answer to it. A variant in a peak
adds beta = sensitivity(gene) * true effect to the expression of the genes that answer; sensitivities are positive, so
that beta has the sign of the true effect. Outside peaks one variant in twenty has an effect, normally distributed
whatever the sequence says, scaled so that a stated share of each gene's genetic variance comes from there. A gene's
sensitivity is the one with which its variants explain 50 to 90 % of its variance: more than human genes have, because
all of a gene's regulation has to fit into 100 kb.

Measurement. 670 donors and 600 residual degrees of freedom, as of Whole Blood in GTEx v8. Blocks of 3 to 8 neighbours
have one allele frequency, up to some per cent, and are linked, r = +-rho^distance with rho from 0.8 to 0.98. The
expected slope is R beta; the noise has correlation r, and its standard error follows from allele frequency and donors.
As in GTEx only significant pairs are written: each gene's threshold is set so that the 100 most strongly associated
candidates of a locus remain, which puts it near 1e-2, far above those of GTEx. So slopes have some winner's
curse, and the variants that are written are linked to some that are not.

Streams: a locus is drawn from `SeedSequence([seed, locus])`, written and forgotten. The same seed gives the same bytes;
a longer study begins with the same loci, except that the last locus of the shorter one is filled up.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agdb.errors import Refused, UsageError
from agdb.simulate import files
from agdb.simulate.association import DF, DONORS, KEPT_PER_LOCUS, associate
from agdb.simulate.locus import LOCUS_BP, draw_locus

#: Lengths of chr1 to chr22 in GRCh38.
_GRCH38 = (
    248956422, 242193529, 198295559, 190214555, 181538259, 170805979, 159345973, 145138636, 138394717, 133797422,
    135086622, 133275309, 114364328, 107043718, 101991189, 90338345, 83257441, 80373285, 58617616, 64444167,
    46709983, 50818468,
)  # fmt: skip
_CAPACITY = sum(length // LOCUS_BP for length in _GRCH38)
_FEWEST = 100

#: The way out of every refusal of a folder: a study never replaces files.
_ANOTHER_FOLDER = "name a folder that does not exist yet, or an empty one, where you may write and there is room"


@dataclass(frozen=True)
class Study:
    """A simulated study: where its files lie and what is in them.

    Attributes:
        directory: The folder of all files.
        genome: FASTA; its index lies beside it, with `.fai` appended.
        pairs: GTEx v8 significant variant-gene pairs.
        peaks: narrowPeak.
        truth: One row a pair, in the order of `pairs`.
        readme: What the study is, in words.
        n_variants, n_pairs, n_genes, n_peaks, n_loci: Unique variants, pairs and genes in `pairs`; peaks; loci.
        n_in_peak: Unique variants that share a base with a peak.
        df: Residual degrees of freedom of every t statistic.
        share_outside: Share of the genetic variance from outside peaks, as asked for.
    """

    directory: Path
    genome: Path
    pairs: Path
    peaks: Path
    truth: Path
    readme: Path
    seed: int
    n_variants: int
    n_in_peak: int
    n_pairs: int
    n_genes: int
    n_peaks: int
    n_loci: int
    df: int
    share_outside: float


def write_study(directory: Path, n_variants: int, seed: int, *, share_outside: float = 0.2) -> Study:
    """Simulate a study and write its files into a new or empty folder.

    Args:
        directory: Made if it is not there, with its parents.
        n_variants: Unique variants in the pairs file, exactly; at least 100.
        seed: Not negative. The same seed, size and share give the same bytes.
        share_outside: Share of each gene's genetic variance, the sum of 2 maf (1 - maf) beta^2 over the candidates of
            its locus, that comes from variants outside peaks; at least 0 and below 1.

    Coordinates in the files: variants 1-based (VCF, GTEx), peaks 0-based half-open (BED), both on the simulated genome.

    Raises:
        UsageError: a number is out of its range.
        Refused: the folder is not empty, is no folder, or cannot be written; nothing is left of a study half written.
    """
    _check_numbers(n_variants, seed, share_outside)
    try:
        _claim(directory)
        with files.outputs(directory) as out:
            return _write(out, directory, n_variants, seed, share_outside)
    except OSError as error:
        raise Refused(
            f"the study could not be written: {error.strerror or error}", where=str(directory), cure=_ANOTHER_FOLDER
        ) from error


def _check_numbers(n_variants: int, seed: int, share_outside: float) -> None:
    most = _CAPACITY * KEPT_PER_LOCUS
    if not _FEWEST <= n_variants <= most:
        raise UsageError(
            f"{n_variants:,} variants cannot be simulated",
            cure=f"ask for {_FEWEST} to {most:,}: more do not fit on chromosomes of human length",
        )
    if seed < 0:
        raise UsageError(f"the seed is {seed}", cure="use a whole number that is not negative")
    if not 0 <= share_outside < 1:
        raise UsageError(
            f"the share of effects outside peaks is {share_outside}", cure="use at least 0, and less than 1"
        )


def _claim(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    if any(directory.iterdir()):
        raise Refused("the folder for the study is not empty", where=str(directory), cure=_ANOTHER_FOLDER)


def _write(out: files.Outputs, directory: Path, n_variants: int, seed: int, share_outside: float) -> Study:
    streams = files.Streams(out)
    count: Counter[str] = Counter()
    for chrom, loci in _layout(n_variants):
        streams.start_contig(chrom, len(loci) * LOCUS_BP)
        for number, n_kept in loci:
            rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, number])))
            locus = draw_locus(rng)
            found = associate(locus, n_kept, share_outside, rng)
            streams.add(number, locus, found)
            written = found.kept.any(axis=1)
            count["in_peak"] += int((written & locus.variants.in_peak).sum())
            count["pairs"] += int(found.kept.sum())
            count["genes"] += int(found.kept.any(axis=0).sum())
            count["peaks"] += len(locus.peaks.start)
            count["loci"] += 1
    study = Study(
        directory=directory,
        genome=directory / files.GENOME,
        pairs=directory / files.PAIRS,
        peaks=directory / files.PEAKS,
        truth=directory / files.TRUTH,
        readme=directory / files.README,
        seed=seed,
        n_variants=n_variants,
        n_in_peak=count["in_peak"],
        n_pairs=count["pairs"],
        n_genes=count["genes"],
        n_peaks=count["peaks"],
        n_loci=count["loci"],
        df=DF,
        share_outside=share_outside,
    )
    out.plain(files.README).write(_readme(study).encode())
    return study


def _layout(n_variants: int) -> Iterator[tuple[str, list[tuple[int, int]]]]:
    """Contigs and, on each, the (number, variants to write) of its loci from left to right.

    Contigs come in the order of `sort -k1,1`, which is that of UCSC's FASTA and of a sorted BED file.
    """
    per_locus = min(KEPT_PER_LOCUS, -(-n_variants // 2))  # two loci, so two contigs, at least
    n_loci = -(-n_variants // per_locus)
    # Dealt out in turn, one a contig, until the contig is full: where a locus lies does not depend on how many follow.
    places = sorted((place, chrom) for chrom, length in enumerate(_GRCH38) for place in range(length // LOCUS_BP))
    contigs: dict[str, list[tuple[int, int]]] = {}
    for number, (_, chrom) in enumerate(places[:n_loci]):
        kept = min(per_locus, n_variants - number * per_locus)
        contigs.setdefault(f"chr{chrom + 1}", []).append((number, kept))
    return iter(sorted(contigs.items()))


def _readme(study: Study) -> str:
    return f"""A SIMULATED study, written by agdb. No human being was measured.

Its coordinates are those of the simulated genome in {files.GENOME}, not of the human genome, although contigs are
named chr1, chr2, ... and variant ids end in _b38, as in the files that this study imitates.

seed                    {study.seed}
variants                {study.n_variants:,} unique, {study.n_in_peak:,} of them in a peak
pairs                   {study.n_pairs:,} (variant, gene), {study.n_genes:,} genes
peaks                   {study.n_peaks:,}
loci                    {study.n_loci:,} of {LOCUS_BP:,} bases
donors                  {DONORS}; every p-value is that of t = slope / slope_se with {study.df} degrees of freedom
share outside peaks     {study.share_outside:g} of each gene's genetic variance

{files.GENOME}, {files.GENOME}.fai
    the genome, and its index as `samtools faidx` writes it
{files.PAIRS}
    the 12 columns of GTEx v8; positions 1-based, slope of ALT against REF, all pairs at or below the gene's threshold
{files.PEAKS}
    BED6+4, 0-based half-open
{files.TRUTH}
    a row a pair, in the order of the pairs file:
    in_peak         1 if the bases of REF share one with a peak
    is_causal       1 if beta is not 0, however small it is
    true_effect     log2 accessibility ratio ALT/REF of the planted world
    beta            the variant's own contribution to the slope, SD of expression per ALT allele
    slope_expected  with the contributions of linked variants, before noise
    slope           as in the pairs file

How it was drawn stands at the head of agdb/simulate/__init__.py.
"""
