"""The function `sentence` in the databases that dbt opens (`plugins` in dbt/profiles.yml)."""

from __future__ import annotations

import duckdb
from dbt.adapters.duckdb.plugins import BasePlugin
from duckdb.sqltypes import VARCHAR

from dagster_project.serving.wording import sentence


class Plugin(BasePlugin):  # type: ignore[misc]
    """Registers `sentence(name, facts)`, facts being a JSON object."""

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        conn.create_function(
            "sentence", lambda name, facts: sentence(name, facts), [VARCHAR, VARCHAR], VARCHAR,
            null_handling="special",
        )  # fmt: skip
