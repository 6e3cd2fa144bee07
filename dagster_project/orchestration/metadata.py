"""What the UI shows of a frame, a check or a table. Words only; nothing is computed here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import dagster as dg

from dagster_project.lake.schemas import LakeTable
from dagster_project.quality.results import CheckResult
from dagster_project.quality.rules import Rule, Suite

SAMPLE_ROWS = 20


def markdown_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as a Markdown table, the first ones only."""
    if not rows:
        return "no rows"
    names = list(rows[0])
    lines = [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
    for row in rows[:SAMPLE_ROWS]:
        cells = (
            "" if row[name] is None else str(row[name]).replace("|", "\\|").replace("\n", " ")
            for name in names
        )
        lines.append(f"| {' | '.join(cells)} |")
    if len(rows) > SAMPLE_ROWS:
        lines.append(f"\n… and {len(rows) - SAMPLE_ROWS} more")
    return "\n".join(lines)


def lake_column_schema(table: LakeTable) -> dg.TableSchema:
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=name,
                type=str(column.dtype),
                description=column.description,
                constraints=dg.TableColumnConstraints(nullable=column.nullable),
            )
            for name, column in table.columns.items()
        ],
        constraints=dg.TableConstraints(other=[f"one row per {', '.join(table.key)}"]),
    )


def check_specs(
    suite: Suite, asset: dg.AssetKey, *, blocking: bool = True
) -> list[dg.AssetCheckSpec]:
    """One Dagster check per rule of a suite; a rule that stops a batch blocks what follows."""
    return [
        dg.AssetCheckSpec(
            name=rule.name,
            asset=asset,
            blocking=blocking and stops(rule),
            description=rule.explanation,
        )
        for rule in suite.rules
    ]


def stops(rule: Rule) -> bool:
    """Whether a failure of the rule stops what follows, rather than warn or set rows aside."""
    return rule.severity == "error" and rule.on_failure == "stop"


def suite_check_results(
    suite: Suite, asset: dg.AssetKey, results: Iterable[CheckResult]
) -> list[dg.AssetCheckResult]:
    """What a suite found over the batches of a table, one Dagster result per rule."""
    by_rule: dict[str, list[CheckResult]] = {}
    for result in results:
        by_rule.setdefault(result.check_name, []).append(result)
    return [_combined(rule, asset, by_rule.get(rule.name, [])) for rule in suite.rules]


def _combined(
    rule: Rule, asset: dg.AssetKey, results: Sequence[CheckResult]
) -> dg.AssetCheckResult:  # fmt: skip
    failed = [result for result in results if result.status != "passed"]
    could_not_run = any(result.status == "could_not_run" for result in failed)
    samples = [
        row for result in failed if result.sample is not None for row in result.sample.to_dicts()
    ]
    shown = failed or results
    metadata: dict[str, Any] = {
        "engine": "great_expectations",
        "observed": "; ".join(dict.fromkeys(result.observed for result in shown)) or "no rows",
    }
    if failed:
        metadata["status"] = "could not run" if could_not_run else "failed"
        metadata["failing_rows"] = sum(result.failing_rows for result in failed)
        metadata["offending_rows"] = dg.MetadataValue.md(markdown_table(samples))
    return dg.AssetCheckResult(
        asset_key=asset,
        check_name=rule.name,
        passed=not failed,
        severity=dg.AssetCheckSeverity.ERROR if stops(rule) else dg.AssetCheckSeverity.WARN,
        description=rule.explanation,
        metadata=metadata,
    )
