"""Sends messages to the addresses of KIDO_ALERTS, by Apprise; nothing here decides what is said.

An address is a secret. What is printed, logged and stored of it is its name: scheme and host.
"""

from __future__ import annotations

import logging
import re
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from dagster_project.alerts.messages import Message, News, Record, Waiting
from dagster_project.errors import ConfigurationError, shortened
from dagster_project.settings import Settings

if TYPE_CHECKING:
    from apprise import NotifyBase

VARIABLE = "KIDO_ALERTS"

SEND_FOR_S = 20.0
"""No message is begun later in a tick. Dagster ends a tick after 60 s and forgets what it sent; a
server that hangs may take 30 s more."""

_TONES: Mapping[News, str] = {"new": "warning", "worse": "failure", "over": "success"}
"""Apprise's types of messages: services that have colours show them."""

_SHORTEST_SECRET = 4
"""Characters of a part of an address that is removed from a reason; shorter ones are words."""


_HOST = re.compile(r"[.:]|^localhost$")
"""In every name of a host that is shown: a domain, an IP address, this machine."""


@dataclass(frozen=True)
class Address:
    """One address; its name is free of secrets, and different from that of any other."""

    name: str
    _service: NotifyBase
    _sender: str = ""
    """The last line of each message: which installation sends it."""

    def __repr__(self) -> str:
        return f"Address({self.name!r})"

    def send(self, title: str, body: str, tone: str) -> str:
        """Send a message; returns why it was not accepted, without secrets, empty if it was."""
        from apprise import Apprise, NotifyFormat, NotifyType

        service = Apprise()
        service.add(self._service)
        with _without_logs():
            result = service.notify(
                body=f"{body}\n{self._sender}".strip(),
                title=title,
                notify_type=NotifyType(tone),
                body_format=NotifyFormat.TEXT,
            )
        if result:
            return ""
        reasons = [entry.message for entry in result.logs()]
        return shortened(self._redacted(reasons[-1]) if reasons else "no reason is known")

    def _redacted(self, reason: str) -> str:
        """The reason without any part of the address that is not in its name."""
        _, _, rest = self._service.url().partition("://")
        parts = re.split(r"[/:@?&=#,;]+", rest)
        secrets = {text for part in parts for text in (part, unquote(part))}
        for secret in sorted(secrets, key=len, reverse=True):
            if len(secret) >= _SHORTEST_SECRET and secret not in self.name:
                reason = reason.replace(secret, "…")
        return reason


def addresses(settings: Settings) -> Sequence[Address]:
    """The addresses that are set; none without the setting.

    Raises ConfigurationError if Apprise cannot read one; the sentence does not show it.
    """
    given = settings.alerts.get_secret_value().strip() if settings.alerts else ""
    if not given:
        return []
    from apprise import Apprise

    services = Apprise()
    with _without_logs():
        is_read = services.add(given)
    if not is_read:
        raise ConfigurationError(
            f"{VARIABLE}: Apprise cannot read address {_first_unread(given)}.",
            hint="Addresses are separated by blanks; their forms are on "
            "https://appriseit.com/services/.",
        )
    sender = f"From {socket.gethostname()}:{settings.home}"
    names = Counter[str]()
    listed = []
    for service in services:
        name = _name(service)
        names[name] += 1
        listed.append(
            Address(f"{name} ({names[name]})" if names[name] > 1 else name, service, sender)
        )
    return listed


def send_test(settings: Settings, write: Callable[[str], None]) -> bool:
    """Send a test message to every address and write a line on each; whether all accepted it.

    Raises ConfigurationError if none is set.
    """
    to = addresses(settings)
    if not to:
        raise ConfigurationError(
            f"{VARIABLE} is not set.", hint="It is one address of Apprise or more; see README."
        )
    body = f"This address receives the messages of Kido.\n\n{settings.ui_url}"
    return send_to_each(to, "Kido: test message", body, "info", write)


def send_to_each(
    to: Sequence[Address], title: str, body: str, tone: str, write: Callable[[str], None]
) -> bool:
    """Send one message to every address, a line on each; whether all accepted it."""
    is_accepted = True
    for address in to:
        reason = address.send(title, body, tone)
        write(f"{address.name}: {f'not accepted: {reason}' if reason else 'accepted'}")
        is_accepted &= not reason
    return is_accepted


def send_waiting(
    record: Record, to: Sequence[Address], send_for_s: float = SEND_FOR_S
) -> tuple[Record, int, Mapping[str, str]]:
    """Send what waits, the oldest first; what is not accepted keeps waiting.

    Returns the record, the number of accepted messages, and by address why it refused one.
    An address that refuses one is left alone for the rest of the call, so that its messages stay in
    order.
    """
    end = time.monotonic() + send_for_s
    by_name = {address.name: address for address in to}
    failed: dict[str, str] = {}
    accepted = 0
    waiting = []
    for each in record.waiting:
        left = []
        for name in each.addresses:
            if name in failed or time.monotonic() > end:
                left.append(name)
            elif reason := _send(by_name[name], each.message):
                failed[name] = reason
                left.append(name)
            else:
                accepted += 1
        if left:
            waiting.append(Waiting(message=each.message, addresses=tuple(left)))
    return record.model_copy(update={"waiting": tuple(waiting)}), accepted, failed


def _send(address: Address, message: Message) -> str:
    return address.send(message.title, message.body, _TONES[message.news])


def _name(service: NotifyBase) -> str:
    """Scheme and host; of a service whose host may be a token or a topic, its scheme alone.

    A name without a dot may be a topic of ntfy, which is its secret.
    """
    host = service.template_tokens.get("host", {})
    is_host = bool(host) and not host.get("private") and bool(_HOST.search(service.host or ""))
    port = f":{service.port}" if is_host and service.port else ""
    scheme, _, _ = service.url().partition("://")
    return f"{scheme}://{service.host if is_host else '…'}{port}"


def _first_unread(given: str) -> str:
    """The number of the first address that cannot be read, of how many."""
    from apprise import Apprise
    from apprise.utils.parse import parse_urls

    listed = parse_urls(given)
    with _without_logs():
        unread = [
            number for number, each in enumerate(listed, 1) if Apprise.instantiate(each) is None
        ]
    return f"{unread[0] if unread else 1} of {len(listed)}"


@contextmanager
def _without_logs() -> Iterator[None]:
    """Keep Apprise's records from the logs of this process: some contain an address."""
    logger = logging.getLogger("apprise")
    quiet, propagate = logging.NullHandler(), logger.propagate
    logger.addHandler(quiet)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(quiet)
        logger.propagate = propagate
