"""Messages reach a real webhook and a real mail server, though both refuse some: none is lost, none
comes twice.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dagster_project.alerts.messages import Record, next_record
from dagster_project.alerts.problems import Problem
from dagster_project.alerts.send import addresses, send_waiting
from dagster_project.errors import ConfigurationError
from dagster_project.settings import Settings
from tests.conftest import CHECKOUT
from tests.e2e.conftest import clean_environment
from tests.fakes.receivers import MailServer, Webhook


@pytest.fixture
def hook() -> Iterator[Webhook]:
    with Webhook() as server:
        yield server


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


def late(name: str, level: int = 1) -> Problem:
    return Problem("late_sources", name, f"{name} is late", "2026-10-19", (f"日本: {name}",),
                   level=level)  # fmt: skip


def settings_with(patch: pytest.MonkeyPatch, *given: str) -> Settings:
    patch.setenv("KIDO_ALERTS", " ".join(given))
    return Settings.load()


class Sensor:
    """Ticks as those of a sensor: the record goes through JSON from each to the next."""

    def __init__(self, settings: Settings) -> None:
        self.to = addresses(settings)
        self.cursor = Record().model_dump_json()
        self.failed: list[dict[str, str]] = []

    def tick(self, *standing: Problem, send_for_s: float = 60) -> Record:
        names = [address.name for address in self.to]
        before = Record.model_validate_json(self.cursor)
        record = next_record(before, "late_sources", standing, names)
        record, _, failed = send_waiting(record, self.to, send_for_s)
        self.failed.append(dict(failed))
        self.cursor = record.model_dump_json()
        return record


def test_both_receive_title_and_body(
    hook: Webhook, mail: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sensor = Sensor(settings_with(monkeypatch, hook.address, mail.address))
    assert not sensor.tick(late("ecb")).waiting
    for receiver in (hook, mail):
        assert receiver.titles == ["Kido: ecb is late"]
        [*lines, sender] = receiver.received[0].body.strip().splitlines()
        assert lines == ["日本: ecb", "", "Since 2026-10-19"]
        assert sender.startswith("From ")


def test_what_is_refused_is_tried_again_and_comes_once_in_order(
    hook: Webhook, mail: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sensor = Sensor(settings_with(monkeypatch, hook.address, mail.address))
    hook.refuse("500", "503")
    mail.refuse("451 try again later")
    sensor.tick(late("ecb"), late("wgi"))
    # An address that refuses one is not tried with the next: order is kept.
    assert (hook.attempts, hook.titles) == (1, [])
    assert (mail.attempts, mail.titles) == (1, [])
    sensor.tick(late("ecb"), late("wgi"))
    assert hook.titles == []
    assert mail.titles == ["Kido: ecb is late", "Kido: wgi is late"]
    # The rest goes to the webhook alone: a mail server gets a message each five seconds.
    sensor.to = addresses(settings_with(monkeypatch, hook.address))
    sensor.tick(late("wgi", level=2))
    expected = [
        "Kido: ecb is late", "Kido: wgi is late", "Kido, over: ecb is late",
        "Kido, worse: wgi is late",
    ]  # fmt: skip
    assert hook.titles == expected
    sensor.tick(late("wgi", level=2))
    assert hook.titles == expected


def test_a_server_that_is_down_gets_everything_when_it_is_back(
    mail: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Webhook() as down:
        address = down.address
    sensor = Sensor(settings_with(monkeypatch, address, mail.address))
    sensor.tick(late("ecb"))
    record = sensor.tick()
    assert mail.titles == ["Kido: ecb is late", "Kido, over: ecb is late"]
    assert [each.message.news for each in record.waiting] == ["new", "over"]
    with Webhook() as back:
        sensor.to = addresses(settings_with(monkeypatch, back.address, mail.address))
        # Its port is another one, and so is its name.
        waiting = sensor.cursor.replace(f":{down.port}", f":{back.port}")
        sensor.cursor = waiting
        assert not sensor.tick().waiting
        assert back.titles == ["Kido: ecb is late", "Kido, over: ecb is late"]
    assert len(mail.titles) == 2


def test_a_tick_that_has_no_time_left_sends_the_rest_on_the_next(
    hook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    sensor = Sensor(settings_with(monkeypatch, hook.address))
    assert len(sensor.tick(late("ecb"), late("wgi"), send_for_s=-1).waiting) == 2
    assert hook.attempts == 0
    assert not sensor.tick(late("ecb"), late("wgi")).waiting
    assert hook.titles == ["Kido: ecb is late", "Kido: wgi is late"]


def test_no_secret_of_an_address_is_shown_stored_or_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with Webhook() as down:
        port = down.port
    secrets = ("s3cret-token", "passw0rd", "someuser", "aaaa1111", "bbbb2222")
    settings = settings_with(
        monkeypatch,
        f"json://someuser:passw0rd@127.0.0.1:{port}/s3cret-token",
        f"mailto://someuser:passw0rd@127.0.0.1:{port}?from=a@example.org",
        "slack://aaaa1111a/bbbb2222b/cccccccccccccccccccccccc",
    )
    caplog.set_level(logging.DEBUG)
    sensor = Sensor(settings)
    sensor.to = sensor.to[:2]
    sensor.tick(late("ecb"))
    names = [address.name for address in addresses(settings)]
    assert names == [f"json://127.0.0.1:{port}", f"mailto://127.0.0.1:{port}", "slack://…"]
    seen = [
        repr(settings), str(settings.model_dump()), repr(sensor.to), sensor.cursor,
        str(sensor.failed), caplog.text, *names,
    ]  # fmt: skip
    assert sensor.failed[0].keys() == set(names[:2])
    for secret in secrets:
        assert not [text for text in seen if secret in text]


def test_the_same_host_twice_is_two_addresses(
    hook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_with(monkeypatch, f"{hook.address}, {hook.address}-2")
    assert [each.name for each in addresses(settings)] == [
        f"json://127.0.0.1:{hook.port}", f"json://127.0.0.1:{hook.port} (2)",
    ]  # fmt: skip
    Sensor(settings).tick(late("ecb"))
    assert hook.titles == ["Kido: ecb is late"] * 2


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("ntfy://s3cret-topic/other", "ntfy://…"),
        ("ntfy://s3cret-topic", "ntfys://…"),
        ("ntfy://ntfy.example.org/s3cret-topic", "ntfy://ntfy.example.org"),
        ("gotify://push.example.org/s3cret-tokens12", "gotify://push.example.org"),
        ("jsons://localhost/s3cret", "jsons://localhost"),
    ],
)
def test_a_topic_is_never_taken_for_a_host(
    given: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [each.name for each in addresses(settings_with(monkeypatch, given))] == [name]


@pytest.mark.parametrize(
    ("given", "which"),
    [
        ("s3cret-token", "1 of 1"),
        ("json://127.0.0.1 nosuch://me:s3cret-token@host", "2 of 2"),
        ("slack://s3cret-token", "1 of 1"),
    ],
)
def test_an_address_that_cannot_be_read_is_numbered_and_not_shown(
    given: str, which: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(ConfigurationError, match=which) as error:
        addresses(settings_with(monkeypatch, given))
    assert str(error.value).startswith("KIDO_ALERTS: ")
    assert "s3cret" not in str(error.value) + caplog.text


@pytest.mark.parametrize("given", ["", "   "])
def test_without_the_setting_there_is_no_address(
    given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not addresses(settings_with(monkeypatch, given))


def kido_alert(home: Path, *arguments: str, **given: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dagster_project.cli", "alert", *arguments],
        cwd=CHECKOUT, env={**clean_environment(), "KIDO_HOME": str(home), **given},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_a_test_message_says_of_each_address_whether_it_was_accepted(
    hook: Webhook, mail: MailServer, tmp_path: Path
) -> None:
    both = f"{hook.address} {mail.address}"
    accepted = kido_alert(tmp_path, "--test", KIDO_ALERTS=both)
    assert accepted.returncode == 0, accepted.stderr
    assert accepted.stdout.splitlines() == [
        f"json://127.0.0.1:{hook.port}: accepted", f"mailto://127.0.0.1:{mail.port}: accepted",
    ]  # fmt: skip
    assert hook.titles == mail.titles == ["Kido: test message"]
    mail.refuse("451 try again later")
    hook.refuse("403")
    refused = kido_alert(tmp_path, "--test", KIDO_ALERTS=both)
    assert refused.returncode == 1
    assert "403" in refused.stdout
    assert refused.stdout.count("not accepted: ") == 2
    assert "s3cret" not in refused.stdout + refused.stderr


def test_a_test_without_an_address_is_one_sentence(tmp_path: Path) -> None:
    result = kido_alert(tmp_path, "--test")
    assert result.returncode == 1
    assert result.stderr.startswith("kido: KIDO_ALERTS is not set.")


def test_without_a_problem_there_is_none_to_list(tmp_path: Path) -> None:
    """With every source switched off, since none is late then that nobody asks."""
    from dagster_project.sources.registry import source_names

    off = {f"KIDO_{name.upper()}_ENABLED": "false" for name in source_names()}
    result = kido_alert(tmp_path, **off)
    assert (result.returncode, result.stdout) == (0, "Nothing needs a person.\n"), result.stderr
    assert json.loads(kido_alert(tmp_path, "--json", **off).stdout) == []
