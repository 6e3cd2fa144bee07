"""Rules and suites as plain data, so that the names of all checks are known without an evaluation.

`runner` evaluates a suite; Great Expectations is not imported here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from types import MappingProxyType
from typing import Literal

import polars as pl

from dagster_project import words
from dagster_project.lake import vocabulary
from dagster_project.lake.scope import DEFAULT_SCOPE, CommodityScope
from dagster_project.lake.vocabulary import ListName
from dagster_project.quality.markets import EXAMPLE, Markets

Layer = Literal["lake", "mart"]
Severity = words.Severity
OnFailure = Literal["stop", "quarantine", "report"]

Reach = Literal["row", "key", "distinct", "column", "table"]
"""The data needed to evaluate an expectation.

`row`: each row by itself. `key`: rows that share a key. `distinct`: the set of a column's values.
`column`: a column with its repetitions. `table`: the number of rows.
"""

EXPECTATIONS: Mapping[str, Reach] = MappingProxyType(
    {
        "ExpectColumnValuesToBeBetween": "row",
        "ExpectColumnValuesToBeInSet": "row",
        "ExpectColumnValuesToBeNull": "row",
        "ExpectColumnValuesToMatchRegex": "row",
        "ExpectColumnValuesToNotBeInSet": "row",
        "ExpectColumnValuesToNotBeNull": "row",
        "ExpectColumnValuesToNotMatchRegex": "row",
        "ExpectColumnPairValuesAToBeGreaterThanB": "row",
        "ExpectColumnPairValuesToBeEqual": "row",
        "ExpectSelectColumnValuesToBeUniqueWithinRecord": "row",
        "ExpectColumnValuesToBeUnique": "key",
        "ExpectCompoundColumnsToBeUnique": "key",
        "ExpectColumnDistinctValuesToContainSet": "distinct",
        "ExpectColumnSumToBeBetween": "column",
        "ExpectTableRowCountToBeBetween": "table",
    }
)
"""The expectations that rules may use: those that can be evaluated on a profile."""


@dataclass(frozen=True)
class Today:
    """A day relative to the day of the check, instead of a fixed one.

    For a mart it is the day the warehouse is built for; for a batch, the day it came in.
    """

    days: int = 0


@dataclass(frozen=True)
class Known:
    """The codes of a list of the lake's vocabulary, and a few more, instead of a fixed set."""

    codes: Literal["economies", "mineral_groups", "instruments"]
    more: tuple[str, ...] = ()


OfMarkets = Callable[[Markets], pl.Expr]
"""A derived column that depends on the exchanges of the frame's instruments."""

Derived = pl.Expr | OfMarkets


@dataclass(frozen=True, eq=False)
class Rule:
    """One expectation with a name that is a sentence of fact.

    `kwargs` are the expectation's, with `Today` and `Known` for values resolved at evaluation.
    `derived` are columns of the expectation that are computed from the frame's first;
    `with_markets` gives the expressions of those that depend on exchanges.
    Raises ValueError for an expectation that no profile can evaluate, and for `mostly`: the share
    of bad rows is limited for the batch, not for a rule.
    """

    name: str
    expectation: str
    kwargs: Mapping[str, object]
    explanation: str
    severity: Severity = "error"
    on_failure: OnFailure = "stop"
    derived: Mapping[str, Derived] = field(default_factory=dict)
    unit: str = ""
    """Unit of the values it evaluates, for readers; empty for texts and days."""
    is_of_unknown_codes: bool = False
    """Whether what breaks it is a code that Kido's lists do not have, which is no fault of the
    file: a batch may have more of such rows before it is rejected."""

    def __post_init__(self) -> None:
        if self.expectation not in EXPECTATIONS:
            raise ValueError(f"{self.name}: {self.expectation} is not in EXPECTATIONS.")
        if "mostly" in self.kwargs:
            raise ValueError(f"{self.name}: `mostly` is not allowed: a rule applies to every row.")
        if self.on_failure == "quarantine" and self.reach != "row":
            raise ValueError(f"{self.name}: {self.expectation} gives no rows to quarantine.")
        if (self.on_failure == "stop") != (self.severity == "error"):
            raise ValueError(f"{self.name}: a rule blocks if, and only if, its severity is error.")

    def with_derived(self, **derived: Derived) -> Rule:
        """The rule with columns that are computed from those of the frame."""
        return replace(self, derived={**self.derived, **derived})

    def in_unit(self, unit: str) -> Rule:
        """The rule with the unit of the values it evaluates."""
        return replace(self, unit=unit)

    def of_unknown_codes(self) -> Rule:
        """The rule as one that a code breaks which Kido's lists do not have."""
        return replace(self, is_of_unknown_codes=True)

    def with_markets(self, markets: Markets) -> Rule:
        """The rule with expressions for all of its derived columns."""
        return replace(self, derived=self.expressions(markets))

    def expressions(self, markets: Markets = EXAMPLE) -> dict[str, pl.Expr]:
        """The expressions of the derived columns."""
        return {
            name: column if isinstance(column, pl.Expr) else column(markets)
            for name, column in self.derived.items()
        }

    @property
    def reach(self) -> Reach:
        return EXPECTATIONS[self.expectation]

    @property
    def evaluated_columns(self) -> tuple[str, ...]:
        """The columns the expectation names, derived ones included."""
        named = [
            self.kwargs[key] for key in ("column", "column_A", "column_B") if key in self.kwargs
        ]
        listed = self.kwargs.get("column_list", ())
        assert isinstance(listed, tuple | list)
        return tuple(str(name) for name in (*named, *listed))

    @property
    def needs_markets(self) -> bool:
        """Whether a derived column depends on the exchanges of the instruments."""
        return not all(isinstance(column, pl.Expr) for column in self.derived.values())

    @property
    def has_list(self) -> bool:
        """Whether it depends on a list of the lake's vocabulary."""
        return any(isinstance(value, Known) for value in self.kwargs.values())

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns the frame must have for the rule to be evaluated."""
        needed: dict[str, None] = {}
        derived = self.expressions()
        for name in self.evaluated_columns:
            if name in derived:
                needed.update(dict.fromkeys(derived[name].meta.root_names()))
            else:
                needed[name] = None
        return tuple(needed)


@dataclass(frozen=True, eq=False)
class Suite:
    """The rules of one table. `table` is a lake table's name, or a mart's with its schema."""

    layer: Layer
    table: str
    rules: tuple[Rule, ...]

    def __post_init__(self) -> None:
        names = [rule.name for rule in self.rules]
        repeated = {name for name in names if names.count(name) > 1}
        if repeated:
            raise ValueError(f"{self.table}: {', '.join(sorted(repeated))} is duplicated.")
        derived: dict[str, pl.Expr] = {}
        for rule in self.rules:
            if self.layer == "mart" and rule.on_failure == "quarantine":
                raise ValueError(f"{self.table}: {rule.name}: a mart's rows are never quarantined.")
            for name, expression in rule.expressions().items():
                if not derived.setdefault(name, expression).meta.eq(expression):
                    raise ValueError(f"{self.table}: {name} is derived in two ways.")


def stop(
    name: str, explanation: str, expectation: str, /, derived: Mapping[str, Derived] | None = None,
    **kwargs: object,
) -> Rule:  # fmt: skip
    """A rule whose failure blocks the batch, or the publication of the build."""
    return Rule(name, expectation, kwargs, explanation, "error", "stop", derived or {})


def quarantine(
    name: str, explanation: str, expectation: str, /, derived: Mapping[str, Derived] | None = None,
    **kwargs: object,
) -> Rule:  # fmt: skip
    """A rule whose offending rows are quarantined while the rest of the batch is accepted."""
    return Rule(name, expectation, kwargs, explanation, "warn", "quarantine", derived or {})


def report(
    name: str, explanation: str, expectation: str, /, derived: Mapping[str, Derived] | None = None,
    **kwargs: object,
) -> Rule:  # fmt: skip
    """A rule whose failure is shown and does not block: unusual, but it may be correct."""
    return Rule(name, expectation, kwargs, explanation, "warn", "report", derived or {})


def resolved_kwargs(
    rule: Rule,
    today: date,
    scope: CommodityScope = DEFAULT_SCOPE,
    values: Collection[object] = (),
) -> dict[str, object]:
    """The rule's kwargs with days and lists of codes instead of `Today` and `Known`.

    `values` are those of the rule's columns. In a wide `scope` each of its codes is a mineral group
    of its own; the list has those that are among the values.
    """
    return {key: _resolved(value, today, scope, values) for key, value in rule.kwargs.items()}


def _resolved(
    value: object, today: date, scope: CommodityScope, values: Collection[object]
) -> object:
    if isinstance(value, Today):
        return today + timedelta(days=value.days)
    if isinstance(value, Known):
        return _known(value, scope, values)
    return list(value) if isinstance(value, tuple) else value


def _known(known: Known, scope: CommodityScope, values: Collection[object]) -> list[str]:
    codes = {
        "economies": vocabulary.economies,
        "mineral_groups": vocabulary.mineral_groups,
        "instruments": vocabulary.instruments,
    }[known.codes]()
    allowed = {*codes, *known.more}
    if known.codes == "mineral_groups":
        allowed |= scope.groups(values)
    return sorted(allowed)


def lists_of(suite: Suite) -> set[ListName]:
    """The lists of codes that the verdict of a suite depends on."""
    lists: set[ListName] = {
        value.codes for rule in suite.rules for value in rule.kwargs.values()
        if isinstance(value, Known)
    }  # fmt: skip
    return lists | {"instruments" for rule in suite.rules if rule.needs_markets}


def suite_version(suite: Suite) -> str:
    """Twelve hex digits that change when a rule changes.

    It does not depend on the day, since a verdict on a batch remains valid, nor on the lists of
    codes (`lists_of`).
    """
    digest = hashlib.sha256(f"{suite.layer} {suite.table}".encode())
    for rule in suite.rules:
        words = [rule.name, rule.expectation, rule.severity, rule.on_failure, rule.explanation]
        if rule.is_of_unknown_codes:
            words.append("unknown codes")
        digest.update(json.dumps([words, dict(rule.kwargs)], sort_keys=True, default=repr).encode())
        for name, expression in sorted(rule.expressions().items()):
            digest.update(name.encode())
            digest.update(expression.meta.serialize())
    return digest.hexdigest()[:12]
