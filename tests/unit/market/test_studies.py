"""Events and prices in, one row per window of each study out."""

from datetime import date, timedelta
from typing import Any
from unittest.mock import patch

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from dagster_project.market import PATH_FROM, PATH_TO, studies
from dagster_project.market.calendars import Calendar, sessions
from dagster_project.market.event_study import Estimation
from dagster_project.market.studies import SCHEMA, WINDOWS, study_events

STATISTICS = (
    "car", "standard_error", "t_statistic", "p_value", "p_value_rank", "ci95_low", "ci95_high",
)  # fmt: skip

PLACE = 250
"""Place of the event's session in these series: the returns 1 to 220 are 30 or more before."""


def days(calendar: Calendar, count: int = 300, first: date = date(2023, 1, 4)) -> list[date]:
    found = sessions(calendar)
    return found.filter(found >= first).head(count).to_list()


def closes(count: int = 300, seed: int = 1) -> list[float]:
    steps = np.random.default_rng(seed).normal(0, 0.02, count)
    return (100 * np.exp(np.cumsum(steps))).tolist()


def series(instrument: str, on: list[date], prices: list[float], unit: str = "USD") -> pl.DataFrame:
    return pl.DataFrame(
        {"instrument": instrument, "price_date": on, "return_close": prices, "unit": unit},
        schema={
            "instrument": pl.String, "price_date": pl.Date, "return_close": pl.Float64,
            "unit": pl.String,
        },
    )  # fmt: skip


def event(day: date, **more: str | None) -> pl.DataFrame:
    row = {"event_id": "E", "event_date": day, "event_time": None, "event_zone": None}
    return pl.DataFrame(
        [row | {"date_precision": "day"} | more],
        schema_overrides={"event_time": pl.String, "event_zone": pl.String},
    )


def instrument(
    name: str = "I", calendar: Calendar | None = "XNYS", factor: str | None = None
) -> pl.DataFrame:
    return pl.DataFrame(
        {"instrument": [name], "calendar": [calendar], "market_instrument": [factor]},
        schema_overrides={"calendar": pl.String, "market_instrument": pl.String},
    )


def study(
    prices: pl.DataFrame, day: date, calendar: Calendar = "XNYS", factor: str | None = None,
    **more: Any,
) -> pl.DataFrame:  # fmt: skip
    return study_events(event(day), prices, instrument("I", calendar, factor), **more)


def windows(found: pl.DataFrame, model: str = "constant_mean") -> dict[tuple[int, int], Any]:
    rows = found.filter(pl.col("is_window") & (pl.col("model") == model)).to_dicts()
    return {(row["window_from"], row["window_to"]): row for row in rows}


def test_every_window_and_every_point_of_the_path_has_a_row() -> None:
    on = days("XNYS")
    found = study(series("I", on, closes()), on[PLACE])
    assert dict(found.schema) == SCHEMA
    judged = windows(found)
    assert set(judged) == set(WINDOWS)
    assert all(row["reason"] is None and row["car"] is not None for row in judged.values())
    path = found.filter("is_path")
    assert path["window_to"].to_list() == list(range(PATH_FROM, PATH_TO + 1))
    assert path["abnormal_return_last_day"].cum_sum().to_list() == pytest.approx(
        path["car"].to_list()
    )
    assert judged[-5, 5]["car"] == pytest.approx(path.filter(window_to=5)["car"].item())


def test_a_window_is_its_returns_less_the_mean_of_those_before() -> None:
    """Recomputed from the closes: the mean of 220 returns that end 30 sessions before."""
    on, prices = days("XNYS"), closes()
    row = windows(study(series("I", on, prices), on[PLACE]))[-1, 1]
    steps = np.diff(np.log(prices))  # the return of session k is steps[k - 1]
    before = steps[: PLACE - 30]
    expected = steps[PLACE - 2 : PLACE + 1].sum() - 3 * before.mean()
    assert row["car"] == pytest.approx(expected)
    assert row["estimation_days"] == 220
    assert (row["estimation_from"], row["estimation_to"]) == (on[1], on[PLACE - 30])
    assert row["first_price_date"] == on[0]
    assert (row["window_start"], row["window_end"]) == (on[PLACE - 1], on[PLACE + 1])
    assert row["session_number"] == PLACE
    spread = before.std(ddof=1)
    assert row["standard_error"] == pytest.approx(spread * (3 + 9 / 220) ** 0.5)


def test_a_factor_is_compared_over_the_sessions_both_have() -> None:
    """The factor has no price on one day: the return over two sessions that follows is left out."""
    on, own, factor = days("XNYS"), closes(seed=1), closes(seed=2)
    missing = 100
    prices = pl.concat(
        [
            series("I", on, own),
            series("M", on[:missing] + on[missing + 1 :], factor[:missing] + factor[missing + 1 :]),
        ]
    )
    found = study(prices, on[PLACE], factor="M")
    assert set(found["model"]) == {"constant_mean", "market"}
    row = windows(found, "market")[0, 0]
    kept = [place for place in range(300) if place != missing]
    r_own, r_factor = np.diff(np.log(own)[kept]), np.diff(np.log(factor)[kept])
    at = PLACE - 2  # one session less, and the return of session k is at k - 1
    before = [place for place in range(at - 29) if place != missing - 1]
    beta, alpha = np.polyfit(r_factor[before], r_own[before], 1)
    assert row["estimation_days"] == len(before) == 218
    assert (row["alpha"], row["beta"]) == (pytest.approx(alpha), pytest.approx(beta))
    assert row["car"] == pytest.approx(r_own[at] - alpha - beta * r_factor[at])
    assert row["market_instrument"] == "M"
    # The other model does not need the factor, and loses no session to it.
    own_mean = windows(found)[0, 0]
    assert own_mean["estimation_days"] == 220
    assert own_mean["session_number"] == row["session_number"]


def test_no_market_row_without_a_factor() -> None:
    on = days("XNYS")
    assert set(study(series("I", on, closes()), on[PLACE])["model"]) == {"constant_mean"}


def test_a_short_estimation_window_gives_no_statistics() -> None:
    """Sessions 1 to 119 are 30 or more before session 149: one too few."""
    on = days("XNYS")
    prices = series("I", on, closes())
    for place, reason in ((149, "estimation_window_short"), (150, None)):
        judged = windows(study(prices, on[place]))
        assert {row["reason"] for row in judged.values()} == {reason}
        assert all((row["car"] is None) == bool(reason) for row in judged.values())
    short = windows(study(prices, on[149]))[0, 0]
    assert (short["estimation_days"], short["session_date"]) == (119, on[149])
    assert all(short[name] is None for name in (*STATISTICS, "alpha", "abnormal_return_event_day"))


def test_a_window_that_the_prices_do_not_reach_says_so() -> None:
    """Four sessions after the event: (0) and (-1,+1) are judged, the longer ones are not yet."""
    on = days("XNYS", PLACE + 5)
    judged = windows(study(series("I", on, closes(len(on))), on[PLACE]))
    assert judged[0, 0]["reason"] is None
    assert judged[-1, 1]["reason"] is None
    for window in ((-5, 5), (0, 10)):
        assert judged[window]["reason"] == "event_window_not_complete"
        assert all(judged[window][name] is None for name in (*STATISTICS, "window_end"))
        assert judged[window]["abnormal_return_event_day"] is not None
    path = study(series("I", on, closes(len(on))), on[PLACE]).filter("is_path")
    assert path["window_end"].max() == on[-1]


def test_an_event_outside_the_prices_has_no_row() -> None:
    on = days("XNYS")
    prices = series("I", on, closes())
    assert study(prices, date(2022, 12, 1)).is_empty()
    assert study(prices, date(2030, 1, 7)).is_empty()
    assert study(prices, date(1990, 1, 2)).is_empty()
    # The first session after the last price.
    after = days("XNYS", 301)[-1]
    assert study(prices, after).is_empty()
    assert not study(prices, on[-1]).is_empty()
    assert study_events(event(on[5]), prices.clear(), instrument()).is_empty()


@pytest.mark.parametrize(
    ("gap", "assessed", "path_to"),
    [
        # The price of the session after the event is missing.
        (1, {(0, 0)}, 0),
        # That of the one before: the event's own return would be of two sessions.
        (-1, set(), -2),
        # Two before: it is the first return of (-1,+1) that would be.
        (-2, {(0, 0), (0, 10)}, -3),
        # Six before: the first of (-5,+5) and of the path.
        (-6, {(0, 0), (0, 10), (-1, 1)}, None),
        (-7, set(WINDOWS), 10),
    ],
)
def test_a_return_over_two_sessions_is_in_no_window(
    gap: int, assessed: set[tuple[int, int]], path_to: int | None
) -> None:
    on, prices = days("XNYS"), closes()
    place = PLACE + gap
    kept = series("I", on[:place] + on[place + 1 :], prices[:place] + prices[place + 1 :])
    found = study(kept, on[PLACE])
    rows = windows(found)
    assert {window for window, row in rows.items() if row["reason"] is None} == assessed
    reasons = {row["reason"] for row in rows.values()} - {None}
    assert reasons <= {"session_without_a_price"}
    assert found.filter("is_path")["window_to"].max() == path_to
    assert (rows[0, 0]["abnormal_return_event_day"] is None) == (gap == -1)


def test_a_missing_price_removes_two_returns_from_the_normal_return() -> None:
    """218 of 220 are left: to and from the missing close there is no return of one session."""
    on, prices = days("XNYS"), closes()
    kept = series("I", on[:100] + on[101:], prices[:100] + prices[101:])
    row = windows(study(kept, on[PLACE]))[0, 0]
    steps = np.diff(np.log(prices))
    expected = np.delete(steps[: PLACE - 30], [99, 100]).mean()
    assert (row["estimation_days"], row["alpha"]) == (218, pytest.approx(expected))


def test_the_session_of_an_event_may_have_no_price() -> None:
    on, prices = days("XNYS"), closes()
    kept = series("I", on[:PLACE] + on[PLACE + 1 :], prices[:PLACE] + prices[PLACE + 1 :])
    rows = windows(study(kept, on[PLACE]))
    assert {row["reason"] for row in rows.values()} == {"no_price_on_the_session"}
    assert rows[0, 0]["session_date"] == on[PLACE]


def test_a_price_of_a_day_without_trading_is_left_out() -> None:
    """A Saturday between two sessions changes nothing."""
    on, prices = days("XNYS"), closes()
    friday = next(place for place in range(100, 200) if on[place].weekday() == 4)
    saturday = series("I", [on[friday] + timedelta(days=1)], [1.0])
    one = study(series("I", on, prices), on[PLACE])
    other = study(pl.concat([series("I", on, prices), saturday]), on[PLACE])
    assert_frame_equal(one, other)


def test_a_day_that_is_not_known_has_no_session() -> None:
    on = days("XNYS")
    monthly = event(on[PLACE], date_precision="month")
    found = study_events(monthly, series("I", on, closes()), instrument())
    assert set(found["reason"]) == {"day_not_known"}
    assert found["session_date"].null_count() == found.height == len(WINDOWS)


def test_prices_that_do_not_vary_give_no_statistics() -> None:
    on = days("XNYS")
    judged = windows(study(series("I", on, [100.0] * 300), on[PLACE]))
    assert {row["reason"] for row in judged.values()} == {"nothing_varies"}


def test_the_kind_of_return_is_an_argument() -> None:
    on, prices = days("XNYS"), closes()
    simple = windows(study(series("I", on, prices), on[PLACE], kind="simple"))[0, 0]
    steps = np.array(prices[1:]) / np.array(prices[:-1]) - 1
    expected = steps[PLACE - 1] - steps[: PLACE - 30].mean()
    assert simple["car"] == pytest.approx(expected)


def test_the_estimation_window_is_an_argument() -> None:
    on = days("XNYS")
    short = Estimation(min_sessions=20, max_sessions=40, gap=10)
    row = windows(study(series("I", on, closes()), on[60], estimation=short))[0, 0]
    assert (row["estimation_days"], row["estimation_to"]) == (40, on[50])


def test_an_index_and_a_price_are_two_series() -> None:
    """Sixty days before it an index ends that the prices follow: no return leads over the change,
    and what is left before the event is too short."""
    on, prices = days("XNYS"), closes()
    change = PLACE - 60
    mixed = pl.concat(
        [
            series("I", on[:change], prices[:change], unit="index"),
            series("I", on[change:], prices[change:]),
        ]
    )
    row = windows(study(mixed, on[PLACE]))[0, 0]
    assert (row["reason"], row["estimation_days"]) == ("estimation_window_short", 30)
    assert row["estimation_from"] == on[change + 1]


def test_what_cannot_be_studied_names_the_instrument() -> None:
    on, prices = days("XNYS"), closes()
    with pytest.raises(ValueError, match="I: a return needs prices above 0"):
        study(series("I", on, [*prices[:-1], 0.0]), on[PLACE])
    with pytest.raises(ValueError, match="I has no calendar"):
        study_events(event(on[5]), series("I", on, prices), instrument(calendar=None))
    nothing = study_events(event(date(1998, 12, 31)), series("I", on, prices), instrument())
    assert nothing.is_empty()


def test_two_prices_of_a_day_are_rejected() -> None:
    on = days("XNYS")
    twice = pl.concat([series("I", on, closes()), series("I", on[:1], [100.0])])
    with pytest.raises(ValueError, match="I has two prices of a day"):
        study(twice, on[PLACE])


@given(factor=st.floats(1e-3, 1e4), seed=st.integers(0, 9))
@settings(max_examples=15)
def test_a_constant_factor_on_all_prices_changes_nothing(factor: float, seed: int) -> None:
    on, prices = days("XNYS"), closes(seed=seed)
    scaled = [factor * price for price in prices]
    one, other = (study(series("I", on, found), on[PLACE]) for found in (prices, scaled))
    assert_frame_equal(one, other, abs_tol=1e-9)


@given(order=st.permutations(range(40)))
@settings(max_examples=15)
def test_the_order_of_rows_changes_nothing(order: list[int]) -> None:
    on, prices = days("XNYS"), closes()
    sorted_rows = series("I", on, prices)
    mixed = pl.concat([sorted_rows[order], sorted_rows[40:].reverse()])
    assert_frame_equal(study(sorted_rows, on[PLACE]), study(mixed, on[PLACE]))


@given(holiday=st.integers(0, 320).filter(lambda place: place != PLACE), seed=st.integers(0, 9))
@settings(max_examples=15)
def test_a_holiday_more_changes_no_figure(holiday: int, seed: int) -> None:
    """The same closes on the sessions of a year with a holiday more: before, in or after a window.

    Windows are counted in sessions, so that only days differ.
    """
    trading, prices = days("XNYS", 400), closes(seed=seed)
    fewer = trading[:holiday] + trading[holiday + 1 :]
    dated = [name for name, kind in SCHEMA.items() if kind == pl.Date()]
    found = []
    for sessions_of_year in (trading, fewer):
        with (
            patch.object(studies, "sessions", lambda _, of=sessions_of_year: pl.Series(of)),
            patch.object(
                studies, "session_of",
                lambda _, day, *__, of=sessions_of_year: next(one for one in of if one >= day),
            ),
        ):  # fmt: skip
            on = sessions_of_year[:300]
            found.append(study(series("I", on, prices), on[PLACE]))
    assert found[0].height == len(WINDOWS) + 16
    assert_frame_equal(found[0].drop(dated), found[1].drop(dated))


@pytest.mark.parametrize("calendar", ["XTKS", "TARGET"])
def test_the_holidays_of_another_exchange_change_no_figure(calendar: Calendar) -> None:
    here, there, prices = days("XNYS"), days(calendar), closes()
    assert here != there
    one = study(series("I", here, prices), here[PLACE])
    other = study(series("I", there, prices), there[PLACE], calendar)
    dated = [name for name, kind in SCHEMA.items() if kind == pl.Date()]
    assert_frame_equal(one.drop(dated), other.drop(dated))


@given(known=st.integers(PLACE, 299))
@settings(max_examples=15)
def test_what_comes_later_changes_no_figure_of_before(known: int) -> None:
    """The study of a day on which only the first prices were known, and the one of today."""
    on, prices = days("XNYS"), closes()
    then = study(series("I", on[: known + 1], prices[: known + 1]), on[PLACE])
    now = study(series("I", on, prices), on[PLACE])
    assert then["window_end"].max() <= on[known]  # type: ignore[operator]
    judged = then.filter(pl.col("reason").is_null())
    assert_frame_equal(
        judged, now.join(judged, on=["window_from", "window_to", "is_path"], how="semi")
    )
    for row in then.filter(pl.col("reason").is_not_null()).iter_rows(named=True):
        assert row["reason"] == "event_window_not_complete"
        assert PLACE + row["window_to"] > known
