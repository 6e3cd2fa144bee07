"""A local server that answers like a publisher, and misbehaves on command.

Here: the server, its log of requests, and the ways to misbehave. A publisher's format is a
subclass in a module of its own. Standard library only.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import socket
import ssl
import threading
import time
import zlib
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit


@dataclass(frozen=True)
class Seen:
    """A request as it came in.

    `target` is path and query as sent; `path` and the parameters in `query` are decoded, and a
    parameter that is repeated is joined by commas. Header names are in lower case. `at` is Unix
    time. `body` is that of a POST.
    """

    method: str
    target: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    at: float
    body: str = ""


@dataclass(frozen=True)
class Reply:
    status: int = 200
    body: bytes = b""
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    """Words of the status line, instead of the usual ones."""


NOT_FOUND = Reply(404, b"<html><body>Page not found</body></html>", "text/html")


def json_reply(content: object, status: int = 200, **headers: str) -> Reply:
    """Headers as keywords, `Retry_After="2"`."""
    return Reply(status, _json(content), headers=_named(headers))


def _json(content: object) -> bytes:
    """Without blanks, and with letters outside ASCII as they are: what most publishers send."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def _named(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


class FakePublisher:
    """`with FakePublisher() as server:` serves what `answer` makes, below `server.root`.

    Which behaviour a request meets: the next one queued by `will`; else that of the first `when`
    it matches; else the one of `only`, when its number is used up; else `always`; else it is
    answered properly. `answer` runs under `lock`, so a test may change the data under the same
    lock between two requests. An error inside the fake is raised when the `with` ends.
    """

    def __init__(self, *, log: Path | None = None) -> None:
        """`log` gets one JSON line per request, for a test that reads it in another process."""
        self.requests: list[Seen] = []
        self.lock = threading.RLock()
        self.stopping = threading.Event()
        self.errors: list[BaseException] = []
        self._log = log
        self._next: deque[Behaviour] = deque()
        self._when: list[tuple[Callable[[Seen], bool], Behaviour]] = []
        self._only: tuple[int, Behaviour] | None = None
        self._always: Behaviour | None = None
        self._server = _Server(self)
        self._scheme = "http"
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def answer(self, request: Seen) -> Reply:
        """The proper answer, in the publisher's format."""
        return NOT_FOUND

    @property
    def root(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._server.server_port}"

    @property
    def base_url(self) -> str:
        """What to set as the publisher's address."""
        return self.root

    def speak_tls(self, context: ssl.SSLContext) -> None:
        """Speak TLS with the certificate of the context, from before the first request on."""
        self._scheme = "https"
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )

    def will(self, *behaviours: Behaviour) -> None:
        """Queue behaviours for the next requests, one each."""
        with self.lock:
            self._next.extend(behaviours)

    def when(self, matches: Callable[[Seen], bool], behaviour: Behaviour) -> None:
        """Behave so for every request that matches."""
        with self.lock:
            self._when.append((matches, behaviour))

    def only(self, requests: int, then: Behaviour) -> None:
        """Go on for that many requests, then behave so."""
        with self.lock:
            self._only = (len(self.requests) + requests, then)

    def always(self, behaviour: Behaviour | None) -> None:
        """Behave so from now on; None ends it, and what `when` and `only` asked for too."""
        with self.lock:
            self._always = behaviour
            if behaviour is None:
                self._when.clear()
                self._only = None

    def receive(self, request: Seen) -> tuple[Behaviour, Reply]:
        """Log the request; what it meets and the proper answer."""
        with self.lock:
            self.requests.append(request)
            if self._log:
                with self._log.open("a", encoding="utf-8") as lines:
                    lines.write(json.dumps(asdict(request)) + "\n")
            return self._behaviour(request), self.answer(request)

    def _behaviour(self, request: Seen) -> Behaviour:
        if self._next:
            return self._next.popleft()
        for matches, behaviour in self._when:
            if matches(request):
                return behaviour
        if self._only and len(self.requests) > self._only[0]:
            return self._only[1]
        return self._always or send()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stopping.set()
        # Woken by a connection: waiting for the next look would take longer than many a test.
        with socket.create_connection(self._server.server_address[:2]):
            self._thread.join()
        self._server.server_close()
        if error is None and self.errors:
            raise self.errors[0]

    def _serve(self) -> None:
        while not self.stopping.is_set():
            self._server.handle_request()


class Handler(BaseHTTPRequestHandler):
    """One connection. `write` sends a reply."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    @property
    def publisher(self) -> FakePublisher:
        assert isinstance(self.server, _Server)
        return self.server.publisher

    def do_GET(self) -> None:
        if self.publisher.stopping.is_set():
            self.close_connection = True
            return
        parts = urlsplit(self.path)
        query = parse_qs(parts.query, keep_blank_values=True)
        request = Seen(
            method=self.command,
            target=self.path,
            path=unquote(parts.path),
            query={name: ",".join(values) for name, values in query.items()},
            headers={name.lower(): value for name, value in self.headers.items()},
            at=time.time(),
            body=self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode(),
        )
        try:
            behaviour, reply = self.publisher.receive(request)
            behaviour(self, reply)
        except ConnectionError:  # a client that hangs up, or is killed, is part of the tests
            self.close_connection = True
        except Exception as error:
            self.publisher.errors.append(error)
            self.close_connection = True

    def do_POST(self) -> None:
        self.do_GET()

    def write(self, reply: Reply) -> None:
        self.write_head(reply)
        self.wfile.write(reply.body)
        self.wfile.flush()

    def write_head(self, reply: Reply) -> None:
        """Status and headers; `Content-Length` is that of the whole body."""
        self.send_response(reply.status, reply.reason or None)
        self.send_header("Content-Type", reply.media_type)
        self.send_header("Content-Length", str(len(reply.body)))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Tests look at `requests` instead."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, publisher: FakePublisher) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.publisher = publisher

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up between two requests is not worth a traceback."""


Behaviour = Callable[[Handler, Reply], None]
"""How one request is answered, given the proper answer."""


# Another answer.


def send(
    status: int | None = None,
    body: bytes | None = None,
    media_type: str | None = None,
    **headers: str,
) -> Behaviour:
    """The proper answer, but for what is given. Headers as keywords, `Retry_After="2"`."""
    return changed(
        lambda reply: Reply(
            reply.status if status is None else status,
            reply.body if body is None else body,
            media_type or reply.media_type,
            {**reply.headers, **_named(headers)},
        )
    )


def status(code: int, body: bytes = b"", media_type: str = "application/json") -> Behaviour:
    """A refusal in the publisher's words (401, 403, 404, 409, 413, ...)."""
    return instead(Reply(code, body, media_type))


def instead(reply: Reply) -> Behaviour:
    return changed(lambda _proper: reply)


def too_many_requests(retry_after: str) -> Behaviour:
    return instead(
        Reply(429, b"Rate limit is exceeded.", "text/plain", {"Retry-After": retry_after})
    )


def failing(status: int = 500) -> Behaviour:
    return instead(Reply(status, b"<html><body>Service unavailable</body></html>", "text/html"))


def not_found() -> Behaviour:
    return instead(NOT_FOUND)


def maintenance_page() -> Behaviour:
    """An HTML page with status 200."""
    page = b"<!DOCTYPE html>\n<html><body>Maintenance</body></html>"
    return instead(Reply(200, page, "text/html"))


def repeating(words: str, status: int, media_type: str = "text/plain") -> Behaviour:
    """Says these words in its status line, in every header that is kept or followed, and in its
    body.
    """
    named = ("Content-Disposition", "ETag", "Last-Modified", "Retry-After", "X-Request", "Location")
    headers = {name: words for name in named if name != "Location" or status // 100 == 3}
    body = f"<html>{words}</html>" if "html" in media_type else words
    return instead(Reply(status, body.encode(), f"{media_type}; v={words}", headers, words))


def redirect(to: str, status: int = 302) -> Behaviour:
    return instead(Reply(status, b"", "text/html", {"Location": to}))


# The proper answer, changed.


def changed(change: Callable[[Reply], Reply]) -> Behaviour:
    return lambda handler, reply: handler.write(change(reply))


def empty_body() -> Behaviour:
    return changed(lambda reply: replace(reply, body=b""))


def with_bom() -> Behaviour:
    """A UTF-8 byte order mark before the body."""
    return changed(lambda reply: replace(reply, body=b"\xef\xbb\xbf" + reply.body))


def encoded_as(encoding: str) -> Behaviour:
    """The body in another encoding than UTF-8: `latin-1`, `utf-16`, `cp932`."""
    return changed(
        lambda reply: replace(reply, body=reply.body.decode().encode(encoding, "replace"))
    )


def gzipped(*, cut: bool = False) -> Behaviour:
    """The body packed, `Content-Encoding: gzip`. `cut`: half of it, under a length that fits."""

    def pack(reply: Reply) -> Reply:
        packed = gzip.compress(reply.body, mtime=0)
        body = packed[: len(packed) // 2] if cut else packed
        return replace(reply, body=body, headers={**reply.headers, "Content-Encoding": "gzip"})

    return changed(pack)


def column_added(name: str, value: Any = "new") -> Behaviour:
    return _with_rows(lambda row: {**row, name: value})


def column_missing(name: str) -> Behaviour:
    return _with_rows(lambda row: {column: row[column] for column in row if column != name})


def column_renamed(old: str, new: str) -> Behaviour:
    return _with_rows(lambda row: {new if name == old else name: row[name] for name in row})


def _with_rows(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Behaviour:
    """Changes each row of a CSV, or of JSON: a list, or the list `data` of an object."""

    def change_all(reply: Reply) -> Reply:
        text = reply.body.decode()
        if text.lstrip()[:1] in ("{", "["):
            content = json.loads(text)
            if isinstance(content, dict):
                content["data"] = [change(row) for row in content["data"]]
            else:
                content = [change(row) for row in content]
            return replace(reply, body=_json(content))
        header, *lines = csv.reader(io.StringIO(text))
        # The header is a row as well: a column that is added has its name there.
        names = list(change(dict(zip(header, header, strict=True))))
        rows = [change(dict(zip(header, line, strict=True))) for line in lines]
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows([names, *(row.values() for row in rows)])
        return replace(reply, body=out.getvalue().encode())

    return changed(change_all)


# The proper answer, in part, late or not at all.


def cut_body(after: int = 100) -> Behaviour:
    """Announces the whole body and closes the connection part of the way through it."""

    def behave(handler: Handler, reply: Reply) -> None:
        handler.write_head(reply)
        handler.wfile.write(reply.body[: min(after, len(reply.body) // 2)])
        handler.close_connection = True

    return behave


def longer_than_announced() -> Behaviour:
    """Announces half of the body and sends it whole, like a file that grows while it is sent."""

    def behave(handler: Handler, reply: Reply) -> None:
        # Not at the end of a line, where a table in text may end.
        end = reply.body.rfind(b"\n", 0, len(reply.body) * 3 // 4)
        sent = reply.body[: end - 2 if end > 2 else len(reply.body) // 2]
        handler.write_head(replace(reply, body=sent))
        handler.wfile.write(reply.body)
        handler.wfile.flush()
        handler.close_connection = True

    return behave


def no_answer() -> Behaviour:
    """Closes the connection without a word."""

    def behave(handler: Handler, _reply: Reply) -> None:
        handler.close_connection = True

    return behave


def silent() -> Behaviour:
    """Accepts the request and never answers; the connection closes when the server stops."""

    def behave(handler: Handler, _reply: Reply) -> None:
        handler.publisher.stopping.wait()
        handler.close_connection = True

    return behave


def slow(seconds: float, then: Behaviour | None = None) -> Behaviour:
    """Answers properly (or does `then`), after a silence that ends early when the server stops."""

    def behave(handler: Handler, reply: Reply) -> None:
        if handler.publisher.stopping.wait(seconds):
            handler.close_connection = True
        else:
            (then or send())(handler, reply)

    return behave


def dripping(chunk: int = 100, pause_s: float = 0.01) -> Behaviour:
    """The body `chunk` bytes at a time, with a pause before each."""

    def behave(handler: Handler, reply: Reply) -> None:
        handler.write_head(reply)
        for start in range(0, len(reply.body), chunk):
            if handler.publisher.stopping.wait(pause_s):
                handler.close_connection = True
                return
            handler.wfile.write(reply.body[start : start + chunk])
            handler.wfile.flush()

    return behave


def with_validator(header: str = "ETag") -> Behaviour:
    """The proper answer with an `ETag` of its body or a `Last-Modified` (of a made-up clock that
    moves with the body); 304 without a body where the request names it.
    """

    def behave(handler: Handler, reply: Reply) -> None:
        number = zlib.crc32(reply.body)
        validator = f'"{number:08x}"'
        if header == "Last-Modified":
            validator = formatdate(1_600_000_000 + number % 100_000_000, usegmt=True)
        condition = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}[header]
        if handler.headers.get(condition) == validator:
            handler.write(Reply(304, b"", reply.media_type, {header: validator}))
        else:
            handler.write(replace(reply, headers={**reply.headers, header: validator}))

    return behave


def once(behaviour: Behaviour) -> Behaviour:
    """Behaves so the first time, and answers properly after that."""
    pending = [behaviour]
    return lambda handler, reply: (pending.pop() if pending else send())(handler, reply)


# A test that acts at a moment of its choice: `before_reply(process.kill)`.


def before_reply(callback: Callable[[], object], then: Behaviour | None = None) -> Behaviour:
    """Calls back when the request is in and nothing of the answer is out."""

    def behave(handler: Handler, reply: Reply) -> None:
        callback()
        (then or send())(handler, reply)

    return behave


def after_reply(callback: Callable[[], object], then: Behaviour | None = None) -> Behaviour:
    """Calls back when the answer is on its way."""

    def behave(handler: Handler, reply: Reply) -> None:
        (then or send())(handler, reply)
        callback()

    return behave
