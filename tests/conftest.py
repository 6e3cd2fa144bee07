"""What every test may use: where real figures lie, and how to skip without them."""

from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("kido", deadline=None)
"""No example has a time limit: how long one takes is the machine's affair."""
settings.load_profile("kido")

CHECKOUT = Path(__file__).resolve().parents[1]
SHARED = CHECKOUT.parent / "shared"
"""Real figures for tests, beside the checkout where they exist; never part of the project."""

needs_shared = pytest.mark.skipif(
    not (SHARED / "data").is_dir(), reason="the folder of real figures is not beside this checkout"
)


def _rows(name: str) -> int:
    file = SHARED / "reference" / name
    return len(file.read_text("utf8").splitlines()) - 1 if file.is_file() else 0


needs_edition_of_catalogue = pytest.mark.skipif(
    _rows("restriction_scope.csv") != 163,
    reason="the list of clauses beside this checkout is not the edition that the bundled catalogue "
    "was transcribed from (163 rows of scope), or is not there",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew")


def pytest_make_parametrize_id(val: object) -> str | None:
    """An archive that is made while tests are collected holds the time: no part of a test's name,
    which has to be the same in every worker.
    """
    is_packed = isinstance(val, bytes) and val.startswith((b"PK", b"\x1f\x8b"))
    return "packed" if is_packed else None


@pytest.fixture(scope="session")
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be written anew, because a change is meant."""
    return bool(request.config.getoption("--update-golden"))
