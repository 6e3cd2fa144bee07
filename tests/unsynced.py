"""SQLite does not wait for the disk in tests.

Dagster commits each event by itself, and a test kills processes but no machine: what is written
stays. Imported by what runs tests and by what their processes are forked from.
"""

from __future__ import annotations

import sqlite3

from sqlalchemy import event
from sqlalchemy.engine import Engine


@event.listens_for(Engine, "connect")
def _do_not_wait(connection: object, _record: object) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.execute("pragma synchronous = off")
