"""Every slice that was asked for has a row per window, also where nothing came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.intake.coverage import coverage_of, windows_of
from dagster_project.lake.landing import AskedSlices, Origin, Period, Snapshot
from dagster_project.lake.schemas import COVERAGE, TRADE_FLOWS
from dagster_project.sources.card import Asked, Window

ASKED_AT = datetime(2026, 7, 14, 15)
Y2023, Y2024 = Window("A", date(2023, 1, 1)), Window("A", date(2024, 1, 1))
JANUARY = Window("M", date(2024, 1, 1))
BOTH = Asked("trade_flows", ("DEU", "JPN"), ("import", "export"), ("280530",))


def flows(*rows: tuple[str, str, Window]) -> pl.DataFrame:
    """Rows as a reporter declared them: reporter, flow, window."""
    return TRADE_FLOWS.conform(
        pl.DataFrame(
            {
                "source": "comtrade",
                "reporter_iso3": [reporter for reporter, _, _ in rows],
                "partner_iso3": [f"P{number}" for number in range(len(rows))],
                "flow": [flow for _, flow, _ in rows],
                "commodity_code": "280530",
                "is_basket": False,
                "frequency": [window.frequency for _, _, window in rows],
                "period_start": [window.start for _, _, window in rows],
                "is_provisional": False,
                "document": "x.json",
                "vintage_at": ASKED_AT,
                "snapshot_id": "comtrade-1",
            },
            schema_overrides={"reporter_iso3": pl.String, "flow": pl.String,
                              "partner_iso3": pl.String, "frequency": pl.String,
                              "period_start": pl.Date},
        )
    )  # fmt: skip


def coverage(
    asked: Sequence[Asked], windows: Sequence[Window], frame: pl.DataFrame
) -> pl.DataFrame:
    snapshot = Snapshot(
        snapshot_id="comtrade-1",
        source="comtrade",
        document="x.json",
        retrieved_at=ASKED_AT,
        landed_at=ASKED_AT,
        sha256="",
        bytes=0,
        media_type="",
        request="",
        is_bundled=False,
        origin=Origin(producer="", citation="", licence="", licence_url="", url=""),
        windows=tuple(Period(frequency=one.frequency, start=one.start) for one in windows),
        asked=tuple(AskedSlices(**asdict(one)) for one in asked),
    )
    return coverage_of(snapshot, {"trade_flows": frame})


def counts(frame: pl.DataFrame) -> dict[tuple[str, str, str, str], int]:
    return {
        (reporter, flow, frequency, f"{start}"): rows
        for reporter, flow, frequency, start, rows in frame.select(
            "reporter_iso3", "flow", "frequency", "period_start", "rows"
        ).iter_rows()
    }


def test_a_slice_without_rows_has_a_row_that_is_reported() -> None:
    frame = flows(("JPN", "import", Y2024), ("JPN", "import", Y2024), ("DEU", "export", Y2023))
    assert counts(coverage([BOTH], [Y2023, Y2024], frame)) == {
        ("DEU", "export", "A", "2023-01-01"): 1,
        ("DEU", "import", "A", "2023-01-01"): 0,
        ("JPN", "export", "A", "2023-01-01"): 0,
        ("JPN", "import", "A", "2023-01-01"): 0,
        ("DEU", "export", "A", "2024-01-01"): 0,
        ("DEU", "import", "A", "2024-01-01"): 0,
        ("JPN", "export", "A", "2024-01-01"): 0,
        ("JPN", "import", "A", "2024-01-01"): 2,
    }


def test_rows_are_those_of_the_table_coverage() -> None:
    frame = coverage([BOTH], [Y2024], flows(("JPN", "import", Y2024)))
    assert frame.schema == COVERAGE.polars_schema
    assert frame.select(COVERAGE.key).is_unique().all()
    assert all(frame[name].null_count() == 0 for name in frame.columns)
    row = frame.filter(pl.col("rows") == 1).row(0, named=True)
    assert {name: row[name] for name in ("source", "table_name", "document", "snapshot_id")} == {
        "source": "comtrade",
        "table_name": "trade_flows",
        "document": "x.json",
        "snapshot_id": "comtrade-1",
    }
    assert row["vintage_at"] == ASKED_AT


def test_a_year_and_its_january_are_counted_apart() -> None:
    frame = flows(("JPN", "import", Y2024), ("JPN", "import", JANUARY), ("JPN", "import", JANUARY))
    found = counts(coverage([BOTH], [Y2024, JANUARY], frame))
    assert found["JPN", "import", "A", "2024-01-01"] == 1
    assert found["JPN", "import", "M", "2024-01-01"] == 2


def test_an_answer_without_any_rows_covers_everything_that_was_asked() -> None:
    found = counts(coverage([BOTH], [Y2024], flows()))
    assert len(found) == 4
    assert set(found.values()) == {0}


def test_what_was_not_asked_is_not_covered() -> None:
    only_imports = Asked("trade_flows", ("JPN",), ("import",), ("280530",))
    frame = flows(("JPN", "import", Y2024), ("JPN", "export", Y2024), ("DEU", "import", Y2024))
    assert counts(coverage([only_imports], [Y2024], frame)) == {
        ("JPN", "import", "A", "2024-01-01"): 1
    }


def test_what_is_asked_in_two_pieces_is_covered_by_both() -> None:
    pieces = [
        Asked("trade_flows", ("DEU",), ("import",), ("280530",)),
        Asked("trade_flows", ("JPN",), ("import",), ("280530",)),
    ]
    assert set(counts(coverage(pieces, [Y2024], flows()))) == {
        ("DEU", "import", "A", "2024-01-01"),
        ("JPN", "import", "A", "2024-01-01"),
    }


def test_a_table_without_reporters_and_flows_has_an_empty_text_for_them() -> None:
    frame = flows().drop("reporter_iso3", "flow")
    asked = Asked("trade_flows", (), (), ())
    frame = pl.concat(
        [frame, flows(("JPN", "import", Y2024)).drop("reporter_iso3", "flow")], how="vertical"
    )
    assert counts(coverage([asked], [Y2023, Y2024], frame)) == {
        ("", "", "A", "2023-01-01"): 0,
        ("", "", "A", "2024-01-01"): 1,
    }


def test_without_windows_or_slices_nothing_is_covered() -> None:
    frame = flows(("JPN", "import", Y2024))
    for asked, windows in (([], [Y2024]), ([BOTH], []), ([], [])):
        found = coverage(asked, windows, frame)
        assert found.height == 0
        assert found.schema == COVERAGE.polars_schema


def test_a_table_that_did_not_come_is_not_covered() -> None:
    other = Asked("reconciled_trade", ("JPN",), ("import",), ())
    assert coverage([other], [Y2024], flows()).height == 0


def test_the_coverage_of_a_snapshot_is_that_of_its_record() -> None:
    snapshot = Snapshot(
        snapshot_id="comtrade-1",
        source="comtrade",
        document="x.json",
        retrieved_at=ASKED_AT,
        landed_at=ASKED_AT,
        sha256="",
        bytes=0,
        media_type="",
        request="",
        is_bundled=False,
        origin=Origin(producer="", citation="", licence="", licence_url="", url=""),
        windows=(
            Period(frequency="A", start=date(2024, 1, 1)),
            Period(frequency="M", start=date(2024, 1, 1)),
        ),
        asked=(
            AskedSlices(
                table="trade_flows",
                reporters=["DEU", "JPN"],
                flows=["import", "export"],
                commodity_codes=["280530"],
            ),
        ),
    )
    assert windows_of(snapshot) == (Y2024, JANUARY)
    frame = flows(("JPN", "import", Y2024))
    expected = coverage([BOTH], [Y2024, JANUARY], frame)
    found = coverage_of(snapshot, {"trade_flows": frame})
    assert found.sort(COVERAGE.key).equals(expected.sort(COVERAGE.key))


SLICES = st.tuples(
    st.sampled_from(["DEU", "JPN"]),
    st.sampled_from(["import", "export"]),
    st.sampled_from([Y2023, Y2024, JANUARY]),
)


@given(st.lists(SLICES, max_size=12))
def test_counts_of_what_was_asked_sum_to_the_rows_that_came(
    rows: list[tuple[str, str, Window]],
) -> None:
    frame = coverage([BOTH], [Y2023, Y2024, JANUARY], flows(*rows))
    assert frame.height == 2 * 2 * 3
    assert frame["rows"].sum() == len(rows)
