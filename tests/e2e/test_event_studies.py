"""Event studies of the default warehouse, worked out again from the closes as they are bundled."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from statistics import NormalDist, linear_regression, mean, stdev
from typing import Any

import polars as pl
import pytest
from scipy import stats

from dagster_project.market.calendars import session_of
from dagster_project.settings import Settings
from dagster_project.sources.registry import source_named
from tests.conftest import CHECKOUT
from tests.e2e.conftest import run_kido
from tests.integration.marts import marts_of

Rows = Callable[..., list[tuple[Any, ...]]]
Closes = Mapping[date, float]

BUNDLED = CHECKOUT / "dagster_project" / "bundled"
CALENDARS = {"REMX": "XNYS", "USDJPY": "TARGET", "6762.T": "XTKS"}
PEERS = ("4063.T", "5713.T", "7203.T")


def indices(instrument: str) -> dict[date, float]:
    table = pl.read_csv(BUNDLED / "equity_indices" / "equity_indices.csv")
    rows = table.filter(instrument=instrument).select(pl.col("date").str.to_date(), "index")
    return dict(rows.iter_rows())


def yen_per_dollar() -> dict[date, float]:
    table = pl.read_csv(BUNDLED / "ecb" / "reference_rates.csv", try_parse_dates=True)
    return {row["date"]: row["jpy"] / row["usd"] for row in table.iter_rows(named=True)}


def log_returns(closes: Closes) -> dict[date, float]:
    days = sorted(closes)
    return {day: math.log(closes[day] / closes[before]) for before, day in itertools.pairwise(days)}


def returns_of_peers() -> dict[date, float]:
    """The mean of the three simple returns, as a logarithm."""
    members = [log_returns(indices(name)) for name in PEERS]
    return {
        day: math.log(mean(math.exp(returns[day]) for returns in members))
        for day in members[0]
        if all(day in returns for returns in members)
    }


def around(returns: Mapping[date, float], session: date, first: int, last: int) -> list[float]:
    days = sorted(returns)
    place = days.index(session)
    return [returns[day] for day in days[place + first : place + last + 1]]


@pytest.mark.parametrize(
    ("event", "instrument", "session"),
    [
        ("CN-2025-18", "REMX", "2025-04-04"),
        ("CN-2025-18", "6762.T", "2025-04-07"),
        ("CN-2025-57", "REMX", "2025-10-09"),
        ("CN-2025-57", "6762.T", "2025-10-10"),
        ("CN-2025-70", "USDJPY", "2025-11-07"),
        ("CN-2025-70", "6762.T", "2025-11-10"),
        ("CN-2026-1", "REMX", "2026-01-06"),
        ("CN-2026-1", "6762.T", "2026-01-07"),
        ("JP-2026-02-FIRST-LIFT", "6762.T", "2026-02-02"),
        ("JP-2026-02-TDK", "6762.T", "2026-02-03"),
        ("CN-2026-02-PERMITS", "REMX", "2026-02-06"),
        ("CN-2026-12", "REMX", "2026-02-24"),
    ],
)
def test_an_event_has_its_session(rows: Rows, event: str, instrument: str, session: str) -> None:
    """Reference days: a Beijing evening is the same day in New York and the next in Tokyo."""
    found = rows(
        "select distinct cast(session_date as varchar) from market.event_studies "
        "where event_id = ? and instrument = ?",
        event, instrument,
    )  # fmt: skip
    assert found == [(session,)]


@pytest.mark.parametrize("window", [(0, 0), (-1, 1), (-5, 5), (0, 10)])
@pytest.mark.parametrize(
    ("event", "instrument"),
    [("CN-2026-1", "REMX"), ("CN-2025-18", "6762.T"), ("CN-2025-70", "USDJPY")],
)
def test_a_constant_mean_study_is_worked_out_again(
    rows: Rows, event: str, instrument: str, window: tuple[int, int]
) -> None:
    closes = yen_per_dollar() if instrument == "USDJPY" else indices(instrument)
    ((session, days, alpha, car, error, t, p, rank, low, high, reason),) = rows(
        "select session_date, estimation_days, alpha, car, standard_error, t_statistic, p_value, "
        "p_value_rank, ci95_low, ci95_high, reason from market.event_studies where event_id = ? "
        "and instrument = ? and model = 'constant_mean' and window_from = ? and window_to = ?",
        event, instrument, *window,
    )  # fmt: skip
    returns = log_returns(closes)
    before = around(returns, session, -279, -30)
    assert (reason, days) == (None, 250)
    assert alpha == pytest.approx(mean(before))
    abnormal = [one - mean(before) for one in around(returns, session, *window)]
    assert car == pytest.approx(sum(abnormal))
    expected_error = stdev(before) * math.sqrt(len(abnormal) + len(abnormal) ** 2 / 250)
    assert error == pytest.approx(expected_error)
    assert t == pytest.approx(sum(abnormal) / expected_error)
    assert p == pytest.approx(2 * stats.t.sf(abs(t), 249))
    reach = stats.t.ppf(0.975, 249) * expected_error
    assert (low, high) == (pytest.approx(car - reach), pytest.approx(car + reach))
    together = [one - mean(before) for one in before] + abnormal
    ranks = stats.rankdata(together)
    if len(abnormal) == 1:
        assert rank == pytest.approx(min(1, 2 * min(ranks[-1], 252 - ranks[-1]) / 251))
    else:
        centred = ranks - (len(ranks) + 1) / 2
        z = centred[250:].sum() / math.sqrt(len(abnormal)) / ranks.std()
        assert rank == pytest.approx(2 * NormalDist().cdf(-abs(z)))


@pytest.mark.parametrize("p_value", ["p_value", "p_value_rank"])
def test_p_values_are_adjusted_as_scipy_does_it(rows: Rows, p_value: str) -> None:
    families: dict[tuple[Any, ...], dict[date, tuple[float, float]]] = {}
    for *family, session, raw, adjusted in rows(
        f"select instrument, model, window_from, window_to, session_date, {p_value}, {p_value}_bh "
        f"from market.event_studies where {p_value} is not null"
    ):
        families.setdefault(tuple(family), {})[session] = (raw, adjusted)
    assert len(families) == 16
    for tests in families.values():
        raw, adjusted = zip(*tests.values(), strict=True)
        assert list(adjusted) == pytest.approx(list(stats.false_discovery_control(raw)))


def test_tdk_is_studied_against_its_peers(rows: Rows) -> None:
    """Around the ban of 2026-01-06: the regression of 250 sessions, by the standard library."""
    ((session, factor, label, alpha, beta, car, day),) = rows(
        "select session_date, market_instrument, market_factor, alpha, beta, car, "
        "abnormal_return_event_day from market.event_studies where event_id = 'CN-2026-1' "
        "and instrument = '6762.T' and model = 'market' and window_from = -1 and window_to = 1"
    )
    assert (factor, label) == ("PEERS_6762.T", "peers_basket")
    own, peers = log_returns(indices("6762.T")), returns_of_peers()
    line = linear_regression(around(peers, session, -279, -30), around(own, session, -279, -30))
    assert (alpha, beta) == (pytest.approx(line.intercept), pytest.approx(line.slope))
    abnormal = [
        one - line.intercept - line.slope * market
        for one, market in zip(
            around(own, session, -1, 1), around(peers, session, -1, 1), strict=True
        )
    ]
    assert car == pytest.approx(sum(abnormal))
    assert day == pytest.approx(abnormal[1])


def test_only_an_instrument_with_a_factor_has_a_market_row(rows: Rows) -> None:
    found = rows(
        "select distinct instrument, model, market_instrument from market.event_studies "
        "order by all"
    )
    assert found == [
        ("6762.T", "constant_mean", None),
        ("6762.T", "market", "PEERS_6762.T"),
        ("REMX", "constant_mean", None),
        ("USDJPY", "constant_mean", None),
    ]


@pytest.mark.parametrize("instrument", CALENDARS)
def test_every_event_whose_session_is_within_the_prices_has_its_rows(
    rows: Rows, instrument: str
) -> None:
    ((first, last),) = rows(
        "select min(price_date), max(price_date) from market.prices where instrument = ?",
        instrument,
    )
    clauses = pl.read_parquet(_lake(rows, "restriction_clauses"))
    milestones = pl.read_parquet(_lake(rows, "milestones")).filter(
        pl.col("event_date").is_not_null()
    )
    events = [
        *clauses.select("clause_id", "announced_date", "announced_time", "announced_zone").rows(),
        *milestones.select("milestone_id", "event_date", "event_time", "event_zone").rows(),
    ]
    assert len(events) == 49 + 26
    expected = {
        name
        for name, *news in events
        if first <= session_of(CALENDARS[instrument], *news) <= last  # type: ignore[arg-type]
    }
    found = rows(
        "select event_id, count(*) from market.event_studies where instrument = ? "
        "and model = 'constant_mean' group by event_id",
        instrument,
    )
    assert {name for name, _ in found} == expected
    assert {count for _, count in found} == {4}


def _lake(rows: Rows, table: str) -> str:
    """The rows of the lake from which a home was built."""
    ((file,),) = rows("select path from duckdb_databases() where database_name = 'kido'")
    return str(Path(file).parent / "lake" / table / "*" / "*.parquet")


def test_statistics_are_null_where_a_window_is_cut_and_say_why(rows: Rows) -> None:
    """TDK's prices end on 2026-02-06, four sessions after the first mud."""
    found = rows(
        "select window_from, window_to, car is null, reason from market.event_studies "
        "where event_id = 'JP-2026-02-FIRST-LIFT' and instrument = '6762.T' "
        "and model = 'constant_mean' order by all"
    )
    assert found == [
        (-5, 5, True, "event_window_not_complete"),
        (-1, 1, False, None),
        (0, 0, False, None),
        (0, 10, True, "event_window_not_complete"),
    ]


def test_a_short_past_gives_no_statistics(rows: Rows) -> None:
    """REMX begins on 2019-01-02: Indonesia's ban of nickel, 2019-08-30, has 137 returns before it
    that are 30 sessions away, and is judged. TDK begins on 2016-02-05, before all its events."""
    assert rows(
        "select distinct estimation_days, reason from market.event_studies "
        "where event_id = 'ID-2020-NI' and instrument = 'REMX'"
    ) == [(137, None)]


def test_what_is_known_to_have_moved_markets_is_flagged(rows: Rows) -> None:
    """Two days before notice 18/2025 the United States announced tariffs on everyone, and on the
    day itself the first mud shared its window with TDK's results."""
    by = dict(
        rows(
            "select instrument || ' ' || event_id, contaminated_by from market.event_studies "
            "where model = 'constant_mean' and window_from = -1"
        )
    )
    assert "US-2025-04-02-TARIFFS" in by["REMX CN-2025-18"]
    assert "TDK-2026-02-02-RESULTS" in by["6762.T JP-2026-02-FIRST-LIFT"]
    assert "TDK-2026-02-02-RESULTS" not in by["REMX JP-2026-02-FIRST-LIFT"]
    assert by["USDJPY CN-2026-1"] == []


def test_a_build_of_a_past_day_knows_nothing_of_what_came(
    rows: Rows, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of 2026-01-07 the ban of the day before has one session in New York after it."""
    day = date(2026, 1, 7)
    monkeypatch.setenv("KIDO_HOME", str(built))
    names = ("market.event_studies", "market.abnormal_returns", "market.prices")
    marts = marts_of(Settings.load(), source_named("catalogue"), names, day=day)
    studies, paths = marts[names[0]], marts[names[1]]
    for frame, column in ((studies, "window_end"), (studies, "session_date"),
                          (paths, "session_date"), (marts[names[2]], "price_date")):  # fmt: skip
        assert frame[column].max() <= day  # type: ignore[operator]
    assert "CN-2026-01-DEFACTO" not in studies["event_id"]
    of_ban = {
        (row["instrument"], row["window_from"], row["window_to"]): row
        for row in studies.filter(event_id="CN-2026-1", model="constant_mean").iter_rows(named=True)
    }
    assert of_ban["REMX", -1, 1]["window_end"] == day
    assert of_ban["6762.T", 0, 0]["window_end"] == day
    for key in (("6762.T", -1, 1), ("REMX", -5, 5), ("USDJPY", 0, 10)):
        assert of_ban[key]["reason"] == "event_window_not_complete"
        assert of_ban[key]["car"] is None
    offsets = paths.filter(event_id="CN-2026-1", instrument="REMX")["session_offset"]
    assert sorted(offsets) == list(range(-5, 2))
    of_tdk = paths.filter(event_id="CN-2026-1", instrument="6762.T", model="constant_mean")
    assert sorted(of_tdk["session_offset"]) == list(range(-5, 1))
    # What was known then has not changed, but for how many events it is one of.
    assert of_ban["REMX", -1, 1]["car"] == pytest.approx(0.0965, abs=5e-4)
    tested = studies.filter(instrument="REMX", window_from=-1).drop_nulls("car")
    of_today = rows(
        "select distinct session_date from market.event_studies where instrument = 'REMX' "
        "and window_from = -1 and window_end <= '2026-01-07'"
    )
    assert set(tested["session_date"]) == {session for (session,) in of_today}


def test_the_picture_of_japans_events_is_drawn(built: Path, tmp_path: Path) -> None:
    file = tmp_path / "markets.svg"
    result = run_kido(built, "picture", str(file))
    assert result.returncode == 0, result.stderr
    assert result.stderr.startswith(f"Wrote {file}, an SVG of ")
    drawn = file.read_text("utf8")
    # Five events on three instruments, but for the permits, which came as TDK's prices end.
    assert drawn.count("<polyline") == 14
    assert drawn.count("no prices") == 1
    assert "CN-2026-1" in drawn
    one = run_kido(built, "picture", str(file), "--event", "CN-2025-10", "--event", "CN-2024-33")
    assert one.returncode == 0, one.stderr
    assert file.read_text("utf8").count("<polyline") == 6
    unknown = run_kido(built, "picture", str(file), "--event", "CN-1999-1")
    assert (unknown.returncode, "no event studies for CN-1999-1" in unknown.stderr) == (1, True)
    again = run_kido(built, "picture", str(tmp_path / "nowhere" / "markets.svg"))
    assert again.returncode == 1
    assert "cannot be written" in again.stderr


def test_the_table_of_the_readme_is_what_the_warehouse_holds(rows: Rows) -> None:
    """Every interval printed there, in per cent, of the row to read; and what is unusual."""
    page = (CHECKOUT / "README.md").read_text("utf8")
    section = page.partition("## Did the market move because of it")[2].partition("\n## ")[0]
    printed = [
        [cell.strip() for cell in line.strip("| ").split("|")]
        for line in section.splitlines()
        if line.startswith("| 20")
    ]
    assert [cells[0] for cells in printed] == [
        "2025-04-04", "2025-10-09", "2026-01-06", "2026-02-01", "2026-02-06",
    ]  # fmt: skip
    intervals, unusual_by_t, unusual_by_ranks = [], [], []
    for day, _, *answers, other_events in printed:
        found: dict[str, str] = {}
        named: set[str] = set()
        for name, car, low, high, others, by_t, by_ranks in rows(
            "select instrument, car, ci95_low, ci95_high, contaminated_by, p_value_bh, "
            "p_value_rank_bh from market.event_studies where list_contains(shown_for, 'JPN') "
            "and event_date = ? and window_from = -1 and window_to = 1 and is_preferred",
            day,
        ):
            percent = [100 * math.expm1(share) for share in (car, low, high)]
            star = "*" if others else ""
            found[name] = f"{percent[0]:+.1f}{star} ({percent[1]:+.1f} to {percent[2]:+.1f})"
            named |= set(others)
            intervals.append((low, high))
            unusual_by_t += [(day, name)] if by_t < 0.05 else []
            unusual_by_ranks += [(day, name)] if by_ranks < 0.05 else []
        assert [found.get(name, "–") for name in ("REMX", "USDJPY", "6762.T")] == answers, day
        events = ", ".join(f"`{name}`" for name in sorted(named)) or "none listed"
        assert other_events == events
    words = {10: "Ten", 14: "fourteen"}
    including_0 = sum(low <= 0 <= high for low, high in intervals)
    assert f"{words[including_0]} of the {words[len(intervals)]} intervals include 0" in section
    assert unusual_by_t == [("2025-04-04", "REMX"), ("2026-02-01", "6762.T")]
    assert unusual_by_ranks == []
    ((event, instrument, window, *percent),) = rows(
        "select event_id, instrument, [window_from, window_to], "
        "100 * (exp(car) - 1), 100 * (exp(ci95_low) - 1), 100 * (exp(ci95_high) - 1) "
        "from market.event_studies where p_value_rank_bh < 0.05"
    )
    assert (event, instrument, window) == ("US-2025-07-MP-FLOOR", "REMX", [0, 10])
    assert "2025-07-10, +{:.1f} %, {:.1f} to {:.1f}".format(*percent) in section
    tested = dict(
        rows(
            "select instrument, count(distinct session_date) from market.event_studies "
            "where window_from = -1 and car is not null group by instrument"
        )
    )
    counts = "52 sessions of REMX, 39 of TDK, 61 of the yen"
    assert counts in section
    assert tested == {"REMX": 52, "6762.T": 39, "USDJPY": 61}
    for model, percent, by_t in (("market", "21.6 %", True), ("constant_mean", "-9.1 %", False)):
        ((car, adjusted),) = rows(
            "select car, p_value_bh from market.event_studies where event_id = 'CN-2026-1' "
            "and instrument = '6762.T' and window_from = -5 and model = ?",
            model,
        )
        assert f"{abs(100 * math.expm1(car)):.1f} %" == percent.lstrip("-")
        assert percent in section
        assert (adjusted < 0.05) == by_t
