"""The table of the lake's benchmark says what was measured, and nothing where workers found something else."""

from typing import Any

import pytest

from bench import lake
from bench.lake_cases import CASES


def taken(seconds: float, **found: float) -> dict[str, list[dict[str, Any]]]:
    """Every case in so many seconds."""
    of = {"results": 10, "estimates": 1.5, "worker_mib": 900} | found
    return {name: [{"seconds": seconds, "peak_mib": 1000.0, "found": 2**21 if name == "lake-export" else of}]
            for name in CASES}  # fmt: skip


def test_every_case_is_in_the_table_with_its_growth() -> None:
    text = lake.table({1_000: taken(1.0), 10_000: taken(10.0)})
    assert "| 1,000 | 10,000 | exponent |" in text
    for name, case in CASES.items():
        assert f"| {case.label} | 1.0 | 10.0 | 1.00 | 1,000 | {'900' if 'analyse' in name else ''} |" in text
    assert "| the lake, MiB | 2 | 2 |" in text


def test_no_time_is_shown_where_workers_found_something_else() -> None:
    both = taken(1.0)
    lake.compare(both)
    both["lake-analyse-2"] = taken(1.0, estimates=1.6)["lake-analyse-2"]
    with pytest.raises(SystemExit, match="no times are shown"):
        lake.compare(both)
