"""A year of `kido fetch`, a day at a time, against publishers that publish by their calendars.

By day five weeks and four publishers. One is three days late with a month, one changes its layout
for a month, one revises a month of the year before. Every publication is landed once, on the day
after it (in Tokyo), and what is late is late on these days alone.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import ClassVar

import duckdb
import polars as pl
import pytest
import time_machine

from dagster_project.intake.conform import conform
from dagster_project.intake.due import last_moment
from dagster_project.intake.fetch import SourceFetch
from dagster_project.intake.land import land_bundled
from dagster_project.intake.stores import lake_of, landing_of
from dagster_project.lake.schemas import LAKE_TABLES
from dagster_project.market.calendars import session_days
from dagster_project.orchestration.execute import build_warehouse
from dagster_project.orchestration.lateness import lateness_by_frequency
from dagster_project.settings import BUNDLED, Settings
from dagster_project.sources.card import Source
from dagster_project.sources.registry import source_named
from tests.fakes import comexstat as brazil
from tests.fakes import hmrc as britain
from tests.fakes.ecb import FakeEcb
from tests.fakes.japan_customs import FakeJapanCustoms, Line, calendar_page
from tests.fakes.pink_sheet import FakePinkSheet, bundled_figures, workbook_of
from tests.fakes.price_publishers import FakeFred, FakeImf
from tests.fakes.sciencebase import FakeScienceBase, Item, edition_of_2027
from tests.fakes.server import FakePublisher, with_validator
from tests.fakes.wgi import FakeWgi, Score, by_code
from tests.nightly import is_night, nightly

FIRST, LAST = (
    (date(2027, 1, 1), date(2027, 12, 31)) if is_night() else (date(2027, 5, 1), date(2027, 6, 4))
)
"""By day the five weeks in which all three faults fall."""

BUILT_ON = (date(2027, 1, 4), date(2027, 5, 20), date(2027, 12, 31)) if is_night() else ()
"""Days with a whole build after the fetch; on the second one two publishers are late."""

RUN_AT = time(1, 30)
"""UTC: 10:30 in Tokyo, when the schedule `renew` runs."""

Month = tuple[int, int]


def following(month: Month, by: int = 1) -> Month:
    number = month[0] * 12 + month[1] - 1 + by
    return number // 12, number % 12 + 1


def months(first: Month, last: Month) -> list[Month]:
    listed = [first]
    while listed[-1] < last:
        listed.append(following(listed[-1]))
    return listed


def key(month: Month) -> str:
    return f"{month[0]}-{month[1]:02}"


def weekday_from(day: date) -> date:
    while day.weekday() > 4 or (day.month, day.day) == (1, 1):
        day += timedelta(days=1)
    return day


def second_weekday_after(month: Month) -> date:
    return weekday_from(weekday_from(date(*following(month), 1)) + timedelta(days=1))


@dataclass
class Publisher(ABC):
    """A stand-in, and what it publishes: `seen_on` is by publication the day of the first run that
    can see it.
    """

    name: ClassVar[str]
    server: FakePublisher
    seen_on: dict[str, date] = field(default_factory=dict)
    fails_before: ClassVar[bool] = False
    """Whether it answers with an error until it publishes for the first time."""

    @abstractmethod
    def publish(self, day: date) -> None:
        """Let the server have what is published by the run of a day."""

    @property
    def source(self) -> Source:
        return source_named(self.name)

    def is_out(self, publication: str, day: date) -> bool:
        return self.seen_on[publication] <= day


class Frankfurt(Publisher):
    """Rates of each day of TARGET, at 16:00: the run of the next day sees them."""

    name = "ecb"

    def __init__(self) -> None:
        super().__init__(FakeEcb())
        days = sorted(day for day in session_days("TARGET") if date(2026, 10, 26) <= day <= LAST)
        self.seen_on = {f"{day}": day + timedelta(days=1) for day in days}

    def publish(self, day: date) -> None:
        assert isinstance(self.server, FakeEcb)
        known = {row[0] for row in self.server.rows}
        new = [each for each in self.seen_on if self.is_out(each, day) and each not in known]
        for each in new:
            step = date.fromisoformat(each).toordinal() % 20 / 1000
            rates = (f"{1.1172 + step:.4f}", f"{175.68 + step:.2f}", "N/A", f"{7.4326 + step:.4f}")
            self.server.publish((each, *rates))


class London(Publisher):
    """A month on the first weekday from the 13th on, six weeks after it; March 2027 comes three
    days after it was due.
    """

    name = "hmrc"
    LATE = (2027, 3)

    def __init__(self) -> None:
        super().__init__(britain.FakeHmrc())
        for month in months((2025, 1), (2027, 10)):
            day = weekday_from(date(*following(month, 2), 13))
            if month == self.LATE:
                day = date(2027, 5, 18) + timedelta(days=3)
            self.seen_on[key(month)] = day + timedelta(days=1)

    def publish(self, day: date) -> None:
        assert isinstance(self.server, britain.FakeHmrc)
        self.server.rows = [
            britain.Trade(number, 3, 85051110, 720, 30_000.0 + number % 100, 600.0)
            for month in self.seen_on
            if self.is_out(month, day)
            for number in [int(month.replace("-", ""))]
        ]


class Brasilia(Publisher):
    """A month on the second weekday after it, and not before the third day, from which it is asked
    for. Files have a `Last-Modified`.
    """

    name = "comexstat"

    def __init__(self) -> None:
        super().__init__(brazil.FakeComexstat())
        self.server.always(with_validator("Last-Modified"))
        for month in months((2025, 1), (2027, 11)):
            published_on = max(second_weekday_after(month), date(*following(month), 3))
            self.seen_on[key(month)] = published_on + timedelta(days=1)

    def publish(self, day: date) -> None:
        assert isinstance(self.server, brazil.FakeComexstat)
        years: dict[tuple[str, int], list[brazil.Trade]] = {}
        for month in self.seen_on:
            if self.is_out(month, day):
                year, number = map(int, month.split("-"))
                years.setdefault(("EXP", year), [])
                years.setdefault(("IMP", year), []).append(
                    brazil.Trade(
                        number, "85051110", "160", 1_000 + number, 50_000 + number, 900, 70
                    )
                )
        self.server.years = years


class Tokyo(Publisher):
    """A month at 09:30 on the day that its calendar names: the first weekday from the 27th on. With
    April 2027 it revises September of the year before.
    """

    name = "japan_customs"
    REVISED, REVISED_WITH = (2026, 9), (2027, 4)
    NAMES = ("Jan.", "Feb.", "Mar.", "Apr.", "May", "Jun.", "Jul.", "Aug.", "Sep.", "Oct.", "Nov.",
             "Dec.")  # fmt: skip

    def __init__(self) -> None:
        super().__init__(FakeJapanCustoms())
        for month in months((2025, 1), (2027, 11)):
            self.seen_on[key(month)] = weekday_from(date(*following(month), 27))
        self.seen_on["revision"] = self.seen_on[key(self.REVISED_WITH)]
        assert isinstance(self.server, FakeJapanCustoms)
        self.server.calendar = calendar_page(
            (int(month[:4]), self.NAMES[int(month[5:]) - 1], f"{self.NAMES[day.month - 1]}{day.day}"
             + f",{day.year}" * (day.year != int(month[:4])))
            for month, day in self.seen_on.items()
            if month != "revision"
        )  # fmt: skip
        self._published: set[str] = set()

    def publish(self, day: date) -> None:
        assert isinstance(self.server, FakeJapanCustoms)
        out = {month for month in self.seen_on if self.is_out(month, day)}
        if out == self._published:
            return
        self._published = out
        for year in (2025, 2026, 2027):
            numbers = [number for number in range(1, 13) if key((year, number)) in out]
            amounts = {
                number: (0, 8_000 + number + self._more((year, number)), 90_000)
                for number in numbers
            }
            if numbers:
                stages = dict.fromkeys(numbers, "確報")
                self.server.publish("import", year, stages, [Line("280530010", "105", amounts)])
                self.server.publish("export", year, stages, [])

    def _more(self, month: Month) -> int:
        return 500 if month == self.REVISED and "revision" in self._published else 0


class Washington(Publisher):
    """A workbook on the second weekday after a month; that of April 2027 has copper in pounds."""

    name = "pink_sheet"
    BROKEN = (2027, 4)

    def __init__(self) -> None:
        super().__init__(FakePinkSheet())
        for month in months((2026, 6), (2027, 11)):
            self.seen_on[key(month)] = second_weekday_after(month) + timedelta(days=1)
        self._newest = ""

    def publish(self, day: date) -> None:
        assert isinstance(self.server, FakePinkSheet)
        out = [month for month in self.seen_on if self.is_out(month, day)]
        if out[-1] == self._newest:
            return
        self._newest = out[-1]
        figures = dict(bundled_figures())
        last = figures[max(figures)]
        for number, month in enumerate(out):
            figures[month] = {name: close * (1 + number / 200) for name, close in last.items()}
        is_broken = self._newest == key(self.BROKEN)
        payload = workbook_of(figures, COPPER="($/lb)" if is_broken else "($/mt)")
        self.server.documents = {self.server.link: payload}


class WorldBank(Publisher):
    """The governance of a year on 24 September of the next; that of 2025 is there."""

    name = "wgi"

    def __init__(self) -> None:
        super().__init__(FakeWgi())
        self.seen_on = {"2025": date(2026, 9, 25), "2026": date(2027, 9, 25)}
        bundled = pl.read_csv(BUNDLED / "wgi" / "estimates.csv").filter(pl.col("year") == 2021)
        self._scores = dict(bundled.select("economy_iso3", "rule_of_law").drop_nulls().iter_rows())

    def publish(self, day: date) -> None:
        assert isinstance(self.server, FakeWgi)
        newest = max(year for year in self.seen_on if self.is_out(year, day))
        self.server.scores = by_code(
            Score(code, code, year, round(score + (year - 1996) / 100, 3))
            for code, score in self._scores.items()
            for year in (1996, 1998, 2000, *range(2002, int(newest) + 1))
        )


class Reston(Publisher):
    """The edition of 2027 on 29 January; until then the search finds none that is fetched."""

    name = "usgs_mcs"
    fails_before = True

    def __init__(self) -> None:
        super().__init__(FakeScienceBase())
        self.seen_on = {"2027": date(2027, 1, 30)}

    def publish(self, day: date) -> None:
        assert isinstance(self.server, FakeScienceBase)
        if self.is_out("2027", day) and not self.server.items:
            title = "U.S. Geological Survey Mineral Commodity Summaries 2027 Data Release"
            table = {"MCS2027_Commodities_Data.csv": edition_of_2027()}
            self.server.items = [Item("2027", title, children=[Item("2027a", "Data", table)])]


class FederalReserve(Publisher):
    """The weekdays of a week on the Monday after it."""

    name = "fred"

    def __init__(self) -> None:
        super().__init__(FakeFred())
        weekdays = [date(2026, 1, 5) + timedelta(days=number) for number in range(730)]
        self._monday_after = {
            day: day + timedelta(days=7 - day.weekday()) for day in weekdays if day.weekday() < 5
        }
        mondays = {monday for monday in self._monday_after.values() if monday <= LAST}
        self.seen_on = {f"{monday}": monday + timedelta(days=1) for monday in mondays}

    def publish(self, day: date) -> None:
        assert isinstance(self.server, FakeFred)
        self.server.rates = {
            f"{each}": f"{156 + each.toordinal() % 9 / 100:.2f}"
            for each, monday in self._monday_after.items()
            if monday < day
        }


class MonetaryFund(Publisher):
    """A month on the first weekday from the 12th of the next on, in five series."""

    name = "imf_pcps"
    SERIES = ("PCOBA", "PLITH", "PLMMODY", "PNICK", "PREODOM")

    def __init__(self) -> None:
        super().__init__(FakeImf())
        for month in months((2025, 1), (2027, 11)):
            self.seen_on[key(month)] = weekday_from(date(*following(month), 12)) + timedelta(days=1)

    def publish(self, day: date) -> None:
        assert isinstance(self.server, FakeImf)
        prices: dict[str, str | None] = {
            month.replace("-", "-M"): f"{4_000 + number}"
            for number, month in enumerate(self.seen_on)
            if self.is_out(month, day)
        }
        self.server.series = dict.fromkeys(self.SERIES, prices)


PUBLISHERS = (
    Frankfurt, London, Tokyo, Washington,
    *((Brasilia, WorldBank, Reston, FederalReserve, MonetaryFund) if is_night() else ()),
)  # fmt: skip
"""By day the three with a fault, and one that publishes each day."""

CUSTOMS = [each.name for each in PUBLISHERS if each in (London, Brasilia, Tokyo)]


@dataclass
class Year:
    """What happened: by source, each landed publication with its day, and the days late."""

    publishers: Mapping[str, Publisher]
    landed: dict[str, list[tuple[date, str]]]
    late: dict[str, dict[date, int]]
    settings: Settings
    late_in_build: dict[date, dict[str, int]] = field(default_factory=dict)
    """By day of a whole build: the days late in `catalog.sources`."""


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Year]:
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for name in [name for name in os.environ if name.startswith(("KIDO_", "DAGSTER_"))]:
            patch.delenv(name)
        patch.setenv("KIDO_RETRY_AFTER_S", "0")
        patch.setenv("KIDO_HOME", str(tmp_path_factory.mktemp("year") / "home"))
        publishers = {each.name: each() for each in PUBLISHERS}
        for name, publisher in publishers.items():
            stack.enter_context(publisher.server)
            patch.setenv(f"KIDO_{name.upper()}_URL", publisher.server.base_url)
            patch.setenv(f"KIDO_{name.upper()}_ENABLED", "true")
        yield run_year(publishers)


def run_year(publishers: Mapping[str, Publisher]) -> Year:
    outcome = Year(publishers, {}, {}, Settings.load())
    day = FIRST
    while day <= LAST:
        with time_machine.travel(datetime.combine(day, RUN_AT, UTC), tick=False) as clock:
            settings = Settings.load()
            for name, publisher in publishers.items():
                publisher.publish(day)
                if day == FIRST:
                    land_bundled(settings, publisher.source)
                    conform(settings, publisher.source)
                outcome.landed.setdefault(name, []).extend(
                    (day, each) for each in fetch(settings, publisher.source, clock)
                )
                lake, landing = lake_of(settings), landing_of(settings)
                (late,) = lateness_by_frequency(settings, publisher.source, lake, landing)
                if late.days_late:
                    outcome.late.setdefault(name, {})[day] = late.days_late
        if day in BUILT_ON:
            outcome.late_in_build[day] = build(day)
        day += timedelta(days=1)
    return outcome


def build(day: date) -> dict[str, int]:
    """Build and publish on a day; the days late that readers see, by source."""
    with time_machine.travel(datetime.combine(day, RUN_AT, UTC)):
        settings = Settings.load()
        assert build_warehouse(settings) is not None
        with duckdb.connect(str(settings.published_file), read_only=True) as connection:
            late = "select source, days_late from catalog.sources where is_late"
            return dict(connection.execute(late).fetchall())


def fetch(settings: Settings, source: Source, clock: time_machine.Coordinates) -> list[str]:
    """Fetch what is due, as `kido fetch` does; what was landed. A wait moves the clock."""
    fetching = SourceFetch(settings, source, is_patient=False)
    with fetching.lock():
        report = fetching.run(fetching.plan_due(), sleep=clock.shift)
    if report.new_snapshots:
        conform(settings, source)
    return [result.name for result in report.settled if result.outcome == "new"]


def news(publisher: Publisher) -> list[tuple[date, str]]:
    """What is published after the first day, with the day on which a run can first see it."""
    return sorted(
        (day, publication) for publication, day in publisher.seen_on.items() if FIRST < day <= LAST
    )


@pytest.mark.parametrize("name", CUSTOMS)
def test_each_month_of_customs_is_landed_once_on_its_day(year: Year, name: str) -> None:
    revised = key(Tokyo.REVISED)
    expected = [
        (day, revised if publication == "revision" else publication)
        for day, publication in news(year.publishers[name])
    ]
    expected += no_longer_provisional(year.publishers[name])
    landed = [each for each in year.landed[name] if each[0] > FIRST and len(each[1]) == 7]
    assert sorted(landed) == sorted(expected)


def no_longer_provisional(publisher: Publisher) -> list[tuple[date, str]]:
    """Months that are landed once more, as final: Britain's after 20 months, Brazil's in April."""
    firsts = [date(2027, month, 1) for month in range(1, 13)]
    firsts = [day for day in firsts if FIRST < day <= LAST]
    if publisher.name == "hmrc":
        final = [(day, following((day.year, day.month), -20)) for day in firsts]
    elif publisher.name == "comexstat":
        final = [
            (day, (2026, number)) for day in firsts if day.month == 4 for number in range(1, 13)
        ]
    else:
        final = []
    landed = [(polled(publisher, day), key(month)) for day, month in final]
    return [each for each in landed if each[0] <= LAST]


@pytest.mark.parametrize("name", [each.name for each in PUBLISHERS if each.name not in CUSTOMS])
def test_each_edition_of_a_document_is_landed_once_on_its_day(year: Year, name: str) -> None:
    publisher = year.publishers[name]
    # The edition that is in another unit is not landed; its month comes with the next one.
    expected = [day for day, month in news(publisher) if (name, month) != BROKEN_EDITION]
    landed = [day for day, _ in year.landed[name] if day > FIRST]
    documents = len(MonetaryFund.SERIES) if name == "imf_pcps" else 1
    assert landed == [polled(publisher, day) for day in expected for _ in range(documents)]


BROKEN_EDITION = ("pink_sheet", key(Washington.BROKEN))


def polled(publisher: Publisher, day: date) -> date:
    """The first run from a day on that asks the publisher, by its card's calendar.

    One that failed until then is asked each day.
    """
    if publisher.fails_before:
        return day
    calendar = publisher.source.CARD.calendar
    assert calendar is not None
    while last_moment(calendar, datetime.combine(day, RUN_AT)) < datetime.combine(
        day - timedelta(days=1), RUN_AT
    ):
        day += timedelta(days=1)
    return day


def test_what_is_late_is_late_on_these_days_alone(year: Year) -> None:
    """By source and day: the days since the first missing period was due."""

    def counted_from(due: date, until: date) -> dict[date, int]:
        days = range(1, (until - due).days + 1)
        return {due + timedelta(days=number): number for number in days}

    assert year.late == {
        # March was due on Tuesday 18 May, and published on the 21st after the run of that day.
        "hmrc": counted_from(date(2027, 5, 18), date(2027, 5, 21)),
        # April was due on Wednesday 5 May; it came with May's edition, seen on 3 June.
        "pink_sheet": counted_from(date(2027, 5, 5), date(2027, 6, 2)),
    }


@nightly
def test_a_whole_build_publishes_what_is_late_on_its_day(year: Year) -> None:
    assert year.late_in_build == {
        day: {source: late[day] for source, late in year.late.items() if day in late}
        for day in BUILT_ON
    }


def test_no_publisher_is_asked_more_than_it_allows(year: Year) -> None:
    for name, publisher in year.publishers.items():
        limits = publisher.source.CARD.limits
        calls = [request.at for request in publisher.server.requests]
        assert calls, name
        in_a_minute = max(bisect_left(calls, at + 60) - place for place, at in enumerate(calls))
        in_a_day = max(Counter(datetime.fromtimestamp(at, UTC).date() for at in calls).values())
        assert in_a_minute <= (limits.calls_a_minute or in_a_minute), name
        assert in_a_day <= (limits.calls_a_day or in_a_day), name


def test_the_edition_that_changed_is_in_quarantine_with_the_reason(year: Year) -> None:
    (folder,) = (year.settings.quarantine_dir / "pink_sheet").iterdir()
    reason = (folder / "reason.txt").read_text("utf8")
    assert "'Copper' is in '($/lb)', not in '($/mt)'" in reason
    lake = lake_of(year.settings).rows(LAKE_TABLES["price_quotes"], "pink_sheet")
    assert lake is not None
    copper = lake.filter(pl.col("instrument") == "COPPER").collect()
    assert copper["unit"].unique().to_list() == ["USD per t"]


def test_the_month_that_was_revised_has_its_new_weight(year: Year) -> None:
    rows = lake_of(year.settings).rows(LAKE_TABLES["national_trade"], "japan_customs")
    assert rows is not None
    september = (
        rows.filter(
            pl.col("period_start") == date(*Tokyo.REVISED, 1), pl.col("partner_iso3") == "CHN"
        )
        .sort("vintage_at")
        .collect()
    )
    assert september["net_weight_kg"].to_list() == [8_009.0, 8_509.0]
