"""agdb fetch with the real files in place of the downloads: they are checked by their published md5, and ingested."""

import io
import json
import shlex
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from site_on_loopback import Page, Site, served
from typer.testing import CliRunner, Result

from agdb.cli import app
from agdb.errors import ExitCode
from agdb.fetch.addresses import named

CHAINS = ["hg19ToHg38", "hg38ToHg19"]


@pytest.fixture
def site() -> Iterator[Site]:
    with served() as running:
        yield running


@pytest.fixture
def agdb(site: Site, tmp_path: Path) -> Callable[..., Result]:
    """Run agdb with the site in place of every host, and a database of its own."""
    env = {
        "AGDB_FETCH_MIRROR": site.address, "AGDB_CACHE": str(tmp_path / "cache"), "NO_PROXY": "*",
        "AGDB_DB": str(tmp_path / "study.duckdb"),
    }  # fmt: skip
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words], env=env)


def fetched_and_ingested(agdb: Callable[..., Result], *words: str) -> Result:
    """Fetch, then run the line that fetch prints."""
    done = agdb("fetch", *words)
    assert done.exit_code == 0, done.output
    agdb("init")
    return agdb(*shlex.split(done.stdout)[1:])


def sources(agdb: Callable[..., Result]) -> list[dict[str, object]]:
    found = agdb("sql", "SELECT name, url, archive_member, rows_kept FROM source ORDER BY 1", "--format", "json")
    return json.loads(found.stdout)  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", CHAINS)
def test_the_real_chains_have_the_md5_that_the_table_says(
    agdb: Callable[..., Result], site: Site, shared: Path, name: str
) -> None:
    address = named("chain", name)
    site.of(address.url, Page((shared / "chain" / address.file).read_bytes(), cuts=[100_000]))
    done = fetched_and_ingested(agdb, "chain", name)
    assert done.exit_code == 0, done.output
    assert sources(agdb)[0]["url"] == address.url


def test_one_bit_of_a_real_chain_is_not_overlooked(agdb: Callable[..., Result], site: Site, shared: Path) -> None:
    address = named("chain", "hg19ToHg38")
    data = bytearray((shared / "chain" / address.file).read_bytes())
    data[4] ^= 1  # the time in the head of the gzip, which no checksum of gzip's own covers
    site.of(address.url, Page(bytes(data)))
    assert agdb("fetch", "chain").exit_code == ExitCode.REFUSED


def test_a_real_tissue_comes_out_of_an_archive_of_real_files(
    agdb: Callable[..., Result], site: Site, shared: Path
) -> None:
    address, buffer = named("gtex", "v8"), io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for file in sorted((shared / "gtex").glob("*.v8.*.gz")):
            tar.add(file, f"GTEx_Analysis_v8_eQTL/{file.name}")
    site.of(address.url, Page(buffer.getvalue()))
    done = fetched_and_ingested(agdb, "gtex", "--tissue", "Kidney_Cortex")
    assert done.exit_code == 0, done.output
    name = "Kidney_Cortex.v8.signif_variant_gene_pairs.txt.gz"
    assert sources(agdb) == [{"name": name, "url": address.url, "archive_member": name, "rows_kept": 111_169}]
