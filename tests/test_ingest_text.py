"""Text as it comes: in whatever ends, packings and pipes, in chunks of any size, and with nothing left behind."""

import bz2
import gzip
import io
import lzma
import os
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import make
import pytest
from Bio import bgzf
from conftest import Ask
from fuzz import lines_of
from hypothesis import given, settings
from hypothesis import strategies as st

from agdb.errors import AgdbError, Refused
from agdb.ingest import preset, qtl, text, variant_list
from agdb.ingest.variant_table import Options

Connection = duckdb.DuckDBPyConnection
PAIRS = make.pairs_rows(24)
GOOD = make.table(PAIRS)
MANY = make.table([{**row, "gene_id": f"ENSG{i:011}.1"} for i in range(300) for row in PAIRS])


@pytest.fixture(autouse=True)
def tidy(tmp_path: Path) -> Iterator[None]:
    """Each test leaves as many open files as there were, no thread, and no folder of chunks."""
    before = len(os.listdir("/proc/self/fd"))
    yield
    assert [t.name for t in threading.enumerate() if t.name == "unpack"] == []
    assert len(os.listdir("/proc/self/fd")) <= before
    assert [p for p in tmp_path.rglob("*.tmp*") if p.is_dir()] == []


@contextmanager
def sizes(chunk: int, block: int = 1 << 20) -> Iterator[None]:
    """Chunks of so many bytes, from a file that is read in blocks of so many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "CHUNK_BYTES", chunk)
        patch.setattr(text, "_BLOCK", block)
        yield


def chunks_of(path: Path, skip: int = 0) -> list[tuple[text.Chunk, bytes]]:
    """All chunks of a text, with what lay in them."""
    with text.opened(path) as file, file.chunks(skip, path.parent / "a.tmp") as chunks:
        return [(chunk, chunk.path.read_bytes()) for chunk in chunks]


def told_of(path: Path) -> AgdbError:
    """What is said of a text that cannot be read."""
    error = make.refusal(lambda: chunks_of(path))
    assert error is not None
    return error


# --- chunks ---

TEXTS = st.text(st.sampled_from("ab\t\n\n\r\né"), max_size=80).map(str.encode)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(data=TEXTS, ends=st.sampled_from([b"\n", b"\r\n", b"\r"]), chunk=st.integers(1, 90), block=st.integers(1, 50))
def test_chunks_are_the_text_whatever_their_size(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, ends: bytes, chunk: int, block: int
) -> None:
    path = tmp_path_factory.mktemp("text") / "a.txt"
    path.write_bytes((b"x" + data).replace(b"\r", b"").replace(b"\n", ends))
    wanted = lines_of(path.read_bytes())
    with sizes(chunk, block):
        found = chunks_of(path)
    assert b"".join(part for _, part in found).decode().rstrip("\n") == "\n".join(wanted).rstrip("\n")
    line = 1
    for of_chunk, part in found:
        assert (of_chunk.first_line, of_chunk.is_odd, of_chunk.is_blank) == (line, False, not part.strip(b"\n"))
        assert of_chunk.lines == len(part.split(b"\n")) - part.endswith(b"\n") - (part == b"")
        assert of_chunk.delimiters == part.count(b"\t")
        line += of_chunk.lines


@pytest.mark.parametrize("odd", [b"\0", b"a\rb", b"\xef\xbb\xbf"])
def test_a_chunk_tells_of_a_byte_that_no_table_has(tmp_path: Path, odd: bytes) -> None:
    (tmp_path / "a.txt").write_bytes(b"a\tb\n" * 9 + odd + b"\n" + b"a\tb\n" * 9)
    with sizes(12):
        assert [c.first_line <= 10 < c.first_line + c.lines for c, _ in chunks_of(tmp_path / "a.txt")].count(True) == 1
        assert all(c.is_odd == (c.first_line <= 10 < c.first_line + c.lines) for c, _ in chunks_of(tmp_path / "a.txt"))


CELLS = st.text(st.sampled_from('017_+-. eEa"\t'), max_size=7) | st.sampled_from(["chr1_1284987_G_A_b38", "1:7_8:A:G"])


@settings(max_examples=300, deadline=None, derandomize=True)
@given(rows=st.lists(st.lists(CELLS, min_size=2, max_size=2), min_size=1, max_size=4), delimiter=st.sampled_from("\t,"))
def test_a_chunk_tells_of_a_number_that_only_duckdb_reads(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], delimiter: str
) -> None:
    path = tmp_path_factory.mktemp("text") / "a.txt"
    path.write_text("".join(delimiter.join(row) + "\n" for row in [["x", "y"], *rows]))
    with text.opened(path) as file, file.chunks(1, path.parent / "a.tmp", delimiter) as chunks:
        told = any(chunk.is_ambiguous for chunk in chunks)
    cells = [cell.strip('"') for row in rows for written in row for cell in written.split(delimiter)]
    read = duckdb.execute("SELECT unnest($1::VARCHAR[]), TRY_CAST(unnest($1::VARCHAR[]) AS DOUBLE)", [cells]).fetchall()
    assert told or not [cell for cell, number in read if number is not None and ("_" in cell or "+-" in cell)]


@pytest.mark.parametrize("cell", ["chr1_1284987_G_A_b38", "ENSG1_2", "peak_1_2", "1:1_0:A:G", "1_", "_1", "1e+05"])
def test_an_underscore_that_is_in_no_number_is_nothing_to_look_at(tmp_path: Path, cell: str) -> None:
    (tmp_path / "a.txt").write_text(f"{cell}\t1\n1\t{cell}\n")
    assert [chunk.is_ambiguous for chunk, _ in chunks_of(tmp_path / "a.txt")] == [False]


def test_a_long_cell_of_digits_and_underscores_takes_no_longer_than_others(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x" + "1_" * 900_000 + "1\t1\n")
    assert [chunk.lines for chunk, _ in chunks_of(tmp_path / "a.txt")] == [1]  # not after an hour


@pytest.mark.parametrize("cell", ["1_0", " 1_0", "-.1_0e5", "1e1_0", "+-5", "1_000_000"])
def test_such_a_number_is_refused_wherever_it_stands(con: Connection, tmp_path: Path, cell: str) -> None:
    rows = [{**row, "maf": cell} if i == 20 else row for i, row in enumerate(PAIRS)]
    path = make.write(tmp_path / "T.v8.signif_variant_gene_pairs.txt", make.table(rows))
    error = make.refusal(lambda: qtl.gtex(con, path, Options()))
    assert error is not None
    assert (error.what, error.where) == (f"{cell!r} is not a number", f"{path}, line 22, column 'maf'")


def test_a_chunk_is_gone_when_the_next_but_one_is_there(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(MANY)
    with sizes(5000), text.opened(tmp_path / "a.txt") as file, file.chunks(1, tmp_path / "a.tmp") as chunks:
        for _ in chunks:
            (folder,) = tmp_path.glob("a.tmp-*")
            assert len(list(folder.iterdir())) <= 3


def test_the_head_holds_100_lines_after_those_of_a_vcf(tmp_path: Path) -> None:
    lines = [f"##contig=<ID={i}>" for i in range(5000)] + ["#CHROM\tPOS"] + [f"2\t{i}" for i in range(500)]
    (tmp_path / "a.vcf").write_bytes("\n".join(lines).encode())
    with text.opened(tmp_path / "a.vcf") as file:
        assert file.head == lines[:5100]


def test_a_vcf_with_5000_lines_before_its_header_is_read_with_its_lines(
    con: Connection, ask: Ask, tmp_path: Path
) -> None:
    head = b"".join(b"##FILTER=<ID=%d>\n" % i for i in range(5000)) + b"#CHROM\tPOS\tID\tREF\tALT\n"
    path = make.write(tmp_path / "a.vcf.gz", head + b"2\t7\trs1\tA\tC\n2\t9\trs2\tA\t*\n")
    presets = [p for p in preset.shipped() if p.kind == "variants"]
    variant_list.ingest(con, path, presets, Options(assembly="GRCh38"))
    assert ask("SELECT name FROM listed_variant") == [("rs1",)]
    assert ask("SELECT line, text FROM rejected") == [(5003, "2\t9\trs2\tA\t*")]


# --- what is no text, or damaged ---


def zipped(data: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("a.txt", data)
    return made.getvalue()


OTHER: dict[str, tuple[bytes, str, str]] = {
    "zip": (zipped(GOOD), "this is a zip archive", "unpack it first"),
    "bzip2": (bz2.compress(GOOD), "this is a bzip2 file", "bzip2 -dc FILE | agdb ingest ... -"),
    "xz": (lzma.compress(GOOD), "this is an xz file", "xz -dc FILE | agdb ingest ... -"),
    "zstd": (b"\x28\xb5\x2f\xfd" + bytes(20), "this is a zstd file", "zstd -dc FILE | agdb ingest ... -"),
    "tar": (b"a.txt".ljust(257, b"\0") + b"ustar\0" + bytes(249) + GOOD, "this is a tar archive", "tar -xf"),
    "UTF-16": (GOOD.decode().encode("utf-16"), "this is text in UTF-16", "save it as UTF-8"),
    "UTF-16, big end first": (b"\xfe\xff" + GOOD.decode().encode("utf-16-be"), "UTF-16", "save it as UTF-8"),
    "Parquet": (b"PAR1" + bytes(20), "this is a Parquet file", "not in a pipe"),
    "SQLite": (b"SQLite format 3\0" + bytes(20), "this is a SQLite file", "not in a pipe"),
    "gzip twice": (gzip.compress(gzip.compress(GOOD)), "this is not a text file (UTF-8)", "is it the right one?"),
    "a picture": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "this is not a text file (UTF-8)", "is it the right one?"),
    "nothing": (b"", "the file is empty", "make it again"),
    "gzip of nothing": (gzip.compress(b""), "the file is empty", "make it again"),
    "blank lines": (b"\n\r\n\n", "the file is empty", "make it again"),
}


@pytest.mark.parametrize("case", OTHER)
def test_what_is_no_text_is_told_by_its_first_bytes(tmp_path: Path, case: str) -> None:
    data, what, cure = OTHER[case]
    (tmp_path / "a.txt.gz").write_bytes(data)
    error = told_of(tmp_path / "a.txt.gz")
    assert what in error.what
    assert cure in str(error.cure)
    assert error.where == str(tmp_path / "a.txt.gz")


def test_a_gzip_that_ends_anywhere_but_at_its_end_is_refused(tmp_path: Path) -> None:
    packed = gzip.compress(os.urandom(60_000).hex().encode() + b"\n")
    for n in [2, 5, 9, 10, 17, *range(1024, len(packed), 1024), len(packed) - 8, len(packed) - 1]:
        (tmp_path / "a.gz").write_bytes(packed[:n])
        assert "cut short or damaged" in told_of(tmp_path / "a.gz").what


def test_a_bgzip_that_ends_before_its_last_block_is_refused(tmp_path: Path) -> None:
    with bgzf.BgzfWriter(str(tmp_path / "a.gz"), "wb") as file:  # type: ignore[no-untyped-call]
        for at in range(0, len(MANY), 1 << 14):  # blocks may end where lines do: what is left is a table too
            file.write(MANY[at : at + (1 << 14)])
            file.flush()
    whole = (tmp_path / "a.gz").read_bytes()
    assert b"".join(part for _, part in chunks_of(tmp_path / "a.gz")) == MANY
    starts = [at for at in range(1, len(whole)) if whole.startswith(whole[:4], at)]
    assert len(starts) > 40
    for n in (starts[0], starts[20], starts[-1]):
        (tmp_path / "a.gz").write_bytes(whole[:n])
        assert "a bgzip file ends with an empty block" in told_of(tmp_path / "a.gz").what


@pytest.mark.parametrize("members", [1, 2, 9])
def test_a_gzip_with_a_bit_turned_is_refused_or_holds_the_same(tmp_path: Path, members: int) -> None:
    parts = [GOOD[i * len(GOOD) // members : (i + 1) * len(GOOD) // members] for i in range(members)]
    packed = b"".join(gzip.compress(part, mtime=0) for part in parts)
    for at in range(0, len(packed), 7):
        (tmp_path / "a.gz").write_bytes(packed[:at] + bytes([packed[at] ^ (1 << at % 8)]) + packed[at + 1 :])
        found: list[tuple[text.Chunk, bytes]] = []
        error = make.refusal(lambda: found.extend(chunks_of(tmp_path / "a.gz")))  # noqa: B023
        assert error or b"".join(part for _, part in found) == GOOD  # the bit is of its time, its name, ...


def test_zeros_after_a_gzip_belong_to_it(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(GOOD) + bytes(1000))
    with text.opened(tmp_path / "a.gz") as file, file.chunks(0, tmp_path / "a.tmp") as chunks:
        assert [chunk.lines for chunk in chunks] == [25]
        assert file.bytes_read == len(gzip.compress(GOOD)) + 1000


@pytest.mark.parametrize("megabytes", [3, 60])
def test_a_line_without_end_is_refused_by_its_number_and_not_kept_in_memory(
    con: Connection, tmp_path: Path, megabytes: int
) -> None:
    lines = GOOD.splitlines(keepends=True)
    (tmp_path / "a.txt").write_bytes(b"".join(lines[:9]) + b"x" * (megabytes << 20) + b"".join(lines[9:]))
    error = make.refusal(lambda: make.gtex(con, tmp_path / "a.txt", "Liver"))
    assert error is not None
    assert (error.what, error.where) == ("the line is longer than 2 MB", f"{tmp_path / 'a.txt'}, line 10")


def test_a_header_without_end_is_told_in_a_few_words(con: Connection, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"x" * 20_000_000 + b"\t" + b"y" * 20_000_000)
    assert len(str(make.refusal(lambda: make.gtex(con, tmp_path / "a.txt", "Liver")))) < 1000


@pytest.mark.parametrize("odd", [b"\0", b"\r", b"\xef\xbb\xbf"])
def test_a_header_with_a_byte_that_no_table_has_is_refused(con: Connection, tmp_path: Path, odd: bytes) -> None:
    data = make.table([{**row, "more": "1"} for row in PAIRS]).replace(b"more", b"mo" + odd + b"re", 1)
    (tmp_path / "a.txt").write_bytes(data)
    with pytest.raises(Refused, match="the header is damaged") as refused:
        make.gtex(con, tmp_path / "a.txt", "Liver")
    assert refused.value.where == f"{tmp_path / 'a.txt'}, line 1"


# --- pipes ---


@contextmanager
def fifo(path: Path, write: Callable[[io.BufferedIOBase], object]) -> Iterator[Path]:
    """A named pipe, and a thread that writes into it."""
    os.mkfifo(path)

    def feed() -> None:
        with path.open("wb") as pipe:
            try:
                write(pipe)
            except BrokenPipeError:
                return

    thread = threading.Thread(target=feed)
    thread.start()
    try:
        yield path
    finally:
        thread.join(20)
        assert not thread.is_alive()


def by_bytes(data: bytes) -> Callable[[io.BufferedIOBase], object]:
    """A writer whose first bytes come one by one."""

    def write(pipe: io.BufferedIOBase) -> None:
        for i in range(7):
            pipe.write(data[i : i + 1])
            pipe.flush()
            time.sleep(0.01)
        pipe.write(data[7:])

    return write


@pytest.mark.parametrize("pack", [lambda d: d, gzip.compress], ids=["plain", "gzip"])
def test_a_named_pipe_is_read_once_and_remembered_by_its_bytes(
    con: Connection, ask: Ask, tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    data = pack(GOOD)
    with fifo(tmp_path / "a.txt", by_bytes(data)) as path:
        loaded = make.gtex(con, path, "Liver")
    assert (loaded.is_new, loaded.rows_kept, loaded.bytes) == (True, 24, len(data))
    again = make.gtex(con, make.write(tmp_path / "b.txt", data), "Liver")
    assert (again.is_new, again.source_id) == (False, loaded.source_id)
    before = make.rows_of(con)
    (tmp_path / "a.txt").unlink()
    with fifo(tmp_path / "a.txt", by_bytes(data)) as path:
        assert not make.gtex(con, path, "Liver").is_new
    assert make.rows_of(con) == before
    assert ask("SELECT count(*) FROM qtl") == [(24,)]


@pytest.mark.parametrize("kept", range(len(GOOD) - 25, len(GOOD) - 1, 4))
def test_a_pipe_that_ends_within_its_last_line_is_refused(con: Connection, tmp_path: Path, kept: int) -> None:
    with (
        fifo(tmp_path / "a.txt", lambda pipe: pipe.write(GOOD[:kept])) as path,
        pytest.raises(Refused, match=r"ends within a line|columns where 12 are expected") as refused,
    ):
        make.gtex(con, path, "Liver")
    assert refused.value.where == f"{path}, line 25"


def test_a_gzip_through_a_pipe_needs_no_last_line_end(con: Connection, tmp_path: Path) -> None:
    with fifo(tmp_path / "a.txt", lambda pipe: pipe.write(gzip.compress(GOOD.rstrip()))) as path:
        assert make.gtex(con, path, "Liver").rows_kept == 24


def test_nobody_waits_for_a_pipe_that_says_no_more(tmp_path: Path) -> None:
    may_end = threading.Event()

    def write(pipe: io.BufferedIOBase) -> None:
        pipe.write(b"a\tb\n" * 100_000)
        pipe.flush()
        may_end.wait(20)

    with (
        sizes(1000, 1000),
        fifo(tmp_path / "a.txt", write) as path,
        text.opened(path) as file,
    ):
        with file.chunks(0, tmp_path / "a.tmp") as chunks:
            assert sum(next(chunks).lines for _ in range(390)) > 90_000
        assert [t.name for t in threading.enumerate() if t.name == "unpack"] == []
        may_end.set()


class Stopped(Exception):
    """Something that has nothing to do with the text."""


@pytest.mark.parametrize("taken", [0, 1, 5])
@pytest.mark.parametrize("pack", [lambda d: d, gzip.compress], ids=["plain", "gzip"])
def test_whatever_stops_the_reading_the_thread_ends_and_the_chunks_go(
    tmp_path: Path, pack: Callable[[bytes], bytes], taken: int
) -> None:
    (tmp_path / "a.txt").write_bytes(pack(MANY))

    def read() -> None:
        with text.opened(tmp_path / "a.txt") as file, file.chunks(0, tmp_path / "a.tmp") as chunks:
            for _ in range(taken):
                next(chunks)
            raise Stopped

    with sizes(10_000, 10_000), pytest.raises(Stopped):
        read()


# --- the real command ---


@pytest.fixture
def study(fresh_db: Path) -> Path:
    return fresh_db


def shell(study: Path, command: str, **names: Path) -> subprocess.CompletedProcess[str]:
    """Run a line of bash, in which agdb is the command, and $db the database."""
    agdb = f'agdb() {{ "{sys.executable}" -m agdb --db "$db" "$@"; }}; '
    env = {**os.environ, "db": str(study), **{name: str(path) for name, path in names.items()}}
    return subprocess.run(["bash", "-c", agdb + command], env=env, capture_output=True, text=True, check=False)


def slopes(study: Path) -> int:
    with duckdb.connect(str(study), read_only=True) as con:
        return int(con.execute("SELECT count(*) FROM qtl").fetchall()[0][0])


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ('zcat "$file" | agdb ingest gtex --tissue Liver -', "-"),
        ('agdb ingest gtex --tissue Liver - < "$file"', "-"),
        ('cat "$file" | agdb ingest gtex --tissue Liver -', "-"),
        ('agdb ingest gtex --tissue Liver <(zcat "$file")', "6[0-9]"),
        ('agdb ingest gtex --tissue Liver /dev/stdin < "$file"', "stdin"),
    ],
)
def test_files_come_through_pipes(study: Path, tmp_path: Path, command: str, name: str) -> None:
    done = shell(study, command, file=make.write(tmp_path / "a.txt.gz", MANY))
    assert done.returncode == 0, done.stderr
    assert "source 1, 7,200 of 7,200 rows kept" in done.stderr
    assert slopes(study) == 7200


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ('head -c 50000 "$file" | agdb ingest gtex --tissue Liver -', "cut short or damaged"),
        ('zcat "$file" | head -c 300001 | agdb ingest gtex --tissue Liver -', "columns where 12 are expected"),
        ("true | agdb ingest gtex --tissue Liver -", "the file is empty"),
        ("agdb ingest gtex --tissue Liver - <&-", "standard input is closed"),
        ("agdb ingest gtex --tissue Liver /dev/null", "the file is empty"),
        ('agdb ingest gtex --tissue Liver "$(printf "%0300d" 7)"', "the file cannot be read: File name too long"),
    ],
)
def test_a_pipe_that_breaks_is_one_clear_error(study: Path, tmp_path: Path, command: str, said: str) -> None:
    rows = [{**row, "gene_id": os.urandom(9).hex()} for _ in range(300) for row in PAIRS]  # that do not pack well
    done = shell(study, command, file=make.write(tmp_path / "a.txt.gz", make.table(rows)))
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert slopes(study) == 0
