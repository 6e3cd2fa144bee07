"""Losses for readers are reported in sentences, and only these."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest

from dagster_project.serving import gate

RIGHT = ("un-1", "un", "flows.csv")
SLIP = ("un-2", "un", "slip.csv")
OTHER = ("bank-1", "bank", "prices.csv")
ECONOMIES = [f"E{number:02}" for number in range(100)]

FLOWS = pl.DataFrame(
    [
        {
            "source": "un", "reporter_iso3": economy, "partner_iso3": partner, "flow": "import",
            "commodity_code": code, "frequency": "A", "period_start": date(year, 1, 1),
            "value_usd": 10.0,
        }
        for economy in ECONOMIES
        for partner in ("CHN", "WLD")
        for code in ("280530", "850511")
        for year in (2023, 2024)
    ]
)  # fmt: skip
"""A hundred economies, each with one supplier and the printed total of it: 800 rows."""

PRICES = pl.DataFrame(
    [
        {
            "source": "bank", "instrument": instrument, "price_date": date(year, month, 1),
            "close": 100.0 + month,
        }
        for instrument in ("copper", "nickel")
        for year in (2024, 2025)
        for month in range(1, 13)
    ]
)  # fmt: skip
SHARES = pl.DataFrame(
    [
        {
            "source": "un", "importer_iso3": "JPN", "mineral_group": "magnets", "frequency": "A",
            "period_start": date(2024, 1, 1), "measure": "value_usd", "supplier_iso3": supplier,
            "amount": share * 1000, "share": share,
        }
        for supplier, share in (("CHN", 0.6), ("VNM", 0.3), ("PHL", 0.1))
    ]
)  # fmt: skip


def warehouse(
    path: Path,
    marts: Mapping[str, pl.DataFrame],
    snapshots: list[tuple[str, str, str]] | None = None,
    *,
    contract: str = "1.0",
) -> Path:
    """A published or built file with these marts, made from these snapshots."""
    with duckdb.connect(str(path)) as connection:
        for schema in ("trade", "market", "dependency", "exposure", "catalog"):
            connection.execute(f"create schema {schema}")
        for name, rows in marts.items():
            connection.register("rows", rows.to_arrow())
            connection.execute(f"create table {name} as from rows")
        connection.execute(
            "create table catalog.releases as select '20261125T120000-abcdef' as release_id, "
            f"timestamp '2026-11-25 12:00:00' as published_at, '{contract}' as contract_version"
        )
        if snapshots is not None:
            connection.execute(
                "create table catalog.snapshots "
                "(snapshot_id varchar, source varchar, document varchar)"
            )
            for snapshot in snapshots:
                connection.execute("insert into catalog.snapshots values (?, ?, ?)", snapshot)
    return path


NOT_COMPARED = {"compared": False}
CHOSEN = {"chooses_source": True}
METAS = {
    "catalog.releases": NOT_COMPARED,
    "catalog.snapshots": NOT_COMPARED,
    "exposure.early_warnings": {"compared": "count"},
    "exposure.importer_exposure": CHOSEN,
    "market.prices": CHOSEN,
    "dependency.shares": CHOSEN,
    "dependency.supplier_shares": {**CHOSEN, "shows_moves": True},
}
"""What the models of these marts declare."""


def compare(*files: object, **given: object) -> gate.ReleaseComparison:
    """Two files compared, with what the models of their marts declare."""
    return gate.compare(*files, **{"metas": METAS, "contract_version": "1.0", **given})  # type: ignore[arg-type]


MARTS = {
    "trade.reported_flows": FLOWS,
    "market.prices": PRICES,
    "dependency.supplier_shares": SHARES,
}


class Two:
    """The release that readers see, and builds to compare with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.before = warehouse(folder / "before.duckdb", MARTS, [RIGHT, OTHER])

    def compare(
        self, snapshots: list[tuple[str, str, str]] | None = None, **marts: pl.DataFrame
    ) -> gate.ReleaseComparison:
        names = {name.split(".")[1]: name for name in MARTS}
        changed = {names[name]: rows for name, rows in marts.items()}
        after = self.folder / "after.duckdb"
        after.unlink(missing_ok=True)
        warehouse(after, {**MARTS, **changed}, snapshots or [RIGHT, OTHER])
        return compare(self.before, after)


@pytest.fixture
def two(tmp_path: Path) -> Two:
    return Two(tmp_path)


def kinds(compared: gate.ReleaseComparison) -> list[str]:
    return [loss.kind for loss in compared.losses]


def sentence(compared: gate.ReleaseComparison, kind: gate.Kind) -> str:
    """The one sentence of that kind."""
    (found,) = [loss.sentence for loss in compared.losses if loss.kind == kind]
    return found


def in_year(year: int, code: str = "850511") -> pl.Expr:
    return (pl.col("period_start") == date(year, 1, 1)) & (pl.col("commodity_code") == code)


def without(economies: int, where: pl.Expr) -> pl.DataFrame:
    """The flows without those of the first so many economies, where a condition holds."""
    return FLOWS.filter(~(pl.col("reporter_iso3").is_in(ECONOMIES[:economies]) & where))


def times(factor: float, where: pl.Expr) -> pl.DataFrame:
    return FLOWS.with_columns(
        value_usd=pl.when(where).then(pl.col("value_usd") * factor).otherwise("value_usd")
    )


def prices_times(factor: float, where: pl.Expr) -> pl.DataFrame:
    return PRICES.with_columns(
        close=pl.when(where).then(pl.col("close") * factor).otherwise("close")
    )


# What counts as a loss.


def test_an_equal_build_loses_nothing_and_is_reported(two: Two) -> None:
    compared = two.compare()
    assert compared.losses == []
    assert compared.in_words == ""
    assert "no snapshot was added or removed" in compared.page
    assert "Every mart has as many rows" in compared.page
    assert "|" not in compared.page


def test_a_mart_with_the_hash_of_the_release_is_not_compared(two: Two) -> None:
    """The hashes are taken on trust: these are of other rows."""
    after = two.folder / "after.duckdb"
    warehouse(after, {**MARTS, "market.prices": prices_times(1000, pl.lit(value=True))}, [OTHER])
    rows = {"trade.reported_flows": "a", "market.prices": "b"}

    def with_prices(hash_of_prices: str | None) -> list[str]:
        made = {**rows, "market.prices": hash_of_prices} if hash_of_prices else {}
        compared = compare(
            two.before, after, contents=lambda file: rows if file == two.before else made
        )
        return [loss.kind for loss in compared.losses if "market.prices" in loss.sentence]

    assert with_prices("b") == []
    assert with_prices("c")
    assert with_prices("c") == with_prices(None)


def test_rows_may_go_up_to_a_twentieth_of_a_source(two: Two) -> None:
    # Two rows of each economy, the printed total among them: 40 of 800 rows.
    assert two.compare(reported_flows=without(20, in_year(2023))).losses == []
    compared = two.compare([RIGHT, SLIP, OTHER], reported_flows=without(21, in_year(2023)))
    assert kinds(compared) == ["rows_are_kept"]
    assert sentence(compared, "rows_are_kept") == (
        "trade.reported_flows of un would have 758 of 800 rows (brought by un-2 (slip.csv))."
    )


def test_a_view_with_names_adds_no_loss_to_that_of_its_table(two: Two, tmp_path: Path) -> None:
    """Not even of a table whose rows come and go by themselves."""
    few = without(21, in_year(2023))
    after = warehouse(
        tmp_path / "with views.duckdb",
        {**MARTS, "trade.reported_flows": few, "exposure.early_warnings": few.head(1)},
        [RIGHT, SLIP, OTHER],
    )
    with duckdb.connect(str(two.before)) as before:
        before.register("rows", FLOWS.to_arrow())
        before.execute("create table exposure.early_warnings as from rows")
    for file in (two.before, after):
        with duckdb.connect(str(file)) as connection:
            for table in ("trade.reported_flows", "exposure.early_warnings"):
                connection.execute(f"create view {table}_named as from {table}")
    compared = compare(two.before, after)
    assert sentence(compared, "rows_are_kept").startswith("trade.reported_flows of un would have")
    assert kinds(compared) == ["rows_are_kept"]


def test_rows_that_say_that_nothing_is_known_may_go(tmp_path: Path) -> None:
    """As when a year of BACI lands, in which most economies bought nothing of a code; but a figure
    that is not known any more is a loss, although its row stays."""

    def exposure(name: str, known: int, unknown: int) -> Path:
        rows = [
            {
                "importer_iso3": f"E{number}",
                "commodity_code": "280530",
                "exposed_value_low_usd": 1.0 if number < known else None,
                "reason": None if number < known else "no_figures",
            }
            for number in range(known + unknown)
        ]
        return warehouse(
            tmp_path / name,
            {
                "exposure.importer_exposure": pl.DataFrame(
                    rows, schema_overrides={"reason": pl.String}
                )
            },
            [],
        )

    before = exposure("before.duckdb", 100, 100)
    learned = compare(before, exposure("learned.duckdb", 100, 0))
    assert learned.losses == []
    forgotten = compare(before, exposure("forgotten.duckdb", 90, 110))
    assert sentence(forgotten, "rows_are_kept").startswith(
        "exposure.importer_exposure would have 90 of 100 rows"
    )


def test_rows_of_one_source_are_not_made_up_by_another(two: Two) -> None:
    more = FLOWS.with_columns(source=pl.lit("customs"))
    compared = two.compare(reported_flows=pl.concat([without(21, in_year(2023)), more]))
    assert kinds(compared) == ["rows_are_kept"]


def test_economies_may_go_up_to_a_fiftieth(two: Two) -> None:
    assert two.compare(reported_flows=without(2, pl.lit(True))).losses == []
    compared = two.compare([OTHER], reported_flows=without(3, pl.lit(True)))
    assert kinds(compared) == ["economies_are_kept"]
    assert sentence(compared, "economies_are_kept") == (
        "trade.reported_flows of un would have 97 of 100 economies (gone with un-1 (flows.csv))."
    )


def test_a_code_that_goes_is_a_loss_and_a_new_one_is_none(two: Two) -> None:
    rare = FLOWS.head(1).with_columns(commodity_code=pl.lit("811292"))
    assert two.compare(reported_flows=pl.concat([FLOWS, rare])).losses == []
    one = (pl.col("instrument") == "nickel") & (pl.col("price_date") > date(2024, 1, 1))
    only = PRICES.filter(pl.col("instrument") == "copper")
    compared = two.compare(prices=only)
    assert sentence(compared, "codes_are_kept") == (
        "market.prices would lose 1 code: nickel "
        "(no snapshot was added or removed: the code or the day changed)."
    )
    assert "codes_are_kept" not in kinds(two.compare(prices=PRICES.filter(~one)))


@pytest.mark.parametrize("source", ["mine", "bank, mine", ""])
def test_no_figure_and_no_code_of_a_private_source_is_in_the_comparison(
    tmp_path: Path, source: str
) -> None:
    """Also where a row is of several sources, or names none and may be of it."""

    def prices(name: str, snapshot: str, *rows: tuple[str, int, float]) -> Path:
        frame = pl.DataFrame(
            [
                {"source": source, "instrument": instrument, "price_date": date(year, 3, 1),
                 "close": close}
                for instrument, year, close in rows
            ]
        )  # fmt: skip
        snapshots = [(snapshot, "mine", "my_prices.csv")]
        return warehouse(tmp_path / name, {"market.prices": frame}, snapshots)

    known = [("CANARY", 2023, 918273645.0), ("SECRET", 2023, 918273645.0)]
    before = prices("before", "m1", *known)
    after = prices("after", "m2", ("CANARY", 2023, 1.5), ("CANARY", 2024, 918273645.0))
    metas = {"catalog.releases": NOT_COMPARED, "catalog.snapshots": NOT_COMPARED}
    sources = {"market.prices": ["bank", "mine"]}
    given = {"metas": metas, "sources_of": sources}
    shown = compare(before, after, **given)
    hidden = compare(before, after, private={"mine", "gta"}, **given)
    assert kinds(hidden) == kinds(shown)
    assert {"codes_are_kept", "magnitudes_are_kept"} <= set(kinds(hidden))
    canaries = re.compile(r"918,273|\b1\.5\b|CANARY|SECRET")
    for words, is_there in ((shown, True), (hidden, False)):
        text = " ".join([words.in_words, words.page, *words.sentences(gate.NEWS)])
        assert bool(canaries.search(text)) == is_there
    assert "1 code: not shown, since of a private source (" in hidden.in_words
    of_source = f" of {source}" if source else ""
    for measure in ("highest close", "lowest close"):
        assert (
            f"2 totals of {measure} in market.prices{of_source} would change: figures not shown, "
            "since of a private source ("
        ) in hidden.in_words


def test_new_totals_of_a_private_source_are_counted_in_one_sentence(tmp_path: Path) -> None:
    def prices(name: str, *years: int) -> Path:
        rows = [
            {"source": "mine", "instrument": instrument, "price_date": date(year, 3, 1),
             "close": 10.0 if year == 2023 else 73.0}
            for instrument in ("CANARY", "SECRET", "OTHER")
            for year in years
        ]  # fmt: skip
        snapshots = [(f"m{len(years)}", "mine", "my_prices.csv")]
        return warehouse(tmp_path / name, {"market.prices": pl.DataFrame(rows)}, snapshots)

    known, added = prices("before", 2023), prices("after", 2023, 2024)
    assert len(compare(known, added).news) == 6
    highest, lowest = compare(known, added, private={"mine"}).sentences(gate.NEWS)
    assert highest == (
        "highest close of 2024 in market.prices: 3 totals step, figures not shown, since "
        "of a private source (gone with m1 (my_prices.csv), brought by m2 (my_prices.csv))."
    )
    assert lowest.startswith("lowest close of 2024 in market.prices: 3 totals step, ")


def test_a_basket_is_kept_where_its_codes_are(tmp_path: Path) -> None:
    def exposed(name: str, *codes: tuple[str, list[str]]) -> Path:
        rows = [
            {"importer_iso3": "JPN", "commodity_code": code, "is_basket": len(parts) > 1,
             "hs6_codes": parts, "baseline_value_usd": 1.0}
            for code, parts in codes
        ]  # fmt: skip
        return warehouse(tmp_path / name, {"exposure.importer_exposure": pl.DataFrame(rows)}, [])

    basket = exposed("basket", ("rare_earths", ["280530", "284690"]))
    codes = exposed("codes", ("280530", ["280530"]), ("284690", ["284690"]))
    one = exposed("one", ("280530", ["280530"]), ("850511", ["850511"]))
    assert compare(basket, codes).losses == []
    assert [loss.sentence.partition(" (")[0] for loss in compare(basket, one).losses] == [
        "exposure.importer_exposure would lose 1 code: 284690"
    ]


def test_a_year_that_goes_is_a_loss_and_a_new_one_is_none(two: Two) -> None:
    next_year = PRICES.filter(pl.col("price_date") >= date(2025, 1, 1)).with_columns(
        pl.col("price_date").dt.offset_by("1y")
    )
    assert two.compare(prices=pl.concat([PRICES, next_year])).losses == []
    compared = two.compare(prices=PRICES.filter(pl.col("price_date") >= date(2025, 1, 1)))
    assert "market.prices would lose 1 year: 2024 (" in sentence(compared, "periods_are_kept")


def test_a_total_may_shrink_by_three_tenths(two: Two) -> None:
    assert two.compare(reported_flows=times(0.71, in_year(2024))).losses == []
    compared = two.compare(
        [("un-3", "un", "late.csv"), OTHER], reported_flows=times(0.69, in_year(2024))
    )
    assert kinds(compared) == ["totals_are_kept"]
    # 100 flows of 10 dollars: the printed totals beside them are not added.
    assert sentence(compared, "totals_are_kept") == (
        "value_usd of 850511 in 2024 (A, import) in trade.reported_flows of un would shrink from "
        "1,000 to 690 (gone with un-1 (flows.csv), brought by un-3 (late.csv))."
    )


def test_a_year_of_one_code_that_goes_shrinks_its_total_to_nothing(two: Two) -> None:
    compared = two.compare(reported_flows=FLOWS.filter(~in_year(2024)))
    assert "would shrink from 1,000 to 0" in sentence(compared, "totals_are_kept")
    assert "periods_are_kept" not in kinds(compared)


def test_a_column_of_values_that_is_blank_shrinks_every_total(two: Two) -> None:
    blank = FLOWS.with_columns(value_usd=pl.lit(None, pl.Float64))
    found = sentence(two.compare(reported_flows=blank), "totals_are_kept")
    assert "would shrink from 1,000 to 0, and 3 more like it" in found


def test_a_total_over_few_rows_may_do_anything(two: Two, tmp_path: Path) -> None:
    few = FLOWS.filter(pl.col("reporter_iso3").is_in(ECONOMIES[:9]))
    ten = FLOWS.filter(pl.col("reporter_iso3").is_in(ECONOMIES[:10]))
    for number, (rows, expected) in enumerate(((few, []), (ten, ["totals_are_kept"]))):
        before = warehouse(tmp_path / f"before-{number}", {"trade.reported_flows": rows}, [])
        half = rows.with_columns(pl.col("value_usd") / 2)
        after = warehouse(tmp_path / f"after-{number}", {"trade.reported_flows": half}, [])
        assert kinds(compare(before, after)) == expected


@pytest.mark.parametrize("factor", [1000, 5.1, 1 / 5.1, 1 / 1000])
def test_a_total_of_another_magnitude_is_a_loss_either_way(two: Two, factor: float) -> None:
    compared = two.compare([RIGHT, SLIP, OTHER], reported_flows=times(factor, in_year(2024)))
    found = sentence(compared, "magnitudes_are_kept")
    assert found == (
        "value_usd of 850511 in 2024 (A, import) in trade.reported_flows of un would change from "
        f"1,000 to {1000 * factor:{',.0f' if factor > 0.9 else '.4g'}} "
        "(brought by un-2 (slip.csv))."
    )


@pytest.mark.parametrize("factor", [4.9, 1.0])
def test_a_total_may_grow_within_the_limit(two: Two, factor: float) -> None:
    assert two.compare(reported_flows=times(factor, in_year(2024))).losses == []


def test_a_total_that_has_more_rows_merely_grew(two: Two, tmp_path: Path) -> None:
    """A first month, and the year a few months later; ten economies, and all of them."""
    first = FLOWS.filter(pl.col("reporter_iso3").is_in(ECONOMIES[:10]))
    before = warehouse(tmp_path / "few", {"trade.reported_flows": first}, [])
    assert compare(before, two.before).losses == []


@pytest.mark.parametrize("factor", [1000, 1 / 1000])
def test_a_price_of_another_magnitude_is_a_loss_be_it_of_one_month(two: Two, factor: float) -> None:
    slip = (pl.col("instrument") == "copper") & (pl.col("price_date") == date(2025, 3, 1))
    compared = two.compare(prices=prices_times(factor, slip))
    extreme = "highest" if factor > 1 else "lowest"
    known = 112 if factor > 1 else 101
    assert sentence(compared, "magnitudes_are_kept").startswith(
        f"{extreme} close of copper in 2025 in market.prices would change from {known} to "
        f"{'103,000' if factor > 1 else '0.103'} ("
    )


def test_a_derived_price_may_be_of_another_magnitude(tmp_path: Path) -> None:
    """The value of a kilogram in a small trade is; the flows it is made of are compared."""
    prices = PRICES.with_columns(is_derived=pl.col("instrument") == "nickel")
    before, after = tmp_path / "before.duckdb", tmp_path / "after.duckdb"

    def losses(instrument: str) -> list[str]:
        step = pl.when(pl.col("instrument") == instrument).then(1000.0).otherwise(1.0)
        stepped = prices.with_columns(close=pl.col("close") * step)
        for file, found in ((before, prices), (after, stepped)):
            file.unlink(missing_ok=True)
            warehouse(file, {**MARTS, "market.prices": found}, [RIGHT, OTHER])
        return kinds(compare(before, after))

    assert "magnitudes_are_kept" in losses("copper")
    assert losses("nickel") == []


def test_prices_may_fall_within_a_year_but_no_figure_of_it_may_go(two: Two) -> None:
    low = pl.DataFrame(
        {
            "source": ["bank"], "instrument": ["copper"], "price_date": [date(2025, 12, 31)],
            "close": [40.0],
        }
    )  # fmt: skip
    assert two.compare(prices=pl.concat([PRICES, low])).losses == []
    halved = prices_times(0.5, pl.col("instrument") == "copper")
    assert "highest close of copper in 2025" in sentence(
        two.compare(prices=halved), "totals_are_kept"
    )


def test_a_new_year_is_compared_with_the_year_before_it(two: Two) -> None:
    new_flows = FLOWS.filter(in_year(2024)).with_columns(
        pl.col("period_start").dt.offset_by("1y"), value_usd=pl.col("value_usd") * 1000
    )
    found = two.compare([RIGHT, SLIP, OTHER], reported_flows=pl.concat([FLOWS, new_flows]))
    assert kinds(found) == ["magnitudes_are_kept"]
    assert sentence(found, "magnitudes_are_kept") == (
        "value_usd of 850511 in 2025 (A, import) in trade.reported_flows of un would change from "
        "1,000 to 1,000,000 against the year before (brought by un-2 (slip.csv))."
    )
    new_prices = PRICES.filter(pl.col("price_date") >= date(2025, 1, 1)).with_columns(
        pl.col("price_date").dt.offset_by("1y"), close=pl.col("close") / 1000
    )
    found = two.compare(prices=pl.concat([PRICES, new_prices]))
    assert "in 2026 in market.prices would change from 112 to 0.112 against the year " in (
        found.losses[0].sentence
    )


def test_the_first_rows_of_a_new_year_are_no_magnitude(two: Two) -> None:
    january = FLOWS.filter(
        in_year(2024) & pl.col("reporter_iso3").is_in(ECONOMIES[:12])
    ).with_columns(pl.col("period_start").dt.offset_by("1y"))
    assert two.compare(reported_flows=pl.concat([FLOWS, january])).losses == []


def test_a_source_that_goes_is_reported_once_per_kind(two: Two) -> None:
    compared = two.compare([OTHER], reported_flows=FLOWS.head(0))
    assert kinds(compared) == [
        "rows_are_kept", "economies_are_kept", "codes_are_kept", "periods_are_kept",
        "totals_are_kept",
    ]  # fmt: skip
    assert "0 of 800 rows (gone with un-1 (flows.csv))" in compared.in_words
    assert "lose 2 codes: 280530, 850511" in compared.in_words


def test_only_the_worst_are_reported_and_the_rest_counted(two: Two) -> None:
    many = pl.concat([FLOWS.with_columns(source=pl.lit(f"source{number}")) for number in range(5)])
    more = warehouse(two.folder / "many", {"trade.reported_flows": many}, [])
    none = warehouse(two.folder / "none", {"trade.reported_flows": many.head(0)}, [])
    compared = compare(more, none)
    assert len(compared.losses) == 25
    assert compared.in_words.endswith("13 more are in the comparison.")


# What is not compared, and what was never there.


def test_a_mart_and_a_column_that_go_are_a_loss_and_new_ones_are_none(tmp_path: Path) -> None:
    narrow = FLOWS.drop("value_usd", "reporter_iso3", "source").with_columns(
        period_start=pl.col("period_start").cast(pl.String)
    )
    before = warehouse(
        tmp_path / "before", {"trade.reported_flows": FLOWS, "market.prices": PRICES}, [RIGHT]
    )
    after = warehouse(
        tmp_path / "after",
        {"trade.reported_flows": narrow.head(700), "dependency.supplier_shares": SHARES},
        [RIGHT],
    )
    compared = compare(before, after)
    assert [(loss.kind, loss.sentence) for loss in compared.losses] == [
        ("tables_are_kept", "market.prices would be removed."),
        (
            "tables_are_kept",
            "trade.reported_flows would lose the columns source, reporter_iso3, value_usd.",
        ),
        (
            "tables_are_kept",
            "trade.reported_flows.period_start would change from DATE to VARCHAR.",
        ),
        (
            "rows_are_kept",
            "trade.reported_flows would have 700 of 800 rows "
            "(no snapshot was added or removed: the code or the day changed).",
        ),
    ]
    # Readers were warned by the first number of the contract; more of it is no warning.
    new = warehouse(tmp_path / "new", {"trade.reported_flows": narrow}, [RIGHT], contract="2.0")
    assert compare(before, new, contract_version="2.0").losses == []
    more = warehouse(tmp_path / "more", {"trade.reported_flows": narrow}, [RIGHT], contract="1.1")
    assert kinds(compare(before, more, contract_version="1.1")) == ["tables_are_kept"] * 3


@pytest.mark.parametrize(
    ("meta", "expected"),
    [
        ({}, ["rows_are_kept", "codes_are_kept", "periods_are_kept", "totals_are_kept"]),
        (CHOSEN, []),
        (NOT_COMPARED, []),
    ],
)
def test_figures_of_another_source_are_a_loss_unless_the_mart_chooses(
    meta: Mapping[str, bool], expected: list[str], two: Two, tmp_path: Path
) -> None:
    other = PRICES.with_columns(source=pl.lit("press"))
    after = warehouse(tmp_path / "after", {**MARTS, "market.prices": other}, [RIGHT, OTHER])
    assert kinds(compare(two.before, after, metas={**METAS, "market.prices": meta})) == expected


def test_a_mart_that_is_not_compared_may_lose_its_rows(two: Two, tmp_path: Path) -> None:
    after = warehouse(
        tmp_path / "after", {**MARTS, "market.prices": PRICES.head(1)}, [RIGHT, OTHER]
    )
    assert compare(two.before, after, metas={**METAS, "market.prices": NOT_COMPARED}).losses == []
    assert "rows_are_kept" in kinds(compare(two.before, after))


def test_moves_of_shares_are_shown_of_the_mart_that_declares_it(two: Two, tmp_path: Path) -> None:
    moved = SHARES.with_columns(share=pl.when(supplier_iso3="CHN").then(0.5).otherwise("share"))
    after = warehouse(
        tmp_path / "after", {**MARTS, "dependency.supplier_shares": moved}, [RIGHT, OTHER]
    )
    assert "60.0% → 50.0%" in compare(two.before, after).page
    silent = {**METAS, "dependency.supplier_shares": CHOSEN}
    assert "→ 50.0%" not in compare(two.before, after, metas=silent).page


def test_a_release_without_a_list_of_snapshots_is_compared_all_the_same(
    two: Two, tmp_path: Path
) -> None:
    """Releases of earlier versions of Kido are like this."""
    old = warehouse(tmp_path / "old", MARTS)
    assert gate.snapshots_of(old) == set()
    assert gate.snapshots_of(two.before) == {"un-1", "bank-1"}
    assert compare(old, two.before).losses == []
    new = warehouse(tmp_path / "new", {**MARTS, "market.prices": PRICES.head(24)}, [OTHER])
    assert "(brought by bank-1 (prices.csv))" in compare(old, new).losses[0].sentence


def without_sources(two: Two, snapshots: list[tuple[str, str, str]]) -> tuple[Path, Path]:
    """A release and a build of a mart whose rows name no source, and which has lost some."""
    files = two.folder / "before", two.folder / "after"
    for file, rows, made_from in zip(
        files, (FLOWS, FLOWS.head(700)), ([RIGHT, OTHER], snapshots), strict=True
    ):
        warehouse(file, {"trade.reported_flows": rows.drop("source")}, made_from)
    return files


def test_a_mart_without_sources_names_what_came_of_those_it_is_made_of(two: Two) -> None:
    before, after = without_sources(two, [SLIP, ("bank-2", "bank", "new.csv")])
    (first, *_) = compare(before, after).losses
    assert first.sentence.endswith(
        "700 of 800 rows (gone with bank-1 (prices.csv), gone with un-1 (flows.csv), "
        "brought by bank-2 (new.csv), brought by un-2 (slip.csv))."
    )
    sources_of = {"trade.reported_flows": {"un"}}
    (first, *_) = compare(before, after, sources_of=sources_of).losses
    assert first.sentence.endswith(
        "700 of 800 rows (gone with un-1 (flows.csv), brought by un-2 (slip.csv))."
    )


def test_what_was_withdrawn_is_no_loss_beside_the_news_of_another_source(two: Two) -> None:
    before, after = without_sources(two, [OTHER, ("bank-2", "bank", "new.csv")])
    withdrawn = {RIGHT[0]}
    assert compare(before, after, withdrawn).losses
    assert compare(before, after, withdrawn, {"trade.reported_flows": {"un"}}).losses == []
    both = {"trade.reported_flows": {"un", "bank"}}
    assert compare(before, after, withdrawn, both).losses


def test_where_one_source_is_chosen_another_may_take_its_place(two: Two) -> None:
    """The first answer of a live publisher takes rows over from the bundled figures."""
    taken_over = SHARES.with_columns(source=pl.lit("customs"))
    news = [RIGHT, OTHER, ("customs-1", "customs", "answer.json")]
    assert two.compare(news, supplier_shares=taken_over).losses == []
    flows = FLOWS.with_columns(source=pl.lit("customs"))
    assert "rows_are_kept" in kinds(two.compare(news, reported_flows=flows))


def test_what_another_source_brings_is_of_the_same_magnitude(two: Two, tmp_path: Path) -> None:
    many = pl.concat(
        [SHARES.with_columns(supplier_iso3=pl.lit(f"S{number}")) for number in range(4)]
    )
    before = warehouse(tmp_path / "before", {"dependency.supplier_shares": many}, [RIGHT])
    customs = many.with_columns(pl.col("amount") * 1000, source=pl.lit("customs"))
    after = warehouse(
        tmp_path / "after", {"dependency.supplier_shares": customs},
        [RIGHT, ("customs-1", "customs", "answer.json")],
    )  # fmt: skip
    compared = compare(before, after, sources_of={"dependency.supplier_shares": {"un", "customs"}})
    assert sentence(compared, "magnitudes_are_kept") == (
        "amount of magnets in 2024 (value_usd, A) in dependency.supplier_shares would change from "
        "4,000 to 4,000,000 (brought by customs-1 (answer.json))."
    )


def test_printed_totals_are_compared_where_a_source_has_no_others(two: Two) -> None:
    printed = FLOWS.filter(pl.col("partner_iso3") == "WLD")
    before = warehouse(two.folder / "printed", {"trade.reported_flows": printed}, [RIGHT])
    less = printed.with_columns(pl.col("value_usd") / 2)
    after = warehouse(two.folder / "less", {"trade.reported_flows": less}, [RIGHT])
    assert "would shrink from 1,000 to 500" in sentence(compare(before, after), "totals_are_kept")


def test_a_release_that_was_rolled_back_comes_back_with_all_that_brought_it(two: Two) -> None:
    def found(brought_by: list[str], *, is_same_code: bool = True) -> gate.Loss | None:
        return gate.loss_of_rollback(
            two.before, "R2", "2026-11-25", brought_by, ["un-1", "bank-1"],
            is_same_code=is_same_code,
        )  # fmt: skip

    both = found(["un-1", "bank-1"], is_same_code=False)
    assert both is not None
    assert both.sentence == (
        "Release R2 was rolled back on 2026-11-25, and its cause is still landed: bank-1, un-1."
    )
    # One of them was withdrawn: the other may stay.
    assert found(["un-1", "un-2"]) is None
    # The code brought it, or a withdrawal did.
    assert found([]) is not None
    assert found([], is_same_code=False) is None


def test_what_goes_with_nothing_but_a_withdrawn_snapshot_was_asked_for(two: Two) -> None:
    fewer, right = FLOWS.filter(pl.col("commodity_code") != "850511"), RIGHT[0]
    two.compare([OTHER], reported_flows=fewer)
    after = two.folder / "after.duckdb"
    assert compare(two.before, after).losses
    assert compare(two.before, after, {right}).losses == []
    assert "gone with" in compare(two.before, after, {right}).page
    # Another source's figures, or a snapshot that came, are nobody's wish.
    assert compare(two.before, after, {OTHER[0]}).losses
    two.compare([OTHER, SLIP], reported_flows=fewer)
    assert compare(two.before, after, {right}).losses


def test_a_path_with_a_quote_is_opened(tmp_path: Path) -> None:
    folder = tmp_path / "Kido's"
    folder.mkdir()
    before = warehouse(folder / "before", MARTS, [RIGHT])
    after = warehouse(folder / "after", MARTS, [RIGHT])
    assert compare(before, after).losses == []


# The page.


def test_the_page_has_the_counts_that_changed_and_the_shares_that_moved(two: Two) -> None:
    moved = SHARES.with_columns(
        share=pl.Series([0.2, 0.3, 0.5]), amount=pl.Series([200.0, 300.0, 500.0])
    )
    compared = two.compare(
        [RIGHT, SLIP, OTHER],
        reported_flows=without(3, pl.lit(True)), supplier_shares=moved,
    )  # fmt: skip
    lines = compared.page.splitlines()
    assert lines[0] == (
        "Compared with release 20261125T120000-abcdef of 2026-11-25 12:00 UTC: "
        "brought by un-2 (slip.csv)."
    )
    assert "| mart | source | rows | economies | codes | years |" in lines
    assert "| trade.reported_flows | un | 800 → 776 | 100 → 97 | 2 | 2 |" in lines
    assert not [line for line in lines if line.startswith("| market.prices")]
    at = lines.index("| importer | group | period | measure | supplier | share |")
    assert lines[at + 2 :] == [
        "| JPN | magnets | 2024-01-01 | value_usd | CHN | 60.0% → 20.0% |",
        "| JPN | magnets | 2024-01-01 | value_usd | PHL | 10.0% → 50.0% |",
    ]


# What was rolled back.


def test_a_build_of_what_brought_a_release_that_was_rolled_back_is_named(two: Two) -> None:
    after = warehouse(two.folder / "again", MARTS, [RIGHT, SLIP])
    loss = gate.loss_of_rollback(
        after, "R2", "2026-11-25 12:00 UTC", ["un-2"], ["un-1", "un-2"], is_same_code=False
    )
    assert loss is not None
    assert loss.kind == "is_not_rolled_back"
    assert loss.sentence == (
        "Release R2 was rolled back on 2026-11-25 12:00 UTC, and its cause is still landed: un-2."
    )
    for is_same_code in (False, True):
        assert not gate.loss_of_rollback(
            two.before, "R2", "then", ["un-2"], ["un-1", "un-2"], is_same_code=is_same_code
        )


def test_where_no_snapshot_brought_it_the_same_documents_and_code_do(two: Two) -> None:
    def common(*made_from: str, is_same_code: bool = True) -> bool:
        loss = gate.loss_of_rollback(
            two.before, "R2", "then", [], made_from, is_same_code=is_same_code
        )
        return loss is not None and "this build has the same documents and code" in loss.sentence

    assert common("bank-1", "un-1")
    assert not common("bank-1", "un-1", is_same_code=False)
    # A release of a past day was made from less, an earlier one from what is withdrawn since.
    assert not common("un-1")
    assert not common("bank-1", "un-1", "un-2")


EXPOSED = pl.DataFrame(
    [
        {"importer_iso3": economy, "commodity_code": "280530", "source": source}
        for economy in ECONOMIES
        for source in ("un", "bank")
    ]
)


def exposures_compared(tmp_path: Path, name: str, after: pl.DataFrame) -> gate.ReleaseComparison:
    return compare(
        warehouse(tmp_path / "before.duckdb", {name: EXPOSED}, [RIGHT, OTHER]),
        warehouse(tmp_path / "after.duckdb", {name: after}, [RIGHT, OTHER]),
    )


def test_a_warning_that_ended_is_no_loss_and_an_exposure_that_is_gone_is(tmp_path: Path) -> None:
    for number, (name, is_lost) in enumerate(
        (("exposure.early_warnings", False), ("exposure.importer_exposure", True))
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        found = exposures_compared(folder, name, EXPOSED.head(10))
        assert bool(found.losses) == is_lost, name
        # How many there are is shown of both.
        assert f"| {name} |" in found.page


def test_an_exposure_may_be_of_another_source(tmp_path: Path) -> None:
    """The chosen source of a figure gives way to a better one; that of a declared flow does not."""
    other = EXPOSED.with_columns(source=pl.lit("un"))
    for number, (name, is_lost) in enumerate(
        (("exposure.importer_exposure", False), ("trade.reported_flows", True))
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert bool(exposures_compared(folder, name, other).losses) == is_lost, name


def test_rows_that_name_no_source_are_compared_too(tmp_path: Path) -> None:
    before = EXPOSED.with_columns(source=pl.lit(None, pl.String))
    found = compare(
        warehouse(tmp_path / "before.duckdb", {"trade.flows": before}, [RIGHT]),
        warehouse(tmp_path / "after.duckdb", {"trade.flows": before.head(10)}, [RIGHT]),
    )
    assert any("10 of 200 rows" in loss.sentence for loss in found.losses)
    assert "| trade.flows |" in found.page
