"""The work list of a run: which variants are to be asked for, as a Parquet file of (chrom, pos, ref, alt).

It is view `pending`, narrowed by what the user asked for, minus what lies finished in the spool; on a machine without
the database `work_file` makes it of a Parquet file that somebody exported.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from agdb import db
from agdb.errors import UsageError
from agdb.predict.names import check_name
from agdb.predict.spool import Header, batches, header_of
from agdb.predictors.contract import Computation, Scorer, Track, Variant
from agdb.predictors.tracks import GTEX, check
from agdb.query import literal
from agdb.schema import same, sql_files


@dataclass(frozen=True)
class Spooled:
    """What lies finished in a spool: the batches of a folder that are of a computation and answer a scorer.

    Attributes:
        track_set: The scorer's: scores of other tracks are no answer.
        with_merged: Those that are merged count, too: into which database nobody knows, and they are paid for. In the
            database's own spool there are none.
        others: The same of the scorer's other computations: what they have answered need not be asked for either.
    """

    folder: Path
    computation: Computation
    track_set: str
    with_merged: bool = False
    others: tuple["Spooled", ...] = ()

    def finished(self) -> list[tuple[Path, Header]]:
        """The batch files, and what each says of itself."""
        found = []
        for path in batches(self.folder, with_merged=self.with_merged):
            with suppress(FileNotFoundError):  # it was merged meanwhile, into the database whose spool this is
                found.append((path, header_of(path)))
        return [
            (path, header) for path, header in found
            if header.computation == self.computation and header.target == "prediction" and self._answers(header.kept)
        ]  # fmt: skip

    def files(self) -> list[Path]:
        """The batch files."""
        return [path for path, _ in self.finished()]

    def _answers(self, kept: str) -> bool:
        """Whether scores of these tracks are what the scorer needs: as in view `answer`."""
        return kept in ("all", self.track_set) or (kept == "gtex" and self.track_set.startswith(GTEX))


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Which of the pending variants.

    Attributes:
        in_peaks: Only those that lie in a peak (rule span).
        where: Only those for which this SQL condition on the columns of view `candidate` holds.
        sample: (n, seed): only n of them, drawn by hash, the same for every scorer.
        limit: At most so many, the first in genome order.
        retry_failed: Those that failed before as well.
        shard: (i, n): only every n-th of them, by hash.
    """

    in_peaks: bool = False
    where: str | None = None
    sample: tuple[int, int] | None = None
    limit: int | None = None
    retry_failed: bool = False
    shard: tuple[int, int] | None = None

    @property
    def condition(self) -> str:
        """SQL of what a candidate has to be."""
        parts = (["in_peak"] if self.in_peaks else []) + ([f"({self.where})"] if self.where else [])
        return " AND ".join(parts) or "true"


def from_database(
    con: duckdb.DuckDBPyConnection, scorer: Scorer, computation: Computation, choice: Choice, spool: Spooled, into: Path
) -> int:
    """Write the work list of one of a scorer's computations to a Parquet file, in genome order; returns its length.

    Args:
        con: A connection to the database; it may be read-only, and need not know the scorer.
        scorer, computation, choice: What is asked, of whom, and for which variants.
        spool: What lies finished, and need not be asked for.
        into: The file.

    Raises:
        UsageError: the condition is not SQL on view `candidate`, the scorer's tracks are not those of the scores, or
            another scorer has its name.
    """
    con.execute(f"CREATE OR REPLACE TEMP VIEW work AS {pending(con, scorer, computation, choice)}")
    return write(con, choice, spool, into)


def again(con: duckdb.DuckDBPyConnection, scorer: Scorer, query: str, into: Path) -> int:
    """The same of any query of (chrom, pos, ref, alt), whether they have been scored or not."""
    _let_views_know(con, scorer)
    _check_tracks(con, scorer)
    con.execute(f"CREATE OR REPLACE TEMP VIEW work AS {query}")
    return write(con, Choice(), None, into)


def read(path: Path) -> Iterator[Variant]:
    """The variants of a work list, a few thousand in memory at a time."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=4096, columns=list(Variant._fields)):
            yield from map(Variant, *(column.to_pylist() for column in batch.columns))


def pending(con: duckdb.DuckDBPyConnection, scorer: Scorer, computation: Computation, choice: Choice) -> str:
    """SQL of what is pending and chosen: chrom, pos, ref, alt, kind.

    What a computation failed on is not asked of it again, but of the scorer's next one, if there is one.

    Raises:
        UsageError: the condition is not SQL on view `candidate`, the scorer's tracks are not those of the scores, or
            another scorer has its name.
    """
    _let_views_know(con, scorer)
    _check_tracks(con, scorer)
    failed = f"(FROM failure WHERE computation_id = '{computation.computation_id}')"
    asked = f"SELECT assembly, chrom, pos, ref, alt, kind FROM pending WHERE scorer_id = '{scorer.scorer_id}'"
    if choice.retry_failed:  # unless another computation has answered since
        answered = f"(FROM answer WHERE scorer_id = '{scorer.scorer_id}')"
        asked += f" UNION SELECT c.assembly, c.chrom, c.pos, c.ref, c.alt, c.kind FROM candidate AS c SEMI JOIN " \
                 f"{failed} AS f ON {same('f', 'c')} ANTI JOIN {answered} AS a ON {same('a', 'c')}"  # fmt: skip
    else:
        asked = f"FROM ({asked}) AS a ANTI JOIN {failed} AS f ON {same('f', 'a')}"
    snvs = "WHERE a.kind = 'SNV'" if computation.provider == "atlas" else ""  # Atlas holds no others
    wanted = f"SEMI JOIN ({chosen(con, computation.assembly, choice)}) AS c ON {same('c', 'a')}"
    return f"SELECT a.* FROM ({asked}) AS a {wanted} {snvs}"


def _let_views_know(con: duckdb.DuckDBPyConnection, scorer: Scorer) -> None:
    """Make view `pending` see a scorer that is not in the database, which may be open for reading only: temporary
    tables and views go before those of the database.
    """
    known = con.execute("SELECT 1 FROM scorer WHERE scorer_id = ?", [scorer.scorer_id]).fetchall()
    if known:
        return
    check_name(con, scorer)
    con.execute("CREATE OR REPLACE TEMP TABLE scorer AS FROM scorer")
    db.add_once(con, "scorer", scorer.row)
    for name, sql in sql_files("sql"):
        if name.endswith(("_scorer_track", "_answer", "_pending")):
            view, _, _ = sql.partition("COMMENT ON")
            con.execute(view.replace("CREATE OR REPLACE VIEW", "CREATE OR REPLACE TEMP VIEW"))


def _check_tracks(con: duckdb.DuckDBPyConnection, scorer: Scorer) -> None:
    """Refuse a scorer whose tracks are not among those of the scores that answer it: where all variants are answered
    nobody is asked, who would refuse it.
    """
    of: dict[str, list[Track]] = {}
    for computation_id, *track in con.execute(
        f"SELECT p.computation_id, {', '.join(Track._fields)} FROM (SELECT DISTINCT computation_id, track_id "
        "FROM prediction WHERE computation_id IN (SELECT computation_id FROM answer WHERE scorer_id = ?)) AS p "
        "JOIN track AS t ON t.track_id = p.track_id ORDER BY p.computation_id, p.track_id",
        [scorer.scorer_id],
    ).fetchall():
        of.setdefault(computation_id, []).append(Track(*track))
    for tracks in of.values():
        check(tracks, scorer)


def chosen(con: duckdb.DuckDBPyConnection, assembly: str, choice: Choice) -> str:
    """SQL of the candidates that are chosen; a sample that is stored is that sample."""
    candidates = f"SELECT * FROM candidate WHERE assembly = '{assembly}' AND {choice.condition}"
    try:
        con.execute(f"SELECT count(*) FROM ({candidates} LIMIT 1)")
    except duckdb.Error as error:
        raise UsageError(
            f"the condition of --where cannot be run: {str(error).splitlines()[0]}", where=choice.where,
            cure="SQL on the columns of view candidate, e.g. \"chrom = 'chr22' AND kind = 'SNV'\"",
        ) from error  # fmt: skip
    if choice.sample is None:
        return candidates
    if (stored := _sample_id(con, assembly, choice)) is not None:
        return f"SELECT * FROM sample_variant WHERE sample_id = {stored}"
    n, seed = choice.sample
    return f"{candidates} ORDER BY md5(variant_id || ':{seed}'), variant_id LIMIT {n}"


def _sample_id(con: duckdb.DuckDBPyConnection, assembly: str, choice: Choice) -> int | None:
    found = con.execute(
        "SELECT sample_id FROM sample WHERE n = ? AND seed = ? AND condition = ? AND assembly = ?",
        [*(choice.sample or (None, None)), choice.condition, assembly],
    ).fetchall()
    return int(found[0][0]) if found else None


def store_sample(con: duckdb.DuckDBPyConnection, assembly: str, choice: Choice) -> None:
    """Store the variants of a sample, unless they are there: the same n, seed and condition give the same ones."""
    if choice.sample is None or _sample_id(con, assembly, choice) is not None:
        return
    sample_id = db.next_id(con, "sample")
    with db.transaction(con):
        con.execute(
            f"INSERT INTO sample_variant SELECT {sample_id}, assembly, chrom, pos, ref, alt "
            f"FROM ({chosen(con, assembly, choice)})"
        )
        row = [sample_id, *choice.sample, choice.condition, assembly, db.utc_now()]
        con.execute("INSERT INTO sample VALUES (?, ?, ?, ?, ?, ?)", row)


def count(
    con: duckdb.DuckDBPyConnection, scorer: Scorer, computation: Computation, choice: Choice, spool: Spooled | None
) -> int:
    """The length of the work list that `from_database` would write; without a spool, as if nothing lay in it."""
    con.execute(f"CREATE OR REPLACE TEMP VIEW work AS {pending(con, scorer, computation, choice)}")
    return left(con, choice, spool)


def write(con: duckdb.DuckDBPyConnection, choice: Choice, spool: Spooled | None, into: Path) -> int:
    """Write `work` but for the shards of others and for what lies finished in the spool; returns how many."""
    query, files = _rest(choice, spool)
    return int(con.execute(f"COPY ({query}) TO {literal(into)} (FORMAT parquet)", files).fetchall()[0][0])


def left(con: duckdb.DuckDBPyConnection, choice: Choice, spool: Spooled | None) -> int:
    """How many `write` would write."""
    query, files = _rest(choice, spool)
    return int(con.execute(f"SELECT count(*) FROM ({query})", files).fetchall()[0][0])


def _rest(choice: Choice, spool: Spooled | None) -> tuple[str, dict[str, list[str]]]:
    """SQL of what is left of `work`, and its parameters."""
    done = [str(path) for path in spool.files()] if spool is not None else []
    answered = [str(path) for other in spool.others for path in other.files()] if spool is not None else []
    # a parameter may be no empty list, and what is not named in the query may not be given
    finished = {name: files for name, files in (("done", done), ("answered", answered)) if files}
    scored = {name for name in finished if name == "answered" or choice.retry_failed}
    minus = " ".join(
        f"ANTI JOIN (SELECT * FROM read_parquet(${name}) {'WHERE reason IS NULL' if name in scored else ''}) "
        f"AS {name} ON {name}.chrom = w.chrom::VARCHAR AND {name}.pos = w.pos AND {name}.ref = w.ref "
        f"AND {name}.alt = w.alt"
        for name in finished
    )
    i, n = choice.shard or (1, 1)
    shard = f"WHERE md5_number_lower(concat_ws('_', w.chrom, w.pos, w.ref, w.alt)) % {n} = {i - 1}" if n > 1 else ""
    limit = f"LIMIT {choice.limit}" if choice.limit is not None else ""
    query = (
        f"SELECT w.chrom::VARCHAR AS chrom, w.pos, w.ref, w.alt FROM work AS w {minus} {shard} "
        f"ORDER BY w.chrom, w.pos, w.ref, w.alt {limit}"
    )
    return query, finished
