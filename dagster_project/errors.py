"""Kido's error types, and functions that word messages.

Every package may raise these; this module imports no room.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime

from dagster_project.safe_text import printable

WIDTH = 80
"""Columns of a narrow terminal."""

MOST_QUOTED = 200
"""Most characters of a file or an answer in a message: enough to find the place."""

LONGEST_MESSAGE = 4_000
"""Most characters of a message with its list of reasons; the longest of Kido's has about 1,500."""

_QUOTED = re.compile(
    "|".join(
        rf"(?<!\w){mark}[^{mark}]{{{MOST_QUOTED + 1},}}{mark}(?!\w)" for mark in ("'", '"', "`")
    )
)
"""A long text between quotation marks; an apostrophe inside a word is not a quotation mark."""


_redact: ContextVar[Callable[[str], str] | None] = ContextVar("_redact", default=None)


@contextmanager
def redacting(redact: Callable[[str], str]) -> Iterator[None]:
    """Redact credentials in every error and every shortened text that is created inside.

    They are redacted on creation: after shortening, half a credential would not be recognised.
    """
    token = _redact.set(redact)
    try:
        yield
    finally:
        _redact.reset(token)


def redacted(text: str) -> str:
    """The text without the credentials that are in use."""
    redact = _redact.get()
    return redact(text) if redact else text


def shortened(text: str, most: int = MOST_QUOTED) -> str:
    """The text in a line, cut with an ellipsis at its end if it has more than `most` characters."""
    text = printable(redacted(text))
    return text if len(text) <= most else f"{text[: most - 1]}…"


def listed(values: Iterable[str]) -> str:
    """Values of a file, as many as fit MOST_QUOTED characters: `a, b and 998 more`."""
    all_values = list(values)
    length, shown = 0, 0
    for value in all_values:
        length += len(value) + 2
        if length > MOST_QUOTED and shown:
            break
        shown += 1
    more = f" and {len(all_values) - shown:,} more" if shown < len(all_values) else ""
    return ", ".join(shortened(value) for value in all_values[:shown]) + more


def iso_instant(at: datetime) -> str:
    """ISO text of an instant (UTC, no zone attached), to the second."""
    return f"{at:%Y-%m-%dT%H:%M:%S}Z"


def counted(count: int, noun: str) -> str:
    """A count with its noun: `1 row`, `4,415 rows`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def amount_of_bytes(count: int) -> str:
    """Bytes in decimal units: `812 B`, `3.4 kB`, `12.0 MB`."""
    if count < 1000:
        return f"{count} B"
    power = 1
    while power < 3 and round(count / 1000**power, 1) >= 1000:
        power += 1
    return f"{count / 1000**power:,.1f} {('kB', 'MB', 'GB')[power - 1]}"


def indented(text: str, by: int = 4) -> list[str]:
    """A text wrapped for a narrow terminal, with a hanging indent after the first line."""
    return textwrap.wrap(
        text, WIDTH, initial_indent=by * " ", subsequent_indent=(by + 2) * " ",
        break_on_hyphens=False,
    )  # fmt: skip


class KidoError(Exception):
    """A failure that a person can act on: a sentence, and a hint on what to do.

    Quoted text in a message is shortened to MOST_QUOTED characters. A message is one line, so that
    no text of a file can pass for another message.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        self.message = _readable(message)
        self.hint = _readable(hint)
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


def _readable(text: str) -> str:
    text = printable(redacted(text))
    if len(text) <= MOST_QUOTED:
        return text
    brief = _QUOTED.sub(lambda match: f"{match[0][:MOST_QUOTED]}…{match[0][-1]}", text)
    return shortened(brief, LONGEST_MESSAGE)


def exception_text(error: BaseException) -> str:
    """Type and message of another library's exception, shortened for a message."""
    return f"{type(error).__name__}: {shortened(' '.join(str(error).split()))}"


class ConfigurationError(KidoError):
    """A setting is missing, misspelt or has a value that cannot be used."""


class UpstreamFormatError(KidoError):
    """The bytes are not what the publisher is known to send (HTML, truncated, other columns)."""


class OutOfScopeError(UpstreamFormatError):
    """No row of a document is of a commodity in scope."""


class ContradictionError(UpstreamFormatError):
    """Files read as one document give different values for the same figure."""


class UnknownCodeError(UpstreamFormatError):
    """A country, commodity, unit or label is in none of Kido's lists; the message names it."""


class FetchError(KidoError):
    """A publisher could not be reached, or answered with an error after every retry."""


class UnreachableError(FetchError):
    """A publisher's server could not be reached, or was silent, at every attempt."""


class ServerFailingError(FetchError):
    """A publisher answered every attempt at one request with a temporary error (mostly 5xx)."""


class BusyError(KidoError):
    """Another run has locked the source: it is fetching or landing it."""


class UnexpectedStatusError(FetchError):
    """A publisher answered with a status for a wrong or unsupported request."""


class DeniedError(FetchError):
    """A publisher refused the credential, or requires one."""


class QuotaError(FetchError):
    """A publisher allows no more calls until `again_at` (UTC, no zone)."""

    def __init__(self, message: str, *, again_at: datetime | None = None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.again_at = again_at


class BatchRejectedError(KidoError):
    """A batch failed a blocking rule; none of it reached the lake."""


class ImplausibleError(BatchRejectedError):
    """Figures look like an error, compared with the known ones; a person has to review them."""


class DamagedError(KidoError):
    """A file of the home is missing, or differs from what was received or written."""


class AccessError(KidoError):
    """A file or folder cannot be read or written by this user."""


class DiskFullError(KidoError):
    """A disk has no room for what is to be written."""


class PublicationError(KidoError):
    """Nothing can be published, or there is no earlier release to roll back to."""


class BlockedError(PublicationError):
    """A build is blocked: readers would lose data, and a person has to accept that first."""


class DamagedReleaseError(PublicationError):
    """A published file, or the kept copy of a release, cannot be read."""
