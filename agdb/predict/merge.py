"""Batch files into the database: each file in one transaction, or not at all; a file is put away when it is in.

Merging twice is merging once: what a variant has been scored for is in `scored_variant`, and is not added again. So a
process may be killed between the commit and the putting away of the file. Each transaction reads what has been scored:
so files of one run share one, where they can.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import duckdb

from agdb import db
from agdb.errors import Refused
from agdb.ingest.tracks import track_ids
from agdb.predict import provider_origin
from agdb.predict.spool import LISTS, Header, Run, clear, header_of, put_away, unmerged
from agdb.predictors.contract import Scorer, Track
from agdb.schema import same

#: Files of one run that share a transaction, at most, and their bytes: 4 MiB are about a million scores.
AT_ONCE, AT_ONCE_BYTES = 64, 4 << 20

#: Batch files that are merged at once: of one run, with scores of the same tracks.
_Files = list[tuple[Path, Header]]


class Merged(NamedTuple):
    """What came in."""

    batches: int = 0
    scored: int = 0
    failed: int = 0


def merge(path: Path, files: Iterable[Path], *, patience_s: float | None = None, same_model: bool = False) -> Merged:
    """Merge batch files, oldest first, and put them away.

    Args:
        path: The database.
        files: Batch files; one that another process has merged meanwhile is passed over.
        patience_s: Seconds to wait for others to let go of the database; None for `db.PATIENCE_S`.
        same_model: Add scores also to those of another server or model object: it is the same model.

    Raises:
        agdb.errors.DatabaseBusy: others hold the database. Nothing was merged, the files are as they were.
        Refused: a file is no whole batch file, or is of variants that this database does not know, or of another
            model. The files before it are merged, but for those of other runs perhaps; it and those after it are as
            they were.
    """
    total, folders = Merged(), set()
    with db.writing(path, patience_s=patience_s) as con:
        for some in _at_once(unmerged(files)):
            for done, scored, failed in _merged(con, some, same_model=same_model):
                for file, header in done:
                    put_away(file, path)
                    if file.parent.name == header.computation.computation_id:  # agdb made it, and not somebody
                        folders.add(file.parent)
                total = Merged(total.batches + len(done), total.scored + scored, total.failed + failed)
    for folder in folders:
        clear(folder)
    return total


def _at_once(files: Iterable[Path]) -> Iterator[_Files]:
    """What is merged at once, of a few files at a time."""
    left = iter(files)
    while True:
        found: dict[object, _Files] = {}
        n = n_bytes = 0
        refused = None
        for file in left:
            try:
                n_bytes += file.stat().st_size
                header = header_of(file)
            except FileNotFoundError:
                continue
            except Refused as error:
                refused = error
                break
            alike = (header.run.run_uuid, header.target, header.scorer, header.computation, header.kept, header.tracks)
            found.setdefault(alike, []).append((file, header))
            n += 1
            if n >= AT_ONCE or n_bytes >= AT_ONCE_BYTES:
                break
        yield from found.values()
        if refused is not None:
            raise refused
        if not found:
            return


def _merged(con: duckdb.DuckDBPyConnection, some: _Files, *, same_model: bool) -> Iterator[tuple[_Files, int, int]]:
    """Merge these files in one transaction, or else one by one; what is in, how many were scored, how many failed."""
    try:
        with db.transaction(con):
            scored, failed = _merge(con, some, same_model=same_model)
    except Refused:
        if len(some) == 1:
            raise
        for one in some:
            yield from _merged(con, [one], same_model=same_model)
    else:
        yield some, scored, failed


def register(con: duckdb.DuckDBPyConnection, scorer: Scorer, tracks: Iterable[Track] = ()) -> None:
    """Add a scorer, its computations and their tracks, each unless it is there."""
    for computation in scorer.computations:
        db.add_once(con, "computation", computation.row)
    db.add_once(con, "scorer", scorer.row)
    track_ids(con, scorer.of.model, tracks)


def _merge(con: duckdb.DuckDBPyConnection, some: _Files, *, same_model: bool) -> tuple[int, int]:
    _read(con, some)
    header = max((each for _, each in some), key=lambda each: each.run.n_rows)  # they differ in how the run stood alone
    if header.run.n_rows and header.target == "prediction" and not same_model:
        provider_origin.check(
            header.run, provider_origin.stored(con, header.computation), where=str(some[0][0]),
            cure="agdb merge --same-model [FOLDER], if it is the same model in another place; "
                 "else merge it into a database of its own",
        )  # fmt: skip
    command = "audit" if header.target == "replicate" else "predict"
    run_ids = [note_run(con, each.run, command) for _, each in some]
    register(con, header.scorer)
    ids = track_ids(con, header.computation.model, header.tracks)
    _of_this_study(con, some[0][0])
    if header.target == "replicate":
        return _replicates(con, header, ids, run_ids[0]), 0
    return _scores(con, header, ids, run_ids[0]), _failures(con, header, run_ids[0])


def _read(con: duckdb.DuckDBPyConnection, some: _Files) -> None:
    """The rows of batch files, as temp table `batch`."""
    lists = ", ".join(f"{name}::DOUBLE[] AS {name}" for name in LISTS)
    for i, (file, header) in enumerate(some):
        into = "INSERT INTO batch BY NAME" if i else "CREATE OR REPLACE TEMP TABLE batch AS"
        try:
            con.execute(
                f"{into} SELECT {i} AS file, ?::assembly_t AS assembly, chrom::chrom_t AS chrom, pos, ref, alt, "
                f"reason, attempts, gene_id, {lists} FROM read_parquet(?)",
                [header.computation.assembly, str(file)],
            )
        except duckdb.OutOfMemoryException:
            raise
        except duckdb.Error as error:
            raise Refused(
                f"this batch file cannot be read: {str(error).splitlines()[0]}", where=str(file),
                cure="move it away and merge again: its variants will be asked for again",
            ) from error  # fmt: skip
    twice = con.execute("SELECT 1 FROM batch GROUP BY chrom, pos, ref, alt HAVING count(DISTINCT file) > 1 LIMIT 1")
    if len(some) > 1 and twice.fetchall():  # the first one counts, as where each is merged by itself
        raise Refused("a variant is in several of these batch files", cure="merge them one by one")


def _of_this_study(con: duckdb.DuckDBPyConnection, file: Path) -> None:
    unknown, example = con.execute(
        "SELECT count(*), min(variant_id(b.chrom, b.pos, b.ref, b.alt)) FROM batch AS b "
        f"ANTI JOIN variant AS v ON {same('v', 'b')}"
    ).fetchall()[0]
    if unknown:
        raise Refused(
            f"{unknown:,} variants of this batch are not in the database, e.g. {example}: is it of another study?",
            where=str(file),
            cure="merge it into the database that its variants came from (agdb --db FILE merge)",
        )


def note_run(con: duckdb.DuckDBPyConnection, run: Run, command: str) -> int:
    """Add a run, or bring it up to date; returns its run_id in this database."""
    found = con.execute("SELECT run_id, n_calls, status FROM run WHERE run_uuid = ?", [run.run_uuid]).fetchall()
    run_id = found[0][0] if found else db.next_id(con, "run")
    if not found:
        con.execute(
            "INSERT INTO run (run_id, command, arguments, agdb_version, duckdb_version, software, started_at, status, "
            "run_uuid) VALUES (?, ?, ?, ?, ?, ?, ?::TIMESTAMP, ?, ?)",
            [run_id, command, run.arguments, run.agdb_version, duckdb.__version__, run.software, run.started_at,
             run.status, run.run_uuid],
        )  # fmt: skip
    # batches may come in another order than they were made
    if not found or run.status != "running" or (found[0][2] == "running" and run.n_calls >= (found[0][1] or 0)):
        con.execute(
            "UPDATE run SET finished_at = ?::TIMESTAMP, status = ?, n_calls = ?, n_rows = ?, seconds_waited = ?, "
            "arguments = ? WHERE run_id = ?",
            [run.finished_at, run.status, run.n_calls, run.n_rows, run.seconds_waited, run.arguments, run_id],
        )  # fmt: skip
    return int(run_id)


def _scores(con: duckdb.DuckDBPyConnection, header: Header, ids: list[int], run_id: int) -> int:
    """Add the scores of variants that have not been scored in these tracks."""
    computed = header.computation.computation_id
    con.execute(
        "CREATE OR REPLACE TEMP TABLE fresh AS SELECT b.* FROM batch AS b "
        "ANTI JOIN scored_variant AS s ON s.computation_id = ? AND s.tracks = ? "
        f"AND {same('s', 'b')} WHERE b.reason IS NULL",
        [computed, header.kept],
    )
    # a variant that was scored before in other tracks may have some of these already
    others = con.execute("SELECT count(*) FROM scored_variant AS s WHERE s.computation_id = ? AND s.tracks <> ? "
                         f"AND EXISTS (FROM fresh AS b WHERE {same('s', 'b')})",
                         [computed, header.kept]).fetchall()[0][0]  # fmt: skip
    unless_there = (
        f"ANTI JOIN prediction AS p ON p.computation_id = x.computation_id AND {same('p', 'x')} "
        "AND p.gene_id IS NOT DISTINCT FROM x.gene_id AND p.track_id IS NOT DISTINCT FROM x.track_id"
        if others else ""
    )  # fmt: skip
    con.execute(
        f"INSERT INTO prediction BY NAME SELECT * FROM ({_unnested('fresh', ids)}) AS x {unless_there}",
        {"computation_id": computed, **({"track_ids": ids} if ids else {})},
    )
    scored = con.execute(
        "INSERT INTO scored_variant BY NAME SELECT DISTINCT ? AS computation_id, assembly, chrom, pos, ref, alt, "
        "? AS tracks, ? AS run_id FROM fresh",
        [computed, header.kept, run_id],
    ).fetchall()[0][0]
    con.execute(f"DELETE FROM failure AS f USING fresh AS b WHERE f.computation_id = ? AND {same('f', 'b')}",
                [computed])  # fmt: skip
    return int(scored)


def _unnested(table: str, ids: list[int]) -> str:
    """One row a variant, gene and track, of those that have a score; as table `prediction`."""
    lists = ", ".join(
        f"unnest({name}) AS {column}"
        for name, column in (("scores", "score"), ("quantiles", "quantile"), ("ref_values", "ref_value"),
                             ("alt_values", "alt_value"))
    )  # fmt: skip
    given = ", ".join(f"if(isnan({c}), NULL, {c}) AS {c}" for c in ("quantile", "ref_value", "alt_value"))
    track = "unnest($track_ids::INTEGER[]) AS track_id" if ids else "NULL::INTEGER AS track_id"
    return (
        f"SELECT $computation_id AS computation_id, * REPLACE ({given}) "
        f"FROM (SELECT assembly, chrom, pos, ref, alt, gene_id, {track}, "
        f"{lists} FROM {table} WHERE scores IS NOT NULL) WHERE NOT isnan(score)"
    )


def _failures(con: duckdb.DuckDBPyConnection, header: Header, run_id: int) -> int:
    """Add the failures, unless the variant has been scored; attempts of earlier runs are added up."""
    computed = header.computation.computation_id
    con.execute(
        "CREATE OR REPLACE TEMP TABLE failed AS SELECT ? AS computation_id, b.assembly, b.chrom, b.pos, b.ref, b.alt, "
        "b.reason, b.attempts + coalesce(f.attempts, 0) AS attempts, ? AS last_at, ? AS run_id, f.run_id AS before "
        "FROM batch AS b ANTI JOIN scored_variant AS s ON s.computation_id = ? AND s.tracks = ? "
        f"AND {same('s', 'b')} LEFT JOIN failure AS f ON f.computation_id = ? AND {same('f', 'b')} "
        "WHERE b.reason IS NOT NULL AND f.run_id IS DISTINCT FROM ?",
        [computed, db.utc_now(), run_id, computed, header.kept, computed, run_id],
    )
    con.execute(f"DELETE FROM failure AS f USING failed AS b WHERE f.computation_id = ? AND {same('f', 'b')}",
                [computed])  # fmt: skip
    con.execute("INSERT INTO failure BY NAME SELECT * EXCLUDE (before) FROM failed")
    return int(con.execute("SELECT count(*) FROM failed").fetchall()[0][0])


def _replicates(con: duckdb.DuckDBPyConnection, header: Header, ids: list[int], run_id: int) -> int:
    con.execute(
        "INSERT INTO replicate BY NAME SELECT x.* EXCLUDE (quantile, ref_value, alt_value), "
        f"$run_id AS run_id FROM ({_unnested('batch', ids)}) AS x "
        "ANTI JOIN replicate AS r ON r.run_id = $run_id AND r.computation_id = x.computation_id "
        f"AND {same('r', 'x')}",
        {"computation_id": header.computation.computation_id, "run_id": run_id, **({"track_ids": ids} if ids else {})},
    )
    return int(con.execute("SELECT count(*) FROM batch WHERE scores IS NOT NULL").fetchall()[0][0])
