"""`kido alert --unit NAME`: what systemd calls when a service has failed."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from dagster_project.cli import app
from dagster_project.errors import ConfigurationError
from tests.fakes.receivers import Webhook


def test_a_failed_unit_is_one_message_with_its_log() -> None:
    with Webhook() as hook:
        result = send({"KIDO_ALERTS": hook.address})
    (message,) = hook.received
    assert result == 0
    assert message.title.startswith("Kido: kido-backup.service failed on ")
    assert "sudo journalctl -u kido-backup.service" in message.body


def test_an_invalid_setting_is_sent_though_it_is_the_reason() -> None:
    with Webhook() as hook:
        assert (
            send({"KIDO_ALERTS": hook.address, "KIDO_AS_OF": "yesterday", "KIDO_HOMES": "x"}) == 0
        )
    assert len(hook.received) == 1


def test_a_message_that_is_not_accepted_fails_the_unit() -> None:
    with Webhook() as hook:
        hook.refuse("500", "500", "500")
        assert send({"KIDO_ALERTS": hook.address}) == 1
    assert hook.received == []


def test_without_an_address_the_failure_is_said_to_be_unsent() -> None:
    with pytest.raises(ConfigurationError, match=r"failure of kido-backup\.service was not sent"):
        send({"KIDO_ALERTS": ""})


def send(settings: dict[str, str]) -> int:
    result = CliRunner().invoke(app, ["alert", "--unit", "kido-backup.service"], env=settings)
    if isinstance(result.exception, ConfigurationError):
        raise result.exception
    return result.exit_code
