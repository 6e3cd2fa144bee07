"""The registers of publishers' errors: each correction from both sides, and how one is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dagster_project.errors import ConfigurationError, UpstreamFormatError
from dagster_project.lake import vocabulary
from dagster_project.lake.corrections import Correction, apply_corrections, corrections, printed
from dagster_project.lake.schemas import CORRECTIONS, LAKE_TABLES, PRICE_QUOTES
from dagster_project.quality.runner import evaluate_batch
from dagster_project.quality.suites import LAKE_SUITES
from dagster_project.settings import BUNDLED
from dagster_project.sources.card import Document
from dagster_project.sources.registry import all_sources
from tests.corrected import lake_rows

REGISTERS = [path.parent.name for path in sorted(BUNDLED.glob("*/corrections.yaml"))]
EVERY = [(source, name) for source in REGISTERS for name in corrections(source)]

ROWS_CHANGED = {
    "CN-2023-23-GALLIUM-CODE": 1,
    "COMTRADE-CHN-EXPORTS-BEL-TWICE": 195,
    "USGS-MCS-2022-ND-2021": 1,
    "USGS-MCS-2023-ND-2021": 1,
    "USGS-MCS-2023-CHROMIUM-2021": 7,
    "USGS-MCS-2023-CHROMIUM-2022": 7,
    "USGS-MCS-2023-RHENIUM-RESERVES": 5,
    "USGS-MCS-2023-VANADIUM-RESERVES": 7,
    "USGS-MCS-2023-ZINC-RESERVES-AUS": 1,
    "USGS-MCS-2024-SELENIUM-RESERVES": 11,
    "USGS-MCS-2025-ILMENITE": 37,
    "USGS-MCS-2025-RUTILE": 25,
    "USGS-MCS-2026-MANGANESE-RESERVES": 1,
    "USGS-MCS-2026-VANADIUM-RESERVES": 7,
}
"""Counted in the bundled files by hand: the figures of a column, without zeros and blanks."""


@cache
def bundled(source: str) -> tuple[Mapping[str, pl.DataFrame], ...]:
    """The rows of each bundled file of a source, before corrections."""
    module = all_sources()[source]
    return tuple(
        lake_rows(
            module,
            (BUNDLED / source / file).read_bytes(),
            Document(file, datetime(2026, 11, 25), is_bundled=True),
        )
        for file in module.CARD.bundled
    )


def is_row_of(correction: Correction) -> pl.Expr:
    table = LAKE_TABLES[correction.table]
    return pl.all_horizontal(
        pl.col(name) == pl.lit(str(cell)).cast(table.columns[name].dtype, strict=True)
        if table.columns[name].dtype != pl.Date
        else pl.col(name) == date.fromisoformat(str(cell))
        for name, cell in correction.row.items()
    )


def document_of(source: str, correction: Correction) -> dict[str, pl.DataFrame]:
    """The one bundled file with the row of a correction: its rows, as the publisher has them."""
    found = [
        frames
        for frames in bundled(source)
        if correction.table in frames
        and frames[correction.table].filter(is_row_of(correction)).height
    ]
    assert len(found) == 1, f"{correction.correction}: {len(found)} bundled files have its row."
    return dict(found[0])


def with_cell(
    frames: Mapping[str, pl.DataFrame], correction: Correction, value: object
) -> dict[str, pl.DataFrame]:
    """The same file with another value in the cell of a correction."""
    rows, name = frames[correction.table], correction.column
    cell = pl.lit(value).cast(rows.schema[name])
    changed = pl.when(is_row_of(correction)).then(cell).otherwise(pl.col(name))
    return {**frames, correction.table: rows.with_columns(changed.alias(name))}


def outcome_of(outcomes: pl.DataFrame, correction: str) -> dict[str, Any]:
    return outcomes.row(by_predicate=pl.col("correction_id") == correction, named=True)


def test_every_register_belongs_to_a_source_and_every_correction_is_counted_by_hand() -> None:
    assert set(REGISTERS) <= set(all_sources())
    assert {name for _, name in EVERY} == set(ROWS_CHANGED)
    assert len(EVERY) == len(ROWS_CHANGED)


@pytest.mark.parametrize(("source", "name"), EVERY, ids=[name for _, name in EVERY])
def test_a_correction_is_applied_to_the_wrong_value(source: str, name: str) -> None:
    correction = corrections(source)[name]
    before = document_of(source, correction)
    (cell,) = before[correction.table].filter(is_row_of(correction))[correction.column]
    after, outcomes = apply_corrections(source, before)
    (right,) = after[correction.table].filter(is_row_of(correction))[correction.column]
    outcome = outcome_of(outcomes, name)
    assert outcome["status"] == "applied"
    assert outcome["found_value"] == printed(cell)
    assert outcome["rows_changed"] == ROWS_CHANGED[name]
    if correction.action == "read_as":
        assert correction.wrong in cell.split()
        assert right == cell  # what is printed stays
        (reason,) = after[correction.table].filter(is_row_of(correction))["correction_reason"]
        assert reason == correction.reason
    else:
        assert (cell, right) == (correction.wrong, correction.right)


@pytest.mark.parametrize(("source", "name"), EVERY, ids=[name for _, name in EVERY])
@pytest.mark.parametrize("value", ["right", "another", None])
def test_a_correction_says_so_when_the_publisher_has_another_value(
    source: str, name: str, value: str | None
) -> None:
    """The right one, another one or none: nothing of the table is changed by that correction."""
    correction = corrections(source)[name]
    given: object = {"right": correction.right, None: None}.get(value)
    if value == "another":
        given = "9999999999" if isinstance(correction.wrong, str) else correction.wrong * 3
    mended = with_cell(document_of(source, correction), correction, given)
    with pytest.MonkeyPatch.context() as patch:
        alone = {name: correction}
        patch.setattr("dagster_project.lake.corrections.corrections", lambda source: alone)
        after, outcomes = apply_corrections(source, mended)
    assert after[correction.table].equals(mended[correction.table])
    outcome = outcome_of(outcomes, name)
    assert outcome["status"] == "no_longer_matches"
    assert outcome["found_value"] == (None if given is None else printed(given))
    assert outcome["rows_changed"] == 0


def test_only_what_a_correction_names_is_changed() -> None:
    for source in REGISTERS:
        for before in bundled(source):
            after, _ = apply_corrections(source, before)
            for table, rows in before.items():
                named = {
                    name
                    for one in corrections(source).values()
                    if one.table == table
                    for name in (
                        ["correction_reason"]
                        if one.action == "read_as"
                        else [one.column, *one.also]
                    )
                }
                others = [name for name in rows.columns if name not in named]
                assert after[table].select(others).equals(rows.select(others)), (source, table)


def test_chinas_exports_to_belgium_are_halved_and_no_others() -> None:
    (correction,) = corrections("comtrade_baskets").values()
    before = document_of("comtrade_baskets", correction)["trade_flows"]
    after = apply_corrections("comtrade_baskets", {"trade_flows": before})[0]["trade_flows"]
    is_belgian = pl.col("partner_iso3") == "BEL"
    for name in ("value_usd", "net_weight_kg"):
        halves = before.filter(is_belgian)[name] / 2
        assert after.filter(is_belgian)[name].equals(halves)
    assert after.filter(~is_belgian).equals(before.filter(~is_belgian))
    # What the reason says: doubled dollars and grams are even.
    belgian = before.filter(is_belgian)
    grams = (belgian["net_weight_kg"].drop_nulls() * 1000).round().cast(pl.Int64)
    assert (belgian["value_usd"].count(), len(grams)) == (195, 183)
    assert (belgian["value_usd"] % 2 == 0).all()
    assert (grams % 2 == 0).all()
    # January 2017 by hand: the extract has 501,880 dollars and 300,948.978 kg.
    january = after.filter(
        is_belgian, commodity_code="250410", period_start=date(2017, 1, 1)
    ).select("value_usd", "net_weight_kg")
    assert january.row(0) == (250_940, 150_474.489)
    of_2024 = after.filter(
        is_belgian,
        pl.col("commodity_code") == "811292",
        pl.col("period_start").dt.year() == 2024,
    )
    assert of_2024["value_usd"].sum() == 3_414_989


def test_an_extract_that_counts_belgium_once_is_left_as_it_is() -> None:
    (correction,) = corrections("comtrade_baskets").values()
    once, _ = apply_corrections("comtrade_baskets", document_of("comtrade_baskets", correction))
    again, outcomes = apply_corrections("comtrade_baskets", once)
    assert again["trade_flows"].equals(once["trade_flows"])
    assert outcomes["status"].to_list() == ["no_longer_matches"]
    assert outcomes["found_value"].to_list() == ["1558663"]


def test_the_reserves_of_manganese_are_the_sum_of_the_economies_as_totals_are_printed() -> None:
    correction = corrections("usgs_mcs")["USGS-MCS-2026-MANGANESE-RESERVES"]
    rows = document_of("usgs_mcs", correction)["production"].filter(
        pl.col("label") == "Manganese: Reserves"
    )
    parts = rows.filter(pl.col("economy_iso3") != "WLD")["amount_t"].sum()
    assert parts == 1_798_000_000
    assert round(parts, -8) == correction.right
    assert parts > correction.wrong * 1.05  # no rounding


def test_the_reserves_of_zinc_round_to_the_printed_total() -> None:
    correction = corrections("usgs_mcs")["USGS-MCS-2023-ZINC-RESERVES-AUS"]
    before = document_of("usgs_mcs", correction)
    rows = apply_corrections("usgs_mcs", before)[0]["production"].filter(
        label=correction.row["label"], stage="reserves", year=2022
    )
    (total,) = rows.filter(economy_iso3="WLD")["amount_t"]
    parts = rows.filter(pl.col("economy_iso3") != "WLD")["amount_t"].sum()
    assert parts == 208_100_000
    assert total == 210_000_000 == round(parts, -7)


# ---- The actions, by hand

PROVENANCE = {"document": "a.csv", "vintage_at": datetime(2026, 1, 1), "snapshot_id": "s1"}


def quotes(*closes: float | None, instrument: str = "A") -> pl.DataFrame:
    return PRICE_QUOTES.conform(
        pl.DataFrame(
            [
                {
                    "source": "some", "instrument": instrument, "price_date": date(2020 + n, 1, 1),
                    "frequency": "A", "close": close, "adjusted_close": close, "unit": "USD per kg",
                    "is_provisional": False, **PROVENANCE,
                }
                for n, close in enumerate(closes)
            ],
            schema_overrides={"close": pl.Float64, "adjusted_close": pl.Float64},
        )
    )  # fmt: skip


ENTRY: Mapping[str, Any] = {
    "correction": "A-1",
    "table": "price_quotes",
    "row": {"instrument": "A", "price_date": "2021-01-01"},
    "column": "close",
    "action": "replace",
    "wrong": 49,
    "right": 98,
    "reason": "Known.",
    "citation": "Page 1",
}


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Gives the source `some` a register of these entries."""

    def use(*entries: Mapping[str, Any]) -> None:
        found = {str(one["correction"]): Correction.model_validate(one) for one in entries}
        words = found
        monkeypatch.setattr("dagster_project.lake.corrections.corrections", lambda source: words)

    return use


def closes(rows: pl.DataFrame, column: str = "close") -> list[float | None]:
    return rows[column].to_list()


def test_replace_changes_one_cell(register: Any) -> None:
    register(ENTRY)
    after, outcomes = apply_corrections("some", {"price_quotes": quotes(49, 49, 49)})
    assert closes(after["price_quotes"]) == [49, 98, 49]
    assert closes(after["price_quotes"], "adjusted_close") == [49, 49, 49]
    assert outcomes.schema == CORRECTIONS.polars_schema
    assert outcomes.row(0, named=True) == {
        "source": "some", "correction_id": "A-1", "table_name": "price_quotes",
        "row_key": "instrument=A | price_date=2021-01-01", "action": "replace",
        "wrong_value": "49", "right_value": "98", "found_value": "49", "reason": "Known.",
        "citation": "Page 1", "source_url": None, "status": "applied", "rows_changed": 1,
        "is_provisional": False, **PROVENANCE,
    }  # fmt: skip


def test_rescale_changes_the_rows_that_share_the_other_cells_and_further_columns(
    register: Any,
) -> None:
    register(
        {
            **ENTRY, "action": "rescale", "across": ["price_date"], "also": ["adjusted_close"],
            "wrong": 10_300, "right": 10.3,
        }
    )  # fmt: skip
    others = quotes(10_300, 10_300, instrument="B")
    rows = pl.concat([quotes(20_600, 10_300, None, 0), others])
    after, outcomes = apply_corrections("some", {"price_quotes": rows})
    of_a = after["price_quotes"].filter(instrument="A")
    assert closes(of_a) == closes(of_a, "adjusted_close") == [20.6, 10.3, None, 0]
    assert after["price_quotes"].filter(instrument="B").equals(others)
    assert outcomes["rows_changed"].to_list() == [2]


def test_a_row_that_is_not_there_or_of_another_table_has_no_outcome(register: Any) -> None:
    register(ENTRY)
    for frames in ({"price_quotes": quotes(49)}, {"price_quotes": PRICE_QUOTES.empty()}, {}):
        after, outcomes = apply_corrections("some", frames)
        assert all(after[table].equals(rows) for table, rows in frames.items())
        assert outcomes.is_empty()
        assert outcomes.schema == CORRECTIONS.polars_schema


@pytest.mark.parametrize("second", [49, 98, None])
def test_a_row_that_is_there_twice_is_left_to_the_checks(
    register: Any, second: float | None
) -> None:
    """They reject its document; it is not taken for mended."""
    register(ENTRY)
    rows = pl.concat([quotes(49, 49), quotes(49, second)])
    after, outcomes = apply_corrections("some", {"price_quotes": rows})
    assert after["price_quotes"].equals(rows)
    assert outcomes.is_empty()
    assert evaluate_batch(rows, LAKE_SUITES["price_quotes"]).is_rejected


@pytest.mark.parametrize("second", [49, 98, None])
def test_a_correction_that_fits_several_rows_is_an_error(
    register: Any, second: float | None
) -> None:
    """Two rows of one instrument: both may be wrong, and none is taken for mended."""
    register({**ENTRY, "row": {"instrument": "A"}})
    with pytest.raises(UpstreamFormatError) as error:
        apply_corrections("some", {"price_quotes": quotes(49, second)})
    assert str(error.value) == (
        "some: correction A-1 is of one row, and 2 rows of price_quotes have instrument=A. "
        "Add columns to `row` of the correction."
    )


def test_corrections_of_one_file_are_independent_of_each_other(register: Any) -> None:
    before = {**ENTRY, "correction": "A-0", "row": {**ENTRY["row"], "price_date": "2020-01-01"}}
    register(before, ENTRY)
    after, outcomes = apply_corrections("some", {"price_quotes": quotes(49, 50)})
    assert closes(after["price_quotes"]) == [98, 50]
    assert outcomes["status"].to_list() == ["applied", "no_longer_matches"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(49, "49"), (49.0, "49"), (1_300_000_000.0, "1300000000"), (0.1, "0.1"), ("0110", "0110")],
)
def test_a_value_is_printed_without_loss(value: object, text: str) -> None:
    assert printed(value) == text


# ---- Reading a register

TEXT = """\
corrections:
  - correction: A-1
    table: price_quotes
    row: {instrument: A, price_date: 2021-01-01}
    column: close
    action: replace
    wrong: 49
    right: 98
    reason: Known.
    citation: Page 1
"""


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Writes the register of the source `some`."""

    def write(text: str) -> Mapping[str, Correction]:
        file = tmp_path / "some" / "corrections.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, "utf8")
        corrections.cache_clear()
        return corrections("some")

    monkeypatch.setattr(vocabulary, "_BUNDLED", tmp_path)
    yield write
    corrections.cache_clear()


def test_a_register_is_read_with_days_as_text(written: Any) -> None:
    assert dict(written(TEXT)) == {"A-1": Correction.model_validate(ENTRY)}


def test_a_source_without_a_register_has_no_corrections() -> None:
    assert dict(corrections("pink_sheet")) == {}


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("  - correction: A-1", "  - correction: A 1", "`correction` is 'A 1'; an identifier has"),
        ("    reason: Known.\n", "", "correction A-1: `reason` is missing"),
        ("    citation: Page 1", "    citation: Page 1\n    urll: x", "did you mean `url`"),
        ("action: replace", "action: drop", "`action` is 'drop'; it may be 'replace', 'rescale'"),
        ("table: price_quotes", "table: prices", "is of 'prices', which is not a table of the"),
        ("column: close", "column: price", "names 'price', which is not a column of price_quotes"),
        ("price_date:", "day:", "names 'day', which is not a column of price_quotes"),
        ("wrong: 49", 'wrong: "49"', "a wrong or right value that is not a number, as close is"),
        ("wrong: 49", "wrong: true", "is True and neither a number nor text"),
        ("wrong: 49", "wrong: 98", "has the same value as wrong and as right"),
        ("column: close", "column: close\n    across: [instrument]", "only `rescale` may have"),
        ("action: replace", "action: rescale", "rescales `across` no columns of `row`"),
        (
            "action: replace", "action: rescale\n    across: [instrument, price_date]",
            "or across all of them",
        ),
        (
            "action: replace\n    wrong: 49",
            "action: rescale\n    across: [price_date]\n    wrong: 0",
            "a ratio, which needs two figures that are not 0",
        ),
        (
            'column: close\n    action: replace\n    wrong: 49\n    right: 98',
            'column: unit\n    action: read_as\n    wrong: "1"\n    right: "2"',
            "reads a code as another in a table without printed codes",
        ),
        ("    wrong: 49", "    wrong: 49\n    wrong: 50", "line 8: `wrong` is duplicated"),
        ("corrections:", "correction:", "is not `corrections:` with a list of entries"),
        ("corrections:\n", TEXT, "correction A-1 is duplicated"),
        ("wrong: 49", "wrong: [49", "dagster_project/bundled/some/corrections.yaml: line"),
    ],
)  # fmt: skip
def test_a_register_that_cannot_be_read_is_named_in_one_sentence(
    written: Any, old: str, new: str, sentence: str
) -> None:
    assert old in TEXT
    with pytest.raises(ConfigurationError) as caught:
        written(TEXT.replace(old, new, 1))
    message = caught.value.message
    assert message.startswith("dagster_project/bundled/some/corrections.yaml: ")
    assert sentence in message
    assert message.endswith(".")
    assert "\n" not in message
