"""Metadata of rows, checks and tables for the UI. Formatting only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import dagster as dg

from dagster_project.errors import counted, shortened
from dagster_project.lake.schemas import LakeTable
from dagster_project.quality.limits import LARGEST_QUARANTINED_SHARE_OF_A_SOURCE
from dagster_project.quality.results import CheckResult, merge
from dagster_project.quality.rules import Rule, Suite
from dagster_project.safe_text import markdown_cell
from dagster_project.serving.terminal import number

SAMPLE_ROWS = 20


def markdown_table(rows: Sequence[Mapping[str, Any]], limit: int | None = SAMPLE_ROWS) -> str:
    """Rows as a Markdown table, the first ones only unless `limit` is None."""
    if not rows:
        return "no rows"
    names = list(rows[0])
    lines = [f"| {' | '.join(map(markdown_cell, names))} |", f"|{'---|' * len(names)}"]
    for row in rows[:limit]:
        cells = ("" if row[name] is None else markdown_cell(str(row[name])) for name in names)
        lines.append(f"| {' | '.join(cells)} |")
    if limit is not None and len(rows) > limit:
        lines.append(f"\n… and {len(rows) - limit} more")
    return "\n".join(lines)


def latest_period_metadata(latest: str) -> dict[str, str | float]:
    """The latest period (2025, 2026-07-01) as text, and in years with a fraction, as a number that
    the UI plots over time; empty if there is none.
    """
    if not latest:
        return {}
    return {"latest_period": latest, "latest_period_in_years": in_years(latest)}


def in_years(period: str) -> float:
    """A year, or a day in years: 2026-07-01 is 2026.5."""
    year, _, rest = period[: len("2026-01-31")].partition("-")
    if not rest:
        return float(year)
    day = date.fromisoformat(f"{year}-{rest}")
    return round(day.year + (day.month - 1) / 12 + (day.day - 1) / 372, 3)


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


SKIPPED = "skipped"
"""dbt's status of a test whose model, or one before it, failed: the test itself found nothing."""

COULD_NOT_RUN = "could_not_run"
"""Metadata of a suite's check of which no rule failed: the number of rules that could not run."""

SUITE_CHECK = "every_rule_of_the_suite_holds"
"""The name of the check of a suite; its rules, with their own names, are in its metadata.

One check per suite and not one per rule: an event log entry costs milliseconds, and a check has
four of them. `catalog.checks` has a row per rule.
"""


def suite_check_spec(suite: Suite, asset: dg.AssetKey) -> dg.AssetCheckSpec:
    """The check of a suite. A failed rule of a mart blocks what follows.

    A failed rule of the lake does not: its batch is rejected, or its rows are quarantined, and
    what was received before is used.
    """
    return dg.AssetCheckSpec(
        SUITE_CHECK,
        asset=asset,
        blocking=suite.layer == "mart",
        description=f"Great Expectations suite of {len(suite.rules)} rules: "
        + "; ".join(rule.name.replace("_", " ") for rule in suite.rules)
        + ".",
    )


def suite_check_result(
    suite: Suite,
    asset: dg.AssetKey,
    results: Iterable[CheckResult],
    *,
    seconds: float | None = None,
    share_quarantined: float | None = None,
    is_rejected: bool = False,
) -> dg.AssetCheckResult:
    """The result of a suite over the batches of a table: every rule, with offending rows.

    `share_of_failing_rows` is that of the rule that most rows break, 0 to 1. `seconds` is how long
    the suite took, where it was evaluated for this result. `share_quarantined` is the part of a
    source's rows, or of its newest batch, that is quarantined, `is_rejected` whether a batch was
    rejected by a rule of this table.
    A failure is an error, which the graph shows in red, if a batch was rejected, more of a source
    is quarantined than its limit, or a mart may not be published; else it is a warning.
    """
    by_rule: dict[str, list[CheckResult]] = {rule.name: [] for rule in suite.rules}
    for result in results:
        by_rule.setdefault(result.check_name, []).append(result)
    failed = [
        result
        for results_of_rule in by_rule.values()
        for result in results_of_rule
        if result.status != "passed"
    ]
    quarantines_too_many = (
        is_rejected
        or share_quarantined is None
        or share_quarantined > LARGEST_QUARANTINED_SHARE_OF_A_SOURCE
    )
    metadata: dict[str, Any] = {
        "engine": "great_expectations",
        "failing_rows": sum(failure.failing_rows for failure in failed),
        "share_of_failing_rows": max(
            (each.failing_rows / each.rows for each in merge(failed) if each.rows), default=0.0
        ),
        "rules": dg.MetadataValue.md(
            markdown_table([_rule_in_words(*of_rule) for of_rule in by_rule.items()], None)
        ),
        **({} if seconds is None else {"seconds": round(seconds, 3)}),
        **_quarantined(share_quarantined),
        **(_findings(suite, by_rule, failed) if failed else {}),
    }
    return dg.AssetCheckResult(
        asset_key=asset,
        check_name=SUITE_CHECK,
        passed=not failed,
        severity=dg.AssetCheckSeverity.ERROR
        if any(_is_error(result, quarantines_too_many, suite) for result in failed)
        else dg.AssetCheckSeverity.WARN,
        metadata=metadata,
    )


def _findings(
    suite: Suite, by_rule: Mapping[str, Sequence[CheckResult]], failed: Sequence[CheckResult]
) -> dict[str, Any]:
    """What failed of a suite: in a sentence per rule, and with its first offending rows."""
    rules = {rule.name: rule for rule in suite.rules}
    observed = "; ".join(
        f"{merged.check_name}: {finding_in_words(merged, rules.get(merged.check_name))}"
        for merged in merge(result for results in by_rule.values() for result in results)
        if merged.status != "passed"
    )
    is_unknown = all(failure.status == COULD_NOT_RUN for failure in failed)
    return {
        "observed": observed,
        **({COULD_NOT_RUN: len(failed)} if is_unknown else {}),
        "offending_rows": dg.MetadataValue.md("\n\n".join(map(_offending, failed))),
    }


def _quarantined(share: float | None) -> dict[str, float]:
    """The share of quarantined rows beside its limit, which the UI plots over time."""
    if share is None:
        return {}
    return {
        "share_of_quarantined_rows": share,
        "largest_share_of_quarantined_rows": LARGEST_QUARANTINED_SHARE_OF_A_SOURCE,
    }


def _is_error(result: CheckResult, quarantines_too_many: bool, suite: Suite) -> bool:
    quarantines = {rule.name for rule in suite.rules if rule.on_failure == "quarantine"}
    is_quarantined = result.check_name in quarantines
    return quarantines_too_many if is_quarantined else result.severity == "error"


def finding_in_words(result: CheckResult, rule: Rule | None = None) -> str:
    """The finding of a failed check over all its batches: rows, example values, unit, limits.

    `99 of 712,629 rows, such as 0.000153 and 5,547,816 USD per kg (usual: 0.001 to 1,000,000)`.
    """
    if result.status != "failed" or not (result.values and result.rows):
        return shortened(result.observed) if result.failing_rows else result.observed
    share = f"{result.failing_rows:,} of {counted(result.rows, 'row')}"
    if rule is not None and rule.on_failure == "quarantine":
        share = f"{share} quarantined"
    if rule is None or not rule.unit:
        return f"{share}, first {shortened('; '.join(result.values))}"
    values = sorted(float(value) for value in result.values)
    ends = " and ".join(dict.fromkeys(map(number, (values[0], values[-1]))))
    return f"{share}, such as {ends} {rule.unit}{_limits(rule)}"


def _limits(rule: Rule) -> str:
    """The bounds of a rule on numbers, in brackets; empty where it has none."""
    low, high = (
        number(bound) if isinstance(bound := rule.kwargs.get(name), int | float) else ""
        for name in ("min_value", "max_value")
    )
    if low and high:
        return f" (usual: {low} to {high})"
    return f" (usual: at least {low})" if low else f" (usual: at most {high})" if high else ""


def _rule_in_words(name: str, results: Sequence[CheckResult]) -> dict[str, str]:
    status = next((result.status for result in results if result.status != "passed"), "passed")
    return {
        "rule": name.replace("_", " "),
        "status": status.replace("_", " ") if results else "no rows",
        "observed": "; ".join(dict.fromkeys(result.observed for result in results)),
    }


def _offending(result: CheckResult) -> str:
    rows = [] if result.sample is None else result.sample.to_dicts()
    return (
        f"**{result.check_name.replace('_', ' ')}** ({result.status.replace('_', ' ')}): "
        f"{result.explanation}\n\n{markdown_table(rows)}"
    )
