"""A local server in place of CEPII: the page of BACI, and its archives, also from a byte on.

Figures of tests are invented; the layout is that of CEPII's archives. What a real page looks like
is not known here beyond its links.
"""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tests.fakes.server import NOT_FOUND, Behaviour, FakePublisher, Handler, Reply, Seen

PAGE = "/CEPII/en/bdd_modele/bdd_modele_item.asp"
FOLDER = "/DATA_DOWNLOAD/baci/data"

COUNTRIES = """country_code,country_name,country_iso2,country_iso3
156,China,CN,CHN
392,Japan,JP,JPN
410,Rep. of Korea,KR,KOR
516,Namibia,NA,NAM
608,Philippines,PH,PHL
704,Viet Nam,VN,VNM
"""

ROWS: Mapping[int, Sequence[str]] = {
    2023: (
        "2023,156,392,850511,150000.000,3600.000",
        "2023,608,392,850511,190000.000,3000.000",
        "2023,516,392,261210,12.500,   NA",
    ),
    2024: (
        "2024,156,392,850511,160000.000,3900.000",
        "2024,704,392,850511,170000.000,2700.000",
    ),
}
"""Year, exporter, importer, code, thousand dollars, tons: made up."""


@dataclass(frozen=True)
class File:
    """A file of the server, its validators, and whether ranges of it are served."""

    body: bytes
    etag: str = ""
    last_modified: str = "Thu, 22 Jan 2026 09:00:00 GMT"
    accepts_ranges: bool = True

    def headers(self) -> dict[str, str]:
        named = {
            "ETag": self.etag,
            "Last-Modified": self.last_modified,
            "Accept-Ranges": "bytes" if self.accepts_ranges else "",
        }
        return {name: value for name, value in named.items() if value}


def file_of(body: bytes) -> File:
    """A file with the strong ETag of its content."""
    return File(body, f'"{hashlib.sha256(body).hexdigest()[:16]}"')


def archive(
    rows: Mapping[int, Iterable[str]] = ROWS,
    version: str = "V202601",
    edition: str = "HS17",
    *,
    padding: int = 0,
) -> bytes:
    """CEPII's zip: a file a year and the countries; `padding` bytes that do not pack, in a note.

    `ZipInfo` has a fixed time, so that the same rows always make the same bytes.
    """
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as packed:
        for year, lines in rows.items():
            text = "".join(f"{line}\n" for line in ("t,i,j,k,v,q", *lines))
            entry = zipfile.ZipInfo(f"BACI_{edition}_Y{year}_{version}.csv")
            packed.writestr(entry, text, zipfile.ZIP_DEFLATED)
        entry = zipfile.ZipInfo(f"country_codes_{version}.csv")
        packed.writestr(entry, COUNTRIES, zipfile.ZIP_DEFLATED)
        if padding:
            # SHAKE gives bytes that are the same in every run and cannot be packed.
            note = hashlib.shake_128(version.encode()).digest(padding)
            packed.writestr(zipfile.ZipInfo("Readme.txt"), note)
    return whole.getvalue()


class FakeCepii(FakePublisher):
    """`with FakeCepii() as cepii:` serves the page and `files`, by name."""

    def __init__(self, files: Mapping[str, File] | None = None, *, log: Path | None = None) -> None:
        super().__init__(log=log)
        default = {"BACI_HS17_V202601.zip": file_of(archive())}
        self.files = dict(default if files is None else files)

    def answer(self, request: Seen) -> Reply:
        if request.path == PAGE and request.query.get("id") == "37":
            return Reply(200, self._page().encode("latin-1"), "text/html")
        folder, _, name = request.path.rpartition("/")
        if folder != FOLDER or name not in self.files:
            return NOT_FOUND
        return ranged(request, self.files[name])

    def _page(self) -> str:
        links = "".join(
            f'<a href="http://www.cepii.fr{FOLDER}/{name}">{name}</a> (Donn\xe9es)<br>\n'
            for name in self.files
        )
        return f"<!DOCTYPE html>\n<html><head><title>BACI</title></head><body>{links}</body></html>"

    @property
    def asked(self) -> list[str]:
        """The last parts of the paths asked for, with the range if one was."""
        return [
            f"{seen.path.rpartition('/')[2]} {seen.headers.get('range', '')}".strip()
            for seen in self.requests
        ]


def ranged(request: Seen, file: File) -> Reply:
    """The file, or what follows a byte of it where `Range` and `If-Range` allow (RFC 9110)."""
    whole = Reply(200, file.body, "application/zip", file.headers())
    match = re.fullmatch(r"bytes=([0-9]+)-", request.headers.get("range", ""))
    condition = request.headers.get("if-range")
    if match is None or not file.accepts_ranges:
        return whole
    if condition not in (None, file.etag, file.last_modified):
        return whole
    start, size = int(match[1]), len(file.body)
    if start >= size:
        return Reply(416, b"", "text/html", {"Content-Range": f"bytes */{size}"})
    headers = {**file.headers(), "Content-Range": f"bytes {start}-{size - 1}/{size}"}
    return Reply(206, file.body[start:], "application/zip", headers)


def cut_after(size: int) -> Behaviour:
    """Announces the whole body, sends its first `size` bytes and closes the connection."""

    def behave(handler: Handler, reply: Reply) -> None:
        handler.write_head(reply)
        handler.wfile.write(reply.body[:size])
        handler.wfile.flush()
        handler.close_connection = True

    return behave


def lying_about_its_range(content_range: str) -> Behaviour:
    """The proper answer under another `Content-Range`."""

    def behave(handler: Handler, reply: Reply) -> None:
        handler.write(replace(reply, headers={**reply.headers, "Content-Range": content_range}))

    return behave
