"""Tables for eyes."""

from decimal import Decimal

#: Rows that a table on the terminal shows; the rest is counted.
SHOWN = 1000


def text_table(names: list[str], rows: list[tuple[object, ...]]) -> str:
    """Columns aligned for reading: numbers to the right with 6 significant digits, NULL as an empty cell."""
    cells = [[_cell(value) for value in row] for row in rows]
    numeric = [
        bool(rows) and all(isinstance(r[i], int | float | Decimal | None) for r in rows) for i in range(len(names))
    ]
    widths = [max(len(name), *(len(c[i]) for c in cells), 0) if cells else len(name) for i, name in enumerate(names)]

    def line(parts: list[str]) -> str:
        aligned = (p.rjust(w) if right else p.ljust(w) for p, w, right in zip(parts, widths, numeric, strict=True))
        return "  ".join(aligned).rstrip()

    rule = "  ".join("-" * w for w in widths)
    return "\n".join([line(names), rule, *(line(c) for c in cells)]) + "\n"


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{name}: {_cell(part)}' for name, part in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_cell, value))}]"
    return f"{float(value):.6g}" if isinstance(value, float | Decimal) else str(value)
