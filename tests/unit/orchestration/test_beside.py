"""The process beside: two jobs at a time, each answered once; one that is gone stops nobody."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dagster_project.orchestration import beside
from dagster_project.orchestration.beside import Beside


@dataclass(frozen=True)
class Process:
    """A job: the number of the process that does it, with so many bytes of padding."""

    name: str
    padding: int = 0
    meets: Path | None = None
    """A folder where it waits for another job."""

    def done_here(self) -> tuple[int, str]:
        if self.name == "fails":
            raise ValueError(self.name)
        if self.name == "prints":
            print("nothing of an answer", flush=True)
        if self.name == "dies":
            os._exit(1)
        if self.meets:
            (self.meets / self.name).touch()
            wait_until(lambda: len(list(self.meets.iterdir())) == 2)
        return os.getpid(), "." * self.padding


def wait_until(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.01)


def without_rules(folder: Path) -> Path:
    """A folder for `PYTHONPATH` with a Great Expectations that is imported at once and does
    nothing: 3 s less of a processor for each process that needs none.
    """
    types = folder / "great_expectations" / "data_context" / "types"
    types.mkdir(parents=True)
    for package in (types, *types.parents[:2]):
        (package / "__init__.py").touch()
    (types / "base.py").write_text("ProgressBarsConfig = dict")
    return folder


@pytest.fixture
def soon_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process beside is one without rules; it looks for the class of a job where tests lie."""
    folders = (without_rules(tmp_path), Path(__file__).parents[3])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, folders)))


@pytest.fixture
def process(soon_there: None) -> Iterator[Beside]:
    made = Beside()
    yield made
    made.end()


def test_jobs_are_done_there_and_answered_once_in_any_order(process: Beside) -> None:
    jobs = [Process("a"), Process("b", padding=300_000), Process("c")]
    for job in jobs:
        process.ask(job)
    answers = {job: process.answer(job) for job in (jobs[2], jobs[0], jobs[1])}
    assert not {number for number, _ in answers.values()} & {os.getpid(), process._process.pid}
    assert [len(answers[job][1]) for job in jobs] == [0, 300_000, 0]
    assert not any(process.is_asked(job) or process.answer(job) for job in jobs)
    assert process.answer(Process("never asked")) is None


def test_two_jobs_are_done_at_the_same_time(process: Beside, tmp_path: Path) -> None:
    (tmp_path / "at").mkdir()
    jobs = [Process(name, meets=tmp_path / "at") for name in "ab"]
    for job in jobs:
        process.ask(job)
    assert len({process.answer(job)[0] for job in jobs}) == 2


def test_the_workers_do_not_wait_for_results_to_be_taken(process: Beside, tmp_path: Path) -> None:
    (tmp_path / "at").mkdir()
    large = [Process(str(number), padding=300_000) for number in range(8)]
    meeting = [Process(name, meets=tmp_path / "at") for name in "ab"]
    for job in (*large, *meeting):
        process.ask(job)
    wait_until(lambda: len(list((tmp_path / "at").iterdir())) == 2)
    assert all(process.answer(job) is not None for job in (*meeting, *large))


def test_what_fails_there_has_no_answer_and_the_next_one_has(process: Beside) -> None:
    for name in ("fails", "prints", "well"):
        process.ask(Process(name))
    assert process.answer(Process("fails")) is None
    assert process.answer(Process("prints"))[1] == ""
    assert process.answer(Process("well"))[1] == ""


def test_a_module_is_imported_before_the_workers_are_there(
    soon_there: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "notes_its_import.py").write_text(
        "import os, pathlib\npathlib.Path(__file__).with_name('noted').write_text(str(os.getpid()))"
    )
    made = Beside(["notes_its_import"])
    try:
        made.ask(Process("a"))
        assert made.answer(Process("a")) is not None
        assert (tmp_path / "noted").read_text() == str(made._process.pid)
    finally:
        made.end()


@pytest.mark.parametrize("how", ["dies at the job", "is killed before", "is killed after"])
def test_where_it_is_gone_there_is_no_answer(process: Beside, how: str) -> None:
    kill: Callable[[], None] = process._process.kill
    if how == "is killed before":
        kill()
        process._process.wait()
    first = Process("dies" if how == "dies at the job" else "never done", padding=1)
    process.ask(first)
    if how == "dies at the job":
        assert process.answer(first) is None
    process.ask(Process("after it"))
    if how == "is killed after":
        kill()
        process._process.wait()
    assert process.answer(Process("after it")) is None
    assert not process.is_asked(first)
    process.ask(Process("later"))
    assert process.answer(Process("later")) is None


def test_it_is_stopped_at_once(process: Beside) -> None:
    process.end()
    assert process._process.returncode is not None
    process.end()
    process.ask(Process("later"))
    assert process.answer(Process("later")) is None


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.usefixtures("soon_there")
@pytest.mark.parametrize("seconds", [0, 3])
def test_it_ends_with_the_process_that_started_it(seconds: int) -> None:
    script = (
        "import os, time; from dagster_project.orchestration.beside import Beside\n"
        f"print(Beside()._process.pid, flush=True); time.sleep({seconds}); os._exit(9)"
    )
    ended = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, check=False)
    number = int(ended.stdout)
    wait_until(lambda: not is_running(number))


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_its_workers_end_with_it_also_in_the_middle_of_a_job(
    process: Beside, tmp_path: Path
) -> None:
    (tmp_path / "at").mkdir()
    process.ask(Process("waits", meets=tmp_path / "at"))
    wait_until((tmp_path / "at" / "waits").exists)
    workers = workers_of(process)
    assert len(workers) == 2
    process.end()
    wait_until(lambda: not any(is_running(number) for number in workers))


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_where_a_worker_is_killed_what_it_did_has_no_answer(
    process: Beside, tmp_path: Path
) -> None:
    (tmp_path / "at").mkdir()
    jobs = [Process("waits", meets=tmp_path / "at"), Process("after it")]
    process.ask(jobs[0])
    wait_until((tmp_path / "at" / "waits").exists)
    os.kill(workers_of(process)[0], signal.SIGKILL)
    assert process.answer(jobs[0]) is None
    process.ask(jobs[1])
    assert process.answer(jobs[1]) is None


def workers_of(process: Beside) -> list[int]:
    number = process._process.pid
    return [
        int(child)
        for threads in Path(f"/proc/{number}/task").iterdir()
        for child in (threads / "children").read_text().split()
    ]


def is_running(number: int) -> bool:
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What became of the processes that were started; none is."""
    made: list[str] = []
    monkeypatch.setattr(beside, "_at_hand", [])
    monkeypatch.setattr(beside.Beside, "__init__", lambda self, _: made.append("started"))
    monkeypatch.setattr(beside.Beside, "end", lambda self: made.append("ended"))
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.delitem(sys.modules, "great_expectations", raising=False)
    return made


def test_there_is_one_at_a_time_and_none_after_what_it_was_started_for(made: list[str]) -> None:
    with beside.started():
        process = beside.at_hand()
        assert process is not None
        assert beside.start() is process
    assert made == ["started", "ended"]
    assert beside.at_hand() is None
    with pytest.raises(ZeroDivisionError), beside.started():
        _ = 1 / 0
    assert made == ["started", "ended"] * 2


def test_there_is_none_with_one_core_or_where_the_import_is_done(
    made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    assert beside.start() is None
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setitem(sys.modules, "great_expectations", sys)
    assert beside.start() is None
    assert made == []
