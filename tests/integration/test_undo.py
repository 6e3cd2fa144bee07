"""What was withdrawn never came: the marts are those before it, and it stays away until --again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from typer.testing import CliRunner

from dagster_project import http
from dagster_project.cli import app
from dagster_project.intake import ask as asking
from dagster_project.intake import fetch as fetching
from dagster_project.intake.conform import conform
from dagster_project.intake.fetch import FetchReport, SourceFetch
from dagster_project.intake.land import land_bundled
from dagster_project.intake.source_lock import source_lock
from dagster_project.intake.stores import lake_of, landing_of, origin_of_card
from dagster_project.intake.withdraw import sweep
from dagster_project.lake.build_file import connect, prepare, work_file
from dagster_project.lake.copies import copies_of
from dagster_project.lake.schemas import LAKE_TABLES
from dagster_project.orchestration.inputs import inputs_version
from dagster_project.settings import BUNDLED, Settings
from dagster_project.sources.card import Source, Window
from dagster_project.sources.registry import all_sources, source_named
from tests.fakes.comtrade import FakeComtrade, flows_for
from tests.fakes.ecb import ROWS, FakeEcb
from tests.integration.marts import Marts, models
from tests.nightly import is_night

pytestmark = pytest.mark.usefixtures("bundled_with_few_flows")

COMTRADE, ECB, BACI = (source_named(name) for name in ("comtrade", "ecb", "baci"))
CATALOGUE, USGS = source_named("catalogue"), source_named("usgs_mcs")
CODES = ("280530", "284610")
DAY = datetime(2025, 11, 26, 12)
"""A Wednesday: UN Comtrade's calendar has its moment on Tuesdays."""
PUBLISHED = ("trade", "dependency", "exposure", "market", "catalog")
FIRST_REACHED = {
    "baci": "trade.baci_flows", "comtrade": "trade.reported_flows",
    "catalogue": "exposure.measures", "ecb": "market.prices",
}  # fmt: skip
"""The mart by the source whose figures it shows; all others are made from it, or from the lake."""

SHARES = {"dependency.supplier_shares"} if is_night() else set()
Frames = Mapping[str, pl.DataFrame]


def published(marts: Marts, settings: Settings, source: Source) -> Frames:
    """Marts that figures of a source reach, after the step that fills the lake: at night all."""
    conform(settings, source)
    every_mart = tuple(name for name in models() if name.split(".")[0] in PUBLISHED)
    assert len(every_mart) > 15
    first_reached = (FIRST_REACHED[source.CARD.name], "catalog.sources")
    return marts(settings, source, every_mart if is_night() else first_reached)


def equal(found: Frames, expected: Frames) -> None:
    for name, frame in expected.items():
        assert_frame_equal(found[name], frame, rel_tol=1e-12)


def differing(found: Frames, other: Frames) -> set[str]:
    return {name for name, frame in found.items() if not frame.equals(other[name])}


def kido(*arguments: str, exit_code: int = 0) -> str:
    """Run a command; its output, with the error that stops it."""
    result = CliRunner().invoke(app, list(arguments))
    said = result.output + str(result.exception or "")
    assert result.exit_code == exit_code, said
    return said


def newest(settings: Settings, source: Source) -> str:
    return landing_of(settings).snapshots(source.CARD.name)[-1].snapshot_id


def snapshot_ids(settings: Settings, source: Source) -> list[str]:
    return [one.snapshot_id for one in landing_of(settings).snapshots(source.CARD.name)]


# A file somebody landed


def test_a_landed_slip_is_undone_and_done_again(
    settings: Settings, marts: Marts, tmp_path: Path
) -> None:
    land_bundled(settings, BACI)
    before = published(marts, settings, BACI)
    slip = tmp_path / "BACI_HS17_Y2024_V202601.csv"
    slip.write_text("t,i,j,k,v,q\n" + "".join(
        f"2024,{exporter},392,850511,1000.0,10.0\n" for exporter in (156, 704, 276, 842, 490)
    ))  # fmt: skip
    bundled = (BUNDLED / "baci" / "flows_2024.csv").read_text("utf8").splitlines()
    magnets = [line for line in bundled if ",850511," in line]
    kido("land", "baci", str(slip), "--replace")
    wrong = published(marts, settings, BACI)
    assert {"trade.baci_flows", *SHARES} <= differing(wrong, before)
    snapshot = newest(settings, BACI)

    said = kido("withdraw", snapshot, "--because", "five lines of it")
    assert f"{snapshot} is withdrawn: {slip.name}, 5 rows of reconciled_trade, 2024." in said
    assert f"Current again: {len(magnets):,} rows of reconciled_trade of flows_2024.csv." in said
    assert said.endswith("Then: kido build.\n")
    equal(published(marts, settings, BACI), before)
    (record,) = landing_of(settings).withdrawn("baci").values()
    assert record.reason == "five lines of it"
    assert record.by
    assert abs(datetime.now(UTC).replace(tzinfo=None) - record.at) < timedelta(hours=1)
    bytes_kept = settings.home / "landing" / "withdrawn" / "baci" / snapshot
    assert (bytes_kept / slip.name).read_bytes() == slip.read_bytes()
    assert not (settings.home / "landing" / "baci" / snapshot).exists()

    # The same bytes, under any name, are refused; nothing of the command is kept.
    other = tmp_path / "HS22_Y2024_V202601.csv"
    other.write_bytes(slip.read_bytes())
    for file in (slip, other):
        refused = kido("land", "baci", str(file), exit_code=1)
        assert f"{file.name}: these bytes were withdrawn on " in refused
        assert "(five lines of it)" in refused
        assert f"kido reinstate {snapshot}." in refused
    assert snapshot not in snapshot_ids(settings, BACI)

    said = kido("reinstate", snapshot)
    assert f"It replaces {len(magnets):,} rows of reconciled_trade" in said
    equal(published(marts, settings, BACI), wrong)
    assert "nothing new" in kido("land", "baci", str(slip))


def test_a_withdrawn_list_of_clauses_leaves_the_bundled_one(
    settings: Settings, marts: Marts, tmp_path: Path
) -> None:
    land_bundled(settings, CATALOGUE)
    before = published(marts, settings, CATALOGUE)
    mine = tmp_path / "measures.yaml"
    text = (BUNDLED / "catalogue" / "measures.yaml").read_text("utf8")
    assert text.count("Export licensing of superhard materials") == 1
    mine.write_text(text.replace("Export licensing of superhard materials", "My own title"), "utf8")
    kido("land", "catalogue", str(mine))
    wrong = published(marts, settings, CATALOGUE)
    assert "exposure.measures" in differing(wrong, before)
    snapshot = newest(settings, CATALOGUE)
    kido("withdraw", snapshot, "--because", "a title of mine")
    land_bundled(settings, CATALOGUE)  # as every build does
    equal(published(marts, settings, CATALOGUE), before)
    kido("reinstate", snapshot)
    equal(published(marts, settings, CATALOGUE), wrong)


def test_a_build_reads_what_it_chose_although_it_is_withdrawn_meanwhile(
    settings: Settings, tmp_path: Path
) -> None:
    land_bundled(settings, ECB)
    for day, rate in (("2026-10-30", "1.5"), ("2026-11-02", "1.6")):
        file = tmp_path / f"{day}.csv"
        file.write_text(f"Date,USD,JPY,CNY\n{day},{rate},175.68,7.4326\n")
        kido("land", "ecb", str(file))
    bundled, first, second = snapshot_ids(settings, ECB)
    under_way, later = tmp_path / "under_way.duckdb", tmp_path / "later.duckdb"

    def sources_of(file: Path) -> set[str]:
        with connect(work_file(file), read_only=True) as connection:
            found = connection.execute("select distinct snapshot_id from lake.price_quotes")
            return {snapshot_id for (snapshot_id,) in found.fetchall()}

    prepare(under_way, lake_of(settings), {})
    kido("withdraw", first, "--because", "a slip")
    assert f"{first}" in kido("landed", "ecb")
    assert lake_of(settings).snapshot_ids("ecb") == {bundled, second}
    conform(settings, ECB)  # as every landing does
    assert sources_of(under_way) == {bundled, first, second}
    # The next build: while somebody lands, what no longer counts is left where it is.
    with source_lock(settings, "ecb"):
        sweep(settings, ECB)
    assert sources_of(under_way) == {bundled, first, second}
    sweep(settings, ECB)
    prepare(later, lake_of(settings), {})
    assert sources_of(later) == {bundled, second}
    assert not list((settings.home / "lake").rglob(f"{first}*"))
    kido("reinstate", first)
    prepare(later, lake_of(settings), {})
    assert sources_of(later) == {bundled, first, second}


def test_a_file_landed_over_a_withdrawn_one_is_untouched_by_it(
    settings: Settings, tmp_path: Path
) -> None:
    land_bundled(settings, ECB)
    for name, rate in (("first.csv", "1.5"), ("second.csv", "1.6")):
        file = tmp_path / name
        file.write_text(f"Date,USD,JPY,CNY\n2026-10-30,{rate},175.68,7.4326\n")
        kido("land", "ecb", str(file))
    _, first, second = snapshot_ids(settings, ECB)
    said = kido("withdraw", first, "--because", "superseded")
    assert "None of its rows was current; the figures do not change." in said
    assert snapshot_ids(settings, ECB)[1:] == [second]


# A file that comes with the project


def test_a_withdrawn_bundled_file_stays_withdrawn_and_no_build_looks_for_it(
    settings: Settings,
) -> None:
    for source in all_sources().values():
        land_bundled(settings, source)
        conform(settings, source)
    first = inputs_version(settings)
    assert first is not None
    editions = landing_of(settings).snapshots("usgs_mcs")
    new = next(one for one in editions if one.document == "mcs_2026.csv")
    others = {one.snapshot_id for one in editions} - {new.snapshot_id}
    said = kido("withdraw", new.snapshot_id, "--because", "of another year")
    assert "rows of production of mcs_2025.csv" in said
    second = inputs_version(settings)
    assert second not in (None, first)
    landed = land_bundled(settings, USGS)
    assert landed.new == ()
    assert set(snapshot_ids(settings, USGS)) == others
    conform(settings, USGS)
    assert lake_of(settings).snapshot_ids("usgs_mcs") == others
    assert inputs_version(settings) == second
    kido("reinstate", new.snapshot_id)
    assert inputs_version(settings) == first
    assert land_bundled(settings, USGS).new == ()

    # What a version before brought, and this one does not, is looked for once.
    landing_of(settings).add(
        (BUNDLED / "usgs_mcs" / "mcs_2025.csv").read_bytes(),
        source="usgs_mcs",
        document="mcs_2025_of_before.csv",
        origin=new.origin,
        request="bundled mcs_2025_of_before.csv",
        media_type="text/csv",
        retrieved_at=DAY,
        is_bundled=True,
    )
    conform(settings, USGS)
    assert inputs_version(settings) is None
    assert land_bundled(settings, USGS).new == ()
    third = inputs_version(settings)
    assert third not in (None, first)
    land_bundled(settings, USGS)
    assert inputs_version(settings) == third


def test_a_bundled_file_that_a_new_version_changed_is_another_document(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundled = tmp_path / "bundled"
    (bundled / "ecb").mkdir(parents=True)
    for file in (BUNDLED / "ecb").iterdir():
        (bundled / "ecb" / file.name).write_bytes(file.read_bytes())
    for module in ("land", "stores"):
        monkeypatch.setattr(f"dagster_project.intake.{module}.BUNDLED", bundled)
    (snapshot,) = land_bundled(settings, ECB).new
    kido("withdraw", snapshot.snapshot_id, "--because", "wrong")
    assert land_bundled(settings, ECB).new == ()
    rates = bundled / "ecb" / "reference_rates.csv"
    rates.write_bytes(b"\n".join(rates.read_bytes().splitlines()[:-1]) + b"\n")
    (changed,) = land_bundled(settings, ECB).new
    assert snapshot_ids(settings, ECB) == [changed.snapshot_id]


def test_what_counts_is_what_staging_keeps(
    settings: Settings, marts: Marts, tmp_path: Path
) -> None:
    """`kido landed` says how many rows count; dbt decides it. Of a bundled document that a version
    before brought, no row is left to decide on.
    """
    slip = tmp_path / "measures.yaml"
    measures = (BUNDLED / "catalogue" / "measures.yaml").read_bytes()
    slip.write_bytes(b"# mine\n" + measures)
    sources = [source for source in all_sources().values() if source.CARD.bundled]
    flows = (BUNDLED / "baci" / "flows_2024.csv").read_bytes()
    before = landing_of(settings).add(
        flows.replace(b"HS2017", b"HS2022"),
        source="baci",
        document="flows_2024.csv",
        origin=origin_of_card(BACI),
        request="bundled flows_2024.csv",
        media_type="text/csv",
        retrieved_at=DAY,
        is_bundled=True,
    )[0]
    for source in sources:
        land_bundled(settings, source)
    kido("land", "catalogue", str(slip))
    today = datetime.now(UTC).date()
    for source in sources:
        conform(settings, source)
    staging = {
        table: next(name for name in models() if name.endswith(f".stg_lake__{table}"))
        for source in sources
        for table in source.CARD.tables
    }
    staged = marts(settings, CATALOGUE, tuple(staging.values()), keep_snapshots=True)
    compared = 0
    for source in sources:
        for table in source.CARD.tables:
            of_source = staged[staging[table]].filter(pl.col("source") == source.CARD.name)
            expected = dict(of_source.group_by("snapshot_id").len().iter_rows())
            lake, name = lake_of(settings), source.CARD.name
            left_out = copies_of(landing_of(settings), name, lake).left_out(
                LAKE_TABLES[table], today
            )
            counting = lake.current_row_counts(LAKE_TABLES[table], name, {}, today, left_out)
            assert before.snapshot_id not in counting
            assert counting == expected, (source.CARD.name, table)
            compared += len(expected)
    assert compared >= 20


# What a publisher sent


@pytest.fixture
def comtrade(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeComtrade]:
    world = flows_for([392, 842], [156, 704, 699], CODES, ["2022", "2023"], gaps=0)
    with FakeComtrade(world, key="secret") as server:
        for name, value in {
            "COMTRADE_URL": server.root,
            "COMTRADE_KEY": "secret",
            "COMTRADE_REPORTERS": "JPN,USA",
            "COMTRADE_CALLS_PER_MINUTE": "60000",
        }.items():
            monkeypatch.setenv(f"KIDO_{name}", value)
        scope_of = fetching.scope_of
        monkeypatch.setattr(
            fetching, "scope_of", lambda *given: replace(scope_of(*given), commodity_codes=CODES)
        )
        yield server


YEARS = [Window("A", date(year, 1, 1)) for year in (2022, 2023)]


@pytest.fixture
def ask(
    settings: Settings, comtrade: FakeComtrade, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., FetchReport]:
    hours = 0

    def run(*, again: bool = False) -> FetchReport:
        """Ask for the years, each time an hour later."""
        nonlocal hours
        hours += 1
        now = DAY + timedelta(hours=hours)
        for module in (http, asking, fetching):
            monkeypatch.setattr(module, "_now", lambda: now)
        one = SourceFetch(settings, COMTRADE)
        with one.lock():
            return one.run(one.plan_windows(YEARS, again=again), sleep=lambda seconds: None)

    return run


def news(fetched: FetchReport) -> dict[str, str]:
    return {one.name: one.outcome for one in fetched.settled}


def revise(comtrade: FakeComtrade, factor: float) -> None:
    comtrade.revise(
        lambda flow: replace(flow, value=flow.value * factor),
        reporter=392, partner=156, period="2023",
    )  # fmt: skip


def test_a_fetched_window_that_was_withdrawn_stays_so_whatever_the_bytes(
    settings: Settings, comtrade: FakeComtrade, ask: Callable[..., FetchReport], marts: Marts
) -> None:
    assert news(ask()) == {"2022": "new", "2023": "new"}
    before = published(marts, settings, COMTRADE)
    revise(comtrade, 1000)
    assert news(ask(again=True)) == {"2022": "unchanged", "2023": "new"}
    wrong = published(marts, settings, COMTRADE)
    assert {"trade.reported_flows", *SHARES} <= differing(wrong, before)
    snapshot = newest(settings, COMTRADE)
    said = kido("withdraw", snapshot, "--because", "a thousand times")
    assert "Current again:" in said
    equal(published(marts, settings, COMTRADE), before)

    # The answers never are the same bytes: an elapsed time, another order.
    fetched = ask(again=True)
    assert news(fetched) == {"2022": "unchanged", "2023": "withdrawn"}
    assert fetched.answer == "ok"
    (reason,) = [one.reason for one in fetched.settled if one.reason]
    assert "(a thousand times)" in reason
    assert f"kido reinstate {snapshot}" in reason
    found = published(marts, settings, COMTRADE)
    assert differing(found, before) <= {"catalog.sources"}  # when it was asked last
    assert len(landing_of(settings).snapshots("comtrade")) == 1

    # A further revision is news; of it nothing was withdrawn.
    revise(comtrade, 1 / 500)
    assert news(ask(again=True)) == {"2022": "unchanged", "2023": "new"}
    third = newest(settings, COMTRADE)
    kido("withdraw", third, "--because", "half of it")
    kido("reinstate", snapshot)
    found = published(marts, settings, COMTRADE)
    assert differing(found, wrong) <= {"catalog.sources"}
    assert news(ask(again=True)) == {"2022": "unchanged", "2023": "withdrawn"}


def test_what_counts_is_that_of_the_marts_also_where_a_publisher_withdrew_a_code(
    settings: Settings, comtrade: FakeComtrade, ask: Callable[..., FetchReport], marts: Marts
) -> None:
    ask()
    conform(settings, COMTRADE)
    comtrade.withdraw(code=CODES[0], period="2023", flow="M", reporter=392)
    fetched = ask(again=True)
    assert fetched.answer == "ok", fetched.reason
    (gone,) = [one for each in fetched.revisions.values() for one in each]
    conform(settings, COMTRADE)
    assert gone.removed == 2
    (staging,) = [name for name in models() if name.endswith(".stg_lake__trade_flows")]
    staged = marts(settings, COMTRADE, (staging,), keep_snapshots=True)[staging]
    shares = staged.group_by("snapshot_id").len().sort("snapshot_id")["len"].to_list()
    assert shares == [26, 24]
    said = " ".join(kido("landed", "comtrade").split())
    assert "52 rows of trade_flows, 2022 to 2023, 26 current" in said
    assert "24 rows of trade_flows, 2023, all current" in said


def test_a_withdrawn_window_is_asked_for_once_more_and_then_no_longer(
    comtrade: FakeComtrade, settings: Settings, ask: Callable[..., FetchReport]
) -> None:
    assert news(ask()) == {"2022": "new", "2023": "new"}
    (snapshot,) = landing_of(settings).snapshots("comtrade")
    assert ask().settled == []
    kido("withdraw", snapshot.snapshot_id, "--because", "all of it")
    assert news(ask()) == {"2022": "withdrawn", "2023": "withdrawn"}
    sent = len(comtrade.requests)
    assert ask().settled == []
    assert len(comtrade.requests) == sent
    kido("reinstate", snapshot.snapshot_id)
    assert ask().settled == []
    assert news(ask(again=True)) == {"2022": "unchanged", "2023": "unchanged"}


def test_a_wider_question_is_asked_although_the_narrow_answer_was_withdrawn(
    comtrade: FakeComtrade, settings: Settings, ask: Callable[..., FetchReport],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("KIDO_COMTRADE_REPORTERS", "JPN")
    ask()
    kido("withdraw", newest(settings, COMTRADE), "--because", "all of it")
    assert set(news(ask()).values()) == {"withdrawn"}
    monkeypatch.setenv("KIDO_COMTRADE_REPORTERS", "JPN,USA")
    assert news(ask()) == {"2022": "new", "2023": "new"}


def test_a_withdrawn_document_stays_so_until_its_publisher_sends_another(
    settings: Settings, marts: Marts, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeEcb() as server:
        monkeypatch.setenv("KIDO_ECB_URL", server.base_url)
        monkeypatch.setenv("KIDO_ECB_ENABLED", "true")

        def ask() -> list[str]:
            one = SourceFetch(settings, ECB)
            with one.lock():
                fetched = one.run(one.plan_windows((), again=True), sleep=lambda seconds: None)
            return [settled.outcome for settled in fetched.settled]

        land_bundled(settings, ECB)
        assert ask() == ["new"]
        before = published(marts, settings, ECB)
        wrong = ("2026-10-30", "1.9", "175.68", "N/A", "7.4326")
        server.publish(wrong)
        assert ask() == ["new"]
        assert "market.prices" in differing(published(marts, settings, ECB), before)
        kido("withdraw", newest(settings, ECB), "--because", "too high")
        equal(published(marts, settings, ECB), before)
        assert ask() == ["withdrawn"]
        assert fetching.due_now(
            ECB, SourceFetch(settings, ECB).ledger, datetime.now(UTC).replace(tzinfo=None),
            SourceFetch(settings, ECB)._scope(),
        ).is_due is False  # fmt: skip
        assert differing(published(marts, settings, ECB), before) <= {"catalog.sources"}
        server.publish(ROWS[0])
        assert ask() == ["unchanged"]


# Messages


def test_the_list_fits_a_narrow_terminal_and_cuts_no_name(settings: Settings) -> None:
    for source in (COMTRADE, source_named("comtrade_baskets"), BACI):
        land_bundled(settings, source)
        conform(settings, source)
    snapshot = newest(settings, BACI)
    kido("withdraw", snapshot, "--because", "a reason of many words, " * 10)
    said = kido("landed")
    lines = said.splitlines()
    assert max(len(line) for line in lines) <= 80
    for source in ("comtrade_baskets", "baci"):
        known = [*snapshot_ids(settings, source_named(source)), *landing_of(settings)
                 .withdrawn(source)]  # fmt: skip
        for one in known:
            assert sum(f"  {one}  " in line for line in lines) == 1
    assert "21,723 rows of reconciled_trade, 2024" in said
    assert "withdrawn on " in said
    assert "rare_earths.csv: 3,269 rows of trade_flows, 2005 to 2024, all current" in said
    assert "comtrade_baskets" not in kido("landed", "baci")
    assert "no source named 'baki'" in kido("landed", "baki", exit_code=1)


def test_what_cannot_be_withdrawn_ends_in_a_sentence(settings: Settings) -> None:
    assert "Nothing is landed yet." in kido("landed")
    land_bundled(settings, BACI)
    there = snapshot_ids(settings, BACI)
    [snapshot] = [
        one.snapshot_id
        for one in landing_of(settings).snapshots("baci")
        if one.document == "flows_2024.csv"
    ]
    close = f"{snapshot[:-1]}x"
    said = kido("withdraw", close, "--because", "x", exit_code=1)
    assert f"There is no snapshot '{close}'. Did you mean {snapshot}" in said
    assert snapshot in kido("withdraw", "flows_2024.csv", "--because", "x", exit_code=1)
    assert "kido landed lists them." in kido("withdraw", "", "--because", "x", exit_code=1)
    assert "A withdrawal needs a reason." in kido(
        "withdraw", snapshot, "--because", " ", exit_code=1
    )
    assert snapshot_ids(settings, BACI) == there
    assert "is not withdrawn." in kido("reinstate", snapshot)
    kido("withdraw", snapshot, "--because", "a slip")
    said = kido("withdraw", snapshot, "--because", "another reason")
    assert "is withdrawn already" in said
    assert "(a slip)" in said


def test_the_former_name_of_both_commands_still_works(settings: Settings) -> None:
    land_bundled(settings, BACI)
    snapshot = newest(settings, BACI)
    assert f"{snapshot} is withdrawn: " in kido("unland", snapshot, "--because", "a slip")
    assert snapshot not in snapshot_ids(settings, BACI)
    assert f"{snapshot} is reinstated: " in kido("unland", snapshot, "--again")
    assert snapshot in snapshot_ids(settings, BACI)
