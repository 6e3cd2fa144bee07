"""The few ways Kido stops, each with a sentence that says what to do.

A leaf: every room may raise these; nothing is imported here.
"""

from __future__ import annotations

from datetime import datetime


class KidoError(Exception):
    """A failure a person can act on: one sentence, and a hint where there is one."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


def stumbled_on(error: BaseException) -> str:
    """What a library or a mistake says of itself, short enough for a sentence of ours."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"


class ConfigurationError(KidoError):
    """A setting is missing, misspelt or has a value that cannot be used."""


class UpstreamFormatError(KidoError):
    """The bytes are not what the publisher is known to send (HTML, truncated, other columns)."""


class ContradictionError(UpstreamFormatError):
    """Files that were to be read as one say different things of the same figure."""


class UnknownCodeError(UpstreamFormatError):
    """A country, commodity, unit or label that no list of ours knows; it names itself."""


class FetchError(KidoError):
    """A publisher could not be reached, or answered with an error after every retry."""


class ServerFailingError(FetchError):
    """A publisher answered every attempt at one request with an error of its own (5xx)."""


class BusyError(KidoError):
    """Another run asks the publisher."""


class UnexpectedStatusError(FetchError):
    """A publisher answered, with a status that says the request was wrong or is not served."""


class DeniedError(FetchError):
    """A publisher refused the credential, or wants one."""


class QuotaError(FetchError):
    """A publisher allows no more calls for now; `again_at` (UTC, no zone) says until when."""

    def __init__(self, message: str, *, again_at: datetime | None = None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.again_at = again_at


class BatchRejectedError(KidoError):
    """A batch broke a rule that stops it; nothing of it reached the lake."""


class DamagedError(KidoError):
    """Bytes of a snapshot are no longer those that were received."""


class DiskFullError(KidoError):
    """A disk has no room for what is to be written."""


class PublicationError(KidoError):
    """There is nothing that may be published, or nothing to go back to."""
