"""DuckDB keeps within the memory it is given: what is larger is spilled beside the build."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.conftest import CHECKOUT

LIMIT = 100_000_000
ROWS = 3_000_000

SORT = f"""
import json, sys
from pathlib import Path
from dagster_project.lake import build_file

file = Path(sys.argv[1])
if sys.argv[2] == "nowhere":
    build_file.spill_settings = lambda path, memory: {{
        "memory_limit": f"{{memory}} bytes", "temp_directory": ""
    }}
with build_file.connect(file, memory={LIMIT}) as connection:
    connection.execute(
        "create table ranked as select *, row_number() over (order by amount) as place from ("
        "select hash(i)::double as amount, 'some text of a flow ' || i as name "
        "from range({ROWS}) as numbers(i))"
    )
    ((rows, highest),) = connection.execute(
        "select count(*), max(place) from ranked"
    ).fetchall()
    ((limit,),) = connection.execute("select current_setting('memory_limit')").fetchall()
print(json.dumps([rows, highest, limit, sorted(path.name for path in file.parent.iterdir())]))
"""
"""Ranks 150 MB of rows: more than may be held. `nowhere` leaves no place to spill to."""


def in_a_process_of_its_own(folder: Path, where: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", SORT, str(folder / "kido.duckdb"), where],
        cwd=CHECKOUT, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_table_larger_than_the_memory_is_built_by_spilling(tmp_path: Path) -> None:
    done = in_a_process_of_its_own(tmp_path, "beside the build")
    assert done.returncode == 0, done.stderr
    rows, highest, limit, left = json.loads(done.stdout)
    assert (rows, highest, limit) == (ROWS, ROWS, "95.3 MiB")
    assert "spill" not in left or not list((tmp_path / "spill").iterdir())


def test_without_a_place_to_spill_to_the_same_table_does_not_fit(tmp_path: Path) -> None:
    done = in_a_process_of_its_own(tmp_path, "nowhere")
    assert done.returncode != 0
    assert "OutOfMemory" in done.stderr
