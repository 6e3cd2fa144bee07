"""Dagster's web server behind the door of `web_door.py`: its command, and the process of the door.

The pages and the answers are Dagster's. Its server listens on an address that no page can guess.
"""

from __future__ import annotations

import contextlib
import secrets
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dagster_project.http import client_of_this_machine
from dagster_project.orchestration.web_door import WebDoor, is_loopback
from dagster_project.settings import Settings

if TYPE_CHECKING:
    from starlette.applications import Starlette

LARGEST_MESSAGE = 64 << 20
"""Bytes of a message of a web socket: the events of a run come in one."""

_METHODS = ["GET", "HEAD", "POST", "OPTIONS"]


def hidden_address() -> str:
    """A free port of a random loopback address, as `address:port`.

    A page can try the ports of 127.0.0.1, but not the 16 million addresses beside it. On a system
    that has only 127.0.0.1 (macOS), it is a random port of that one.
    """
    numbers = [secrets.randbelow(254) + 1 for _ in range(3)]
    for host in (f"127.{'.'.join(map(str, numbers))}", "127.0.0.1"):
        with contextlib.suppress(OSError), socket.create_server((host, 0)) as server:
            return f"{host}:{server.getsockname()[1]}"
    raise OSError("No port of this machine is free.")


def server_command(address: str, workspace: Path) -> list[str]:
    """The command of Dagster's web server, which listens on `address:port`."""
    host, _, port = address.rpartition(":")
    return [
        sys.executable, "-m", "dagster_webserver", "--host", host, "--port", port,
        "--workspace", str(workspace), "--dagster-log-level", "warning",
        "--code-server-log-level", "warning",
    ]  # fmt: skip


def open_door(settings: Settings, host: str, port: int, address: str) -> None:
    """Pass on what the door lets in to the web server on `address:port`, until a signal."""
    import uvicorn

    # The server raises the signal again once it has stopped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    app = WebDoor(
        proxy(address), hosts=allowed_hosts(settings, host), origins=allowed_origins(settings)
    )
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.run(app, host=host, port=port, log_level="warning", ws_max_size=LARGEST_MESSAGE)


def proxy(address: str) -> Starlette:
    """An application that passes requests and web sockets on to `address:port`."""
    from fastapi_proxy_lib.core.http import ReverseHttpProxy
    from fastapi_proxy_lib.core.websocket import ReverseWebSocketProxy
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route, WebSocketRoute
    from starlette.websockets import WebSocket
    from uvicorn.protocols.utils import ClientDisconnected

    # A query may take minutes.
    pages = ReverseHttpProxy(client_of_this_machine(), base_url=f"http://{address}/")
    sockets = ReverseWebSocketProxy(
        client_of_this_machine(),
        base_url=f"ws://{address}/",
        max_message_size_bytes=LARGEST_MESSAGE,
    )

    async def page(request: Request) -> Response:
        return await pages.proxy(request=request, path=request.path_params["path"])

    async def socket_of_page(websocket: WebSocket) -> None:
        try:
            await sockets.proxy(websocket=websocket, path=websocket.path_params["path"])
        except* ClientDisconnected:
            pass  # The page was left before its socket was open: nobody waits for an answer.

    @contextlib.asynccontextmanager
    async def closing(_app: Starlette) -> AsyncIterator[None]:
        yield
        await pages.aclose()
        await sockets.aclose()

    routes = [
        Route("/{path:path}", page, methods=_METHODS),
        WebSocketRoute("/{path:path}", socket_of_page),
    ]
    return Starlette(routes=routes, lifespan=closing)


def allowed_hosts(settings: Settings, host: str) -> list[str]:
    """Names by which a browser may ask for the UI, beside loopback: without ports."""
    return [host, urlsplit(settings.ui_url).hostname or "", *settings.ui_hosts]


def allowed_origins(settings: Settings) -> list[str]:
    """The origin of a proxy before the UI; none on this machine, where it may be another server."""
    parts = urlsplit(settings.ui_url)
    return [] if is_loopback(parts.hostname or "") else [f"{parts.scheme}://{parts.netloc}"]


if __name__ == "__main__":
    open_door(Settings.load(), sys.argv[1], int(sys.argv[2]), sys.argv[3])
