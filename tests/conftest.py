"""What every test may use: where real figures lie, and how to skip without them."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import settings

from tests import nightly, order, unsynced  # noqa: F401 (what it says holds once it is imported)

# The width of a terminal decides how lines are wrapped. pytest imports readline, which exports one.
for name in ("COLUMNS", "LINES"):
    os.environ.pop(name, None)

# A run that waits for a silent publisher would take 13 minutes; tests of retries set their own.
os.environ["KIDO_RETRY_AFTER_S"] = "0"

# No example has a time limit: how long one takes is the machine's affair.
settings.register_profile("by day", deadline=None, max_examples=25)
settings.register_profile("at night", deadline=None)

CHECKOUT = Path(__file__).resolve().parents[1]
SHARED = CHECKOUT.parent / "shared"
"""Real figures for tests, beside the checkout where they exist; never part of the project."""

needs_shared = pytest.mark.skipif(
    not (SHARED / "data").is_dir(), reason="the folder of real figures is not beside this checkout"
)


needs_reference = pytest.mark.skipif(
    not (SHARED / "reference" / "restriction_clauses.csv").is_file(),
    reason="the list of clauses that the bundled catalogue is compared with is not beside this "
    "checkout",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew")
    parser.addoption("--update-pictures", action="store_true", help="take the docs' pictures anew")
    parser.addoption("--nightly", action="store_true", help="try all of what is random or long")
    parser.addoption("--rest", action="store_true", help="only what --nightly tries beyond the day")
    parser.addoption("--update-seconds", action="store_true", help="write tests/seconds.csv anew")


def pytest_configure(config: pytest.Config) -> None:
    nightly.configure(config)
    settings.load_profile("at night" if nightly.is_night() else "by day")
    if config.getoption("--update-seconds") and not is_worker(config):
        config.pluginmanager.register(order.Seconds())


def is_worker(config: pytest.Config) -> bool:
    """Whether this is one of several processes that run tests."""
    return hasattr(config, "workerinput")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Parse the dbt project, where that is due, before there are several workers."""
    if session.config.getoption("numprocesses", None):
        from dagster_project.orchestration import dbt_runner

        dbt_runner.prepare()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    nightly.choose(config, items)
    if is_worker(config):
        order.longest_first(items, order.known_seconds())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests have counted (`record_property`), also those of a worker."""
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, value in report.user_properties:
                terminalreporter.write_line(f"{name}: {value}")


def pytest_make_parametrize_id(val: object) -> str | None:
    """An archive that is made while tests are collected holds the time: no part of a test's name,
    which has to be the same in every worker.
    """
    is_packed = isinstance(val, bytes) and val.startswith((b"PK", b"\x1f\x8b"))
    return "packed" if is_packed else None


@pytest.fixture(scope="session")
def pictures(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder for pictures of the UI: that of the docs, if they are to be taken anew."""
    if request.config.getoption("--update-pictures"):
        return CHECKOUT / "docs" / "images"
    return tmp_path_factory.mktemp("pictures")


@pytest.fixture(scope="session")
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be written anew, because a change is meant."""
    return bool(request.config.getoption("--update-golden"))


def made_once(
    tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]
) -> Path:
    """A folder that is made by the first worker that asks for it, for all of them."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    folder, is_made = root / name, root / f"{name}.made"
    with FileLock(root / f"{name}.lock"):
        if not is_made.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            is_made.touch()
    return folder


@pytest.fixture(scope="session")
def few_flows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled files with the flows of a few codes (`tests.bundled`)."""
    from tests import bundled

    return made_once(tmp_path_factory, "bundled", bundled.few_flows)


@pytest.fixture
def bundled_with_few_flows(few_flows: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let this process take the bundled files from there."""
    from tests import bundled

    bundled.use(few_flows, monkeypatch.setattr)
    return few_flows
