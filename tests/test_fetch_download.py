"""agdb fetch against a server that cuts, lies, dawdles and changes its mind: the right file, or none."""

import base64
import gzip
import hashlib
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from site_on_loopback import Page, Site
from typer.testing import CliRunner, Result

from agdb.cli import app
from agdb.errors import ExitCode

URL = "https://data.example.org/qtl/kidney.tsv.gz"
#: A gzip of about 300 kB: more than one chunk of a download.
DATA = gzip.compress(random.Random(1).randbytes(300_000), mtime=0)
MD5, SHA256 = f"md5:{hashlib.md5(DATA).hexdigest()}", f"sha256:{hashlib.sha256(DATA).hexdigest()}"
N = len(DATA)


@pytest.fixture
def fetch(of_site: dict[str, str]) -> Callable[..., Result]:
    """Run `agdb fetch url URL`, with options."""
    return lambda *options, **more: CliRunner().invoke(app, ["fetch", "url", URL, *options], env={**of_site, **more})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the file is to be."""
    return tmp_path / "cache" / "kidney.tsv.gz"


def started(of_site: dict[str, str], *options: str, preexec: Callable[[], None] | None = None) -> subprocess.Popen[str]:
    """The same command as a process of its own."""
    words = [sys.executable, "-m", "agdb", "fetch", "url", URL, *options]
    pipe, all_of = subprocess.PIPE, {**os.environ, **of_site}
    return subprocess.Popen(words, env=all_of, stdout=pipe, stderr=pipe, text=True, preexec_fn=preexec)


def left(file: Path) -> set[str]:
    """What else lies in the folder."""
    return {path.name for path in file.parent.iterdir()} - {file.name, f"{file.name}.source.json"}


# --- the file comes ---


def test_a_file_comes_whole_and_leaves_nothing_else(fetch: Callable[..., Result], site: Site, file: Path) -> None:
    site.of(URL, Page(DATA))
    done = fetch("--checksum", MD5)
    assert done.exit_code == 0, done.output
    assert file.read_bytes() == DATA
    assert left(file) == set()


def test_the_last_line_on_stdout_is_the_path(fetch: Callable[..., Result], site: Site, file: Path) -> None:
    site.of(URL, Page(DATA))
    assert fetch().stdout == f"{file}\n"


def test_a_file_that_is_there_is_not_fetched_again(fetch: Callable[..., Result], site: Site) -> None:
    site.of(URL, Page(DATA))
    fetch("--checksum", SHA256)
    again = fetch("--checksum", SHA256)
    assert "is there already" in again.stderr
    assert len(site.requests) == 1


def test_a_redirect_is_followed(fetch: Callable[..., Result], site: Site, file: Path) -> None:
    site.of(URL, Page(location="/elsewhere/1"))
    site.pages["/elsewhere/1"] = Page(DATA)
    assert fetch("--checksum", MD5).exit_code == 0
    assert file.read_bytes() == DATA


@pytest.mark.parametrize(
    "how",
    [Page(DATA, announces_nothing=True), Page(DATA, is_chunked=True), Page(DATA, is_chunked=True, cuts=[100_000])],
    ids=["to its end", "chunks", "cut"],
)
def test_a_file_without_a_length_is_taken_to_its_end(
    fetch: Callable[..., Result], site: Site, file: Path, how: Page
) -> None:
    site.of(URL, how)
    assert fetch("--checksum", MD5).exit_code == 0
    assert file.read_bytes() == DATA
    assert "bytes=0-" not in site.ranges()
    assert site.ranges().count(None) == 1


def test_a_gzip_that_the_server_calls_an_encoding_stays_packed(
    fetch: Callable[..., Result], site: Site, file: Path
) -> None:
    site.of(URL, Page(DATA, headers={"Content-Encoding": "gzip"}))
    assert fetch("--checksum", MD5).exit_code == 0
    assert file.read_bytes() == DATA


def test_a_file_comes_as_it_is_from_a_server_that_likes_to_pack(
    fetch: Callable[..., Result], site: Site, file: Path
) -> None:
    site.of(URL, Page(DATA, packs=True))
    assert fetch("--checksum", MD5).exit_code == 0
    assert file.read_bytes() == DATA


# --- it breaks off ---


@pytest.mark.parametrize("cuts", [[0], [1], [100_000], [N - 1], [5, 70_000, 0, 90_000], [20_000] * 12])
def test_a_cut_connection_goes_on_where_it_was(
    fetch: Callable[..., Result], site: Site, file: Path, cuts: list[int]
) -> None:
    site.of(URL, Page(DATA, cuts=list(cuts)))
    done = fetch("--checksum", MD5)
    assert done.exit_code == 0, done.output
    assert file.read_bytes() == DATA
    came = [sum(cuts[: i + 1]) for i in range(len(cuts))]
    assert site.ranges() == [None, *(f"bytes={n}-" if n else None for n in came)]


def test_a_server_without_ranges_is_asked_for_the_whole_again(
    fetch: Callable[..., Result], site: Site, file: Path
) -> None:
    site.of(URL, Page(DATA, has_ranges=False, etag=None, cuts=[100_000]))
    assert fetch("--checksum", MD5).exit_code == 0
    assert file.read_bytes() == DATA


def test_a_server_that_falls_silent_is_asked_for_the_rest(fetch: Callable[..., Result], site: Site, file: Path) -> None:
    site.of(URL, Page(DATA, falls_silent_after=150_000))
    done = fetch("--checksum", MD5, AGDB_FETCH_TIMEOUT="0.3")
    assert done.exit_code == 0, done.output
    assert file.read_bytes() == DATA
    assert site.ranges() == [None, "bytes=150000-", "bytes=300000-"]


def test_a_server_that_never_says_a_word_is_given_up(fetch: Callable[..., Result], site: Site, file: Path) -> None:
    site.of(URL, Page(DATA, falls_silent_after=0))
    done = fetch(AGDB_FETCH_TIMEOUT="0.3")
    assert done.exit_code == ExitCode.REFUSED
    assert "breaks off at 0 bytes, after 5 tries: it does not answer in time" in done.stderr
    assert not file.exists()


def test_a_server_that_hangs_up_without_a_word_is_asked_again(
    fetch: Callable[..., Result], site: Site, file: Path
) -> None:
    site.of(URL, Page(DATA, hangs_up=3))
    assert fetch("--checksum", MD5).exit_code == 0
    assert file.read_bytes() == DATA


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_asked_again(fetch: Callable[..., Result], site: Site, file: Path, status: int) -> None:
    site.of(URL, Page(DATA, statuses=[status, status]))
    assert fetch("--checksum", MD5).exit_code == 0
    assert file.read_bytes() == DATA


def test_a_server_that_always_cuts_is_given_up_and_what_came_is_kept(
    fetch: Callable[..., Result], site: Site, file: Path
) -> None:
    page = site.of(URL, Page(DATA, cuts=[0], cuts_always=True))
    page.cuts_always, page.cuts = False, [100_000, 0, 0, 0, 0, 0, 0, 0]
    done = fetch()
    assert done.exit_code == ExitCode.REFUSED
    assert "breaks off at 100,000 bytes, after 5 tries" in done.stderr
    assert "the same command goes on from there" in done.stderr
    assert not file.exists()
    page.cuts = []
    assert fetch("--checksum", MD5).exit_code == 0
    assert site.ranges()[-1] == "bytes=100000-"


@pytest.mark.parametrize("ignores_if_range", [False, True])
def test_a_file_that_changed_meanwhile_is_begun_anew(
    fetch: Callable[..., Result], site: Site, file: Path, ignores_if_range: bool
) -> None:
    other = gzip.compress(random.Random(2).randbytes(300_000), mtime=0)
    site.of(URL, Page(other, etag='"old"', cuts=[100_000, 0, 0, 0, 0, 0]))
    assert fetch().exit_code == ExitCode.REFUSED
    site.of(URL, Page(DATA, etag='"new"', ignores_if_range=ignores_if_range))
    assert fetch("--checksum", MD5).exit_code == 0
    assert file.read_bytes() == DATA
    assert site.ranges()[-1] == (None if ignores_if_range else "bytes=100000-")


@pytest.mark.parametrize("n", [10, 400_000], ids=["shorter than the part", "longer than before"])
def test_a_file_of_another_length_is_begun_anew_where_nothing_else_tells(
    fetch: Callable[..., Result], site: Site, file: Path, n: int
) -> None:
    site.of(URL, Page(DATA, cuts=[200_000, 0, 0, 0, 0, 0], etag=None))
    fetch()
    site.of(URL, Page(other := gzip.compress(random.Random(3).randbytes(n), mtime=0), etag=None))
    done = fetch()
    assert done.exit_code == 0, done.output
    assert file.read_bytes() == other


# --- it is not what it should be ---


def test_a_wrong_checksum_is_refused_and_nothing_is_kept(fetch: Callable[..., Result], site: Site, file: Path) -> None:
    site.of(URL, Page(DATA[:-9] + b"?" + DATA[-8:]))
    done = fetch("--checksum", MD5)
    assert done.exit_code == ExitCode.REFUSED
    assert "this is not the file that is published: its md5 is" in done.stderr
    assert list(file.parent.iterdir()) == []


def test_the_checksum_that_the_server_gives_is_verified(fetch: Callable[..., Result], site: Site, file: Path) -> None:
    stated = base64.b64encode(hashlib.md5(b"another file").digest()).decode()
    site.of(URL, Page(DATA, headers={"x-goog-hash": f"crc32c=AAAAAA==, md5={stated}"}))
    done = fetch()
    assert done.exit_code == ExitCode.REFUSED
    assert not file.exists()


def test_the_checksum_that_the_server_gave_holds_after_a_cut(fetch: Callable[..., Result], site: Site) -> None:
    stated = base64.b64encode(hashlib.md5(DATA).digest()).decode()
    site.of(URL, Page(DATA, headers={"x-goog-hash": f"md5={stated}"}, cuts=[1000, 0, 0, 0, 0, 0]))
    assert fetch().exit_code == ExitCode.REFUSED
    assert "md5 as published" in fetch().stderr


@pytest.mark.parametrize(
    ("data", "why"),
    [(DATA[:-5], "cut or damaged"), (DATA[:100] + b"?" + DATA[101:], "cut or damaged"),
     (b"<!DOCTYPE html><title>Log in to the guest network</title>", "web page"), (b"", "no gzip file")],
    ids=["cut", "damaged", "a page", "empty"],
)  # fmt: skip
def test_without_a_checksum_a_gzip_is_read_to_its_end(
    fetch: Callable[..., Result], site: Site, file: Path, data: bytes, why: str
) -> None:
    site.of(URL, Page(data))
    done = fetch()
    assert done.exit_code == ExitCode.REFUSED
    assert why in done.stderr
    assert not file.exists()


def test_a_length_that_is_too_short_does_not_make_a_short_file(
    fetch: Callable[..., Result], site: Site, file: Path
) -> None:
    site.of(URL, Page(DATA, announces=N - 10_000))
    assert fetch().exit_code == ExitCode.REFUSED
    assert not file.exists()


@pytest.mark.parametrize("has_ranges", [True, False])
def test_a_length_that_is_too_long_is_not_waited_for_for_ever(
    fetch: Callable[..., Result], site: Site, file: Path, has_ranges: bool
) -> None:
    site.of(URL, Page(DATA, announces=N + 10_000, has_ranges=has_ranges))
    done = fetch()
    assert done.exit_code == ExitCode.REFUSED
    assert "after 5 tries" in done.stderr
    assert not file.exists()


@pytest.mark.parametrize(("status", "told"), [(404, "404 Not Found"), (403, "403 Forbidden"), (401, "a password")])
def test_a_file_that_is_gone_is_said_at_once(
    fetch: Callable[..., Result], site: Site, file: Path, status: int, told: str
) -> None:
    site.of(URL, Page(DATA, statuses=[status] * 3))
    done = fetch()
    assert done.exit_code == ExitCode.REFUSED
    assert told in done.stderr
    assert f"is the address right? {URL}" in done.stderr
    assert len(site.requests) == 1


# --- the machine ---


def test_a_full_disk_keeps_what_came_and_goes_on(of_site: dict[str, str], site: Site, file: Path) -> None:
    site.of(URL, Page(DATA))
    with started(of_site, preexec=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))) as process:
        _, said = process.communicate(timeout=20)
    assert process.returncode == ExitCode.REFUSED
    assert "the disk is full after 100,000 bytes" in said
    assert file.with_name(file.name + ".part").read_bytes() == DATA[:100_000]
    with started(of_site, "--checksum", MD5) as process:
        process.communicate(timeout=20)
    assert file.read_bytes() == DATA
    assert site.ranges() == [None, "bytes=100000-"]


def test_a_disk_without_room_is_found_before_anything_is_written(
    fetch: Callable[..., Result], site: Site, file: Path
) -> None:
    site.of(URL, Page(DATA, announces=1 << 60))
    done = fetch()
    assert done.exit_code == ExitCode.REFUSED
    assert "the disk has room for" in done.stderr
    assert not file.exists()


def test_ctrl_c_leaves_a_part_that_is_gone_on_with(of_site: dict[str, str], site: Site, file: Path) -> None:
    page = site.of(URL, Page(DATA, falls_silent_after=270_000))
    with started({**of_site, "AGDB_FETCH_TIMEOUT": "30"}) as process:
        assert site.is_silent.wait(20)
        part = file.with_name(file.name + ".part")
        until = time.monotonic() + 10
        while (not part.exists() or not part.stat().st_size) and time.monotonic() < until:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    assert process.returncode == ExitCode.INTERRUPTED, said
    assert "Traceback" not in said
    came = part.stat().st_size
    assert DATA.startswith(part.read_bytes())
    page.falls_silent_after = None
    with started(of_site, "--checksum", MD5) as process:
        process.communicate(timeout=20)
    assert file.read_bytes() == DATA
    assert site.ranges()[1] == (f"bytes={came}-" if came else None)


def test_two_at_once_fetch_it_once(of_site: dict[str, str], site: Site, file: Path) -> None:
    page = site.of(URL, Page(DATA, falls_silent_after=1000))
    with started({**of_site, "AGDB_FETCH_TIMEOUT": "30"}) as first:
        assert site.is_silent.wait(20)
        with started(of_site) as second:
            assert second.stderr is not None
            assert "another agdb brings it just now" in second.stderr.readline()
            page.falls_silent_after = None
            site.let_go.set()
            _, said = second.communicate(timeout=30)
        first.communicate(timeout=30)
    assert (first.returncode, second.returncode) == (0, 0)
    assert "is there already" in said
    assert file.read_bytes() == DATA
    assert left(file) == set()


def test_the_lock_of_a_killed_process_holds_nobody(of_site: dict[str, str], site: Site, file: Path) -> None:
    page = site.of(URL, Page(DATA, falls_silent_after=1000))
    with started({**of_site, "AGDB_FETCH_TIMEOUT": "30"}) as process:
        assert site.is_silent.wait(20)
        process.kill()
    page.falls_silent_after = None
    with started(of_site, "--checksum", MD5) as process:
        process.communicate(timeout=20)
    assert file.read_bytes() == DATA


# --- where it is from ---


def test_its_origin_stands_beside_it(fetch: Callable[..., Result], site: Site, file: Path) -> None:
    site.of(URL, Page(DATA))
    fetch("--checksum", MD5)
    origin = json.loads(file.with_name(file.name + ".source.json").read_text())
    assert (origin["url"], origin["sha256"], origin["bytes"]) == (URL, SHA256.removeprefix("sha256:"), N)
    assert origin["checked"] == "md5 as published"


def test_a_file_with_another_content_under_the_name_is_left_alone(
    fetch: Callable[..., Result], site: Site, file: Path
) -> None:
    site.of(URL, Page(DATA))
    file.parent.mkdir()
    file.write_bytes(mine := gzip.compress(b"mine"))
    done = fetch("--checksum", MD5)
    assert done.exit_code == ExitCode.REFUSED
    assert "move it away" in done.stderr
    assert file.read_bytes() == mine
    assert site.requests == []


def test_a_dry_run_says_the_size_and_writes_nothing(fetch: Callable[..., Result], site: Site, file: Path) -> None:
    site.of(URL, Page(DATA))
    done = fetch("--dry-run")
    assert f"kidney.tsv.gz: {N:,} bytes" in done.stdout
    assert [r.method for r in site.requests] == ["HEAD"]
    assert not file.parent.exists()


def test_a_server_that_does_not_like_heads_is_asked_for_a_byte(fetch: Callable[..., Result], site: Site) -> None:
    site.of(URL, Page(DATA, statuses=[405]))
    assert f"kidney.tsv.gz: {N:,} bytes" in fetch("--dry-run").stdout
    assert site.ranges() == ["bytes=0-0"]


def test_a_file_that_is_there_is_checked_by_the_checksum_that_is_given(
    fetch: Callable[..., Result], site: Site, file: Path
) -> None:
    site.of(URL, Page(DATA))
    fetch()
    done = fetch("--checksum", "md5:" + "0" * 32)
    assert done.exit_code == ExitCode.REFUSED
    assert file.read_bytes() == DATA
