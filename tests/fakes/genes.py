"""Made-up genes on the made-up genome: one or two a megabase, each with one exon, all a pure function of the place."""

from typing import NamedTuple

import numpy as np
from alphagenome.protos.v1 import dna_model_pb2 as model_pb2

from fakes.sequence import LENGTHS, NUMBER, splitmix64

_MEGABASE = 1_000_000
_LONGEST = 20_000
_SHORTEST = 2_000


class Gene(NamedTuple):
    """A gene and its exon, 0-based half-open. `strand` is + or -; ids have no version."""

    gene_id: str
    name: str
    kind: str
    strand: str
    start: int
    end: int
    exon_start: int
    exon_end: int


def inside(chrom: str, start: int, end: int) -> list[Gene]:
    """The genes that lie wholly inside [start, end) of a chromosome, in their order on it."""
    first, last = max(start, 0), min(end, LENGTHS[chrom])
    return [
        gene
        for block in range(first // _MEGABASE, -(-last // _MEGABASE))
        for gene in _of_megabase(chrom, block)
        if first <= gene.start and gene.end <= last
    ]


def message(gene: Gene) -> model_pb2.GeneScorerMetadata:
    """The protocol's message of a gene."""
    strand = model_pb2.STRAND_POSITIVE if gene.strand == "+" else model_pb2.STRAND_NEGATIVE
    return model_pb2.GeneScorerMetadata(gene_id=gene.gene_id, name=gene.name, strand=strand, type=gene.kind)


def _of_megabase(chrom: str, block: int) -> list[Gene]:
    """One gene in the first half of the megabase, and in every other megabase one more in its second half."""
    genes = []
    for half in range(1 + block % 2):
        place = np.array([NUMBER[chrom] << 40 | block << 8 | half], dtype=np.uint64)
        drawn = int(splitmix64(splitmix64(place))[0])
        length = _SHORTEST + drawn % (_LONGEST - _SHORTEST)
        start = block * _MEGABASE + half * _MEGABASE // 2 + (drawn >> 16) % (_MEGABASE // 2 - _LONGEST)
        genes.append(
            Gene(
                gene_id=f"ENSG{NUMBER[chrom]:05d}{block:04d}{half:02d}",
                name=f"MADEUP{NUMBER[chrom]}-{block}-{half}",
                kind="protein_coding" if drawn >> 62 else "lncRNA",
                strand="+-"[drawn >> 40 & 1],
                start=start,
                end=start + length,
                exon_start=start + length // 4,
                exon_end=start + length // 2,
            )
        )
    return genes
