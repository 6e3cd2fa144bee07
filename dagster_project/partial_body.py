"""The part of a large body that broke off, and whether what a server sends next is its rest.

The bytes are in the file of the download; beside it a note says of which body they are. Nothing
here talks to a network.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from dagster_project.errors import redacted

LEAST_BYTES = 8 << 20
"""A smaller body that broke off is fetched again: it takes seconds, and a request for the rest is
one more way to go wrong."""

_CONTENT_RANGE = re.compile(r"bytes ([0-9]+)-([0-9]+)/([0-9]+|\*)")


class PartialBody(BaseModel):
    """Of which body a file has the first bytes: its address, size in bytes, and validator.

    `validator` is a strong `ETag` or a `Last-Modified` as the server sent it. It contains no
    credential: the address is the one that may be shown.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    address: str
    size: int
    validator: str

    def start(self, file: Path) -> int:
        """The first byte to ask for. The last byte is always asked for, so that there is a rest."""
        return min(file.stat().st_size, self.size - 1)

    def request_headers(self, file: Path) -> dict[str, str]:
        """The headers of a request for the rest; a server whose body changed sends all of it."""
        return {"Range": f"bytes={self.start(file)}-", "If-Range": self.validator}

    def why_not_its_rest(self, headers: Mapping[str, str], file: Path) -> str:
        """Why an answer with status 206 is not the rest of this body; empty if it is."""
        first_last_size = _CONTENT_RANGE.fullmatch(headers.get("content-range", "").strip())
        expected = (str(self.start(file)), str(self.size - 1))
        if first_last_size is None or first_last_size.groups()[:2] != expected:
            return "the server sent another range than was requested"
        if first_last_size[3] not in (str(self.size), "*"):
            return "the body has another size than before"
        if not is_identity(headers):
            return "the server sent a range of a coded body"
        if self.validator not in (validator_of(headers) or self.validator, last_modified(headers)):
            return "the body has changed at the publisher's"
        return ""


def begin(file: Path, address: str, headers: Mapping[str, str]) -> None:
    """Note of which body `file` has the first bytes, if its rest can be asked for later.

    It can if the body is large, not coded, of a known size and with a validator, and the server
    accepts ranges (RFC 9110, section 14). A validator that repeats a credential is not stored.
    """
    _note(file).unlink(missing_ok=True)
    validator, size = validator_of(headers), headers.get("content-length", "")
    accepts_ranges = headers.get("accept-ranges", "").strip().lower() == "bytes"
    if not (validator and accepts_ranges and is_identity(headers) and size.isdecimal()):
        return
    if redacted(validator) != validator:
        return
    if int(size) >= LEAST_BYTES:
        body = PartialBody(address=address, size=int(size), validator=validator)
        _note(file).write_text(body.model_dump_json())


def finish(file: Path) -> None:
    """Remove the note: the file is whole, or of no use."""
    _note(file).unlink(missing_ok=True)


def discard(file: Path) -> None:
    """Remove the file and its note."""
    file.unlink(missing_ok=True)
    _note(file).unlink(missing_ok=True)


def partial_body(file: Path) -> PartialBody | None:
    """Of which body the file has the first bytes; None where its rest cannot be asked for."""
    try:
        body = PartialBody.model_validate_json(_note(file).read_bytes())
        return body if 0 < file.stat().st_size <= body.size else None
    except (FileNotFoundError, ValidationError):
        return None


def is_identity(headers: Mapping[str, str]) -> bool:
    """Whether the body is not coded: bytes of a coded one differ from one answer to the next."""
    return headers.get("content-encoding", "").strip().lower() in ("", "identity")


def validator_of(headers: Mapping[str, str]) -> str:
    """The strong `ETag`, else `Last-Modified`; empty where there is neither."""
    etag = headers.get("etag", "").strip()
    return etag if etag.startswith('"') else last_modified(headers)


def last_modified(headers: Mapping[str, str]) -> str:
    return headers.get("last-modified", "").strip()


def _note(file: Path) -> Path:
    return file.with_name(f"{file.name}.json")
