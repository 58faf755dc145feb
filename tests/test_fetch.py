"""agdb fetch as users meet it: the table of addresses, ENCODE's portal, mirrors, what to do by hand, and what ingest
makes of where a file is from."""

import gzip
import hashlib
import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from site_on_loopback import Page, Site, served
from studies import add_study, drawn
from typer.testing import CliRunner, Result

from agdb import db
from agdb.analysis import explain, run
from agdb.cli import app
from agdb.errors import ExitCode
from agdb.fetch import addresses
from agdb.fetch.addresses import Address, named
from agdb.ingest import origin

PEAKS = gzip.compress(b"chr1\t100\t250\t.\t0\t.\t1.5\t-1\t-1\t75\n", mtime=0)
K562 = named("dhs", "K562")
EVALS = "caqtl-african", "caqtl-european", "dsqtl-yoruba"
FEATHER = b"ARROW1 a table ARROW1"


@pytest.fixture
def agdb(of_site: dict[str, str]) -> Callable[..., Result]:
    """Run agdb with the site in place of every host."""
    return lambda *words, **more: CliRunner().invoke(app, [str(word) for word in words], env={**of_site, **more})


def portal(site: Site, accession: str, data: bytes = PEAKS, **facts: object) -> None:
    """ENCODE's portal with a file and what it says of it."""
    href = f"/files/{accession}/@@download/{accession}.bed.gz"
    told = {
        "accession": accession, "href": href, "md5sum": hashlib.md5(data).hexdigest(), "file_size": len(data),
        "file_format": "bed", "output_type": "peaks", "assembly": "GRCh38", "status": "released",
        "biosample_ontology": {"term_name": "K562"}, **facts,
    }  # fmt: skip
    base = "https://www.encodeproject.org"
    site.of(f"{base}/files/{accession}/?format=json", Page(json.dumps(told).encode()))
    site.of(f"{base}{href}", Page(data))


# --- the table ---


@pytest.mark.parametrize("address", addresses.table(), ids=lambda a: f"{a.what} {a.name}")
def test_an_address_is_complete(address: Address) -> None:
    assert address.url.startswith("https://")
    assert address.page.startswith("https://")
    assert re.fullmatch(r"(md5:[0-9a-f]{32}|sha256:[0-9a-f]{64})?", address.checksum or "")
    assert address.checked
    assert address.licence
    assert address.citation
    assert addresses.SAFE_NAME.fullmatch(address.file)
    assert address.next is None or "{path}" in address.next


def test_no_two_files_have_the_same_name_in_the_folder() -> None:
    files = [address.file for address in addresses.table()]
    assert len(set(files)) == len(files)


@pytest.mark.parametrize(
    "words",
    [
        "chain hg17ToHg38",
        "genome mm10",
        "alphagenome-evals nope",
        "gtex --tissue Liver --release v7",
        "gtex --tissue Liver --table sqtl",
        "dhs --biosample Jurkat",
        "dhs",
        "dhs --accession ENCSR000EOT",
        "url ftp://example.org/a.gz",
        "url https://example.org/",
        "url https://example.org/a.gz --checksum sha256:12",
        "url https://me:secret@example.org/a.gz",
    ],
)
def test_what_agdb_does_not_know_is_said_with_what_it_knows(
    agdb: Callable[..., Result], site: Site, words: str
) -> None:
    done = agdb("fetch", *words.split())
    assert done.exit_code == ExitCode.USAGE
    assert done.stderr.count("error: ") == 1
    assert "cure: " in done.stderr
    assert site.requests == []


# --- what comes, and what is next ---


def test_the_evaluations_are_three_files_whose_paths_are_printed(
    agdb: Callable[..., Result], site: Site, folder: Path
) -> None:
    for name in EVALS:
        site.of(named("alphagenome-evals", name).url, Page(FEATHER))
    done = agdb("fetch", "alphagenome-evals")
    assert done.exit_code == 0, done.output
    paths = shlex.split(done.stdout)
    assert [Path(path).read_bytes() for path in paths] == [FEATHER] * 3


def test_a_feather_file_without_its_end_is_refused(agdb: Callable[..., Result], site: Site) -> None:
    site.of(named("alphagenome-evals", "dsqtl-yoruba").url, Page(FEATHER[:-1]))
    done = agdb("fetch", "alphagenome-evals", "dsqtl-yoruba")
    assert done.exit_code == ExitCode.REFUSED
    assert "no feather file" in done.stderr


def test_a_folder_with_a_blank_in_its_name_is_quoted(agdb: Callable[..., Result], site: Site, tmp_path: Path) -> None:
    portal(site, "ENCFF274YGF")
    done = agdb("fetch", "dhs", "--biosample", "K562", "--to", tmp_path / "my data")
    words = shlex.split(done.stdout)
    assert Path(words[3]).read_bytes() == PEAKS
    assert words[:3] == ["agdb", "ingest", "peaks"]


def test_the_command_that_reads_names_the_database_that_was_said(
    agdb: Callable[..., Result], site: Site, tmp_path: Path
) -> None:
    """Else `agdb --db mine.duckdb fetch ... | sh` filled another one. What AGDB_DB says, the shell knows too."""
    portal(site, "ENCFF274YGF")
    study = tmp_path / "my study.duckdb"
    said = agdb("--db", study, "fetch", "dhs", "--biosample", "K562").stdout
    assert shlex.split(said)[:5] == ["agdb", "--db", str(study), "ingest", "peaks"]
    inherited = agdb("fetch", "dhs", "--biosample", "K562", AGDB_DB=str(study)).stdout
    assert shlex.split(inherited)[:3] == ["agdb", "ingest", "peaks"]


def test_a_folder_that_cannot_be_made_is_refused(agdb: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = agdb("fetch", "chain", "--to", tmp_path / "file" / "folder")
    assert done.exit_code == ExitCode.REFUSED
    assert "no files can be kept there" in done.stderr


# --- ENCODE ---


def test_the_md5_of_the_portal_is_what_peaks_are_checked_by(agdb: Callable[..., Result], site: Site) -> None:
    portal(site, "ENCFF274YGF", md5sum="0" * 32)
    done = agdb("fetch", "dhs", "--biosample", "k562")
    assert done.exit_code == ExitCode.REFUSED
    assert "not 00000000000000000000000000000000" in done.stderr


def test_any_accession_is_fetched_and_its_biosample_and_assembly_are_the_portals(
    agdb: Callable[..., Result], site: Site, folder: Path
) -> None:
    portal(site, "ENCFF123ABC", assembly="hg19", biosample_ontology={"term_name": "heart left ventricle"})
    done = agdb("fetch", "dhs", "--accession", "ENCFF123ABC")
    path = folder / "ENCFF123ABC.bed.gz"
    assert done.stdout == f"agdb ingest peaks {path} --biosample 'heart left ventricle' --assembly hg19\n"


def test_peaks_of_another_biosample_than_was_said_are_refused(agdb: Callable[..., Result], site: Site) -> None:
    portal(site, "ENCFF123ABC", biosample_ontology={"term_name": "HepG2"})
    done = agdb("fetch", "dhs", "--accession", "ENCFF123ABC", "--biosample", "K562")
    assert done.exit_code == ExitCode.REFUSED
    assert "ENCFF123ABC is of HepG2, not of K562" in done.stderr


@pytest.mark.parametrize("kind", ["bam", "bigWig", "bigBed"])
def test_a_file_that_holds_no_peaks_is_refused(agdb: Callable[..., Result], site: Site, kind: str) -> None:
    portal(site, "ENCFF123ABC", file_format=kind)
    done = agdb("fetch", "dhs", "--accession", "ENCFF123ABC")
    assert done.exit_code == ExitCode.REFUSED
    assert f"it is a {kind} file" in done.stderr


@pytest.mark.parametrize("href", ["//evil.example.org/a.gz", "@evil.example.org/a.gz", "/files/../../a", 7, None])
def test_the_portal_cannot_lead_elsewhere(agdb: Callable[..., Result], site: Site, href: object) -> None:
    portal(site, "ENCFF123ABC", href=href)
    done = agdb("fetch", "dhs", "--accession", "ENCFF123ABC")
    assert done.exit_code == ExitCode.REFUSED
    assert "no description of a file" in done.stderr
    assert len(site.requests) == 1


def test_an_accession_that_the_portal_does_not_have_is_asked_about(agdb: Callable[..., Result]) -> None:
    done = agdb("fetch", "dhs", "--accession", "ENCFF999ZZZ")
    assert done.exit_code == ExitCode.REFUSED
    assert "is ENCFF999ZZZ right?" in done.stderr


def test_a_mirror_without_the_portals_description_still_has_the_peaks_that_are_known(
    agdb: Callable[..., Result], site: Site, folder: Path
) -> None:
    site.of(K562.url, Page(PEAKS))
    done = agdb("fetch", "dhs", "--biosample", "K562")
    assert done.exit_code == 0, done.output
    assert "no checksum" in done.stderr
    assert (folder / "ENCFF274YGF.bed.gz").read_bytes() == PEAKS


# --- by hand ---

#: Nobody listens there.
OFFLINE = {"AGDB_FETCH_MIRROR": "http://127.0.0.1:9"}


def test_offline_it_says_what_to_download_and_where_to_put_it(agdb: Callable[..., Result], folder: Path) -> None:
    chain = named("chain", "hg19ToHg38")
    done = agdb("fetch", "chain", **OFFLINE)
    assert done.exit_code == ExitCode.REFUSED
    lines = [line.strip() for line in done.stderr.splitlines()]
    assert f"from {chain.url}" in lines
    assert f"as   {folder / chain.file}" in lines
    assert str(chain.checksum) in lines[-1]


def test_a_file_that_moved_is_to_be_looked_for_on_the_page_of_its_publisher(agdb: Callable[..., Result]) -> None:
    done = agdb("fetch", "genome", "hg19")
    assert done.exit_code == ExitCode.REFUSED
    assert "404 Not Found" in done.stderr
    assert f"see where it is now, {named('genome', 'hg19').page}" in done.stderr


def test_what_was_put_there_by_hand_is_taken(agdb: Callable[..., Result], folder: Path) -> None:
    folder.mkdir()
    (folder / K562.file).write_bytes(PEAKS)
    done = agdb("fetch", "dhs", "--biosample", "K562", **OFFLINE)
    assert done.exit_code == 0, done.output
    assert "brought by hand: gzip, with its own checksum" in done.stderr
    found = origin.read(folder / K562.file)
    assert found is not None
    assert (found.url, found.retrieved_at) == (K562.url, None)


def test_something_else_that_was_put_there_is_refused(agdb: Callable[..., Result], folder: Path) -> None:
    folder.mkdir()
    (folder / "hg19ToHg38.over.chain.gz").write_bytes(PEAKS)
    done = agdb("fetch", "chain", **OFFLINE)
    assert done.exit_code == ExitCode.REFUSED
    assert "its md5 is" in done.stderr


def test_a_member_needs_its_whole_archive_by_hand(agdb: Callable[..., Result], folder: Path) -> None:
    done = agdb("fetch", "gtex", "--tissue", "Liver", **OFFLINE)
    assert f"as   {folder / 'GTEx_Analysis_v8_eQTL.tar'}" in done.stderr
    assert "Liver.v8.signif_variant_gene_pairs.txt.gz is taken out of it" in done.stderr


def test_peaks_of_an_unknown_accession_say_how_to_ingest_them_without_the_portal(agdb: Callable[..., Result]) -> None:
    done = agdb("fetch", "dhs", "--accession", "ENCFF123ABC", **OFFLINE)
    assert done.exit_code == ExitCode.REFUSED
    assert "agdb ingest peaks" in done.stderr


def test_a_proxy_that_does_not_work_is_named_without_its_password(agdb: Callable[..., Result]) -> None:
    done = agdb("fetch", "chain", AGDB_FETCH_MIRROR="", NO_PROXY="", no_proxy="",
                HTTPS_PROXY="http://me:secret@127.0.0.1:9", https_proxy="http://me:secret@127.0.0.1:9")  # fmt: skip
    assert done.exit_code == ExitCode.REFUSED
    assert "is the proxy 127.0.0.1:9 right" in done.stderr
    assert "secret" not in done.stderr


def test_a_dry_run_offline_says_what_the_table_knows(agdb: Callable[..., Result]) -> None:
    done = agdb("fetch", "genome", "--dry-run", **OFFLINE)
    assert done.exit_code == 0
    assert "983,659,424 bytes by the table" in done.stdout
    assert "md5:1c9dcaddfa41027f17cd8f7a82c7293b" in done.stdout


@pytest.mark.parametrize("mirror", ["ftp://me:secret@host", "me:secret@host/data", "file:///data"])
def test_a_mirror_that_is_no_web_address_is_refused(agdb: Callable[..., Result], mirror: str) -> None:
    done = agdb("fetch", "chain", AGDB_FETCH_MIRROR=mirror)
    assert done.exit_code == ExitCode.USAGE
    assert "secret" not in done.stderr


@pytest.mark.parametrize("mirror", ["http://me:secret@127.0.0.1:9//", "http://me:secret@127.0.0.1:port"])
def test_a_mirror_that_does_not_answer_is_named_without_its_password(agdb: Callable[..., Result], mirror: str) -> None:
    done = agdb("fetch", "chain", AGDB_FETCH_MIRROR=mirror)
    assert done.exit_code == ExitCode.REFUSED
    assert f"where: {mirror.replace('me:secret@', '').rstrip('/')}/hgdownload" in done.stderr
    assert "secret" not in done.stderr


def test_a_mirror_that_has_no_such_file_is_named_without_its_password(
    agdb: Callable[..., Result], of_site: dict[str, str]
) -> None:
    mirror = of_site["AGDB_FETCH_MIRROR"].replace("://", "://me:secret@")
    done = agdb("fetch", "chain", AGDB_FETCH_MIRROR=mirror)
    assert "the server answers 404" in done.stderr
    assert "secret" not in done.stderr


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of 127.0.0.1 with its key, made for this test."""
    made = tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", made, "-out", tmp_path / "c.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    made.write_text(made.read_text() + (tmp_path / "c.pem").read_text())
    return made


needs_openssl = pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl to make a certificate with")


@needs_openssl
def test_a_way_from_https_to_http_is_not_taken(agdb: Callable[..., Result], site: Site, certificate: Path) -> None:
    site.pages["/peaks"] = Page(PEAKS)
    with served(certificate) as secure:
        secure.of(K562.url, Page(location=f"{site.address}/peaks"))
        done = agdb("fetch", "dhs", "--biosample", "K562", AGDB_FETCH_MIRROR=secure.address,
                    REQUESTS_CA_BUNDLE=str(certificate))  # fmt: skip
    assert done.exit_code == ExitCode.REFUSED
    assert "from https to http" in done.stderr


@needs_openssl
def test_a_certificate_that_nobody_trusts_is_not_trusted(agdb: Callable[..., Result], certificate: Path) -> None:
    with served(certificate) as secure:
        secure.of(K562.url, Page(PEAKS))
        done = agdb("fetch", "dhs", "--biosample", "K562", AGDB_FETCH_MIRROR=secure.address)
    assert done.exit_code == ExitCode.REFUSED
    assert "its certificate is not trusted" in done.stderr


# --- check-urls ---


def test_check_urls_passes_where_every_file_is_as_big_as_it_was(agdb: Callable[..., Result], site: Site) -> None:
    for address in addresses.table():
        site.of(address.url, Page(announces=address.bytes or 5))
    done = agdb("fetch", "check-urls")
    assert done.exit_code == 0, done.output
    assert {r.method for r in site.requests} == {"HEAD"}
    assert len(site.requests) == len(addresses.table())


def test_check_urls_names_what_is_gone_and_what_has_another_size(agdb: Callable[..., Result], site: Site) -> None:
    for address in addresses.table()[:-1]:
        site.of(address.url, Page(announces=7 if address.what == "blacklist" else address.bytes or 5))
    done = agdb("fetch", "check-urls")
    assert done.exit_code == ExitCode.REFUSED
    wrong = [line for line in done.stdout.splitlines()[2:] if not re.search(r" ok ", line)]
    assert [line.split()[0] for line in wrong] == ["blacklist", "alphagenome-evals"]
    assert "the table says 8,211 bytes" in wrong[0]
    assert "404" in wrong[1]
    assert "2 of 15 addresses" in done.stderr


# --- ingest ---


@pytest.fixture
def study(template_db: Path, tmp_path: Path) -> Path:
    path = tmp_path / "study.duckdb"
    path.write_bytes(template_db.read_bytes())
    return path


def source(study: Path) -> tuple[object, ...]:
    """Where the only source is from."""
    with duckdb.connect(str(study), read_only=True) as con:
        (row,) = con.execute("SELECT url, archive_member, retrieved_at, release, licence FROM source").fetchall()
    return tuple(row)


def test_ingest_writes_down_where_a_fetched_file_is_from(agdb: Callable[..., Result], site: Site, study: Path) -> None:
    portal(site, "ENCFF274YGF")
    line = agdb("fetch", "dhs", "--biosample", "K562").stdout
    done = agdb("--db", study, *shlex.split(line)[1:])
    assert done.exit_code == 0, done.output
    url, member, at, release, licence = source(study)
    assert (url, member, release) == (K562.url, None, "ENCODE ENCFF274YGF")
    assert licence == K562.licence
    assert isinstance(at, datetime)
    assert abs((datetime.now(UTC).replace(tzinfo=None) - at).total_seconds()) < 600


def test_status_shows_where_a_fetched_file_is_from(agdb: Callable[..., Result], site: Site, study: Path) -> None:
    portal(site, "ENCFF274YGF")
    agdb("--db", study, *shlex.split(agdb("fetch", "dhs", "--biosample", "K562").stdout)[1:])
    assert K562.url in agdb("--db", study, "status").stdout


def test_explain_tells_where_the_files_behind_a_number_are_from(study: Path) -> None:
    with db.writing(study) as con:
        add_study(con, drawn(60))
        con.execute("UPDATE source SET url = ?, retrieved_at = '2026-02-03 10:00:00'", [K562.url])
    run.stats(study, run.Asked(("all",), resamples=200))
    with duckdb.connect(str(study), read_only=True) as con:
        lines = [line for line in explain.explain(con, 1) if "sha256" in line and "source 1" in line]
    assert [line.partition(", from ")[2] for line in lines] == [f"{K562.url}, retrieved 2026-02-03"]


def test_the_origin_of_other_bytes_is_not_taken(agdb: Callable[..., Result], study: Path, tmp_path: Path) -> None:
    (file := tmp_path / "peaks.bed.gz").write_bytes(PEAKS)
    origin.write(file, origin.Origin(url=K562.url, sha256="0" * 64, bytes=1))
    done = agdb("--db", study, "ingest", "peaks", file, "--biosample", "K562", "--assembly", "hg38")
    assert done.exit_code == 0, done.output
    assert "peaks.bed.gz.source.json is of other bytes" in done.stderr
    assert source(study)[0] is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"url": 3}',
        '{"url": "https://a", "sha256": 1, "bytes": 2}',
        '{"url": "https://a", "sha256": "b", "bytes": 2, "retrieved_at": "yesterday"}',
    ],
)
def test_a_note_that_cannot_be_read_is_said_and_nothing_of_it_is_taken(tmp_path: Path, text: str) -> None:
    origin.beside(file := tmp_path / "peaks.bed.gz").write_text(text)
    found, said = origin.of(file, "b")
    assert found is None
    assert "peaks.bed.gz.source.json cannot be read" in str(said)


def test_a_note_that_cannot_be_read_does_not_stop_an_ingest(
    agdb: Callable[..., Result], study: Path, tmp_path: Path
) -> None:
    (file := tmp_path / "peaks.bed.gz").write_bytes(PEAKS)
    origin.beside(file).write_bytes(b"\xff\x00")
    done = agdb("--db", study, "ingest", "peaks", file, "--biosample", "K562", "--assembly", "hg38")
    assert done.exit_code == 0, done.output
    assert "peaks.bed.gz.source.json cannot be read" in done.stderr
    assert source(study) == (None,) * 5


def test_a_link_to_a_fetched_file_is_from_there_too(
    agdb: Callable[..., Result], site: Site, study: Path, tmp_path: Path, folder: Path
) -> None:
    portal(site, "ENCFF274YGF")
    agdb("fetch", "dhs", "--biosample", "K562")
    (link := tmp_path / "k562.bed.gz").symlink_to(folder / K562.file)
    agdb("--db", study, "ingest", "peaks", link, "--biosample", "K562", "--assembly", "hg38")
    assert source(study)[0] == K562.url


@pytest.mark.parametrize("url", ["https://example.org/a/b.tsv.gz", "http://example.org/b.tsv.gz"])
def test_ingest_of_an_address_says_to_fetch_it_first(agdb: Callable[..., Result], study: Path, url: str) -> None:
    done = agdb("--db", study, "ingest", "gtex", url)
    assert done.exit_code == ExitCode.REFUSED
    assert f"agdb fetch url {url}" in done.stderr
