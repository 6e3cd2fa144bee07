"""The lake tables, declared once; every source conforms to one of them.

Codes (HS, country, period) are text end to end. Missing is null, never 0; a published 0 stays 0.
Nothing here depends on a publisher.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from dagster_project import words
from dagster_project.errors import UpstreamFormatError

INSTANT = pl.Datetime("us")
"""UTC, without a zone attached: what DuckDB calls `timestamp`."""


def text_of_all(text: str) -> pl.Expr:
    """A column with the same text in each row, as Enum: that takes a fifth of the time to spool."""
    return pl.lit(text, pl.Enum([text]))


@dataclass(frozen=True)
class Column:
    """One column: its type, its meaning (with the unit), and whether null is allowed.

    `is_supplement`: a measure of another measure, as its error, which a document of the same
    publisher may lack altogether. `is_restated`: a measure that publishers restate as a whole by
    one ratio, as after a dividend.
    """

    dtype: pl.DataType | type[pl.DataType]
    description: str
    nullable: bool = False
    is_supplement: bool = False
    is_restated: bool = False


@dataclass(frozen=True)
class LakeTable:
    """A typed table of the lake, and which of its rows are current on the day of a build.

    `key` identifies a row. `vintage_slice` is what one vintage replaces as a whole: of two
    vintages of a slice the newer one is current, without the rows it no longer has. The newer one
    is the one retrieved later, but a later `edition` (a column) of a publication takes precedence
    over an earlier one, whenever it was retrieved.

    Where several slices may describe one thing, `subject` identifies it, and one of them is
    current: that with the best `evidence` (a column: official, reported, de_facto), then the one
    retrieved later.

    `known_from` is the column with the time from which a row is known: when a figure was
    retrieved, or when a fact became known. A list that is edited by hand has none. Of lists and
    facts the newest text is current, whenever it was retrieved, without what was not yet known on
    the day.

    `period` is the column with the period of a row; it is of `frequency` where no column says so.
    `day` is the column with the day on which something was published, of a table without periods.
    Of a table that is `asked_by` the codes of a column, requests are recorded (`coverage`), so
    that a slice withdrawn by its publisher is recognised.

    dbt's staging model of a table is generated from these; where `is_staged_by_slice`, the current
    slices are staged too, for models that need no rows.
    """

    name: str
    description: str
    columns: Mapping[str, Column]
    key: tuple[str, ...]
    vintage_slice: tuple[str, ...]
    edition: str | None = None
    subject: tuple[str, ...] = ()
    evidence: str | None = None
    known_from: str | None = "vintage_at"
    period: str | None = None
    frequency: words.Frequency = "A"
    day: str | None = None
    asked_by: str | None = None
    is_staged_by_slice: bool = False

    @property
    def polars_schema(self) -> pl.Schema:
        return pl.Schema({name: column.dtype for name, column in self.columns.items()})

    def empty(self) -> pl.DataFrame:
        """A frame with this table's columns and no rows."""
        return pl.DataFrame(schema=self.polars_schema)

    def conform(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Put the columns in declared order and type; optional columns that are absent become null.

        Raises UpstreamFormatError for a missing required column or an undeclared one.
        """
        try:
            return self.conform_lazily(frame.lazy()).collect()
        except pl.exceptions.InvalidOperationError as error:
            raise UpstreamFormatError(
                f"{self.name}: a value does not fit its type ({str(error).splitlines()[0]})."
            ) from error

    def conform_lazily(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """The same for lazy rows: types of values are checked when they are computed."""
        names = frame.collect_schema().names()
        undeclared = [name for name in names if name not in self.columns]
        absent = [
            name
            for name, column in self.columns.items()
            if name not in names and not column.nullable
        ]
        if undeclared or absent:
            raise UpstreamFormatError(
                f"{self.name}: "
                + "; ".join(
                    part
                    for part in (
                        f"columns missing: {', '.join(absent)}" if absent else "",
                        f"columns not declared: {', '.join(undeclared)}" if undeclared else "",
                    )
                    if part
                )
                + "."
            )
        return frame.select(
            (pl.col(name) if name in names else pl.lit(None)).cast(column.dtype).alias(name)
            for name, column in self.columns.items()
        )


def _table(
    name: str,
    description: str,
    key: tuple[str, ...],
    vintage_slice: tuple[str, ...],
    columns: Mapping[str, Column],
    *,
    edition: str | None = None,
    subject: tuple[str, ...] = (),
    evidence: str | None = None,
    known_from: str | None = "vintage_at",
    period: str | None = None,
    frequency: words.Frequency = "A",
    day: str | None = None,
    asked_by: str | None = None,
    is_staged_by_slice: bool = False,
) -> LakeTable:
    return LakeTable(
        name=name,
        description=description,
        columns={
            "source": Column(pl.String, "Source the row came from."),
            **columns,
            **_PROVENANCE,
        },
        key=key,
        vintage_slice=vintage_slice,
        edition=edition,
        subject=subject,
        evidence=evidence,
        known_from=known_from,
        period=period,
        frequency=frequency,
        day=day,
        asked_by=asked_by,
        is_staged_by_slice=is_staged_by_slice,
    )


_PROVENANCE: Mapping[str, Column] = {
    "is_provisional": Column(pl.Boolean, "Whether the publisher marks the figure as provisional."),
    "document": Column(pl.String, "File or request the row was read from."),
    "vintage_at": Column(
        INSTANT, "When the publisher's figure was retrieved; a release date for bundled figures."
    ),
    "snapshot_id": Column(pl.String, "Snapshot with the bytes; newer ones sort later."),
}

TRADE_FLOWS = _table(
    "trade_flows",
    "A flow as one reporter declared it, or a basket's sum as a publisher printed it.",
    key=(
        "source", "reporter_iso3", "partner_iso3", "flow", "commodity_code", "hs_revision",
        "frequency", "period_start", "procedure_code", "transport_code", "second_partner_iso3",
    ),
    vintage_slice=(
        "source", "reporter_iso3", "flow", "commodity_code", "frequency", "period_start",
    ),
    period="period_start",
    asked_by="commodity_code",
    columns={
        "reporter_iso3": Column(pl.String, "Economy that declared the flow."),
        "partner_iso3": Column(
            pl.String, "Partner economy; `WLD` the printed total, `_X` the part not published."
        ),
        "flow": Column(pl.String, words.listed(words.FLOWS)),
        "commodity_code": Column(pl.String, "HS6 code, or a mineral group's name for a basket."),
        "is_basket": Column(pl.Boolean, "Whether the figure is the sum of a mineral group."),
        "hs_revision": Column(pl.String, "Edition of the HS (`HS2022`); null for a basket.", True),
        "frequency": Column(pl.String, words.listed(words.FREQUENCIES)),
        "period_start": Column(pl.Date, "First day of the year or month."),
        "procedure_code": Column(pl.String, "Customs procedure, where split by it.", True),
        "transport_code": Column(pl.String, "Mode of transport, where split by it.", True),
        "second_partner_iso3": Column(pl.String, "Second partner, where split by it.", True),
        "value_usd": Column(pl.Float64, "Value in US dollars.", True),
        "net_weight_kg": Column(pl.Float64, "Net weight in kilograms.", True),
        "valuation": Column(pl.String, words.listed(words.VALUATIONS), True),
    },
)  # fmt: skip

NATIONAL_TRADE = _table(
    "national_trade",
    "A line of a national tariff in a month, as the economy's own customs declared it.",
    key=(
        "source", "reporter_iso3", "partner_code", "flow", "hs6_code", "national_code",
        "period_start",
    ),
    vintage_slice=("source", "reporter_iso3", "flow", "hs6_code", "period_start"),
    period="period_start",
    frequency="M",
    asked_by="hs6_code",
    columns={
        "reporter_iso3": Column(pl.String, "Economy that declared the flow."),
        "partner_code": Column(pl.String, "Partner as the customs print it."),
        "partner_iso3": Column(
            pl.String,
            "Partner economy; `WLD` the printed total, `_X` the part not published; null for a "
            "code that is in no list.",
            True,
        ),
        "flow": Column(pl.String, words.listed(words.FLOWS)),
        "national_code": Column(
            pl.String, "Code of the national tariff; `XX` after six digits for a confidential part."
        ),
        "hs6_code": Column(pl.String, "HS6 code: the first six digits of the national one."),
        "hs_revision": Column(pl.String, "Edition of the HS that the tariff was based on."),
        "period_start": Column(pl.Date, "First day of the month."),
        "value_local": Column(
            pl.Float64, "Value in units of `currency`; null where it is not shown.", True
        ),
        "currency": Column(pl.String, "Currency of the value (ISO 4217)."),
        "valuation": Column(pl.String, words.listed(words.VALUATIONS)),
        "freight_local": Column(
            pl.Float64, "Freight beside a value FOB, in units of `currency`.", True
        ),
        "insurance_local": Column(
            pl.Float64, "Insurance beside a value FOB, in units of `currency`.", True
        ),
        "quantity": Column(pl.Float64, "Quantity in `quantity_unit`.", True),
        "quantity_unit": Column(pl.String, "Unit of the quantity as the customs print it.", True),
        "net_weight_kg": Column(pl.Float64, "Net weight in kilograms.", True),
    },
)  # fmt: skip

PRICE_QUOTES = _table(
    "price_quotes",
    "A price, rate or index on a day (or of a month or year).",
    key=("source", "instrument", "price_date"),
    # An index on another base is another series: it does not replace the first.
    vintage_slice=("source", "instrument", "unit", "price_date"),
    edition="edition",
    period="price_date",
    columns={
        "instrument": Column(pl.String, "Name of the instrument, e.g. `EURJPY`."),
        "price_date": Column(
            pl.Date, "Day of the price; first day of the month or year for monthly and yearly ones."
        ),
        "edition": Column(
            pl.Int32,
            "Edition of a publication that has editions, e.g. 2026; a newer one takes precedence "
            "over an older one, whenever it was retrieved. Null elsewhere.",
            True,
        ),
        "frequency": Column(pl.String, words.listed(words.PRICE_FREQUENCIES)),
        "close": Column(pl.Float64, "Price as the publisher prints it, in `unit`.", True),
        "adjusted_close": Column(
            pl.Float64, "Close adjusted for dividends and splits.", True, is_restated=True
        ),
        "split_ratio": Column(
            pl.Float64,
            "New shares for one old share, on the first session that trades after a split; null on "
            "all other days.",
            True,
        ),
        "currency": Column(pl.String, "Currency of the price (ISO 4217); null for an index.", True),
        "unit": Column(pl.String, "Unit of the price, e.g. `JPY per EUR`."),
    },
)

RESTRICTION_CLAUSES = _table(
    "restriction_clauses",
    "One clause of one measure, with its dates and targets.",
    key=("source", "measure_id", "clause_id"),
    vintage_slice=("source", "document"),
    subject=("clause_id",),
    evidence="evidence_class",
    known_from="known_at",
    columns={
        "measure_id": Column(pl.String, "Measure, e.g. `CN-2024-46`."),
        "clause_id": Column(pl.String, "Clause of the measure, e.g. `CN-2024-46-2`."),
        "title": Column(pl.String, "What the clause does, in a line."),
        "official_reference": Column(pl.String, "Number of the act, where there is one.", True),
        "implementer_iso3": Column(pl.String, "Economy that took the measure."),
        "direction": Column(pl.String, words.listed(words.DIRECTIONS)),
        "gta_code": Column(pl.String, "Global Trade Alert intervention type.", True),
        "announced_date": Column(pl.Date, "Day of the announcement."),
        "announced_time": Column(pl.String, "Local hour of the announcement, maybe assumed.", True),
        "announced_zone": Column(pl.String, "Time zone of that hour (IANA).", True),
        "date_precision": Column(pl.String, words.listed(words.DATE_PRECISIONS)),
        "effective_date": Column(pl.Date, "First day in force; null where none was named.", True),
        "ended_date": Column(pl.Date, "Last day in force.", True),
        "ended_known_at": Column(pl.Date, "Day the end became known.", True),
        "unknown_from": Column(pl.Date, "First day on which its status is unknown.", True),
        "unknown_known_at": Column(pl.Date, "Day the doubt became known.", True),
        "known_at": Column(pl.Date, "Day the clause became known."),
        "target_iso3": Column(pl.String, "Economy it targets; `ALL` for every one."),
        "target_class": Column(pl.String, words.listed(words.TARGET_CLASSES)),
        "target_names": Column(pl.List(pl.String), "Entities or class it names; empty where none."),
        "reach": Column(pl.String, words.listed(words.REACHES)),
        "excludes": Column(pl.String, "Goods in its codes that its text leaves out.", True),
        "evidence_class": Column(pl.String, words.listed(words.EVIDENCE_CLASSES)),
        "confidence": Column(pl.String, "Which parts were read in a source, which not.", True),
        "inferred": Column(
            pl.List(pl.String), "Columns whose value was read in no source; empty where none."
        ),
        "remark": Column(pl.String, "What a reader should know.", True),
        "citation": Column(pl.String, "Where it was read.", True),
        "source_url": Column(pl.String, "Address of the act, where one is known.", True),
    },
)

RESTRICTION_SUSPENSIONS = _table(
    "restriction_suspensions",
    "A suspension of a clause; an extension by a later act is another.",
    key=("source", "clause_id", "suspended_from"),
    vintage_slice=("source", "document"),
    subject=("clause_id",),
    evidence="evidence_class",
    known_from="known_at",
    columns={
        "clause_id": Column(pl.String, "Clause that is suspended."),
        "suspended_from": Column(pl.Date, "First day suspended."),
        "suspended_to": Column(pl.Date, "Last day suspended; null while it is open.", True),
        "suspended_by": Column(pl.String, "Clause that suspends it.", True),
        "evidence_class": Column(
            pl.String, "Of the clause: of two texts of it, the suspensions of the better are used."
        ),
        "known_at": Column(pl.Date, "Day the suspension became known."),
    },
)

RESTRICTION_SCOPE = _table(
    "restriction_scope",
    "A code and mineral that a clause covers, with the bounds of the controlled share.",
    key=("source", "clause_id", "hs_code", "mineral"),
    vintage_slice=("source", "document"),
    subject=("clause_id",),
    known_from=None,
    columns={
        "clause_id": Column(pl.String, "Clause."),
        "hs_code": Column(pl.String, "HS6 code, or a four-digit heading for all codes below it."),
        "mineral": Column(pl.String, "Mineral; `all_rare_earths` where no element is named."),
        "control_share_low": Column(
            pl.Float64, "Least share of the code's trade controlled, 0 to 1."
        ),
        "control_share_high": Column(
            pl.Float64, "Largest share of the code's trade controlled, 0 to 1."
        ),
        "basis": Column(pl.String, words.listed(words.SCOPE_BASES)),
        "source_codes": Column(
            pl.String, "Codes as the act prints them, or where they are taken from.", True
        ),
        "correction_reason": Column(pl.String, "Why a printed code was read as another.", True),
    },
)

MILESTONES = _table(
    "milestones",
    "A dated fact that is no measure, but bears on one or on what could relieve it.",
    key=("source", "milestone_id"),
    vintage_slice=("source", "document"),
    subject=("milestone_id",),
    evidence="evidence_class",
    known_from="known_at",
    columns={
        "milestone_id": Column(pl.String, "Milestone."),
        "kind": Column(pl.String, words.listed(words.MILESTONE_KINDS)),
        "title": Column(pl.String, "What happened or is planned, in a line."),
        "official_reference": Column(pl.String, "Case, session or statement it is.", True),
        "clauses": Column(pl.List(pl.String), "Clauses it bears on; empty where none."),
        "project": Column(pl.String, "Supply project it belongs to.", True),
        "economy_iso3": Column(pl.String, "Economy it is about.", True),
        "announced_date": Column(pl.Date, "Day it was announced.", True),
        "event_date": Column(pl.Date, "Day it happened.", True),
        "event_time": Column(pl.String, "Local hour it was public, maybe assumed.", True),
        "event_zone": Column(pl.String, "Time zone of that hour (IANA).", True),
        "planned_date": Column(
            pl.Date, "Day it is planned for; of an arrangement its last day, as stated.", True
        ),
        "planned_precision": Column(
            pl.String,
            words.listed(
                words.DATE_PRECISIONS,
                ": how exact that day is. The first day of a month or a year stands for it.",
            ),
            True,
        ),
        "review_date": Column(pl.Date, "Day it is to be reviewed or reported on.", True),
        "ended_date": Column(pl.Date, "Day it ended.", True),
        "statement": Column(pl.String, "Statement of the source, paraphrased.", True),
        "evidence_class": Column(pl.String, words.listed(words.EVIDENCE_CLASSES)),
        "citation": Column(pl.String, "Where it was read.", True),
        "source_url": Column(pl.String, "Address, where one is known.", True),
        "known_at": Column(pl.Date, "Day it became known."),
    },
)

SUPPLY_PROJECTS = _table(
    "supply_projects",
    "A product of a supply project: capacity, state and start, as announced.",
    key=("source", "project", "stage", "product"),
    vintage_slice=("source", "document"),
    subject=("project", "stage", "product"),
    known_from="known_at",
    columns={
        "project": Column(pl.String, "Project."),
        "name": Column(pl.String, "Name of the project."),
        "company": Column(pl.String, "Who runs it."),
        "economy_iso3": Column(pl.String, "Economy it stands in; a total has none.", True),
        "is_total": Column(
            pl.Boolean, "Somebody's sum of many projects: to compare with, never to add."
        ),
        "stage": Column(pl.String, words.listed(words.PROJECT_STAGES)),
        "product": Column(pl.String, "What leaves it."),
        "minerals": Column(
            pl.List(pl.String), "Minerals of the product; `all_rare_earths` where none is named."
        ),
        "capacity_t_low": Column(pl.Float64, "Least tonnes a year.", True),
        "capacity_t_high": Column(pl.Float64, "Largest tonnes a year.", True),
        "figure_of": Column(pl.String, words.listed(words.PROJECT_FIGURES)),
        "basis": Column(pl.String, words.listed(words.PROJECT_BASES)),
        "status": Column(pl.String, words.listed(words.PROJECT_STATUSES)),
        "status_note": Column(pl.String, "What is known of its state, paraphrased.", True),
        "start_year": Column(pl.Int32, "Year of the start, as planned or as it was.", True),
        "includes": Column(
            pl.List(pl.String), "Projects whose capacity is in this one's; empty where none."
        ),
        "note": Column(pl.String, "What a reader must know to use the figure.", True),
        "citation": Column(pl.String, "Where it was read.", True),
        "source_url": Column(pl.String, "Address, where one is known.", True),
        "known_at": Column(pl.Date, "Day of the page, or the last day of its month or year."),
        "known_precision": Column(pl.String, words.listed(words.DATE_PRECISIONS)),
    },
)

DEPOSIT_GRADES = _table(
    "deposit_grades",
    "A grade or an amount of a deposit, as a study gives it.",
    key=("source", "deposit", "part", "figure", "mineral", "known_at"),
    vintage_slice=("source", "document"),
    subject=("deposit", "part", "figure", "mineral", "known_at"),
    known_from="known_at",
    columns={
        "deposit": Column(pl.String, "Deposit."),
        "part": Column(pl.String, "Part of the deposit, or what was measured of it."),
        "figure": Column(pl.String, words.listed(words.DEPOSIT_FIGURES)),
        "mineral": Column(pl.String, "Mineral; `all_rare_earths` for all of them together."),
        "amount": Column(pl.Float64, "Parts per million by weight, tonnes of oxides, or years."),
        "qualifier": Column(pl.String, words.listed(words.QUALIFIERS), True),
        "area_km2": Column(pl.Float64, "Area that it is of, square kilometres.", True),
        "sample": Column(pl.String, "What was analysed.", True),
        "citation": Column(pl.String, "Where it was read.", True),
        "source_url": Column(pl.String, "Address, where one is known.", True),
        "known_at": Column(pl.Date, "Day of publication, or the last day of its month or year."),
        "known_precision": Column(pl.String, words.listed(words.DATE_PRECISIONS)),
    },
)

CRITICAL_LISTS = _table(
    "critical_lists",
    "A material of a list of critical or strategic materials, as the list prints it.",
    key=("source", "list_id", "material_as_printed"),
    vintage_slice=("source", "document"),
    subject=("list_id", "material_as_printed"),
    known_from="known_at",
    columns={
        "list_id": Column(pl.String, "List."),
        "material_as_printed": Column(pl.String, "Material, as the list prints it."),
        "jurisdiction_iso3": Column(pl.String, "Economy whose list it is; `EU27` for the Union."),
        "list_name": Column(pl.String, "Name of the list, with the act it is in."),
        "list_date": Column(pl.Date, "Day of the list, or the last day of its month or year."),
        "date_precision": Column(pl.String, words.listed(words.DATE_PRECISIONS)),
        "class": Column(pl.String, words.listed(words.LIST_CLASSES)),
        "status": Column(pl.String, "What is known of its state."),
        "status_known_at": Column(
            pl.Date, "Day from which that was known; null where with the list.", True
        ),
        "status_before": Column(pl.String, "What its state was before that day.", True),
        "slug": Column(pl.String, "Kido's word for the material, at the level of the list."),
        "confidence": Column(pl.String, words.listed(words.LIST_CONFIDENCES)),
        "note": Column(pl.String, "What a reader should know.", True),
        "source_url": Column(pl.String, "Address where it was read."),
        "known_at": Column(pl.Date, "Day the list was known."),
    },
)

COMPANY_FACTS = _table(
    "company_facts",
    "How a clause concerns a company: it names it, or the company is reported to be hit by it.",
    key=("source", "company", "clause_id"),
    vintage_slice=("source", "document"),
    subject=("clause_id", "company"),
    evidence="evidence_class",
    known_from="known_at",
    columns={
        "company": Column(pl.String, "Company or other entity, as its source names it."),
        "home_iso3": Column(
            pl.String, "Economy it is at home in; of a listed one, the economy the clause targets."
        ),
        "clause_id": Column(pl.String, "Clause the fact is about."),
        "minerals": Column(pl.List(pl.String), "Minerals the statement names; empty where none."),
        "evidence": Column(pl.String, words.listed(words.COMPANY_EVIDENCE)),
        "evidence_class": Column(pl.String, words.listed(words.EVIDENCE_CLASSES)),
        "statement": Column(
            pl.String,
            "What was said: letter by letter in quotation marks; without them in other words.",
        ),
        "citation": Column(pl.String, "Where it was read.", True),
        "source_url": Column(pl.String, "Address, where one is known.", True),
        "known_at": Column(pl.Date, "Day it became known."),
    },
)

NOTICES = _table(
    "notices",
    "An official notice, or a report of one: evidence, and never a clause.",
    key=("source", "notice_id"),
    vintage_slice=("source", "notice_id"),
    known_from=None,
    day="published_at",
    columns={
        "notice_id": Column(
            pl.String, "The publisher's number of it, e.g. `2026-1` or `2025-19846`."
        ),
        "published_at": Column(
            pl.Date, "Day the publisher published it; null where it prints none.", True
        ),
        "issuer": Column(pl.String, "Authority or list it is of, as printed."),
        "kind": Column(pl.String, words.listed(words.NOTICE_KINDS)),
        "title": Column(pl.String, "Title as printed; of a listing, the company's name."),
        "summary": Column(pl.String, "What the publisher says of it beside the title.", True),
        "url": Column(pl.String, "Address of it, where there is one.", True),
        "implementer_iso3": Column(
            pl.String, "Economy whose act it is; null for several or where none is named.", True
        ),
        "acts": Column(
            pl.List(pl.String),
            "Acts it is or reports, by number: `MOFCOM 2026-1`, `FR 2025-19846`, `90 FR 57078`; "
            "empty where it names none.",
        ),
        "corrects": Column(
            pl.String, "Number of the notice of the same publisher that it corrects.", True
        ),
        "company": Column(
            pl.String, "Company of the catalogue that it is about; null for others.", True
        ),
        "words": Column(
            pl.List(pl.String),
            "Words of the list of words that title and summary have, and announcements that the "
            "title cites; empty where none.",
        ),
        "minerals": Column(pl.List(pl.String), "Minerals that these words name; empty where none."),
        "hs6_codes": Column(pl.List(pl.String), "HS6 codes that it prints; empty where none."),
    },
)

NOTICE_DECISIONS = _table(
    "notice_decisions",
    "What a person has decided on a notice: the clause it belongs to, or that it is not relevant.",
    key=("source", "publisher", "notice_id", "clause_id"),
    vintage_slice=("source", "document"),
    subject=("publisher", "notice_id", "clause_id"),
    known_from="known_at",
    columns={
        "publisher": Column(pl.String, "Source of the notice."),
        "notice_id": Column(
            pl.String, "Notice, or `*` for all of its source published up to `published_to`."
        ),
        "published_to": Column(pl.Date, "Last day of the notices that `*` stands for.", True),
        "clause_id": Column(pl.String, "Clause it belongs to; empty where it is not relevant."),
        "reason": Column(pl.String, "Why it is not relevant; null of a clause.", True),
        "known_at": Column(
            pl.Date, "Day it was decided; of a clause, the day from which the clause is known."
        ),
    },
)

CLAIMS = _table(
    "claims",
    "A published statement with its figure, and the test that decides it.",
    key=("source", "claim_id"),
    vintage_slice=("source", "document"),
    subject=("claim_id",),
    known_from="known_at",
    columns={
        "claim_id": Column(pl.String, "Claim."),
        "statement": Column(
            pl.String,
            "What was said: letter by letter in quotation marks; without them in other words.",
        ),
        "reading": Column(
            pl.String, "How it is read: what is measured, in which year, in which bounds.", True
        ),
        "claimed_by": Column(pl.String, "Who made the statement."),
        "claimed_at": Column(
            pl.Date,
            "Day of the statement, or the earliest it can have been, as `citation` then explains; "
            "null where neither is known, and `known_at` stands for it.",
            True,
        ),
        "claimed_low": Column(
            pl.Float64,
            "Least value that makes it true: a share of 0 to 1, a return, a ratio, or tonnes.",
            True,
        ),
        "is_low_excluded": Column(
            pl.Boolean,
            'Whether only values above `claimed_low` make it true (the statement is "more than").',
        ),
        "claimed_high": Column(pl.Float64, "Largest value that makes it true, in that unit.", True),
        "basis": Column(pl.String, "Basis the statement names; null where it names none.", True),
        "test": Column(
            pl.String,
            "The test that decides it, e.g. `supplier_share`; `none` if there is none.",
        ),
        "missing": Column(pl.String, "The figure that would decide it, in a sentence.", True),
        "is_same_return": Column(
            pl.Boolean,
            "Whether it quotes what the importer itself declares, as UN Comtrade does.",
        ),
        "evidence_ids": Column(
            pl.List(pl.String),
            "Clauses and milestones of the catalogue that bear on it; empty where none.",
        ),
        "importer_iso3": Column(pl.String, "Importer the test is about.", True),
        "supplier_iso3": Column(pl.String, "Supplier or producer the test is about.", True),
        "mineral_group": Column(pl.String, "Mineral group the test is about.", True),
        "minerals": Column(
            pl.List(pl.String), "Minerals, families or materials the test is about.", True
        ),
        "compared_minerals": Column(
            pl.List(pl.String),
            "What each of `minerals` is compared with, in the same order, where the test compares.",
            True,
        ),
        "stage": Column(pl.String, "Stage of production the test is about.", True),
        "nace2_code": Column(pl.String, "Division of NACE Rev. 2 the test is about.", True),
        "commodity_code": Column(
            pl.String, "HS6 code, or a mineral group's name, the test is about.", True
        ),
        "flow": Column(
            pl.String,
            words.listed(words.DECLARED_FLOWS, ": which side's report the test is of."),
            True,
        ),
        "frequency": Column(pl.String, words.listed(words.FREQUENCIES), True),
        "period_start": Column(
            pl.Date,
            "First day of the period the test is about; null where it is about the moment or where "
            "`years` lists several.",
            True,
        ),
        "years": Column(
            pl.List(pl.String),
            "Years it is compared with, e.g. `2018`, where the statement names none.",
            True,
        ),
        "instrument": Column(pl.String, "Instrument the test is about.", True),
        "performance_window": Column(pl.String, "Window of the return the test is about.", True),
        "citation": Column(pl.String, "Where it was read.", True),
        "source_url": Column(pl.String, "Address, where one is known.", True),
        "known_at": Column(pl.Date, "Day it became known."),
    },
)

SCENARIO_CHANGES = _table(
    "scenario_changes",
    "A change of supply, or of a clause, that a scenario assumes.",
    key=("source", "scenario", "position"),
    # A file has all changes of its scenario: those that a later file lacks are removed.
    vintage_slice=("source", "scenario"),
    known_from=None,
    columns={
        "scenario": Column(pl.String, "Scenario, e.g. `china_stops_to_japan`."),
        "title": Column(pl.String, "What the scenario assumes, in a line."),
        "importer_iso3": Column(pl.String, "Importer that the scenario is about."),
        "position": Column(pl.Int32, "Position of the change in the file, from 1."),
        "kind": Column(pl.String, words.listed(words.SCENARIO_CHANGES)),
        "mineral_groups": Column(
            pl.List(pl.String),
            "Mineral groups that the change is about, sorted; of a clause, those of the scenario.",
        ),
        "supplier_iso3": Column(
            pl.String,
            "Supplier that is cut, loses a share, or delivers more; null of a clause.",
            True,
        ),
        "to_supplier_iso3": Column(pl.String, "Supplier that gets the share of a `shift`.", True),
        "share": Column(
            pl.Float64,
            "Of a `cut` the part of the supplier's supply that is lost, of a `shift` the part of "
            "the importer's whole supply that moves, 0 to 1.",
            True,
        ),
        "tonnes_low": Column(
            pl.Float64, "Least metric tons a year that are added; null of a project.", True
        ),
        "tonnes_high": Column(
            pl.Float64, "Most metric tons a year that are added; null of a project.", True
        ),
        "project": Column(pl.String, "Supply project whose tonnes are added.", True),
        "relief_scenario": Column(
            pl.String, "Scenario of the project whose tonnes are added.", True
        ),
        "clause_id": Column(pl.String, "Clause that is lifted or extended.", True),
        "from_date": Column(
            pl.Date,
            "First day of the month from which supply changes; null of a clause, and of a project "
            "from its own first year.",
            True,
        ),
        "effective_date": Column(
            pl.Date, "Last day on which the clause is in force; null of supply.", True
        ),
        "because": Column(pl.String, "Why it is assumed, with the source.", True),
        "source_url": Column(pl.String, "Address, where one is known.", True),
    },
)

ECONOMIES = _table(
    "economies",
    "An economy with its codes at the publishers and its names.",
    key=("source", "economy_iso3"),
    vintage_slice=("source", "document"),
    subject=("economy_iso3",),
    known_from=None,
    columns={
        "economy_iso3": Column(
            pl.String, "ISO 3166 alpha-3; `_X` not published, `WLD` the world, `EU27` the union."
        ),
        "name": Column(pl.String, "English name."),
        "name_ja": Column(pl.String, "Japanese name."),
        "m49_code": Column(pl.String, "UN M49 code.", True),
        "comtrade_code": Column(pl.String, "UN Comtrade code.", True),
        "japan_customs_code": Column(pl.String, "Japan Customs code.", True),
        "region": Column(pl.String, "UN region.", True),
        "is_eu27": Column(pl.Boolean, "Whether it is one of the 27 members of the EU."),
    },
)

ECONOMY_CODES = _table(
    "economy_codes",
    "A code by which a publisher names an economy, or a part of it.",
    key=("source", "scheme", "code", "valid_from"),
    vintage_slice=("source", "document"),
    subject=("scheme", "code", "valid_from"),
    known_from=None,
    columns={
        "scheme": Column(pl.String, words.listed(words.CODE_SCHEMES)),
        "code": Column(pl.String, "Code as the publisher prints it."),
        "valid_from": Column(pl.Date, "First day; 1988-01-01 where none is known."),
        "valid_to": Column(pl.Date, "Last day; null while it is valid.", True),
        "economy_iso3": Column(pl.String, "Economy it stands for."),
        "name": Column(pl.String, "English name of the economy."),
    },
)

RELEASE_DATES = _table(
    "release_dates",
    "When a publisher says that it publishes a period.",
    key=("source", "frequency", "period_start"),
    vintage_slice=("source", "frequency", "period_start"),
    columns={
        "frequency": Column(pl.String, words.listed(words.FREQUENCIES)),
        "period_start": Column(pl.Date, "First day of the year or month."),
        "released_at": Column(INSTANT, "When it is published (UTC)."),
    },
)

RECONCILED_TRADE = _table(
    "reconciled_trade",
    "A flow as a reconciler of both sides' reports estimated it.",
    key=("source", "exporter_iso3", "importer_iso3", "hs6_code", "hs_revision", "period_start"),
    vintage_slice=("source", "hs6_code", "hs_revision", "period_start"),
    edition="edition",
    period="period_start",
    is_staged_by_slice=True,
    columns={
        "exporter_iso3": Column(pl.String, "Economy the goods come from."),
        "importer_iso3": Column(pl.String, "Economy the goods go to."),
        "hs6_code": Column(pl.String, "HS6 code."),
        "hs_revision": Column(pl.String, "Edition of the HS (`HS2022`)."),
        "period_start": Column(pl.Date, "First day of the year."),
        "edition": Column(
            pl.Int32,
            "Edition of the publication, e.g. 202601; a newer one takes precedence over an older "
            "one, whenever it was retrieved.",
            True,
        ),
        "value_usd": Column(pl.Float64, "Value in US dollars, free on board.", True),
        "net_weight_kg": Column(pl.Float64, "Net weight in kilograms.", True),
    },
)

PRODUCTION = _table(
    "production",
    "Output, capacity or reserves of a mineral in an economy and year.",
    key=("source", "label", "stage", "scope_iso3", "economy_iso3", "year"),
    vintage_slice=("source", "label", "stage", "scope_iso3", "year"),
    edition="edition",
    period="year",
    columns={
        "label": Column(pl.String, "Mineral and form, as the publisher names them."),
        "stage": Column(pl.String, words.listed(words.STAGES)),
        "scope_iso3": Column(
            pl.String, "The supply it is a part of: `WLD`, or the economy that is supplied."
        ),
        "economy_iso3": Column(
            pl.String, "Economy; `WLD` the printed total, `_X` the economies not listed."
        ),
        "year": Column(pl.Int32, "Calendar year, or the year of the assessment."),
        "reference_period": Column(
            pl.String,
            "Years that the figure is of, as ISO 8601: `2024`, or `2016/2020` for their average; "
            "null where the publisher does not say.",
            True,
        ),
        "edition": Column(
            pl.Int32,
            "Edition of the publication; a newer one takes precedence over an older one, "
            "whenever it was retrieved.",
        ),
        "amount_t": Column(pl.Float64, "Amount in metric tons; null where none is printed.", True),
        "share": Column(pl.Float64, "Share of the scope's supply, 0 to 1, where printed.", True),
        "bound": Column(
            pl.String,
            "`exact`, `below` or `above` (`<`, `>`: the figure is a bound), `range` (its middle).",
        ),
        "flag": Column(
            pl.String,
            words.listed(words.FIGURE_FLAGS),
        ),
        "trade_parameter": Column(
            pl.Float64, "Factor for trade restrictions and agreements; 1 is neutral.", True
        ),
        "printed": Column(pl.String, "The figure as printed; null where the cell is empty.", True),
        "notes": Column(pl.String, "The publisher's notes on the figure.", True),
    },
)

GOVERNANCE_SCORES = _table(
    "governance_scores",
    "A governance indicator of an economy in a year.",
    key=("source", "indicator", "economy_iso3", "year"),
    vintage_slice=("source", "indicator", "economy_iso3", "year"),
    period="year",
    columns={
        "indicator": Column(pl.String, "Indicator, e.g. `rule_of_law`."),
        "economy_iso3": Column(pl.String, "Economy."),
        "year": Column(pl.Int32, "Calendar year."),
        "estimate": Column(
            pl.Float64, "Estimate on a standard normal scale, about -2.5 (weak) to 2.5 (strong)."
        ),
        # The World Bank's service has estimates alone, its files also their errors.
        "standard_error": Column(
            pl.Float64, "Standard error of the estimate.", True, is_supplement=True
        ),
    },
)

END_USES = _table(
    "end_uses",
    "A use of a mineral and its share of the supply.",
    key=("source", "label", "application", "sector", "year"),
    vintage_slice=("source", "label", "year"),
    period="year",
    columns={
        "label": Column(pl.String, "Mineral, as the publisher names it."),
        "application": Column(pl.String, "What it is used for, as printed."),
        "sector": Column(
            pl.String, "Sector of the economy as printed; `other` where none is given."
        ),
        "nace2_code": Column(pl.String, "Division of NACE Rev. 2, e.g. `C25`.", True),
        "year": Column(pl.Int32, "Year of the assessment."),
        "use_share": Column(pl.Float64, "Share of the mineral's use, 0 to 1."),
        "sector_value_added_eur_m": Column(
            pl.Float64, "Value added of the sector in millions of euro.", True
        ),
    },
)

ASSESSMENTS = _table(
    "assessments",
    "Inputs and results of a criticality assessment for a mineral.",
    key=("source", "assessment", "label", "stage"),
    vintage_slice=("source", "assessment", "label", "stage"),
    period="year",
    columns={
        "assessment": Column(pl.String, "Assessment, e.g. `EC 2017`."),
        "year": Column(pl.Int32, "Year of the assessment."),
        "label": Column(pl.String, "Mineral, as the publisher names it."),
        "stage": Column(
            pl.String,
            words.listed(words.STAGES_OF_OUTPUT, "; null where only the result is printed."),
            True,
        ),
        "supply_risk": Column(pl.Float64, "Supply risk as published.", True),
        "economic_importance": Column(pl.Float64, "Economic importance as published.", True),
        "import_reliance": Column(pl.Float64, "Import reliance, 0 to 1.", True),
        "import_reliance_raw": Column(
            pl.Float64,
            "Import reliance as computed, below 0 where exports exceed imports; null where it is "
            "`import_reliance`.",
            True,
        ),
        "eol_recycling_rate": Column(
            pl.Float64, "Recycling input rate of end-of-life products, 0 to 1.", True
        ),
        "supply_used": Column(
            pl.String, words.listed(words.SUPPLY_USED, ": whose supply counts."), True
        ),
        "substitution_index_economic": Column(
            pl.Float64, "Substitution index for economic importance.", True
        ),
        "substitution_index_supply": Column(
            pl.Float64, "Substitution index for supply risk.", True
        ),
        "hhi_global_supply": Column(
            pl.Float64, "Governance-weighted concentration of world supply.", True
        ),
        "hhi_consumer_sourcing": Column(
            pl.Float64, "Governance-weighted concentration of the consumer's sourcing.", True
        ),
    },
)

ELEMENT_ABUNDANCE = _table(
    "element_abundance",
    "Abundance of an element in a part of the earth's crust, by one estimate.",
    key=("source", "element", "reservoir"),
    vintage_slice=("source", "element", "reservoir"),
    columns={
        "element": Column(pl.String, "Chemical symbol, e.g. `Nd`."),
        "reservoir": Column(
            pl.String,
            "`upper_crust`, `bulk_crust` (all of the continental crust) or `crust` where the "
            "publisher does not specify it.",
        ),
        "abundance_ppm": Column(pl.Float64, "Parts per million by weight (mg/kg)."),
        "two_sigma_ppm": Column(pl.Float64, "Two standard deviations, where given.", True),
    },
)

MATERIAL_LABELS = _table(
    "material_labels",
    "A publisher's label for a material, and the warehouse's name for it.",
    key=("source", "label"),
    # Each snapshot has the whole list of its source: a label that it lacks is removed.
    vintage_slice=("source",),
    known_from=None,
    columns={
        "label": Column(pl.String, "The label as in the lake's rows."),
        "material": Column(pl.String, "Kido's name of the material, for all publishers."),
        "mineral": Column(pl.String, "Mineral it is or contains; null for several.", True),
        "mineral_group": Column(
            pl.String, "Mineral group; null where the label is in none or spans several.", True
        ),
        "stage": Column(
            pl.String, "Stage that the label names; null where a column of the table does.", True
        ),
        "content_basis": Column(
            pl.String,
            "What the figures of that stage weigh, as the label or the heading of its table "
            f"prints it: {words.listed(words.CONTENT_BASES, then='')}; null where neither does.",
            True,
        ),
        "left_out": Column(
            pl.String, "Why the figures of this label are not used; null where they are.", True
        ),
    },
)

COVERAGE = _table(
    "coverage",
    "A slice that was requested from a publisher, with the number of rows in the answer.",
    key=("source", "table_name", "reporter_iso3", "flow", "frequency", "period_start"),
    vintage_slice=(
        "source", "table_name", "reporter_iso3", "flow", "frequency", "period_start",
    ),
    period="period_start",
    columns={
        "table_name": Column(pl.String, "Table of the lake the answer goes to."),
        "reporter_iso3": Column(
            pl.String, "Economy whose report was asked for; empty where the table has none."
        ),
        "flow": Column(pl.String, "Flow that was asked for; empty where the table has none."),
        "frequency": Column(pl.String, words.listed(words.SLICE_FREQUENCIES)),
        "period_start": Column(pl.Date, "First day of the year or month; the day."),
        "rows": Column(pl.Int64, "Rows of the answer; 0 means that nothing is published yet."),
    },
)  # fmt: skip

CORRECTIONS = _table(
    "corrections",
    "A correction of a publisher's known error, and its result in a document.",
    key=("source", "correction_id"),
    vintage_slice=("source", "correction_id"),
    columns={
        "correction_id": Column(pl.String, "Correction, e.g. `USGS-MCS-2023-ND-2021`."),
        "table_name": Column(pl.String, "Table of the lake that has the row."),
        "row_key": Column(pl.String, "Cells that name the row, as `column=cell | column=cell`."),
        "action": Column(pl.String, words.listed(words.CORRECTION_ACTIONS)),
        "wrong_value": Column(pl.String, "The publisher's figure in the lake's unit, or its code."),
        "right_value": Column(pl.String, "The right figure in the lake's unit, or the right code."),
        "found_value": Column(pl.String, "What the document has in that place; may be null.", True),
        "reason": Column(pl.String, "How the error is known."),
        "citation": Column(pl.String, "Where the evidence was read."),
        "source_url": Column(pl.String, "Address of the evidence, where one is known.", True),
        "status": Column(
            pl.String,
            words.listed(
                words.CORRECTION_STATUSES,
                ": the document has another value than the wrong one, and is not changed.",
            ),
        ),
        "rows_changed": Column(pl.Int64, "Rows of the document that were changed."),
    },
)

INTAKE_TABLES = (COVERAGE, CORRECTIONS)
"""Tables that no source's card lists: intake writes them with the rows of any source."""

LAKE_TABLES: Mapping[str, LakeTable] = {
    table.name: table
    for table in (
        TRADE_FLOWS,
        NATIONAL_TRADE,
        RECONCILED_TRADE,
        PRODUCTION,
        GOVERNANCE_SCORES,
        END_USES,
        ASSESSMENTS,
        ELEMENT_ABUNDANCE,
        MATERIAL_LABELS,
        PRICE_QUOTES,
        RESTRICTION_CLAUSES,
        RESTRICTION_SUSPENSIONS,
        RESTRICTION_SCOPE,
        MILESTONES,
        SUPPLY_PROJECTS,
        DEPOSIT_GRADES,
        CRITICAL_LISTS,
        COMPANY_FACTS,
        NOTICES,
        NOTICE_DECISIONS,
        CLAIMS,
        SCENARIO_CHANGES,
        ECONOMIES,
        ECONOMY_CODES,
        RELEASE_DATES,
        *INTAKE_TABLES,
    )
}
