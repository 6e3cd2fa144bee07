"""The check that notices are read: when it warns, what it shows, where it cannot run."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import duckdb
import pytest

from dagster_project.orchestration.notice_checks import TO_BE_READ, check_of_notices
from dagster_project.settings import Settings
from tests.unit.serving.test_notices import TODAY, file_of, notice


def check_of(file: Path) -> dg.AssetCheckResult:
    settings = Settings.load(home=file.parent, as_of=TODAY)
    settings.file_of_the_day.parent.mkdir(parents=True, exist_ok=True)
    if settings.file_of_the_day != file:
        settings.file_of_the_day.write_bytes(file.read_bytes())
    return check_of_notices(settings)


@pytest.mark.parametrize(
    ("days", "passed", "observed"),
    [
        (0, True, "1 notice to be read, 0 for more than 7 days"),
        (7, True, "1 notice to be read, 0 for more than 7 days"),
        (8, False, "1 notice to be read, 1 for more than 7 days"),
    ],
)
def test_a_notice_that_is_unread_for_eight_days_warns(
    tmp_path: Path, days: int, passed: bool, observed: str
) -> None:
    check = check_of(file_of(tmp_path, notice("2026-40", days_unread=days)))
    assert (check.passed, check.severity) == (passed, dg.AssetCheckSeverity.WARN)
    assert check.metadata["observed"].value == observed
    assert (check.metadata[TO_BE_READ].value, check.metadata["longest_days"].value) == (1, days)


def test_notices_that_are_read_are_not_late(tmp_path: Path) -> None:
    check = check_of(file_of(tmp_path, notice("2026-1", state="known", days_unread=None)))
    assert (check.passed, check.metadata["longest_days"].value) == (True, 0)


def test_public_notices_are_shown_with_links_and_private_ones_are_counted(
    tmp_path: Path,
) -> None:
    private = [notice(number, source="gta", title="CANARY") for number in ("987", "988")]
    public = [notice(f"2026-{number}") for number in range(100, 122)]
    shown = str(check_of(file_of(tmp_path, *private, *public)).metadata["notices"].value)
    lines = shown.splitlines()
    assert lines[0] == "- 2026-11-28 mofcom 2026-100: 公告 2026-100 `https://example.org/a.html`"
    assert lines[20:] == ["- and 2 more: kido notices", "- and 2 of gta: kido notices"]
    assert "CANARY" not in shown
    assert "987" not in shown


def test_a_file_of_an_earlier_version_is_reported_and_raises_nothing(tmp_path: Path) -> None:
    """It stays while the first build of a newer version is blocked."""
    file = tmp_path / "kido.duckdb"
    duckdb.connect(str(file)).close()
    check = check_of(file)
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "is of an earlier version, without notices. Run kido build." in str(
        check.metadata["observed"].value
    )
    assert check.metadata["could_not_run"].value == 1
    assert TO_BE_READ not in check.metadata


def test_without_a_published_file_nothing_is_to_be_read(tmp_path: Path) -> None:
    check = check_of_notices(Settings.load(home=tmp_path, as_of=TODAY))
    assert (check.passed, check.metadata[TO_BE_READ].value) == (True, 0)
