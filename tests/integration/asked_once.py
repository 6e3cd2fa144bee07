"""Great Expectations is asked once for what many files have in common.

The same file is landed by many tests, and files that are made of one another differ in a column or
two: the rules on the others have been decided. What the runner does with an answer is done each
time. What a rule is, and how it is asked for, is not known here.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from dagster_project.quality import runner
from dagster_project.quality.rules import Rule


class AskedOnce:
    """Stands in for the runner's question whether rules hold; the rows that break one are asked for
    each time.
    """

    def __init__(self) -> None:
        self._validate = runner._validate
        self._answers: dict[tuple[object, ...], Any] = {}

    def __call__(
        self,
        shown: pd.DataFrame,
        rules: Sequence[Rule],
        kwargs: Mapping[str, Mapping[str, object]],
        result_format: str,
    ) -> dict[str, Any]:
        if result_format != "BOOLEAN_ONLY":
            return self._validate(shown, rules, kwargs, result_format)
        hashed: dict[str, npt.NDArray[np.uint64]] = {}
        questions = {rule.name: _question(shown, rule, kwargs[rule.name], hashed) for rule in rules}
        new = [rule for rule in rules if questions[rule.name] not in self._answers]
        for name, answer in self._validate(shown, new, kwargs, result_format).items():
            self._answers[questions[name]] = answer
        return {name: self._answers[question] for name, question in questions.items()}


def _question(
    shown: pd.DataFrame,
    rule: Rule,
    kwargs: Mapping[str, object],
    hashed: dict[str, npt.NDArray[np.uint64]],
) -> tuple[object, ...]:
    """What an answer depends on: the rule, and what it sees of the rows (`Rule.reach`).

    `hashed` are the columns of `shown` that were needed so far, by name.
    """
    asked = (rule.name, rule.expectation, repr(sorted(kwargs.items())))
    if rule.reach == "table":
        return (*asked, len(shown))
    rows = np.zeros(len(shown), np.uint64)
    for name in rule.evaluated_columns:
        if name not in hashed:
            hashed[name] = pd.util.hash_pandas_object(shown[name], index=False).to_numpy()
        rows = rows * np.uint64(1_000_003) + hashed[name]
    each = np.unique(rows) if rule.reach in ("row", "distinct") else np.sort(rows)
    seen = blake2b(each.tobytes(), digest_size=16).digest()
    return (*asked, *(str(shown.dtypes[name]) for name in rule.evaluated_columns), seen)


@cache
def _of_this_process() -> AskedOnce:
    return AskedOnce()


@contextlib.contextmanager
def everywhere() -> Iterator[None]:
    """For all that this process lands; what one test has asked is known to the next."""
    asked = _of_this_process()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner, "_validate", asked)
        yield
