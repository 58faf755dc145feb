"""Cells of a file as SQL: named by their place, so that no name of a file means two of them, and held to their types.

Text is read as text and becomes numbers here: DuckDB's own reading is no faster, says 10 to 1_0, and names no column.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from agdb.query import literal

#: Types by their names in DuckDB, with the largest value that the column can hold. Whole numbers are read as DOUBLE
#: first, because DuckDB would round 1.5 to 2 in silence.
WHOLE = {"BIGINT": 2**53, "INTEGER": 2**31 - 1, "SMALLINT": 2**15 - 1, "TINYINT": 2**7 - 1}

#: The type of a column that is read only because a condition names it: a number that may be NaN or infinite.
ANY_NUMBER = "ANY NUMBER"

#: What stands for a missing value in text.
MISSING = ("", "NA", ".")

#: SQL of the column that tells the first cell of a row that is not of its type, and what it says of it.
ODD_CELL = '"odd "'
NOT_A_NUMBER, NOT_FINITE, NOT_WHOLE = "not_a_number", "not_finite", "not_a_whole_number"


def cell(place: int) -> str:
    """SQL of the column at this place (from 0). Names in a file have no space at their end."""
    return f'"{place} "'


def _number(place: int) -> str:
    """SQL of the same column as a number."""
    return f'"{place} n"'


def _is_whole(place: int, kind: str) -> str:
    return f"{_number(place)} = trunc({_number(place)}) AND abs({_number(place)}) <= {WHOLE[kind]}"


def typed(select: str, types: Mapping[int, str], texts: Collection[int]) -> str:
    """SQL of the same cells as numbers where `types` (by place) says so; of `texts` DuckDB may read 1_0 as 10.

    `ODD_CELL` is NULL, or tells the first cell that is not of its type: what is wrong, its place, and the value.
    """
    numbers = {i: kind for i, kind in types.items() if kind != "VARCHAR"}
    values = "".join(f", TRY_CAST({cell(i)} AS DOUBLE) AS {_number(i)}" for i in numbers)
    as_typed = ", ".join(f"{_number(i) if i in numbers else f'{cell(i)}::VARCHAR'} AS {cell(i)}" for i in types)
    odd_cell = _odd_cell(numbers, [i for i in numbers if i in texts]) if numbers else "NULL::VARCHAR"
    return f"SELECT {as_typed}, {odd_cell} AS {ODD_CELL} FROM (SELECT *{values} FROM ({select}))"


def _odd_cell(numbers: Mapping[int, str], texts: Sequence[int]) -> str:
    """SQL of `ODD_CELL`. Whether all cells of a row are sound is asked at once: asked cell by cell it takes a sixth of
    the time in which 2.4 M rows are staged. A row of which a cell is missing, or only seems odd, is asked that way."""
    total = " + ".join(map(_number, numbers))
    sound = [f"isfinite({total})", *(_is_whole(i, kind) for i, kind in numbers.items() if kind in WHOLE)]
    if texts:
        joined = f"concat({', '.join(map(cell, texts))})"
        sound.append(f"NOT contains({joined}, '_') AND NOT contains({joined}, '+-')")
    tests = "".join(_test(i, kind, i in texts) for i, kind in numbers.items())
    return f"CASE WHEN {' AND '.join(sound)} THEN NULL{tests} END"


def _test(place: int, kind: str, is_text: bool) -> str:
    """SQL of the cases in which one cell is odd. DuckDB reads 1_0 as 10 and +-5 as -5; nobody else does."""
    written, number = cell(place), _number(place)
    misread = f" OR contains({written}, '_') OR contains({written}, '+-')" if is_text else ""
    tests = {NOT_A_NUMBER: (f"{written} IS NOT NULL AND ({number} IS NULL{misread})", written)}
    if kind != ANY_NUMBER:
        tests[NOT_FINITE] = f"NOT isfinite({number})", number
    if kind in WHOLE:
        tests[NOT_WHOLE] = f"NOT ({_is_whole(place, kind)})", number
    return "".join(f" WHEN {test} THEN '{what}|{place}|' || {shown}" for what, (test, shown) in tests.items())


def one_file(path: Path) -> str:
    """SQL of the path of this one file: no pattern, no address, whatever characters are in it."""
    return literal(re.sub(r"[*?[]", r"[\g<0>]", str(path.absolute())))
