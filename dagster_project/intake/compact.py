"""Merges the lake's small files: on request, and when there are many.

The merging itself is in `lake/compaction.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from dagster_project.errors import BusyError, counted
from dagster_project.intake import batch as batches
from dagster_project.intake.source_lock import source_lock
from dagster_project.intake.stores import lake_of, landing_of
from dagster_project.intake.withdraw import complete
from dagster_project.lake.compaction import MOST_SMALL_FILES, CompactionReport, compact, small_files
from dagster_project.lake.schemas import INTAKE_TABLES, LAKE_TABLES, LakeTable
from dagster_project.lake.space import disk_full
from dagster_project.settings import Settings
from dagster_project.sources.card import Source


def compact_sources(
    settings: Settings, sources: Iterable[Source], write: Callable[[str], None] = print
) -> None:
    """Compact every table of these sources; `write` gets a line for each that changed.

    The old files are removed by the next build, since a running one may read them.
    """
    has_changed = False
    for source in sources:
        with source_lock(settings, source.CARD.name, write):
            for report in _compact(settings, source, _tables(source)):
                has_changed = True
                write(
                    f"{report.table} of {report.source}: {counted(report.before, 'file')} became "
                    f"{counted(report.after, 'file')}, {counted(report.rows, 'row')} merged."
                )
    if has_changed:
        write("The old files are removed by the next build with new data.")
    else:
        write("Nothing to compact: no table of a source has several small files.")


def compact_many_small_files(settings: Settings, source: Source) -> list[CompactionReport]:
    """Compact the tables of a source that have more than MOST_SMALL_FILES small files.

    Returns what was compacted: nothing where another process has locked the source, or the disk is
    full. The next build tries again; small files are only slower to read.
    """
    lake = lake_of(settings)
    tables = [
        table
        for table in _tables(source)
        if len(small_files(lake, table, source.CARD.name)) > MOST_SMALL_FILES
    ]
    if not tables:
        return []
    try:
        with source_lock(settings, source.CARD.name):
            return list(_compact(settings, source, tables))
    except BusyError:
        return []
    except Exception as error:
        if disk_full(error, settings.folders) is None:
            raise
        return []


def _tables(source: Source) -> list[LakeTable]:
    return [*(LAKE_TABLES[name] for name in source.CARD.tables), *INTAKE_TABLES]


def _compact(
    settings: Settings, source: Source, tables: Iterable[LakeTable]
) -> Iterator[CompactionReport]:
    name = source.CARD.name
    lake = lake_of(settings)
    complete(landing_of(settings), lake, name)
    for table in tables:
        with batches.spool_folder(settings.spool_dir) as folder:
            report = compact(lake, table, name, folder, settings.memory)
        if report is not None:
            yield report
