"""The page of answers on small published files made by hand, with what a day may lack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.serving.answers import (
    Answers,
    Line,
    answers,
    answers_markdown,
    bars,
    headline,
    print_answers,
)
from tests import contract

Rows = Sequence[Mapping[str, Any]]

RELEASE = {"release_id": "20261125T000000-abc", "as_of": date(2026, 11, 25)}
SOURCES = [
    {"source": name, "title": name.upper(), "last_vintage_at": datetime(2026, 1, 31)}
    for name in ("comtrade_baskets", "baci", "usgs_mcs", "ec_crm", "catalogue", "equity_indices")
]
ECONOMIES = [
    {"economy_iso3": code, "name": name}
    for code, name in (("CHN", "China"), ("VNM", "Viet Nam"), ("PHL", "Philippines"))
]


def published(folder: Path, **tables: Rows) -> Path:
    """A file with every contracted table, empty but for these rows (`schema__table=...`)."""
    file = folder / "kido.duckdb"
    filled: dict[str, Rows] = {
        "catalog.releases": [RELEASE],
        "catalog.sources": SOURCES,
        "reference.economies": ECONOMIES,
        **{name.replace("__", "."): rows for name, rows in tables.items()},
    }
    with duckdb.connect(str(file)) as connection:
        for table, columns in contract.published().items():
            every = ", ".join(f'"{name}" {dtype}' for name, dtype in columns.items())
            connection.execute(f"create schema if not exists {table.split('.')[0]}")
            connection.execute(f"create table {table} ({every})")
            for row in filled.get(table, ()):
                names = ", ".join(f'"{name}"' for name in row)
                marks = ", ".join("?" for _ in row)
                connection.execute(
                    f"insert into {table} ({names}) values ({marks})", list(row.values())
                )
    return file


def line_of(found: Answers, subject: str) -> Line:
    (line,) = [line for line in found.lines if subject in line.subject]
    return line


def imports(
    group: str, year: int, total: float, *, source: str = "baci", measure: str = "value_usd",
    **shares: float,
) -> tuple[Rows, Rows]:  # fmt: skip
    """Rows of `supplier_shares` and of `import_concentration` for Japan, largest first."""
    grain = {
        "importer_iso3": "JPN", "mineral_group": group, "frequency": "A",
        "period_start": date(year, 1, 1), "measure": measure, "source": source,
    }  # fmt: skip
    first = max(shares, key=lambda name: shares[name])
    return (
        [
            {**grain, "supplier_iso3": name, "share": share, "supplier_rank": rank}
            for rank, (name, share) in enumerate(shares.items(), start=1)
        ],
        [
            {
                **grain, "total_amount": total, "hhi": sum(one**2 for one in shares.values()),
                "top_supplier_iso3": first, "top_supplier_share": shares[first],
            }
        ],
    )  # fmt: skip


def dependency(*parts: tuple[Rows, Rows]) -> dict[str, Rows]:
    return {
        "dependency__supplier_shares": [row for shares, _ in parts for row in shares],
        "dependency__import_concentration": [row for _, totals in parts for row in totals],
    }


def exports(*months: tuple[int, int, float | None], partner: str = "JPN") -> Rows:
    return [
        {
            "source": "comtrade_baskets", "reporter_iso3": "CHN", "partner_iso3": partner,
            "flow": "export", "commodity_code": "811292", "frequency": "M",
            "period_start": date(year, month, 1), "value_usd": 1000.0, "net_weight_kg": weight,
            "vintage_at": datetime(2025, 4, 1),
        }
        for year, month, weight in months
    ]  # fmt: skip


def test_a_warehouse_without_figures_reports_it_thirteen_times_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = published(tmp_path)
    found = answers(file)
    assert len(found.lines) == 13
    assert {line.figure for line in found.lines} == {"–"}
    assert found.year is None
    assert answers_markdown(found).startswith("## Japan: ")
    assert "–" in headline(found)
    print_answers(file)
    output = capsys.readouterr().out
    assert "No published statement was known on that day." in output
    assert " 0 " not in output


def test_the_year_is_that_of_the_rare_earths_whatever_else_is_newer(tmp_path: Path) -> None:
    found = answers(
        published(
            tmp_path,
            **dependency(
                imports("rare_earths", 2024, 442.7e6, source="comtrade_baskets", CHN=0.44),
                imports("rare_earths", 2024, 22.4e6, source="comtrade_baskets",
                        measure="net_weight_kg", CHN=0.713),
                imports("hs_850511", 2024, 1e6, PHL=0.4, VNM=0.3, CHN=0.2),
                imports("hs_810194", 2024, 1e6, CHN=0.99),
                imports("hs_850511", 2025, 1e6, CHN=0.9),
            ),
        )
    )  # fmt: skip
    assert found.name == "Japan 2024"
    assert headline(found) == (
        "rare earths from China: 71.3 % by weight (of 22,400 t in 2024), "
        "44.0 % by value (of USD 442.7 m in 2024)"
    )
    # One code of 2025 is no year of codes.
    assert "first in 1 of 2 codes in 2024" in line_of(found, "one supplier").detail


def of_importer(importer: str, total: float, coverage: float, **shares: float) -> tuple[Rows, Rows]:
    """Rare earths of 2024 by value of another importer than Japan."""
    listed, totals = imports("rare_earths", 2024, total, source="comtrade_baskets", **shares)
    return (
        [{**row, "importer_iso3": importer} for row in listed],
        [{**row, "importer_iso3": importer, "partner_coverage_share": coverage} for row in totals],
    )


def test_of_other_importers_an_unpublished_partner_is_not_shown_as_none(tmp_path: Path) -> None:
    """Viet Nam publishes all partners and China is none of them; of the Philippines a part is
    published, and China may be in the rest. China's own imports say nothing.
    """
    found = answers(
        published(
            tmp_path,
            **dependency(
                imports("rare_earths", 2024, 9e6, source="comtrade_baskets", CHN=0.44),
                of_importer("VNM", 3e6, 1.0, PHL=1.0),
                of_importer("PHL", 2e6, 0.6, VNM=0.6),
                of_importer("CHN", 99e6, 1.0, VNM=1.0),
            ),
        )
    )
    line = line_of(found, "beside Japan")
    assert line.figure == "Viet Nam 0.0 %, Philippines –"
    assert line.detail == (
        "China apart, the largest first; – where China is not among the partners published"
    )


def test_a_year_without_figures_is_a_gap_in_the_magnets_and_no_zero(tmp_path: Path) -> None:
    found = answers(
        published(
            tmp_path,
            **dependency(
                imports("permanent_magnets", 2020, 1e6, source="baci_top_flows", CHN=0.3),
                imports("permanent_magnets", 2021, 1e6, source="baci_top_flows", PHL=0.9),
                imports("permanent_magnets", 2024, 1e6, PHL=0.4, CHN=0.2),
            ),
        )
    )
    line = line_of(found, "Magnet imports")
    assert line.figure == "Philippines 40.0 %, China 20.0 %"
    assert line.trend is not None
    assert list(line.trend.values) == [0.3, 0.0, None, None, 0.2]
    assert (line.trend.first, line.trend.last) == ("2020", "2024")


def test_the_price_of_a_year_stands_beside_the_highest(tmp_path: Path) -> None:
    found = answers(
        published(
            tmp_path,
            reference__instruments=[{"instrument": "DYSPROSIUM_OXIDE", "frequency": "A"}],
            market__prices=[
                {"instrument": "DYSPROSIUM_OXIDE", "price_date": date(year, 1, 1),
                 "close": close, "unit": "USD per kg", "source": "usgs_mcs"}
                for year, close in ((2021, 410.0), (2022, 382.0), (2023, 330.0))
            ],
        )
    )  # fmt: skip
    line = line_of(found, "Dysprosium")
    assert line.figure == "330 USD per kg"
    assert line.detail == "in 2023; the most was 410 in 2021"


def arrivals(*months: tuple[int, int, float | None]) -> Rows:
    return [
        {
            "source": "baci", "reporter_iso3": "GBR", "partner_iso3": "CHN", "flow": "import",
            "commodity_code": "rare_earth_magnets", "frequency": "M",
            "period_start": date(year, month, 1), "net_weight_kg": weight,
            "vintage_at": datetime(2026, 10, 1),
        }
        for year, month, weight in months
    ]  # fmt: skip


def test_what_arrived_after_the_measure_stands_beside_what_was_usual(tmp_path: Path) -> None:
    """Tonnes of HMRC: 79.5 in the month of the measure, 58.5 two months on, 135.8 in November."""
    rows = arrivals(
        (2025, 3, 70_000), (2025, 4, 79_479), (2025, 6, 58_524), (2025, 7, None),
        (2025, 11, 135_825),
    )  # fmt: skip
    line = line_of(answers(published(tmp_path, trade__reported_flows=rows)), "United Kingdom")
    assert line.figure == "135.8 t in 2025-11"
    assert line.detail == (
        "least since the measure of 2025-04: 58.5 t in 2025-06, 74.7 t in the middle month before"
    )
    assert line.trend is not None
    assert list(line.trend.values)[:4] == [70_000, 79_479, None, 58_524]


def test_a_trend_does_not_run_across_a_break_of_the_nomenclature(tmp_path: Path) -> None:
    tables = dependency(
        *(imports("rare_earths", year, 1e6, CHN=share)
          for year, share in ((2018, 0.9), (2019, 0.8), (2020, 0.3), (2021, 0.4)))
    )  # fmt: skip
    shares = [
        {**row, "comparable_since": date(2020, 1, 1) if row["period_start"].year >= 2020 else None}
        for row in tables["dependency__supplier_shares"]
    ]
    found = answers(published(tmp_path, **{**tables, "dependency__supplier_shares": shares}))
    line = line_of(found, "Rare-earth imports from China, by value")
    assert line.trend is not None
    assert (line.trend.first, list(line.trend.values)) == ("2020", [0.3, 0.4])


def test_of_a_list_of_the_largest_flows_no_index_is_printed(tmp_path: Path) -> None:
    shares, totals = imports("permanent_magnets", 2021, 5e8, source="baci", PHL=0.4, CHN=0.3)
    found = answers(
        published(tmp_path, **dependency((shares, [{**row, "hhi": None} for row in totals])))
    )
    assert (
        line_of(found, "Magnet imports").detail
        == "of USD 500 m of the largest flows; below, China's share"
    )


def test_a_code_of_which_little_is_imported_does_not_hang_on_its_supplier(tmp_path: Path) -> None:
    found = answers(
        published(
            tmp_path,
            **dependency(
                imports("hs_260900", 2024, 41_606, KOR=1.0),
                imports("hs_251910", 2024, 7.4e6, CHN=0.999),
            ),
            reference__commodities=[
                {"hs6_code": "251910", "hs_revision": "HS1992", "description": "Magnesite; raw"},
            ],
        )
    )
    assert line_of(found, "one supplier").figure == "Magnesite (251910) China 99.9 %"
    assert line_of(found, "one supplier").detail == "China is first in 1 of 1 codes in 2024"


def test_a_missing_weight_is_not_shown_as_none(tmp_path: Path) -> None:
    weightless = [(2017, month, None) for month in range(1, 6)]
    found = answers(published(tmp_path, trade__reported_flows=exports(*weightless)))
    assert line_of(found, "811292").figure == "–"


def test_months_the_exporter_had_not_begun_to_publish_are_not_compared(tmp_path: Path) -> None:
    found = answers(
        published(
            tmp_path,
            trade__reported_flows=[
                *exports((2017, 1, 2000.0), (2017, 2, None), (2017, 4, 500.0)),
                *exports((2017, 3, 9.0), partner="KOR"),
            ],
        )
    )
    line = line_of(found, "811292")
    assert line.figure == "2.5 t"
    assert line.detail == "in 4 months to 2017-04, 1 month reported without a weight"
    assert line.trend is not None
    # March has no row for Japan: nothing was reported; February has one without its weight.
    assert list(line.trend.values) == [2000.0, None, None, 500.0]
    assert line.origin is not None
    assert line.origin.vintage == "2025-04-01"


@pytest.mark.parametrize(
    ("sessions", "figure"), [(1, "+5.0 % in a year"), (40, "+80.0 % since mid-2025")]
)
def test_a_return_over_a_few_closes_gives_way_to_that_of_a_year(
    tmp_path: Path, sessions: int, figure: str
) -> None:
    window = {"instrument": "REMX", "window_end": date(2025, 7, 1), "max_drawdown_share": -0.1}
    found = answers(
        published(
            tmp_path,
            market__prices=[
                {"instrument": "REMX", "price_date": date(2025, 7, 1), "close": 101.0,
                 "source": "equity_indices"},
            ],
            market__performance=[
                {**window, "window": "since_2025_06_30", "return_share": 0.8,
                 "sessions": sessions, "annualised_volatility": None},
                {**window, "window": "1y", "return_share": 0.05, "sessions": 250,
                 "annualised_volatility": 0.4},
            ],
        )
    )  # fmt: skip
    assert line_of(found, "REMX").figure == figure


def test_a_practice_is_distinguished_from_an_act(tmp_path: Path) -> None:
    found = answers(
        published(
            tmp_path,
            exposure__measures=[
                {"clause_id": name, "implementer_iso3": "CHN", "target_iso3": "JPN",
                 "direction": "restrict", "evidence_class": evidence}
                for name, evidence in (("CN-1", "official"), ("CN-2", "de_facto"))
            ],
            exposure__measure_status=[
                {"clause_id": name, "status": "in_force", "valid_from": date(2026, 1, day)}
                for name, day in (("CN-1", 6), ("CN-2", 7))
            ],
            exposure__measure_scope=[
                {"clause_id": name, "hs6_code": "284690", "mineral": "dysprosium"}
                for name in ("CN-1", "CN-2")
            ],
            reference__mineral_group_codes=[
                {"mineral_group": "rare_earths", "hs6_code": "284690"},
            ],
        )
    )  # fmt: skip
    assert line_of(found, "measures").figure == (
        "CN-1 since 2026-01-06, CN-2 since 2026-01-07 (de facto)"
    )


def test_bars_run_from_the_least_to_the_largest_with_gaps() -> None:
    assert bars([1.0, None, 8.0, 4.5]) == "▁ █▅"
    assert bars([None, None]) == ""
    assert bars([3.0, 3.0]) == "▁▁"
