"""Landing and lake: a publisher's documents as received, and its typed rows.

Built from a source's card; a new source adds nothing here.
"""

from collections.abc import Iterator
from datetime import date

import dagster as dg

from dagster_project.intake import fetch
from dagster_project.intake.conform import conform
from dagster_project.intake.due import is_fetched
from dagster_project.intake.land import land_bundled
from dagster_project.intake.stores import lake_of, landing_of
from dagster_project.lake.copies import copies_of
from dagster_project.lake.landing import Snapshot
from dagster_project.lake.schemas import LAKE_TABLES
from dagster_project.orchestration.keys import (
    BACKFILL_TAG,
    WRITER_POOL,
    backfill_key,
    data_version,
    fail_run_on,
    lake_key,
    landing_key,
    non_empty,
    publisher_page,
    publisher_pool,
    source_group,
)
from dagster_project.orchestration.metadata import (
    lake_column_schema,
    markdown_table,
    suite_check_result,
    suite_check_spec,
)
from dagster_project.orchestration.preview import lake_preview, lake_reach
from dagster_project.orchestration.resources import Warehouse
from dagster_project.quality.suites import LAKE_SUITES
from dagster_project.sources.card import Frequency, Source, Window, Windows, can_be_asked

ANSWERED = "publisher_answered"


def landing_asset(source: Source) -> dg.AssetsDefinition:
    """`landing/<source>`: the documents of a publisher, as received; what is due is fetched."""
    card = source.CARD
    key = landing_key(card.name)
    checks = (
        [
            dg.AssetCheckSpec(
                ANSWERED,
                asset=key,
                description="If the source is fetched, its publisher answered this time, and the "
                "answer could be read. A failure leaves earlier vintages in place.",
            )
        ]
        if can_be_asked(source)
        else []
    )

    @dg.multi_asset(
        name=f"landing__{card.name}",
        specs=[
            dg.AssetSpec(
                key,
                description=f"{card.title}, as received. {card.description}",
                group_name=source_group(card.name),
                kinds={"http" if can_be_asked(source) else "file"},
                owners=[card.owner],
                tags={"source": card.name},
                metadata={
                    "publisher": card.publisher,
                    "homepage": publisher_page(card),
                    "licence": card.licence,
                    "cadence": card.cadence,
                    **non_empty(calendar=card.calendar.description if card.calendar else ""),
                },
            )
        ],
        check_specs=checks,
        pool=publisher_pool(card.name) if can_be_asked(source) else None,
    )
    def landing(
        context: dg.AssetExecutionContext, warehouse: Warehouse
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        settings = warehouse.settings(context)
        landed = fail_run_on(lambda: land_bundled(settings, source))
        fetched = fetch.Fetched()
        if fail_run_on(lambda: is_fetched(settings, source)):
            fetched = fail_run_on(lambda: fetch.fetch_due(settings, source))
        if checks:
            yield _answered(key, fetched)
        snapshots = landing_of(settings).snapshots(card.name)
        withdrawn = landing_of(settings).withdrawn(card.name)
        yield dg.MaterializeResult(
            asset_key=key,
            metadata={
                "snapshots": len(snapshots),
                "new": len(landed.new) + len(fetched.new_snapshots),
                "unchanged": landed.unchanged,
                **({"withdrawn": len(withdrawn)} if withdrawn else {}),
                "documents": dg.MetadataValue.md(_documents(snapshots)),
                **(
                    {"windows": dg.MetadataValue.md(_windows(fetched)), "calls": fetched.calls}
                    if fetched.settled or fetched.calls
                    else {}
                ),
                **(
                    {"revisions": dg.MetadataValue.md(_revisions(fetched))}
                    if any(fetched.revisions.values())
                    else {}
                ),
            },
            data_version=data_version([snapshot.snapshot_id for snapshot in snapshots]),
        )

    return landing


def backfill_assets(source: Source) -> list[dg.AssetsDefinition]:
    """`landing/<source>_annual`, `_monthly`: windows chosen in the UI, one run for a range."""
    return [_backfill_asset(source, windows) for windows in source.CARD.windows]


def _backfill_asset(source: Source, windows: Windows) -> dg.AssetsDefinition:
    card = source.CARD
    key = backfill_key(card.name, windows.frequency)

    @dg.multi_asset(
        name="__".join(key.path),
        specs=[
            dg.AssetSpec(
                key,
                # Each window is reported when it is settled: finished ones are kept in a crash.
                skippable=True,
                description=(
                    f"{card.title}, fetched by {_PERIOD_WORDS[windows.frequency]}. Pick the "
                    f"periods and materialise them: one run fetches all that were not answered "
                    f"yet. Then materialise lake and marts, or run the job build."
                ),
                group_name=source_group(card.name),
                kinds={"http"},
                owners=[card.owner],
                tags={"source": card.name, BACKFILL_TAG: "true"},
                partitions_def=partitions_of(windows),
            )
        ],
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool=publisher_pool(card.name),
    )
    def backfill(context: dg.AssetExecutionContext, warehouse: Warehouse) -> Iterator[None]:
        settings = warehouse.settings(context)
        wanted = [window_of(windows.frequency, name) for name in context.partition_keys]
        fetching = fetch.Fetching(settings, source)

        def report(window: Window, rows: int, snapshot_id: str, outcome: str) -> None:
            context.log_event(
                dg.AssetMaterialization(
                    asset_key=key,
                    partition=window.key,
                    metadata={"rows": rows, "snapshot": snapshot_id, "outcome": outcome},
                )
            )

        def on(settled: fetch.WindowResult) -> None:
            if settled.window and settled.outcome != "failed":
                report(settled.window, settled.rows, settled.snapshot_id, settled.outcome)

        def ask() -> fetch.Fetched:
            with fetching.lock(context.log.info):
                planned = fetching.wanted(wanted)
                asked = set(planned.windows)
                for window, answer in fetching.answered(wanted).items():
                    if window not in asked:
                        report(
                            window,
                            answer.window_ask.rows,
                            answer.window_ask.snapshot_id,
                            "answered before",
                        )
                return fetching.run(planned, on)

        fetched = fail_run_on(ask)
        if fetched.failed or fetched.not_asked:
            raise dg.Failure(
                description=f"Failed: {len(fetched.failed)}, not asked: {len(fetched.not_asked)}. "
                f"{fetched.reason} Materialise the range again to continue.",
                allow_retries=False,
            )
        yield from ()

    return backfill


_PERIOD_WORDS = {"A": "year", "M": "month"}


def partitions_of(windows: Windows) -> dg.TimeWindowPartitionsDefinition:
    """The windows of one frequency as Dagster's partitions: their keys are the windows' keys."""
    is_year = windows.frequency == "A"
    return dg.TimeWindowPartitionsDefinition(
        start=f"{windows.since:%Y}" if is_year else f"{windows.since:%Y-%m}",
        fmt="%Y" if is_year else "%Y-%m",
        cron_schedule="0 0 1 1 *" if is_year else "0 0 1 * *",
    )


def window_of(frequency: Frequency, key: str) -> Window:
    """The window of a partition's key."""
    year, _, month = key.partition("-")
    return Window(frequency, date(int(year), int(month or 1), 1))


def lake_assets(source: Source, *, has_backfills: bool = False) -> dg.AssetsDefinition:
    """`lake/<source>_<table>`: the typed rows of a source, each batch checked before it counts.

    `has_backfills`: whether the graph has the source's backfills, which feed them too.
    """
    card = source.CARD
    fed_by = [
        landing_key(card.name),
        *(
            backfill_key(card.name, windows.frequency)
            for windows in (card.windows if has_backfills else ())
        ),
    ]
    tables = [LAKE_TABLES[name] for name in card.tables]

    @dg.multi_asset(
        name=f"lake__{card.name}",
        specs=[
            dg.AssetSpec(
                lake_key(card.name, table.name),
                deps=fed_by,
                description=f"{table.description} From {card.title}.",
                group_name=source_group(card.name),
                kinds={"polars", "parquet"},
                owners=[card.owner],
                tags={"source": card.name},
                metadata={
                    "dagster/column_schema": lake_column_schema(table),
                    "publisher": card.publisher,
                    "homepage": publisher_page(card),
                },
            )
            for table in tables
        ],
        check_specs=[
            suite_check_spec(LAKE_SUITES[table.name], lake_key(card.name, table.name))
            for table in tables
        ],
        pool=WRITER_POOL,
    )
    def lake(
        context: dg.AssetExecutionContext, warehouse: Warehouse
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        settings = warehouse.settings(context)
        outcome = fail_run_on(lambda: conform(settings, source))
        for table in tables:
            yield suite_check_result(
                LAKE_SUITES[table.name],
                lake_key(card.name, table.name),
                outcome.checks.get(table.name, []),
                # An invalid answer of a publisher does not block: earlier vintages count.
                may_block=outcome.is_rejected_by_hand,
            )
        if outcome.is_rejected_by_hand:
            raise dg.Failure(description=" ".join(outcome.rejected.values()), allow_retries=False)
        stored = lake_of(settings)
        versions = list(stored.records(card.name))
        copies = copies_of(landing_of(settings), card.name, stored)
        for table in tables:
            left_out = copies.left_out(table, settings.today)
            vintage, latest = lake_reach(stored, table, card.name, left_out)
            yield dg.MaterializeResult(
                asset_key=lake_key(card.name, table.name),
                metadata={
                    "dagster/row_count": outcome.rows.get(table.name, 0),
                    "rows_quarantined": outcome.quarantined.get(table.name, 0),
                    "new_snapshots": outcome.new_snapshots,
                    **non_empty(
                        last_vintage=vintage,
                        latest_period=latest,
                        rejected="; ".join(outcome.rejected.values()),
                    ),
                    "preview": dg.MetadataValue.md(
                        markdown_table(lake_preview(stored, table, card.name, left_out))
                    ),
                },
                data_version=data_version([*versions, table.name]),
            )

    return lake


def _answered(key: dg.AssetKey, fetched: fetch.Fetched) -> dg.AssetCheckResult:
    """Fails where the publisher gave no usable answer; it does not block."""
    answer = fetched.answer
    is_well = answer in ("ok", "not_asked")
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=ANSWERED,
        passed=is_well,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={
            "answer": answer if is_well else f"{answer.replace('_', ' ')}: {fetched.reason}",
            **non_empty(again_at=f"{fetched.again_at:%Y-%m-%d %H:%M} UTC" if fetched.again_at
                        else ""),
        },
    )  # fmt: skip


def _documents(snapshots: list[Snapshot]) -> str:
    return markdown_table(
        [
            {
                "document": snapshot.document,
                "retrieved": f"{snapshot.retrieved_at:%Y-%m-%d %H:%M}",
                "bytes": snapshot.bytes,
                "sha256": snapshot.sha256[:12],
                "licence": snapshot.origin.licence,
            }
            for snapshot in reversed(snapshots)
        ]
    )


def _revisions(fetched: fetch.Fetched) -> str:
    """The effect of each answer on the figures that count, as in `kido land`."""
    return "\n".join(
        f"- {document}\n"
        + "\n".join(f"  - {line}" for revision in revisions for line in revision.lines())
        for document, revisions in fetched.revisions.items()
        if revisions
    )


def _windows(fetched: fetch.Fetched) -> str:
    return markdown_table(
        [
            {
                "window": settled.name,
                "outcome": settled.outcome,
                "rows": settled.rows,
                "reason": settled.reason,
            }
            for settled in fetched.settled
        ]
    )
