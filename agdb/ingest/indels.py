"""Indels that may be swapped.

Where the longer allele is the genome's, the shorter one, a part of it, is too: the genome cannot tell a deletion from
the insertion of what stands there already (a repeat). Mostly the source can, which writes REF first. One whose other
variants are swapped may have swapped these too: they are left out, as `palindromic`, but for those that a source which
has nothing swapped has the same way. What is doubted is a fact of all sources together, so that it makes no difference
which comes first.
"""

import duckdb
import numpy as np
import numpy.typing as npt

from agdb.genome import Genome
from agdb.schema import same

#: More swapped associations than this share: the source does not write REF first.
MAX_SWAPPED_SHARE = 0.01

Texts = npt.NDArray[np.object_]

_TOLD = """(
    SELECT source_id, chrom, pos, ref, alt, reoriented FROM qtl WHERE assembly = $assembly
    UNION ALL SELECT source_id, chrom, pos, ref, alt, reoriented FROM credible WHERE assembly = $assembly
    UNION ALL SELECT source_id, chrom, pos, ref, alt, reoriented
    FROM listed_variant SEMI JOIN (FROM source WHERE kind = 'variants') USING (source_id) WHERE assembly = $assembly)"""
_CARELESS = f"""
    SELECT source_id FROM {_TOLD} GROUP BY source_id
    HAVING count(*) FILTER (reoriented IN ('swapped', 'strand_swapped')) > {MAX_SWAPPED_SHARE} * count(*)"""
_SUSPECTS = f"""
    WITH indel AS (
      SELECT chrom, pos, ref, alt
      FROM {_TOLD}
      WHERE length(ref) <> length(alt)
      GROUP BY ALL
      HAVING bool_and(reoriented IS NULL AND source_id IN $careless)
    )
    SELECT v.assembly, v.chrom, v.pos, v.ref, v.alt
    FROM variant AS v
    JOIN indel AS i ON i.chrom = v.chrom AND i.pos = v.pos AND i.ref = v.ref AND i.alt = v.alt
    WHERE v.assembly = $assembly AND v.ref_status = 'match'"""


def doubt(con: duckdb.DuckDBPyConnection, genome: Genome, assembly: str) -> int:
    """Make the indels that may be swapped `palindromic`, and those that may not any more a `match`; how many more."""
    was = con.execute(
        "UPDATE variant SET ref_status = 'match' "
        "WHERE assembly = ? AND ref_status = 'palindromic' AND length(ref) <> length(alt)",
        [assembly],
    ).fetchall()[0][0]
    careless = [source_id for (source_id,) in con.execute(_CARELESS, {"assembly": assembly}).fetchall()]
    if not careless:
        return 0
    con.execute(f"CREATE OR REPLACE TEMP TABLE suspect AS {_SUSPECTS}", {"assembly": assembly, "careless": careless})
    now = 0
    for contig in genome.contigs:
        s = con.execute(
            "SELECT rowid AS id, pos::BIGINT AS pos, alt FROM suspect "
            "WHERE chrom = TRY_CAST(? AS chrom_t) AND pos > ? AND pos <= ? ORDER BY suspect.pos",
            [contig.chrom, contig.start, contig.end],
        ).fetchnumpy()
        both = fits(genome, contig.chrom, np.asarray(s["pos"]) - 1, np.asarray(s["alt"], object))
        now += con.execute(
            "UPDATE variant SET ref_status = 'palindromic' FROM suspect AS s "
            f"WHERE s.rowid IN (SELECT unnest(?)) AND {same('variant', 's')}",
            [np.asarray(s["id"])[both].tolist()],
        ).fetchall()[0][0]
    return max(int(now - was), 0)


def fits(genome: Genome, chrom: str, starts: npt.NDArray[np.int64], alleles: Texts) -> npt.NDArray[np.bool_]:
    """Whether each allele is what the genome says from its start (0-based) on; False where it is not covered."""
    fit = np.zeros(len(starts), np.bool_)
    lengths = np.array([len(allele) for allele in alleles], np.int64)
    rows = np.flatnonzero(genome.covers(chrom, starts, starts + lengths))
    if len(rows):
        fit[rows] = genome.alleles_match(chrom, starts[rows], alleles[rows].tolist())
    return fit
