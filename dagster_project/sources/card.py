"""The card that describes a publisher, and the types that sources share with the other packages.

A source module has `CARD` and `parse(payload, document, scope)`; one that can be fetched also has
`plan(windows, scope)` and, where an answer may be incomplete, `follow(request, answer)`.
Pure: no network, no Dagster; the only files read are answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Literal, Protocol

import polars as pl

from dagster_project import words
from dagster_project.lake.scope import DEFAULT_SCOPE, CommodityScope
from dagster_project.lake.vocabulary import ListName

Cadence = words.Cadence
Domain = words.Domain
Frequency = words.Frequency
Kind = Literal["csv", "tsv", "json", "html", "xml", "zip", "gzip", "xlsx", "text"]
"""The kinds of file that the first bytes of an answer may indicate."""

PublishingDays = Literal["weekdays", "TARGET", "XNYS"]

Meaning = Literal["content", "nothing", "too_much", "quota", "unchanged"]
"""The meaning of an answer's status: a document, nothing published, ask for less, a refusal, or
nothing new since the copy that is landed (only of a conditional request)."""


Excerpt = Callable[[bytes], bytes]
"""What is kept of an answer or a file, before anything of it is written (`Source.excerpt`)."""


@dataclass(frozen=True, order=True)
class Window:
    """A year or month that a publisher is asked for. `key` is its Dagster partition."""

    frequency: Frequency
    start: date

    @property
    def key(self) -> str:
        """`2024` for a year, `2024-05` for a month."""
        return f"{self.start:%Y}" if self.frequency == "A" else f"{self.start:%Y-%m}"

    @property
    def end(self) -> date:
        """The first day after it."""
        if self.frequency == "A" or self.start.month == 12:
            return date(self.start.year + 1, 1, 1)
        return date(self.start.year, self.start.month + 1, 1)


@dataclass(frozen=True)
class Windows:
    """The periods of one frequency that a publisher is asked for.

    `since` is the first day of the first one. A period is expected `published_after` its end, and
    late after a further `tolerance`: some publishers name no day. The newest `revised_for` periods
    that are expected may still be revised: a build fetches those, `kido fetch` also older ones.
    """

    frequency: Frequency
    since: date
    published_after: timedelta
    revised_for: int
    tolerance: timedelta = timedelta()


@dataclass(frozen=True)
class Limits:
    """What a publisher allows: calls per minute and day (None: no limit published), largest
    answer.
    """

    calls_a_minute: int | None = None
    calls_a_day: int | None = None
    largest_answer_bytes: int = 256 << 20


@dataclass(frozen=True)
class Calendar:
    """When a publication may be due: a cron line in the publisher's time zone, and a
    description.

    `days` are the days on which it publishes: weekdays, those of TARGET (the euro's payments), or
    the sessions of New York (`XNYS`).
    """

    cron: str
    timezone: str
    description: str
    days: PublishingDays = "weekdays"


@dataclass(frozen=True)
class SourceCard:
    """The publisher, licence, cadence and lake tables of a source.

    `name` is the word for the source everywhere: module, settings prefix, asset keys, `source`
    columns, `kido land`. `base_url` is the publisher's address, set for a source that can be asked.
    `windows` are the periods it is asked for, one entry per frequency; without them it is asked for
    one document. `lists` are the lists of codes that its parser reads, besides its own files of
    labels and corrections: where one changes, its documents are parsed again. `bundled` names the
    files under `bundled/<name>/` that come with the project.
    `rows_per_call` is the largest count one answer may contain, with a key and without, where the
    publisher has such a cap.
    `needs_consent`: its terms need a person's consent. `kido fetch` without a name does not ask it
    unless a person has set `KIDO_<NAME>_ENABLED=true`.
    `only_by_name`: only `kido fetch <name>` asks it, no build and no `kido fetch` without a name:
    its answer is too large to be fetched unasked.
    `asked_from_a_day`: it has no windows, but can be asked for what was published from a day on
    (`kido fetch <name> --from DAY`).
    `shows_rows`: its rows may be in previews and on the pages on checks. False for a publisher
    whose terms do not even let a colleague see them there.
    `without_rows`: what an answer or file without rows means, for messages.
    `published_after` is of a source without windows, as `Windows.published_after` of one with them:
    the time from the end of a day, month or year (by its `cadence`) to its publication. It is
    negative where a day's figures are published before the day ends, and None where no further
    period is expected.
    """

    name: str
    title: str
    publisher: str
    licence: str
    licence_url: str
    is_redistributable: bool
    cadence: Cadence
    domain: Domain
    homepage: str
    tables: tuple[str, ...]
    description: str
    lists: tuple[ListName, ...] = ()
    bundled: tuple[str, ...] = ()
    base_url: str | None = None
    needs_key: bool = False
    needs_consent: bool = False
    only_by_name: bool = False
    asked_from_a_day: bool = False
    shows_rows: bool = True
    without_rows: str = "nothing is published"
    published_after: timedelta | None = None
    windows: tuple[Windows, ...] = ()
    limits: Limits = Limits()
    rows_per_call: tuple[int, int] | None = None
    calendar: Calendar | None = None

    @property
    def is_private(self) -> bool:
        """Whether its rows are in no preview and on no page on checks: by its terms, or since they
        are a person's own (landed by hand only, and not to be passed on).
        """
        is_own = not (self.is_redistributable or self.bundled or self.base_url)
        return is_own or not self.shows_rows

    @property
    def owner(self) -> str:
        """The owner of its assets, as Dagster writes a team."""
        return f"team:{self.domain}"


@dataclass(frozen=True)
class Document:
    """A payload's label: its name, when it was retrieved, and whether it is bundled."""

    name: str
    retrieved_at: datetime
    is_bundled: bool


@dataclass(frozen=True)
class Scope:
    """What is requested from a publisher in addition to periods.

    `reporters` are ISO 3166 alpha-3 codes, none for every reporter. `rows_per_call` is the largest
    count one answer may contain (None where the publisher has no such cap), `has_key` whether there
    is a credential. `known_until` is the last day the lake has of a source without windows, None
    where its whole history is wanted; `held_through` is the newest period of such a source in the
    lake, bundled figures included. `first_day` is the day from which a source that is
    `asked_from_a_day` is asked, None for what is due. `today` is the day of the request in UTC, for
    publishers whose documents have more periods than are requested.
    """

    commodity_codes: tuple[str, ...] = ()
    reporters: tuple[str, ...] = ()
    rows_per_call: int | None = None
    has_key: bool = False
    known_until: date | None = None
    held_through: date | None = None
    first_day: date | None = None
    today: date | None = None


@dataclass(frozen=True)
class Request:
    """One GET, or a POST with a `body`. `url` is an address, or a path below the source's base
    address.

    A credential is written as the placeholder `{key}` in a header (in a parameter only where the
    publisher takes it nowhere else); it is filled in when the request is sent.

    `expects` lists the kinds of file allowed. `statuses` gives the meaning of HTTP statuses other
    than 200 at this publisher; their text is kept for `follow`. A status that is not listed is a
    failure, or is retried (408, 409, 425, 429, 5xx).

    `context` is not sent: what `follow` needs to know of the request, such as the codes it is for.
    Nor is `document`: the name of the answer, where it is a file of its own name that is known only
    from an earlier answer; else the answer has the name of the extract.
    """

    url: str
    expects: tuple[Kind, ...]
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    statuses: Mapping[int, Meaning] = field(default_factory=dict)
    body: str | None = None
    context: Mapping[str, str] = field(default_factory=dict)
    document: str = ""

    @property
    def method(self) -> str:
        return "GET" if self.body is None else "POST"


@dataclass(frozen=True)
class Asked:
    """The slices an extract asks for: what is absent from its answer is not published.

    `reporters` are ISO 3166 alpha-3 codes. A table without reporters or flows has an empty text
    for them.
    """

    table: str
    reporters: tuple[str, ...]
    flows: tuple[str, ...]
    commodity_codes: tuple[str, ...]


@dataclass(frozen=True)
class Extract:
    """What is requested at once and becomes one snapshot, whole or not at all.

    `document` is its name, the same whenever the same is asked. `requests` are the first ones;
    `follow` may add more. `windows` is empty for a source without windows.
    """

    document: str
    requests: tuple[Request, ...]
    windows: tuple[Window, ...] = ()
    asked: tuple[Asked, ...] = ()


@dataclass(frozen=True)
class Answer:
    """An answer: its meaning, and the bytes in a file (empty unless there is content).

    `text` is the text of an answer with another status than 200. `retry_after_s` is what the
    publisher asked to wait, where it did.
    """

    meaning: Meaning
    status: int
    file: Path
    media_type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    retry_after_s: float | None = None


@dataclass(frozen=True)
class Done:
    """The answer is a part of the extract, and nothing more is needed for this request.

    Of every step, `warning` is what a person should know of the answer, without the source's name:
    it is printed with the outcome of the fetch, which it does not change.
    """

    warning: str = ""


@dataclass(frozen=True)
class More:
    """The answer is a part of the extract, and there is more: the next page."""

    requests: tuple[Request, ...]
    warning: str = ""


@dataclass(frozen=True)
class Instead:
    """The answer is dropped and requested again in smaller pieces.

    By code, reporter, flow or period, never by partner: a slice must not be torn.
    """

    requests: tuple[Request, ...]
    warning: str = ""


@dataclass(frozen=True)
class Stop:
    """The quota is used up. Parts so far are kept; `wait` is the time until it returns, if
    known.
    """

    reason: str
    wait: timedelta | None = None


Step = Done | More | Instead | Stop


class Source(Protocol):
    """The interface of a module in `sources/`. `plan` is absent where nothing can be fetched."""

    CARD: SourceCard

    def parse(
        self, payload: bytes, document: Document, scope: CommodityScope = DEFAULT_SCOPE
    ) -> Mapping[str, pl.DataFrame]:
        """Bytes as published -> frames by lake table, without `snapshot_id` and `document`.

        Of a publisher of trade in all commodities, the rows of codes in `scope` are kept.

        Of an extract in several parts it is called once per part; the rows are put together.
        Raises UpstreamFormatError when the bytes are not what the publisher is known to send.
        """
        ...

    def excerpt(self, payload: bytes) -> bytes:
        """What is kept of an answer, or of a file that is landed, in the publisher's format.

        It is applied before anything is written: the rest is in no landing, quarantine, unfinished
        download or log. An excerpt of an excerpt is the same. Absent where all bytes are kept.
        Raises UpstreamFormatError, which quotes none of the content.
        """
        ...

    def parse_blocks(
        self, file: Path, document: Document, scope: CommodityScope = DEFAULT_SCOPE
    ) -> Iterator[Mapping[str, pl.LazyFrame]]:
        """The rows of `parse` block by block, for a document too large for memory. Absent where
        documents are small. Texts may be Enum, which are written faster. Raises what `parse` does,
        possibly after other blocks.
        """
        ...

    def parse_together(
        self, parts: Sequence[tuple[bytes, Document]], scope: CommodityScope = DEFAULT_SCOPE
    ) -> Mapping[str, pl.DataFrame]:
        """Several files landed together, read as one. Absent where their rows can be concatenated
        as they are. Raises ContradictionError where two files differ on one figure.
        """
        ...

    def parse_extract(
        self, parts: Sequence[bytes], document: Document, scope: CommodityScope = DEFAULT_SCOPE
    ) -> Mapping[str, pl.DataFrame]:
        """The parts of an extract, read together: one of them explains others. Absent where each
        part can be read by itself.
        """
        ...

    def plan(self, windows: Sequence[Window], scope: Scope) -> Sequence[Extract]:
        """The extracts that cover the windows (without windows: what the source publishes)."""
        ...

    def release_calendar(self) -> Extract:
        """The document that says when the publisher publishes which period, asked once a day; it is
        read as `release_dates`. Absent where the publisher has none.
        """
        ...

    def follow(self, request: Request, answer: Answer) -> Step:
        """How to continue after an answer. Absent where an answer is always complete.

        Raises UpstreamFormatError when the answer is not what the publisher is known to send,
        DeniedError when the publisher refuses the credential.
        """
        ...


def can_be_asked(source: Source) -> bool:
    """Whether the module has a `plan` of requests."""
    return hasattr(source, "plan")


def excerpt_of(source: Source) -> Excerpt | None:
    """What says which bytes of a source are kept; None where all are."""
    return getattr(source, "excerpt", None)


def windows_between(windows: Windows, first: date, last: date) -> Iterable[Window]:
    """The periods within `first` to `last`, both included and cut to `since`, in order."""
    start = max(first, windows.since)
    window = Window(windows.frequency, _period_start(windows.frequency, start))
    if window.start < windows.since:
        window = Window(windows.frequency, window.end)
    while window.start <= last:
        yield window
        window = Window(windows.frequency, window.end)


def months_of_year(year: int, requested: Iterable[Window], today: date | None) -> Iterator[Window]:
    """The months of a year that a document of the whole year has: the requested ones, and those
    that are over on the day of the request.
    """
    wanted = {window for window in requested if window.start.year == year}
    for month in range(1, 13):
        window = Window("M", date(year, month, 1))
        if window in wanted or (today is not None and window.end <= today):
            yield window


def _period_start(frequency: Frequency, day: date) -> date:
    return date(day.year, 1 if frequency == "A" else day.month, 1)
