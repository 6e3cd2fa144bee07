"""What a run at a terminal does around Dagster's own work."""

import contextlib
import sqlite3
from pathlib import Path

from dagster_project.orchestration.execute import logs_held_open


def write_ahead_log(file: Path) -> Path:
    return file.with_name(f"{file.name}-wal")


def test_the_write_ahead_log_is_emptied_once_and_not_after_every_event(tmp_path: Path) -> None:
    file = tmp_path / "history" / "runs.db"
    file.parent.mkdir()

    def write(statement: str) -> None:
        with contextlib.closing(sqlite3.connect(file)) as connection, connection:
            connection.execute(statement)

    write("pragma journal_mode=wal")
    write("create table events (number integer)")
    assert not write_ahead_log(file).exists()
    with logs_held_open(tmp_path):
        write("insert into events values (1)")
        assert write_ahead_log(file).stat().st_size > 0
        write("insert into events values (2)")
    assert not write_ahead_log(file).exists()
    with contextlib.closing(sqlite3.connect(file)) as connection:
        assert connection.execute("select sum(number) from events").fetchone() == (3,)


def test_an_instance_without_files_yet_is_left_as_it_is(tmp_path: Path) -> None:
    with logs_held_open(tmp_path):
        assert list(tmp_path.iterdir()) == []
