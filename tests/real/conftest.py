"""Tests on real data, which is never copied into the project: it stands in `../shared/data`, or they do not run."""

import pathlib

import pytest


@pytest.fixture(scope="session")
def shared() -> pathlib.Path:
    """The folder of real data files."""
    folder = pathlib.Path(__file__).resolve().parents[3] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("../shared/data is absent: tests on real data were NOT run")
    return folder
