"""The Pink Sheet, the governance indicators and the Mineral Commodity Summaries, fetched from
stand-ins: each way to misbehave is a retry or a sentence, and never another year's figures.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path

import polars as pl
import pytest

from dagster_project.intake.conform import conform
from dagster_project.intake.fetch import FetchReport, SourceFetch
from dagster_project.intake.land import land_bundled, land_files
from dagster_project.intake.stores import lake_of, landing_of
from dagster_project.lake.landing import Snapshot
from dagster_project.lake.schemas import LAKE_TABLES
from dagster_project.lake.vintages import current_rows
from dagster_project.settings import BUNDLED, Settings
from dagster_project.sources import wgi
from dagster_project.sources.card import Document
from dagster_project.sources.registry import source_named
from tests.conftest import SHARED, needs_shared
from tests.fakes import pink_sheet as pink
from tests.fakes import wgi as bank
from tests.fakes.sciencebase import FakeScienceBase, Item, edition_of_2027
from tests.fakes.server import (
    Behaviour,
    FakePublisher,
    Reply,
    Seen,
    changed,
    cut_body,
    empty_body,
    failing,
    instead,
    longer_than_announced,
    maintenance_page,
    not_found,
    once,
    status,
)
from tests.integration.marts import tomorrow

RARE_EARTHS = "Rare Earths: Mine production"
PARENT, CHILD = "000000000000000000002027", "00000000000000000002027a"
TABLE = "MCS2027_Commodities_Data.csv"


# What the three publish: the figures that come with the project, and a figure of their own.


@cache
def prices(copper: float = 13_600.0) -> bytes:
    """The bundled months, and copper of May 2026 revised."""
    figures = {month: dict(row) for month, row in pink.bundled_figures().items()}
    assert figures["2026-05"]["COPPER"] == 13543.19
    figures["2026-05"]["COPPER"] = copper
    return pink.workbook_of(figures)


def publish_prices(server: FakePublisher, figure: float) -> None:
    assert isinstance(server, pink.FakePinkSheet)
    server.documents = {server.link: prices(figure)}


@cache
def restated() -> pl.DataFrame:
    """The bundled scores by another method: all years move by 0.1 to 0.3, and three are added.

    `code` (of the indicator), `economy_iso3`, `year`, `value`.
    """
    document = Document("estimates.csv", datetime(2023, 7, 28), is_bundled=True)
    known = wgi.parse((BUNDLED / "wgi" / "estimates.csv").read_bytes(), document)
    codes = {wgi.API_CODES[code]: code for code in bank.CODES}
    scores = known["governance_scores"].with_columns(
        code=pl.col("indicator").replace_strict(codes),
        sign=pl.when(pl.col("economy_iso3").hash(1) % 2 == 0).then(1).otherwise(-1),
        size=0.1 + 0.2 * (pl.col("economy_iso3").hash(2) % 1000) / 1000,
    )
    scores = scores.with_columns(value=(pl.col("estimate") + pl.col("sign") * pl.col("size")))
    last = scores.filter(year=2021)
    later = (
        last.with_columns((pl.col("year") + n).cast(pl.Int32), pl.col("value") + n / 100)
        for n in (1, 2, 3)
    )
    columns = ("code", "economy_iso3", "year", pl.col("value").round(6))
    return pl.concat([scores, *later]).select(columns)


def publish_scores(server: FakePublisher, figure: float) -> None:
    """The rule of law of Japan in 2024 is the figure; Taiwan has a name and no code."""
    assert isinstance(server, bank.FakeWgi)
    for code, rows in restated().partition_by("code", as_dict=True, include_key=False).items():
        server.scores[str(code[0])] = [
            *bank.AGGREGATES,
            *(
                bank.Score("", "Taiwan, China", year, value)
                if economy == "TWN"
                else bank.Score(economy, "x", year, value)
                for economy, year, value in rows.iter_rows()
                if (economy, year, code[0]) != ("JPN", 2024, "GOV_WGI_RL.EST")
            ),
        ]
    server.scores["GOV_WGI_RL.EST"] = [
        *server.scores["GOV_WGI_RL.EST"], bank.Score("JPN", "Japan", 2024, figure),
        bank.Score("MMR", "Myanmar", 2025, None),
    ]  # fmt: skip


def publish_summaries(server: FakePublisher, figure: float) -> None:
    """China's output of rare earths in 2025 is the figure, in the edition of 2027."""
    assert isinstance(server, FakeScienceBase)
    payload = edition_of_2027({(RARE_EARTHS, "CHN", 2025): figure})
    title = "Mineral Commodity Summaries 2027 Data Release"
    table = Item(CHILD, f"{title} - World Statistics", {TABLE: payload})
    server.items = [
        Item("000000000000000000002026", title.replace("2027", "2026"),
             {"MCS2026_Commodities_Data.csv": b"of the year before\n"}),
        Item(PARENT, title, {"MCS2027_Fig1.csv": b"x\n"}, [table]),
    ]  # fmt: skip


@dataclass(frozen=True)
class Publication:
    """A publisher's stand-in, and which requests are for its first and its last document.

    `figure` is the one figure that a test changes: by default the first of `figures`.
    """

    open: Callable[[], AbstractContextManager[FakePublisher]]
    publish: Callable[[FakePublisher, float], None]
    is_last: Callable[[Seen], bool]
    requests: int
    table: str
    key: Mapping[str, object]
    value: str
    figures: tuple[float, float]
    bundled: float | None
    parts: int = 1


PUBLICATIONS: Mapping[str, Publication] = {
    "pink_sheet": Publication(
        pink.FakePinkSheet, publish_prices,
        is_last=lambda seen: seen.path.endswith(".xlsx"),
        requests=2, table="price_quotes", value="close", figures=(13_600.0, 13_800.0),
        key={"instrument": "COPPER", "price_date": datetime(2026, 5, 1).date()},
        bundled=13543.19,
    ),
    "wgi": Publication(
        bank.FakeWgi, publish_scores,
        is_last=lambda seen: "GOV_WGI_CC" in seen.path,
        requests=6, table="governance_scores", value="estimate", figures=(1.45, 1.4),
        key={"indicator": "rule_of_law", "economy_iso3": "JPN", "year": 2024}, bundled=None,
        parts=6,
    ),
    "usgs_mcs": Publication(
        FakeScienceBase, publish_summaries,
        is_last=lambda seen: seen.path.startswith("/catalog/file/"),
        requests=3, table="production", value="amount_t", figures=(275_000.0, 280_000.0),
        key={"label": RARE_EARTHS, "economy_iso3": "CHN", "year": 2025}, bundled=270_000.0,
    ),
}  # fmt: skip


@dataclass
class Desk:
    """One publication, its stand-in, and a warehouse that fetches it."""

    name: str
    publication: Publication
    server: FakePublisher
    settings: Settings
    waits: list[float] = field(default_factory=list)

    def fetch(self) -> FetchReport:
        source = source_named(self.name)
        one = SourceFetch(self.settings, source)
        with one.lock():
            report = one.run(one.plan_windows(()), sleep=self.waits.append)
            conform(self.settings, source)
        return report

    def publish(self, figure: float) -> None:
        with self.server.lock:
            self.publication.publish(self.server, figure)

    def fetched(self) -> list[Snapshot]:
        """The snapshots that came from the publisher."""
        snapshots = landing_of(self.settings).snapshots(self.name)
        return [snapshot for snapshot in snapshots if not snapshot.is_bundled]

    def current(self, name: str = "") -> pl.DataFrame:
        """The rows that count on the day of a build."""
        table = LAKE_TABLES[name or self.publication.table]
        rows = lake_of(self.settings).rows(table, self.name)
        assert rows is not None
        return current_rows(table, table.conform(rows.collect()), tomorrow())

    def figure(self) -> float:
        """The one figure that tests change, as it counts."""
        row = self.current().filter(**self.publication.key)  # type: ignore[arg-type]
        value: float = row[self.publication.value].item()
        return value

    @property
    def has_bundled_figure_only(self) -> bool:
        """Whether nothing fetched is in the lake."""
        rows = lake_of(self.settings).rows(LAKE_TABLES[self.publication.table], self.name)
        assert rows is not None
        bundled = source_named(self.name).CARD.bundled
        return bool(rows.select(pl.col("document").is_in(bundled).all()).collect().item())


Homes = Callable[[str], Path]


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Homes:
    """By source, a home with its bundled figures in the lake."""

    @cache
    def prepared(name: str) -> Path:
        home = tmp_path_factory.mktemp(name)
        source, settings = source_named(name), Settings.load(home=home)
        land_bundled(settings, source)
        conform(settings, source)
        return home

    return prepared


@contextmanager
def at_desk(
    name: str, prepared: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    shutil.copytree(prepared, home)
    monkeypatch.setenv("KIDO_HOME", str(home))
    monkeypatch.setenv("KIDO_TIMEOUT_S", "5")
    publication = PUBLICATIONS[name]
    with publication.open() as server:
        monkeypatch.setenv(f"KIDO_{name.upper()}_URL", server.base_url)
        desk = Desk(name, publication, server, Settings.load())
        desk.publish(publication.figures[0])
        yield desk


@pytest.fixture(params=PUBLICATIONS)
def desk(
    request: pytest.FixtureRequest, homes: Homes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    name = request.param
    with at_desk(name, homes(name), tmp_path / "home", monkeypatch) as opened:
        yield opened


@pytest.fixture
def pink_desk(homes: Homes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with at_desk("pink_sheet", homes("pink_sheet"), tmp_path / "home", monkeypatch) as opened:
        yield opened


@pytest.fixture
def bank_desk(homes: Homes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with at_desk("wgi", homes("wgi"), tmp_path / "home", monkeypatch) as opened:
        yield opened


@pytest.fixture
def usgs_desk(homes: Homes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with at_desk("usgs_mcs", homes("usgs_mcs"), tmp_path / "home", monkeypatch) as opened:
        yield opened


def require_refused(desk: Desk, report: FetchReport, words: str, answer: str = "rejected") -> None:
    """One sentence with these words, and the bundled figures stay."""
    assert report.answer == answer, report.reason
    assert [result.outcome for result in report.settled] == ["failed"]
    assert words in report.reason
    assert "\n" not in report.reason.split("\n  ")[0]
    assert "Traceback" not in report.reason
    assert desk.fetched() == []
    assert desk.has_bundled_figure_only


def require_healed(desk: Desk) -> None:
    """Once its publisher answers properly, the next fetch lands the document."""
    desk.server.always(None)
    report = desk.fetch()
    assert report.answer == "ok", report.reason
    assert [result.outcome for result in report.settled] == ["new"]


# All three.


def test_the_workbook_of_an_earlier_year_replaces_no_bundled_figure(pink_desk: Desk) -> None:
    """An old link still serves an old file: its last month is before that of the bundled table."""
    assert isinstance(pink_desk.server, pink.FakePinkSheet)
    figures = {month: row for month, row in pink.bundled_figures().items() if month < "2026-05"}
    pink_desk.server.documents = {pink_desk.server.link: pink.workbook_of(figures)}
    words = "ends in 2026-04, and 2026-05 is known: it is an old one"
    require_refused(pink_desk, pink_desk.fetch(), words)


def test_a_publication_is_one_snapshot_and_replaces_bundled_figures(desk: Desk) -> None:
    if desk.publication.bundled is not None:
        assert desk.figure() == desk.publication.bundled
    report = desk.fetch()
    assert report.answer == "ok", report.reason
    assert len(desk.server.requests) == report.calls == desk.publication.requests
    (snapshot,) = desk.fetched()
    assert len(snapshot.parts) == desk.publication.parts
    assert desk.figure() == desk.publication.figures[0]
    current = desk.current().filter(**desk.publication.key)  # type: ignore[arg-type]
    assert current["snapshot_id"].to_list() == [snapshot.snapshot_id]


def test_equal_bytes_are_no_news_and_a_revision_is_one_snapshot(desk: Desk) -> None:
    desk.fetch()
    again = desk.fetch()
    assert [result.outcome for result in again.settled] == ["unchanged"]
    assert again.new_snapshots == []
    desk.publish(desk.publication.figures[1])
    revised = desk.fetch()
    assert [result.outcome for result in revised.settled] == ["new"]
    (revisions,) = revised.revisions.values()
    changes = {revision.table: revision for revision in revisions}[desk.publication.table]
    assert (changes.added, changes.changed, changes.removed) == (0, 1, 0)
    assert len(desk.fetched()) == 2
    assert desk.figure() == desk.publication.figures[1]


def test_a_cut_body_and_a_failing_server_are_asked_again(desk: Desk) -> None:
    desk.server.when(desk.publication.is_last, once(cut_body()))
    desk.server.will(failing(503), failing(500))
    report = desk.fetch()
    assert report.answer == "ok", report.reason
    assert len(desk.server.requests) == desk.publication.requests + 3
    assert len(desk.waits) == 3
    assert desk.figure() == desk.publication.figures[0]


def test_a_server_that_fails_every_time_is_no_answer(desk: Desk) -> None:
    desk.server.always(failing())
    require_refused(desk, desk.fetch(), "500", "no_answer")
    require_healed(desk)


OTHER_ANSWERS: Mapping[str, tuple[Behaviour, str]] = {
    "maintenance page": (maintenance_page(), "rejected"),
    "empty body": (empty_body(), "rejected"),
    "JSON about something else": (instead(Reply(200, b'{"status":"busy"}')), "rejected"),
    "no such file": (not_found(), "rejected"),
    "refusal": (status(403, b"<html><h1>403 Forbidden</h1></html>", "text/html"), "denied"),
}


@pytest.mark.parametrize(
    ("kind", "place"),
    [*((kind, "last") for kind in OTHER_ANSWERS), ("maintenance page", "first"),
     ("JSON about something else", "first")],
)  # fmt: skip
def test_another_answer_is_a_sentence_and_the_next_fetch_is_fine(
    desk: Desk, kind: str, place: str
) -> None:
    behaviour, outcome = OTHER_ANSWERS[kind]
    if place == "first":
        desk.server.will(behaviour)
    else:
        desk.server.when(desk.publication.is_last, behaviour)
    require_refused(desk, desk.fetch(), "", outcome)
    require_healed(desk)


def test_a_file_that_grows_while_it_is_read_is_refused(desk: Desk) -> None:
    desk.server.when(desk.publication.is_last, longer_than_announced())
    require_refused(desk, desk.fetch(), "cut")
    require_healed(desk)


def test_the_parts_of_an_answer_can_be_landed_by_hand(desk: Desk, tmp_path: Path) -> None:
    """That is what a person is told to do with a quarantined answer that is right."""
    desk.fetch()
    (snapshot,) = desk.fetched()
    folder = Path(desk.settings.landing_url, desk.name, snapshot.snapshot_id)
    elsewhere = Settings.load(home=tmp_path / "another")
    report = land_files(
        elsewhere, source_named(desk.name), [folder / part.file for part in snapshot.parts]
    )
    rows = lake_of(desk.settings).rows(LAKE_TABLES[desk.publication.table], desk.name)
    assert rows is not None
    fetched = rows.filter(pl.col("snapshot_id") == snapshot.snapshot_id)
    assert report.rows[desk.publication.table] == fetched.collect().height


# The Pink Sheet.


def test_the_bundled_figures_in_a_workbook_are_no_news(pink_desk: Desk) -> None:
    pink_desk.publish(13543.19)
    report = pink_desk.fetch()
    assert [result.outcome for result in report.settled] == ["unchanged"]
    assert pink_desk.fetched() == []


def test_a_page_without_the_link_is_an_error_and_no_old_address_is_used(pink_desk: Desk) -> None:
    assert isinstance(pink_desk.server, pink.FakePinkSheet)
    pink_desk.fetch()
    pink_desk.publish(13_700.0)
    pink_desk.server.link = ""
    asked = len(pink_desk.server.requests)
    report = pink_desk.fetch()
    assert report.answer == "rejected"
    assert "has no link to CMO-Historical-Data-Monthly.xlsx" in report.reason
    assert [seen.path for seen in pink_desk.server.requests[asked:]] == [pink.PAGE]
    assert len(pink_desk.fetched()) == 1


def test_an_address_that_is_gone_is_looked_up_again(pink_desk: Desk) -> None:
    """The page still has the address of last year; the next day it has the new one."""
    assert isinstance(pink_desk.server, pink.FakePinkSheet)
    pink_desk.server.documents = {}
    require_refused(pink_desk, pink_desk.fetch(), "404")
    pink_desk.server.link = pink.LINK_OF_NEXT_YEAR
    pink_desk.publish(13_700.0)
    assert pink_desk.fetch().answer == "ok"
    assert pink_desk.figure() == 13_700.0


def test_the_workbook_of_an_earlier_year_is_refused(pink_desk: Desk) -> None:
    assert isinstance(pink_desk.server, pink.FakePinkSheet)
    pink_desk.fetch()
    figures = {m: row for m, row in pink.bundled_figures().items() if m <= "2025-12"}
    pink_desk.server.documents = {pink.LINK: pink.workbook_of(figures)}
    report = pink_desk.fetch()
    assert report.answer == "rejected"
    assert "the workbook ends in 2025-12, and 2026-05 is known: it is an old one" in report.reason
    assert pink_desk.figure() == 13_600.0


def test_a_workbook_in_another_layout_is_refused(pink_desk: Desk) -> None:
    assert isinstance(pink_desk.server, pink.FakePinkSheet)
    payload = pink.workbook(names=["Copper"], units=["($/mt)"], months=[("2026M05", 1)],
                            indices=[], sheets=("Prices", "Indices"))  # fmt: skip
    pink_desk.server.documents = {pink.LINK: payload}
    require_refused(pink_desk, pink_desk.fetch(), "the workbook has no sheet 'Monthly Prices'")


@needs_shared
def test_the_workbook_of_june_2026_is_what_is_bundled(pink_desk: Desk) -> None:
    assert isinstance(pink_desk.server, pink.FakePinkSheet)
    file = SHARED / "data" / "pink_sheet" / "CMO-Historical-Data-Monthly_2026-06.xlsx"
    pink_desk.server.documents = {pink.LINK: file.read_bytes()}
    report = pink_desk.fetch()
    assert [result.outcome for result in report.settled] == ["unchanged"]


# The governance indicators.


def test_restated_scores_replace_every_bundled_one_and_reach_2024(bank_desk: Desk) -> None:
    """28,377 bundled scores of 1996 to 2021, all restated, and three years of 214 economies."""
    before = bank_desk.current()
    assert (before.height, before["year"].max()) == (28_377, 2021)
    report = bank_desk.fetch()
    assert report.answer == "ok", report.reason
    after = bank_desk.current()
    assert after["snapshot_id"].n_unique() == 1
    assert after["year"].max() == 2024
    assert after["economy_iso3"].n_unique() == before["economy_iso3"].n_unique() == 214
    assert after.filter(pl.col("year") <= 2021).height == 28_377
    key = ["indicator", "economy_iso3", "year"]
    moved = before.join(after, on=key, suffix=" now")
    shift = (moved["estimate now"] - moved["estimate"]).abs()
    assert moved.height == 28_377
    assert 0.0999 < shift.min() < 0.11  # type: ignore[operator]
    assert 0.29 < shift.max() < 0.3001  # type: ignore[operator]
    assert after["standard_error"].null_count() == after.height
    assert after.filter(economy_iso3="TWN", year=2024).height == 6
    assert after.filter(pl.col("economy_iso3") == "WLD").is_empty()


def test_pages_are_followed_and_are_one_snapshot(bank_desk: Desk) -> None:
    assert isinstance(bank_desk.server, bank.FakeWgi)
    bank_desk.server.most_rows = 2_000
    assert bank_desk.fetch().answer == "ok"
    pages = sum(-(-len(scores) // 2_000) for scores in bank_desk.server.scores.values())
    assert pages > 6
    assert len(bank_desk.server.requests) == pages
    (snapshot,) = bank_desk.fetched()
    assert len(snapshot.parts) == pages
    assert bank_desk.figure() == 1.45
    assert bank_desk.current().filter(pl.col("year") <= 2021).height == 28_377


def test_a_page_that_is_missing_is_all_that_the_next_fetch_asks_for(bank_desk: Desk) -> None:
    assert isinstance(bank_desk.server, bank.FakeWgi)
    bank_desk.server.most_rows = 4_000
    bank_desk.server.when(
        lambda seen: "GOV_WGI_CC" in seen.path and seen.query["page"] == "2", not_found()
    )
    require_refused(bank_desk, bank_desk.fetch(), "404")
    asked = len(bank_desk.server.requests)
    assert asked == 12
    require_healed(bank_desk)
    assert len(bank_desk.server.requests) == asked + 1
    assert bank_desk.current()["year"].max() == 2024


def test_a_release_between_two_pages_is_asked_again_as_a_whole(bank_desk: Desk) -> None:
    assert isinstance(bank_desk.server, bank.FakeWgi)
    bank_desk.server.when(bank_desk.publication.is_last, not_found())
    bank_desk.fetch()
    bank_desk.server.always(None)
    bank_desk.server.last_updated = "2026-11-10"
    require_refused(bank_desk, bank_desk.fetch(), "different releases (2025-11-05, 2026-11-10)")
    require_healed(bank_desk)


WRONG_SCORES: Mapping[str, tuple[Behaviour, str]] = {
    "unknown indicator": (
        instead(bank.message(bank.UNKNOWN)),
        "answers for GOV_WGI_CC.EST: The indicator was not found.",
    ),
    "another error": (
        instead(bank.message(bank.INVALID)),
        "answers for GOV_WGI_CC.EST: The provided parameter value is not valid (id 120)",
    ),
    "nothing": (
        changed(lambda reply: Reply(200, json.dumps([{"page": 0, "pages": 0}, None]).encode())),
        "the World Bank's answer for GOV_WGI_CC.EST is empty",
    ),
    "scores of 0 to 100": (
        bank.about_another("GOV_WGI_CC.SC"),
        "the answer for GOV_WGI_CC.EST is about 'GOV_WGI_CC.SC'",
    ),
    "another indicator": (
        bank.about_another("GOV_WGI_VA.EST"),
        "the answer for GOV_WGI_CC.EST is about 'GOV_WGI_VA.EST'",
    ),
    "a short page": (bank.without_last_rows(7), "rows of page 1, and"),
}


@pytest.mark.parametrize("kind", WRONG_SCORES)
def test_an_answer_that_is_not_of_the_indicator_is_refused(bank_desk: Desk, kind: str) -> None:
    behaviour, words = WRONG_SCORES[kind]
    bank_desk.server.when(bank_desk.publication.is_last, behaviour)
    require_refused(bank_desk, bank_desk.fetch(), words)
    require_healed(bank_desk)


def test_the_scores_of_other_economies_are_refused(bank_desk: Desk) -> None:
    """A restatement may pass; figures a row off may not."""
    assert isinstance(bank_desk.server, bank.FakeWgi)
    for code, scores in bank_desk.server.scores.items():
        values = [score.value for score in scores]
        bank_desk.server.scores[code] = [
            bank.Score(score.code, score.name, score.year, value)
            for score, value in zip(scores, [*values[-40:], *values[:-40]], strict=True)
        ]
    require_refused(bank_desk, bank_desk.fetch(), "differs by more than half of the spread")


# The Mineral Commodity Summaries.


def test_a_new_edition_takes_precedence_and_leaves_earlier_years(usgs_desk: Desk) -> None:
    before = usgs_desk.current()
    assert usgs_desk.fetch().answer == "ok"
    after = usgs_desk.current()
    assert set(after.filter(pl.col("year") >= 2026)["edition"]) == {2027}
    of_2025 = after.filter(year=2025, stage="extraction", label=RARE_EARTHS)
    assert set(of_2025["edition"]) == {2027}
    old = pl.col("year") <= 2024
    assert after.filter(old).equals(before.filter(old))
    quotes = usgs_desk.current("price_quotes")
    assert quotes["edition"].max() == 2027
    assert quotes["price_date"].max() == datetime(2026, 1, 1).date()


def test_the_newest_edition_is_found_behind_other_items(usgs_desk: Desk) -> None:
    assert isinstance(usgs_desk.server, FakeScienceBase)
    usgs_desk.server.page_items = 2  # of five
    assert usgs_desk.fetch().answer == "ok"
    assert len(usgs_desk.server.requests) == usgs_desk.publication.requests + 2
    assert usgs_desk.figure() == 275_000.0


def test_a_table_of_the_edition_itself_is_found_too(usgs_desk: Desk) -> None:
    assert isinstance(usgs_desk.server, FakeScienceBase)
    *_, edition = usgs_desk.server.items
    (table,) = edition.children
    edition.children, edition.files = [], {**edition.files, **table.files}
    assert usgs_desk.fetch().answer == "ok"
    assert len(usgs_desk.server.requests) == usgs_desk.publication.requests + 1
    assert usgs_desk.figure() == 275_000.0


def test_an_edition_without_its_table_is_no_reason_to_take_the_year_before(
    usgs_desk: Desk,
) -> None:
    assert isinstance(usgs_desk.server, FakeScienceBase)
    usgs_desk.server.items[-1].children = []
    report = usgs_desk.fetch()
    require_refused(usgs_desk, report, "the release of the edition of 2027 has no table")
    assert not any(seen.path.startswith("/catalog/file/") for seen in usgs_desk.server.requests)


@pytest.mark.parametrize("kind", ["MD5", "md5"])
def test_a_checksum_that_does_not_fit_is_refused_and_asked_again(
    usgs_desk: Desk, kind: str
) -> None:
    """ScienceBase replaces a file before its entry; the next run reads the new entry."""
    assert isinstance(usgs_desk.server, FakeScienceBase)
    (table,) = usgs_desk.server.items[-1].children
    table.checksums = {TABLE: (kind, "36185ff3742087e1dd90c52fe634fe12")}
    report = usgs_desk.fetch()
    require_refused(usgs_desk, report, "ScienceBase gives 36185ff3742087e1dd90c52fe634fe12")
    (folder,) = (usgs_desk.settings.quarantine_dir / "usgs_mcs").iterdir()
    assert (folder / "answer").read_bytes() == table.files[TABLE]
    table.checksums = {}
    require_healed(usgs_desk)
    assert usgs_desk.figure() == 275_000.0


def test_a_file_without_a_checksum_is_read(usgs_desk: Desk) -> None:
    assert isinstance(usgs_desk.server, FakeScienceBase)
    (table,) = usgs_desk.server.items[-1].children
    table.checksums = {TABLE: None}
    assert usgs_desk.fetch().answer == "ok"
    assert usgs_desk.figure() == 275_000.0


def test_a_table_in_another_layout_is_refused(usgs_desk: Desk) -> None:
    assert isinstance(usgs_desk.server, FakeScienceBase)
    (table,) = usgs_desk.server.items[-1].children
    table.files[TABLE] = table.files[TABLE].replace(b"Statistics_detail", b"Detail", 1)
    require_refused(usgs_desk, usgs_desk.fetch(), "columns missing: statistics_detail")


def test_a_table_cut_at_the_end_of_a_line_is_refused(usgs_desk: Desk) -> None:
    assert isinstance(usgs_desk.server, FakeScienceBase)
    (table,) = usgs_desk.server.items[-1].children
    lines = table.files[TABLE].splitlines(keepends=True)
    table.files[TABLE] = b"".join(lines[: len(lines) // 4])
    require_refused(usgs_desk, usgs_desk.fetch(), "has no world total: the file is cut")


@needs_shared
def test_the_published_table_of_2026_is_what_is_bundled(usgs_desk: Desk) -> None:
    assert isinstance(usgs_desk.server, FakeScienceBase)
    payload = (SHARED / "data" / "usgs" / "MCS2026_Commodities_Data.csv").read_bytes()
    edition = usgs_desk.server.items[0]
    usgs_desk.server.items = [edition]
    edition.files = {"MCS2026_Commodities_Data.csv": payload}
    report = usgs_desk.fetch()
    assert report.answer == "ok", report.reason
    assert [result.outcome for result in report.settled] == ["unchanged"]
    assert usgs_desk.fetched() == []
