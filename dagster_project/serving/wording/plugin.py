"""The function `sentence` in the databases that dbt opens (`plugins` in dbt/profiles.yml)."""

from __future__ import annotations

import duckdb
from dbt.adapters.duckdb.plugins import BasePlugin
from duckdb.sqltypes import VARCHAR

from dagster_project.serving.wording import sentence


def add_sentences(connection: duckdb.DuckDBPyConnection) -> None:
    """Register `sentence(name, facts)` in a database, facts being a JSON object."""
    connection.create_function(
        "sentence", lambda name, facts: sentence(name, facts), [VARCHAR, VARCHAR], VARCHAR,
        null_handling="special",
    )  # fmt: skip


class Plugin(BasePlugin):  # type: ignore[misc]
    """Registers it in each database that dbt opens."""

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        add_sentences(conn)
