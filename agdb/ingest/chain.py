"""Liftover: a UCSC chain file becomes rows, one a gapless block, and lifting becomes a join of `staged` with them.

A chain is 0-based half-open; on a minus query strand its positions count from the end of the chromosome. What cannot be
lifted to exactly one place is rejected with a reason: `lift_unmapped` (the base is not in the other assembly),
`lift_split` (not as a whole, or not to one place), `lift_multiple` (to several places), `lift_other_contig` (to no
primary chromosome), `lift_collision` (to where a better chain has another place of the first assembly: two variants
would become one), `lift_indel_on_minus_strand` (its anchor base would be on the wrong side), `lift_partial` (less than
95 % of an interval, as UCSC liftOver has it).
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow as pa

from agdb import genome
from agdb.errors import Refused
from agdb.ingest import source, text
from agdb.ingest.plan import Rule
from agdb.ingest.variants import chrom_of

#: Share of the bases of an interval that have to lie in one chain: the default of UCSC liftOver (-minMatch).
MIN_MATCH = 0.95

#: For a plan whose rows are lifted: a column of `staged` that says why a row was not.
UNFIT = {"unfit": "NULL::VARCHAR"}
REASONS = ("lift_unmapped", "lift_split", "lift_multiple", "lift_other_contig", "lift_collision",
           "lift_indel_on_minus_strand", "lift_partial")  # fmt: skip
RULES = [Rule(reason, "", f"unfit = '{reason}'", "", "", False) for reason in REASONS]

_Block = tuple[int, int, str, int, int, str, str, int]
_COLUMNS = ("chain_id", "score", "chrom", "chrom_start", "chrom_end", "to_chrom", "to_strand", "to_start")
_LONGEST = 2**31 - 1


class _Header(NamedTuple):
    """The first line of a chain: bases [start, end) of a chromosome, and those that they are in the other assembly."""

    score: int
    chrom: str
    length: int
    start: int
    end: int
    to_chrom: str
    to_length: int
    to_strand: str
    to_start: int
    to_end: int
    chain_id: int


class _Chains(NamedTuple):
    """The blocks of a file, and the lengths of the chromosomes of its two assemblies."""

    blocks: list[_Block]
    lengths: dict[str, int]
    to_lengths: dict[str, int]


def ingest(con: duckdb.DuckDBPyConnection, path: Path, from_assembly: str | None = None) -> source.Loaded:
    """Load a chain file. Its two assemblies are told by the lengths of their chromosomes.

    Raises:
        Refused: it is no chain file, is damaged, is of an assembly that agdb does not know, or does not lift from the
            assembly `from_assembly`.
    """
    digest = source.sha256(path)
    with text.opened(path) as file:
        chains = _read(file, con)
    is_from, to = (_assembly(con, path, lengths) for lengths in chains[1:])
    if from_assembly not in (None, is_from):
        raise Refused(f"the chain lifts from {is_from}, the file is on {from_assembly}", where=str(path),
                      cure="give the chain whose name begins with the assembly of the file")  # fmt: skip
    draft = source.Draft("chain", "chain", path, to, lifted_from=is_from)
    if seen := source.already(con, draft, digest):
        return seen
    with source.loading(con, draft, digest) as loaded:
        con.register("blocks", pa.table(list(map(pa.array, zip(*chains.blocks, strict=True))), names=_COLUMNS))
        chrom = chrom_of("chrom")
        con.execute(
            f"INSERT INTO chain_block BY NAME SELECT ? AS source_id, * REPLACE ({chrom} AS chrom) FROM blocks "
            f"WHERE {chrom} IS NOT NULL",
            [loaded.source_id],
        )
        con.unregister("blocks")
        n = con.execute("SELECT count(*) FROM chain_block WHERE source_id = ?", [loaded.source_id]).fetchall()[0][0]
        loaded.rows_read, loaded.rows_kept = len(chains.blocks), n
        loaded.sha256, loaded.bytes = file.sha256, file.bytes_read
        loaded.notes.append(f"lifts {is_from} to {to}")
    return loaded


def _read(file: text.Text, con: duckdb.DuckDBPyConnection) -> _Chains:
    chains = _Chains([], {}, {})
    folder = Path(str(con.execute("SELECT current_setting('temp_directory')").fetchall()[0][0]))
    with file.chunks(0, folder) as chunks:
        chains.blocks.extend(_blocks(file.path, _lines(chunks), chains))
    if not chains.blocks:
        raise Refused("the chain file holds no blocks", where=str(file.path), cure="download it again")
    return chains


def _lines(chunks: Iterable[text.Chunk]) -> Iterator[tuple[int, list[str]]]:
    """(number of the line, its words) for all lines but comments and blank ones."""
    for chunk in chunks:
        with chunk.path.open(encoding="utf-8", errors="replace") as file:
            for number, line in enumerate(file, chunk.first_line):
                if (words := line.split()) and not words[0].startswith("#"):
                    yield number, words


def _blocks(path: Path, lines: Iterator[tuple[int, list[str]]], chains: _Chains) -> Iterator[_Block]:
    ids: set[int] = set()
    for opening, words in lines:
        h = _header(path, opening, words)
        if h.chain_id in ids:
            raise _damaged(path, opening, f"the id {h.chain_id} is that of another chain too")
        ids.add(h.chain_id)
        for name, length, lengths in ((h.chrom, h.length, chains.lengths), (h.to_chrom, h.to_length, chains[2])):
            if lengths.setdefault(genome.chrom_of(name), length) != length:
                raise _damaged(path, opening, f"{name} has another length than in the chains above")
        t, q, number, gap = h.start, h.to_start, opening, [0, 0]
        while gap:
            number, words = next(lines, (number, ["(the file ends)"]))
            size, *gap = (int(word) if word.isdecimal() else -1 for word in words)
            if size < 1 or len(gap) not in (0, 2) or min(gap, default=0) < 0:
                raise _damaged(path, number, f"this is no block of a chain: {' '.join(words)[:60]!r}")
            to_start = q if h.to_strand == "+" else h.to_length - q - size
            yield h.chain_id, h.score, h.chrom, t, t + size, h.to_chrom, h.to_strand, to_start
            t, q = t + size + sum(gap[:1]), q + size + sum(gap[1:])
        if (t, q) != (h.end, h.to_end):
            raise _damaged(path, opening, "the blocks of the chain do not add up to its length")


def _header(path: Path, number: int, words: list[str]) -> _Header:
    if words[0] != "chain" or len(words) not in (12, 13):
        raise _damaged(path, number, f"a chain should begin here: {' '.join(words)[:60]!r}")
    try:
        score, length, start, end, to_length, to_start, to_end = (int(words[i]) for i in (1, 3, 5, 6, 8, 10, 11))
        chain_id = int(words[12]) if len(words) == 13 else number
    except ValueError as error:
        raise _damaged(path, number, f"a number of the chain is none: {' '.join(words)[:60]!r}") from error
    if words[4] != "+" or words[9] not in ("+", "-"):
        raise _damaged(path, number, f"no chain has the strands {words[4]!r} and {words[9]!r}")
    if not (0 <= start < end <= length <= _LONGEST and 0 <= to_start < to_end <= to_length <= _LONGEST):
        raise _damaged(path, number, "the chain is empty or reaches beyond its chromosome")
    return _Header(score, words[2], length, start, end, words[7], to_length, words[9], to_start, to_end, chain_id)


def _damaged(path: Path, number: int, what: str) -> Refused:
    return Refused(f"this is not a UCSC chain file, or it is damaged: {what}", where=f"{path}, line {number}",
                   cure="download it again; nothing was kept")  # fmt: skip


def _assembly(con: duckdb.DuckDBPyConnection, path: Path, lengths: dict[str, int]) -> str:
    """The assembly whose chromosomes have these lengths."""
    found = con.execute("SELECT assembly::VARCHAR, chrom::VARCHAR, length FROM contig WHERE chrom <> 'chrM'").fetchall()
    agree = {(a, lengths[chrom] == length) for a, chrom, length in found if chrom in lengths}
    fitting = [a for a, same in agree if same and (a, False) not in agree]
    if len(fitting) != 1:
        chrom, length = next(iter(lengths.items()))
        raise Refused(f"the chain is of an assembly that agdb does not know ({chrom} has {length:,} bases)",
                      where=str(path), cure="agdb knows NCBI36 (hg18), GRCh37 (hg19) and GRCh38 (hg38)")  # fmt: skip
    return str(fitting[0])


def chosen(con: duckdb.DuckDBPyConnection, path: Path, from_assembly: str) -> tuple[int, str]:
    """The source_id and target assembly of the chain file at `path`, which is ingested, and stays, if it is new.

    Raises:
        Refused: it does not lift from `from_assembly`.
    """
    source_id = ingest(con, path, from_assembly).source_id
    to = con.execute("SELECT assembly::VARCHAR FROM source WHERE source_id = ?", [source_id]).fetchall()[0][0]
    return source_id, str(to)


#: SQL of where the variants of `staged` go, and of those whose place there a better chain has of elsewhere. Which chain
#: is better hangs on the chains alone, not on which variants a file has.
_PLACED = """
held AS (
  SELECT v.id, v.s, v.e, count(b.chrom) AS held, count(*) FILTER (v.e <= b.chrom_end) AS n,
         any_value(b) FILTER (v.e <= b.chrom_end) AS b
  FROM (SELECT rowid AS id, chrom, pos - 1 AS s, pos - 1 + coalesce(length(ref), 1) AS e FROM staged) AS v
  LEFT JOIN chain_bin AS b
    ON b.source_id = {chain} AND b.chrom = v.chrom AND b.bin = v.s >> 17
   AND v.s >= b.chrom_start AND v.s < b.chrom_end
  GROUP BY ALL
),
placed AS (
  SELECT id, held, n, b.*, b.to_start + if(b.to_strand = '+', s - b.chrom_start, b.chrom_end - e) AS to_s FROM held
),
there AS (
  SELECT *, to_start + chrom_end - chrom_start AS to_end,
         unnest(range(to_start >> 17, ((to_start + chrom_end - chrom_start - 1) >> 17) + 1)) AS bin
  FROM chain_block
  WHERE source_id = {chain}
),
taken AS (
  SELECT DISTINCT p.id
  FROM placed AS p
  JOIN there AS t
    ON t.to_chrom = p.to_chrom AND t.bin = p.to_s >> 17 AND p.to_s >= t.to_start AND p.to_s < t.to_end
   AND (t.score, -t.chain_id) > (p.score, -p.chain_id)
)"""


def lift_variants(con: duckdb.DuckDBPyConnection, chain: int) -> None:
    """Move chrom, pos, ref and alt of `staged` to the other assembly; set `unfit` where that is not possible.

    The whole REF has to lie in one block. On the minus strand alleles are complemented and turned round.
    """
    to_chrom, turned = chrom_of("to_chrom"), "translate(reverse({0}), 'ACGT', 'TGCA')"
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE lifted AS
        WITH {_PLACED.format(chain=chain)}
        SELECT id, to_strand, to_s, {to_chrom} AS new_chrom,
               CASE WHEN held = 0 THEN 'lift_unmapped' WHEN n = 0 THEN 'lift_split' WHEN n > 1 THEN 'lift_multiple'
                    WHEN {to_chrom} IS NULL THEN 'lift_other_contig'
                    WHEN id IN (FROM taken) THEN 'lift_collision' END AS why
        FROM placed"""
    )
    con.execute(
        "UPDATE staged SET unfit = coalesce(l.why, if(l.to_strand = '-' AND length(ref) <> length(alt), "
        "'lift_indel_on_minus_strand', NULL)) FROM lifted AS l WHERE l.id = staged.rowid"
    )
    con.execute(  # a row that is rejected stays as it was
        f"""
        UPDATE staged SET
          chrom = l.new_chrom, pos = 1 + l.to_s,
          ref = if(l.to_strand = '+', ref, {turned.format("ref")}),
          alt = if(l.to_strand = '+', alt, {turned.format("alt")})
        FROM lifted AS l WHERE l.id = staged.rowid AND unfit IS NULL"""
    )


#: SQL of what becomes of an interval of `staged` in each chain that it meets: `share` of its bases go to [to_s, to_e).
_PER_CHAIN = """
binned AS (
  SELECT rowid AS id, chrom, chrom_start::INTEGER AS s, chrom_end::INTEGER AS e, summit::INTEGER AS summit,
         unnest(range(chrom_start::INTEGER >> 17, ((chrom_end::INTEGER - 1) >> 17) + 1)) AS bin
  FROM staged
),
hit AS (
  SELECT p.id, p.e - p.s AS width, p.summit, b.*,
         greatest(p.s, b.chrom_start) AS s, least(p.e, b.chrom_end) AS e
  FROM binned AS p
  JOIN chain_bin AS b
    ON b.source_id = {chain} AND b.chrom = p.chrom AND b.bin = p.bin
   AND p.s < b.chrom_end AND p.e > b.chrom_start
   AND p.bin = greatest(b.first_bin, p.s >> 17)  -- a pair that shares several bins is found in the first
),
moved AS (
  SELECT *, to_start + if(to_strand = '+', s - chrom_start, chrom_end - e) AS to_s,
         CASE WHEN summit BETWEEN s AND e - 1
              THEN to_start + if(to_strand = '+', summit - chrom_start, chrom_end - 1 - summit) END AS to_summit
  FROM hit
),
per_chain AS (
  SELECT id, chain_id, any_value(to_chrom) AS to_chrom, sum(e - s) / any_value(width) AS share,
         min(to_s) AS to_s, max(to_s + e - s) AS to_e, any_value(to_summit) AS to_summit
  FROM moved
  GROUP BY id, chain_id
)"""


def lift_intervals(con: duckdb.DuckDBPyConnection, chain: int) -> None:
    """Move chrom, chrom_start, chrom_end and summit of `staged` to the other assembly; set `unfit` where that fails.

    Of an interval at least `MIN_MATCH` of the bases have to lie in one chain; it reaches from the first to the last of
    them there. A summit that is not among them is lost.
    """
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE lifted AS
        WITH {_PER_CHAIN.format(chain=chain)}
        SELECT id, count(*) FILTER (share >= {MIN_MATCH}) AS n, sum(share) AS share,
               arg_max(per_chain, (share, -chain_id)) AS best
        FROM per_chain
        GROUP BY id"""
    )
    con.execute("UPDATE staged SET unfit = 'lift_unmapped' WHERE rowid NOT IN (SELECT id FROM lifted)")
    con.execute(
        f"""
        UPDATE staged SET
          unfit = CASE WHEN l.n > 1 THEN 'lift_multiple'
                       WHEN l.n = 0 THEN if(l.share >= {MIN_MATCH}, 'lift_split', 'lift_partial')
                       WHEN {chrom_of("l.best.to_chrom")} IS NULL THEN 'lift_other_contig' END,
          chrom = coalesce({chrom_of("l.best.to_chrom")}, chrom),
          chrom_start = l.best.to_s, chrom_end = l.best.to_e, summit = l.best.to_summit
        FROM lifted AS l WHERE l.id = staged.rowid"""
    )
