"""A slip is stopped by name or brings what the honest file brings; an honest revision goes through.

Each file is landed as `kido land` lands it, beside figures that are known: a sample of those that
come with the project, and an answer of UN Comtrade.
"""

from __future__ import annotations

import random
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache, cached_property
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from dagster_project.errors import KidoError
from dagster_project.intake import compare
from dagster_project.intake import fetch as fetching
from dagster_project.intake.conform import conform
from dagster_project.intake.fetch import FetchReport, SourceFetch
from dagster_project.intake.land import land_files
from dagster_project.intake.landing_report import LandingReport
from dagster_project.intake.stores import lake_of
from dagster_project.lake.schemas import LAKE_TABLES
from dagster_project.lake.vintages import current_rows
from dagster_project.settings import BUNDLED, Settings
from dagster_project.sources.card import Window
from dagster_project.sources.registry import source_named, source_names
from tests.conftest import SHARED, needs_shared
from tests.fakes.comtrade import WORLD, FakeComtrade, Flow, flows_for
from tests.integration.marts import OF_TRADE, Marts
from tests.integration.slips import CASES_OF_EDITIONS, LAYOUTS, Case, Counts, Slip, case_of
from tests.integration.slips_of_lists import CASES as CASES_OF_LISTS
from tests.nightly import is_night, nightly

BEFORE = date(2026, 6, 30)
"""Day on which the known figures were retrieved."""

AS_HONEST, LESS, NOT_SEEN = "as the honest file", "a part of the honest file", "not to be seen"
LANDS = ("", AS_HONEST, LESS, NOT_SEEN)
"""What may become of a slip that lands: the rows of the honest file; some of them, where nobody can
see that more belong to them; and others, where `why_not_seen` says why."""

FIGURES_OF_TRADE = tuple(name for name in OF_TRADE if not name.startswith("catalog."))

LANDED: Mapping[str, Mapping[tuple[str, str], int]] = {
    "baci/flows_hs1992_2015_2024.parquet": {
        ("partner dropped", LESS): 1,
        ("year dropped", AS_HONEST): 1,
    },
    "baci_top_flows/top_flows_2002_2024.csv": {
        ("partner dropped", LESS): 2,
        ("year dropped", AS_HONEST): 1,
    },
    "china_customs_reported/exports.csv": {
        ("country renamed", NOT_SEEN): 2,
        ("file cut", AS_HONEST): 1,
        ("file cut", LESS): 1,
        ("partner dropped", LESS): 2,
        ("year dropped", AS_HONEST): 1,
    },
    "comexstat/monthly_flows.csv": {
        ("country renamed", NOT_SEEN): 1,
        ("partner dropped", LESS): 1,
        ("year dropped", AS_HONEST): 1,
    },
    "comtrade_baskets/rare_earths.csv": {
        ("country renamed", NOT_SEEN): 2,
        ("file cut", AS_HONEST): 2,
        ("file cut", LESS): 1,
        ("partner dropped", LESS): 4,
        ("partner dropped", AS_HONEST): 1,
        ("year dropped", AS_HONEST): 1,
    },
    "comtrade_baskets/china_exports_monthly.csv": {
        ("country renamed", NOT_SEEN): 1,
        ("partner dropped", LESS): 1,
        ("year dropped", AS_HONEST): 1,
    },
    "ec_crm/end_uses.csv": {("file cut", AS_HONEST): 2},
    "ec_crm/assessments.csv": {("file cut", AS_HONEST): 2, ("year dropped", AS_HONEST): 1},
    "ecb/reference_rates.csv": {
        ("column blank", AS_HONEST): 1,
        ("column blank", LESS): 1,
        ("file cut", AS_HONEST): 2,
        ("period of zeros", AS_HONEST): 1,
        ("year dropped", AS_HONEST): 1,
    },
    "crc_handbook/abundance.csv": {("half dropped", AS_HONEST): 1},
    "equity_indices/equity_indices.csv": {
        ("file cut", AS_HONEST): 2,
        ("year dropped", AS_HONEST): 1,
    },
    "hmrc/monthly_flows.csv": {("year dropped", AS_HONEST): 1},
    "pink_sheet/monthly_prices.csv": {
        ("columns swapped", NOT_SEEN): 2,
        ("file cut", AS_HONEST): 2,
        ("period of zeros", AS_HONEST): 1,
    },
    "rare_earth_indices/monthly_indices.csv": {
        ("file cut", AS_HONEST): 2,
        ("year dropped", AS_HONEST): 1,
    },
    "rudnick_gao/abundance.csv": {("half dropped", AS_HONEST): 1},
    "usgs_ds140/rare_earths.csv": {("last year's file", NOT_SEEN): 1},
    "usgs_mcs/prices_2026.csv": {("file cut", AS_HONEST): 2, ("year dropped", AS_HONEST): 1},
    "usgs_mcs/mcs_2026.csv": {
        ("last year's file", AS_HONEST): 1,
        ("year dropped", AS_HONEST): 1,
    },
    "wgi/estimates.csv": {
        ("column blank", AS_HONEST): 1,
        ("column blank", LESS): 1,
        ("columns swapped", NOT_SEEN): 1,
        ("file cut", AS_HONEST): 2,
        ("partner dropped", AS_HONEST): 1,
        ("year dropped", AS_HONEST): 1,
    },
    "comtrade/answer.json": {("file doubled", AS_HONEST): 1, ("year dropped", AS_HONEST): 1},
}
"""How many slips of which kind land, by file: another one that does is to be looked at."""

CASES: Mapping[str, Callable[[], Case]] = {
    **{str(layout): (lambda layout=layout: case_of(layout)) for layout in LAYOUTS},
    **CASES_OF_EDITIONS,
    **CASES_OF_LISTS,
}
Rows = Mapping[str, pl.DataFrame]


class Home:
    """A home in which a file is landed; each attempt to land another begins from there."""

    def __init__(self, root: Path, case: Case) -> None:
        self._source = source_named(case.source)
        self.slips = case.slips
        self._template, self._home, self._files = root / "known", root / "home", root / "files"
        self._files.mkdir()
        land(self._template, case.source, self._write(case.file, case.known), BEFORE)
        shutil.copytree(self._template, self._home)
        self._bytes = held(self._home)
        self._honest: dict[tuple[str, bytes], Rows] = {}
        self.known = self.rows()

    def _write(self, name: str, payload: bytes) -> Path:
        path = self._files / name
        path.write_bytes(payload)
        return path

    def rows(self) -> Rows:
        """The rows that count, without those columns that say how they came."""
        lake, today = lake_of(Settings.load(home=self._home)), datetime.now(UTC).date()
        found = {}
        for name in self._source.CARD.tables:
            table = LAKE_TABLES[name]
            rows = lake.rows(table, self._source.CARD.name)
            if rows is not None:
                counting = current_rows(table, table.conform(rows.collect()), today)
                found[name] = counting.drop("document", "vintage_at", "snapshot_id")
        return found

    def land(self, name: str, payload: bytes) -> LandingReport:
        return land(self._home, self._source.CARD.name, self._write(name, payload))

    @cached_property
    def outcomes(self) -> Mapping[Slip, str]:
        """What became of each slip (`outcome`), by day of the first of each kind."""
        slips = self.slips if is_night() else first_of_each_kind(self.slips)
        return {slip: outcome(self, slip) for slip in slips}

    def is_as_before(self) -> bool:
        return held(self._home) == self._bytes

    def changed(self, now: Rows) -> list[str]:
        """Tables in which a row that was known is not there as it was."""
        return [name for name, rows in self.known.items() if not_in(rows, now[name]).height]

    def added(self, now: Rows) -> Rows:
        return {name: not_in(rows, self.known[name]) for name, rows in now.items()}

    def brought_by(self, honest: tuple[str, bytes] | None) -> Rows:
        """The rows that an honest file adds to those that are known; none where it is the known."""
        if honest is None:
            return {name: rows.clear() for name, rows in self.known.items()}
        if honest not in self._honest:
            self.land(*honest)
            self._honest[honest] = self.added(self.rows())
            self.undo()
        return self._honest[honest]

    def is_of_new_periods(self, now: Rows) -> bool:
        """Whether what is not known is of periods of which nothing was."""
        for name, rows in self.added(now).items():
            period = LAKE_TABLES[name].period
            known = self.known[name]
            if rows.height and (
                period is None or rows[period].is_in(known[period].implode()).any()
            ):
                return False
        return True

    def published(self, marts: Marts) -> Rows:
        """What would be published of trade, without what is new and how it came."""
        found = marts(Settings.load(home=self._home), self._source, FIGURES_OF_TRADE)
        first_new = date(2025, 1, 1)
        return {
            name: rows.filter(pl.col("period_start") < first_new) for name, rows in found.items()
        }

    def undo(self) -> None:
        shutil.rmtree(self._home)
        shutil.copytree(self._template, self._home)


def first_of_each_kind(slips: Sequence[Slip]) -> list[Slip]:
    return list({slip.kind: slip for slip in reversed(slips)}.values())


def land(home: Path, source: str, file: Path, retrieved: date | None = None) -> LandingReport:
    return land_files(Settings.load(home=home), source_named(source), [file], retrieved)


def not_in(rows: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    return rows.join(others, on=rows.columns, how="anti", nulls_equal=True)


def held(home: Path) -> dict[str, bytes]:
    return {
        path.relative_to(home).as_posix(): path.read_bytes()
        for path in home.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module", autouse=True)
def only_what_was_landed_is_known() -> Iterator[None]:
    """The files here are parts of the bundled figures, or editions before them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compare, "bundled_files", lambda source: [])
        yield


@pytest.fixture(scope="module")
def home_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Home]:
    """The home of a file by its name, made once."""
    return cache(lambda file: Home(tmp_path_factory.mktemp("home"), CASES[file]()))


BY_DAY = (
    "baci/flows_2024.csv", "comtrade/answer.json", "ec_crm/assessments.csv",
    "usgs_mcs/mcs_2026.csv", "catalogue/measures.yaml",
)  # fmt: skip
"""One file of each layout, with a slip of each kind; the others are left to the night."""


@pytest.fixture(
    scope="module",
    params=[name if name in BY_DAY else pytest.param(name, marks=nightly) for name in CASES],
)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def case(name: str) -> Case:
    return CASES[name]()


@pytest.fixture(scope="module")
def home(name: str, home_of: Callable[[str], Home]) -> Home:
    return home_of(name)


def test_a_slip_is_stopped_by_name_or_brings_what_the_honest_file_brings(
    name: str, home: Home
) -> None:
    wrong = [f"{slip}: {found}" for slip, found in home.outcomes.items() if found not in LANDS]
    assert not wrong, "\n".join(wrong)
    landed = Counter((slip.kind, found) for slip, found in home.outcomes.items() if found)
    if is_night():
        assert landed == LANDED.get(name, {})
    assert landed.keys() <= LANDED.get(name, {}).keys()


def outcome(home: Home, slip: Slip) -> str:
    """What became of a slip: empty where it is stopped by name, one of LANDS where it may land,
    and else what is wrong with it.
    """
    try:
        home.land(slip.file, slip.payload)
    except KidoError as error:
        if not home.is_as_before():
            return f"refused, and something was written ({error})"
        return "" if any(re.search(word, str(error)) for word in slip.words) else str(error)
    now = home.rows()
    home.undo()
    if changed := home.changed(now):
        return f"landed and changed {changed}"
    added, honest = home.added(now), home.brought_by(slip.honest)
    if wrong := [name for name, rows in added.items() if not_in(rows, honest[name]).height]:
        is_of_new = home.is_of_new_periods(now)
        return NOT_SEEN if slip.why_not_seen and is_of_new else f"landed with wrong rows of {wrong}"
    is_all = all(rows.height == honest[name].height for name, rows in added.items())
    return AS_HONEST if is_all else LESS


@pytest.mark.parametrize(
    "file",
    [
        "comtrade_baskets/rare_earths.csv",
        pytest.param("comtrade_baskets/china_exports_monthly.csv", marks=nightly),
    ],
)
def test_a_slip_that_lands_in_part_or_unseen_changes_no_published_figure(
    home_of: Callable[[str], Home], marts: Marts, file: str
) -> None:
    """One of each kind: of what lands of the other files, too, all rows are of new periods."""
    home = home_of(file)
    before = home.published(marts)
    assert before["trade.reported_flows"].height
    expected = {(kind, became) for kind, became in LANDED[file] if became in (LESS, NOT_SEEN)}
    unseen: dict[tuple[str, str], Slip] = {}
    kinds = {kind for kind, _ in expected}
    for slip in (slip for slip in home.slips if slip.kind in kinds):
        unseen.setdefault((slip.kind, outcome(home, slip)), slip)
        if unseen.keys() >= expected:
            break
    assert unseen.keys() >= expected
    for slip in (unseen[key] for key in sorted(expected)):
        home.land(slip.file, slip.payload)
        after = home.published(marts)
        home.undo()
        for name, rows in before.items():
            assert_frame_equal(after[name], rows)


def test_an_honest_revision_goes_through_and_reports_what_it_does(case: Case, home: Home) -> None:
    for revision in case.honest:
        try:
            report = home.land(revision.file, revision.payload)
        except KidoError as error:
            pytest.fail(f"{revision}: {error}")
        home.undo()
        assert report.is_new, revision
        assert not any(report.quarantined.values()), revision
        counted = {
            one.table: Counts(one.added, one.unchanged, one.changed, one.removed)
            for one in report.revisions
        }
        for table, counts in revision.counts.items():
            assert counted[table] == counts, revision
        for one in report.revisions:
            assert one.objections == (), revision
            lines = 1 + bool(one.groups) + len(one.changes)
            assert sum("Warning: " not in line for line in one.lines()) == lines <= 6, revision


WITHOUT_A_LAYOUT = {
    "usgs_myb": "an edition has five years of every economy and a world total that is their sum: "
    "any other file is rejected by its own tests, honest revisions of one figure too",
    "japan_customs": "a file is read with the page of its month, and its years with their months: "
    "what goes wrong with its answers is played in test_misbehaving_customs",
    "comext": "its answers are fetched by product and reporter and no file is offered: what goes "
    "wrong with them is played in test_misbehaving_customs",
    **dict.fromkeys(
        ("alphavantage", "fred", "imf_pcps", "yahoo"),
        "nothing of it is bundled to make slips from: what goes wrong with its answers is played "
        "in test_misbehaving_price_publishers",
    ),
    **dict.fromkeys(
        ("federal_register", "mofcom"),
        "it has no figures: what goes wrong with its answers is played in test_notices_fetched",
    ),
    **dict.fromkeys(
        ("gta", "screening_list", "oecd_restrictions"),
        "nothing of it is bundled to make slips from, and its rows are texts: what goes wrong with "
        "them is played in test_private_notices",
    ),
    **dict.fromkeys(
        ("rare_earth_prices", "exchange_prices"),
        "nothing of it is bundled to make slips from: each wrong cell is in test_price_files",
    ),
    "scenarios": "its figures are assumptions, and any share or month is right: what is impossible "
    "is in test_scenarios",
}
"""Sources whose files have no slips, and why."""


@nightly
def test_there_are_200_slips_and_40_honest_revisions_of_all_sources() -> None:
    cases = [make() for make in CASES.values()]
    assert {case.source for case in cases} == set(source_names()) - WITHOUT_A_LAYOUT.keys()
    kinds = Counter(slip.kind for case in cases for slip in case.slips)
    assert kinds.keys() == {
        "units", "column shifted", "columns swapped", "column zeroed", "column blank",
        "sign turned", "years moved", "file doubled", "file cut", "period of zeros",
        "partner dropped", "year dropped", "country renamed", "last year's file", "half dropped",
        "one series in another unit",
    }  # fmt: skip
    assert all(count >= 5 for count in kinds.values())
    assert kinds.total() >= 200
    assert sum(len(case.honest) for case in cases) >= 40
    for case in cases:
        payloads = [one.payload for one in (*case.slips, *case.honest)]
        assert case.known not in payloads
        assert len({(one.payload, one.file) for one in (*case.slips, *case.honest)}) == len(
            payloads
        )


# What a publisher sends


COMTRADE = source_named("comtrade")
CODES = ("280530", "284610")


class Publisher:
    """UN Comtrade, asked for Japan's and the United States' trade in two codes."""

    def __init__(self, server: FakeComtrade, settings: Settings) -> None:
        self.server, self.settings = server, settings

    def ask(self, *windows: Window) -> FetchReport:
        one = SourceFetch(self.settings, COMTRADE)
        with one.lock():
            fetched = one.run(one.plan_windows(windows, again=True), sleep=lambda seconds: None)
        conform(self.settings, COMTRADE)
        return fetched

    def figures(self) -> pl.DataFrame:
        """The rows that count, of all that were answered."""
        table = LAKE_TABLES["trade_flows"]
        rows = lake_of(self.settings).rows(table, "comtrade")
        assert rows is not None
        return current_rows(table, table.conform(rows.collect()), datetime.now(UTC).date())


@pytest.fixture
def publisher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    scope_of = fetching.scope_of
    monkeypatch.setattr(
        fetching, "scope_of", lambda *given: replace(scope_of(*given), commodity_codes=CODES)
    )
    with FakeComtrade(key="secret") as server:
        for name, value in {
            "COMTRADE_URL": server.root, "COMTRADE_KEY": "secret", "COMTRADE_REPORTERS": "JPN,USA",
            "COMTRADE_CALLS_PER_MINUTE": "60000",
        }.items():  # fmt: skip
            monkeypatch.setenv(f"KIDO_{name}", value)
        yield Publisher(server, Settings.load(home=tmp_path / "home"))


def flows_of(periods: Sequence[str]) -> list[Flow]:
    return flows_for([392, 842], [156, 704, 699, 276], CODES, periods, gaps=0)


def test_a_slip_in_an_answer_is_quarantined_and_the_last_good_figures_stay(
    publisher: Publisher,
) -> None:
    server, settings = publisher.server, publisher.settings
    server.flows = world = flows_of(["2022", "2023"])
    years = [Window("A", date(year, 1, 1)) for year in (2022, 2023)]
    assert publisher.ask(*years).answer == "ok"
    before = publisher.figures()
    assert before.height == len(world)
    server.revise(lambda flow: replace(flow, weight=(flow.weight or 0) / 1000))
    slipped = publisher.ask(*years)
    assert slipped.answer == "rejected"
    assert slipped.revisions == {}
    assert "net_weight_kg is a thousandth of what is known for 64 of 64 figures: tonnes?" in (
        slipped.reason
    )
    assert_frame_equal(publisher.figures(), before)
    (folder,) = (settings.quarantine_dir / "comtrade").iterdir()
    assert "a thousandth of what is known" in (folder / "reason.txt").read_text("utf8")
    (answer,) = (one for one in folder.iterdir() if one.name != "reason.txt")
    assert slipped.reason.endswith(
        f"If it is right, in {folder}: kido land comtrade {answer.name} --replace."
    )
    server.revise(lambda flow: replace(flow, weight=(flow.weight or 0) * 1000))
    assert publisher.ask(*years).answer == "ok"
    # The same answer, brought by somebody who insists.
    with pytest.raises(KidoError, match="a thousandth of"):
        land_files(settings, COMTRADE, [answer])
    taken = land_files(settings, COMTRADE, [answer], replace_all=True)
    assert taken.revisions[0].changed == len(world)


def test_all_parts_of_a_quarantined_answer_are_named_and_landed_at_once(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIDO_COMTRADE_ROWS_PER_CALL", "12")
    several = Publisher(publisher.server, Settings.load(home=publisher.settings.home))
    several.server.flows = world = flows_of(["2023"])
    year = Window("A", date(2023, 1, 1))
    several.ask(year)
    several.server.revise(lambda flow: replace(flow, value=flow.value * 1000))
    reason = several.ask(year).reason
    (folder,) = (several.settings.quarantine_dir / "comtrade").iterdir()
    parts = sorted(one for one in folder.iterdir() if one.name != "reason.txt")
    assert len(parts) > 3
    assert reason.endswith(
        f"If it is right, in {folder}: kido land comtrade {parts[0].name} ... {parts[-1].name} "
        f"--replace (all {len(parts)} parts at once)."
    )
    report = land_files(several.settings, COMTRADE, parts, replace_all=True)
    assert sum(one.changed for one in report.revisions) == len(world)


def test_a_code_that_an_answer_lacks_is_a_loss_of_all_its_rows(publisher: Publisher) -> None:
    """Asked for again, what is not there beside others of its reporter, flow and year is gone."""
    server = publisher.server
    server.flows = flows_of(["2022", "2023"])
    years = [Window("A", date(year, 1, 1)) for year in (2022, 2023)]
    publisher.ask(*years)
    before = publisher.figures()
    server.withdraw(code=CODES[0], period="2023")
    fetched = publisher.ask(*years)
    assert fetched.answer == "rejected"
    assert (
        f"It would replace 8 rows of export {CODES[0]} 2023 (USD 56.6 m) by 0 (USD 0)."
        in fetched.reason
    )
    assert_frame_equal(publisher.figures(), before)
    # Who lands what it holds has seen what it lacks: the next answer is no surprise.
    (folder,) = (publisher.settings.quarantine_dir / "comtrade").iterdir()
    parts = [one for one in folder.iterdir() if one.name != "reason.txt"]
    land_files(publisher.settings, COMTRADE, parts, replace_all=True)
    conform(publisher.settings, COMTRADE)
    server.revise(lambda flow: replace(flow, value=flow.value * 0.9), flow="M", reporter=392)
    assert publisher.ask(*years).answer == "ok"
    # An answer without any row of the year means that nothing of it is published.
    server.withdraw(period="2023")
    assert publisher.ask(*years).answer == "ok"


def test_a_code_of_two_small_flows_ends_without_an_objection_and_is_removed_once(
    publisher: Publisher,
) -> None:
    server = publisher.server
    world = flows_of(["2022", "2023"])
    tiny = [
        replace(one, value=100.0, weight=2.0)
        for one in world
        if one.code == CODES[0] and one.partner in (156, WORLD) and one.slice[:2] == (392, "M")
    ]
    server.flows = [*(one for one in world if one.code != CODES[0]), *tiny]
    years = [Window("A", date(year, 1, 1)) for year in (2022, 2023)]
    publisher.ask(*years)
    server.withdraw(code=CODES[0], period="2023")

    def asked() -> list[Counts]:
        fetched = publisher.ask(*years)
        assert fetched.answer == "ok"
        return [
            Counts(one.added, one.unchanged, one.changed, one.removed)
            for each in fetched.revisions.values()
            for one in each
        ]

    assert asked() == [Counts(0, len(server.flows), 0, removed=2)]
    rng = random.Random("revised")
    server.revise(
        lambda flow: replace(flow, value=flow.value * rng.uniform(0.8, 0.95)),
        code=CODES[1],
        flow="M",
    )
    changed = sum((one.code, one.flow) == (CODES[1], "M") for one in server.flows)
    assert asked() == [Counts(0, len(server.flows) - changed, changed, removed=0)]


MONTHS = [f"2024{month:02}" for month in range(1, 13)]


def test_what_a_live_publisher_revises_passes_without_quarantine(publisher: Publisher) -> None:
    server = publisher.server
    server.flows = world = flows_of(MONTHS)
    windows = {month: Window("M", date(2024, int(month[4:]), 1)) for month in MONTHS}
    assert [one.outcome for one in publisher.ask(*windows.values()).settled] == 12 * ["new"]
    assert publisher.figures().height == len(world)

    def again(*months: str) -> tuple[Counts, Mapping[str, int]]:
        """What an answer to the question for some months does, and how many figures it changes."""
        fetched = publisher.ask(*(windows[month] for month in months))
        assert fetched.answer == "ok"
        assert {one.outcome for one in fetched.settled} == {"new"}
        revisions = [one for each in fetched.revisions.values() for one in each]
        changed: Counter[str] = Counter()
        for one in revisions:
            assert one.objections == ()
            changed.update({change.measure: change.whole.changed for change in one.changes})
        counts = Counts(*map(sum, zip(*(
            (one.added, one.unchanged, one.changed, one.removed) for one in revisions
        ), strict=True)))  # fmt: skip
        return counts, changed

    def rows(*months: str) -> int:
        return sum(flow.period in months for flow in server.flows)

    # Three months are revised: the imports of one reporter and code, and with them their totals.
    rng, revised = random.Random("revised"), ("202402", "202405", "202411")
    touched = 0
    for month in revised:
        of = {"period": month, "reporter": 392, "flow": "M", "code": CODES[0]}
        server.revise(lambda flow: replace(flow, value=flow.value * rng.uniform(0.8, 0.95)), **of)
        touched += sum(
            (one.period, one.reporter, one.flow, one.code) == tuple(of.values())
            for one in server.flows
        )
    assert again(*revised) == (
        Counts(0, rows(*revised) - touched, touched, 0), {"value_usd": touched}
    )  # fmt: skip
    # A flow is removed (its origin was another), and its total with it becomes less.
    of_march = [one for one in server.flows if one.period == "202403" and one.partner != WORLD]
    smallest = min(of_march, key=lambda flow: flow.value)
    server.withdraw(**{
        name: getattr(smallest, name) for name in ("reporter", "partner", "flow", "code", "period")
    })  # fmt: skip
    counts, _ = again("202403")
    assert counts.removed == 1
    assert counts.unchanged + counts.changed == rows("202403")
    # A weight is withdrawn.
    lighter = min(
        (one for one in server.flows if one.period == "202404" and one.partner != WORLD),
        key=lambda flow: flow.weight or 0,
    )
    server.flows = [replace(one, weight=None) if one == lighter else one for one in server.flows]
    assert again("202404") == (Counts(0, rows("202404") - 1, 1, 0), {"net_weight_kg": 1})
    # One more month.
    server.flows += flows_of(["202501"])
    windows["202501"] = Window("M", date(2025, 1, 1))
    assert again("202501") == (Counts(added=rows("202501")), {})
    assert publisher.figures().height == len(server.flows) == len(world) - 1 + rows("202501")
    assert not publisher.settings.quarantine_dir.exists()


@pytest.mark.parametrize(("partners", "is_refused"), [(3, False), (9, True)])
def test_the_weights_of_a_small_reporters_month_may_be_withdrawn(
    publisher: Publisher, partners: int, is_refused: bool
) -> None:
    server = publisher.server
    areas = [156, 704, 699, 276, 410, 36, 124, 76, 251][:partners]
    server.flows = [
        Flow(392, partner, "M", CODES[0], month, value, weight=value / 10)
        for month in MONTHS[:3]
        for partner, value in [(WORLD, 900.0 * partners), *((area, 900.0) for area in areas)]
    ]
    publisher.ask(*(Window("M", date(2024, month, 1)) for month in (1, 2, 3)))
    server.revise(lambda flow: replace(flow, weight=None), period="202402")
    fetched = publisher.ask(Window("M", date(2024, 2, 1)))
    assert (fetched.answer, "net_weight_kg is missing for 10 of 10" in fetched.reason) == (
        ("rejected", True) if is_refused else ("ok", False)
    )


# What publishers did send


def landed_one_after_the_other(
    home: Path, source: str, first: Path, second: Path
) -> Mapping[str, tuple[int, int, int, int]]:
    land(home, source, first, BEFORE)
    taken = land(home, source, second)
    assert all(one.objections == () for one in taken.revisions)
    return {
        one.table: (one.added, one.unchanged, one.changed, one.removed) for one in taken.revisions
    }


@pytest.mark.parametrize(("code", "before", "month"), [
    ("250410", "2023-11", "2023-12"),  # a tenth of the month before: its controls came into force
    ("811292", "2018-02", "2018-03"),  # ten flows, nearer those of the row below
])  # fmt: skip
def test_a_month_of_one_code_follows_those_before(
    tmp_path: Path, code: str, before: str, month: str
) -> None:
    name = "china_exports_monthly.csv"
    rows = pl.read_csv(BUNDLED / "comtrade_baskets" / name, infer_schema_length=0).filter(
        pl.col("commodity_code") == code
    )
    first, second = tmp_path / "known.csv", tmp_path / name
    rows.filter(pl.col("period") <= before).write_csv(first)
    fresh = rows.filter(pl.col("period") == month)
    fresh.write_csv(second)
    found = landed_one_after_the_other(tmp_path / "home", "comtrade_baskets", first, second)
    assert found["trade_flows"] == (fresh.height, 0, 0, 0)


@needs_shared
def test_the_pink_sheet_of_june_2026_follows_that_of_may_2025(tmp_path: Path) -> None:
    first, second = (
        SHARED / "data" / "pink_sheet" / f"CMO-Historical-Data-Monthly_{month}.xlsx"
        for month in ("2025-05", "2026-06")
    )
    found = landed_one_after_the_other(tmp_path / "home", "pink_sheet", first, second)
    assert found["price_quotes"] == (13 * 14, 10_976, 0, 0)


@needs_shared
def test_the_mineral_commodity_summaries_of_2026_follow_those_of_2025(tmp_path: Path) -> None:
    folder = SHARED / "data" / "usgs"
    found = landed_one_after_the_other(
        tmp_path / "home", "usgs_mcs",
        folder / "MCS2025_World_Data.csv", folder / "MCS2026_Commodities_Data.csv",
    )  # fmt: skip
    assert found["production"] == (1_815, 15, 41, 2)


@needs_shared
def test_a_newer_release_of_political_stability_follows_the_six_indicators(tmp_path: Path) -> None:
    data = SHARED / "data"
    newer = pl.read_csv(
        data / "wgi_political_stability" / "wgi_pv_1996_2024.csv", infer_schema_length=0
    )
    file = tmp_path / "political_stability.csv"
    blank = {
        f"{name}{end}": pl.lit("")
        for name in ("voice_and_accountability", "government_effectiveness", "regulatory_quality",
                     "rule_of_law", "control_of_corruption")
        for end in ("", "_error")
    }  # fmt: skip
    newer.select(
        "year", economy_iso3="iso3", political_stability="estimate",
        political_stability_error="stderr", **blank,
    ).write_csv(file)  # fmt: skip
    found = landed_one_after_the_other(
        tmp_path / "home", "wgi", data / "governance" / "wgidataset.dta", file
    )
    assert found["governance_scores"] == (693, 3_240, 1_458, 0)
