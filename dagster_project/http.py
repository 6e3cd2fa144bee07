"""The only module that talks to a network: one GET with retries, checks and redaction.

What a publisher's bytes mean is not known here; who calls decides where they are kept.
"""

from __future__ import annotations

import gzip
import logging
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from urllib.parse import quote, quote_plus

import httpx
from pydantic import SecretStr
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_exponential_jitter,
)
from tenacity.wait import wait_base

from dagster_project.errors import ConfigurationError, FetchError, UpstreamFormatError
from dagster_project.sources.card import Request
from dagster_project.sources.formats import looks_like, looks_like_html

KEY_PLACEHOLDER = "{key}"
"""Stands for the credential in a request's headers (or parameters, where a publisher takes it
nowhere else), so that a plan never holds a secret: `{"Authorization": "APIKey {key}"}`."""

LONGEST_WAIT_S = 120.0
"""Cap on what `Retry-After` may ask for: a run that sleeps for hours looks like one that hangs."""

MOST_REDIRECTS = 5
REDACTED = "***"

_CREDENTIAL_NAMES = frozenset(
    {"key", "appid", "apikey", "token", "accesstoken", "subscriptionkey", "secret", "password"}
)
"""Names of parameters that carry credentials, in lower case without `-` and `_`."""

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
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Response:
    """What a publisher sent: its bytes, and what the record of their origin may say.

    `url` and `headers` hold no credential. `retrieved_at` is in UTC, with the zone attached.
    """

    payload: bytes
    media_type: str
    headers: Mapping[str, str]
    url: str
    retrieved_at: datetime


class _TryAgainError(Exception):
    """A failure that may pass. `seconds` is the wait the publisher asks for, where it does."""

    def __init__(self, reason: str, seconds: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.seconds = seconds


def fetch(
    request: Request,
    *,
    base_url: str,
    key: SecretStr | None = None,
    timeout_s: float = 60.0,
    attempts: int = 5,
    wait: wait_base | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Response:
    """GET one document below `base_url` (the publisher's, or a mirror's).

    Asks again, after a growing wait with jitter or the publisher's `Retry-After` (at most 120 s),
    for 429, 5xx, a refused or cut connection, a timeout and a cut body; never for another status.
    `timeout_s` bounds each silence of the server, not the whole download.
    Raises FetchError when the publisher cannot be reached or answers with an error,
    UpstreamFormatError when the bytes are HTML or another kind than the request expects, and
    ConfigurationError when the request wants a key and there is none. No exception, log line or
    field of the response holds the key.
    """
    secret = key.get_secret_value().strip() if key else ""
    address = _Address(base_url, request, secret)
    retrying = Retrying(
        stop=stop_after_attempt(attempts),
        wait=_Wait(wait or wait_exponential_jitter(initial=1, max=60)),
        retry=retry_if_exception_type(_TryAgainError),
        sleep=sleep,
        before_sleep=_say_again,
        reraise=True,
    )
    failure = ""
    with _client(timeout_s) as client:
        try:
            return retrying(_attempt, client, request, address)
        except _TryAgainError as error:
            failure = f" after {attempts} attempts: {address.redact(error.reason)}"
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            # Its text may quote a header with the key in it.
            failure = f": the request could not be sent ({type(error).__name__})"
    # Raised out here, so that no chained exception carries an address or header with a key in it.
    raise FetchError(f"{address.shown} could not be fetched{failure}.")


@contextmanager
def _client(timeout_s: float) -> Iterator[httpx.Client]:
    for name in ("httpx", "httpcore.http11"):
        logging.getLogger(name).addFilter(_is_loggable)
    token = _is_fetching.set(True)
    headers = {"User-Agent": _user_agent(), "Accept-Encoding": "gzip, identity"}
    try:
        with httpx.Client(timeout=timeout_s, headers=headers) as client:
            yield client
    finally:
        _is_fetching.reset(token)


def _is_loggable(_record: logging.LogRecord) -> bool:
    """Holds back the client's own lines on a fetch: they print addresses in full."""
    return not _is_fetching.get()


@cache
def _user_agent() -> str:
    try:
        release = version("kido")
    except PackageNotFoundError:  # a checkout that was never installed
        release = "0"
    return f"Kido/{release} (warehouse of critical-mineral dependence)"


def _say_again(state: RetryCallState) -> None:
    """Log what went wrong and how long the wait is."""
    error = state.outcome.exception() if state.outcome else None
    address = next(argument for argument in state.args if isinstance(argument, _Address))
    _log.warning(
        "GET %s: %s; asked again in %.0f s",
        address.shown,
        address.redact(str(error)),
        state.upcoming_sleep,
    )


def _attempt(client: httpx.Client, request: Request, address: _Address) -> Response:
    """One attempt, redirects included. Raises _TryAgainError when another may help."""
    outgoing = client.build_request("GET", address.url, headers=address.headers)
    for _ in range(MOST_REDIRECTS + 1):
        # A publisher's key is for the publisher: a redirect to another host does not take it along.
        if not address.is_home(outgoing.url):
            for name in address.secret_headers:
                outgoing.headers.pop(name, None)
        try:
            response = client.send(outgoing, stream=True)
            try:
                if response.next_request is None:
                    return _read(response, request, address)
                outgoing = response.next_request
            finally:
                response.close()
        except httpx.TimeoutException as error:
            raise _TryAgainError("the server did not answer in time") from error
        except (httpx.NetworkError, httpx.ProxyError, httpx.RemoteProtocolError) as error:
            raise _TryAgainError(f"the connection failed ({error})") from error
    raise FetchError(f"{address.shown} redirects more than {MOST_REDIRECTS} times.")


def _read(response: httpx.Response, request: Request, address: _Address) -> Response:
    status = response.status_code
    if status == 429 or status >= 500:
        raise _TryAgainError(_status(response), _retry_after(response.headers))
    if status != 200:
        raise FetchError(f"{address.shown} answered {_status(response)}.")
    payload = _decoded(b"".join(response.iter_raw()), response, address)
    _log.info("GET %s: %s, %d bytes", address.shown, _status(response), len(payload))
    media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    _require_expected(payload, media_type, request, address)
    return Response(
        payload=payload,
        media_type=media_type or "application/octet-stream",
        headers={
            name: address.redact(response.headers[name])
            for name in _KEPT_HEADERS
            if name in response.headers
        },
        url=address.shown,
        retrieved_at=datetime.now(UTC),
    )


def _decoded(raw: bytes, response: httpx.Response, address: _Address) -> bytes:
    """The body without its transfer coding.

    Read raw and unpacked here, because a streaming decoder takes a gzip body that stops half-way
    for a whole one. A body shorter than its `Content-Length` has ended the read before.
    """
    coding = response.headers.get("content-encoding", "identity").strip().lower()
    if coding in ("", "identity"):
        return raw
    if coding != "gzip":
        raise UpstreamFormatError(f"{address.shown} sent a body coded as {coding!r}.")
    try:
        return gzip.decompress(raw)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _TryAgainError(f"the body was cut or damaged ({error})") from error


def _require_expected(payload: bytes, media_type: str, request: Request, address: _Address) -> None:
    """Raise UpstreamFormatError unless content type and first bytes are of an expected kind."""
    expected = " or ".join(kind.upper() for kind in request.expects)
    if not payload.strip():
        raise UpstreamFormatError(f"{address.shown} sent nothing where {expected} was expected.")
    if media_type in ("text/html", "application/xhtml+xml") or looks_like_html(payload):
        raise UpstreamFormatError(
            f"{address.shown} sent an HTML page where {expected} was expected."
        )
    if not any(looks_like(payload, kind) for kind in request.expects):
        raise UpstreamFormatError(
            f"{address.shown} sent something else ({media_type or 'no content type'}) where "
            f"{expected} was expected."
        )


class _Address:
    """Where a request goes, with the key in its place, and how that may be shown."""

    def __init__(self, base_url: str, request: Request, secret: str) -> None:
        templates = {**request.headers, **request.params}
        if not secret and any(KEY_PLACEHOLDER in value for value in templates.values()):
            raise ConfigurationError(f"{request.document} cannot be fetched without a key.")
        if not (secret.isascii() and secret.isprintable()):
            raise ConfigurationError(f"The key for {request.document} holds a sign no key has.")
        self._secret = secret
        try:
            joined = httpx.URL(f"{base_url.rstrip('/')}/{request.url.lstrip('/')}")
        except httpx.InvalidURL:
            joined = httpx.URL()
        if joined.scheme not in ("http", "https") or not joined.host:
            # The address itself is not repeated: what stands in it is not known.
            raise ConfigurationError(
                f"The base address for {request.document} is not an http or https address."
            )
        self.url = joined.copy_merge_params(
            {name: self._filled(value) for name, value in request.params.items()}
        )
        self.headers = {name: self._filled(value) for name, value in request.headers.items()}
        self.secret_headers = [
            name
            for name, value in request.headers.items()
            if KEY_PLACEHOLDER in value or _names_credential(name)
        ] + ["Authorization"]
        self.shown = self.redact(_without_credentials(self.url))

    def _filled(self, template: str) -> str:
        return template.replace(KEY_PLACEHOLDER, self._secret)

    def is_home(self, url: httpx.URL) -> bool:
        """Whether an address is on the server the request was for, or its move to https."""
        if url.scheme == "https" and self.url.scheme == "http" and self.url.port is None:
            return (url.host, url.port) == (self.url.host, None)
        return (url.scheme, url.host, url.port) == (self.url.scheme, self.url.host, self.url.port)

    def redact(self, text: str) -> str:
        """The text without the key, as it is or as it stands in an address."""
        for form in (self._secret, quote(self._secret, safe=""), quote_plus(self._secret)):
            text = text.replace(form, REDACTED) if form else text
        return text


def _names_credential(name: str) -> bool:
    return name.lower().replace("-", "").replace("_", "") in _CREDENTIAL_NAMES


def _without_credentials(url: httpx.URL) -> str:
    """The address without user and password, and with credential parameters blotted out."""
    parameters = "&".join(
        f"{quote_plus(name)}={REDACTED if _names_credential(name) else quote_plus(value)}"
        for name, value in url.params.multi_items()
    )
    bare = str(url.copy_with(username=None, password=None, query=None, fragment=None))
    return f"{bare}?{parameters}" if parameters else bare


class _Wait(wait_base):
    """What the publisher asks for in `Retry-After`, else the growing wait."""

    def __init__(self, otherwise: wait_base) -> None:
        self._otherwise = otherwise

    def __call__(self, retry_state: RetryCallState) -> float:
        error = retry_state.outcome.exception() if retry_state.outcome else None
        if isinstance(error, _TryAgainError) and error.seconds is not None:
            return min(error.seconds, LONGEST_WAIT_S)
        return float(self._otherwise(retry_state))


def _retry_after(headers: httpx.Headers) -> float | None:
    """Seconds that `Retry-After` asks for (a number, or a date); null where it says nothing."""
    text = headers.get("retry-after", "").strip()
    if text.isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return float(max(0.0, (moment - datetime.now(UTC)).total_seconds()))


def _status(response: httpx.Response) -> str:
    return f"{response.status_code} {response.reason_phrase}".strip()
