"""Whether a published file, or the kept copy of a release, can be read.

What replaces a damaged one is in `publication`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import duckdb

from dagster_project.errors import DamagedReleaseError, PublicationError
from dagster_project.lake.build_file import connect, read_all
from dagster_project.lake.space import chain_of
from dagster_project.serving.catalog import select_newest_release

_IS_LOCKED = "Could not set lock"
"""In DuckDB's message where another process has the file open for writing."""

_OF_THE_QUERY = (
    duckdb.ProgrammingError, duckdb.DataError, duckdb.OutOfMemoryException,
    duckdb.InterruptException, duckdb.PermissionException,
)  # fmt: skip
"""DuckDB's errors that are never the fault of the file."""


def damaged(file: Path, error: Exception, hint: str) -> PublicationError:
    """The error of a file that DuckDB could not read: in use by a program that writes, or damaged.

    `hint` is the remedy for a damaged one.
    """
    if _IS_LOCKED in str(error):
        return PublicationError(
            f"{file} cannot be opened: another program has it open for writing.",
            hint="Close it there, or open it read-only.",
        )
    return DamagedReleaseError(f"{file} is damaged: DuckDB cannot read it.", hint=hint)


def require_readable(file: Path, hint: str, *, reads_all: bool = True) -> None:
    """Raise the error of `damaged` if the file cannot be read.

    `reads_all`: every block of every table is read, which DuckDB compares with its checksum; else
    the file is opened and its newest release is read.
    """
    try:
        # A file without a list of releases is another one; it is not damaged.
        no_releases = contextlib.suppress(duckdb.CatalogException)
        with connect(file, read_only=True) as connection, no_releases:
            connection.execute(select_newest_release()).fetchall()
        if reads_all:
            read_all(file)
    except duckdb.Error as error:
        raise damaged(file, error, hint) from None


def damage_of(file: Path, *, reads_all: bool = True) -> str:
    """The sentence on a damaged file; empty if it can be read.

    Raises PublicationError if another program has it open for writing.
    """
    try:
        require_readable(file, "", reads_all=reads_all)
    except DamagedReleaseError as error:
        return str(error)
    return ""


@contextlib.contextmanager
def naming_damage(file: Path, hint: str) -> Iterator[None]:
    """Raise the error of `damaged` for an error of DuckDB inside, if the file is the reason.

    DuckDB finds a damaged block when a query first reads it. Only then is all of the file read.
    """
    try:
        yield
    except Exception as error:
        causes = (cause for cause in chain_of(error) if isinstance(cause, duckdb.Error))
        if any(not isinstance(cause, _OF_THE_QUERY) for cause in causes):
            require_readable(file, hint)
        raise
