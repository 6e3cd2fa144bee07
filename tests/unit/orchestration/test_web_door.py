"""The door before the UI: by which hosts and from which pages a request gets in."""

from __future__ import annotations

from typing import Any

import pytest

from dagster_project.errors import ConfigurationError
from dagster_project.orchestration.web import allowed_hosts, allowed_origins
from dagster_project.orchestration.web_door import WebDoor
from dagster_project.settings import Settings


async def _page(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("not called here")


def refused(settings: Settings, listening_on: str = "127.0.0.1", **headers: str) -> int | None:
    """The status of the refusal of a request with these headers; None if it gets in."""
    door = WebDoor(_page, allowed_hosts(settings, listening_on), allowed_origins(settings))
    scope = {
        "type": "http", "method": "GET", "path": "/runs", "server": ("192.0.2.7", 3000),
        "headers": [
            (name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()
        ],
    }  # fmt: skip
    refusal = door.refusal(scope)
    return refusal.status if refusal else None


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("KIDO_UI_URL", "https://kido.example.org:8443/ui")
    monkeypatch.setenv("KIDO_UI_HOSTS", "kido.internal, OTHER.example.org")
    return Settings.load()


@pytest.mark.parametrize(
    "host",
    [
        "localhost:3000", "127.0.0.1", "127.0.0.9:1", "[::1]:3000", "kido.internal",
        "other.example.org:80", "kido.example.org", "192.0.2.7:3000",
    ],
)  # fmt: skip
def test_a_host_of_the_ui_gets_in(settings: Settings, host: str) -> None:
    assert refused(settings, host=host) is None


@pytest.mark.parametrize(
    "host",
    [
        "", "attacker.example", "localhost.attacker.example", "kido.internal.attacker.example",
        "192.0.2.8", "[::1", "localhost@attacker.example", "0.0.0.0",
    ],
)  # fmt: skip
def test_another_host_does_not(settings: Settings, host: str) -> None:
    assert refused(settings, host=host) == 403


def test_a_request_without_a_host_or_with_two_does_not_get_in(settings: Settings) -> None:
    assert refused(settings) == 403
    door = WebDoor(_page, ["localhost"], [])
    scope = {
        "type": "http", "method": "GET", "path": "/",
        "headers": [(b"host", b"localhost"), (b"host", b"attacker.example")],
    }  # fmt: skip
    assert door.refusal(scope) is not None


def test_the_address_that_it_listens_on_gets_in() -> None:
    assert refused(Settings.load(), "192.0.2.9", host="192.0.2.9:3000") is None
    assert refused(Settings.load(), "127.0.0.1", host="192.0.2.9:3000") == 403


def test_a_proxy_may_change_the_port_but_no_page_of_another_port_gets_in(
    settings: Settings,
) -> None:
    proxied = {"host": "kido.example.org", "origin": "https://kido.example.org:8443"}
    assert refused(settings, **proxied) is None
    other = {"host": "kido.example.org", "origin": "https://kido.example.org:9000"}
    assert refused(settings, **other) == 403
    # The default of KIDO_UI_URL is an address of this machine, where another server may be.
    local = {"host": "127.0.0.1:4000", "origin": "http://127.0.0.1:3000"}
    assert refused(Settings.load(), **local) == 403


@pytest.mark.parametrize("hosts", ["https://kido.example.org", "kido.example.org:3000", "a b"])
def test_hosts_of_the_ui_are_names_without_scheme_or_port(
    hosts: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIDO_UI_HOSTS", hosts)
    with pytest.raises(ConfigurationError, match=r"KIDO_UI_HOSTS: .*without a? ?(scheme|port)"):
        Settings.load()
