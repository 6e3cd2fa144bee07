"""Keeps the instance's SQLite files open while a run in this process writes its events.

Dagster decides what is written and when; this module only replaces the connection it uses.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import dagster as dg
    from sqlalchemy import Connection, Engine


@contextlib.contextmanager
def logs_held_open(instance: dg.DagsterInstance, run_id: str) -> Iterator[None]:
    """Give the instance's SQLite storages connections that stay open until the end of the block.

    Dagster makes an engine and a connection for every statement, 3,100 of them in a build: each
    time the SQL is compiled again, and SQLite checkpoints its write-ahead log whenever the last
    connection closes. That was 7 of the 25 s of CPU time of a build. Storages of any other kind,
    and the files of other runs, are used as Dagster does.
    """
    from dagster._core.storage.event_log import SqliteEventLogStorage
    from dagster._core.storage.runs import SqliteRunStorage

    events, runs = instance.event_log_storage, instance.run_storage
    with contextlib.ExitStack() as held:
        if type(events) is SqliteEventLogStorage:
            own, shared = _HeldOpen(events.run_connection), _HeldOpen(events.index_connection)
            others = events.run_connection
            held.callback(own.close)
            held.callback(shared.close)
            _replace(
                held, events, "run_connection",
                lambda asked=None: own.connection(asked) if asked == run_id else others(asked),
            )  # fmt: skip
            _replace(held, events, "index_connection", shared.connection)
            for name in ("has_table", "_has_asset_key_col_on_connection"):
                _replace(held, events, name, _seen_once(getattr(events, name)))
        if type(runs) is SqliteRunStorage:
            of_runs = _HeldOpen(runs.connect)
            held.callback(of_runs.close)
            _replace(held, runs, "connect", of_runs.connection)
        yield


class _HeldOpen:
    """A SQLite file as Dagster opens it, with its connections kept in SQLAlchemy's own pool.

    Threads take turns, as they do with Dagster's event log.
    """

    def __init__(self, opened: Callable[..., AbstractContextManager[Connection]]) -> None:
        self._opened = opened
        self._engine: Engine | None = None
        self._turn = threading.RLock()

    @contextlib.contextmanager
    def connection(self, *shard: str) -> Iterator[Connection]:
        with self._turn:
            if self._engine is None:
                self._engine = self._like_dagsters(*shard)
            with self._engine.begin() as connection:
                yield connection

    def close(self) -> None:
        if self._engine is not None:
            self._engine.dispose()

    def _like_dagsters(self, *shard: str) -> Engine:
        """An engine on the file that Dagster creates, with the same timeout for other writers.

        Writes are flushed to disk at checkpoints, not event by event: a killed process loses
        nothing, a power failure the last events of a run that it interrupts anyway. 1,700 flushes
        take 0.3 to 1.5 s.
        """
        from sqlalchemy import create_engine, event

        with self._opened(*shard) as connection:
            waits: int = connection.exec_driver_sql("pragma busy_timeout").scalar_one()
            engine = create_engine(connection.engine.url, connect_args={"timeout": waits / 1000})

        @event.listens_for(engine, "connect")
        def wait_for_the_disk_once(connection: Any, _: object) -> None:
            connection.execute("pragma synchronous = normal")

        return engine


def _seen_once(is_there: Callable[..., bool]) -> Callable[..., bool]:
    """Dagster checks for the same tables and columns with every event; an existing one (the last
    argument names it) is remembered.
    """
    there: set[str] = set()

    def seen(*asked: Any) -> bool:
        name: str = asked[-1]
        if name not in there and is_there(*asked):
            there.add(name)
        return name in there

    return seen


def _replace(held: contextlib.ExitStack, storage: Any, name: str, by: Callable[..., Any]) -> None:
    """Replace a method of this one storage until the exit stack is closed."""
    setattr(storage, name, by)
    held.callback(delattr, storage, name)
