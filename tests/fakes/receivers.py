"""A webhook and a mail server that receive messages, and refuse some on command."""

from __future__ import annotations

import json
import threading
from collections import deque
from dataclasses import dataclass, field
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from aiosmtpd.controller import Controller


@dataclass(frozen=True)
class Received:
    title: str
    body: str


@dataclass
class Receiver:
    """What was accepted, in order; the next messages meet the queued refusals, one each."""

    received: list[Received] = field(default_factory=list)
    refusals: deque[str] = field(default_factory=deque)
    attempts: int = 0

    @property
    def titles(self) -> list[str]:
        return [each.title for each in self.received]

    def refuse(self, *with_status: str) -> None:
        self.refusals.extend(with_status)

    def next_refusal(self) -> str:
        self.attempts += 1
        return self.refusals.popleft() if self.refusals else ""


class Webhook(Receiver):
    """Takes what Apprise posts to `json://`; a refusal is a status of HTTP."""

    def __enter__(self) -> Self:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                posted = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status = receiver.next_refusal()
                if not status:
                    receiver.received.append(Received(posted["title"], posted["message"]))
                self.send_response(int(status or 200))
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.port = int(self._server.server_port)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def address(self) -> str:
        return f"json://127.0.0.1:{self.port}/hook/s3cret-token"


class MailServer(Receiver):
    """Speaks SMTP; a refusal is its answer to the data of a mail."""

    def __enter__(self) -> Self:
        self._controller = Controller(_Handler(self), hostname="127.0.0.1", port=_free_port())
        self._controller.start()
        self.port = self._controller.port
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._controller.stop()

    @property
    def address(self) -> str:
        return f"mailto://127.0.0.1:{self.port}?from=kido@example.org&to=ops@example.org"


class _Handler:
    def __init__(self, receiver: MailServer) -> None:
        self._receiver = receiver

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        refusal = self._receiver.next_refusal()
        if refusal:
            return refusal
        mail = message_from_bytes(envelope.content)
        title = str(make_header(decode_header(mail["Subject"])))
        self._receiver.received.append(Received(title, _text(mail)))
        return "250 OK"


def _text(mail: Message) -> str:
    """The plain text of a mail."""
    part = next(part for part in mail.walk() if part.get_content_type() == "text/plain")
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode("utf8").replace("\r\n", "\n")


def _free_port() -> int:
    import socket

    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])
