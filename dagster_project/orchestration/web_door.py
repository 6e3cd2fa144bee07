"""The door before the web server of the UI: which requests of a browser get in.

An ASGI layer. Who may sign in is not decided here: the UI has no users.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from starlette.datastructures import Headers
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

GRAPHQL = "/graphql"

OWN_SITES = ("same-origin", "none")
"""`Sec-Fetch-Site` of a request that a page of the UI made, or a person who typed the address.

It counts where no `Origin` is sent: browsers differ in it for web sockets.
"""

WRONG_ORIGIN = "Refused: this request comes from another page than one of the UI."
WRONG_METHOD = "Refused: GraphQL is answered by POST only."
WRONG_CONTENT = "Refused: GraphQL is read from a body of application/json only."


@dataclass(frozen=True)
class Refusal:
    """The status of an answer, and its sentence."""

    status: int
    sentence: str


class WebDoor:
    """Lets in what the UI's own pages and programs send, and nothing that a foreign page sends.

    A foreign page is recognised by `Host` (a name that was bound to this machine), `Origin` and
    `Sec-Fetch-Site`. Dagster executes mutations by GET, and from the address of a form: neither
    passes. `hosts` are names without a port. `origins` are further origins with a scheme, for a
    proxy that changes the port.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str], origins: Collection[str]) -> None:
        self.app = app
        self.hosts = frozenset(host.lower() for host in hosts)
        self.origins = frozenset(origin.lower() for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        from starlette.responses import PlainTextResponse

        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        refusal = self.refusal(scope)
        if refusal is None:
            await self.app(scope, receive, _unframed(send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})  # answered by status 403
        else:
            answer = PlainTextResponse(f"{refusal.sentence}\n", refusal.status)
            await answer(scope, receive, send)

    def refusal(self, scope: Scope) -> Refusal | None:
        """Why a request is refused; None if it gets in."""
        from starlette.datastructures import Headers

        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._is_own_host(hosts[0], scope):
            return Refusal(403, _WRONG_HOST)
        origins = headers.getlist("origin")
        site = headers.get("sec-fetch-site", "none")
        if origins:
            is_own = all(self._is_own_origin(origin, hosts[0]) for origin in origins)
        else:
            is_own = site in OWN_SITES or _is_link(scope, headers)
        if not is_own:
            return Refusal(403, WRONG_ORIGIN)
        if scope["type"] == "http" and scope["path"].rstrip("/") == GRAPHQL:
            if scope["method"] != "POST":
                return Refusal(405, WRONG_METHOD)
            if (
                headers.get("content-type", "").lower().partition(";")[0].strip()
                != "application/json"
            ):
                return Refusal(415, WRONG_CONTENT)
        return None

    def _is_own_host(self, host: str, scope: Scope) -> bool:
        """Whether a host is an allowed name, or the address at which the request arrived."""
        name = _name_of(host)
        if name is None:
            return False
        server = scope.get("server")
        return name in self.hosts or is_loopback(name) or bool(server and name == server[0])

    def _is_own_origin(self, origin: str, host: str) -> bool:
        given = origin.lower()
        return given in self.origins or given in (
            f"http://{host.lower()}",
            f"https://{host.lower()}",
        )


_WRONG_HOST = (
    "Refused: the host of this request is not one of the UI's. KIDO_UI_URL and KIDO_UI_HOSTS "
    "allow further ones."
)


def _name_of(host: str) -> str | None:
    """The name or the address of `name:port`, in lower case; None if it cannot be read."""
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def is_loopback(name: str) -> bool:
    """Whether a host is this machine alone."""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def _is_link(scope: Scope, headers: Headers) -> bool:
    """Whether a person follows a link to a page, such as one in a message; no frame of a page."""
    return (
        scope["type"] == "http"
        and scope["method"] == "GET"
        and headers.get("sec-fetch-mode") == "navigate"
        and headers.get("sec-fetch-dest") == "document"
    )


def _unframed(send: Send) -> Send:
    """Send with a header by which no other page can show the UI in a frame and guide a click."""
    from starlette.datastructures import MutableHeaders

    async def send_with_header(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message)["X-Frame-Options"] = "SAMEORIGIN"
        await send(message)

    return send_with_header
