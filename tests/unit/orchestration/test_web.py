"""What the door passes on to the web server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from uvicorn.protocols.utils import ClientDisconnected
from websockets.sync.server import ServerConnection, serve

from dagster_project.orchestration.web import proxy


@pytest.fixture
def address() -> Iterator[str]:
    """A web server whose sockets send back what they get."""

    def echo(connection: ServerConnection) -> None:
        for message in connection:
            connection.send(message)

    with serve(echo, "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever).start()
        yield "{}:{}".format(*server.socket.getsockname())
        server.shutdown()


def open_socket(address: str, *sent: str, is_left: bool) -> list[dict[str, Any]]:
    """What a page gets that opens a socket, sends texts and closes it; or that was left before."""
    received: list[dict[str, Any]] = []
    texts = list(sent)

    async def receive() -> dict[str, Any]:
        if not any(message["type"] == "websocket.accept" for message in received):
            return {"type": "websocket.connect"}
        if texts:
            return {"type": "websocket.receive", "text": texts.pop(0)}
        while len(received) < 1 + len(sent):
            await asyncio.sleep(0.01)
        return {"type": "websocket.disconnect", "code": 1000}

    async def send(message: Any) -> None:
        if is_left:
            raise ClientDisconnected
        received.append(message)

    scope = {
        "type": "websocket", "path": "/graphql", "raw_path": b"/graphql", "query_string": b"",
        "scheme": "ws", "headers": [], "subprotocols": [], "root_path": "",
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 3000), "asgi": {"version": "3.0"},
    }  # fmt: skip
    asyncio.run(asyncio.wait_for(proxy(address)(scope, receive, send), timeout=30))
    return received


def test_a_socket_passes_on_what_is_sent(address: str) -> None:
    received = open_socket(address, "a query", is_left=False)
    assert [message.get("text") for message in received if "text" in message] == ["a query"]


def test_a_page_that_is_left_before_its_socket_is_open_is_no_error(address: str) -> None:
    assert open_socket(address, is_left=True) == []
