"""A study of made-up SNVs and runs of fake predictors over it: what tests of the run share."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import duckdb
from predictors import FakePredictor
from predictors import scorer as plain_scorer
from rows import add_qtls, add_snvs, add_source

from agdb import db
from agdb.predict import merge, run, spool
from agdb.predict.run import Place, Settings, Summary, Talk
from agdb.predict.work import Choice
from agdb.predictors.contract import Scorer, Variant

#: Quick: a minute of the quota, a retry and a reader's patience are fractions of a second.
QUICK = Settings(window_s=0.05, retry_s=0.001, patience_s=5.0, merge_patience_s=20.0)

Rows = list[tuple[object, ...]]


def variants(n: int) -> list[Variant]:
    """The SNVs of `study`, in genome order."""
    return [Variant("chr1", 10 * (i + 1), "A", "C") for i in range(n)]


def study(path: Path, n: int = 5) -> list[Variant]:
    """Put n SNVs into a database, each with an association."""
    with db.writing(path) as con:
        add_source(con, 1)
        ids = add_snvs(con, n)
        add_qtls(con, 1, ids, [(-1) ** i * (0.1 + i) for i in range(n)])
    return variants(n)


def predict(
    path: Path,
    predictor: FakePredictor,
    scorer: Scorer | None = None,
    *,
    choice: Choice | None = None,
    out: Path | None = None,
    talk: Talk | None = None,
    summary: Summary | None = None,
    **changes: object,
) -> Summary:
    """Run a predictor over a database; `changes` are those of `Settings`."""
    settings = replace(QUICK, choice=choice or Choice(), **changes)  # type: ignore[arg-type]
    return run.run(Place(path, out=out), scorer or plain_scorer(), predictor, settings, talk, summary)


def merged(path: Path, folder: Path | None = None) -> merge.Merged:
    """Merge what lies in a folder, or beside the database."""
    return merge.merge(path, spool.batches(folder or spool.folder_of(path)))


def asked(path: Path, query: str, *values: object) -> Rows:
    """The answer of a database to a question."""
    with db.reading(path) as con:
        return con.execute(query, list(values)).fetchall()


def stored(path: Path, table: str = "scored_variant") -> list[Variant]:
    """Variants of a table, each once, in genome order."""
    found = asked(path, f"SELECT DISTINCT chrom::VARCHAR AS chrom, pos, ref, alt FROM {table} ORDER BY ALL")
    return [Variant(*row) for row in found]  # type: ignore[arg-type]


def content(path: Path) -> dict[str, Rows]:
    """All that runs write, but for their moments: to compare two databases, or one before and after."""
    tables = ("scorer", "computation", "track", "scored_variant", "prediction", "failure", "replicate", "run")
    return {table: asked(path, f"SELECT * FROM {table} ORDER BY ALL") for table in tables}


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Another process, as a notebook would, holds the database for reading."""
    code = "import duckdb, sys; c = duckdb.connect(sys.argv[1], read_only=True); print('open', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield
        finally:
            process.communicate("\n")


def count(path: Path, query: str) -> int:
    """Rows of what follows FROM, read as any other program would."""
    with duckdb.connect(str(path), read_only=True) as con:
        return int(con.execute(f"SELECT count(*) FROM {query}").fetchall()[0][0])
