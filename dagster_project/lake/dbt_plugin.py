"""The files of a build in the database that dbt opens (`plugins` in dbt/profiles.yml).

The environment names them (`build_file.dbt_environment`). A dbt whose parent was killed ends too.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import duckdb
from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt.adapters.duckdb.plugins import BasePlugin

from dagster_project.lake.build_file import (
    DBT_BUILD_FILE,
    DBT_MEMORY_LIMIT,
    DBT_PARENT,
    spill_settings,
    work_file,
)
from dagster_project.lake.relations import quoted


class Plugin(BasePlugin):  # type: ignore[misc]
    """Attaches the files of a build as `kido` and `work`."""

    def update_connection_config(self, creds: DuckDBCredentials, config: dict[str, Any]) -> None:
        file, memory = os.environ.get(DBT_BUILD_FILE), os.environ.get(DBT_MEMORY_LIMIT)
        if file and memory:
            config |= spill_settings(Path(file), int(memory))

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        file = os.environ.get(DBT_BUILD_FILE)
        work = work_file(Path(file)) if file else None
        conn.execute(f"attach {quoted([file or ':memory:'])} as kido")
        conn.execute(f"attach {quoted([work or ':memory:'])} as work")
        if parent := os.environ.get(DBT_PARENT):
            threading.Thread(target=_end_with, args=(int(parent),), daemon=True).start()

    def configure_cursor(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Published views name no file, and read from the marts."""
        cursor.execute("use kido")


def _end_with(parent: int) -> None:
    """End this process once it is no more the child of that one; nobody will read its files."""
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGKILL)
