"""Scenarios: what would change in an importer's supply, in files that are edited by hand.

The layout is described in `docs/scenarios.md` and at the head of each bundled file. What follows
from a scenario is computed in dbt.
"""

from __future__ import annotations

import difflib
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Annotated, Any, Self

import polars as pl
from pydantic import BeforeValidator, Field, model_validator

from dagster_project import words
from dagster_project.errors import UnknownCodeError, UpstreamFormatError, shortened
from dagster_project.lake.entries import Entry, Identifier, Text, as_text, line_of_field
from dagster_project.lake.schemas import INSTANT
from dagster_project.lake.scope import DEFAULT_SCOPE, CommodityScope
from dagster_project.lake.vocabulary import UNION, economies, mineral_groups
from dagster_project.sources.card import Document, SourceCard
from dagster_project.sources.entries import Place, listed_entries, table_of, validated
from dagster_project.sources.fields import Address, Day, Economy, Month, Share, number_of
from dagster_project.sources.formats import looks_like_html, utc_naive
from dagster_project.sources.yaml_text import load_yaml

CARD = SourceCard(
    name="scenarios",
    title="Scenarios of supply",
    publisher="Kido",
    licence="CC BY 4.0",
    licence_url="https://creativecommons.org/licenses/by/4.0/",
    is_redistributable=True,
    cadence="edited by hand",
    domain="restrictions",
    homepage="dagster_project/bundled/scenarios",
    tables=("scenario_changes",),
    lists=("economies", "mineral_groups"),
    description=(
        "What would change in an importer's supply: a supplier lost or cut, a share that moves, "
        "an added supply, a clause lifted or extended. Assumptions and no forecast."
    ),
    bundled=(
        "china_stops_to_japan.yaml",
        "minamitorishima_commercial.yaml",
        "allied_separation.yaml",
    ),
)

NAME = CARD.name
NO_IMPORTERS = ("WLD", "_X")
NO_SUPPLIERS = (*NO_IMPORTERS, UNION)
"""Codes in the list of economies that are not a single economy."""

LAST_YEAR = 2060
"""No plan reaches further, and each year of a scenario has a row per supplier."""

LONGEST_NAME = 60
"""Characters of the name of a scenario, which is the name of its file in the landing."""

ROUNDING = 1e-9
"""Shares that add up to one may be this far above it as doubles."""


# ---- Entries


def _slug(value: object) -> str:
    text = as_text(value)
    if not re.fullmatch("[a-z0-9]+(_[a-z0-9]+)*", text):
        raise ValueError(f"is {text!r}; a scenario is named like `china_stops_to_japan`")
    if len(text) > LONGEST_NAME:
        raise ValueError(f"is {text!r}; a name has at most {LONGEST_NAME} characters")
    return text


def _tonnes(value: object) -> tuple[float, float]:
    bounds = value if isinstance(value, list) else [value, value]
    if len(bounds) != 2:
        raise ValueError(f"is {value!r} and neither a number nor a low and a high one like [1, 2]")
    low, high = (number_of(bound) for bound in bounds)
    if not (low > 0 and high > 0 and math.isfinite(high)):
        raise ValueError(f"is {value!r}; tonnes a year are above 0")
    if low > high:
        raise ValueError(f"is {value!r}; the low number comes first")
    return (low, high)


Name = Annotated[str, BeforeValidator(_slug)]
Groups = Annotated[list[Identifier], Field(min_length=1)]
Tonnes = Annotated[tuple[float, float], BeforeValidator(_tonnes)]


class Head(Entry):
    """What a file says of its scenario, with its changes as written."""

    scenario: Name
    title: Text
    importer: Economy
    groups: Groups
    changes: Any


class Change(Entry, ABC):
    """One change. `groups` are those of the file if not given."""

    because: Text | None = None
    url: Address | None = None

    @property
    def own_groups(self) -> Sequence[str]:
        """The mineral groups that the entry gives; empty where it gives none."""
        return getattr(self, "groups", None) or ()

    @abstractmethod
    def columns(self) -> dict[str, object]:
        """The columns of the lake that only some kinds of change have."""


class Cut(Change):
    """A supplier is lost from a month on, or a part of its supply."""

    cut: Economy
    share: Share = 1.0
    from_: Month = Field(alias="from")
    groups: Groups | None = None

    def columns(self) -> dict[str, object]:
        return {"supplier_iso3": self.cut, "share": self.share, "from_date": self.from_}


class Shift(Change):
    """A part of the importer's whole supply moves from one supplier to another."""

    shift: Economy
    to: Economy
    share: Share
    from_: Month = Field(alias="from")
    groups: Groups | None = None

    @model_validator(mode="after")
    def _moves(self) -> Self:
        if self.to == self.shift:
            raise ValueError(f"it moves supply from {self.shift} to {self.to} itself")
        return self

    def columns(self) -> dict[str, object]:
        return {
            "supplier_iso3": self.shift,
            "to_supplier_iso3": self.to,
            "share": self.share,
            "from_date": self.from_,
        }


class Add(Change):
    """An economy delivers more: tonnes a year from a month on, or those of a supply project."""

    add: Economy
    tonnes: Tonnes | None = None
    project: Identifier | None = None
    relief: Identifier | None = None
    from_: Month | None = Field(None, alias="from")
    groups: Groups | None = None

    @model_validator(mode="after")
    def _has_one_amount(self) -> Self:
        if self.tonnes and self.project:
            raise ValueError("it has both `tonnes` and `project`; give one of them")
        if not (self.tonnes or self.project):
            raise ValueError("it has neither `tonnes` nor `project`")
        if self.project and not self.relief:
            raise ValueError("it has a `project` without its scenario (`relief`)")
        if self.tonnes and self.relief:
            raise ValueError("it has a scenario (`relief`) without its `project`")
        if self.tonnes and not self.from_:
            raise ValueError("it has `tonnes` without a first month (`from`)")
        return self

    def columns(self) -> dict[str, object]:
        low, high = self.tonnes or (None, None)
        return {
            "supplier_iso3": self.add,
            "tonnes_low": low,
            "tonnes_high": high,
            "project": self.project,
            "relief_scenario": self.relief,
            "from_date": self.from_,
        }


class Lift(Change):
    """A clause is lifted: the last day on which it is in force."""

    lift: Identifier
    on: Day

    def columns(self) -> dict[str, object]:
        return {"clause_id": self.lift, "effective_date": self.on}


class Extend(Change):
    """A clause is in force until a day, included."""

    extend: Identifier
    until: Day

    def columns(self) -> dict[str, object]:
        return {"clause_id": self.extend, "effective_date": self.until}


KINDS: Mapping[words.ScenarioChange, type[Change]] = {
    "cut": Cut,
    "shift": Shift,
    "add": Add,
    "lift": Lift,
    "extend": Extend,
}
"""The entry of each kind; its name is the field that an entry is recognised by."""


# ---- The file


@dataclass(frozen=True)
class ReadChange:
    """A change with its columns in the lake, its fields as written, and its place in the file."""

    columns: Mapping[str, Any]
    written: Mapping[str, object]
    where: Place

    def at(self, field: str) -> Place:
        """Where a field of it is: in its own line."""
        return replace(self.where, line=line_of_field(self.written, [field]))


@dataclass(frozen=True)
class Scenario:
    """A scenario as its file gives it."""

    name: str
    title: str
    importer: str
    groups: Sequence[str]
    changes: Sequence[ReadChange]


def parse(
    payload: bytes, document: Document, scope: CommodityScope = DEFAULT_SCOPE
) -> Mapping[str, pl.DataFrame]:
    """The file of a scenario -> `scenario_changes`, one row per change.

    `vintage_at` is the time of retrieval; nothing is provisional. Raises what `read_scenario` does.
    """
    scenario = read_scenario(payload, document, scope)
    rows = (
        {
            "scenario": scenario.name,
            "title": scenario.title,
            "importer_iso3": scenario.importer,
            "position": position,
            **change.columns,
        }
        for position, change in enumerate(scenario.changes, start=1)
    )
    frame = table_of("scenario_changes", rows).with_columns(
        source=pl.lit(NAME),
        is_provisional=pl.lit(False),
        vintage_at=pl.lit(utc_naive(document.retrieved_at), INSTANT),
    )
    return {"scenario_changes": frame}


def read_scenario(
    payload: bytes, document: Document, scope: CommodityScope = DEFAULT_SCOPE
) -> Scenario:
    """The file of a scenario. In a wide `scope` each of its codes is a mineral group too.

    Of a file that a person lands, no change may begin before it was landed: a month must follow
    that of its retrieval, a day may not be before it. Raises UpstreamFormatError in one sentence
    that names the line, the change and the field, or UnknownCodeError for an economy or mineral
    group that no list of codes has.
    """
    if not payload.strip():
        raise UpstreamFormatError(f"{NAME}: the file is empty.")
    if looks_like_html(payload):
        raise UpstreamFormatError(f"{NAME}: HTML page where YAML was expected.")
    written, _ = load_yaml(payload, NAME)
    if not isinstance(written, dict):
        raise UpstreamFormatError(f"{NAME}: the file has no fields, such as `scenario:`.")
    name = written.get("scenario") or "without a name"
    place = Place(NAME, None, shortened(f"scenario {name}"))
    head = validated(Head, written, place, line_of_field)
    importer, groups, listed = (_at(written, place, f) for f in ("importer", "groups", "changes"))
    _require_single_economy(importer, "importer", head.importer, NO_IMPORTERS)
    known_groups = mineral_groups() | scope.groups(head.groups)
    _require_groups(groups, head.groups, known_groups, "a known mineral group")
    if not head.changes:
        raise UpstreamFormatError(f"{listed}: it changes nothing.")
    entries = listed_entries(head.changes, f"{listed}: `changes`")
    changes = [_read_change(entry, i, head.groups) for i, entry in enumerate(entries, start=1)]
    for change in changes:
        _require_horizon(change)
        if change.columns.get("to_supplier_iso3") == head.importer:
            raise UpstreamFormatError(
                f"{change.at('to')}: `to` is the importer itself; its own supply is an `add`."
            )
    if not document.is_bundled:
        landed_on = utc_naive(document.retrieved_at).date()
        for change in changes:
            _require_future(change, landed_on)
    _require_consistent(changes)
    changed = {group for change in changes for group in change.columns["mineral_groups"]}
    for group in head.groups:
        if group not in changed:
            raise UpstreamFormatError(f"{groups}: no change is about {group}.")
    return Scenario(head.scenario, head.title, head.importer, sorted(set(head.groups)), changes)


def _at(written: object, place: Place, field: str) -> Place:
    return replace(place, line=line_of_field(written, [field]))


def _read_change(entry: Mapping[str, object], number: int, groups: Sequence[str]) -> ReadChange:
    """The change of an entry; `groups` are those of the file."""
    where = Place(NAME, line_of_field(entry), f"change {number}")
    kind = _kind_of(entry, where)
    change = validated(KINDS[kind], entry, where, line_of_field)
    for field in ("cut", "shift", "to", "add"):
        code = getattr(change, field, None)
        if code is not None:
            _require_single_economy(_at(entry, where, field), field, code, NO_SUPPLIERS)
    own = change.own_groups
    _require_groups(_at(entry, where, "groups"), own, groups, "one of the groups of the scenario")
    about = sorted(set(own or groups))
    if isinstance(change, Add) and change.tonnes and len(about) > 1:
        raise UpstreamFormatError(
            f"{_at(entry, where, 'tonnes')}: `tonnes` are of one mineral group and not of "
            f"{len(about)}; name it in `groups`."
        )
    columns = {
        "kind": kind,
        "mineral_groups": about,
        **change.columns(),
        "because": change.because,
        "source_url": change.url,
    }
    return ReadChange(columns, entry, where)


def _kind_of(entry: Mapping[str, object], where: Place) -> words.ScenarioChange:
    kinds = [kind for kind in KINDS if kind in entry]
    if len(kinds) == 1:
        return kinds[0]
    if kinds:
        both = " and ".join(f"`{kind}`" for kind in kinds)
        raise UpstreamFormatError(f"{where}: it has {both}; an entry is one change.")
    *first, last = (f"`{kind}`" for kind in KINDS)
    near = [close for name in entry for close in difflib.get_close_matches(str(name), KINDS, n=1)]
    meant = f"; did you mean `{near[0]}`" if near else ""
    raise UpstreamFormatError(f"{where}: it has none of {', '.join(first)} or {last}{meant}.")


def _require_single_economy(where: Place, field: str, code: str, others: Sequence[str]) -> None:
    if code not in economies():
        raise UnknownCodeError(f"{where}: `{field}` is {code!r}, which is not a known economy.")
    if code in others:
        raise UpstreamFormatError(f"{where}: `{field}` is {code!r}, which is not one economy.")


def _require_groups(
    where: Place, groups: Sequence[str], allowed: Collection[str], what: str
) -> None:
    for position, group in enumerate(groups, start=1):
        if group not in allowed:
            raise UnknownCodeError(
                f"{where}: `groups` {position} is {group!r}, which is not {what}."
            )


def _require_horizon(change: ReadChange) -> None:
    """Raise UpstreamFormatError for a month or day beyond the last year."""
    for field, column in (("from", "from_date"), ("on", "effective_date")):
        day = change.columns.get(column)
        if day and day.year > LAST_YEAR:
            named = "until" if change.columns["kind"] == "extend" else field
            raise UpstreamFormatError(
                f"{change.at(named)}: `{named}` is in {day.year}; a scenario reaches to "
                f"{LAST_YEAR}."
            )


def _require_future(change: ReadChange, landed_on: date) -> None:
    """Raise UpstreamFormatError for a month that has begun, or a day that is past."""
    month, day = change.columns.get("from_date"), change.columns.get("effective_date")
    if month and month <= landed_on:
        raise UpstreamFormatError(
            f"{change.at('from')}: `from` is {month:%Y-%m}; the first month may be "
            f"{_next_month(landed_on):%Y-%m}, the one after the day of landing, {landed_on}."
        )
    if day and day < landed_on:
        field = "on" if change.columns["kind"] == "lift" else "until"
        raise UpstreamFormatError(
            f"{change.at(field)}: `{field}` is {day}, which is before the day of landing, "
            f"{landed_on}."
        )


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1)


def _require_consistent(changes: Sequence[ReadChange]) -> None:
    """Raise UpstreamFormatError for a change that is there twice, or impossible with earlier ones.

    Cuts of one supplier run on from their months, so they add up; so do the shifts from it.
    """
    same: dict[str, ReadChange] = {}
    clauses: dict[str, ReadChange] = {}
    projects: dict[tuple[str, str], ReadChange] = {}
    shares: dict[tuple[str, str, str], float] = {}
    for change in changes:
        columns = change.columns
        earlier = same.setdefault(repr(columns), change)
        if earlier is not change:
            raise UpstreamFormatError(f"{change.where} repeats {earlier.where.name}.")
        if clause := columns.get("clause_id"):
            if clause in clauses:
                raise UpstreamFormatError(
                    f"{change.where}: {clauses[clause].where.name} changes the clause "
                    f"{shortened(clause)} already."
                )
            clauses[clause] = change
        if project := columns.get("project"):
            first = projects.setdefault((project, columns["relief_scenario"]), change)
            if first is not change:
                raise UpstreamFormatError(
                    f"{change.where}: {first.where.name} adds the project {shortened(project)} "
                    "already."
                )
        if columns.get("share") is None:
            continue
        for group in columns["mineral_groups"]:
            of_supplier = (columns["kind"], columns["supplier_iso3"], group)
            total = shares[of_supplier] = shares.get(of_supplier, 0) + columns["share"]
            if total > 1 + ROUNDING:
                raise UpstreamFormatError(
                    f"{change.where}: with it the shares of `{columns['kind']}: "
                    f"{columns['supplier_iso3']}` add up to {total:.9g} of {group}; the most is 1."
                )
    for change in changes:
        receiver = str(change.columns.get("to_supplier_iso3") or "")
        for group in change.columns["mineral_groups"] if receiver else ():
            if shares.get(("cut", receiver, group), 0) > 1 - ROUNDING:
                raise UpstreamFormatError(
                    f"{change.at('to')}: `to` is {receiver}, of which all {group} are cut."
                )
