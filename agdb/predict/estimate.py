"""What a run would do and cost, before the first call."""

from typing import NamedTuple

import duckdb

from agdb.predict import work
from agdb.predict.work import Choice, Spooled
from agdb.predictors.contract import Computation, Scorer
from agdb.schema import same

#: Bytes of an answer: of the metadata and values of a track, as they were measured against a server with all tracks.
BYTES_A_TRACK = {"alphagenome": 102, "atlas": 8, "motif": 0}
#: Tracks of AlphaGenome by output type, for when the database does not know them yet.
TRACKS = {"DNASE": 305, "ATAC": 167, "RNA_SEQ": 667, "CAGE": 546, "CHIP_TF": 1617, "CHIP_HISTONE": 1116, "PROCAP": 12}
#: Bytes on disk of a stored score (one track of one variant, with its quantile).
BYTES_A_SCORE = 20
#: Genes in a window of a megabase, on average.
GENES_A_WINDOW = 20


class Row(NamedTuple):
    """A line of the estimate."""

    what: str
    value: str
    note: str = ""


class Counts(NamedTuple):
    """Of the variants that are chosen: all, SNVs, those that a scorer has scored, those that it has failed on."""

    chosen: int
    snvs: int
    scored: int
    failed: int


def counts(con: duckdb.DuckDBPyConnection, scorer: Scorer, choice: Choice) -> Counts:
    """How the variants that are chosen stand, and temp view `chosen` of them; the views have to know the scorer."""
    con.execute(f"CREATE OR REPLACE TEMP VIEW chosen AS {work.chosen(con, scorer.of.assembly, choice)}")
    n_chosen, n_snvs = _one(con, "SELECT count(*), count(*) FILTER (v.kind = 'SNV') FROM candidate AS v "
                                 f"SEMI JOIN chosen AS c ON {same('c', 'v')}")  # fmt: skip
    (n_scored,) = _one(con, f"SELECT count(*) FROM chosen AS c SEMI JOIN (FROM answer WHERE scorer_id = ?) AS a ON "
                            f"{same('a', 'c')}", [scorer.scorer_id])  # fmt: skip
    (n_failed,) = _one(con, "SELECT count(*) FROM chosen AS c SEMI JOIN (FROM failure WHERE computation_id = ?) AS f "
                            f"ON {same('f', 'c')} ANTI JOIN (FROM answer WHERE scorer_id = ?) AS a ON {same('a', 'c')}",
                       [scorer.computations[-1].computation_id, scorer.scorer_id])  # fmt: skip
    return Counts(n_chosen, n_snvs, n_scored, n_failed)


def estimate(
    con: duckdb.DuckDBPyConnection, scorer: Scorer, choice: Choice, spooled: dict[Computation, Spooled], kept: str
) -> list[Row]:
    """The lines of the estimate. `con` may be read-only.

    Args:
        con: A connection to the database.
        scorer: What would be computed.
        choice: For which variants.
        spooled: What lies in the spool, of each computation.
        kept: Which tracks would be kept.
    """
    last = scorer.computations[-1]
    n = n_left = work.count(con, scorer, last, choice, spooled[last])  # first: from now on the views know the scorer
    found = counts(con, scorer, choice)
    (n_pairs,) = _one(con, f"SELECT count(*) FROM qtl AS q SEMI JOIN chosen AS c ON {same('c', 'q')}")
    n_spooled = sum(len(s.files()) for s in spooled.values())
    rows = [
        Row("associations of the chosen variants", f"{n_pairs:,}", "each would be a call, were they not variants"),
        Row("variants chosen", f"{found.chosen:,}", f"{found.snvs:,} SNVs"),
        Row("already scored", f"{found.scored:,}"),
        Row("failed before", f"{found.failed:,}", "asked again with --retry-failed" if found.failed else ""),
    ]
    if n_spooled:
        rows.append(Row("batches in the spool", f"{n_spooled:,}", "what they hold is not asked for again"))
    rows.append(Row("to ask for", f"{n:,}", "variants"))
    for computation in scorer.computations:
        if computation != last:
            n_first = min(n_left, work.count(con, scorer, computation, choice, spooled[computation]))
            rows += _of(con, computation, n_first)
            n_left -= n_first
    return [*rows, *_of(con, last, n_left), _disk(con, scorer, n, kept)]


def _of(con: duckdb.DuckDBPyConnection, computation: Computation, n: int) -> list[Row]:
    """Calls, bytes and time of one computation."""
    provider = computation.provider
    calls = n * calls_a_variant(computation)
    if provider == "motif":
        return [Row("calls", "0", "computed here")]
    tracks = TRACKS.get(computation.output_type, 100)
    size = calls * tracks * BYTES_A_TRACK[provider]
    if calls != n:  # the whole of every track: 4 bytes a base
        size = calls * tracks * computation.window_bp * 4
    note = "SNVs; what Atlas does not hold, the model is asked" if provider == "atlas" else ""
    return [
        Row(f"calls to {provider}", f"{calls:,}", note),
        Row(f"bytes from {provider}", _bytes(size)),
        Row(f"time at {provider}", *_time(con, computation, calls)),
    ]


def calls_a_variant(computation: Computation) -> int:
    """The original study's score takes a call for each sequence."""
    return 2 if computation.aggregation.startswith("SEQUENCE_") else 1


def _time(con: duckdb.DuckDBPyConnection, computation: Computation, calls: int) -> tuple[str, str]:
    """At the rate of the last runs of this provider at this window."""
    n, seconds, runs = _one(
        con,
        "SELECT sum(n_calls), sum(epoch(finished_at - started_at)), count(*) FROM (SELECT * FROM run WHERE n_calls > 0 "
        "AND finished_at > started_at AND run_id IN (SELECT s.run_id FROM scored_variant AS s JOIN computation AS c "
        "ON c.computation_id = s.computation_id WHERE c.provider = ? AND c.window_bp = ?) "
        "ORDER BY run_id DESC LIMIT 5)",
        [computation.provider, computation.window_bp],
    )
    if not n:
        known = "1 to 8 calls a second have been published" if computation.provider == "alphagenome" else ""
        return "not known", f"no run has been measured yet{'; ' + known if known else ''}: try --limit 100"
    measured = "the last run" if runs == 1 else f"the last {runs} runs"
    note = f"at {n / seconds:.1f} calls a second, as in {measured}; a quota takes longer"
    return duration(calls / (n / seconds)), note


def _disk(con: duckdb.DuckDBPyConnection, scorer: Scorer, n: int, kept: str) -> Row:
    rows, note = n, "one score a variant"
    if kept:
        of_one = len(kept.split(",")) if kept not in ("all", "gtex") else None
        tracks = of_one or (54 if kept == "gtex" else TRACKS.get(scorer.of.output_type, 100))
        genes = GENES_A_WINDOW if scorer.of.aggregation.startswith("GENE_") else 1
        rows = n * tracks * genes
        what = {"all": f"all {tracks} tracks", "gtex": "the GTEx tissues"}.get(kept, f"{tracks} of the tracks")
        note = f"scores of {what} are kept" + (f", of some {genes} genes a variant" if genes > 1 else "")
        if kept == "all":
            note += ": another track set costs no call (--keep selected keeps the scorer's own)"
    return Row("disk", _bytes(rows * BYTES_A_SCORE), note)


def _one(con: duckdb.DuckDBPyConnection, query: str, given: list[object] | None = None) -> tuple[int, ...]:
    found: tuple[int, ...] = con.execute(query, given or []).fetchall()[0]
    return found


def _bytes(n: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if n < 1000:
            return f"{n:.3g} {unit}"
        n /= 1000
    return f"{n:.3g} TB"


def duration(seconds: float) -> str:
    """In words: `2 h 5 min`."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
