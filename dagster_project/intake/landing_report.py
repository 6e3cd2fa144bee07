"""The outcome of `kido land` as rows and sentences; the command line prints them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from dagster_project.errors import shortened
from dagster_project.intake.batch import Batch, TableBatch
from dagster_project.intake.conform import ConformReport
from dagster_project.quality.revisions import Revision
from dagster_project.quality.suites import LAKE_SUITES
from dagster_project.sources.card import SourceCard


@dataclass(frozen=True)
class LandingReport:
    """The outcome of the files of one command, and of the source's other landed snapshots.

    `rows` and `quarantined` count rows by table.
    """

    documents: tuple[str, ...]
    is_new: bool
    rows: dict[str, int]
    quarantined: dict[str, int]
    quarantine: Path
    reasons: tuple[str, ...] = ()
    """For each table with quarantined rows, why its first one was quarantined."""
    revisions: tuple[Revision, ...] = ()
    """The effect on the current figures, by table."""
    replaces_bundled: tuple[str, ...] = ()
    """The bundled lists that landed ones replace."""
    stale_corrections: tuple[str, ...] = ()
    """The corrections that no longer match, each in a sentence."""
    warnings: tuple[str, ...] = ()
    """The checks that failed and do not block, each in a sentence with the first rows."""
    without_rows: str = ""
    """What it means that there are no rows."""
    others: ConformReport = field(default_factory=ConformReport)

    @property
    def heading(self) -> str:
        news = "landed" if self.is_new else "nothing new"
        instead = f" In place of the bundled {', '.join(self.replaces_bundled)}."
        title = shortened(" + ".join(self.documents))
        return f"{title}: {news}.{instead if self.replaces_bundled else ''}"

    def table_rows(self) -> list[dict[str, str | int]]:
        """A row per lake table: its number of rows, and how they compare with the current ones.

        Files that are landed already are not compared.
        """
        revisions = {revision.table: revision for revision in self.revisions}
        return [
            {
                "table": table,
                "rows": rows,
                **(_compared(rows, revisions.get(table)) if self.is_new else {}),
                "quarantined": self.quarantined[table],
            }
            for table, rows in self.rows.items()
        ]

    def remarks(self) -> Iterator[str]:
        """Sentences on what the numbers of rows do not show."""
        if not any(self.rows.values()):
            yield f"No row: {self.without_rows}."
        for revision in self.revisions:
            _, *details = revision.lines()
            yield from (f"{revision.table}: {detail}" for detail in details)
        yield from (f"Warning: {warning}" for warning in self.warnings)
        yield from (f"{sentence}." for sentence in self.stale_corrections)
        if self.reasons:
            yield f"Quarantined in {self.quarantine}: {'; '.join(self.reasons)}."


def report_of(
    card: SourceCard,
    documents: Sequence[str],
    batch: Batch,
    quarantine: Path,
    revisions: Sequence[Revision],
    others: ConformReport,
    *,
    is_new: bool,
) -> LandingReport:
    """The report on documents of one command: their checked batch, their effect (`revisions`).

    `others` is the conforming of the source's other snapshots, `is_new` whether anything was
    landed.
    """
    tables = batch.tables
    return LandingReport(
        documents=tuple(documents),
        is_new=is_new,
        rows={table: checked.rows for table, checked in tables.items()},
        quarantined={table: checked.quarantined.height for table, checked in tables.items()},
        quarantine=quarantine,
        reasons=tuple(
            _first_reason(table, checked.quarantined)
            for table, checked in tables.items()
            if checked.quarantined.height
        ),
        revisions=tuple(revisions),
        replaces_bundled=tuple(
            name
            for name in dict.fromkeys(documents)
            if card.cadence == "edited by hand" and name in card.bundled
        ),
        stale_corrections=tuple(_stale_corrections(batch.corrections)),
        warnings=tuple(
            warning for table, checked in tables.items() for warning in _warnings(table, checked)
        ),
        without_rows=card.without_rows,
        others=others,
    )


def _compared(rows: int, revision: Revision | None) -> dict[str, str | int]:
    """Numbers of rows compared with the current ones; with nothing to compare, all are new."""
    revision = revision or Revision("", rows, 0, 0, 0, (), ())
    compared = revision.added + revision.changed + revision.unchanged + revision.by_sums
    return {
        "new": revision.added,
        "changed": revision.changed,
        "as known": revision.unchanged,
        "compared by sums": revision.by_sums,
        "older than known": rows - compared,
        "removed": revision.removed,
    }


def _warnings(table: str, batch: TableBatch) -> Iterator[str]:
    """The failed checks of a table that do not block."""
    only_reported = {rule.name for rule in LAKE_SUITES[table].rules if rule.on_failure == "report"}
    for check in batch.checks:
        if check.status == "failed" and check.check_name in only_reported:
            name = check.check_name.replace("_", " ")
            yield f'the check "{name}" failed: {check.observed}. {check.explanation}'


def _stale_corrections(corrections: pl.DataFrame) -> Iterator[str]:
    for row in corrections.filter(status="no_longer_matches").iter_rows(named=True):
        figure = "no figure" if row["found_value"] is None else row["found_value"]
        yield (
            f"the correction {row['correction_id']} no longer matches: there is {figure} where "
            f"{row['wrong_value']} was wrong; it is not changed"
        )


def _first_reason(table: str, quarantined: pl.DataFrame) -> str:
    row = quarantined.row(0, named=True)
    rule = row["rule"].replace("_", " ")
    return f"{table} row {row['row_number']} fails {rule} ({shortened(str(row['value']))})"
