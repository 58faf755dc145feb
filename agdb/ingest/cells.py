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

#: Types of a column that is read only because SQL of the user names it: a number that may be NaN or infinite, and
#: whatever it is in the file.
ANY_NUMBER, AS_STORED = "ANY NUMBER", "AS STORED"

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


def unread(place: int) -> str:
    """SQL of the column that tells whether the cell at this place is to be a number, and is none."""
    return f'"{place} u"'


def guessed(sample: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """`ANY_NUMBER` for columns whose first cells are numbers or missing, text for the others."""
    return {n: ANY_NUMBER if cells and all(map(_is_number, cells)) else "VARCHAR" for n, cells in sample.items()}


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return text.strip() in MISSING
    return "_" not in text


def _is_whole(place: int, kind: str) -> str:
    return f"{_number(place)} = trunc({_number(place)}) AND abs({_number(place)}) <= {WHOLE[kind]}"


def typed(select: str, types: Mapping[int, str], texts: Collection[int]) -> str:
    """SQL of the same cells as numbers where `types` (by place) says so; of `texts` DuckDB may read 1_0 as 10.

    `ODD_CELL` is NULL, or tells the first cell that is not of its type: what is wrong, its place, and the value.
    Beside each cell stands whether it is `unread`.
    """
    numbers = {i: kind for i, kind in types.items() if kind not in ("VARCHAR", AS_STORED)}
    values = "".join(f", TRY_CAST({cell(i)} AS DOUBLE) AS {_number(i)}" for i in numbers)
    of_type = {i: cell(i) if kind == AS_STORED else f"{cell(i)}::VARCHAR" for i, kind in types.items()}
    of_type |= {i: _number(i) for i in numbers}
    as_typed = ", ".join(f"{sql} AS {cell(i)}" for i, sql in of_type.items())
    is_unread = ", ".join(f"{_is_unread(i, i in texts) if i in numbers else 'false'} AS {unread(i)}" for i in types)
    odd_cell = _odd_cell(numbers, [i for i in numbers if i in texts]) if numbers else "NULL::VARCHAR"
    return f"SELECT {as_typed}, {is_unread}, {odd_cell} AS {ODD_CELL} FROM (SELECT *{values} FROM ({select}))"


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


def _is_unread(place: int, is_text: bool) -> str:
    """SQL of whether a cell is no number. DuckDB reads 1_0 as 10 and +-5 as -5; nobody else does."""
    written = cell(place)
    misread = f" OR contains({written}, '_') OR contains({written}, '+-')" if is_text else ""
    return f"{written} IS NOT NULL AND ({_number(place)} IS NULL{misread})"


def _test(place: int, kind: str, is_text: bool) -> str:
    """SQL of the cases in which one cell is odd."""
    written, number = cell(place), _number(place)
    tests = {NOT_A_NUMBER: (_is_unread(place, is_text), written)}
    if kind != ANY_NUMBER:
        tests[NOT_FINITE] = f"NOT isfinite({number})", number
    if kind in WHOLE:
        tests[NOT_WHOLE] = f"NOT ({_is_whole(place, kind)})", number
    return "".join(f" WHEN {test} THEN '{what}|{place}|' || {shown}" for what, (test, shown) in tests.items())


def one_file(path: Path) -> str:
    """SQL of the path of this one file: no pattern, no address, whatever characters are in it."""
    return literal(re.sub(r"[*?[]", r"[\g<0>]", str(path.absolute())))
