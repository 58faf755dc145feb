"""Alleles against the genome: what each variant's REF is there, and turning what is swapped or of the other strand.

A variant whose whole REF is the genome's is a `match`. Where ALT is instead, the source has them `swapped`; where the
genome has their complement, they are of the other `strand`, or both (`strand_swapped`): associations are turned to the
variant that the genome has, and say so in `reoriented`. An A/T or C/G variant whose REF is not the genome's may be
swapped or of the other strand, and its effect has one sign or the other: `palindromic`, not analysed, unless allele
frequencies tell which. All else is a `mismatch`, not analysed. An indel of which both alleles fit (a repeat) is a
match.
"""

from collections.abc import Iterator
from typing import NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from agdb.genome import Genome
from agdb.ingest import variants

#: More alleles than this share (and at least so many) that neither REF nor ALT explains: another assembly. hg19 under
#: hg38 variants gives 79 % that differ from REF, most of them from ALT too; the right assembly none of 495 real ones.
MAX_MISMATCH_SHARE, MIN_MISMATCHES = 0.05, 10
#: Where the other strand would explain them, so many variants that no strand can explain have to fit nevertheless.
ENOUGH_TO_TELL = 20

# What a status does to the alleles: SQL of the new REF and ALT.
_TURNED = "translate(reverse({0}), 'ACGT', 'TGCA')"
_NEW_REF = f"CASE s WHEN 'swapped' THEN alt WHEN 'strand' THEN {_TURNED.format('ref')} ELSE {_TURNED.format('alt')} END"
_NEW_ALT = f"CASE s WHEN 'swapped' THEN ref WHEN 'strand' THEN {_TURNED.format('alt')} ELSE {_TURNED.format('ref')} END"
_COMPLEMENT = str.maketrans("ACGT", "TGCA")

Texts = npt.NDArray[np.object_]


class Checked(NamedTuple):
    """Variants compared with the genome, by status, and of those that no strand could explain: how many, how many
    fit."""

    counts: dict[str, int]
    tellable: int
    unexplained: int

    @property
    def n(self) -> int:
        return sum(self.counts.values())

    def of(self, *statuses: str) -> int:
        return sum(self.counts.get(status, 0) for status in statuses)

    @property
    def is_elsewhere(self) -> bool:
        off = self.of("strand", "strand_swapped", "palindromic", "mismatch")
        if off < MIN_MISMATCHES or off <= MAX_MISMATCH_SHARE * self.n:
            return False
        proven = self.tellable >= ENOUGH_TO_TELL and self.unexplained <= MAX_MISMATCH_SHARE * self.tellable
        return not proven

    def refusal(self, assembly: str) -> str:
        differ = self.n - self.of("match")
        return (
            f"{differ / self.n:.0%} of the REF alleles differ ({differ:,} of {self.n:,}; of these "
            f"{self.of('swapped'):,} "
            f"are the ALT allele): this looks like another assembly than {assembly}"
        )

    def notes(self) -> list[str]:
        """What to tell the user."""
        if not self.n:
            return []
        off = self.n - self.of("match") if self.is_elsewhere else self.of("mismatch")
        notes = [
            f"REF of {self.n:,} variants compared with the genome: {self.of('match'):,} match, {off:,} mismatch "
            f"({off / self.n:.1%})"
        ]
        if self.is_elsewhere:
            return notes
        told = {
            "swapped": "have REF and ALT swapped: their effects were turned",
            "strand": "are of the other strand: their alleles were complemented",
            "strand_swapped": "are of the other strand and swapped: alleles and effects were turned",
            "palindromic": "are A/T or C/G and not the genome's, swapped or of the other strand: left out",
        }
        return notes + [f"  {self.of(status):,} {what}" for status, what in told.items() if self.of(status)]


def check(con: duckdb.DuckDBPyConnection, genome: Genome, assembly: str) -> Checked:
    """Compare every unchecked variant that the genome covers, store what was found, and turn what has to be turned."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE checked (chrom chrom_t, pos INTEGER, ref VARCHAR, alt VARCHAR, s VARCHAR)"
    )
    tellable = unexplained = 0
    for chrom, pos, ref, alt in _unchecked(con, genome, assembly):
        status, is_tellable = _status(genome, chrom, pos, ref, alt)
        tellable += int(is_tellable.sum())
        unexplained += int((is_tellable & (status == "mismatch")).sum())
        part = pa.table({"chrom": pa.repeat(chrom, len(pos)), "pos": pos, "ref": ref, "alt": alt, "s": status})  # noqa: F841
        con.execute("INSERT INTO checked SELECT * FROM part")
    _resolve_palindromes(con, assembly)
    counts = dict(con.execute("SELECT s, count(*) FROM checked GROUP BY s").fetchall())
    checked = Checked(counts, tellable, unexplained)
    if checked.is_elsewhere:  # what fits there fits by chance: if it is kept at all, nothing is turned
        con.execute("UPDATE checked SET s = 'mismatch' WHERE s <> 'match'")
    if counts:
        same = "variant.chrom = c.chrom AND variant.pos = c.pos AND variant.ref = c.ref AND variant.alt = c.alt"
        con.execute(f"UPDATE variant SET ref_status = c.s FROM checked AS c WHERE assembly = ? AND {same}", [assembly])
        _turn(con, assembly)
    return checked


def _unchecked(
    con: duckdb.DuckDBPyConnection, genome: Genome, assembly: str
) -> Iterator[tuple[str, npt.NDArray[np.int64], Texts, Texts]]:
    """(chrom, pos, ref, alt) of the unchecked variants whose REF each contig covers wholly."""
    for contig in genome.contigs:
        v = con.execute(
            "SELECT pos::BIGINT AS pos, ref, alt FROM variant WHERE assembly = ? AND ref_status = 'unchecked' "
            "AND chrom = TRY_CAST(? AS chrom_t) AND chrom_start >= ? AND chrom_end <= ? ORDER BY variant.pos",
            [assembly, contig.chrom, contig.start, contig.end],
        ).fetchnumpy()
        if len(v["pos"]):
            yield contig.chrom, np.asarray(v["pos"]), np.asarray(v["ref"], object), np.asarray(v["alt"], object)


def _status(
    genome: Genome, chrom: str, pos: npt.NDArray[np.int64], ref: Texts, alt: Texts
) -> tuple[Texts, npt.NDArray[np.bool_]]:
    """Status of each variant (1-based `pos`), and whether a mismatch could be told: no allele of either strand fits a
    substitution of one base that is not A/T or C/G, whatever the genome says."""
    status = np.full(len(pos), "mismatch", dtype=object)
    status[genome.alleles_match(chrom, pos - 1, ref.tolist())] = "match"
    is_tellable = np.array(
        [len(r) != 1 or len(a) != 1 or r.translate(_COMPLEMENT) == a for r, a in zip(ref, alt, strict=True)], np.bool_
    )
    rest = np.flatnonzero(status == "mismatch")
    turned = {"swapped": alt[rest], "strand": _complement(ref[rest]), "strand_swapped": _complement(alt[rest])}
    fits = {name: _fits(genome, chrom, pos[rest] - 1, alleles) for name, alleles in turned.items()}
    of_one_length = np.array([len(r) == len(a) for r, a in zip(ref[rest], alt[rest], strict=True)], np.bool_)
    for name in ("strand_swapped", "strand"):
        status[rest[fits[name] & of_one_length]] = name
    status[rest[fits["swapped"]]] = "swapped"
    status[rest[fits["swapped"] & fits["strand"] & of_one_length]] = "palindromic"
    return status, is_tellable


def _complement(alleles: Texts) -> Texts:
    return np.array([allele[::-1].translate(_COMPLEMENT) for allele in alleles], dtype=object)


def _fits(genome: Genome, chrom: str, starts: npt.NDArray[np.int64], alleles: Texts) -> npt.NDArray[np.bool_]:
    fits = np.zeros(len(starts), np.bool_)
    lengths = np.array([len(allele) for allele in alleles], np.int64)
    rows = np.flatnonzero(genome.covers(chrom, starts, starts + lengths))
    if len(rows):
        fits[rows] = genome.alleles_match(chrom, starts[rows], alleles[rows].tolist())
    return fits


def _resolve_palindromes(con: duckdb.DuckDBPyConnection, assembly: str) -> None:
    """Tell swapped from strand where both this source and a checked one give the frequency of ALT, away from 0.5.

    On the other strand ALT stays ALT and has the same frequency; swapped, it has 1 minus that.
    """
    con.execute(
        """
        UPDATE checked SET s = CASE WHEN (f.given < 0.5) = (f.known < 0.5) THEN 'strand' ELSE 'swapped' END
        FROM (
          SELECT g.chrom, g.pos, g.ref, g.alt, any_value(g.af) AS given, any_value(k.af) AS known
          FROM qtl AS g
          JOIN qtl AS k ON k.assembly = g.assembly AND k.chrom = g.chrom AND k.pos = g.pos AND k.ref = g.alt AND k.alt
          = g.ref JOIN variant AS v ON v.assembly = k.assembly AND v.chrom = k.chrom AND v.pos = k.pos AND v.ref = k.ref
            AND v.alt = k.alt AND v.ref_status = 'match'
          WHERE g.assembly = ? AND abs(g.af - 0.5) > 0.1 AND abs(k.af - 0.5) > 0.1
          GROUP BY ALL
        ) AS f
        WHERE s = 'palindromic' AND checked.chrom = f.chrom AND checked.pos = f.pos AND checked.ref = f.ref
          AND checked.alt = f.alt""",
        [assembly],
    )


def _turn(con: duckdb.DuckDBPyConnection, assembly: str) -> None:
    """Turn what refers to swapped or complemented variants to the variant that the genome has."""
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE turned AS SELECT *, {_NEW_REF} AS new_ref, {_NEW_ALT} AS new_alt, "
        "s <> 'strand' AS is_swapped FROM checked WHERE s IN ('swapped', 'strand', 'strand_swapped')"
    )
    if not con.execute("SELECT count(*) FROM turned").fetchall()[0][0]:
        return
    con.execute(
        "INSERT INTO variant (assembly, chrom, pos, ref, alt, ref_status) "
        "SELECT new.*, 'match' FROM (SELECT DISTINCT ?::assembly_t AS assembly, chrom, pos, new_ref AS ref, new_alt "
        "AS alt "
        f"FROM turned) AS new ANTI JOIN variant ON {variants.same('variant', 'new')}",
        [assembly],
    )
    values = {
        "qtl": "slope = if(t.is_swapped, 2 * (SELECT null_value FROM source AS s WHERE s.source_id = qtl.source_id) "
        "- slope, "
               "slope), af = if(t.is_swapped, 1 - af, af), reoriented = t.s",
        "credible": "z = if(t.is_swapped, -z, z), posterior_mean = if(t.is_swapped, -posterior_mean, posterior_mean), "
                    "reoriented = t.s",
        "listed_variant": "name = name",
    }  # fmt: skip
    for table, change in values.items():
        con.execute(
            f"UPDATE {table} SET ref = t.new_ref, alt = t.new_alt, {change} FROM turned AS t WHERE {table}.assembly "
            f"= ? "
            f"AND {table}.chrom = t.chrom AND {table}.pos = t.pos AND {table}.ref = t.ref AND {table}.alt = t.alt",
            [assembly],
        )
