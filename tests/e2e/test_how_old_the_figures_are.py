"""How far the bundled figures reach, what is missing on the day of the build, and who is late."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from tests.unit.test_rooms import readme_sources


def ask(built: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(built / "kido.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_the_readme_says_how_far_the_bundled_figures_reach(built: Path) -> None:
    reached = dict(ask(built, "select source, latest_period::varchar from catalog.sources"))
    said = {name: row["bundled to"] for name, row in readme_sources().items()}
    assert said.keys() == reached.keys()
    for name, period in said.items():
        assert (reached[name] or "–").startswith(period), name


def test_late_is_what_can_be_fetched_and_is_not_there(built: Path) -> None:
    """As of Wednesday 25 November 2026, without a network: by the usual days of each publisher."""
    assert ask(
        built,
        "select source, published_through::varchar, expected_period::varchar, days_late "
        "from catalog.sources where is_late order by source",
    ) == [
        # August is due on 10 September, nine days after it.
        ("comexstat", "2026-10-01", "2026-08-01", 76),
        # The rate of Monday 2 November, the first TARGET day after 30 October.
        ("ecb", "2026-11-24", "2026-11-02", 23),
        # July is due on 17 September, 47 days after it.
        ("hmrc", "2026-09-01", "2026-07-01", 69),
        # June is due on the fourth day after it, 5 July: a Sunday, so on Monday the 6th.
        ("pink_sheet", "2026-10-01", "2026-06-01", 142),
        # 2022: a year after it, the Monday from 1 January 2024 on.
        ("wgi", "2024-01-01", "2022-01-01", 1059),
    ]


def test_what_needs_a_person_is_old_since_a_day_and_not_late(built: Path) -> None:
    assert ask(
        built,
        "select source, expected_at::date::varchar from catalog.sources "
        "where not is_late and expected_at < '2026-11-25' order by source",
    ) == [
        # April's exports of China are published on 20 May in Beijing; known here are March's.
        ("china_customs_reported", "2026-05-21"),
        ("comtrade_baskets", "2026-07-01"),
        ("equity_indices", "2026-08-07"),
        ("rare_earth_indices", "2026-06-08"),
    ]


def test_the_page_marks_figures_older_than_the_newest_published(built: Path) -> None:
    assert ask(
        built,
        "select position, source, period, newer_period from catalog.answers "
        "where importer_iso3 = 'JPN' and newer_period is not null order by position",
    ) == [
        (1, "comtrade_baskets", "2024", "2025"),
        (2, "comtrade_baskets", "2024", "2025"),
        (10, "comtrade_baskets", "2024-01/2024-12", "2025"),
        (11, "hmrc", "2026-06", "2026-09"),
        (16, "equity_indices", "2025-06-30/2026-08-05", "2026-11-23"),
        (17, "ecb", "2026-10-30", "2026-11-24"),
    ]
    assert (
        "comtrade_baskets, vintage 2025-07-01; newer expected: 2025"
        in (built / "build.out").read_text()
    )


def test_a_build_names_what_is_late_in_one_line(built: Path) -> None:
    printed = (built / "build.out").read_text() + (built / "build.err").read_text()
    assert printed.count("published_period_is_held") == 0
    assert (
        "! A published period is missing: comexstat (76 days), ecb (23 days), hmrc (69 days), "
        "pink_sheet (142 days), wgi (1,059 days). kido fetch asks for it on the publisher's "
        "days. This blocks nothing"
    ) in printed
