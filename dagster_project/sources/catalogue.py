"""Our own catalogue, edited by hand: measures and their scope, milestones, claims, economies.

The layout of the files lives here and in the comment at the head of each; what a clause's state is
on a day, or whether a claim holds, is worked out elsewhere.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from datetime import date
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Self, TypeVar

import polars as pl
import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from dagster_project.errors import UnknownCodeError, UpstreamFormatError, shortened
from dagster_project.lake.schemas import INSTANT, LAKE_TABLES
from dagster_project.lake.vocabulary import (
    codes_in,
    commodity_codes,
    economies,
    mineral_groups,
    names_in,
)
from dagster_project.sources.card import Document, SourceCard
from dagster_project.sources.formats import (
    looks_like_html,
    read_text_table,
    require_every,
    utc_naive,
)
from dagster_project.sources.limits import MOST_YAML_BYTES, MOST_YAML_DEPTH

CARD = SourceCard(
    name="catalogue",
    title="Catalogue of restrictions, milestones, claims and economies",
    publisher="Kido",
    licence="CC BY 4.0",
    licence_url="https://creativecommons.org/licenses/by/4.0/",
    is_redistributable=True,
    cadence="edited by hand",
    homepage="dagster_project/bundled/catalogue",
    tables=("restriction_clauses", "restriction_scope", "milestones", "claims", "economies"),
    description=(
        "Export restrictions on critical minerals clause by clause, 2010 to 2026, with their "
        "clocks, targets and the codes they cover; dated facts on supply projects and disputes; "
        "published statements to be held against the figures; and the economies with the codes "
        "that publishers give them. Facts with their sources, kept in files that people edit."
    ),
    bundled=("measures.yaml", "milestones.yaml", "claims.yaml", "economies.csv"),
)

END_MARK = "..."
"""YAML's own end of a document. Asked for as the last line: a cut file would pass without it."""

EVERY_ECONOMY = "ALL"
ECONOMY_COLUMNS = (
    "economy_iso3",
    "iso2",
    "name",
    "name_ja",
    "m49_code",
    "comtrade_code",
    "japan_customs_code",
    "region",
    "is_eu27",
)
SPECIAL_ECONOMIES = ("EU27", "WLD", "_X")
"""The last rows of `economies.csv`: figures need them, and a cut file does not have them."""

REGIONS = ("Africa", "Americas", "Asia", "Europe", "Oceania")


def parse(payload: bytes, document: Document) -> Mapping[str, pl.DataFrame]:
    """A file of the catalogue -> frames by lake table, whatever the file is called.

    `measures:` gives `restriction_clauses` and `restriction_scope`, `milestones:` and `claims:`
    the tables of these names, a table that begins with `economy_iso3` gives `economies`.
    `vintage_at` is the time of retrieval; nothing is provisional.
    Raises UpstreamFormatError in one sentence that names the entry and the field, or
    UnknownCodeError for an economy or mineral group no list of ours knows.
    """
    if not payload.strip():
        raise UpstreamFormatError(f"{CARD.name}: the file is empty.")
    if looks_like_html(payload):
        raise UpstreamFormatError(f"{CARD.name}: HTML page where YAML or CSV was expected.")
    frames = (
        {"economies": _economies(payload)} if _is_table(payload) else _of_yaml(_text_of(payload))
    )
    return {
        table: frame.with_columns(
            source=pl.lit(CARD.name),
            is_provisional=pl.lit(False),
            vintage_at=pl.lit(utc_naive(document.retrieved_at), INSTANT),
        )
        for table, frame in frames.items()
    }


# What the fields of an entry may hold. Each message continues the sentence "`field` ...".


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"is {value!r} and not text; write it in quotes")
    if not value.strip():
        raise ValueError("is empty; leave the field out instead")
    return " ".join(value.split())


def _identifier(value: object) -> str:
    text = _text(value)
    if " " in text:
        raise ValueError(f"is {text!r}; an identifier has no blanks")
    return text


def _day(value: object) -> date:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise ValueError(f"is {value!r} and not a day like 2026-01-06")


def _hs_code(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}([0-9]{2})?", value):
        return value
    if isinstance(value, int):
        raise ValueError(f'is {value}, a number; write it in quotes ("280530") to keep every zero')
    raise ValueError(f"is {value!r}; an HS code has six digits, a heading four")


def _mineral(value: object) -> str:
    text = _text(value)
    if not re.fullmatch(r"[a-z]+(_[a-z]+)*", text):
        raise ValueError(f"is {text!r}; a mineral is written like `gallium` or `all_rare_earths`")
    return text


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"is {value!r} and not a number")
    return float(value)


def _share(value: object) -> float:
    number = _number(value)
    if not 0 <= number <= 1:
        raise ValueError(f"is {value!r}; a share lies between 0 and 1")
    return number


def _share_bounds(value: object) -> object:
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError(f"is {value!r} and not a low and a high share like [0, 1]")
    low, high = (_share(bound) for bound in value)
    if low > high:
        raise ValueError(f"is {value!r}; the low share comes first")
    return (low, high)


def _hour(value: object) -> str:
    text = _text(value)
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9] [A-Z]\w+/[A-Z]\w+", text):
        raise ValueError(f'is {text!r} and not an hour and its zone like "18:00 Asia/Shanghai"')
    return text


def _nace_division(value: object) -> str:
    text = _text(value)
    if not re.fullmatch(r"[A-U][0-9]{2}", text):
        raise ValueError(f"is {text!r}; a division of NACE is a letter and two digits like C25")
    return text


def _address(value: object) -> str:
    text = _text(value)
    if not re.fullmatch(r"https?://[^\s/]+\.[^\s/]+(/\S*)?", text):
        raise ValueError(f"is {text!r} and not an address that begins with https://")
    return text


Text = Annotated[str, BeforeValidator(_text)]
Identifier = Annotated[str, BeforeValidator(_identifier)]
Economy = Annotated[str, BeforeValidator(_text)]
Day = Annotated[date, BeforeValidator(_day)]
Number = Annotated[float, BeforeValidator(_number)]
Address = Annotated[str, BeforeValidator(_address)]
Minerals = Annotated[list[Annotated[str, BeforeValidator(_mineral)]], Field(min_length=1)]
EvidenceClass = Literal["official", "reported", "de_facto"]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Suspension(_Entry):
    """A suspension, its first and its last day included, and when it was known."""

    first_day: Day
    last_day: Day | None = None
    by: Identifier | None = None
    known: Day

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.last_day is not None and self.last_day < self.first_day:
            raise ValueError(f"ends ({self.last_day}) before it begins ({self.first_day})")
        return self


class End(_Entry):
    """The last day a clause holds, and when that was known."""

    last_day: Day
    known: Day


class Doubt(_Entry):
    """The first day on which nobody can say what holds, and when that was known."""

    first_day: Day
    known: Day


class Target(_Entry):
    """Whom a clause is aimed at."""

    economy: Economy = EVERY_ECONOMY
    kind: Literal["all", "economy", "end_user", "entity"] = Field("all", alias="class")
    names: list[Text] = Field(default_factory=list)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.kind == "all") != (self.economy == EVERY_ECONOMY) and self.kind != "end_user":
            raise ValueError(f"has class {self.kind!r} and economy {self.economy!r}")
        if bool(self.names) != (self.kind in ("end_user", "entity")):
            raise ValueError(f"has class {self.kind!r} and {len(self.names) or 'no'} names")
        if len(set(self.names)) < len(self.names):
            raise ValueError("gives a name twice")
        return self


class Scope(_Entry):
    """Codes and minerals with the same bounds: every mineral in every code."""

    codes: Annotated[list[Annotated[str, BeforeValidator(_hs_code)]], Field(min_length=1)]
    minerals: Annotated[list[Annotated[str, BeforeValidator(_mineral)]], Field(min_length=1)]
    share: Annotated[tuple[float, float], BeforeValidator(_share_bounds)]
    basis: Literal["ten_digit_list", "element_split", "heading", "whole_code"]
    printed: Text | None = None
    correction: Text | None = None

    @model_validator(mode="after")
    def _headings(self) -> Self:
        if any((len(code) == 4) != (self.basis == "heading") for code in self.codes):
            raise ValueError("has a code whose digits do not fit: four for `heading`, else six")
        return self


class Clause(_Entry):
    """A clause with what it shares with the other clauses of its measure."""

    measure: Identifier
    clause: Identifier
    title: Text
    official_reference: Text | None = None
    implementer: Economy
    direction: Literal["restrict", "monitor", "relax", "permit"]
    gta_code: Text | None = None
    announced: Day
    announced_hour: Annotated[str, BeforeValidator(_hour)] | None = None
    date_precision: Literal["day", "month", "year"] = "day"
    known: Day | None = None
    effective: Day | None = None
    suspended: Suspension | None = None
    ended: End | None = None
    unknown: Doubt | None = None
    target: Target = Target()
    evidence: EvidenceClass
    confidence: Text | None = None
    remark: Text | None = None
    citation: Text | None = None
    url: Address | None = None
    scope: list[Scope] = Field(default_factory=list)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        # Effective before announced is allowed: de-facto stops are reported after they begin.
        if self.ended is not None and self.ended.last_day < self.announced:
            raise ValueError(
                f"it ended ({self.ended.last_day}) before it was announced ({self.announced})"
            )
        if self.known is not None and self.known < self.announced:
            raise ValueError(f"it was known ({self.known}) before it was announced")
        return self


class Milestone(_Entry):
    """A dated fact on a supply project, a dispute, a remark, a disclosure or a partnership."""

    milestone: Identifier
    kind: Literal["dispute", "remark", "supply_project", "disclosure", "partnership"]
    title: Text
    project: Identifier | None = None
    economy: Economy | None = None
    announced: Day | None = None
    happened: Day | None = None
    planned: Day | None = None
    ended: Day | None = None
    statement: Text | None = None
    evidence: EvidenceClass
    citation: Text | None = None
    url: Address | None = None
    known: Day

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.ended and self.happened and self.ended < self.happened:
            raise ValueError(f"it ended ({self.ended}) before it happened ({self.happened})")
        return self


class Claim(_Entry):
    """A published statement. What decides it, and in which unit, is a subclass per test."""

    claim: Identifier
    statement: Text
    claimed_by: Text
    claimed_on: Day
    missing: Text | None = None
    citation: Text | None = None
    url: Address | None = None
    known: Day | None = None

    def subject(self) -> dict[str, object]:
        """Columns of the lake that say what the test is about."""
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
            raise ValueError(f"it has `low` ({self.low}) and `more_than` ({self.more_than}) both")
        lower = self.low if self.more_than is None else self.more_than
        bounds = [bound for bound in (lower, self.high) if bound is not None]
        if not bounds:
            raise ValueError(
                "it has neither `low`, `more_than` nor `high`, so nothing can be held against it"
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
                else f"of a share lie between {self.least} and {self.most}"
            )
            raise ValueError(f"`low`, `more_than` and `high` {limits}")
        return self


class SupplierShare(_Bounded):
    """The share of a supplier in what an importer imports of a mineral group."""

    test: Literal["supplier_share"]
    basis: Literal["value_usd", "net_weight_kg"] | None = None
    importer: Economy
    supplier: Economy
    mineral_group: Text
    period_start: Day
    most: ClassVar[float] = 1

    def subject(self) -> dict[str, object]:
        return {
            "basis": self.basis,
            "importer_iso3": self.importer,
            "supplier_iso3": self.supplier,
            "mineral_group": self.mineral_group,
            "period_start": self.period_start,
        }


class ProductionShare(_Bounded):
    """The share of an economy in the world's output of minerals at a stage."""

    test: Literal["production_share"]
    producer: Economy
    stage: Literal["extraction", "processing", "reserves", "capacity"]
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
    sector: Annotated[str, BeforeValidator(_nace_division)]
    most: ClassVar[float] = 1

    def subject(self) -> dict[str, object]:
        return {"minerals": self.minerals, "nace2_code": self.sector}


class Abundance(_Bounded):
    """How many times as abundant in the earth's crust minerals are as others, at the least."""

    test: Literal["abundance"]
    against: Annotated[
        dict[Annotated[str, BeforeValidator(_mineral)], Minerals], Field(min_length=1)
    ]

    @model_validator(mode="after")
    def _has_a_least(self) -> Self:
        # Of several estimates the least ratio is taken, which says nothing of a largest one.
        if self.high is not None:
            raise ValueError(f"it has `high` ({self.high}); only a least ratio can be tested")
        return self

    def subject(self) -> dict[str, object]:
        pairs = [(mineral, other) for other, ours in self.against.items() for mineral in ours]
        return {
            "minerals": [mineral for mineral, _ in pairs],
            "compared_minerals": [other for _, other in pairs],
        }


class MeasureInForce(_Bounded):
    """The share of days on which an economy's restriction on a mineral group was in force."""

    test: Literal["measure_in_force"]
    implementer: Economy
    target: Economy
    mineral_group: Text
    period_start: Day
    period_end: Day
    most: ClassVar[float] = 1

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        if self.period_end < self.period_start:
            raise ValueError(
                f"its time ends ({self.period_end}) before it begins ({self.period_start})"
            )
        return self

    def subject(self) -> dict[str, object]:
        return {
            "importer_iso3": self.target,
            "supplier_iso3": self.implementer,
            "mineral_group": self.mineral_group,
            "period_start": self.period_start,
            "period_end": self.period_end,
        }


class PriceReturn(_Bounded):
    """What a price has gained or lost over a window, 0.2 for 20 per cent."""

    test: Literal["price_return"]
    instrument: Identifier
    window: Literal["since_2025_06_30", "ytd", "1y", "3y", "all"]
    least: ClassVar[float] = -1

    def subject(self) -> dict[str, object]:
        return {"instrument": self.instrument, "performance_window": self.window}


class ReportedFlow(_Bounded):
    """The tonnes an economy reports to have imported or exported in a month or a year."""

    test: Literal["reported_flow"]
    reporter: Economy
    partner: Economy
    flow: Literal["import", "export"]
    commodity: Text
    frequency: Literal["A", "M"]
    period_start: Day

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
        exports = self.flow == "export"
        return {
            "importer_iso3": self.partner if exports else self.reporter,
            "supplier_iso3": self.reporter if exports else self.partner,
            "commodity_code": self.commodity,
            "flow": self.flow,
            "frequency": self.frequency,
            "period_start": self.period_start,
        }


# YAML: which section it is, and one sentence for whatever is wrong.


class _Loader(yaml.CSafeLoader):
    """Safe YAML in which a key given twice is an error and days stay text.

    Days are read by `_day`, which can name the field; YAML's own reader of dates cannot.
    """

    yaml_implicit_resolvers = {  # noqa: RUF012  (typed by the base class)
        first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
        for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(
        self, node: yaml.MappingNode, deep: bool = False
    ) -> dict[Hashable, object]:
        seen: set[str] = set()
        for key, _ in node.value:
            name = str(key.value)
            if name in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"`{name}` is given twice", problem_mark=key.start_mark
                )
            seen.add(name)
        return super().construct_mapping(node, deep)


def _is_table(payload: bytes) -> bool:
    # A line of names with commas and no colon is a table's header, whichever names it has.
    first = payload.lstrip(b"\xef\xbb\xbf\r\n \t").split(b"\n", 1)[0]
    return b"," in first and b":" not in first and not first.startswith((b"#", b"-"))


def _text_of(payload: bytes) -> str:
    if len(payload) > MOST_YAML_BYTES:
        raise UpstreamFormatError(
            f"{CARD.name}: the file is larger than {MOST_YAML_BYTES >> 20} MiB, which no file of "
            "the catalogue is."
        )
    try:
        return payload.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UpstreamFormatError(
            f"{CARD.name}: the file is not UTF-8 text (byte {error.start})."
        ) from error


def _require_plain(text: str) -> None:
    """Raise UpstreamFormatError for aliases, and for what lies too deep to be built.

    Ten aliases of ten aliases, nine times over, are a billion values.
    """
    depth = 0
    for event in yaml.parse(text, _Loader):
        if isinstance(event, yaml.AliasEvent):
            raise _unfolding(event, f"`*{event.anchor}` repeats another entry; write it out")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MOST_YAML_DEPTH:
            raise _unfolding(event, "lists or fields lie too deep inside each other")


def _unfolding(event: yaml.Event, problem: str) -> UpstreamFormatError:
    line = f"line {event.start_mark.line + 1}: " if event.start_mark else ""
    return UpstreamFormatError(f"{CARD.name}: {line}{problem}.")


def _of_yaml(text: str) -> Mapping[str, pl.DataFrame]:
    try:
        _require_plain(text)
        loaded = yaml.load(text, _Loader)
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise UpstreamFormatError(f"{CARD.name}: {line}{shortened(str(error.problem))}.") from error
    except yaml.YAMLError as error:
        reason = shortened(str(error).splitlines()[0])
        raise UpstreamFormatError(f"{CARD.name}: the file is not YAML ({reason}).") from error
    except (ValueError, AttributeError) as error:  # a tag such as `!!int` on what is none
        raise UpstreamFormatError(f"{CARD.name}: a `!!` tag does not fit its value.") from error
    sections = list(loaded) if isinstance(loaded, dict) else []
    if len(sections) != 1 or sections[0] not in _SECTIONS:
        known = ", ".join(f"`{section}:`" for section in _SECTIONS)
        raise UpstreamFormatError(
            f"{CARD.name}: the file begins with none of {known}, and is no table of economies."
        )
    if text.rstrip().rpartition("\n")[2] != END_MARK:
        raise UpstreamFormatError(
            f"{CARD.name}: the file is cut: its last line is not `{END_MARK}`.",
            hint=f"If nothing is missing, add the line `{END_MARK}` at its end.",
        )
    section = str(sections[0])
    return _SECTIONS[section](_entries(loaded[section], f"`{section}:`"))


def _entries(value: object, where: str) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not value:
        raise UpstreamFormatError(f"{CARD.name}: {where} is not a list of entries.")
    for position, entry in enumerate(value, start=1):
        if not isinstance(entry, dict):
            raise UpstreamFormatError(
                f"{CARD.name}: {where}: entry {position} has no fields, it is {entry!r}."
            )
    return value


_OTHER_SHAPES: Mapping[str, str] = {
    "list_type": "a list like [one, two]",
    "too_short": "a list with something in it",
    "model_type": "fields with their values",
}

EntryType = TypeVar("EntryType", bound=_Entry)


def _validated(kind: type[EntryType], entry: Mapping[str, object], where: str) -> EntryType:
    try:
        return kind.model_validate(entry)
    except ValidationError as error:
        first, *others = error.errors(include_url=False)
        further = f" (and {len(others)} more to mend)" if others else ""
        raise UpstreamFormatError(
            f"{CARD.name}: {where}: {_sentence(kind, first)}{further}."
        ) from None


def _sentence(kind: type[_Entry], error: Mapping[str, Any]) -> str:
    path: list[str] = []
    for step in error["loc"]:
        if isinstance(step, int):
            path[-1] += f" {step + 1}"
        else:
            path.append(f"`{shortened(str(step))}`")
    reason = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "missing":
        reason = "is missing"
    elif error["type"] == "extra_forbidden":
        reason = "is not a field of ours"
        close = difflib.get_close_matches(str(error["loc"][-1]), _field_names(kind), n=1)
        if close:
            reason += f"; did you mean `{close[0]}`?"
    elif error["type"] == "literal_error":
        reason = f"is {error['input']!r}; it may be {error['ctx']['expected']}"
    elif error["type"] in _OTHER_SHAPES:
        reason = f"is {error['input']!r} and not {_OTHER_SHAPES[error['type']]}"
    elif error["type"] != "value_error":
        reason = f"is {error['input']!r}: {reason[0].lower()}{reason[1:]}"
    return f"{', '.join(path)} {reason}".strip().removesuffix("?").removesuffix(".")


def _field_names(kind: type[_Entry]) -> list[str]:
    nested = (Suspension, End, Doubt, Target, Scope) if kind is Clause else ()
    return [
        field.alias or name
        for model in (kind, *nested)
        for name, field in model.model_fields.items()
    ]


def _require_economies(where: str, **codes: str | None) -> None:
    for field, code in codes.items():
        if code is not None and code not in economies():
            raise UnknownCodeError(
                f"{CARD.name}: {where}: `{field}` is {code!r}, which is no economy we know."
            )


def _require_unique(what: str, identifiers: Iterable[object]) -> None:
    seen: set[object] = set()
    for identifier in identifiers:
        if identifier in seen:
            raise UpstreamFormatError(
                f"{CARD.name}: {what} {shortened(str(identifier))} is given twice."
            )
        seen.add(identifier)


def _name(entry: Mapping[str, object], field: str, position: int) -> str:
    return shortened(f"{field} {entry.get(field) or f'number {position}'}")


# Entries -> rows of the lake.


def _measures(entries: Sequence[dict[str, Any]]) -> Mapping[str, pl.DataFrame]:
    clauses: list[Clause] = []
    for position, entry in enumerate(entries, start=1):
        measure = _name(entry, "measure", position)
        shared = {field: value for field, value in entry.items() if field != "clauses"}
        for number, own in enumerate(_entries(entry.get("clauses"), f"{measure}: `clauses`"), 1):
            where = f"{measure}, {_name(own, 'clause', number)}"
            if "measure" in own:
                raise UpstreamFormatError(
                    f"{CARD.name}: {where}: `measure` stands above the clauses, not in one."
                )
            clause = _validated(Clause, {**shared, **own}, where)
            _require_economies(where, implementer=clause.implementer)
            if clause.target.economy != EVERY_ECONOMY:
                _require_economies(where, target=clause.target.economy)
            clauses.append(clause)
    _require_unique("measure", (entry["measure"] for entry in entries))
    _require_unique("clause", (clause.clause for clause in clauses))
    scope = [row for clause in clauses for row in _scope_rows(clause)]
    _require_unique("the scope of", (" ".join(row.key) for row in scope))
    return {
        "restriction_clauses": _frame("restriction_clauses", map(_clause_row, clauses)),
        "restriction_scope": _frame("restriction_scope", (row.columns for row in scope)),
    }


def _clause_row(clause: Clause) -> dict[str, object]:
    hour, _, zone = (clause.announced_hour or "").partition(" ")
    suspended, ended, unknown = clause.suspended, clause.ended, clause.unknown
    return {
        "measure_id": clause.measure,
        "clause_id": clause.clause,
        "title": clause.title,
        "official_reference": clause.official_reference,
        "implementer_iso3": clause.implementer,
        "direction": clause.direction,
        "gta_code": clause.gta_code,
        "announced_date": clause.announced,
        "announced_time": hour or None,
        "announced_zone": zone or None,
        "date_precision": clause.date_precision,
        "effective_date": clause.effective,
        "suspended_from": suspended and suspended.first_day,
        "suspended_to": suspended and suspended.last_day,
        "suspended_by": suspended and suspended.by,
        "suspension_known_at": suspended and suspended.known,
        "ended_date": ended and ended.last_day,
        "ended_known_at": ended and ended.known,
        "unknown_from": unknown and unknown.first_day,
        "unknown_known_at": unknown and unknown.known,
        "known_at": clause.known or clause.announced,
        "target_iso3": clause.target.economy,
        "target_class": clause.target.kind,
        "target_names": clause.target.names,
        "evidence_class": clause.evidence,
        "confidence": clause.confidence,
        "remark": clause.remark,
        "citation": clause.citation,
        "source_url": clause.url,
    }


class _ScopeRow(NamedTuple):
    key: tuple[str, str, str]
    columns: dict[str, object]


def _scope_rows(clause: Clause) -> list[_ScopeRow]:
    return [
        _ScopeRow(
            key=(clause.clause, code, mineral),
            columns={
                "clause_id": clause.clause,
                "hs_code": code,
                "mineral": mineral,
                "control_share_low": scope.share[0],
                "control_share_high": scope.share[1],
                "basis": scope.basis,
                "source_codes": scope.printed,
                "correction_reason": scope.correction,
            },
        )
        for scope in clause.scope
        for code in scope.codes
        for mineral in scope.minerals
    ]


def _milestones(entries: Sequence[dict[str, Any]]) -> Mapping[str, pl.DataFrame]:
    milestones: list[Milestone] = []
    for position, entry in enumerate(entries, start=1):
        where = _name(entry, "milestone", position)
        milestone = _validated(Milestone, entry, where)
        _require_economies(where, economy=milestone.economy)
        milestones.append(milestone)
    _require_unique("milestone", (milestone.milestone for milestone in milestones))
    rows = (
        {
            "milestone_id": milestone.milestone,
            "kind": milestone.kind,
            "title": milestone.title,
            "project": milestone.project,
            "economy_iso3": milestone.economy,
            "announced_date": milestone.announced,
            "event_date": milestone.happened,
            "planned_date": milestone.planned,
            "ended_date": milestone.ended,
            "statement": milestone.statement,
            "evidence_class": milestone.evidence,
            "citation": milestone.citation,
            "source_url": milestone.url,
            "known_at": milestone.known,
        }
        for milestone in milestones
    )
    return {"milestones": _frame("milestones", rows)}


_CLAIM_TESTS: Mapping[str, type[Claim]] = {
    "supplier_share": SupplierShare,
    "production_share": ProductionShare,
    "end_use_share": EndUseShare,
    "abundance": Abundance,
    "measure_in_force": MeasureInForce,
    "price_return": PriceReturn,
    "reported_flow": ReportedFlow,
    "none": Undecided,
}
"""What an entry of `claims:` must say, by the test that decides it."""


def _claims(entries: Sequence[dict[str, Any]]) -> Mapping[str, pl.DataFrame]:
    claims: list[Claim] = []
    for position, entry in enumerate(entries, start=1):
        where = _name(entry, "claim", position)
        claim = _validated(_kind_of_claim(entry, where), entry, where)
        _require_known_subject(claim, where)
        claims.append(claim)
    _require_unique("claim", (claim.claim for claim in claims))
    rows = (
        {
            **dict.fromkeys(LAKE_TABLES["claims"].columns),
            "claim_id": claim.claim,
            "statement": claim.statement,
            "claimed_by": claim.claimed_by,
            "claimed_at": claim.claimed_on,
            **_bounds(claim),
            "test": entry["test"],
            "missing": claim.missing,
            "citation": claim.citation,
            "source_url": claim.url,
            "known_at": claim.known or claim.claimed_on,
            **claim.subject(),
        }
        for claim, entry in zip(claims, entries, strict=True)
    )
    return {"claims": _frame("claims", rows)}


def _bounds(claim: Claim) -> dict[str, object]:
    if not isinstance(claim, _Bounded):
        return {"claimed_low": None, "is_low_excluded": False, "claimed_high": None}
    is_excluded = claim.more_than is not None
    return {
        "claimed_low": claim.more_than if is_excluded else claim.low,
        "is_low_excluded": is_excluded,
        "claimed_high": claim.high,
    }


def _kind_of_claim(entry: Mapping[str, object], where: str) -> type[Claim]:
    test = entry.get("test")
    kind = _CLAIM_TESTS.get(test) if isinstance(test, str) else None
    if kind is None:
        reason = f"is {test!r}" if "test" in entry else "is missing"
        known = ", ".join(map(repr, _CLAIM_TESTS))
        raise UpstreamFormatError(f"{CARD.name}: {where}: `test` {reason}; it may be {known}.")
    return kind


def _require_known_subject(claim: Claim, where: str) -> None:
    """Economies, mineral groups and codes a claim names are among those we know."""
    economies_named = {
        field: getattr(claim, field)
        for field in (
            "importer", "supplier", "producer", "implementer", "target", "reporter", "partner",
        )
        if hasattr(claim, field)
    }  # fmt: skip
    _require_economies(where, **economies_named)
    group = getattr(claim, "mineral_group", None)
    if group is not None and group not in mineral_groups():
        raise UnknownCodeError(
            f"{CARD.name}: {where}: `mineral_group` is {group!r}, "
            "which is no mineral group we know."
        )
    commodity = getattr(claim, "commodity", None)
    if (
        commodity is not None
        and commodity not in mineral_groups()
        and commodity not in commodity_codes()
    ):
        raise UnknownCodeError(
            f"{CARD.name}: {where}: `commodity` is {commodity!r}, "
            "which is no HS6 code and no mineral group we know."
        )


_SECTIONS: Mapping[str, Callable[[Sequence[dict[str, Any]]], Mapping[str, pl.DataFrame]]] = {
    "measures": _measures,
    "milestones": _milestones,
    "claims": _claims,
}


def _frame(table: str, rows: Iterable[Mapping[str, object]]) -> pl.DataFrame:
    given = ("source", "is_provisional", "document", "vintage_at", "snapshot_id")
    schema = {
        name: column.dtype
        for name, column in LAKE_TABLES[table].columns.items()
        if name not in given
    }
    return pl.DataFrame(list(rows), schema=schema, orient="row")


def _economies(payload: bytes) -> pl.DataFrame:
    table = read_text_table(
        payload, source=CARD.name, required=ECONOMY_COLUMNS, optional=("also_named",)
    )
    _require_economy_rows(table)
    return table.with_columns(
        pl.coalesce("name_ja", _japanese_name(pl.col("iso2"))).alias("name_ja")
    ).select(
        "economy_iso3",
        "name",
        "name_ja",
        "m49_code",
        _first_code("comtrade_code"),
        _first_code("japan_customs_code"),
        "region",
        pl.col("is_eu27") == "true",
    )


def _first_code(column: str) -> pl.Expr:
    return pl.col(column).str.split(" ").list.first()


def _japanese_name(iso2: pl.Expr) -> pl.Expr:
    # Imported here: it takes 40 ms, and only this table needs it.
    from babel import Locale

    names = dict(Locale("ja").territories)
    return iso2.replace_strict(names, default=None, return_dtype=pl.String)


def _require_economy_rows(table: pl.DataFrame) -> None:
    economy = pl.col("economy_iso3")
    named = pl.coalesce("economy_iso3", pl.lit("(blank)"))

    def require(row: pl.Expr, what: str) -> None:
        require_every(row, of=table, value=named, what=what, source=CARD.name)

    require(
        economy.str.contains(r"^[A-Z]{3}$") | economy.is_in(SPECIAL_ECONOMIES),
        "is no `economy_iso3`: three capitals, or one of " + ", ".join(SPECIAL_ECONOMIES),
    )
    require(economy.is_unique(), "is given twice")
    require(pl.col("name").is_not_null(), "has no `name`")
    for column, pattern, layout in (
        ("iso2", r"^[A-Z]{2}$", "two capitals"),
        ("m49_code", r"^[0-9]{3}$", "three digits, with the zeros in front"),
        ("comtrade_code", r"^(0|[1-9][0-9]*)( [1-9][0-9]*)*$", "digits without zeros in front"),
        ("japan_customs_code", r"^[0-9]{3}( [0-9]{3})*$", "three digits"),
    ):
        fits = pl.col(column).is_null() | pl.col(column).str.contains(pattern)
        require(fits, f"has a `{column}` that is not {layout}")
        _require_owner(table, column, codes_in)
    _require_owner(table, "also_named", names_in)
    require(
        pl.col("region").is_null() | pl.col("region").is_in(REGIONS),
        f"has a `region` that is none of {', '.join(REGIONS)}",
    )
    require(
        pl.col("is_eu27").is_in(["true", "false"]), "has an `is_eu27` that is not true or false"
    )
    require(
        pl.coalesce("name_ja", _japanese_name(pl.col("iso2"))).is_not_null(),
        "has no `name_ja`, and its `iso2` is none that has a Japanese name",
    )
    absent = [special for special in SPECIAL_ECONOMIES if special not in table["economy_iso3"]]
    if absent:
        raise UpstreamFormatError(
            f"{CARD.name}: the file has no row for {', '.join(absent)}; it may be cut."
        )


def _require_owner(
    table: pl.DataFrame, column: str, words_in: Callable[[str], Iterable[str]]
) -> None:
    """Every code (or name) in the cells of a column belongs to one economy alone."""
    owners: dict[str, str] = {}
    for economy, cell in table.select("economy_iso3", column).iter_rows():
        for word in words_in(cell or ""):
            if owners.setdefault(word, economy) != economy:
                raise UpstreamFormatError(
                    f"{CARD.name}: `{column}` {shortened(word)} is given to {owners[word]} and to "
                    f"{economy}."
                )
