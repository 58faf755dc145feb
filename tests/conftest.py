"""Fixtures of all tests: a database is made once and copied, since making one takes longer than most tests."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

from agdb import db

if TYPE_CHECKING:
    from fakes.process import Server
    from site_on_loopback import Site

Ask = Callable[..., list[tuple[object, ...]]]


@pytest.fixture(scope="session")
def template_db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An initialised database that nobody writes to."""
    path = tmp_path_factory.mktemp("template") / "template.duckdb"
    db.create(path)
    return path


@pytest.fixture
def fresh_db(template_db: Path, tmp_path: Path) -> Path:
    """Path of an initialised, empty database in a folder of its own."""
    path = tmp_path / "db" / "study.duckdb"
    path.parent.mkdir()
    shutil.copyfile(template_db, path)
    return path


@pytest.fixture
def con(fresh_db: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A writing connection to `fresh_db`."""
    with db.writing(fresh_db) as opened:  # the template has them
        yield opened


@pytest.fixture
def ask(con: duckdb.DuckDBPyConnection) -> Ask:
    """Ask `con` in SQL: the rows."""
    return lambda query, *values: con.execute(query, list(values)).fetchall()


@pytest.fixture(scope="module")
def running() -> "Iterator[Server]":
    """A made-up AlphaGenome, in a process of its own."""
    from fakes.process import Server

    with Server() as server:
        yield server


@pytest.fixture
def server(running: "Server") -> "Server":
    """The same, where nothing goes wrong and nothing has been counted."""
    from fakes.faults import Plan

    running.set_plan(Plan())
    running.reset()
    return running


@pytest.fixture
def site() -> "Iterator[Site]":
    """A web server on loopback, for `agdb fetch`."""
    from site_on_loopback import served

    with served() as one:
        yield one


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where `agdb fetch` keeps its files."""
    return tmp_path / "cache"


@pytest.fixture
def of_site(site: "Site", folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment of a command: the site in place of every host, `folder` to keep files in, and no pauses."""
    from agdb.fetch import download

    monkeypatch.setattr(download, "PAUSE_S", 0)
    return {"AGDB_FETCH_MIRROR": site.address, "AGDB_CACHE": str(folder), "AGDB_FETCH_TIMEOUT": "20", "NO_PROXY": "*"}
