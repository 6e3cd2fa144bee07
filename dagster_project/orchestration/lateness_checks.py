"""The check `published_period_is_held` on each landing asset: is what is published in the lake?

One step for all sources. It runs after their lake assets, which say how far the figures reach.
"""

from collections.abc import Collection, Iterator

import dagster as dg

from dagster_project.errors import counted
from dagster_project.intake.stores import lake_of, landing_of
from dagster_project.orchestration.keys import ALERTED_BY, lake_key, landing_key, non_empty
from dagster_project.orchestration.lateness import (
    Lateness,
    lateness_by_frequency,
    longest_overdue,
)
from dagster_project.orchestration.resources import Warehouse
from dagster_project.settings import Settings
from dagster_project.sources.card import Source

HELD = "published_period_is_held"
LATENESS_STEP = "published_periods"


def lateness_checks(sources: Collection[Source]) -> dg.AssetChecksDefinition:
    """A check per source that still publishes; a late source warns and blocks nothing."""
    by_key = {landing_key(source.CARD.name): source for source in sources if _publishes(source)}

    @dg.multi_asset_check(
        name=LATENESS_STEP,
        specs=[_spec(source) for source in by_key.values()],
        can_subset=True,
    )
    def published_periods(
        context: dg.AssetCheckExecutionContext, warehouse: Warehouse
    ) -> Iterator[dg.AssetCheckResult]:
        settings = warehouse.settings(context)
        for check in sorted(context.selected_asset_check_keys):
            yield _result(settings, by_key[check.asset_key])

    return published_periods


def _publishes(source: Source) -> bool:
    return bool(source.CARD.windows) or source.CARD.published_after is not None


def _spec(source: Source) -> dg.AssetCheckSpec:
    card = source.CARD
    return dg.AssetCheckSpec(
        HELD,
        asset=landing_key(card.name),
        additional_deps=[lake_key(card.name, table) for table in card.tables],
        description="The newest period that the publisher should have published by yesterday, by "
        "its calendar, is in the lake. A source that needs a person (nobody fetches it, or its key "
        "or consent is missing) is not late.",
        metadata={ALERTED_BY: "late_sources"},
    )


def _result(settings: Settings, source: Source) -> dg.AssetCheckResult:
    of_source = lateness_by_frequency(settings, source, lake_of(settings), landing_of(settings))
    late = longest_overdue(of_source)
    assert late is not None
    return dg.AssetCheckResult(
        asset_key=landing_key(source.CARD.name),
        check_name=HELD,
        passed=late.days_late == 0,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "observed": in_words(late),
            "days_late": late.days_late,
            **non_empty(
                published_through=late.published_through.name if late.published_through else ""
            ),
        },
    )


def in_words(late: Lateness) -> str:
    """`published through 2026-09, held through 2026-08, late by 3 days`."""
    published = late.published_through
    words = [f"published through {published.name}" if published else "nothing is due yet"]
    words.append(f"held through {late.held_through}" if late.newest else "held nothing")
    if late.days_late:
        words.append(f"late by {counted(late.days_late, 'day')}")
    elif late.days_old and late.missing:
        words.append(f"not asked, old since {late.missing.due_on}")
    return ", ".join(words)
