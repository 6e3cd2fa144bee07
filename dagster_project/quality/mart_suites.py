"""The suites of the published tables: their expectations are read from `dbt/models/marts/`.

They are listed under `config.meta.expectations` in the `.yml` of a table, with the types and
arguments of Great Expectations. Rules that YAML cannot express are named there and defined in
`mart_rules.py`.

Expectations are on ranges, allowed words, coverage and dates. Keys, relationships and identities
are tests of dbt, except the keys of the tables that dbt does not build. An error blocks the
publication of the build. Tables that may be empty have no rule on their number of rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import polars as pl
import yaml
from pydantic import BaseModel, ConfigDict, model_validator

from dagster_project import market, words
from dagster_project.quality import shared_rules
from dagster_project.quality.mart_rules import MART_RULES
from dagster_project.quality.rules import Known, Rule, Severity, Suite, Today
from dagster_project.settings import DBT_PROJECT

MARTS = DBT_PROJECT / "models" / "marts"

LIMITS: Mapping[str, float] = MappingProxyType(
    {
        "largest_share": 1 + shared_rules.ROUNDING,
        "least_usd_per_kg": shared_rules.UNIT_VALUE_USD_PER_KG[0],
        "largest_usd_per_kg": shared_rules.UNIT_VALUE_USD_PER_KG[1],
        "path_from": market.PATH_FROM,
        "path_to": market.PATH_TO,
        "least_sessions": market.LEAST_SESSIONS,
    }
)
"""Figures that code and expectations share: `{limit: path_to}` as an argument, `{path_to}` in the
text of a reason or a derived column."""

PATTERNS: Mapping[str, str] = MappingProxyType(
    {
        "hs6": shared_rules.HS6,
        "hs6_or_heading": shared_rules.HS6_OR_HEADING,
        "iso_4217": shared_rules.ISO_4217,
        "slug": shared_rules.SLUG,
        "nace_division": shared_rules.NACE_DIVISION,
        "element": shared_rules.ELEMENT,
        "not_blank": shared_rules.NOT_BLANK,
        "web_address": shared_rules.WEB_ADDRESS,
    }
)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WordsOf(_Strict):
    """A list of `words.py`, by its name in lower case."""

    words: str

    @property
    def value(self) -> object:
        lists = {name: value for name, value in vars(words).items() if isinstance(value, tuple)}
        return _lookup(self.words, {name.lower(): value for name, value in lists.items()})


class LimitOf(_Strict):
    """One of `LIMITS`."""

    limit: str

    @property
    def value(self) -> object:
        return _lookup(self.limit, LIMITS)


class PatternOf(_Strict):
    """One of `PATTERNS`."""

    pattern: str

    @property
    def value(self) -> object:
        return _lookup(self.pattern, PATTERNS)


class KnownOf(_Strict):
    """The codes of a list of the lake's vocabulary, and a few more."""

    known: Literal["economies", "mineral_groups", "instruments"]
    more: tuple[str, ...] = ()

    @property
    def value(self) -> object:
        return Known(self.known, self.more)


class DayOf(_Strict):
    """A day relative to the one the warehouse is built for."""

    today: int

    @property
    def value(self) -> object:
        return Today(self.today)


Argument = WordsOf | LimitOf | PatternOf | KnownOf | DayOf
Plain = bool | int | float | str | tuple[str, ...] | tuple[float, ...]


class Expectation(_Strict):
    """An entry of `expectations`.

    `type` and `kwargs` are Great Expectations'. `derived` are columns in SQL (`polars.sql_expr`)
    that are computed first. `unit` is that of the values, as a reader is shown them. An entry with
    `function` names a rule of `MART_RULES`, and has nothing else but its name.
    """

    name: str
    type: str = ""
    kwargs: dict[str, Argument | Plain] = {}
    derived: dict[str, str] = {}
    reason: str = ""
    severity: Severity = "error"
    unit: str = ""
    function: str = ""

    @model_validator(mode="after")
    def _is_complete(self) -> Expectation:
        if self.function:
            if self.model_fields_set != {"name", "function"}:
                raise ValueError("an entry with a function has nothing else but its name")
            if self.function not in MART_RULES:
                raise ValueError(f"{self.function} is not a rule of mart_rules.py")
        elif not (self.type and self.reason):
            raise ValueError("an entry gives type, kwargs and reason, or a function")
        return self

    def rule(self) -> Rule:
        """The rule of the entry.

        Raises ValueError if it is invalid, or names an unknown list or limit.
        """
        if self.function:
            return MART_RULES[self.function]
        return Rule(
            self.name,
            "".join(part.capitalize() for part in self.type.split("_")),
            {
                key: value.value if isinstance(value, _Strict) else value
                for key, value in self.kwargs.items()
            },
            self.reason.format(**LIMITS),
            self.severity,
            "stop" if self.severity == "error" else "report",
            {
                name: pl.sql_expr(text.format(**LIMITS)).alias(name)
                for name, text in self.derived.items()
            },
            self.unit,
        )


def _lookup(name: str, values: Mapping[str, Any]) -> object:
    if name not in values:
        raise ValueError(f"{name} is not defined")
    return values[name]


@cache
def mart_suites() -> Mapping[str, Suite]:
    """The suite of every published table, by its name with the schema, in the order of the files.

    Raises ValueError, with the file, for an expectation that cannot be read.
    """
    return MappingProxyType(
        {suite.table: suite for file in sorted(MARTS.glob("*/*.yml")) for suite in suites_of(file)}
    )


def suites_of(file: Path) -> Iterator[Suite]:
    """The suites of the tables that a `.yml` declares: a model, or a table that dbt does not build.

    Raises ValueError, with the file, the table and the rule, for an entry that cannot be read.
    """
    declared = yaml.load(file.read_text("utf8"), yaml.CSafeLoader)
    tables = [
        *declared.get("models", ()),
        *(table for source in declared.get("sources", ()) for table in source["tables"]),
    ]
    for table in tables:
        entries = table.get("config", {}).get("meta", {}).get("expectations", ())
        rules = []
        for entry in entries:
            try:
                rules.append(Expectation.model_validate(entry).rule())
            except (ValueError, KeyError, pl.exceptions.PolarsError) as error:
                raise ValueError(f"{file.name}: {table['name']}: {entry}: {error}") from error
        yield Suite("mart", f"{file.parent.name}.{table['name']}", tuple(rules))
