"""What the ENCODE portal says of one of its files: https://www.encodeproject.org/help/rest-api/."""

import json
import re
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

from agdb.errors import Refused, UsageError
from agdb.fetch.addresses import Address, table
from agdb.fetch.download import BrokenOff, patiently
from agdb.fetch.folder import Say
from agdb.fetch.web import Gone, OutOfReach, Web

PORTAL = "https://www.encodeproject.org"
#: A description is a few dozen kB; more is none.
LONGEST = 1 << 22


def of_biosample(biosample: str | None, accession: str | None) -> Address:
    """The peaks of a biosample that the table knows, or the file of an accession.

    Raises:
        UsageError: neither is known, or the accession is none.
    """
    known = [address for address in table() if address.what == "dhs"]
    if accession is None:
        for address in known:
            if biosample and address.name.lower() == biosample.lower():
                return address
        names = ", ".join(address.name for address in known)
        raise UsageError(
            f"agdb knows no peaks of {biosample!r}" if biosample else "the biosample is not said",
            cure=f"--biosample, one of {names}; or look the DNase peaks (bed narrowPeak, GRCh38) of any other up on "
                 f"{PORTAL} and give --accession ENCFF...",
        )  # fmt: skip
    if not re.fullmatch(r"ENCFF\d{3}[A-Z]{3}", accession):
        raise UsageError(f"{accession!r} is no file of ENCODE", cure="--accession ENCFF..., of a file, not ENCSR...")
    for address in known:
        if address.accession == accession:
            return address
    model = known[0]
    return replace(
        model, name=biosample or "", accession=accession,
        url=f"{PORTAL}/files/{accession}/@@download/{accession}.bed.gz",
        release=f"ENCODE {accession}", page=f"{PORTAL}/files/{accession}/", next=None, assembly=None,
        citation=model.citation.replace(str(model.accession), accession),
    )  # fmt: skip


def asked(web: Web, address: Address, biosample: str | None = None) -> Address:
    """The same address with what the portal says of it: md5, size, assembly, biosample.

    Raises:
        Refused: it is no file of peaks, or of another biosample.
        OutOfReach, Gone: the portal does not answer, or has no such file.
    """
    page = f"{PORTAL}/files/{address.accession}/?format=json"
    facts = _facts(web, page)
    if facts.get("file_format") != "bed":
        raise Refused(
            f"{address.accession} holds no peaks: it is a {facts.get('file_format')} file ({facts.get('output_type')})",
            where=page, cure="the accession of a bed narrowPeak file of the same experiment",
        )  # fmt: skip
    term = (facts.get("biosample_ontology") or {}).get("term_name")
    if term and biosample and term.lower() != biosample.lower():
        raise Refused(f"{address.accession} is of {term}, not of {biosample}", where=page,
                      cure=f"--biosample {term}, or another accession")  # fmt: skip
    name, assembly = biosample or term or address.name, facts.get("assembly")
    if not name or not assembly:
        what = "assembly" if name else "biosample"
        raise Refused(f"the portal does not say of what {what} {address.accession} is", where=page,
                      cure="--biosample NAME; or download and ingest it by hand")  # fmt: skip
    return replace(
        address, name=name, assembly=assembly, checksum=f"md5:{facts['md5sum']}", bytes=facts.get("file_size"),
        url=PORTAL + facts["href"],
        next=f"ingest peaks {{path}} --biosample {shlex.quote(name)} --assembly {shlex.quote(assembly)}",
    )  # fmt: skip


def asked_or_known(web: Web, address: Address, biosample: str | None, folder: Path, say: Say) -> Address:
    """What the portal says; what the table says where the portal is out of reach and the file was brought by hand, or
    where a mirror has the file without its description.

    Raises:
        Refused: it is no file of peaks, or of another biosample; or neither knows what it is.
    """
    try:
        return asked(web, address, biosample)
    except (OutOfReach, Gone, BrokenOff) as error:
        is_there = (folder / address.file).exists()
        if address.next and (is_there or isinstance(error, Gone)):
            say(f"{address.file}: no checksum, for the portal does not describe it: {error.what}")
            return address
        if isinstance(error, Gone):
            raise Gone(
                error.what, where=error.where, cure=f"is {address.accession} right? Look it up on {PORTAL}"
            ) from error
        raise type(error)(error.what, where=error.where, cure=_by_hand(address, folder)) from error


def _by_hand(address: Address, folder: Path) -> str:
    if address.next:
        then = "and give the same command again"
    else:
        then = f"and: agdb ingest peaks {folder / address.file} --biosample NAME --assembly GRCh38 (as the portal says)"
    lines = ["download it by hand:", f"from {address.url}", f"as   {folder / address.file}", then]
    return "\n           ".join(lines)


def _facts(web: Web, page: str) -> dict[str, Any]:
    def read() -> bytes:
        with web.body(page) as answer:
            found = b""
            for chunk in answer.chunks():
                found += chunk
                if len(found) > LONGEST:
                    raise Gone("what the portal answers is too long for a description", where=page)
            return found

    text = patiently(read)
    try:
        facts = json.loads(text)
        if not re.fullmatch(r"/files/\w+/@@download/[\w.-]+", facts["href"]):
            raise ValueError(facts["href"])
        if not re.fullmatch(r"[0-9a-f]{32}", facts["md5sum"]):
            raise ValueError(facts["md5sum"])
    except (ValueError, KeyError, TypeError) as error:
        raise Gone("what the portal answers is no description of a file", where=page) from error
    return facts  # type: ignore[no-any-return]
