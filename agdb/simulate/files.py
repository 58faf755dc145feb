"""The files of a simulated study, streamed, and given their names only when all of them are complete."""

import gzip
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, cast

import numpy as np

from agdb.simulate.association import DONORS, Associations
from agdb.simulate.locus import LOCUS_BP, Locus

GENOME, PEAKS, TRUTH, README = "genome.fa", "Simulated_DNase.narrowPeak.gz", "truth.tsv.gz", "README.txt"
PAIRS = "Simulated_Blood.v8.signif_variant_gene_pairs.txt.gz"

PAIRS_HEADER = (
    "variant_id\tgene_id\ttss_distance\tma_samples\tma_count\tmaf\tpval_nominal\tslope\tslope_se\t"
    "pval_nominal_threshold\tmin_pval_nominal\tpval_beta\n"
)
TRUTH_HEADER = "variant_id\tgene_id\tin_peak\tis_causal\ttrue_effect\tbeta\tslope_expected\tslope\n"

#: Bases a line of the FASTA. It divides LOCUS_BP, so that no line is shared between loci.
LINE_BP = 100
#: On a pairs file level 6, the usual one, takes twice the time of level 5 and saves 1 % of the bytes.
_GZIP_LEVEL = 5
#: Gene ids begin here: above every id that Ensembl has given to a human gene.
_FIRST_GENE = 900_001


class Outputs:
    """Files under temporary names in one folder, renamed together by `publish`."""

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        self._directory, self._stack, self._names = directory, stack, list[str]()

    def plain(self, name: str) -> IO[bytes]:
        """Open `name` for bytes as they are."""
        self._names.append(name)
        return self._stack.enter_context(self._partial(name).open("wb"))

    def gzipped(self, name: str) -> IO[bytes]:
        """Open `name` for bytes to compress, with no time in the header: equal content is equal bytes."""
        file = gzip.GzipFile("", "wb", _GZIP_LEVEL, self.plain(name), mtime=0)
        return cast(IO[bytes], self._stack.enter_context(file))

    def publish(self) -> None:
        """Close the files and give them their names, in the order in which they were opened."""
        self._stack.close()
        for name in self._names:
            self._partial(name).rename(self._directory / name)

    def discard(self) -> None:
        """Remove whatever is still under a temporary name."""
        for name in self._names:
            self._partial(name).unlink(missing_ok=True)

    def _partial(self, name: str) -> Path:
        return self._directory / f"{name}.partial"


@contextmanager
def outputs(directory: Path) -> Iterator[Outputs]:
    """Files of `directory` that exist when the block ends well, and do not exist when it raises."""
    with ExitStack() as stack:
        files = Outputs(directory, stack)
        try:
            yield files
            files.publish()
        except BaseException:
            try:
                # On a full disk closing fails too, and must not keep the files from being removed.
                stack.close()
            finally:
                files.discard()
            raise


class Streams:
    """The data files of a study, to which contigs and their loci are added from left to right."""

    def __init__(self, out: Outputs) -> None:
        # What is opened first is closed last: an index that is older than its FASTA would be taken for stale.
        self._index, self._genome = out.plain(f"{GENOME}.fai"), out.plain(GENOME)
        self._peaks, self._pairs, self._truth = out.gzipped(PEAKS), out.gzipped(PAIRS), out.gzipped(TRUTH)
        self._pairs.write(PAIRS_HEADER.encode())
        self._truth.write(TRUTH_HEADER.encode())
        self._chrom, self._origin, self._n_peaks = "", 0, 0

    def start_contig(self, chrom: str, length: int) -> None:
        """Begin a contig of `length` bases; its loci follow."""
        self._chrom, self._origin, self._n_peaks = chrom, 0, 0
        self._genome.write(f">{chrom}\n".encode())
        # samtools faidx: name, length, byte offset of the first base, bases a line, bytes a line.
        self._index.write(f"{chrom}\t{length}\t{self._genome.tell()}\t{LINE_BP}\t{LINE_BP + 1}\n".encode())

    def add(self, number: int, locus: Locus, found: Associations) -> None:
        """Append a locus; `number`, unique in the study, names its genes."""
        lines = np.empty((LOCUS_BP // LINE_BP, LINE_BP + 1), np.uint8)
        lines[:, :LINE_BP] = locus.sequence.reshape(-1, LINE_BP)
        lines[:, LINE_BP] = ord("\n")
        self._genome.write(lines.tobytes())
        self._peaks.write(_peak_rows(self._chrom, self._origin, self._n_peaks + 1, locus))
        pairs, truth = _pair_rows(self._chrom, self._origin, number, locus, found)
        self._pairs.write(pairs)
        self._truth.write(truth)
        self._origin += LOCUS_BP
        self._n_peaks += len(locus.peaks.start)


def _peak_rows(chrom: str, origin: int, first: int, locus: Locus) -> bytes:
    """BED6+4 rows; `origin` is the 0-based start of the locus, `first` the number of its first peak on the contig.

    Signal, -log10 p and -log10 q grow with the number of planted sites; they carry no other information.
    """
    peaks = locus.peaks
    rows = []
    columns = zip(peaks.start.tolist(), peaks.end.tolist(), peaks.summit.tolist(), peaks.sites.tolist(), strict=True)
    for number, (start, end, summit, sites) in enumerate(columns, first):
        signal = 4.0 * sites + 1000 / (end - start)
        rows.append(
            f"{chrom}\t{origin + start}\t{origin + end}\t{chrom}_peak_{number}\t{min(1000, round(20 * signal))}\t.\t"
            f"{signal:.5g}\t{2 * signal:.5g}\t{1.6 * signal:.5g}\t{summit - start}\n"
        )
    return "".join(rows).encode()


def _pair_rows(chrom: str, origin: int, number: int, locus: Locus, found: Associations) -> tuple[bytes, bytes]:
    """The significant pairs of locus `number`, gene by gene: rows of the pairs file and, in step, of the truth."""
    starts, variants = locus.variants.start.tolist(), locus.variants
    pairs, truth = [], []
    for gene, tss in enumerate(locus.tss.tolist()):
        rows = found.kept[:, gene].nonzero()[0].tolist()
        if not rows:
            continue
        name = f"ENSG{_FIRST_GENE + 3 * number + gene:011d}.{1 + (number + gene) % 9}"
        slope, se, p = (column[:, gene].tolist() for column in (found.slope, found.slope_se, found.p))
        beta, expected = found.beta[:, gene].tolist(), found.slope_expected[:, gene].tolist()
        p_min = min(p[row] for row in rows)
        of_gene = f"{found.threshold[gene]:.6g}\t{p_min:.6g}\t{min(1.0, float(found.p_beta[gene])):.6g}\n"
        for row in rows:
            pair = f"{chrom}_{origin + starts[row] + 1}_{variants.ref[row]}_{variants.alt[row]}_b38\t{name}\t"
            count = int(found.ma_count[row])
            pairs.append(
                f"{pair}{starts[row] - tss}\t{found.ma_samples[row]}\t{count}\t{count / (2 * DONORS):.6g}\t"
                f"{p[row]:.6g}\t{slope[row]:.6g}\t{se[row]:.6g}\t{of_gene}"
            )
            truth.append(
                f"{pair}{variants.in_peak[row]:d}\t{beta[row] != 0:d}\t{found.true_effect[row]:.6g}\t"
                f"{beta[row]:.6g}\t{expected[row]:.6g}\t{slope[row]:.6g}\n"
            )
    return "".join(pairs).encode(), "".join(truth).encode()
