"""The only module that talks to a network: one publisher's client, with its limits and its key.

It sends a request, waits and retries where that may help, and streams the answer to a file. What an
answer means is decided by the source. A server may repeat anything anywhere, including the key it
was sent: all exceptions, log lines and fields of answers pass through one place, where every
credential is redacted (`Client.redacting`). Bodies of answers are stored byte for byte.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import os
import re
import ssl
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from urllib.parse import quote_plus

import httpx
from pydantic import SecretStr
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    wait_exponential_jitter,
)
from tenacity.wait import wait_base

from dagster_project import partial_body
from dagster_project.errors import (
    ConfigurationError,
    DeniedError,
    FetchError,
    KidoError,
    QuotaError,
    ServerFailingError,
    UnexpectedStatusError,
    UnreachableError,
    UpstreamFormatError,
    redacted,
    redacting,
    shortened,
)
from dagster_project.partial_body import PartialBody
from dagster_project.safe_text import logger
from dagster_project.sources.card import Answer, Excerpt, Limits, Meaning, Request
from dagster_project.sources.formats import looks_like, looks_like_html

KEY_PLACEHOLDER = "{key}"
"""Placeholder of the credential in a request's headers, so that a plan never contains a secret:
`{"Authorization": "APIKey {key}"}`. It is in parameters only where headers are not accepted."""

LEAST_BYTES_A_SECOND = 1024
"""A body that is slower than this after the timeout is treated as never ending."""

LONGEST_WAIT_S = 60.0
"""If a publisher asks for a longer wait, the run ends instead: a run that sleeps for hours looks
like one that hangs."""

MOST_RETRY_AFTER_S = 366 * 86400.0
"""A longer `Retry-After` is read as this: some are beyond the largest date."""

MOST_REDIRECTS = 5
MOST_ERROR_TEXT_BYTES = 64 << 10
"""How much is read of the text of an answer without content."""

BLOCK_BYTES = 1 << 20
REDACTED = "***"

RETRIED_STATUSES = frozenset({408, 409, 425, 429})
"""Temporary statuses below 500: too slow, busy with another request, too early, too often."""

_CREDENTIAL_NAMES = frozenset(
    {"key", "appid", "apikey", "token", "accesstoken", "subscriptionkey", "secret", "password"}
)
"""Names of parameters that carry credentials, in lower case without `-` and `_`."""

LEAST_CREDENTIAL = 4
"""Fewest characters of a credential in a parameter named like one: `key=1` is not a credential."""

LEAST_BASE64 = 6
"""A shorter run of base64 occurs in many texts by chance."""

_HTML_NAMES = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos", "+": "plus", "/": "sol"}

_KEPT_HEADERS = (
    "content-type",
    "content-length",
    "content-encoding",
    "content-disposition",
    "date",
    "etag",
    "last-modified",
)

_is_fetching: ContextVar[bool] = ContextVar("_is_fetching", default=False)
_log = logger(__name__)


@dataclass(frozen=True)
class Received:
    """An answer, and what may be recorded of its origin. Nothing here contains a credential.

    `retrieved_at` is in UTC, without a zone attached. `sha256` and `bytes` are of the file.
    """

    answer: Answer
    url: str
    retrieved_at: datetime
    sha256: str
    bytes: int


@dataclass(frozen=True)
class Reached:
    """That a publisher's server answered: with which status, and its clock (UTC, no zone)."""

    status: int
    clock: datetime | None


class _TemporaryError(Exception):
    """A failure that a retry may overcome. `seconds` is the wait that the publisher asks for.

    `is_silence`: it did not answer in time. `is_rate`: there were too many calls. `is_status`: it
    answered with an error.
    """

    def __init__(
        self, reason: str, seconds: float | None = None, *, is_silence: bool = False,
        is_rate: bool = False, is_status: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(reason)
        self.reason = reason
        self.seconds = seconds
        self.is_silence = is_silence
        self.is_rate = is_rate
        self.is_status = is_status


class Client:
    """One publisher's client: `with Client(...) as client: client.send(request, file)`.

    `base_url` is the publisher's address. `stand_in` replaces scheme, host and port in every
    address; its path is a prefix of the publisher's. `before_call` is called before each call,
    retries included: it may raise QuotaError. `on_received` gets the size of each block of a body
    as it arrives, `on_pause` the seconds and the reason of each wait before it begins.
    """

    def __init__(
        self,
        *,
        base_url: str,
        stand_in: str | None = None,
        key: SecretStr | None = None,
        limits: Limits | None = None,
        timeout_s: float = 60.0,
        attempts: int = 5,
        attempts_at_silence: int = 2,
        before_call: Callable[[], None] = lambda: None,
        on_received: Callable[[int], None] = lambda size: None,
        on_pause: Callable[[float, str], None] = lambda seconds, reason: None,
        wait: wait_base | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._base_url = base_url
        self._stand_in = stand_in
        self._secret = key.get_secret_value().strip() if key else ""
        self._limits = limits or Limits()
        self._timeout_s = timeout_s
        self._attempts = attempts
        self._attempts_at_silence = attempts_at_silence
        self._before_call = before_call
        self._on_received = on_received
        self._on_pause = on_pause
        self._wait = wait or wait_exponential_jitter(initial=1, max=LONGEST_WAIT_S)
        self._sleep = sleep
        self._last_call = -float("inf")
        self._client: httpx.Client | None = None

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def named(self, request: Request) -> str:
        """Method and address of a request as they are recorded: without a credential."""
        with self.redacting():
            address = _Address(self._base_url, self._stand_in, request, self._secret)
        return f"{request.method} {address.shown}"

    def reach(self) -> Reached:
        """Ask for the publisher's address once, without its key; of the answer only the head is
        read. Redirects are not followed.

        Raises UnreachableError, QuotaError if its calls are used up, and ConfigurationError for an
        invalid address.
        """
        request = Request("", ("html",))
        with self.redacting():
            address = _Address(self._base_url, self._stand_in, request, self._secret)
        with self.redacting(address.credentials), _quiet_libraries():
            self._wait_for_turn()
            try:
                with self._open().stream("GET", address.url) as response:
                    return Reached(response.status_code, _clock(response.headers))
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                reason = shortened(str(error)) or type(error).__name__
                raise UnreachableError(f"{address.named} cannot be reached: {reason}.") from None

    def send(self, request: Request, file: Path, excerpt: Excerpt | None = None) -> Received:
        """Send one request, with retries; the content of the answer is written to `file`.

        With an `excerpt`, the body is only in memory, and what the excerpt keeps of it is written.

        Retried, after a growing wait with jitter or the publisher's `Retry-After`, are
        RETRIED_STATUSES, 5xx and a cut connection or body; less often a server that is unreachable
        or silent for `timeout_s`. No other status is. A status that the request declares is an
        answer. A large body that breaks off is continued where it broke, by the next attempt or
        the next call with the same file, if the server accepts that (`partial_body`).
        Raises QuotaError when the publisher asks for a wait of more than LONGEST_WAIT_S or its
        calls are used up, DeniedError for 401 and 403, UnexpectedStatusError for another status,
        FetchError when the publisher cannot be reached, UpstreamFormatError when the bytes are
        HTML or another kind than the request expects, or too many, and ConfigurationError when the
        request needs a key and there is none. No exception, log line or field of the answer
        contains the key.
        """
        with self.redacting():
            address = _Address(self._base_url, self._stand_in, request, self._secret)
        with self.redacting(address.credentials), _quiet_libraries():
            return _redact_texts(self._send_with_retries(request, address, file, excerpt))

    @contextmanager
    def redacting(self, more: Iterable[str] = ()) -> Iterator[None]:
        """Redact credentials in every error, log line and text that is created inside.

        They are the key, user and password of the addresses, and `more`. Answers have to be read
        inside as well, since a body may repeat the key.
        """
        credentials = [self._secret, *_credentials_in(self._base_url, self._stand_in), *more]
        with redacting(_redactor(credentials)):
            try:
                yield
            except KidoError as error:
                # Its cause may contain an address or header with a key.
                error.__cause__ = error.__context__ = None
                raise

    def _send_with_retries(
        self, request: Request, address: _Address, file: Path, excerpt: Excerpt | None
    ) -> Received:
        retrying = Retrying(
            stop=self._should_stop,
            wait=_Wait(self._wait),
            retry=retry_if_exception_type(_TemporaryError),
            sleep=self._sleep,
            before_sleep=self._before_retry,
            reraise=True,
        )
        try:
            return retrying(self._attempt, request, address, file, excerpt)
        except _TemporaryError as error:
            tries = retrying.statistics["attempt_number"]
            times = f"{tries} attempts" if tries > 1 else "one attempt"
            failure = f"after {times}: {shortened(error.reason)}"
            if error.is_rate:
                wait = timedelta(seconds=error.seconds) if error.seconds else None
                raise QuotaError(
                    f"{address.named} allows no more calls {failure}.",
                    again_at=_now() + wait if wait else None,
                ) from None
            kind = ServerFailingError if error.is_status else UnreachableError
            kept = _kept(file)
            raise kind(f"{address.named} could not be fetched {failure}{kept}.") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise FetchError(
                f"{address.named} could not be fetched: the request could not be sent "
                f"({type(error).__name__})."
            ) from None

    def _before_retry(self, state: RetryCallState) -> None:
        """Log what failed and how long the wait is."""
        error = state.outcome.exception() if state.outcome else None
        reason = shortened(str(error))
        address = next(argument for argument in state.args if isinstance(argument, _Address))
        _log.warning("GET %s: %s; retried in %.0f s", address.named, reason, state.upcoming_sleep)
        self._on_pause(state.upcoming_sleep, reason)

    def _should_stop(self, state: RetryCallState) -> bool:
        error = state.outcome.exception() if state.outcome else None
        assert isinstance(error, _TemporaryError)
        if error.is_rate and (error.seconds or 0) > LONGEST_WAIT_S:
            return True
        most = self._attempts_at_silence if error.is_silence else self._attempts
        return state.attempt_number >= most

    def _attempt(
        self, request: Request, address: _Address, file: Path, excerpt: Excerpt | None
    ) -> Received:
        """One attempt, redirects included. Raises _TemporaryError when a retry may help."""
        client = self._open()
        partial = partial_body.partial_body(file)
        if partial and partial.address != address.shown:
            partial = None
        outgoing = client.build_request(
            request.method,
            address.url,
            headers=address.headers | (partial.request_headers(file) if partial else {}),
            content=None if request.body is None else request.body.encode(),
        )
        for _ in range(MOST_REDIRECTS + 1):
            # A publisher's key is for the publisher only: a redirect elsewhere does not get it.
            if not address.is_home(outgoing.url):
                for name in address.secret_headers:
                    outgoing.headers.pop(name, None)
            self._wait_for_turn()
            try:
                response = client.send(outgoing, stream=True)
                try:
                    if response.next_request is None:
                        return self._receive(response, request, address, file, partial, excerpt)
                    outgoing = response.next_request
                finally:
                    response.close()
            except httpx.TimeoutException as error:
                raise _TemporaryError(
                    "the server did not answer in time", is_silence=True
                ) from error
            except httpx.ConnectError as error:
                if "CERTIFICATE_VERIFY_FAILED" in str(error):
                    raise FetchError(
                        f"{address.named} could not be fetched: its certificate cannot be "
                        "verified, maybe because the server does not send the certificate of its "
                        "issuer.",
                        hint="Append that certificate (PEM) to a copy of the file that `python -m "
                        "certifi` prints, and name the copy in SSL_CERT_FILE; Kido does not fetch "
                        "without verification.",
                    ) from None
                raise _TemporaryError(
                    f"the connection failed ({error})", is_silence=True
                ) from error
            except (httpx.NetworkError, httpx.ProxyError, httpx.RemoteProtocolError) as error:
                raise _TemporaryError(f"the connection failed ({error})") from error
        raise FetchError(f"{address.named} redirects more than {MOST_REDIRECTS} times.")

    def _open(self) -> httpx.Client:
        if self._client is None:
            headers = {"User-Agent": _user_agent(), "Accept-Encoding": "gzip, identity"}
            self._client = httpx.Client(
                timeout=self._timeout_s, headers=headers, verify=_certificates()
            )
        return self._client

    def _wait_for_turn(self) -> None:
        """Wait until the publisher's calls per minute allow the next one, and count it."""
        if self._limits.calls_a_minute:
            pause = self._last_call + 60 / self._limits.calls_a_minute - time.monotonic()
            if pause > 0:
                self._on_pause(pause, f"{self._limits.calls_a_minute} calls a minute")
                self._sleep(pause)
        self._before_call()
        self._last_call = time.monotonic()

    def _receive(
        self,
        response: httpx.Response,
        request: Request,
        address: _Address,
        file: Path,
        partial: PartialBody | None,
        excerpt: Excerpt | None,
    ) -> Received:
        """Read an answer, its content into `file`. Raises what `send` does, or _TemporaryError.

        `partial` is the body whose rest was asked for. `excerpt` says what is kept of a body.
        """
        is_rest = partial is not None and _is_rest(response, partial, file)
        status = 200 if is_rest else response.status_code
        retry_after_s = _retry_after(response.headers)
        meaning: Meaning | None = "content" if status == 200 else request.statuses.get(status)
        if meaning is None:
            if status in RETRIED_STATUSES or status >= 500:
                raise _TemporaryError(
                    _status(response), retry_after_s, is_rate=status == 429, is_status=True
                )
            partial_body.discard(file)
            kind = DeniedError if status in (401, 403) else UnexpectedStatusError
            raise kind(f"{address.named} answered {_status(response)}.")
        size, digest, text, media_type = 0, hashlib.sha256().hexdigest(), "", ""
        if meaning == "content":
            if excerpt is None:
                size, digest = self._stream(response, address, file, partial if is_rest else None)
            else:
                size, digest = self._keep_excerpt(response, address, file, excerpt)
            media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
            _require_expected(file, size, media_type, request, address)
        else:
            text = _error_text(response)
            partial_body.discard(file)  # of an attempt that was cut
        _log.info("%s %s: %s, %d bytes", request.method, address.named, _status(response), size)
        return Received(
            answer=Answer(
                meaning=meaning,
                status=status,
                file=file,
                media_type=media_type or "application/octet-stream",
                headers=_kept_headers(response, size if is_rest else None),
                text=text,
                retry_after_s=retry_after_s,
            ),
            url=address.shown,
            retrieved_at=_now(),
            sha256=digest,
            bytes=size,
        )

    def _stream(
        self, response: httpx.Response, address: _Address, file: Path, partial: PartialBody | None
    ) -> tuple[int, str]:
        """Write the decoded body to the file, or the rest of a `partial` one behind its beginning;
        returns size and SHA-256 of the whole.

        It is decoded here, because the decoder of httpx accepts a gzip body that stops half-way as
        complete. On a body shorter than its `Content-Length`, httpx itself fails.
        """
        file.parent.mkdir(parents=True, exist_ok=True)
        size, digest = 0, hashlib.sha256()
        if partial:
            size = partial.start(file)
            _add_start(file, size, digest.update)
        else:
            partial_body.begin(file, address.shown, response.headers)
        with file.open("r+b" if partial else "wb") as out:
            out.truncate(size)
            out.seek(size)
            received = _in_time(response, self._timeout_s, self._on_received)
            for block in _decoded(response, address, received):
                size += len(block)
                self._require_allowed(size, address, file)
                digest.update(block)
                out.write(block)
            out.flush()
            os.fsync(out.fileno())
        if partial and size != partial.size:
            partial_body.discard(file)
            raise _TemporaryError("the rest of the body has another size than announced")
        partial_body.finish(file)
        return size, digest.hexdigest()

    def _keep_excerpt(
        self, response: httpx.Response, address: _Address, file: Path, excerpt: Excerpt
    ) -> tuple[int, str]:
        """Write what is kept of the decoded body to the file; returns its size and SHA-256.

        The body itself is on no disk at any moment: one that breaks off is fetched again as a
        whole. Raises what `excerpt` does.
        """
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        body = bytearray()
        received = _in_time(response, self._timeout_s, self._on_received)
        for block in _decoded(response, address, received):
            self._require_allowed(len(body) + len(block), address, file)
            body += block
        kept = excerpt(bytes(body))
        with file.open("wb") as out:
            out.write(kept)
            out.flush()
            os.fsync(out.fileno())
        return len(kept), hashlib.sha256(kept).hexdigest()

    def _require_allowed(self, size: int, address: _Address, file: Path) -> None:
        """Raise UpstreamFormatError for a body larger than the publisher may send."""
        most = self._limits.largest_answer_bytes
        if size > most:
            partial_body.finish(file)
            raise UpstreamFormatError(
                f"{address.named} sent more than the {most >> 20} MiB it may send at once."
            )


def _is_rest(response: httpx.Response, partial: PartialBody, file: Path) -> bool:
    """Whether the answer is the rest of a body that broke off.

    Raises _TemporaryError where there is no such rest: then nothing is left of the body, and the
    next attempt fetches all of it.
    """
    why_not = ""
    if response.status_code == 206:
        why_not = partial.why_not_its_rest(response.headers, file)
    elif response.status_code == 416:
        why_not = "the server has no such range"
    if why_not:
        partial_body.discard(file)
        raise _TemporaryError(why_not)
    return response.status_code == 206


def _add_start(file: Path, size: int, update: Callable[[bytes], None]) -> None:
    """Add the first bytes of a file to a digest, by its `update`."""
    with file.open("rb") as opened:
        while size and (block := opened.read(min(BLOCK_BYTES, size))):
            update(block)
            size -= len(block)


def _kept(file: Path) -> str:
    """What is kept of a body that broke off, for a message; empty if nothing."""
    partial = partial_body.partial_body(file)
    if partial is None:
        return ""
    received, whole = (f"{size / 1e6:,.4g}" for size in (partial.start(file), partial.size))
    return f"; {received} of {whole} MB are kept, and the next fetch goes on from there"


def _kept_headers(response: httpx.Response, size: int | None) -> dict[str, str]:
    """The headers that are recorded; `size` is that of the whole body, if a rest was sent."""
    kept = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    return kept if size is None else kept | {"content-length": str(size)}


def _in_time(
    response: httpx.Response, longest_silence_s: float, on_received: Callable[[int], None]
) -> Iterator[bytes]:
    """The blocks of the body as received. Raises _TemporaryError if they come too slowly."""
    started, size = time.monotonic(), 0
    for block in response.iter_raw():
        size += len(block)
        on_received(len(block))
        seconds = time.monotonic() - started
        if seconds > longest_silence_s and size < LEAST_BYTES_A_SECOND * seconds:
            raise _TemporaryError("the body comes too slowly to end in time", is_silence=True)
        yield block


def _decoded(
    response: httpx.Response, address: _Address, received: Iterable[bytes]
) -> Iterator[bytes]:
    """The received blocks without their content coding. Raises _TemporaryError for a cut body."""
    coding = response.headers.get("content-encoding", "identity").strip().lower()
    if coding in ("", "identity"):
        yield from received
        return
    if coding != "gzip":
        raise UpstreamFormatError(f"{address.named} sent a body coded as {coding!r}.")
    unpack = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        for block in received:
            # In steps, so that a small body that unpacks to a huge one hits the size limit first.
            while block:
                if unpack.eof:  # another member follows, or zeros that fill up the last one
                    block = block.lstrip(b"\0")
                    if not block:
                        break
                    unpack = zlib.decompressobj(zlib.MAX_WBITS | 16)
                yield unpack.decompress(block, BLOCK_BYTES)
                block = unpack.unused_data if unpack.eof else unpack.unconsumed_tail
        yield unpack.flush()
    except zlib.error as error:
        raise _TemporaryError(f"the body was cut or damaged ({error})") from error
    if not unpack.eof:
        raise _TemporaryError("the body was cut or damaged (it stops before its end)")


def _error_text(response: httpx.Response) -> str:
    """The text of an answer without content, from its beginning."""
    read = b""
    try:
        for block in response.iter_bytes(4096):
            read += block
            if len(read) >= 2 * MOST_ERROR_TEXT_BYTES:
                break
    except httpx.DecodingError as error:
        raise _TemporaryError("the body was cut or damaged") from error
    # Shortened after the key is redacted: half a key would not be recognised.
    return read.decode("utf-8-sig", "replace")


@contextmanager
def _quiet_libraries() -> Iterator[None]:
    for name in ("httpx", "httpcore.http11"):
        logging.getLogger(name).addFilter(_is_loggable)
    _log.addFilter(_without_credentials)
    token = _is_fetching.set(True)
    try:
        yield
    finally:
        _is_fetching.reset(token)


def _is_loggable(_record: logging.LogRecord) -> bool:
    """A filter that drops httpx's log lines during a fetch: they contain addresses in full."""
    return not _is_fetching.get()


def _without_credentials(record: logging.LogRecord) -> bool:
    record.msg, record.args = redacted(record.getMessage()), ()
    return True


def _redact_texts(received: Received) -> Received:
    """The answer with every text in it redacted; the bytes in its file are not changed."""
    answer = received.answer
    return replace(
        received,
        url=redacted(received.url),
        answer=replace(
            answer,
            media_type=redacted(answer.media_type),
            headers={name: redacted(value) for name, value in answer.headers.items()},
            text=redacted(answer.text)[:MOST_ERROR_TEXT_BYTES],
        ),
    )


@cache
def _certificates() -> ssl.SSLContext:
    """The authorities that a server's certificate is checked with; reading them takes 20 ms."""
    return httpx.create_ssl_context()


@cache
def _user_agent() -> str:
    try:
        release = version("kido")
    except PackageNotFoundError:  # a checkout that was never installed
        release = "0"
    return f"Kido/{release} (warehouse of critical-mineral dependence)"


def _require_expected(
    file: Path, size: int, media_type: str, request: Request, address: _Address
) -> None:
    """Raise UpstreamFormatError unless content type and first bytes are of an expected kind."""
    expected = " or ".join(kind.upper() for kind in request.expects)
    with file.open("rb") as opened:
        start = opened.read(1024)
    if not start.strip():
        raise UpstreamFormatError(f"{address.named} sent nothing where {expected} was expected.")
    is_page = media_type in ("text/html", "application/xhtml+xml") or looks_like_html(start)
    if is_page and not {"html", "xml"} & set(request.expects):
        raise UpstreamFormatError(
            f"{address.named} sent an HTML page where {expected} was expected."
        )
    if not any(looks_like(start, kind) for kind in request.expects):
        raise UpstreamFormatError(
            f"{address.named} sent something else ({media_type or 'no content type'}, {size} "
            f"bytes) where {expected} was expected."
        )


class _Address:
    """The address of a request with its key, and the form of it that may be shown.

    `shown` is redacted; `named` is `shown`, shortened for messages. `credentials` are those in the
    request itself. Raises ConfigurationError for an invalid address, or a missing or invalid key.
    """

    def __init__(self, base_url: str, stand_in: str | None, request: Request, secret: str) -> None:
        templates = {**request.headers, **request.params}
        self.shown = request.url
        if not secret and any(KEY_PLACEHOLDER in value for value in templates.values()):
            raise ConfigurationError(f"{self.shown} cannot be fetched without a key.")
        if not (secret.isascii() and secret.isprintable()):
            raise ConfigurationError(f"The key for {self.shown} contains an invalid character.")
        self._secret = secret
        try:
            joined = httpx.URL(
                request.url
                if "://" in request.url
                else f"{base_url.rstrip('/')}/{request.url.lstrip('/')}"
            )
            if stand_in:
                joined = _moved(joined, httpx.URL(stand_in))
        except httpx.InvalidURL:
            joined = httpx.URL()
        if joined.scheme not in ("http", "https") or not joined.host:
            # The address itself is not quoted: it may contain a credential.
            raise ConfigurationError(
                "The address that replaces the publisher's is not an http or https address."
                if stand_in
                else f"{request.url} is not below an http or https address."
            )
        merged = joined.copy_merge_params(
            {name: self._filled(value) for name, value in request.params.items()}
        )
        # A plus is a blank in forms only: some publishers take it for a plus.
        self.url = merged.copy_with(query=merged.query.replace(b"+", b"%20") or None)
        self.headers = {name: self._filled(value) for name, value in request.headers.items()}
        self.secret_headers = [
            name
            for name, value in request.headers.items()
            if KEY_PLACEHOLDER in value or _names_credential(name)
        ] + ["Authorization"]
        self.credentials = [
            self._filled(value)
            for name, value in (*request.headers.items(), *self.url.params.multi_items())
            if _names_credential(name) and len(value) >= LEAST_CREDENTIAL
        ]
        # Redacted before it is shortened: half a key would not be recognised.
        self.shown = redacted(_shown(self.url))
        # A request for ninety codes would fill a screen.
        self.named = self.shown if len(self.shown) <= 120 else f"{self.shown[:119]}…"

    def _filled(self, template: str) -> str:
        return template.replace(KEY_PLACEHOLDER, self._secret)

    def is_home(self, url: httpx.URL) -> bool:
        """Whether an address is on the request's own server, or on the same host by https."""
        if url.scheme == "https" and self.url.scheme == "http" and self.url.port is None:
            return (url.host, url.port) == (self.url.host, None)
        return (url.scheme, url.host, url.port) == (self.url.scheme, self.url.host, self.url.port)


def _moved(url: httpx.URL, stand_in: httpx.URL) -> httpx.URL:
    """The address at another scheme, host and port; the stand-in's path is a prefix of its own."""
    # The raw path, with the query: in the decoded one a `%2F` has become a slash.
    prefix = stand_in.raw_path.partition(b"?")[0].rstrip(b"/")
    return stand_in.copy_with(raw_path=prefix + url.raw_path, fragment=None)


def shown_address(address: str) -> str:
    """The address of a server as it may be shown: without user, password and credentials."""
    try:
        return _shown(httpx.URL(address))
    except httpx.InvalidURL:
        return "an invalid address"


def _names_credential(name: str) -> bool:
    plain = name.lower().replace("-", "").replace("_", "")
    return plain in _CREDENTIAL_NAMES or plain.endswith("subscriptionkey")


def _shown(url: httpx.URL) -> str:
    """The address without user and password, and with credential parameters redacted."""
    parameters = "&".join(
        f"{quote_plus(name)}={REDACTED if _names_credential(name) else quote_plus(value)}"
        for name, value in url.params.multi_items()
    )
    bare = str(url.copy_with(username=None, password=None, query=None, fragment=None))
    return f"{bare}?{parameters}" if parameters else bare


def _credentials_in(*addresses: str | None) -> Iterator[str]:
    """The credentials in addresses: the password, and user and password as Basic authentication
    sends them; without a password the user, which is a key at some publishers.
    """
    for address in addresses:
        try:
            url = httpx.URL(address or "")
        except httpx.InvalidURL:
            continue
        if url.username or url.password:
            yield url.password or url.username
            yield f"{url.username}:{url.password}"


def _redactor(credentials: Iterable[str]) -> Callable[[str], str]:
    """The function that redacts credentials in a text, however a server may have encoded them.

    It finds them unchanged, escaped as in an address (also doubly), in JSON or in HTML, with each
    character encoded in its own way, and inside base64. Upper and lower case are not distinguished.
    """
    secrets = sorted(
        {credential for credential in credentials if credential.strip()}, key=len, reverse=True
    )
    if not secrets:
        return lambda text: text
    patterns = ["".join(map(_spellings, secret)) for secret in secrets]
    patterns += [
        re.escape(form).replace(r"\+", "[+-]").replace("/", "[/_]")
        for secret in secrets
        for form in _in_base64(secret)
    ]
    pattern = re.compile("|".join(patterns), re.IGNORECASE)
    return lambda text: pattern.sub(REDACTED, text)


def _spellings(character: str) -> str:
    """A pattern of the ways to write a character of a credential."""
    ways = [re.escape(character)]
    ways.append("".join(f"%(?:25)*{byte:02x}" for byte in character.encode()))
    ways.append(rf"\\u{ord(character):04x}")
    ways.append(f"&#0*{ord(character)};|&#x0*{ord(character):x};")
    if character in _HTML_NAMES:
        ways.append(f"&{_HTML_NAMES[character]};")
    if character in '"\\/':
        ways.append(rf"\\{re.escape(character)}")
    if character == " ":
        ways.append(r"\+")
    return f"(?:{'|'.join(ways)})"


def _in_base64(secret: str) -> Iterator[str]:
    """The base64 of a credential inside a longer text, for each offset it may begin at.

    Characters at both ends are left out: some of their bits encode the adjacent text.
    """
    for before in range(3):
        known = base64.b64encode(bytes(before) + secret.encode()).decode().rstrip("=")
        start = -(-before * 8 // 6)
        end = (before + len(secret.encode())) * 8 // 6
        if end - start >= LEAST_BASE64:
            yield known[start:end]


class _Wait(wait_base):
    """The wait that the publisher asks for in `Retry-After`, else the growing one."""

    def __init__(self, otherwise: wait_base) -> None:
        self._otherwise = otherwise

    def __call__(self, retry_state: RetryCallState) -> float:
        error = retry_state.outcome.exception() if retry_state.outcome else None
        if isinstance(error, _TemporaryError) and error.seconds is not None:
            return min(error.seconds, LONGEST_WAIT_S)
        return float(self._otherwise(retry_state))


def _retry_after(headers: httpx.Headers) -> float | None:
    """The seconds of `Retry-After` (a number, or a date); None if absent or invalid."""
    text = headers.get("retry-after", "").strip()
    if text.isdecimal():
        return min(float(text), MOST_RETRY_AFTER_S)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return float(max(0.0, (moment - datetime.now(UTC)).total_seconds()))


def _clock(headers: httpx.Headers) -> datetime | None:
    """The time of a server in UTC, by its `Date`; None if absent or invalid."""
    try:
        moment: datetime = parsedate_to_datetime(headers.get("date", ""))
    except ValueError:
        return None
    return moment.astimezone(UTC).replace(tzinfo=None)


def _status(response: httpx.Response) -> str:
    return f"{response.status_code} {response.reason_phrase}".strip()


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def client_of_this_machine() -> httpx.AsyncClient:
    """A client for a server of this machine, by no proxy: who asks decides how long to wait."""
    limits = httpx.Limits(max_connections=None)
    return httpx.AsyncClient(timeout=None, trust_env=False, limits=limits)
