"""Published statements, and the fields of each test that can decide one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, Self, get_args

import polars as pl
from pydantic import Field, model_validator

from dagster_project import words
from dagster_project.errors import UnknownCodeError, UpstreamFormatError
from dagster_project.lake.entries import Entry, Identifier, Text
from dagster_project.lake.schemas import LAKE_TABLES
from dagster_project.lake.vocabulary import commodity_codes, mineral_groups
from dagster_project.sources.catalogue.entries import place_of
from dagster_project.sources.entries import (
    Place,
    require_economies,
    require_unique,
    table_of,
    validated,
)
from dagster_project.sources.fields import (
    Address,
    Day,
    Economy,
    Flag,
    Identifiers,
    Mineral,
    Minerals,
    NaceDivision,
    Number,
    Years,
)


class Claim(Entry):
    """A published statement. Each test that decides one, with its unit, is a subclass."""

    claim: Identifier
    statement: Text
    reading: Text | None = None
    claimed_by: Text
    claimed_on: Day | None = None
    missing: Text | None = None
    evidence: Identifiers = Field(default_factory=list)
    citation: Text | None = None
    url: Address | None = None
    known: Day | None = None

    @model_validator(mode="after")
    def _has_a_day(self) -> Self:
        if self.claimed_on is None and self.known is None:
            raise ValueError(
                "it has neither `claimed_on` nor `known`; where the day of the statement is not "
                "known, `known` is the day it was noted"
            )
        return self

    def subject(self) -> dict[str, object]:
        """Columns of the lake that contain what the test is about."""
        return {}


class Undecided(Claim):
    """A statement that no figure of the warehouse can decide, and the figure that could."""

    test: Literal["none"]
    missing: Text


class _Bounded(Claim):
    low: Number | None = None
    more_than: Number | None = None
    high: Number | None = None
    least: ClassVar[float] = 0
    most: ClassVar[float] = math.inf

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.low is not None and self.more_than is not None:
            raise ValueError(f"it has both `low` ({self.low}) and `more_than` ({self.more_than})")
        lower = self.low if self.more_than is None else self.more_than
        bounds = [bound for bound in (lower, self.high) if bound is not None]
        if not bounds:
            raise ValueError(
                "it has neither `low`, `more_than` nor `high`, so no figure can decide it"
            )
        if bounds != sorted(bounds):
            name = "low" if self.more_than is None else "more_than"
            raise ValueError(f"`{name}` ({lower}) is above `high` ({self.high})")
        if self.more_than is not None and self.more_than == self.high:
            raise ValueError(f"nothing is `more_than` and at most `high` ({self.high})")
        if not all(self.least <= bound <= self.most for bound in bounds):
            limits = (
                f"are not below {self.least}"
                if math.isinf(self.most)
                else f"of a share are between {self.least} and {self.most}"
            )
            raise ValueError(f"`low`, `more_than` and `high` {limits}")
        return self


class SupplierShare(_Bounded):
    """The share of a supplier in what an importer imports of a mineral group."""

    test: Literal["supplier_share"]
    basis: words.Measure | None = None
    importer: Economy
    supplier: Economy
    mineral_group: Text
    period_start: Day | None = None
    years: Years | None = None
    same_return: Flag = False
    most: ClassVar[float] = 1

    @model_validator(mode="after")
    def _is_of_one_time(self) -> Self:
        if self.period_start is not None and self.years is not None:
            raise ValueError(
                "it has both `period_start` and `years`; `years` is for a statement that names none"
            )
        return self

    def subject(self) -> dict[str, object]:
        return {
            "basis": self.basis,
            "importer_iso3": self.importer,
            "supplier_iso3": self.supplier,
            "mineral_group": self.mineral_group,
            "period_start": self.period_start,
            "years": self.years,
        }


class ProductionShare(_Bounded):
    """The share of an economy in the world's output of minerals at a stage."""

    test: Literal["production_share"]
    producer: Economy
    stage: words.Stage
    minerals: Minerals
    period_start: Day | None = None
    most: ClassVar[float] = 1

    def subject(self) -> dict[str, object]:
        return {
            "supplier_iso3": self.producer,
            "stage": self.stage,
            "minerals": self.minerals,
            "period_start": self.period_start,
        }


class EndUseShare(_Bounded):
    """The share of a mineral's use that goes to a sector."""

    test: Literal["end_use_share"]
    minerals: Minerals
    sector: NaceDivision
    most: ClassVar[float] = 1

    def subject(self) -> dict[str, object]:
        return {"minerals": self.minerals, "nace2_code": self.sector}


class Abundance(_Bounded):
    """How many times as abundant in the earth's crust minerals are as others, at the least."""

    test: Literal["abundance"]
    against: Annotated[dict[Mineral, Minerals], Field(min_length=1)]

    @model_validator(mode="after")
    def _has_a_least(self) -> Self:
        # Of several estimates the least ratio is taken, which cannot test a largest one.
        if self.high is not None:
            raise ValueError(f"it has `high` ({self.high}); only a least ratio can be tested")
        return self

    def subject(self) -> dict[str, object]:
        pairs = [(mineral, other) for other, ours in self.against.items() for mineral in ours]
        return {
            "minerals": [mineral for mineral, _ in pairs],
            "compared_minerals": [other for _, other in pairs],
        }


class PriceReturn(_Bounded):
    """What a price has gained or lost since the first day of a window, 0.2 for 20 per cent."""

    test: Literal["price_return"]
    instrument: Identifier
    window: words.WindowOfAFixedStart
    least: ClassVar[float] = -1

    def subject(self) -> dict[str, object]:
        return {"instrument": self.instrument, "performance_window": self.window}


class ReportedFlow(_Bounded):
    """The tonnes an economy reports to have imported or exported in a month or a year."""

    test: Literal["reported_flow"]
    reporter: Economy
    partner: Economy
    flow: words.DeclaredFlow
    commodity: Text
    frequency: words.Frequency
    period_start: Day
    same_return: Flag = False

    @model_validator(mode="after")
    def _begins_its_period(self) -> Self:
        first = self.period_start.replace(day=1)
        if self.period_start != (first if self.frequency == "M" else first.replace(month=1)):
            raise ValueError(
                f"`period_start` is {self.period_start}, not the first day of a "
                f"{'month' if self.frequency == 'M' else 'year'}"
            )
        return self

    def subject(self) -> dict[str, object]:
        return {
            **_traded(self.reporter, self.partner, self.flow),
            "commodity_code": self.commodity,
            "frequency": self.frequency,
            "period_start": self.period_start,
        }


class TradeChange(_Bounded):
    """How much a month of trade changed on the same month of the year before, -0.54 for -54 %."""

    test: Literal["trade_change"]
    basis: words.Measure | None = None
    reporter: Economy
    partner: Economy
    flow: words.DeclaredFlow
    commodity: Text
    period_start: Day
    least: ClassVar[float] = -1

    @model_validator(mode="after")
    def _begins_a_month(self) -> Self:
        if self.period_start.day != 1:
            raise ValueError(f"`period_start` is {self.period_start}, not the first day of a month")
        return self

    def subject(self) -> dict[str, object]:
        return {
            **_traded(self.reporter, self.partner, self.flow),
            "basis": self.basis,
            "commodity_code": self.commodity,
            "frequency": "M",
            "period_start": self.period_start,
        }


def _traded(reporter: str, partner: str, flow: words.DeclaredFlow) -> dict[str, object]:
    """A flow as one side declares it."""
    exports = flow == "export"
    return {
        "importer_iso3": partner if exports else reporter,
        "supplier_iso3": reporter if exports else partner,
        "flow": flow,
    }


CLAIM_TESTS: Mapping[str, type[Claim]] = {
    get_args(kind.model_fields["test"].annotation)[0]: kind
    for kind in (
        SupplierShare, ProductionShare, EndUseShare, Abundance, PriceReturn, ReportedFlow,
        TradeChange, Undecided,
    )
}  # fmt: skip
"""The fields of an entry of `claims:`, by the test that decides it. Each has a model in dbt
(`models_of_claim_tests`), except `none`."""


def read_claims(entries: Sequence[dict[str, Any]]) -> Mapping[str, pl.DataFrame]:
    """Entries of `claims:` -> `claims`."""
    claims: list[Claim] = []
    places: list[Place] = []
    for position, entry in enumerate(entries, start=1):
        where = place_of(entry, "claim", position)
        claim = validated(_kind_of_claim(entry, where), entry, where)
        _require_known_subject(claim, where)
        claims.append(claim)
        places.append(where)
    require_unique("claim", zip((claim.claim for claim in claims), places, strict=True))
    rows = (
        {
            **dict.fromkeys(LAKE_TABLES["claims"].columns),
            "claim_id": claim.claim,
            "statement": claim.statement,
            "reading": claim.reading,
            "claimed_by": claim.claimed_by,
            "claimed_at": claim.claimed_on,
            **_bounds(claim),
            "test": entry["test"],
            "missing": claim.missing,
            "is_same_return": getattr(claim, "same_return", False),
            "evidence_ids": sorted(set(claim.evidence)),
            "citation": claim.citation,
            "source_url": claim.url,
            "known_at": claim.known or claim.claimed_on,
            **claim.subject(),
        }
        for claim, entry in zip(claims, entries, strict=True)
    )
    return {"claims": table_of("claims", rows)}


def _bounds(claim: Claim) -> dict[str, object]:
    if not isinstance(claim, _Bounded):
        return {"claimed_low": None, "is_low_excluded": False, "claimed_high": None}
    is_excluded = claim.more_than is not None
    return {
        "claimed_low": claim.more_than if is_excluded else claim.low,
        "is_low_excluded": is_excluded,
        "claimed_high": claim.high,
    }


def _kind_of_claim(entry: Mapping[str, object], where: Place) -> type[Claim]:
    test = entry.get("test")
    kind = CLAIM_TESTS.get(test) if isinstance(test, str) else None
    if kind is None:
        reason = f"is {test!r}" if "test" in entry else "is missing"
        known = ", ".join(map(repr, CLAIM_TESTS))
        raise UpstreamFormatError(f"{where}: `test` {reason}; it may be {known}.")
    return kind


def _require_known_subject(claim: Claim, where: Place) -> None:
    """Raise UnknownCodeError for an economy, mineral group or code that is not known."""
    economies_named = {
        field: getattr(claim, field)
        for field in ("importer", "supplier", "producer", "reporter", "partner")
        if hasattr(claim, field)
    }
    require_economies(where, **economies_named)
    group = getattr(claim, "mineral_group", None)
    if group is not None and group not in mineral_groups():
        raise UnknownCodeError(
            f"{where}: `mineral_group` is {group!r}, which is not a known mineral group."
        )
    commodity = getattr(claim, "commodity", None)
    if (
        commodity is not None
        and commodity not in mineral_groups()
        and commodity not in commodity_codes()
    ):
        raise UnknownCodeError(
            f"{where}: `commodity` is {commodity!r}, "
            "which is neither a known HS6 code nor a known mineral group."
        )
