"""What becomes of mutated files: none hangs, crashes or takes a gigabyte; a known figure is never
changed without a word.

All of them are tried each night, a few of some documents with every change.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import pytest

from tests.conftest import CHECKOUT
from tests.integration.mutations import DOCUMENTS, mutations_of
from tests.nightly import is_night, nightly

MOST_SECONDS = 30
MOST_MIB = 1024
BY_DAY = ("pink_sheet/monthly_prices.csv", "ec_crm/supply_shares.csv", "catalogue/claims.yaml")
ONE_IN_BY_DAY = 20


class Outcome(NamedTuple):
    """What became of a file: the rows that it changed, and those that the report counts."""

    kind: str
    name: str
    became: str
    changed: int
    reported: int
    text: str
    seconds: float
    mib: float


def outcomes_of(document: str) -> list[Outcome]:
    every = 1 if is_night() else ONE_IN_BY_DAY
    child = subprocess.run(
        [sys.executable, "-m", "tests.integration.mutations", document, str(every), "0"],
        cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=3600,
    )  # fmt: skip
    assert child.returncode == 0, child.stderr[-2000:]
    return [Outcome(*json.loads(line)) for line in child.stdout.splitlines()]


@pytest.mark.parametrize(
    "document",
    [name if name in BY_DAY else pytest.param(name, marks=nightly) for name in DOCUMENTS],
)
def test_a_mutated_file_is_refused_or_its_changes_are_listed(
    document: str, record_property: Callable[[str, object], None]
) -> None:
    outcomes = outcomes_of(document)
    assert len(outcomes) >= (50 if is_night() else 3)
    wrong = [
        each for each in outcomes
        if each.became not in ("refused", "listed", "as known", "as printed again")
        or each.seconds > MOST_SECONDS
        or each.mib > MOST_MIB
        or (each.became == "listed" and each.reported < each.changed)
    ]  # fmt: skip
    assert not wrong, "\n".join(map(str, wrong[:10]))
    passed = [each for each in outcomes if each.became != "refused"]
    for each in passed:
        print(f"{document}: {each.kind} {each.name}: {each.became}, {each.changed} rows changed")
    record_property(f"mutations of {document}", dict(Counter(each.became for each in outcomes)))


@nightly
def test_there_are_2700_mutated_files_of_nine_kinds() -> None:
    kinds: Counter[str] = Counter()
    for document in DOCUMENTS:
        kinds.update(mutation.kind for mutation in mutations_of(document))
    assert kinds.keys() == {
        "unit", "sign", "shift", "swap", "cut", "bit", "encoding", "archive", "text"
    }  # fmt: skip
    assert kinds.total() >= 2_700
    assert min(kinds.values()) >= 100
