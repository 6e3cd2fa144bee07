"""A year of UN Comtrade as anyone with a key would fetch it, disorder included, is published."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import polars as pl
import pytest

from tests.conftest import needs_shared
from tests.e2e.conftest import run_kido
from tests.fakes.comtrade import FakeComtrade
from tests.fakes.server import after_reply, cut_body
from tests.nightly import nightly
from tests.real_trade import (
    HEAVIEST,
    KEY,
    flows_of_2024,
    flows_of_the_month,
    rows_of_2024,
)

pytestmark = [needs_shared, nightly]

SLICE = ["reporter", "cmd", "flow"]


@pytest.fixture(scope="module")
def comtrade() -> Iterator[FakeComtrade]:
    world = [*flows_of_2024((), with_heaviest=True), *flows_of_the_month()]
    with FakeComtrade(world, key="first") as server:
        yield server


@pytest.fixture(scope="module")
def published(
    comtrade: FakeComtrade, few_flows: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str]:
    """The home after a fetch with an answer that is cut, a key that is refused half-way and a quota
    that ends, each followed by `kido fetch` again; and what the one build said.
    """
    folder = tmp_path_factory.mktemp("year")
    (folder / "bundled").symlink_to(few_flows)
    home = folder / "home"

    def kido(*arguments: str, key: str = "second") -> tuple[int, str]:
        result = run_kido(
            home, *arguments, KIDO_COMTRADE_URL=comtrade.root, KIDO_COMTRADE_KEY=key,
            KIDO_COMTRADE_CALLS_PER_MINUTE="60000", KIDO_COMTRADE_CALLS_PER_DAY="100000",
            KIDO_COMTRADE_ROWS_PER_CALL="20000",
        )  # fmt: skip
        return result.returncode, result.stdout + result.stderr

    year = ("fetch", "comtrade", "--from", "2024", "--to", "2024", "--frequency", "A")
    comtrade.will(cut_body())
    comtrade.only(3, then=after_reply(lambda: setattr(comtrade, "key", "second")))
    code, output = kido(*year, key="first")
    assert code == 1, output
    assert "key" in output
    comtrade.always(None)
    comtrade.calls_a_day = comtrade.calls_today + 2
    code, output = kido(*year)
    assert code == 3, output
    assert "quota" in output
    comtrade.calls_a_day = None
    comtrade.replenish()
    code, output = kido(*year)
    assert code == 0, output
    month = ("fetch", "comtrade", "--from", "2024-12", "--to", "2024-12", "--frequency", "M")
    code, output = kido(*month)
    assert code == 0, output
    # Without a key nothing more is asked for: all that is due would be 26 years.
    code, output = kido("build", key="")
    assert code == 0, output
    return home, output


@pytest.fixture(scope="module")
def expected() -> pl.DataFrame:
    """Each slice of the year from the publisher's rows: total and parts by both measures, what
    comes from the reporter itself, and how much of the value has a weight.
    """
    rows = (
        rows_of_2024(())
        .sort("value", "netwgt", descending=True, nulls_last=True)
        .group_by(KEY)
        .agg(
            pl.col("value").first(),
            pl.when(pl.col("cmd").first() == HEAVIEST)
            .then(pl.col("netwgt").max())
            .otherwise(pl.col("netwgt").first()),
        )
        .with_columns(
            netwgt=pl.when((pl.col("netwgt") > 0) | (pl.col("value") == 0)).then("netwgt")
        )
    )
    is_total = pl.col("partner") == 0
    is_own = pl.col("partner") == pl.col("reporter")
    is_part = ~is_total & ~is_own
    value, weight = pl.col("value"), pl.col("netwgt")
    return (
        rows.group_by(SLICE)
        .agg(
            value_total=value.filter(is_total).first(),
            value_parts=value.filter(~is_total).sum(),
            weight_total=weight.filter(is_total).first(),
            weight_parts=weight.filter(~is_total).sum(),
            supplied=weight.filter(is_part).sum(),
            covered=value.filter(is_part & weight.is_not_null()).sum()
            / value.filter(is_part).sum(),
            parts=(~is_total).sum(),
            is_complete=weight.filter(~is_total).null_count() == 0,
            is_in_grams=(weight.round() != weight).any(),
        )
        .with_columns(
            rounding=pl.max_horizontal(
                pl.col("weight_total") * 1e-3,
                (pl.col("parts") + 1) * pl.when("is_in_grams").then(0.0005).otherwise(0.5),
            )
        )
    )


def disagrees_by_weight() -> pl.Expr:
    excess = pl.col("weight_parts") - pl.col("weight_total")
    is_short = pl.col("is_complete") & (-excess > pl.col("rounding"))
    return ((excess > pl.col("rounding")) | is_short).fill_null(False)


@pytest.fixture(scope="module")
def found(published: tuple[Path, str]) -> Iterator[Callable[[str], pl.DataFrame]]:
    with duckdb.connect(str(published[0] / "kido.duckdb"), read_only=True) as connection:
        yield lambda query: connection.sql(query).pl()


def test_every_slice_that_adds_up_is_published_with_its_printed_total(
    found: Callable[[str], pl.DataFrame], expected: pl.DataFrame
) -> None:
    """By value all 3,987 totals of the year agree with their parts."""
    off = (pl.col("value_total") - pl.col("value_parts")).abs()
    tenths_of_cents = (pl.col("parts") + 1) * 0.0005 + 1e-9
    rounding = pl.max_horizontal(1e-4 * pl.col("value_total"), tenths_of_cents)
    assert expected.filter(off > rounding).is_empty()
    totals = found(
        """
        select
            cast(economies.comtrade_code as bigint) as reporter,
            commodity_code as cmd,
            case flow when 'import' then 'M' when 'export' then 'X' end as flow,
            value_usd
        from trade.reported_flows as flows
        inner join reference.economies on flows.reporter_iso3 = economies.economy_iso3
        where source = 'comtrade' and frequency = 'A' and partner_iso3 = 'WLD'
        """
    )
    both = expected.join(totals, on=SLICE, how="full", coalesce=True)
    assert both.height == expected.height
    assert both.filter(pl.col("value_usd").ne_missing(pl.col("value_total"))).is_empty()


def test_shares_sum_to_one_within_the_rounding_that_is_stated(
    found: Callable[[str], pl.DataFrame],
) -> None:
    sums = found(
        """
        select measure, abs(sum(share) - 1) as off, sum(amount) as amount, count(*) as parts
        from dependency.supplier_shares
        where source = 'comtrade'
        group by importer_iso3, mineral_group, frequency, period_start, measure
        """
    )
    assert sums.height > 300
    relative = pl.when(pl.col("measure") == "value_usd").then(1e-4).otherwise(1e-3)
    whole_units = (pl.col("parts") + 1) / 2 / pl.col("amount")
    assert sums.filter(pl.col("off") > pl.max_horizontal(relative, whole_units)).is_empty()


def test_weights_are_those_of_the_partners_where_the_total_has_none(
    found: Callable[[str], pl.DataFrame], expected: pl.DataFrame
) -> None:
    without = expected.filter(
        pl.col("weight_total").is_null(), pl.col("flow") == "M", pl.col("covered") >= 0.95
    )
    shares = found(
        """
        select
            cast(economies.comtrade_code as bigint) as reporter,
            substr(mineral_group, 4) as cmd,
            sum(amount) as kg
        from dependency.supplier_shares as shares
        inner join reference.economies on shares.importer_iso3 = economies.economy_iso3
        where
            source = 'comtrade' and frequency = 'A' and measure = 'net_weight_kg'
            and starts_with(mineral_group, 'hs_')
        group by all
        """
    )
    both = without.filter(pl.col("supplied") > 0).join(shares, on=["reporter", "cmd"], how="left")
    assert both.height >= 25
    assert both.filter(
        ((pl.col("kg") / pl.col("supplied") - 1).abs() > 1e-9).fill_null(True)
    ).is_empty()


def test_what_is_set_apart_is_a_line_for_each_rule_and_loses_its_weights_only(
    published: tuple[Path, str], found: Callable[[str], pl.DataFrame], expected: pl.DataFrame
) -> None:
    """Mexico's magnets among them: 333 million dollars with a printed weight of 1 kg."""
    off = expected.filter(disagrees_by_weight())
    assert off.filter(reporter=484, cmd="850511", flow="M", weight_total=1).height == 1
    checks = found(
        """
        select check_name, severity, failing_rows, observed from catalog.checks
        where check_name like 'totals_by_%_agree_with_their_parts' order by 1
        """
    )
    assert checks["failing_rows"].to_list() == [0, off.height]
    assert checks["severity"].to_list() == ["warn", "warn"]
    assert f"totals_by_weight_agree_with_their_parts: {checks['observed'][1]}" in published[1]
    weights = found(
        """
        select
            cast(economies.comtrade_code as bigint) as reporter,
            commodity_code as cmd,
            case flow when 'import' then 'M' when 'export' then 'X' end as flow,
            count(net_weight_kg) as weights
        from trade.reported_flows as flows
        inner join reference.economies on flows.reporter_iso3 = economies.economy_iso3
        where source = 'comtrade' and frequency = 'A'
        group by all
        """
    )
    without = weights.filter(weights=0).join(expected, on=SLICE)
    is_set_apart = disagrees_by_weight()
    assert without.filter(is_set_apart).height == off.height
    assert without.filter(~is_set_apart & (pl.col("weight_parts") > 0)).is_empty()


def test_the_month_is_published_too(found: Callable[[str], pl.DataFrame]) -> None:
    """All of its flows, by reporter, to the cent."""
    month = list(flows_of_the_month())
    expected = (
        pl.DataFrame(
            [(flow.reporter, flow.flow, flow.value) for flow in month],
            schema=["reporter", "flow", "declared"],
            orient="row",
        )
        .group_by("reporter", "flow")
        .agg(pl.col("declared").sum())
    )
    published = found(
        """
        select
            cast(economies.comtrade_code as bigint) as reporter,
            case flow when 'import' then 'M' when 'export' then 'X' end as flow,
            sum(value_usd) as value_usd
        from trade.reported_flows as flows
        inner join reference.economies on flows.reporter_iso3 = economies.economy_iso3
        where source = 'comtrade' and frequency = 'M'
        group by all
        """
    )
    both = expected.join(published, on=["reporter", "flow"], how="full")
    assert both.height == expected.height == published.height
    off = (pl.col("declared") - pl.col("value_usd")).abs()
    assert both.filter((off > 0.01).fill_null(True)).is_empty()


def test_a_scenario_starts_from_what_customs_declared(
    found: Callable[[str], pl.DataFrame],
) -> None:
    """China stops: what is lost is what the importer declared from it, and the rest is all there
    is."""
    lost = found(
        """
        select
            results.scenario_value as lost,
            any_value(shares.source) as source,
            sum(shares.amount) filter (shares.supplier_iso3 = 'CHN')
            / case results.measure when 'value_usd' then 1 else 1000 end as declared
        from dependency.scenario_results as results
        inner join dependency.supplier_shares as shares
            using (importer_iso3, mineral_group, measure)
        where
            results.scenario = 'china_stops_to_japan'
            and results.year = 2027
            and starts_with(results.metric, 'lost_')
            and shares.frequency = 'A'
            and year(shares.period_start) = results.baseline_year
        group by results.mineral_group, results.measure, results.scenario_value
        """
    )
    assert "comtrade" in set(lost["source"])
    assert lost.filter((pl.col("lost") / pl.col("declared") - 1).abs() > 1e-9).is_empty()
    sums = found(
        """
        select
            sum(scenario_value) as shares,
            count(*) filter (where scenario_value is null) as unknown
        from dependency.scenario_results
        where starts_with(metric, 'supplier_share_')
        group by scenario, mineral_group, measure, year
        having sum(scenario_value) is not null
        """
    )
    whole = sums.filter(pl.col("unknown") == 0)
    assert whole.height > 10
    assert whole.filter((pl.col("shares") - 1).abs() > 1e-9).is_empty()
    # Who may be among the suppliers that are not published has the rest.
    assert sums.filter(pl.col("unknown") > 0, pl.col("shares") >= 1 + 1e-9).is_empty()


def test_alternatives_hold_beside_raw_figures(found: Callable[[str], pl.DataFrame]) -> None:
    """They are of BACI, whose year is whole: no share above one, and no exporter twice."""
    rows = found("select * from dependency.alternatives")
    assert rows.height > 10_000
    assert rows.filter(pl.max_horizontal("share_of_importer", "share_of_world") > 1).is_empty()
    assert not rows.select("importer_iso3", "hs6_code", "supplier_iso3").is_duplicated().any()
