"""Calls are counted per day of UTC, by every process of a home."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dagster_project.errors import QuotaError
from dagster_project.intake import calls
from dagster_project.intake.calls import counter


def set_now(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            assert tz is UTC
            return moment.replace(tzinfo=UTC)

    monkeypatch.setattr(calls, "datetime", Clock)


def test_calls_up_to_the_limit_are_allowed_and_not_one_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_now(monkeypatch, datetime(2026, 12, 31, 14))
    count = counter(tmp_path / "intake", "lib", 3)
    for _ in range(3):
        count()
    for _ in range(2):
        with pytest.raises(QuotaError) as caught:
            count()
        assert str(caught.value) == "lib: 3 calls were sent today."
        # The next day of UTC begins then.
        assert caught.value.again_at == datetime(2027, 1, 1)


def test_without_a_limit_calls_are_counted_and_allowed(tmp_path: Path) -> None:
    count = counter(tmp_path, "lib", None)
    for _ in range(20):
        count()
    with pytest.raises(QuotaError):
        counter(tmp_path, "lib", 20)()


def test_another_counter_of_the_same_home_goes_on(tmp_path: Path) -> None:
    counter(tmp_path, "lib", 2)()
    counter(tmp_path, "lib", 2)()
    with pytest.raises(QuotaError):
        counter(tmp_path, "lib", 2)()


def test_sources_and_homes_are_counted_apart(tmp_path: Path) -> None:
    counter(tmp_path / "a", "lib", 1)()
    counter(tmp_path / "a", "lib_two", 1)()
    counter(tmp_path / "b", "lib", 1)()
    with pytest.raises(QuotaError):
        counter(tmp_path / "a", "lib", 1)()


def test_a_new_day_of_utc_begins_at_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = counter(tmp_path, "lib", 1)
    set_now(monkeypatch, datetime(2026, 7, 14, 23, 59, 59))
    count()
    with pytest.raises(QuotaError):
        count()
    set_now(monkeypatch, datetime(2026, 7, 15, 0, 0, 1))
    count()
    with pytest.raises(QuotaError):
        count()


def test_the_count_of_a_day_before_does_not_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = counter(tmp_path, "lib", 5)
    counter(tmp_path, "other", 5)()
    for day in (14, 15, 16):
        set_now(monkeypatch, datetime(2026, 7, day, 12))
        count()
    names = sorted(path.name for path in tmp_path.iterdir() if path.name.startswith("lib"))
    assert len(names) == 1
    assert "2026-07-16" in names[0]
    assert len(list(tmp_path.iterdir())) == 2


def test_a_process_that_begins_the_day_takes_no_count_of_another_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.exists
    other = counter(tmp_path, "lib", 10)

    def exists_a_moment_ago(self: Path, **options: bool) -> bool:
        found = real(self, **options)
        monkeypatch.setattr(Path, "exists", real)
        if not found:
            other()  # another process sends its first call just now
        return found

    monkeypatch.setattr(Path, "exists", exists_a_moment_ago)
    counter(tmp_path, "lib", 10)()
    with pytest.raises(QuotaError):
        counter(tmp_path, "lib", 2)()


SEND = """
import sys
from pathlib import Path
from dagster_project.intake.calls import counter
count = counter(Path(sys.argv[1]), "lib", None)
for _ in range(200):
    count()
"""


def test_several_processes_count_together(tmp_path: Path) -> None:
    counter(tmp_path, "lib", None)()
    running = [
        subprocess.Popen([sys.executable, "-c", SEND, str(tmp_path)], cwd=Path(__file__).parents[3])
        for _ in range(3)
    ]
    assert [one.wait(timeout=60) for one in running] == [0, 0, 0]
    counter(tmp_path, "lib", 602)()
    with pytest.raises(QuotaError):
        counter(tmp_path, "lib", 602)()
