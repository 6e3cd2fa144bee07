"""What a person finds in the UI after a build: rows, periods, previews, publishers' pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from dagster_project.definitions import defs
from dagster_project.orchestration.keys import PUBLISHED, lake_key, landing_key, mart_keys
from dagster_project.orchestration.overview import source_states
from dagster_project.settings import Settings
from dagster_project.sources.registry import all_sources
from tests.conftest import CHECKOUT
from tests.e2e.conftest import AS_OF

Shown = Mapping[str, Any]


@pytest.fixture(scope="module")
def instance(built: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.from_config(str(built / "dagster")) as found:
        yield found


def shown(instance: dg.DagsterInstance, key: dg.AssetKey) -> Shown:
    """Metadata of an asset's latest materialisation, as plain values."""
    event = instance.get_latest_materialization_event(key)
    assert event is not None, key
    materialization = event.asset_materialization
    assert materialization is not None
    return {name: value.value for name, value in materialization.metadata.items()}


def test_a_build_at_a_terminal_is_found_by_the_tags_of_runs(
    instance: dg.DagsterInstance,
) -> None:
    """By the location of its code, which Dagster's own runs bear too, and by where it began."""
    location = yaml.safe_load((CHECKOUT / "workspace.yaml").read_text())
    name = location["load_from"][0]["python_module"]["location_name"]
    for tags in ({"dagster/code_location": name}, {"kido/front_door": "cli"}):
        (run,) = instance.get_runs(dg.RunsFilter(job_name="build", tags=tags))
        assert run.status == dg.DagsterRunStatus.SUCCESS


def test_japan_is_on_the_published_asset_in_a_line_and_on_a_page(
    instance: dg.DagsterInstance,
) -> None:
    found = shown(instance, PUBLISHED)
    assert found["Japan"] == (
        "Rare-earth imports from China: by weight 71.3 % in 2024 (of 22,406 t), "
        "by value 44.0 % in 2024 (of USD 442.7 m)"
    )
    page = found["answers"]
    assert page.startswith("## Japan: dependence on critical minerals")
    lines = [line for line in page.splitlines() if line.startswith("| ") and "**" in line]
    assert len(lines) == 22
    # No publisher of notices was asked: that line alone has no source.
    assert [line for line in lines if "vintage 20" not in line] == [
        line for line in lines if line.startswith("| Official notices to be read | **–** |")
    ]
    # Magnets are whole in 2024 alone: before it they are cut lists, and no trend joins the two.
    drawn = [line for line in lines if any(bar in line for bar in "▁▂▃▄▅▆▇█")]
    assert len(drawn) == 8
    assert not [line for line in drawn if line.startswith("| Magnet imports from China")]


def test_every_lake_table_shows_its_rows_and_how_far_it_reaches(
    instance: dg.DagsterInstance,
) -> None:
    for name, source in all_sources().items():
        for table in source.CARD.tables:
            found = shown(instance, lake_key(name, table))
            if not source.CARD.bundled:  # one that has to be asked first
                assert found["dagster/row_count"] == 0, (name, table)
                is_private = source.CARD.is_private
                hidden = "Rows of a private source are not shown."
                assert found["preview"] == (hidden if is_private else "no rows")
                continue
            if table == "national_trade":  # which is fetched only
                assert found["dagster/row_count"] == 0, (name, table)
                continue
            assert found["dagster/row_count"] > 0, (name, table)
            assert found["preview"].startswith("| "), (name, table)
            timeless = {
                "material_labels", "restriction_scope", "economies", "economy_codes",
                "element_abundance", "scenario_changes",
            }  # fmt: skip
            assert ("latest_period" in found) == (table not in timeless), (name, table)
    assert shown(instance, lake_key("usgs_mcs", "production"))["latest_period"] == "2025"
    assert shown(instance, lake_key("ecb", "price_quotes"))["latest_period"] == "2026-10-30"


def test_every_mart_shows_its_rows_japans_first(instance: dg.DagsterInstance) -> None:
    for key in mart_keys():
        found = shown(instance, key)
        # Of customs, notices and many reporters that are fetched; no bundled row is quarantined
        # or revised.
        if key.path[-1] in (
            "national_lines", "notices", "source_differences", "quarantine", "revisions",
            "reconciled_flows", "bilateral_views",
        ):  # fmt: skip
            assert found["dagster/row_count"] == 0, key
            continue
        assert found["dagster/row_count"] > 0, key
        assert found["preview"].startswith("| "), key
    shares = shown(instance, dg.AssetKey(["dependency", "supplier_shares"]))
    assert shares["latest_period"] == "2026-07-01"  # months of Brazil
    first = shares["preview"].splitlines()[2]
    assert first.startswith("| JPN |")
    assert "2024-01-01" in first


def test_the_list_of_sources_and_the_catalog_reach_as_far(
    built: Path, rows: Callable[..., list[tuple[Any, ...]]]
) -> None:
    in_the_catalog = dict(rows("select source, latest_period::varchar from catalog.sources"))
    ((as_of,),) = rows("select max(as_of)::varchar from catalog.releases")
    listed = {
        state.source: state.latest_period for state in source_states(Settings.load(home=built))
    }
    assert listed.keys() == in_the_catalog.keys()
    for source, latest in listed.items():
        # A year in the list is its first day in the catalog.
        if not all_sources()[source].CARD.bundled:
            assert (in_the_catalog[source], latest) == (None, None), source
            continue
        if latest is None:  # abundances have no period
            assert in_the_catalog[source] is None, source
            continue
        # The list is of today, the catalog of the day of the build.
        latest = min(latest, as_of)
        assert in_the_catalog[source].removeprefix(latest) in {"", "-01-01"}, source


def test_no_mart_shows_first_what_is_after_the_day_of_the_build(
    instance: dg.DagsterInstance,
) -> None:
    status = shown(instance, dg.AssetKey(["exposure", "measure_status"]))
    assert status["latest_period"] <= AS_OF
    assert "| 2028-" not in status["preview"]


def test_japans_share_of_china_is_a_number_that_the_ui_plots(instance: dg.DagsterInstance) -> None:
    """Published: 71.3 % by weight of 22,406 t, and 44.0 % by value, in 2024."""
    found = {
        name: value
        for name, value in shown(instance, PUBLISHED).items()
        if name.startswith("Rare-earth imports from China")
    }
    by_weight, by_value = found.values()
    assert by_weight == pytest.approx(0.713, abs=5e-4)
    assert by_value == pytest.approx(0.440, abs=5e-4)


def test_checks_and_tables_have_numbers_to_plot(instance: dg.DagsterInstance) -> None:
    shares = dg.AssetKey(["dependency", "supplier_shares"])
    suite = dg.AssetCheckKey(shares, "every_rule_of_the_suite_holds")
    record = instance.event_log_storage.get_latest_asset_check_execution_by_key([suite])[suite]
    assert record.event is not None
    evaluation = record.event.asset_check_evaluation
    assert evaluation is not None
    plain = {name: value.value for name, value in evaluation.metadata.items()}
    assert (plain["failing_rows"], plain["share_of_failing_rows"]) == (0, 0.0)
    assert plain["seconds"] > 0
    # Months of Brazil, to July 2026: the middle of the year.
    assert shown(instance, shares)["latest_period_in_years"] == 2026.5
    assert shown(instance, lake_key("usgs_mcs", "production"))["latest_period_in_years"] == 2025


def test_every_asset_of_a_source_leads_to_its_publisher_and_stands_in_its_group() -> None:
    graph = defs().resolve_asset_graph()
    for name, source in all_sources().items():
        keys = [landing_key(name), *(lake_key(name, table) for table in source.CARD.tables)]
        for key in keys:
            node = graph.get(key)
            assert node.group_name == f"sources_{source.CARD.domain}"
            page = node.metadata["homepage"].value  # type: ignore[union-attr]
            assert page == source.CARD.homepage
            assert node.description
