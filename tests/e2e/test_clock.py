"""A clock that stood ahead by a year, around whole processes, and then went back."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from tests.bundled import with_files
from tests.conftest import CHECKOUT
from tests.e2e.conftest import BUNDLED, clean_environment
from tests.fakes.ecb import FakeEcb
from tests.nightly import nightly

pytestmark = [
    nightly,
    pytest.mark.skipif(
        shutil.which("faketime") is None, reason="a false clock needs faketime (Debian's package)"
    ),
]

A_YEAR_AHEAD = ("faketime", "-f", "+365d")

WITH_FEW_FLOWS = """
import sys
from pathlib import Path
from tests import bundled
bundled.use(Path(sys.argv.pop(1)))
from dagster_project.cli import main
main()
"""

LAND_WHAT_IS_BUNDLED = """
import sys
from pathlib import Path
from tests import bundled
bundled.use(Path(sys.argv.pop(1)))
from dagster_project.intake.conform import conform
from dagster_project.intake.land import land_bundled
from dagster_project.settings import Settings
from dagster_project.sources.registry import all_sources
for source in all_sources().values():
    land_bundled(Settings.load(), source)
    conform(Settings.load(), source)
"""
"""As a build begins: a whole one takes minutes with a false clock."""


def kido(
    home: Path,
    *arguments: str,
    clock: tuple[str, ...] = (),
    program: str = WITH_FEW_FLOWS,
    **settings: str,
) -> tuple[int, str, str]:
    done = subprocess.run(
        [*clock, sys.executable, "-c", program, str(home.parent / BUNDLED), *arguments],
        cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=1500,
        env={**clean_environment(), "KIDO_HOME": str(home), "FAKETIME_DONT_FAKE_MONOTONIC": "1",
             **settings},
    )  # fmt: skip
    return done.returncode, done.stdout, " ".join(done.stderr.split())


def current(home: Path) -> list[str]:
    """The current release, and all that were published."""
    code, listed, errors = kido(home, "releases", "--json")
    assert code == 0, errors
    releases = json.loads(listed)
    (now,) = [release["release_id"] for release in releases if release["is_current"]]
    return [now, *(release["release_id"] for release in releases)]


def test_after_a_year_ahead_and_back_every_build_is_published(folder: Path) -> None:
    home = folder / "home"
    code, _, errors = kido(home, "build", clock=A_YEAR_AHEAD)
    assert code == 0, errors
    (ahead, *_) = current(home)

    code, _, errors = kido(home, "build")
    assert code == 0, errors
    assert f"Release {ahead} is from the future" in errors
    first, *listed = current(home)
    assert listed == [ahead, first]
    assert first > ahead

    code, _, errors = kido(home, "build", "--full")
    assert code == 0, errors
    second, *listed = current(home)
    assert listed == [ahead, first, second]

    code, _, errors = kido(home, "rollback")
    assert code == 0, errors
    assert current(home)[0] == first


def edit_a_title(folder: Path) -> None:
    """Bundle another text of the first measure."""
    before = (folder / BUNDLED).resolve()
    text = (before / "catalogue" / "measures.yaml").read_text("utf8")
    edited = re.sub(
        r"^(\s*title: )[A-Z].*", r"\g<1>A title that was edited", text, count=1, flags=re.M
    )
    with_files(folder / "edited", {"catalogue/measures.yaml": edited.encode()}, beside=before)
    (folder / BUNDLED).unlink()
    (folder / BUNDLED).symlink_to(folder / "edited")


def titles_and_rates(home: Path) -> tuple[bool, dict[str, float]]:
    """Whether the edited title is published, and the rates of November."""
    with duckdb.connect(str(home / "kido.duckdb"), read_only=True) as connection:
        titles = connection.sql("select title from exposure.measures").fetchall()
        rates = connection.sql(
            "select price_date::varchar, close from market.prices "
            "where instrument = 'EURUSD' and price_date > date '2026-10-30'"
        ).fetchall()
    return ("A title that was edited",) in titles, dict(rates)


def test_what_came_a_year_ahead_hides_nothing_that_comes_after(folder: Path) -> None:
    home, file = folder / "home", folder / "rates.csv"
    file.write_text("Date,USD,JPY,CNY\n2026-11-03,1.13,175.68,7.4326\n")
    with FakeEcb() as ecb:
        ecb.publish(("2026-11-02", "1.12", "175.68", "N/A", "7.4326"))
        settings = {"KIDO_ECB_URL": ecb.root}
        code, _, errors = kido(home, clock=A_YEAR_AHEAD, program=LAND_WHAT_IS_BUNDLED)
        assert code == 0, errors
        for command in (["land", "ecb", str(file)], ["fetch", "ecb"]):
            code, _, errors = kido(home, *command, clock=A_YEAR_AHEAD, **settings)
            assert code == 0, errors
            assert "a clock was ahead" not in errors

        edit_a_title(folder)
        code, _, errors = kido(home, "build")
        assert code == 0, errors
        assert "ecb: a clock was ahead when 2 snapshots of it came" in errors
        assert titles_and_rates(home) == (True, {})
        code, _, errors = kido(home, "build")
        assert code == 0, errors
        assert "Nothing has changed" in errors

        code, _, errors = kido(home, "land", "ecb", str(file))
        assert code == 1
        assert "since a clock was ahead; no build reads it before that day" in errors
        code, listed, errors = kido(home, "landed", "ecb", "--json")
        assert code == 0, errors
        landed = [each for each in json.loads(listed) if each["way"] != "bundled"]
        assert len(landed) == 2
        for each in landed:
            code, _, errors = kido(
                home, "withdraw", each["snapshot_id"], "--because", "the clock was ahead"
            )
            assert code == 0, errors
        for command in (["land", "ecb", str(file)], ["fetch", "ecb"], ["build"]):
            code, _, errors = kido(home, *command, **settings)
            assert code == 0, errors
            assert "a clock was ahead" not in errors
    assert titles_and_rates(home) == (True, {"2026-11-02": 1.12, "2026-11-03": 1.13})
