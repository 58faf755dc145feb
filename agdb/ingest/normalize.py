"""One spelling for each variant: parsimonious and left-aligned (Tan, Abecasis & Kang 2015, Bioinformatics 31:2202).

Trimming needs no genome; moving an indel to the left of its repeat does.
"""

from typing import Any, NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from agdb.genome import Contig, Genome, Positions

#: Bases to the left that are read at first; an indel in a longer repeat reads on.
REACH = 200

#: SQL of a variant that can be written with fewer bases or, but at the start of what is known, further to the left.
LOOSE = """length(ref) + length(alt) > 2 AND (right(ref, 1) = right(alt, 1)
    OR (length(ref) > 1 AND length(alt) > 1 AND left(ref, 1) = left(alt, 1)))"""


class Alleles(NamedTuple):
    """A variant on some chromosome: 1-based `pos` of the first base of `ref`."""

    pos: int
    ref: str
    alt: str


def trimmed(pos: int, ref: str, alt: str) -> Alleles:
    """Without the bases that both alleles share at their ends, but for the one that an indel is anchored on."""
    while len(ref) > 1 and len(alt) > 1 and ref[-1] == alt[-1]:
        ref, alt = ref[:-1], alt[:-1]
    shared = 0
    while shared < min(len(ref), len(alt)) - 1 and ref[shared] == alt[shared]:
        shared += 1
    return Alleles(pos + shared, ref[shared:], alt[shared:])


def left_aligned(pos: int, ref: str, alt: str, before: str) -> tuple[Alleles, bool]:
    """As far to the left as it goes, and trimmed; `before` holds the bases that end right before `pos`.

    Returns:
        The variant, and whether it may go further: `before` ended first.
    """
    left = len(before)
    while ref[-1] == alt[-1]:
        if min(len(ref), len(alt)) == 1:
            if not left:
                return trimmed(pos - len(before), ref, alt), True
            left -= 1
            ref, alt = before[left] + ref, before[left] + alt
        ref, alt = ref[:-1], alt[:-1]
    return trimmed(pos - (len(before) - left), ref, alt), False


def staged(con: duckdb.DuckDBPyConnection, genome: Genome | None) -> int:
    """Normalise chrom, pos, ref, alt of the temp table `staged`; returns how many rows changed.

    Variants whose REF is not the genome's, or that it does not cover, are trimmed only.
    """
    rows = con.execute(
        "SELECT rowid AS id, chrom::VARCHAR AS chrom, pos::BIGINT AS pos, ref, alt FROM staged "
        "WHERE odd IS NULL AND length(ref) + length(alt) > 2 ORDER BY staged.chrom, pos"
    ).fetchnumpy()
    given = _given(rows)
    spelled = _spelled(genome, rows["chrom"], given)
    ids = rows["id"].tolist()
    changed = [(ids[i], *now) for i, (was, now) in enumerate(zip(given, spelled, strict=True)) if now != was]
    if changed:
        con.register(
            "changed", pa.table(list(map(pa.array, zip(*changed, strict=True))), names=["id", "pos", "ref", "alt"])
        )
        con.execute(
            "UPDATE staged SET pos = c.pos, ref = c.ref, alt = c.alt FROM changed AS c WHERE staged.rowid = c.id"
        )
        con.unregister("changed")
    return len(changed)


def in_several_spellings(con: duckdb.DuckDBPyConnection, genome: Genome, assembly: str) -> int:
    """How many changes of the sequence are several variants of table `variant`, which spell them otherwise."""
    rows = con.execute(
        "SELECT chrom::VARCHAR AS chrom, pos::BIGINT AS pos, ref, alt FROM variant WHERE assembly = ? "
        f"AND ref_status = 'match' AND {LOOSE} ORDER BY variant.chrom, variant.pos",
        [assembly],
    ).fetchnumpy()
    if not len(rows["pos"]):
        return 0
    spelled = _spelled(genome, rows["chrom"], _given(rows))
    con.register("spelled", pa.table(list(map(pa.array, zip(*spelled, strict=True))), names=["pos", "ref", "alt"])
                 .append_column("chrom", pa.array(rows["chrom"].tolist())))  # fmt: skip
    found = con.execute(
        "SELECT count(*) FROM (SELECT chrom::chrom_t AS chrom, pos, ref, alt, count(*) AS n FROM spelled GROUP BY ALL) "
        "AS s LEFT JOIN (SELECT chrom, pos, ref, alt, true AS is_there FROM variant WHERE assembly = ? AND "
        f"NOT ({LOOSE})) AS v USING (chrom, pos, ref, alt) WHERE n > 1 OR is_there",
        [assembly],
    ).fetchall()[0][0]
    con.unregister("spelled")
    return int(found)


def _given(rows: dict[str, Any]) -> list[Alleles]:
    return list(map(Alleles, rows["pos"].tolist(), rows["ref"].tolist(), rows["alt"].tolist()))


def _spelled(genome: Genome | None, chroms: npt.NDArray[np.object_], given: list[Alleles]) -> list[Alleles]:
    """These variants trimmed, and the indels among them moved to the left where a genome covers them."""
    spelled = [trimmed(*alleles) for alleles in given]
    for contig in genome.contigs if genome else []:
        assert genome is not None
        indels = [i for i in np.flatnonzero(chroms == contig.chrom).tolist()
                  if len(spelled[i].ref) != len(spelled[i].alt)]  # fmt: skip
        for i, alleles in zip(indels, _aligned(genome, contig, [spelled[i] for i in indels]), strict=True):
            spelled[i] = alleles
    return spelled


def _aligned(genome: Genome, contig: Contig, given: list[Alleles]) -> list[Alleles]:
    """These indels as far to the left as they go on `contig`; those that do not lie on it as they are."""
    found = list(given)
    starts = np.array([v.pos - 1 for v in given], np.int64)
    ends = starts + np.array([len(v.ref) for v in given], np.int64)
    inside = np.flatnonzero((contig.start <= starts) & (ends <= contig.end))
    if not len(inside):
        return found
    fits = genome.alleles_match(contig.chrom, starts[inside], [given[i].ref for i in inside.tolist()])
    left, reach = inside[fits], REACH
    while len(left):
        again = []
        widths = np.minimum(starts[left] - contig.start, reach)
        for width in np.unique(widths).tolist():
            of_width = left[widths == width]
            known = _before(genome, contig.chrom, starts[of_width], width)
            for i, before in zip(of_width.tolist(), known, strict=True):
                was: Alleles = given[i]
                found[i], may_go_on = left_aligned(*was, before)
                if may_go_on and len(before) == reach:
                    again.append(i)
        left, reach = np.array(again, np.int64), 4 * reach
    return found


def _before(genome: Genome, chrom: str, starts: Positions, width: int) -> list[str]:
    """The `width` bases before each 0-based start, without those before a base that is not known: it is no anchor."""
    if not width:
        return [""] * len(starts)
    windows = genome.windows(chrom, starts - width, width)
    return [window.tobytes().decode().rpartition("N")[2] for window in windows]
