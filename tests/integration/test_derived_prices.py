"""Baskets and factors of markets, as files of indices are landed."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from typer.testing import CliRunner

from dagster_project.cli import app
from dagster_project.intake.conform import conform
from dagster_project.intake.land import land_bundled
from dagster_project.market.calendars import sessions
from dagster_project.settings import BUNDLED, Settings
from dagster_project.sources.registry import source_named
from tests.integration.marts import Marts
from tests.nightly import nightly

INDICES = source_named("equity_indices")
BASKET = "PEERS_6762.T"


def topix_of(days: int) -> str:
    """The last sessions that the bundled prices of Tokyo have."""
    trading = sessions("XTKS")
    last = trading.filter(trading <= date(2026, 2, 6)).tail(days)
    levels = [2000 + day.toordinal() * 7919 % 1000 / 10 for day in last]
    lines = (
        f"TOPIX,{day},{100 * level / levels[0]}" for day, level in zip(last, levels, strict=True)
    )
    return "\n".join(["instrument,date,index", *lines, ""])


def land(settings: Settings, file: Path, text: str, *options: str) -> None:
    file.write_text(text)
    result = CliRunner().invoke(app, ["land", "equity_indices", str(file), *options])
    assert result.exit_code == 0, result.output
    conform(settings, INDICES)


def factors_and_basket(
    marts: Marts, settings: Settings
) -> tuple[dict[str, tuple[str, str]], pl.DataFrame]:
    found = marts(settings, INDICES, ("reference.instruments", "market.prices"))
    factors = {
        one["instrument"]: (one["market_instrument"], one["market_factor"])
        for one in found["reference.instruments"].to_dicts()
        if one["market_instrument"]
    }
    return factors, found["market.prices"].filter(pl.col("instrument") == BASKET)


def test_a_landed_index_is_the_factor_of_its_market_before_the_basket_of_peers(
    settings: Settings, marts: Marts, tmp_path: Path
) -> None:
    assert factors_and_basket(marts, settings)[0] == {}
    land_bundled(settings, INDICES)
    conform(settings, INDICES)
    factors, basket = factors_and_basket(marts, settings)
    assert factors == {"6762.T": (BASKET, "peers_basket")}
    land(settings, tmp_path / "few.csv", topix_of(149))
    assert factors_and_basket(marts, settings)[0] == factors, "too few for a normal return"
    # It has another base, by which all its figures change alike: a person says that it is right.
    land(settings, tmp_path / "topix.csv", topix_of(150), "--replace")
    factors, basket_then = factors_and_basket(marts, settings)
    assert factors == dict.fromkeys(("6762.T", "4063.T", "5713.T", "7203.T"), ("TOPIX", "index"))
    assert_frame_equal(basket_then, basket)


@pytest.mark.parametrize(
    "last_day",
    ["2016-02-08", *(pytest.param(day, marks=nightly) for day in ("2016-03-18", "2020-10-02"))],
)
def test_what_a_basket_is_on_a_day_does_not_depend_on_later_prices(
    settings: Settings, marts: Marts, tmp_path: Path, last_day: str
) -> None:
    table = pl.read_csv(BUNDLED / "equity_indices" / "equity_indices.csv", infer_schema=False)
    until = table.filter(pl.col("date") <= last_day)
    land(settings, tmp_path / "until.csv", until.write_csv())
    _, basket = factors_and_basket(marts, settings)
    land(settings, tmp_path / "all.csv", table.write_csv())
    _, basket_then = factors_and_basket(marts, settings)
    assert 2 <= basket.height < basket_then.height
    # To the last digit.
    assert_frame_equal(
        basket_then.filter(pl.col("price_date") <= basket["price_date"].max()), basket,
        check_exact=True,
    )  # fmt: skip
