"""What is installed elsewhere: the wheel holds every file that agdb reads at run time."""

from pathlib import Path
from zipfile import ZipFile

from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parent.parent


def test_the_wheel_holds_all_that_agdb_reads(tmp_path: Path) -> None:
    (path,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    held = set(ZipFile(path).namelist())
    package = {f.relative_to(ROOT).as_posix() for f in (ROOT / "agdb").rglob("*") if f.is_file() and f.suffix != ".pyc"}
    sql = {f"agdb/_resources/{f.relative_to(ROOT).as_posix()}" for top in ("sql", "migrations")
           for f in (ROOT / top).rglob("*.sql")}  # fmt: skip
    assert len(sql) > 50
    assert package | sql <= held
    assert not {name for name in held if name.startswith(("tests/", "bench/", "sql/"))}
