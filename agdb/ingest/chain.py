"""Liftover: a UCSC chain file becomes rows, one a gapless block, and lifting becomes a join of `staged` with them.

A chain is 0-based half-open; on a minus query strand its positions count from the end of the chromosome. What cannot be
lifted to exactly one place is rejected with a reason: `lift_unmapped` (the base is not in the other assembly),
`lift_split` (not as a whole, or not to one place), `lift_multiple` (to several places), `lift_other_contig` (to no
primary chromosome), `lift_indel_on_minus_strand` (its anchor base would be on the wrong side), `lift_partial` (less
than 95 % of an interval, as UCSC liftOver has it).
"""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa

from agdb.errors import Refused
from agdb.ingest import source, text
from agdb.ingest.table import Rule
from agdb.ingest.variants import chrom_of

#: Share of the bases of an interval that have to lie in one chain: the default of UCSC liftOver (-minMatch).
MIN_MATCH = 0.95

#: For a plan whose rows are lifted: a column of `staged` that says why a row was not.
UNFIT = {"unfit": "NULL::VARCHAR"}
REASONS = (
    "lift_unmapped",
    "lift_split",
    "lift_multiple",
    "lift_other_contig",
    "lift_indel_on_minus_strand",
    "lift_partial",
)
RULES = [Rule(reason, "", f"unfit = '{reason}'", "", "", False) for reason in REASONS]

_Block = tuple[int, int, str, int, int, str, str, int]


def ingest(con: duckdb.DuckDBPyConnection, path: Path) -> source.Loaded:
    """Load a chain file. Its two assemblies are told by the lengths of their chromosomes.

    Raises:
        Refused: it is no chain file, is damaged, or is of an assembly that agdb does not know.
    """
    digest = source.sha256(path)
    with text.opened(path) as file:
        blocks, sizes = _read(file, con)
    from_assembly, to_assembly = (_assembly(con, path, lengths) for lengths in sizes)
    draft = source.Draft("chain", "chain", path, to_assembly, lifted_from=from_assembly)
    if seen := source.already(con, draft, digest):
        return seen
    with source.loading(con, draft, digest) as loaded:
        names = ("chain_id", "score", "chrom", "chrom_start", "chrom_end", "to_chrom", "to_strand", "to_start")
        con.register("blocks", pa.table([pa.array(c) for c in zip(*blocks, strict=True)], names=names))
        con.execute(
            "INSERT INTO chain_block BY NAME SELECT ? AS source_id, * REPLACE (TRY_CAST(chrom AS chrom_t) AS chrom) "
            "FROM blocks WHERE TRY_CAST(chrom AS chrom_t) IS NOT NULL",
            [loaded.source_id],
        )
        con.unregister("blocks")
        n = con.execute("SELECT count(*) FROM chain_block WHERE source_id = ?", [loaded.source_id]).fetchall()[0][0]
        loaded.rows_read, loaded.rows_kept = len(blocks), n
        loaded.sha256, loaded.bytes = file.sha256, file.bytes_read
        loaded.notes.append(f"lifts {from_assembly} to {to_assembly}")
    return loaded


def _read(
    file: text.Text, con: duckdb.DuckDBPyConnection
) -> tuple[list[_Block], tuple[dict[str, int], dict[str, int]]]:
    """All blocks, and the lengths of the chromosomes of both assemblies."""
    sizes: tuple[dict[str, int], dict[str, int]] = ({}, {})
    folder = Path(str(con.execute("SELECT current_setting('temp_directory')").fetchall()[0][0]))
    blocks: list[_Block] = []
    with file.chunks(0, folder) as chunks:
        lines = (line for chunk in chunks for line in chunk.path.open(encoding="utf-8"))
        try:
            blocks.extend(_blocks(lines, sizes))
        except (ValueError, IndexError) as error:
            what = f"this is not a UCSC chain file, or it is damaged: {error}"
            raise Refused(what, where=str(file.path), cure="download it again; nothing was kept") from error
    if not blocks:
        raise Refused("the chain file holds no blocks", where=str(file.path), cure="download it again")
    return blocks, sizes


def _blocks(lines: Iterator[str], sizes: tuple[dict[str, int], dict[str, int]]) -> Iterator[_Block]:
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = line.split()
        if cells[0] != "chain" or len(cells) not in (12, 13):
            raise ValueError(f"line {number} should open a chain: {line[:60].rstrip()!r}")
        score, t_size, t, t_end, q_size, q, q_end = (int(cells[i]) for i in (1, 3, 5, 6, 8, 10, 11))
        chrom, to_chrom, strand = cells[2], cells[7], cells[9]
        if cells[4] != "+" or strand not in "+-":
            raise ValueError(f"line {number} has a strand that no chain has")
        sizes[0][chrom], sizes[1][to_chrom] = t_size, q_size
        chain_id = int(cells[12]) if len(cells) == 13 else number
        for inner in lines:
            size, *gap = map(int, inner.split())
            to_start = q if strand == "+" else q_size - q - size
            yield chain_id, score, chrom, t, t + size, to_chrom, strand, to_start
            t, q = t + size + (gap[0] if gap else 0), q + size + (gap[1] if gap else 0)
            if not gap:
                break
        if (t, q) != (t_end, q_end):
            raise ValueError(f"the blocks of the chain of line {number} do not add up to its length")


def _assembly(con: duckdb.DuckDBPyConnection, path: Path, lengths: dict[str, int]) -> str:
    """The assembly whose chromosomes have these lengths."""
    found = con.execute("SELECT assembly::VARCHAR, chrom::VARCHAR, length FROM contig WHERE chrom <> 'chrM'").fetchall()
    agree = {(a, lengths[chrom] == length) for a, chrom, length in found if chrom in lengths}
    fitting = [a for a, same in agree if same and (a, False) not in agree]
    if len(fitting) != 1:
        example = next(iter(lengths.items()), ("", 0))
        raise Refused(f"the chain is of an assembly that agdb does not know ({example[0]} has {example[1]:,} bases)",
                      where=str(path), cure="agdb knows NCBI36 (hg18), GRCh37 (hg19) and GRCh38 (hg38)")  # fmt: skip
    return str(fitting[0])


def chosen(con: duckdb.DuckDBPyConnection, path: Path, from_assembly: str) -> tuple[int, str]:
    """The source_id and target assembly of the chain file at `path`, which is ingested if it is new.

    Raises:
        Refused: it does not lift from `from_assembly`.
    """
    loaded = ingest(con, path)
    query = "SELECT lifted_from::VARCHAR, assembly::VARCHAR FROM source WHERE source_id = ?"
    is_from, to = con.execute(query, [loaded.source_id]).fetchall()[0]
    if is_from != from_assembly:
        raise Refused(f"the chain lifts from {is_from}, the file is on {from_assembly}", where=str(path),
                      cure="give the chain whose name begins with the assembly of the file")  # fmt: skip
    return loaded.source_id, str(to)


def lift_variants(con: duckdb.DuckDBPyConnection, chain: int) -> None:
    """Move chrom, pos, ref and alt of `staged` to the other assembly; set `unfit` where that is not possible.

    The whole REF has to lie in one block. On the minus strand alleles are complemented and turned round.
    """
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE lifted AS
        SELECT v.id, count(*) FILTER (v.e <= b.chrom_end) AS n, any_value(b) FILTER (v.e <= b.chrom_end) AS b
        FROM (SELECT rowid AS id, chrom, pos - 1 AS s, pos - 1 + coalesce(length(ref), 1) AS e FROM staged) AS v
        JOIN chain_bin AS b
          ON b.source_id = {chain} AND b.chrom = v.chrom AND b.bin = v.s >> 17 AND v.s >= b.chrom_start AND v.s <
          b.chrom_end
        GROUP BY v.id"""
    )
    con.execute("UPDATE staged SET unfit = 'lift_unmapped' WHERE rowid NOT IN (SELECT id FROM lifted)")
    turned = "translate(reverse({0}), 'ACGT', 'TGCA')"
    con.execute(
        f"""
        UPDATE staged SET
          unfit = CASE WHEN l.n = 0 THEN 'lift_split' WHEN l.n > 1 THEN 'lift_multiple'
                       WHEN {chrom_of("l.b.to_chrom")} IS NULL THEN 'lift_other_contig'
                       WHEN l.b.to_strand = '-' AND length(ref) <> length(alt) THEN 'lift_indel_on_minus_strand' END,
          pos = 1 + l.b.to_start + if(l.b.to_strand = '+', pos - 1 - l.b.chrom_start,
                                      l.b.chrom_end - (pos - 1 + coalesce(length(ref), 1))),
          chrom = coalesce({chrom_of("l.b.to_chrom")}, chrom),
          ref = if(l.b.to_strand = '+', ref, {turned.format("ref")}),
          alt = if(l.b.to_strand = '+', alt, {turned.format("alt")})
        FROM lifted AS l WHERE l.id = staged.rowid"""
    )


def lift_intervals(con: duckdb.DuckDBPyConnection, chain: int) -> None:
    """Move chrom, chrom_start, chrom_end and summit of `staged` to the other assembly; set `unfit` where that fails.

    Of an interval at least `MIN_MATCH` of the bases have to lie in one chain; it reaches from the first to the last of
    them there. A summit that is not among them is lost.
    """
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE lifted AS
        WITH hit AS (
          SELECT p.id, p.e - p.s AS width, b.*, greatest(p.s, b.chrom_start) AS s, least(p.e, b.chrom_end) AS e,
          p.summit
          FROM (SELECT rowid AS id, chrom, chrom_start::INTEGER AS s, chrom_end::INTEGER AS e, summit::INTEGER AS
          summit,
                       unnest(range(chrom_start::INTEGER >> 17, ((chrom_end::INTEGER - 1) >> 17) + 1)) AS bin FROM
                       staged) AS p
          JOIN chain_bin AS b
            ON b.source_id = {chain} AND b.chrom = p.chrom AND b.bin = p.bin AND p.s < b.chrom_end AND p.e >
            b.chrom_start
           AND p.bin = greatest(b.first_bin, p.s >> 17)  -- a pair that shares several bins is found in the first
        ),
        moved AS (
          SELECT *, to_start + if(to_strand = '+', s - chrom_start, chrom_end - e) AS to_s,
                 CASE WHEN summit BETWEEN s AND e - 1
                      THEN to_start + if(to_strand = '+', summit - chrom_start, chrom_end - 1 - summit) END AS to_summit
          FROM hit
        ),
        per_chain AS (
          SELECT id, chain_id, any_value(to_chrom) AS to_chrom, sum(e - s) / any_value(width) AS share, min(to_s) AS
          to_s,
                 max(to_s + e - s) AS to_e, any_value(to_summit) AS to_summit
          FROM moved GROUP BY id, chain_id
        )
        SELECT id, count(*) FILTER (share >= {MIN_MATCH}) AS n, sum(share) AS share,
               arg_max(per_chain, (share, -chain_id)) AS best
        FROM per_chain GROUP BY id"""
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
