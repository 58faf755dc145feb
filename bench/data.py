"""The inputs of the benchmarks: a GTEx-format table of associations and a narrowPeak file, from fixed seeds, made once.

`agdb simulate` makes studies that carry their truth, with a genome to read; at 2.4 M associations that is a FASTA of
1.8 GB and minutes of work. A benchmark of ingest and overlap needs the size, the order and the numbers of a real
table, not its truth: hence this generator, which makes them in half a minute, chromosome by chromosome.
"""

import gzip
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy import special

from bench.cases import Inputs

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

#: Part of the folder's name: a change to the generator is a new number, or old files would be measured as new ones.
VERSION = 2
SEED = 20_240_611

#: GRCh38, the chromosomes that GTEx tests.
LENGTHS = dict(zip([f"chr{c}" for c in [*range(1, 23), "X"]], [
    248956422, 242193529, 198295559, 190214555, 181538259, 170805979, 159345973, 145138636, 138394717, 133797422,
    135086622, 133275309, 114364328, 107043718, 101991189, 90338345, 83257441, 80373285, 58617616, 64444167, 46709983,
    50818468, 156040895], strict=True))  # fmt: skip

#: GRCh37, the same.
LENGTHS_37 = dict(zip(LENGTHS, [
    249250621, 243199373, 198022430, 191154276, 180915260, 171115067, 159138663, 146364022, 141213431, 135534747,
    135006516, 133851895, 115169878, 107349540, 102531392, 90354753, 81195210, 78077248, 59128983, 63025520, 48129895,
    51304566, 155270560], strict=True))  # fmt: skip

#: Whole blood of GTEx v8 has 2,414,653 significant pairs in 12,360 genes; 670 donors give about 600 degrees of freedom.
PAIRS_A_GENE, GENES_A_VARIANT, DONORS, DEGREES = 195, 1.34, 670, 600
DELETIONS, INSERTIONS = 0.06, 0.03

COLUMNS = ["variant_id", "gene_id", "tss_distance", "ma_samples", "ma_count", "maf", "pval_nominal", "slope",
           "slope_se", "pval_nominal_threshold", "min_pval_nominal", "pval_beta"]  # fmt: skip


class Sizes(NamedTuple):
    """How much is made: GTEx's whole blood has 2.4 M significant pairs, a DNase experiment some 200,000 peaks, the DHS
    index 3.6 M; `tissues` files of `pairs` rows each, 0 unless asked for."""

    pairs: int
    peaks: int
    many_peaks: int
    positions: int
    tissues: int = 0


def inputs(folder: Path, sizes: Sizes) -> Inputs:
    """The files of these sizes in `folder`; made there if they are not."""
    home = folder / f"v{VERSION}-{'-'.join(map(str, sizes))}"
    names = ["pairs.txt.gz", "peaks.narrowPeak.gz", "associations.bed", "variants.bed", "peaks.bed",
             "many.narrowPeak.gz", "positions.tsv.gz", "to_hg19.chain.gz", "tissues"]  # fmt: skip
    if not home.exists():
        partial = home.with_name(home.name + ".partial")  # renamed when whole: an interrupted run leaves no half file
        partial.mkdir(parents=True, exist_ok=True)
        _make(Inputs(*(partial / n for n in names)), sizes)
        partial.rename(home)
    return Inputs(*(home / n for n in names))


def _make(files: Inputs, sizes: Sizes) -> None:
    rng = np.random.default_rng(SEED)
    clusters: dict[str, Ints] = {}
    with duckdb.connect() as con:
        for batch in _associations(rng, sizes.pairs, clusters):
            con.register("made", batch)
            con.execute("CREATE TABLE IF NOT EXISTS a AS FROM made LIMIT 0")
            con.execute("INSERT INTO a FROM made")
        _write_pairs(con, files)
        bed = "(FORMAT csv, DELIMITER '\t', HEADER false)"
        span = "chrom, pos - 1, pos - 1 + length(ref), variant_id"
        con.execute(f"COPY (SELECT {span}, gene_id FROM a) TO '{files.associations_bed}' {bed}")
        con.execute(f"COPY (SELECT DISTINCT {span} FROM a ORDER BY 1, 2, 3) TO '{files.variants_bed}' {bed}")
    _write_peaks(rng, files.peaks, files.peaks_bed, clusters, sizes.peaks)
    _write_peaks(rng, files.many_peaks, Path(os.devnull), clusters, sizes.many_peaks)
    _write_positions(rng, files.positions, sizes.positions)
    _write_chain(rng, files.chain)
    files.tissues.mkdir()
    for i in range(sizes.tissues):
        _write_tissue(files, i)


def _write_tissue(files: Inputs, i: int) -> None:
    """The pairs again, and one more: the same bytes cannot be two tissues. A gzip may have several members."""
    with gzip.open(files.pairs, "rt") as file:
        _, row = next(file), next(file).split("\t")
    chrom, pos, *rest = row[0].split("_")
    row[0] = "_".join([chrom, str(int(pos) - 1 - i), *rest])
    with (files.tissues / f"Tissue_{i}.v8.signif_variant_gene_pairs.txt.gz").open("wb") as file:
        file.write(files.pairs.read_bytes() + gzip.compress("\t".join(row).encode(), mtime=0))


def _write_positions(rng: np.random.Generator, path: Path, n: int) -> None:
    """Single bases at random, each once: a table of variants."""
    share = np.array(list(LENGTHS.values())) / sum(LENGTHS.values())
    with gzip.open(path, "wt", compresslevel=4) as file:
        file.write("chrom\tpos\tref\talt\n")
        for chrom, k in zip(LENGTHS, rng.multinomial(n, share).tolist(), strict=True):
            at = np.sort(rng.choice(LENGTHS[chrom] // 7, k, replace=False)) * 7 + 1
            file.writelines(f"{chrom}\t{pos}\tA\tG\n" for pos in at.tolist())


def _write_chain(rng: np.random.Generator, path: Path) -> None:
    """GRCh38 to GRCh37, a chain a chromosome, in as many blocks as UCSC's chain has: 1 % of it is gaps."""
    with gzip.open(path, "wt") as file:
        for n, (chrom, length) in enumerate(LENGTHS.items(), 1):
            room = min(length, LENGTHS_37[chrom]) - 10_000
            blocks = []
            while room > 60_000:
                size, dt, dq = int(rng.exponential(25_000)) + 1, int(rng.exponential(250)), int(rng.exponential(250))
                blocks.append((size, dt, dq))
                room -= size + max(dt, dq)
            size, dt, dq = (sum(block[i] for block in blocks) for i in range(3))
            last = blocks[-1]
            ends = 10_000 + size + dt - last[1], 10_000 + size + dq - last[2]
            file.write(
                f"chain {length} {chrom} {length} + 10000 {ends[0]} {chrom} {LENGTHS_37[chrom]} + 10000 {ends[1]} {n}\n"
            )
            file.writelines(f"{size}\t{dt}\t{dq}\n" for size, dt, dq in blocks[:-1])
            file.write(f"{last[0]}\n\n")


def _write_pairs(con: duckdb.DuckDBPyConnection, files: Inputs) -> None:
    """As GTEx writes it: six significant digits, tabs, one gzip member, header."""
    as_text = {"variant_id": "variant_id || '_b38' AS variant_id"}
    six = {"maf", "pval_nominal", "slope", "slope_se", "pval_nominal_threshold", "min_pval_nominal", "pval_beta"}
    columns = ", ".join(as_text.get(c, f"printf('%.6g', {c}) AS {c}" if c in six else c) for c in COLUMNS)
    con.execute(
        f"COPY (SELECT {columns} FROM a) TO '{files.pairs}' (FORMAT csv, DELIMITER '\t', HEADER, QUOTE '', ESCAPE '', "
        "COMPRESSION gzip)"
    )


def _associations(rng: np.random.Generator, n_pairs: int, clusters: dict[str, Ints]) -> Iterator[pa.RecordBatch]:
    """A batch a chromosome, gene after gene. `clusters` learns where the variants are: peaks gather there."""
    genome, left, first_gene = sum(LENGTHS.values()), n_pairs, 0
    for chrom, length in LENGTHS.items():
        n = left if chrom == "chrX" else min(left, round(n_pairs * length / genome))
        left -= n
        sizes = _gene_sizes(rng, n)
        gene = np.repeat(np.arange(len(sizes)), sizes)
        variant = _shared_variants(sizes, gene)
        pos = _positions(rng, int(variant.max()) + 1, length)
        # the TSS of a gene is amid its variants: distances of either sign, most of them below 200 kb
        middle = np.cumsum(sizes) - sizes // 2 - 1
        tss = pos[variant[middle]] + rng.integers(-300, 300, len(sizes))
        clusters[chrom] = pos
        yield _batch(rng, chrom, gene, variant, pos, tss, first_gene)
        first_gene += len(sizes)


def _gene_sizes(rng: np.random.Generator, n: int) -> Ints:
    """Associations of each gene, n in all: many genes have few, some have thousands."""
    sizes = np.maximum(rng.gamma(0.7, PAIRS_A_GENE / 0.7, n // PAIRS_A_GENE + 1).astype(np.int64), 1)
    sizes = sizes[: int(np.searchsorted(np.cumsum(sizes), n)) + 1]
    sizes[-1] += n - sizes.sum()
    return sizes if sizes[-1] > 0 else sizes[:-1]


def _shared_variants(sizes: Ints, gene: Ints) -> Ints:
    """The variant (its rank on the chromosome) of each row: a gene's are contiguous, and run into the next gene's."""
    step = np.maximum((sizes / GENES_A_VARIANT).astype(np.int64), 1)
    start = np.cumsum(step) - step
    row_in_gene = np.arange(len(gene)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return start[gene] + row_in_gene


def _positions(rng: np.random.Generator, n: int, length: int) -> Ints:
    """n positions (1-based), strictly rising, in clumps as in haplotypes, within the chromosome."""
    gaps = rng.gamma(0.3, 1.0, n)
    room = length - 200_000 - 2 * n
    positions: Ints = 100_000 + np.floor(np.cumsum(gaps) / gaps.sum() * room).astype(np.int64) + np.arange(1, n + 1)
    return positions


def _alleles(rng: np.random.Generator, n: int) -> tuple[list[str], list[str]]:
    """REF and ALT of n variants: substitutions, deletions of 1 to 41 bases, insertions."""
    bases = "ACGT"
    ref = rng.integers(0, 4, n)
    alt = (ref + rng.integers(1, 4, n)) % 4
    kind = rng.random(n)
    extra = np.minimum(rng.geometric(0.25, n), 41)
    longer = ["".join(bases[b] for b in rng.integers(0, 4, 41)) for _ in range(256)]
    refs, alts = [bases[b] for b in ref], [bases[b] for b in alt]
    for i in np.flatnonzero(kind < DELETIONS):
        refs[i], alts[i] = refs[i] + longer[i % 256][: extra[i]], refs[i]
    for i in np.flatnonzero(kind > 1 - INSERTIONS):
        alts[i] = refs[i] + longer[i % 256][: extra[i]]
    return refs, alts


def _batch(
    rng: np.random.Generator, chrom: str, gene: Ints, variant: Ints, pos: Ints, tss: Ints, first_gene: int
) -> pa.RecordBatch:
    refs, alts = _alleles(rng, len(pos))
    ids = pa.array([f"{chrom}_{p}_{r}_{a}" for p, r, a in zip(pos.tolist(), refs, alts, strict=True)])
    genes = pa.array([f"ENSG{(first_gene + g) * 7 + 419:011d}.{(first_gene + g) % 17 + 1}" for g in range(len(tss))])
    count = rng.integers(13, DONORS + 1, len(pos))[variant]  # minor allele count: of the variant
    numbers = _statistics(rng, gene, count / (2 * DONORS))
    return pa.RecordBatch.from_pydict({
        "chrom": pa.array([chrom]).take(pa.array(np.zeros(len(gene), np.int64))),
        "pos": pos[variant], "ref": pa.array(refs).take(pa.array(variant)),
        "variant_id": ids.take(pa.array(variant)), "gene_id": genes.take(pa.array(gene)),
        "tss_distance": pos[variant] - tss[gene], "ma_samples": np.minimum(count, 9 * count // 10 + 1),
        "ma_count": count, "maf": count / (2 * DONORS), **numbers,
    })  # fmt: skip


def _statistics(rng: np.random.Generator, gene: Ints, maf: Floats) -> dict[str, Floats]:
    """Numbers that agree with each other: |slope / slope_se| is the t of pval_nominal, and p lies within its gene's."""
    n_genes = int(gene.max()) + 1
    t_threshold = rng.uniform(3.6, 4.3, n_genes)
    strength = rng.gamma(1.0, 2.0, n_genes)
    t = t_threshold[gene] + rng.exponential(1.0, len(gene)) * strength[gene]
    t = np.minimum(t, rng.uniform(40, 45, len(gene)))  # a p-value that underflows to 0 is set aside, not ingested
    p = 2 * special.stdtr(DEGREES, -t)
    least = np.full(n_genes, 1.0)
    np.minimum.at(least, gene, p)
    se = rng.uniform(0.8, 1.0, len(gene)) / np.sqrt(2 * maf * (1 - maf) * DEGREES)
    threshold = 2 * special.stdtr(DEGREES, -t_threshold)
    return {
        "pval_nominal": p, "slope": t * se * rng.choice([-1.0, 1.0], len(gene)), "slope_se": se,
        "pval_nominal_threshold": threshold[gene], "min_pval_nominal": least[gene],
        "pval_beta": np.minimum(least * 300, 1.0)[gene],
    }  # fmt: skip


def _write_peaks(rng: np.random.Generator, path: Path, bed_path: Path, clusters: dict[str, Ints], n_peaks: int) -> None:
    """narrowPeak rows, 150 to 1,000 bp, most near a variant; some overlap their neighbour. Sorted, and as BED."""
    share = np.cumsum([LENGTHS[chrom] for chrom in sorted(clusters)]) / sum(LENGTHS.values())
    counts = np.diff(np.round(share * n_peaks).astype(np.int64), prepend=0)
    rows = []
    for (chrom, pos), n in zip(sorted(clusters.items()), counts.tolist(), strict=True):
        near = pos[rng.integers(0, len(pos), n)] + (rng.standard_t(1.5, n) * 2_000).astype(np.int64)
        anywhere = rng.integers(20_000, LENGTHS[chrom] - 20_000, n)
        start = np.sort(np.where(rng.random(n) < 0.7, np.clip(near, 20_000, LENGTHS[chrom] - 20_000), anywhere))
        width = np.minimum(150 + rng.gamma(1.3, 150, n), 1_000).astype(np.int64)
        rows += [(chrom, s, s + w) for s, w in zip(start.tolist(), width.tolist(), strict=True)]
    with gzip.open(path, "wt", compresslevel=4) as narrow, bed_path.open("w") as bed:
        for i, (chrom, start, end) in enumerate(rows):
            middle = (end - start) // 2
            narrow.write(f"{chrom}\t{start}\t{end}\tpeak_{i}\t{i % 1001}\t.\t{5 + i % 90}.25\t4.5\t3.25\t{middle}\n")
            bed.write(f"{chrom}\t{start}\t{end}\tpeak_{i}\n")
