"""The published files of the original study, ingested and given back: the same bytes, and the same numbers."""

from pathlib import Path

import duckdb

from agdb import db, original
from agdb.ingest import predictions

PUBLISHED = """\
Window Size,Window (bp),N Variants,Spearman r,Spearman p,Pearson r,Pearson p,eQTL Effect Std,Prediction Std
Standard (2 KB),2048,1000,0.0375,2.36e-01,0.0181,5.67e-01,0.000046,0.005262
Promoter-proximal (16 KB),16384,1000,-0.0125,6.93e-01,0.0224,4.79e-01,0.000046,0.000738
TAD-scale (131 KB),131072,1000,0.0100,7.52e-01,-0.0110,7.27e-01,0.000046,0.000133
"""


def test_what_the_study_published_comes_back(shared: Path, tmp_path: Path) -> None:
    path = tmp_path / "study.duckdb"
    db.create(path)
    files = {2: 2048, 16: 16384, 131: 131072}
    with db.writing(path) as con:
        for name, window in files.items():
            predictions.ingest_original(con, shared / "seed" / f"seed_{name}.csv", window, "Whole_Blood")
        _is_as_published(con, shared, tmp_path / "out", files)


def _is_as_published(con: duckdb.DuckDBPyConnection, shared: Path, out: Path, files: dict[int, int]) -> None:
    written = original.write(con, out, 1)
    sweep = out / "multi_window_experiment" / "output"
    for name in files:
        theirs = (shared / "seed" / f"seed_{name}.csv").read_bytes()
        assert (sweep / f"window_{name}kb" / "predictions.csv").read_bytes() == theirs
    assert (sweep / "comparative_analysis" / "correlation_summary.csv").read_text() == PUBLISHED
    assert len([name for name in written.made if name.startswith("multi_window_experiment/")]) == 12
