"""Where a file is from: FILE.source.json, which `agdb fetch` writes beside it and ingest takes into table `source`."""

import json
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True)
class Origin:
    """Where a file is from. It holds for these bytes only: a file of another sha256 is from elsewhere.

    `member` is its name in the archive at `url`; `retrieved_at` is UTC, ISO 8601, None where it was brought by hand.
    """

    url: str
    sha256: str
    bytes: int
    retrieved_at: str | None = None
    member: str | None = None
    release: str | None = None
    assembly: str | None = None
    licence: str | None = None
    citation: str | None = None
    checked: str | None = None


def beside(path: Path) -> Path:
    """Where the origin of a file stands."""
    return path.with_name(f"{path.name}.source.json")


def write(path: Path, origin: Origin) -> None:
    """Write down where a file is from."""
    beside(path).write_text(json.dumps(asdict(origin), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read(path: Path) -> Origin | None:
    """What stands beside a file, or beside the file that a link leads to; None where nothing that can be read does."""
    for place in _places(path):
        try:
            return _origin(json.loads(place.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, AttributeError):
            continue
    return None


def _places(path: Path) -> tuple[Path, Path]:
    return beside(path), beside(path.resolve())


def _origin(found: dict[str, object]) -> Origin:
    """The origin that a note tells.

    Raises:
        ValueError, TypeError: it tells none.
    """
    known = {field.name for field in fields(Origin)}
    values = {name: value for name, value in found.items() if name in known}
    if not all(value is None or isinstance(value, int if name == "bytes" else str) for name, value in values.items()):
        raise TypeError("a value of another type")
    origin = Origin(**values)  # type: ignore[arg-type]
    if origin.retrieved_at is not None:
        datetime.fromisoformat(origin.retrieved_at)
    return origin


def of(path: Path, sha256: str | None) -> tuple[Origin | None, str | None]:
    """Where these bytes are from; and a note where what stands beside the file is of other bytes, or cannot be read."""
    origin = read(path)
    if origin is not None and origin.sha256 == sha256:
        return origin, None
    if origin is None and not any(place.exists() for place in _places(path)):
        return None, None
    why = "cannot be read" if origin is None else f"is of other bytes (sha256 {origin.sha256[:12]})"
    note = (
        f"warning: {beside(path).name} {why}: where this file is from is not known\n"
        "    cure: agdb fetch brings it again; or remove that note"
    )
    return None, note
