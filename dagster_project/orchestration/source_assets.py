"""The assets of a source: its documents as received (landing), and its typed rows (lake).

Built from the source's card; no source is named here.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg

from dagster_project.intake import fetch
from dagster_project.intake.command import plan_periods
from dagster_project.intake.conform import ConformReport, conform
from dagster_project.intake.due import is_fetched
from dagster_project.intake.land import land_bundled
from dagster_project.intake.stores import lake_of, landing_of
from dagster_project.lake.copies import copies_of
from dagster_project.lake.landing import Snapshot
from dagster_project.lake.schemas import LAKE_TABLES, LakeTable
from dagster_project.lake.tables import Lake
from dagster_project.orchestration.automation import once_landed, unreported
from dagster_project.orchestration.code_references import code_of_source
from dagster_project.orchestration.freshness import freshness_by
from dagster_project.orchestration.keys import (
    ALERTED_BY,
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
    source_tags,
)
from dagster_project.orchestration.launchpad import LANDING_STEP, choices_of, options_of
from dagster_project.orchestration.metadata import (
    lake_column_schema,
    latest_period_metadata,
    markdown_table,
    suite_check_result,
    suite_check_spec,
)
from dagster_project.orchestration.preview import lake_preview, lake_reach
from dagster_project.orchestration.resources import Warehouse
from dagster_project.orchestration.retries import RETRIES, retry_if_it_may_pass
from dagster_project.quality.suites import LAKE_SUITES
from dagster_project.safe_text import markdown_text
from dagster_project.settings import Settings
from dagster_project.sources.card import Frequency, Source, Window, Windows, can_be_asked

ANSWERED = "publisher_answered"
_PERIOD_WORDS = {"A": "year", "M": "month"}


def landing_asset(source: Source, *, is_scheduled: bool = False) -> dg.AssetsDefinition:
    """`landing/<source>`: the documents of a publisher as received; fetches what is due.

    `is_scheduled`: builds ask the publisher, so that it has a freshness policy.
    """
    card = source.CARD
    key = landing_key(card.name)
    check_specs = [_answer_check_spec(key)] if can_be_asked(source) else []

    @dg.multi_asset(
        name=f"{LANDING_STEP}{card.name}",
        specs=[_landing_spec(source, is_scheduled=is_scheduled)],
        check_specs=check_specs,
        pool=publisher_pool(card.name) if can_be_asked(source) else None,
        config_schema=choices_of(source).to_fields_dict() if can_be_asked(source) else None,
    )
    def landing(
        context: dg.AssetExecutionContext, warehouse: Warehouse
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        started = time.perf_counter()
        settings = warehouse.settings(context)
        bundled = fail_run_on(lambda: land_bundled(settings, source))
        fetched = fetch.FetchReport()
        if fail_run_on(lambda: is_fetched(settings, source)):
            plan = _plan_of_run(context, source)
            fetched = fail_run_on(lambda: fetch.fetch_due(settings, source, plan))
            retry_if_it_may_pass(context, settings, fetched)
        if check_specs:
            yield _answer_check(key, fetched)
        snapshots = landing_of(settings).snapshots(card.name)
        withdrawn = landing_of(settings).withdrawn(card.name)
        yield dg.MaterializeResult(
            asset_key=key,
            metadata={
                "snapshots": len(snapshots),
                "new": len(bundled.new) + len(fetched.new_snapshots),
                "unchanged": bundled.unchanged,
                **({"withdrawn": len(withdrawn)} if withdrawn else {}),
                "documents": dg.MetadataValue.md(_documents_table(snapshots)),
                **_fetch_metadata(source, fetched),
                "seconds": round(time.perf_counter() - started, 3),
            },
            data_version=data_version([snapshot.snapshot_id for snapshot in snapshots]),
        )

    return landing


def _plan_of_run(
    context: dg.AssetExecutionContext, source: Source
) -> Callable[[fetch.SourceFetch], fetch.FetchPlan]:
    """The plan that was chosen in the launchpad, for what is due if nothing was.

    What was asked again by an earlier try of this run is not asked a third time.
    """
    options = options_of(choices_of(source)(**context.op_execution_context.op_config))
    record = context.instance.get_run_record_by_id(context.run_id)
    started = record.start_time if record and context.retry_number else None

    def plan(fetching: fetch.SourceFetch) -> fetch.FetchPlan:
        planned = plan_periods(source, fetching, **options)
        if not options["again"] or started is None:
            return planned
        since = datetime.fromtimestamp(started, UTC).replace(tzinfo=None)
        return fetching.without_answered(planned, since)

    return plan


def _landing_spec(source: Source, *, is_scheduled: bool) -> dg.AssetSpec:
    card = source.CARD
    is_by_calendar = is_scheduled and card.calendar and not card.only_by_name
    return dg.AssetSpec(
        landing_key(card.name),
        description=f"{card.title}, as received. {card.description}",
        group_name=source_group(card),
        kinds={"http" if can_be_asked(source) else "file"},
        owners=[card.owner],
        tags=source_tags(card),
        metadata={
            "publisher": card.publisher,
            "homepage": publisher_page(card),
            "licence": card.licence,
            "cadence": card.cadence,
            **non_empty(calendar=card.calendar.description if card.calendar else ""),
            **code_of_source(source),
            **({"retries": RETRIES} if can_be_asked(source) else {}),
        },
        freshness_policy=freshness_by(card.calendar) if is_by_calendar and card.calendar else None,
    )


def _answer_check_spec(key: dg.AssetKey) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        ANSWERED,
        asset=key,
        description="If the source is fetched, its publisher answered this time, and the answer "
        "could be read. A failure leaves earlier vintages in place.",
        # A publisher's silence matters when it makes the source late.
        metadata={ALERTED_BY: "late_sources"},
    )


def _answer_check(key: dg.AssetKey, fetched: fetch.FetchReport) -> dg.AssetCheckResult:
    """Fails if the publisher gave no usable answer; it does not block."""
    answer = fetched.answer
    has_passed = answer in ("ok", "not_asked")
    again_at = f"{fetched.again_at:%Y-%m-%d %H:%M} UTC" if fetched.again_at else ""
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=ANSWERED,
        passed=has_passed,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={
            "answer": answer if has_passed else f"{answer.replace('_', ' ')}: {fetched.reason}",
            **non_empty(again_at=again_at),
        },
    )


def _fetch_metadata(source: Source, fetched: fetch.FetchReport) -> dict[str, Any]:
    """What a fetch did, for the UI; empty if nothing was fetched. Of a private source without the
    effect on its rows, which may be named in it.
    """
    metadata: dict[str, Any] = {}
    if fetched.settled or fetched.calls:
        metadata |= {
            "windows": dg.MetadataValue.md(_windows_table(fetched)),
            "calls": fetched.calls,
        }
    if any(fetched.revisions.values()) and not source.CARD.is_private:
        metadata["revisions"] = dg.MetadataValue.md(_revisions_list(fetched))
    return metadata


def _documents_table(snapshots: Sequence[Snapshot]) -> str:
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


def _windows_table(fetched: fetch.FetchReport) -> str:
    return markdown_table(
        [
            {
                "window": window.name,
                "outcome": window.outcome,
                "rows": window.rows,
                "reason": window.reason,
            }
            for window in fetched.settled
        ]
    )


def _revisions_list(fetched: fetch.FetchReport) -> str:
    """How each answer changed the current figures, in the words of `kido land`."""
    return "\n".join(
        f"- {markdown_text(document)}\n"
        + "\n".join(
            f"  - {markdown_text(line)}" for revision in revisions for line in revision.lines()
        )
        for document, revisions in fetched.revisions.items()
        if revisions
    )


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
                # Each window is reported when it is settled, so that a crash loses no finished one.
                skippable=True,
                description=(
                    f"{card.title}, fetched by {_PERIOD_WORDS[windows.frequency]}. Pick the "
                    f"periods and materialise them: one run fetches all that were not answered "
                    f"yet. Then materialise lake and marts, or run the job build."
                ),
                group_name=source_group(card),
                kinds={"http"},
                owners=[card.owner],
                tags={**source_tags(card), BACKFILL_TAG: "true"},
                metadata={
                    "homepage": publisher_page(card),
                    "retries": RETRIES,
                    **code_of_source(source),
                },
                partitions_def=partitions_of(windows),
            )
        ],
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool=publisher_pool(card.name),
    )
    def backfill(context: dg.AssetExecutionContext, warehouse: Warehouse) -> Iterator[None]:
        settings = warehouse.settings(context)
        chosen = [window_of(windows.frequency, name) for name in context.partition_keys]
        fetched = fail_run_on(lambda: _backfill(context, key, settings, source, chosen))
        if fetched.failed or fetched.not_asked:
            retry_if_it_may_pass(context, settings, fetched)
            raise dg.Failure(
                description=f"Failed: {len(fetched.failed)}, not asked: {len(fetched.not_asked)}. "
                f"{fetched.reason} Materialise the range again to continue.",
                allow_retries=False,
            )
        yield from ()

    return backfill


def _backfill(
    context: dg.AssetExecutionContext,
    key: dg.AssetKey,
    settings: Settings,
    source: Source,
    chosen: Sequence[Window],
) -> fetch.FetchReport:
    """Fetch the chosen windows that were not answered yet; materialises each when it is settled."""
    fetching = fetch.SourceFetch(settings, source)

    def report(window: Window, rows: int, snapshot_id: str, outcome: str) -> None:
        context.log_event(
            dg.AssetMaterialization(
                asset_key=key,
                partition=window.key,
                metadata={"rows": rows, "snapshot": snapshot_id, "outcome": outcome},
            )
        )

    def report_settled(result: fetch.WindowResult) -> None:
        if result.window and result.outcome != "failed":
            report(result.window, result.rows, result.snapshot_id, result.outcome)

    with fetching.lock(context.log.info):
        plan = fetching.plan_windows(chosen)
        to_ask = set(plan.windows)
        for window, answer in fetching.answered(chosen).items():
            # Those of an earlier try of this run are reported already.
            if window not in to_ask and not context.retry_number:
                ask = answer.window_ask
                report(window, ask.rows, ask.snapshot_id, "answered before")
        return fetching.run(plan, report_settled)


def partitions_of(windows: Windows) -> dg.TimeWindowPartitionsDefinition:
    """The windows of one frequency as Dagster's partitions: their keys are the windows' keys."""
    is_year = windows.frequency == "A"
    return dg.TimeWindowPartitionsDefinition(
        start=f"{windows.since:%Y}" if is_year else f"{windows.since:%Y-%m}",
        fmt="%Y" if is_year else "%Y-%m",
        cron_schedule="0 0 1 1 *" if is_year else "0 0 1 * *",
    )


def window_of(frequency: Frequency, key: str) -> Window:
    """The window of a partition's key: `2024` or `2024-03`."""
    year, _, month = key.partition("-")
    return Window(frequency, date(int(year), int(month or 1), 1))


def lake_assets(source: Source, *, has_backfills: bool = False) -> dg.AssetsDefinition:
    """`lake/<source>_<table>`: the typed rows of a source; each batch is checked before it is used.

    `has_backfills`: the graph has the source's backfills, and its lake depends on them too.
    """
    card = source.CARD
    tables = [LAKE_TABLES[name] for name in card.tables]
    upstream = [landing_key(card.name)]
    if has_backfills:
        upstream += [backfill_key(card.name, windows.frequency) for windows in card.windows]

    @dg.multi_asset(
        name=f"lake__{card.name}",
        specs=[_lake_spec(source, table, upstream) for table in tables],
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
        started = time.perf_counter()
        outcome = fail_run_on(lambda: conform(settings, source))
        seconds = round(time.perf_counter() - started, 3)
        for table in tables:
            yield suite_check_result(
                LAKE_SUITES[table.name],
                lake_key(card.name, table.name),
                outcome.checks.get(table.name, []),
                share_quarantined=outcome.share_quarantined(table.name),
                is_rejected=table.name in outcome.rejected_tables,
            )
        if outcome.is_rejected_by_hand:
            raise dg.Failure(
                description=_rejected(source, outcome),
                metadata={ALERTED_BY: "failed_checks"},
                allow_retries=False,
            )
        yield from _lake_materializations(settings, source, tables, outcome, seconds)

    return lake


WRITTEN = "written"
"""Metadata of a lake table: which files of its source stood then."""


def is_shown(instance: dg.DagsterInstance, settings: Settings, source: Source) -> bool:
    """Whether Dagster's last materializations of a source are of the rows that stand."""
    name, written = source.CARD.name, _written(lake_of(settings), source)
    keys = [lake_key(name, table) for table in source.CARD.tables]
    made = instance.get_latest_materialization_events(keys)  # without those never materialized
    return unreported(instance, landing_of(settings), name) is None and all(
        (event := made.get(key)) is not None
        and (last := event.asset_materialization) is not None
        and WRITTEN in last.metadata
        and last.metadata[WRITTEN].value == written
        for key in keys
    )


def _written(lake: Lake, source: Source) -> str:
    records = lake.records(source.CARD.name)
    return data_version([f"{name} {record.written}" for name, record in records.items()]).value


def _lake_spec(source: Source, table: LakeTable, upstream: Sequence[dg.AssetKey]) -> dg.AssetSpec:
    card = source.CARD
    return dg.AssetSpec(
        lake_key(card.name, table.name),
        deps=upstream,
        description=f"{table.description} From {card.title}.",
        group_name=source_group(card),
        kinds={"polars", "parquet"},
        owners=[card.owner],
        tags=source_tags(card),
        metadata={
            "dagster/column_schema": lake_column_schema(table),
            "publisher": card.publisher,
            "homepage": publisher_page(card),
            **code_of_source(source, table),
        },
        automation_condition=once_landed(),
    )


def _rejected(source: Source, outcome: ConformReport) -> str:
    """Why documents of a source are rejected; of a private one without its values."""
    if outcome.rejected and source.CARD.is_private:
        documents = ", ".join(sorted(outcome.rejected))
        return f"{documents} is rejected: kido quarantine {source.CARD.name} says why."
    return "; ".join(outcome.rejected.values())


def _lake_materializations(
    settings: Settings,
    source: Source,
    tables: Sequence[LakeTable],
    outcome: ConformReport,
    seconds: float,
) -> Iterator[dg.MaterializeResult[None]]:
    """The rows of each lake table of a source for the UI, with a preview of the current ones.

    `seconds`: how long all its tables took.
    """
    name = source.CARD.name
    lake = lake_of(settings)
    versions, written = list(lake.records(name)), _written(lake, source)
    copies = copies_of(landing_of(settings), name, lake)
    for table in tables:
        left_out = copies.left_out(table, settings.today)
        vintage, latest = lake_reach(lake, table, name, left_out)
        yield dg.MaterializeResult(
            asset_key=lake_key(name, table.name),
            metadata={
                "dagster/row_count": outcome.rows.get(table.name, 0),
                "rows_quarantined": outcome.quarantined.get(table.name, 0),
                "new_snapshots": outcome.new_snapshots,
                "seconds": seconds,
                **latest_period_metadata(latest),
                WRITTEN: written,
                **non_empty(
                    last_vintage=vintage,
                    rejected=_rejected(source, outcome),
                ),
                "preview": dg.MetadataValue.md(
                    "Rows of a private source are not shown."
                    if source.CARD.is_private
                    else markdown_table(lake_preview(lake, table, name, left_out))
                ),
            },
            data_version=data_version([*versions, table.name]),
        )
