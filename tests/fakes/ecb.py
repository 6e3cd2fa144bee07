"""A local server that sends the ECB's history of reference rates, and misbehaves on request."""

from __future__ import annotations

import io
import threading
import zipfile
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from urllib.parse import urlsplit

MEMBER = "eurofxref-hist.csv"
PATH = "/stats/eurofxref"

COLUMNS = ("Date", "USD", "JPY", "BGN", "CNY")

ROWS = (
    ("2026-10-30", "1.1172", "175.68", "N/A", "7.4326"),
    ("2026-10-29", "1.113", "175.92", "N/A", "7.4144"),
    ("2005-04-01", "1.2959", "139.07", "1.9558", "10.7255"),
    ("2005-03-31", "1.2964", "138.44", "1.9559", "N/A"),
    ("1999-01-04", "1.1789", "133.73", "N/A", "N/A"),
)
"""Days as the ECB prints them: newest first, `N/A` where a currency was not quoted."""


def history_csv(rows: Sequence[Sequence[str]] = ROWS, columns: Sequence[str] = COLUMNS) -> bytes:
    """The publisher's CSV: every line, the header too, ends with a comma."""
    return "".join(",".join(line) + ",\n" for line in (columns, *rows)).encode()


def history_zip(payload: bytes | None = None, *, member: str = MEMBER) -> bytes:
    """The publisher's zip, which holds the CSV alone."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        # A fixed time, so that the same rows always make the same bytes.
        entry = zipfile.ZipInfo(member, date_time=(2026, 10, 30, 15, 56, 0))
        entry.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(entry, history_csv() if payload is None else payload)
    return buffer.getvalue()


@dataclass(frozen=True)
class Seen:
    """A request as the server got it; the names of headers in lower case."""

    path: str
    headers: Mapping[str, str]


Answer = Callable[[BaseHTTPRequestHandler, bytes], None]
"""How one request is answered, given the document that would be sent."""


def send(
    status: int = 200,
    body: bytes | None = None,
    media_type: str = "application/zip",
    **headers: str,
) -> Answer:
    """An answer with that status and body (the document where none is given).

    Headers as keywords, `Retry_After="2"`.
    """

    def answer(handler: BaseHTTPRequestHandler, document: bytes) -> None:
        content = document if body is None else body
        handler.send_response(status)
        handler.send_header("Content-Type", media_type)
        handler.send_header("Content-Length", str(len(content)))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def too_many_requests(retry_after: str) -> Answer:
    return send(429, b"Rate limit is exceeded.", "text/plain", Retry_After=retry_after)


def failing(status: int = 500) -> Answer:
    return send(status, b"<html><body>Service unavailable</body></html>", "text/html")


def not_found() -> Answer:
    return send(404, b"<html><body>Page not found</body></html>", "text/html")


def maintenance_page() -> Answer:
    return send(200, b"<!DOCTYPE html>\n<html><body>Maintenance</body></html>", "text/html")


def cut_body(after: int = 100) -> Answer:
    """Announces the whole document and closes the connection part of the way through it."""

    def answer(handler: BaseHTTPRequestHandler, document: bytes) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "application/zip")
        handler.send_header("Content-Length", str(len(document)))
        handler.end_headers()
        handler.wfile.write(document[:after])
        handler.close_connection = True

    return answer


def no_answer() -> Answer:
    """Closes the connection without a word."""

    def answer(handler: BaseHTTPRequestHandler, _document: bytes) -> None:
        handler.close_connection = True

    return answer


def slow(seconds: float) -> Answer:
    """Answers properly, after a silence that ends early when the server stops."""

    def answer(handler: BaseHTTPRequestHandler, document: bytes) -> None:
        server = handler.server
        assert isinstance(server, _Server)
        server.stopping.wait(seconds)
        if not server.stopping.is_set():
            send()(handler, document)

    return answer


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, owner: FakeEcb) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.owner = owner
        self.stopping = threading.Event()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up first is part of the tests and not worth a traceback."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, _Server)
        owner = server.owner
        headers = {name.lower(): value for name, value in self.headers.items()}
        owner.requests.append(Seen(path=self.path, headers=headers))
        document = owner.documents.get(urlsplit(self.path).path)
        if owner.next_answers:
            answer = owner.next_answers.popleft()
        else:
            media_type = "text/csv" if self.path.endswith(".csv") else "application/zip"
            answer = not_found() if document is None else send(media_type=media_type)
        answer(self, document or b"")

    def log_message(self, format: str, *args: object) -> None:
        """Tests look at `requests` instead."""


class FakeEcb:
    """`with FakeEcb() as ecb:` serves the history below `ecb.base_url`.

    `ecb.will(first, second)` says how the next requests are answered; after those, properly.
    """

    def __init__(self, history: bytes | None = None) -> None:
        payload = history_csv() if history is None else history
        self.documents: dict[str, bytes] = {
            f"{PATH}/eurofxref-hist.zip": history_zip(payload),
            f"{PATH}/{MEMBER}": payload,
        }
        self.requests: list[Seen] = []
        self.next_answers: deque[Answer] = deque()
        self._server = _Server(self)
        # Requests come from other threads than the test's; a short poll makes stopping quick.
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def base_url(self) -> str:
        return f"{self.root}{PATH}"

    def will(self, *answers: Answer) -> None:
        self.next_answers.extend(answers)

    def __enter__(self) -> FakeEcb:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
