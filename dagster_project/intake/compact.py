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
    is_any = False
    for source in sources:
        with source_lock(settings, source.CARD.name, write):
            for done in _compacted(settings, source, _tables(source)):
                is_any = True
                write(
                    f"{done.table} of {done.source}: {counted(done.before, 'file')} became "
                    f"{counted(done.after, 'file')}, {counted(done.rows, 'row')} merged."
                )
    if is_any:
        write("The old files are removed by the next build with new data.")
    else:
        write("Nothing to compact: no table of a source has several small files.")


def compact_many_small_files(settings: Settings, source: Source) -> list[CompactionReport]:
    """Compact the tables of a source that have more than MOST_SMALL_FILES small files.

    A source that another process holds is left to the next build, and so is all of it where the
    disk has no room: small files are only slower to read.
    """
    lake = lake_of(settings)
    piled_up = [
        table
        for table in _tables(source)
        if len(small_files(lake, table, source.CARD.name)) > MOST_SMALL_FILES
    ]
    if not piled_up:
        return []
    try:
        with source_lock(settings, source.CARD.name):
            return list(_compacted(settings, source, piled_up))
    except BusyError:
        return []
    except Exception as error:
        if disk_full(error, settings.folders) is None:
            raise
        return []


def _tables(source: Source) -> list[LakeTable]:
    return [*(LAKE_TABLES[name] for name in source.CARD.tables), *INTAKE_TABLES]


def _compacted(
    settings: Settings, source: Source, tables: Iterable[LakeTable]
) -> Iterator[CompactionReport]:
    name = source.CARD.name
    lake = lake_of(settings)
    complete(landing_of(settings), lake, name)
    for table in tables:
        with batches.spool_folder(settings.spool_dir) as folder:
            done = compact(lake, table, name, folder, settings.memory)
        if done is not None:
            yield done
