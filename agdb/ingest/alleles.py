"""Alleles against the genome: what each variant's REF is there, and turning what is swapped or of the other strand.

A variant whose whole REF is the genome's is a `match`. Where ALT is instead, the source has them `swapped`; where the
genome has their complement, they are of the other `strand`, or both (`strand_swapped`): what refers to such a variant
is turned to the one that the genome has, and says so in `reoriented`. An A/T or C/G variant whose REF is not the
genome's may be swapped or of the other strand, and its effect has one sign or the other: `palindromic`, not analysed,
but for the associations whose own allele frequency tells which. All else is a `mismatch`, not analysed. An indel of
which both alleles fit is a match, unless its source has swapped others (`indels`). Whether genome or source comes first
makes no difference.
"""

from collections.abc import Iterator
from typing import NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from agdb.genome import Genome
from agdb.ingest import indels, normalize
from agdb.schema import same

#: More alleles than this share (and at least so many) that neither REF nor ALT explains: another assembly. hg19 under
#: hg38 variants gives 79 % that differ from REF, most of them from ALT too; the right assembly none of 495 real ones.
MAX_MISMATCH_SHARE, MIN_MISMATCHES = 0.05, 10
#: Where the other strand would explain them, so many variants that no strand can explain have to fit nevertheless.
ENOUGH_TO_TELL = 20

#: Allele frequencies this near to 0.5 do not tell an allele from the other one.
TOO_NEAR = 0.1

_REF, _ALT = (f"translate(reverse({allele}), 'ACGT', 'TGCA')" for allele in ("ref", "alt"))
#: SQL of the variants whose alleles the genome has in another order or on the other strand, and what they are there.
TURNED = f"""
SELECT assembly, chrom, pos, ref, alt, ref_status AS s, ref_status <> 'strand' AS is_swapped,
       CASE ref_status WHEN 'swapped' THEN alt WHEN 'strand' THEN {_REF} ELSE {_ALT} END AS new_ref,
       CASE ref_status WHEN 'swapped' THEN ref WHEN 'strand' THEN {_ALT} ELSE {_REF} END AS new_alt
FROM variant
WHERE ref_status IN ('swapped', 'strand', 'strand_swapped')"""

# What refers to variants: what tells two rows of one variant apart, and what changes with the alleles.
_NULL_VALUE = "(SELECT coalesce(null_value, 0) FROM source WHERE source.source_id = qtl.source_id)"
_SIGNED = "t.is_swapped AND (SELECT is_signed FROM computation AS c WHERE c.computation_id = prediction.computation_id)"
_REFER = {
    "qtl": (
        "source_id, gene_id, molecular_trait_id",
        f"slope = if(t.is_swapped, 2 * {_NULL_VALUE} - slope, slope), af = if(t.is_swapped, 1 - af, af), "
        "reoriented = t.s",
    ),
    "credible": (
        "source_id, gene_id, molecular_trait_id, cs_id",
        "z = if(t.is_swapped, -z, z), posterior_mean = if(t.is_swapped, -posterior_mean, posterior_mean), "
        "reoriented = t.s",
    ),
    "listed_variant": ("source_id, name", "reoriented = t.s"),
    "prediction": (
        "computation_id, gene_id, track_id",
        f"score = if({_SIGNED}, -score, score), quantile = if({_SIGNED}, -quantile, quantile), "
        "ref_value = if(t.is_swapped, alt_value, ref_value), alt_value = if(t.is_swapped, ref_value, alt_value)",
    ),
    "scored_variant": ("computation_id, tracks", "tracks = tracks"),
}
_IMPORTED = "WHERE q.computation_id IN (SELECT computation_id FROM computation WHERE provider = 'import')"
_COMPLEMENT = str.maketrans("ACGT", "TGCA")

Texts = npt.NDArray[np.object_]


class Checked(NamedTuple):
    """Variants compared with the genome, by status, and of those that no strand could explain: how many, and how many
    do not fit. `turned` counts the associations that were turned, `doubted` the indels that may be swapped, `respelled`
    the changes of the sequence that several variants are."""

    counts: dict[str, int]
    tellable: int
    unexplained: int
    turned: int = 0
    doubted: int = 0
    respelled: int = 0

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

    @property
    def may_be_elsewhere(self) -> bool:
        """Whether so few fit as where variants are compared with another assembly, but too few to tell."""
        off = self.of("strand", "strand_swapped", "mismatch")
        return off > MAX_MISMATCH_SHARE * self.n and 2 * self.of("match") < self.n

    def refusal(self, assembly: str) -> str:
        differ = self.n - self.of("match")
        return (
            f"{differ / self.n:.0%} of the REF alleles differ ({differ:,} of {self.n:,}; of these "
            f"{self.of('swapped'):,} "
            f"are the ALT allele): this looks like another assembly than {assembly}"
        )

    def notes(self) -> list[str]:
        """What to tell the user."""
        off = self.n - self.of("match") if self.is_elsewhere else self.of("mismatch")
        notes = [
            f"REF of {self.n:,} variants compared with the genome: {self.of('match'):,} match, {off:,} mismatch "
            f"({off / self.n:.1%})"
        ] if self.n else []  # fmt: skip
        if self.is_elsewhere:
            return notes
        told = {
            "swapped": "have REF and ALT swapped: turned, with what effects they have",
            "strand": "are of the other strand: their alleles were complemented",
            "strand_swapped": "are of the other strand and swapped: alleles and effects were turned",
            "palindromic": "are A/T or C/G and not the genome's, swapped or of the other strand: left out",
        }
        notes += [f"  {self.of(status):,} {what}" for status, what in told.items() if self.of(status)]
        if self.may_be_elsewhere:
            notes.append("warning: another assembly would look like this, and so few variants cannot tell\n"
                         "    cure: look up where the table says its positions are from")  # fmt: skip
        if self.doubted:
            notes.append(f"  {self.doubted:,} indels may be swapped, as others of their sources are: left out")
        if self.respelled:
            notes.append(f"warning: {self.respelled:,} indels are there in several spellings, each a variant of its own"
                         "\n    cure: left-align the sources first (bcftools norm -f FASTA)")  # fmt: skip
        if self.turned and not self.of("swapped", "strand", "strand_swapped"):
            notes.append(f"  {self.turned:,} associations were turned: their variants are known, or frequencies tell")
        return notes


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
    counts = dict(con.execute("SELECT s, count(*) FROM checked GROUP BY s").fetchall())
    checked = Checked(counts, tellable, unexplained)
    if checked.is_elsewhere:  # what fits there fits by chance: if it is kept at all, nothing is turned
        con.execute("UPDATE checked SET s = 'mismatch' WHERE s <> 'match'")
    if counts:
        same = "variant.chrom = c.chrom AND variant.pos = c.pos AND variant.ref = c.ref AND variant.alt = c.alt"
        con.execute(f"UPDATE variant SET ref_status = c.s FROM checked AS c WHERE assembly = ? AND {same}", [assembly])
    turned = _turn(con, assembly)
    doubted = indels.doubt(con, genome, assembly)
    turned += _turn_palindromes(con, assembly)
    respelled = normalize.in_several_spellings(con, genome, assembly)
    return checked._replace(turned=turned, doubted=doubted, respelled=respelled)


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
    fits = {name: indels.fits(genome, chrom, pos[rest] - 1, alleles) for name, alleles in turned.items()}
    of_one_length = np.array([len(r) == len(a) for r, a in zip(ref[rest], alt[rest], strict=True)], np.bool_)
    for name in ("strand_swapped", "strand"):
        status[rest[fits[name] & of_one_length]] = name
    status[rest[fits["swapped"]]] = "swapped"
    status[rest[fits["swapped"] & fits["strand"] & of_one_length]] = "palindromic"
    return status, is_tellable


def _complement(alleles: Texts) -> Texts:
    return np.array([allele[::-1].translate(_COMPLEMENT) for allele in alleles], dtype=object)


def _turn(con: duckdb.DuckDBPyConnection, assembly: str) -> int:
    """Turn what refers to swapped or complemented variants to the variant that the genome has.

    Of a source that has both already, the one that is written as the genome is stays the only one. What a provider
    computed for alleles that the genome does not have stays theirs: it was not computed for these.
    """
    con.execute(f"CREATE OR REPLACE TEMP TABLE turned AS SELECT * FROM ({TURNED}) WHERE assembly = ?", [assembly])
    if not con.execute("SELECT count(*) FROM turned").fetchall()[0][0]:
        return 0
    con.execute(
        "INSERT INTO variant (assembly, chrom, pos, ref, alt, ref_status) SELECT new.*, 'match' FROM "
        "(SELECT DISTINCT assembly, chrom, pos, new_ref AS ref, new_alt AS alt FROM turned) AS new "
        f"ANTI JOIN variant ON {same('variant', 'new')}"
    )
    n = 0
    for table, (identity, change) in _REFER.items():
        con.execute(_moving(table, identity.split(", ")))
        if table == "qtl":
            _turn_egenes(con)
        moved = con.execute(f"UPDATE {table} SET ref = t.new_ref, alt = t.new_alt, {change} FROM moving AS t "
                            f"WHERE {table}.rowid = t.id").fetchall()  # fmt: skip
        n += moved[0][0] if table == "qtl" else 0
    return n


def _moving(table: str, identity: list[str]) -> str:
    """SQL that notes which rows of `table` move where: of rows that would become one, the first."""
    is_there = " AND ".join(f"there.{c} IS NOT DISTINCT FROM q.{c}" for c in identity)
    return f"""
        CREATE OR REPLACE TEMP TABLE moving AS
        SELECT q.rowid AS id, t.*
        FROM {table} AS q
        JOIN turned AS t ON {same("t", "q")}
        ANTI JOIN {table} AS there
          ON there.assembly = q.assembly AND there.chrom = q.chrom AND there.pos = q.pos AND there.ref = t.new_ref
         AND there.alt = t.new_alt AND {is_there}
        {_IMPORTED if "computation_id" in identity else ""}
        QUALIFY row_number() OVER (
          PARTITION BY q.chrom, q.pos, t.new_ref, t.new_alt, {", ".join(f"q.{c}" for c in identity)} ORDER BY q.rowid
        ) = 1"""


def _turn_egenes(con: duckdb.DuckDBPyConnection) -> None:
    """The facts of egenes that have a direction, of the associations that are about to move."""
    con.execute(
        """
        UPDATE egene SET ref_factor = -ref_factor, log2_afc = -log2_afc, log2_afc_lower = -log2_afc_upper,
                         log2_afc_upper = -log2_afc_lower
        FROM (SELECT DISTINCT q.source_id, q.gene_id, q.signal_rank FROM qtl AS q
              JOIN moving AS m ON m.id = q.rowid WHERE m.is_swapped) AS lead
        WHERE egene.source_id = lead.source_id AND egene.gene_id = lead.gene_id
          AND egene.signal_rank IS NOT DISTINCT FROM lead.signal_rank"""
    )


def _turn_palindromes(con: duckdb.DuckDBPyConnection, assembly: str) -> int:
    """Turn the associations of palindromic variants whose own frequency of ALT and that of a checked source tell how.

    On the other strand ALT stays ALT and has the same frequency; swapped, it has 1 minus that. An indel is never of the
    other strand.
    """
    if not con.execute("SELECT count(*) FROM variant WHERE ref_status = 'palindromic'").fetchall()[0][0]:
        return 0
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE moving AS
        WITH known AS (  -- all checked sources agree on which allele is the rare one
          SELECT v.chrom, v.pos, v.ref, v.alt, bool_and(q.af < 0.5) AS is_rare
          FROM variant AS v
          JOIN qtl AS q ON {same("q", "v")}
          WHERE v.assembly = $assembly AND v.ref_status = 'match' AND abs(q.af - 0.5) > {TOO_NEAR}
          GROUP BY v.chrom, v.pos, v.ref, v.alt
          HAVING bool_and(q.af < 0.5) OR bool_and(q.af > 0.5)
        )
        SELECT q.rowid AS id, q.ref AS new_alt, q.alt AS new_ref, (q.af < 0.5) <> k.is_rare AS is_swapped,
               if((q.af < 0.5) = k.is_rare, 'strand', 'swapped') AS s
        FROM qtl AS q
        JOIN variant AS v ON {same("v", "q")} AND v.ref_status = 'palindromic'
        JOIN known AS k ON k.chrom = q.chrom AND k.pos = q.pos AND k.ref = q.alt AND k.alt = q.ref
        ANTI JOIN qtl AS w
          ON w.source_id = q.source_id AND w.assembly = q.assembly AND w.chrom = q.chrom AND w.pos = q.pos
         AND w.ref = q.alt AND w.alt = q.ref AND w.gene_id IS NOT DISTINCT FROM q.gene_id
         AND w.molecular_trait_id IS NOT DISTINCT FROM q.molecular_trait_id
        WHERE q.assembly = $assembly AND abs(q.af - 0.5) > {TOO_NEAR}
          AND (length(q.ref) = length(q.alt) OR (q.af < 0.5) <> k.is_rare)""",
        {"assembly": assembly},
    )
    _turn_egenes(con)
    change = _REFER["qtl"][1]
    moved = con.execute(
        f"UPDATE qtl SET ref = t.new_ref, alt = t.new_alt, {change} FROM moving AS t WHERE qtl.rowid = t.id"
    )
    return int(moved.fetchall()[0][0])
