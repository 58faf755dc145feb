"""One tissue out of GTEx's archive: by ranges, from a server without them, or out of an archive that was brought."""

import gzip
import io
import random
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from site_on_loopback import Page, Site
from typer.testing import CliRunner, Result

from agdb.cli import app
from agdb.errors import ExitCode
from agdb.fetch.addresses import named
from agdb.ingest import origin

URL = named("gtex", "v8").url
FOLDER = "GTEx_Analysis_v8_eQTL"


def content(seed: int, n: int = 200_000) -> bytes:
    """A gzip that is unlike any other."""
    return gzip.compress(random.Random(seed).randbytes(n), mtime=0)


MEMBERS = {
    f"{tissue}.v8.{kind}.txt.gz": content(i)
    for i, (tissue, kind) in enumerate(
        (t, k)
        for t in ("Brain_Spinal_cord_cervical_c-1", "Kidney_Cortex", "Liver", "Whole_Blood")
        for k in ("egenes", "signif_variant_gene_pairs")
    )
}
PAIRS = "{}.v8.signif_variant_gene_pairs.txt.gz"


def tar(members: dict[str, bytes], folder: str = FOLDER, **how: int) -> bytes:
    """An archive as GTEx's: a folder with files in it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", **how) as archive:  # type: ignore[call-overload]
        top = tarfile.TarInfo(folder)
        top.type = tarfile.DIRTYPE
        archive.addfile(top)
        for name, data in members.items():
            info = tarfile.TarInfo(f"{folder}/{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


TAR = tar(MEMBERS)


@pytest.fixture
def gtex(of_site: dict[str, str]) -> Callable[..., Result]:
    """Run `agdb fetch gtex` for some tissues."""

    def run(*words: str) -> Result:
        tissues = [part for word in words if not word.startswith("-") for part in ("--tissue", word)]
        options = [word for word in words if word.startswith("-")]
        return CliRunner().invoke(app, ["fetch", "gtex", *tissues, *options], env=of_site)

    return run


def sent(site: Site) -> int:
    """Bytes that were asked for by ranges."""
    spans = [r.removeprefix("bytes=").split("-") for r in site.ranges() if r]
    return sum(int(last) - int(first) + 1 for first, last in spans)


def test_a_tissue_comes_out_of_the_archive_and_little_else(
    gtex: Callable[..., Result], site: Site, folder: Path
) -> None:
    site.of(URL, Page(TAR))
    done = gtex("Kidney_Cortex")
    assert done.exit_code == 0, done.output
    data = MEMBERS[name := PAIRS.format("Kidney_Cortex")]
    assert (folder / name).read_bytes() == data
    assert sent(site) < len(data) + 20_000
    assert None not in site.ranges()


def test_several_tissues_read_each_header_once_and_are_ingested_together(
    gtex: Callable[..., Result], site: Site, folder: Path
) -> None:
    site.of(URL, Page(TAR))
    done = gtex("Whole_Blood", "Kidney_Cortex", "Whole_Blood")
    files = [folder / PAIRS.format(tissue) for tissue in ("Whole_Blood", "Kidney_Cortex")]
    assert done.stdout == f"agdb ingest gtex {files[0]} {files[1]}\n"
    assert [f.read_bytes() == MEMBERS[f.name] for f in files] == [True, True]
    assert len(set(site.ranges())) == len(site.ranges())
    assert len(site.connections) <= 3


def test_egenes_are_another_member(gtex: Callable[..., Result], site: Site, folder: Path) -> None:
    site.of(URL, Page(TAR))
    assert gtex("Liver", "--table=egenes").exit_code == 0
    assert (folder / "Liver.v8.egenes.txt.gz").read_bytes() == MEMBERS["Liver.v8.egenes.txt.gz"]


def test_release_v10_is_another_archive(gtex: Callable[..., Result], site: Site, folder: Path) -> None:
    name = "Liver.v10.eQTLs.signif_pairs.parquet"
    site.of(named("gtex", "v10").url, Page(tar({name: b"PAR1 a table PAR1"}, "GTEx_Analysis_v10_eQTL_updated")))
    done = gtex("Liver", "--release=v10")
    assert done.exit_code == 0, done.output
    assert (folder / name).read_bytes() == b"PAR1 a table PAR1"


def test_a_cut_member_goes_on_where_it_was(gtex: Callable[..., Result], site: Site, folder: Path) -> None:
    data = MEMBERS[name := PAIRS.format("Liver")]
    page = site.of(URL, Page(TAR))
    assert gtex("Liver").exit_code == 0
    (folder / name).unlink()
    page.cuts = [4096] * sum(r is not None for r in site.ranges()[:-1]) + [100_000]
    site.requests.clear()
    assert gtex("Liver").exit_code == 0
    assert (folder / name).read_bytes() == data
    first = TAR.index(data)
    assert site.ranges()[-2:] == [f"bytes={first + n}-{first + len(data) - 1}" for n in (0, 100_000)]


@pytest.mark.parametrize("page", [Page(TAR, has_ranges=False), Page(TAR, has_ranges=False, cuts=[500_000])],
                         ids=["whole", "cut"])  # fmt: skip
def test_a_server_without_ranges_sends_its_archive_up_to_the_tissue(
    gtex: Callable[..., Result], site: Site, folder: Path, page: Page
) -> None:
    site.of(URL, page)
    done = gtex("Kidney_Cortex")
    assert done.exit_code == 0, done.output
    assert "the server sends no parts of files" in done.stderr
    assert (folder / PAIRS.format("Kidney_Cortex")).read_bytes() == MEMBERS[PAIRS.format("Kidney_Cortex")]


def test_an_archive_that_was_brought_by_hand_is_read_in_its_place(
    gtex: Callable[..., Result], site: Site, folder: Path
) -> None:
    folder.mkdir()
    (folder / "GTEx_Analysis_v8_eQTL.tar").write_bytes(TAR)
    assert gtex("Kidney_Cortex").exit_code == 0
    assert (folder / PAIRS.format("Kidney_Cortex")).read_bytes() == MEMBERS[PAIRS.format("Kidney_Cortex")]
    assert site.requests == []
    found = origin.read(folder / PAIRS.format("Kidney_Cortex"))
    assert found is not None
    assert found.retrieved_at is None


def test_an_archive_that_was_brought_only_in_part_is_refused(gtex: Callable[..., Result], folder: Path) -> None:
    folder.mkdir()
    (folder / "GTEx_Analysis_v8_eQTL.tar").write_bytes(TAR[: TAR.index(MEMBERS[PAIRS.format("Liver")]) + 100])
    done = gtex("Liver")
    assert done.exit_code == ExitCode.REFUSED
    assert "archive is cut" in done.stderr
    assert not (folder / PAIRS.format("Liver")).exists()


@pytest.mark.parametrize("how", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])
def test_every_kind_of_tar_is_read(gtex: Callable[..., Result], site: Site, folder: Path, how: int) -> None:
    long = {f"{'x' * 90}{i}": b"other" for i in range(5)}
    site.of(URL, Page(tar(long | {PAIRS.format("Liver"): content(1)}, format=how)))
    assert gtex("Liver").exit_code == 0
    assert (folder / PAIRS.format("Liver")).read_bytes() == content(1)


def test_a_tissue_that_is_spelt_otherwise_is_told(gtex: Callable[..., Result], site: Site) -> None:
    site.of(URL, Page(TAR))
    done = gtex("KidneyCortex")
    assert done.exit_code == ExitCode.REFUSED
    assert "did you mean Kidney_Cortex.v8.signif_variant_gene_pairs.txt.gz" in done.stderr


@pytest.mark.parametrize("tissue", ["Whole Blood", "../../etc/passwd", "a/b", "", "x\n"])
def test_a_tissue_that_is_no_name_is_refused_before_anybody_is_asked(
    gtex: Callable[..., Result], site: Site, tissue: str
) -> None:
    done = gtex(tissue)
    assert done.exit_code == ExitCode.USAGE
    assert "is no tissue of GTEx" in done.stderr
    assert site.requests == []


def test_members_that_lead_out_of_the_archive_or_are_links_are_passed_over(
    gtex: Callable[..., Result], site: Site, folder: Path
) -> None:
    name, buffer = PAIRS.format("Liver"), io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, kind in (
            (f"../../{name}", tarfile.REGTYPE),
            (f"/tmp/{name}", tarfile.REGTYPE),
            (f"a/{name}", tarfile.SYMTYPE),
        ):
            info = tarfile.TarInfo(path)
            info.type, info.linkname = kind, "/etc/passwd" if kind == tarfile.SYMTYPE else ""
            info.size = 4 if kind == tarfile.REGTYPE else 0
            archive.addfile(info, io.BytesIO(b"evil"))
    site.of(URL, Page(buffer.getvalue()))
    done = gtex("Liver")
    assert done.exit_code == ExitCode.REFUSED
    assert "the archive holds no Liver" in done.stderr
    assert list(folder.rglob("*.gz")) == []


@pytest.mark.parametrize(
    "data",
    [b"<html>Log in</html>", b"\0" * 2000, b"", gzip.compress(TAR[:3000])],
    ids=["page", "zeros", "empty", "gzip"],
)
@pytest.mark.parametrize("has_ranges", [True, False])
def test_what_is_no_archive_is_refused(
    gtex: Callable[..., Result], site: Site, folder: Path, data: bytes, has_ranges: bool
) -> None:
    site.of(URL, Page(data, has_ranges=has_ranges))
    done = gtex("Liver")
    assert done.exit_code == ExitCode.REFUSED, done.output
    assert done.stderr.count("error: ") == 1
    assert list(folder.iterdir()) == []


def test_a_dry_run_knows_the_size_of_a_member(gtex: Callable[..., Result], site: Site, folder: Path) -> None:
    site.of(URL, Page(TAR))
    done = gtex("Whole_Blood", "--dry-run")
    n = len(MEMBERS[PAIRS.format("Whole_Blood")])
    assert f"{n:,} bytes, out of an archive of {len(TAR):,}" in done.stdout
    assert not folder.exists()


def test_the_origin_of_a_member_names_the_archive_and_the_member(
    gtex: Callable[..., Result], site: Site, folder: Path
) -> None:
    site.of(URL, Page(TAR))
    gtex("Liver")
    found = origin.read(folder / PAIRS.format("Liver"))
    assert found is not None
    assert (found.url, found.member, found.release) == (URL, PAIRS.format("Liver"), "GTEx v8")
