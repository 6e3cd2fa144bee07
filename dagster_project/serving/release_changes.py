"""What is new in a release: a build compared with the release before it, in rows with sentences.

Two DuckDB files in, rows of `catalog.changes` out. What readers would lose is compared in `gate`;
how the rows are printed is in `show_changes`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import duckdb
import polars as pl

from dagster_project import words
from dagster_project.errors import counted, shortened
from dagster_project.lake.build_file import connect, connect_in_memory
from dagster_project.serving.answers import COUNTS, decimals, figure_in_unit
from dagster_project.serving.catalog import Ask, Row, asking
from dagster_project.serving.dictionary import has_table, quoted
from dagster_project.serving.passing_on import SEPARATOR
from dagster_project.serving.wording.english.parts import day as day_in_words
from dagster_project.serving.wording.english.parts import listed
from dagster_project.serving.wording.english.parts import period as period_in_words

CHANGES = "catalog.changes"

COLUMNS: Mapping[str, type[pl.DataType]] = {
    "release_id": pl.String, "kind": pl.String, "subject": pl.String, "before": pl.String,
    "after": pl.String, "sentence": pl.String, "source": pl.String, "position": pl.Int32,
}  # fmt: skip

_PERIODS: Mapping[str, tuple[str, int]] = {
    "A": ("year", len("2026")), "M": ("month", len("2026-01")), "D": ("day", len("2026-01-31")),
}  # fmt: skip
"""By frequency the noun of a period, and how many characters of its first day name it."""

_MOST_REPORTERS = 3
"""More economies than these are counted, and not named."""

_LONGEST_TITLE = {"notice": 100, "status": 60}
"""Characters of a title in a sentence, by kind: what a clause has become stands after its title."""

_NO_FIGURE = "no figure"

_NUMBER_OF_NOTICES = "notices"
"""The unit of the line of the page that counts the notices to be read."""

_STATES: Mapping[str | None, str] = {"in_force": "in force", "unknown": "of unknown state"}
"""How a status is worded, where it is not its own word."""


@dataclass(frozen=True)
class Change:
    """One thing that is new; `before` and `after` are None where there was, or is, nothing, and
    for figures of a private source.

    `source` has several sources with SEPARATOR between.
    """

    kind: words.ChangeKind
    subject: str
    before: str | None
    after: str | None
    sentence: str
    source: str


@dataclass(frozen=True)
class _Files:
    """The release before and the build, attached to one connection as `before` and `after`."""

    ask: Ask
    importer: str
    day_before: date
    day: date
    private: Collection[str]
    kinds: Collection[words.ChangeKind]
    """The kinds of changes for which both have the tables."""

    def is_private(self, sources: str) -> bool:
        """Whether any of the sources is private: its figures and titles are in no sentence."""
        return not set(sources.split(SEPARATOR)).isdisjoint(self.private)


def changes_between(
    before: Path,
    after: Path,
    *,
    importer: str,
    day_before: date,
    day: date,
    private: Collection[str] = (),
    memory: int | None = None,
) -> list[Change]:
    """What is new in a build since the release before it, the most important first.

    `importer` (ISO 3166 alpha-3) is that of the page whose figures are compared, `day_before` and
    `day` are the days for which the two were built. Of a `private` source no sentence has figures
    or titles, and its notices are counted. A kind of change whose tables or columns one of the
    files lacks is left out: another version built it. DuckDB uses at most `memory` bytes.
    """
    with connect_in_memory(after, memory) as connection:
        for name, file in (("before", before), ("after", after)):
            connection.execute(f"attach '{quoted(file)}' as {name} (read_only)")
        common = _columns_of_both(connection)
        kinds = [kind for kind in words.CHANGE_KINDS if _NEEDED[kind] <= common]
        files = _Files(asking(connection), importer, day_before, day, private, kinds)
        return [change for kind in kinds for change in _KINDS[kind](files)]


def _columns_of_both(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """The columns that both files have, as `schema.table.column`."""
    rows = connection.execute(
        "select schema_name || '.' || table_name || '.' || column_name from duckdb_columns() "
        "where database_name in ('before', 'after') group by all having count(*) = 2"
    ).fetchall()
    return {column for (column,) in rows}


def changes_frame(
    release_id: str, changes: Sequence[Change], earlier: Sequence[Row] = ()
) -> pl.DataFrame:
    """Rows of the table for a release, and those of `earlier` releases as they were published."""
    rows = [
        {"release_id": release_id, **asdict(change), "position": position}
        for position, change in enumerate(changes, 1)
    ]
    carried = [{name: row.get(name) for name in COLUMNS} for row in earlier]
    return pl.DataFrame([*carried, *rows], schema=COLUMNS)


def recorded_changes(published_file: Path, releases: Collection[str]) -> list[Row]:
    """The rows of some releases in a published file; none in a file of an earlier contract."""
    schema, _, table = CHANGES.partition(".")
    with connect(published_file, read_only=True) as connection:
        if not has_table(connection, schema, table):
            return []
        query = f"from {CHANGES} where list_contains($releases, release_id) order by all"
        return asking(connection)(query, releases=sorted(releases))


# Periods that arrived.

_SLICES = """
with slices as (
    select
        source, table_name, frequency, reporter_iso3, period_start,
        earlier.period_start is not null as was_there,
        later.period_start is not null as is_there,
        coalesce(earlier.snapshot_id <> later.snapshot_id, false) as is_replaced,
        max(earlier.period_start) over same_periods as newest_before,
        max(later.period_start) over same_periods as newest_after
    from (from before.catalog.coverage where rows > 0) as earlier
    full outer join (from after.catalog.coverage where rows > 0) as later
        using (source, table_name, frequency, reporter_iso3, flow, period_start)
    window same_periods as (partition by source, table_name, frequency)
),

named as (
    select
        *,
        is_there and not was_there and period_start <= newest_before as is_filled,
        was_there and not is_there and period_start <= newest_after as is_gone
    from slices
)

select
    source, table_name, frequency,
    any_value(newest_before) as newest_before,
    any_value(newest_after) as newest_after,
"""
_SLICES += "".join(
    f"""
    count(distinct period_start) filter (is_{name}) as {name},
    min(period_start) filter (is_{name}) as {name}_from,
    max(period_start) filter (is_{name}) as {name}_to,
    list_sort(list(distinct reporter_iso3) filter (is_{name} and reporter_iso3 <> ''))
        as {name}_of,
    """
    for name in ("filled", "gone", "replaced")
)
_SLICES += """
from named
group by source, table_name, frequency
having newest_before is distinct from newest_after or filled + gone + replaced > 0
order by source, table_name, frequency
"""


def _periods(files: _Files) -> Iterator[Change]:
    """Periods of a source that arrived, were filled, disappeared, or came in another vintage."""
    for row in files.ask(_SLICES):
        before, after = (_newest(row, side) for side in ("before", "after"))
        yield Change(
            "period",
            f"{row['source']} {row['table_name']} {row['frequency']}",
            before,
            after,
            _period_sentence(row, before, after),
            row["source"],
        )


def _newest(row: Row, side: str) -> str | None:
    newest, (_, length) = row[f"newest_{side}"], _PERIODS[row["frequency"]]
    return str(newest)[:length] if newest else None


def _period_sentence(row: Row, before: str | None, after: str | None) -> str:
    noun, _ = _PERIODS[row["frequency"]]
    periods = f"{row['source']}: {noun}s of {row['table_name'].replace('_', ' ')}"
    if after is None:
        return f"{periods}: none any more, through {before} before"
    parts = [
        f"{counted(row[name], noun)} {word}{_where(row, name)}"
        for name, word in (("filled", "more"), ("gone", "fewer"))
        if row[name]
    ]
    if before != after:
        return "; ".join([f"{periods} through {after}, {before or 'nothing'} before", *parts])
    if not parts:
        parts = [f"another vintage of {counted(row['replaced'], noun)}{_where(row, 'replaced')}"]
    return f"{periods} through {after} as before: {'; '.join(parts)}"


def _where(row: Row, name: str) -> str:
    """The first and the last of some periods, and the economies that reported them."""
    length = _PERIODS[row["frequency"]][1]
    first, last = (str(row[f"{name}_{end}"])[:length] for end in ("from", "to"))
    reporters = row[f"{name}_of"] or []
    if len(reporters) > _MOST_REPORTERS:
        reporters = [counted(len(reporters), "reporter")]
    return f", {first if first == last else f'{first} to {last}'}" + (
        f", of {listed(reporters)}" if reporters else ""
    )


# Figures of the page of answers.

_LINES = """
select
    page.subject, page.position, page.figure, page.unit, page.period, page.source,
    list_sort(list(distinct snapshots.source)) as sources
from {side}.catalog.answers as page
left join {side}.catalog.snapshots as snapshots
    on list_contains(page.snapshot_ids, snapshots.snapshot_id)
where page.importer_iso3 = $importer
group by all
order by page.position
"""


def _figures(files: _Files) -> Iterator[Change]:
    """Lines of the importer's page whose figure, as the page rounds it, or period moved.

    The number of notices is left out where notices are new: each of them is a row.
    """
    has_new_notices = "notice" in files.kinds and any(True for _ in _notices(files))
    before, after = (
        {
            row["subject"]: row
            for row in files.ask(_LINES.format(side=side), importer=files.importer)
        }
        for side in ("before", "after")
    )
    named = files.ask(
        "select name from after.reference.economies where economy_iso3 = $importer",
        importer=files.importer,
    )
    name = named[0]["name"] if named else files.importer
    for subject in dict.fromkeys([*after, *before]):
        earlier, line = before.get(subject), after.get(subject)
        words_of_change = _figure_in_words(earlier, line, files)
        repeats_notices = has_new_notices and line and line["unit"] == _NUMBER_OF_NOTICES
        if not words_of_change or repeats_notices:
            continue
        sources = SEPARATOR.join(sorted(_sources_of(earlier) | _sources_of(line)))
        is_private = files.is_private(sources)
        if is_private:
            words_of_change = "changed; it is made from figures of a private source"
        yield Change(
            "figure",
            f"{files.importer}: {subject}",
            _with_period(earlier) if earlier and not is_private else None,
            _with_period(line) if line and not is_private else None,
            f"{name}: {subject}: {words_of_change}",
            sources,
        )


def _sources_of(line: Row | None) -> set[str]:
    """The sources a line names, and those of its snapshots."""
    if line is None:
        return set()
    return {*(line["source"] or "").split(SEPARATOR), *filter(None, line["sources"])} - {""}


def _with_period(line: Row) -> str:
    """`71.3 % (2024)`."""
    if line["figure"] is None:
        return _NO_FIGURE
    figure = figure_in_unit(line["figure"], line["unit"])
    return f"{figure} ({period_in_words(line['period'])})" if line["period"] else figure


def _figure_in_words(before: Row | None, after: Row | None, files: _Files) -> str:
    """What changed of a line; empty where its figure and period are as before."""
    if after is None:
        return f"no longer on the page; it was {_with_period(before)}" if before else ""
    if before is None:
        return f"a new line, {_with_period(after)}"
    if before["figure"] is None or after["figure"] is None:
        if before["figure"] is after["figure"]:
            return ""
        return f"{_with_period(after)}; it was {_with_period(before)}"
    difference = _difference(before, after)
    if difference is None:
        periods = _period_of(before, files.day_before), _period_of(after, files.day)
        if periods[0] == periods[1]:
            return ""
        return f"still {_with_period(after)}, only the period moved, from {before['period']}"
    if not difference:
        return f"{_with_period(after)}; it was {_with_period(before)}"
    return f"{_with_period(after)}, {difference} than {_with_period(before)}"


def _period_of(line: Row, day: date) -> str | None:
    """Its period; None for the day of the build, which moves with each build."""
    return None if line["period"] == str(day) else line["period"]


def _difference(before: Row, after: Row) -> str | None:
    """By how much a figure moved, as both are printed: `1.5 points more`.

    None if it did not move, empty where the unit is another one.
    """
    unit = after["unit"]
    if before["unit"] != unit:
        return ""
    is_of_hundred = unit in ("share", "return")
    first, second = (line["figure"] * (100 if is_of_hundred else 1) for line in (before, after))
    digits = max(decimals(line["figure"], unit) for line in (before, after))
    moved = round(round(second, digits) - round(first, digits), digits)
    if not moved:
        return None
    if unit in COUNTS:
        return f"{figure_in_unit(abs(moved), unit)} {'more' if moved > 0 else 'fewer'}"
    of_unit = "points" if is_of_hundred else unit
    return f"{abs(moved):,.{digits}f} {of_unit} {'more' if moved > 0 else 'less'}"


# Clauses whose status changed.

_STATUSES = """
with was as (
    from before.exposure.measure_status
    where valid_from <= $day_before and (valid_to is null or valid_to > $day_before)
),

is_now as (
    from after.exposure.measure_status
    where valid_from <= $day and (valid_to is null or valid_to > $day)
),

clauses as (
    select
        clause_id, min(title) as title, min(source) as source,
        bool_or(direction = 'restrict') as is_restriction,
        bool_or(was_known) as was_known
    from (
        select *, false as was_known from after.exposure.measures
        union all by name
        select *, true as was_known from before.exposure.measures
    )
    group by clause_id
)

select
    clause_id, clauses.title, clauses.source, clauses.was_known,
    was.status as before, is_now.status as after, is_now.valid_from
from was
full outer join is_now using (clause_id)
inner join clauses using (clause_id)
where was.status is distinct from is_now.status
order by clauses.is_restriction desc, is_now.valid_from desc nulls last, clause_id
"""


def _statuses(files: _Files) -> Iterator[Change]:
    """Clauses with another status on the day of the build than on that of the release before."""
    for row in files.ask(_STATUSES, day_before=files.day_before, day=files.day):
        before, after = (_STATES.get(row[side], row[side]) for side in ("before", "after"))
        clause = f"{row['clause_id']} ({shortened(row['title'], _LONGEST_TITLE['status'])})"
        if after is None:
            sentence = f"{clause}: no longer in the catalogue, {before} before"
        else:
            since = day_in_words(str(row["valid_from"]))
            earlier = "not announced before" if row["was_known"] else "a new clause"
            earlier = f"{before} before" if before else earlier
            sentence = f"{clause}: {after} since {since}, {earlier}"
        yield Change(
            "status", row["clause_id"], row["before"], row["after"], sentence, row["source"]
        )


# Corrections of publishers' errors.

_CORRECTIONS = """
select
    correction_id, was.status as before, is_now.status as after,
    coalesce(is_now.source, was.source) as source,
    coalesce(is_now.table_name, was.table_name) as table_name,
    is_now.wrong_value, is_now.right_value, is_now.reason
from before.catalog.corrections as was
full outer join after.catalog.corrections as is_now using (correction_id)
where was.status is distinct from is_now.status
order by correction_id
"""


def _corrections(files: _Files) -> Iterator[Change]:
    """Corrections that are applied now, no longer match, or are no longer made."""
    for row in files.ask(_CORRECTIONS):
        of_table = f"{row['source']}, {row['table_name'].replace('_', ' ')}"
        correction = f"{row['correction_id']} ({of_table})"
        is_private = files.is_private(row["source"])
        match row["after"]:
            case None:
                result = "is no longer made: the register or the document no longer has its row"
            case "applied" if not is_private:
                values = f"{row['wrong_value']} is read as {row['right_value']}"
                result = f"is applied: {values}. {row['reason']}"
            case "applied":
                result = "is applied"
            case _:
                result = "no longer matches: its publisher has another value there"
        yield Change(
            "correction",
            row["correction_id"],
            row["before"],
            row["after"],
            f"Correction {correction} {result}",
            row["source"],
        )


# Notices to be read.

_NOTICES = """
select
    source, notice_id, was.state as before, is_now.state as after,
    is_now.published_at, is_now.title
from after.exposure.notices as is_now
left join before.exposure.notices as was using (source, notice_id)
where is_now.state = 'to_be_read' and was.state is distinct from 'to_be_read'
order by is_now.known_at desc, source, notice_id
"""


def _notices(files: _Files) -> Iterator[Change]:
    """Notices that are to be read and were not before, those known last first, as `kido notices`
    has them; at the end the number of those of each private source.
    """
    private: Counter[str] = Counter()
    for row in files.ask(_NOTICES):
        if files.is_private(row["source"]):
            private[row["source"]] += 1
            continue
        notice = f"{row['source']} {row['notice_id']}"
        title = shortened(row["title"], _LONGEST_TITLE["notice"])
        published = row["published_at"]
        dated = f" ({day_in_words(str(published))})" if published else ""
        sentence = f"{notice} is to be read: {title}{dated}"
        yield Change("notice", notice, row["before"], row["after"], sentence, row["source"])
    for source, count in sorted(private.items()):
        are_new = f"{counted(count, 'notice')} of {source} {'is' if count == 1 else 'are'}"
        yield Change("notice", source, None, "to_be_read", f"{are_new} to be read", source)


_KINDS: Mapping[words.ChangeKind, Callable[[_Files], Iterator[Change]]] = {
    "notice": _notices,
    "status": _statuses,
    "figure": _figures,
    "period": _periods,
    "correction": _corrections,
}


def _columns(table: str, names: str) -> frozenset[str]:
    return frozenset(f"{table}.{name}" for name in names.split())


_NEEDED: Mapping[words.ChangeKind, frozenset[str]] = {
    "notice": _columns("exposure.notices", "source notice_id published_at known_at title state"),
    "status": _columns("exposure.measure_status", "clause_id valid_from valid_to status")
    | _columns("exposure.measures", "clause_id title source direction"),
    "figure": _columns(
        "catalog.answers", "importer_iso3 position subject figure unit period source snapshot_ids"
    )
    | _columns("catalog.snapshots", "snapshot_id source")
    | _columns("reference.economies", "economy_iso3 name"),
    "period": _columns(
        "catalog.coverage",
        "source table_name reporter_iso3 flow frequency period_start rows snapshot_id",
    ),
    "correction": _columns(
        "catalog.corrections",
        "correction_id source table_name wrong_value right_value reason status",
    ),
}
"""The columns that each kind is read from, in both files."""
