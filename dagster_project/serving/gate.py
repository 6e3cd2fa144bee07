"""Compares a build with an earlier release: the data that readers would lose, and large news.

Two DuckDB files in, losses and news as sentences and a page out. The publication decides what to do
with a build that loses data; every limit is in `quality.limits`. What applies to single marts is in
the `meta` of their models:

- `compared: false`: its rows are no figures;
- `compared: count`: its rows come and go by themselves, so that only their number is shown;
- `chooses_source: true`: one of several sources is chosen, and another may replace its figures;
- `shows_moves: true`: the suppliers' shares whose largest moves are on the page.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args

import duckdb
import polars as pl

from dagster_project.errors import listed
from dagster_project.lake.build_file import connect, connect_in_memory
from dagster_project.quality import limits
from dagster_project.quality.comparison import period_in_words
from dagster_project.quality.results import CheckResult
from dagster_project.safe_text import markdown_cell, markdown_text
from dagster_project.serving.catalog import select_newest_release, select_snapshots
from dagster_project.serving.dictionary import NAMES_SUFFIX
from dagster_project.serving.passing_on import SEPARATOR
from dagster_project.serving.totals import (
    AFTER,
    DOCUMENT,
    ECONOMIES,
    PERIOD,
    PERIODS,
    ROWS,
    Measure,
    Totals,
)

Kind = Literal[
    "tables_are_kept", "rows_are_kept", "economies_are_kept", "codes_are_kept", "periods_are_kept",
    "totals_are_kept", "magnitudes_are_kept", "is_not_rolled_back",
    "new_totals_keep_their_magnitude",
]  # fmt: skip
KINDS: Mapping[Kind, str] = {
    "tables_are_kept": "No table or column is removed or changes its type under a contract.",
    "rows_are_kept": "No mart loses more of a source's rows than publishers withdraw.",
    "economies_are_kept": "No mart loses more of a source's economies than a few islands.",
    "codes_are_kept": "No commodity, group, material or instrument of a source disappears.",
    "periods_are_kept": "No year of a source disappears.",
    "totals_are_kept": "No total of a commodity and year shrinks by more than revisions do.",
    "magnitudes_are_kept": "No known total changes by a large factor or has all of its figures "
    "multiplied by one ratio, and no new one changes by a unit.",
    "is_not_rolled_back": "The cause of a release that was rolled back is not published again.",
    "new_totals_keep_their_magnitude": "No total of a new period is several times that of the "
    "period before. One that is may be right, and is published.",
}
assert set(KINDS) == set(get_args(Kind))

NEWS: Kind = "new_totals_keep_their_magnitude"
"""The kind that does not block the build: a warning."""

_COUNT_LIMITS: Sequence[tuple[Kind, str, float]] = (
    ("rows_are_kept", "rows", limits.LARGEST_RELEASE_LOSS_OF_ROWS),
    ("economies_are_kept", "economies", limits.LARGEST_RELEASE_LOSS_OF_ECONOMIES),
)
_KEPT_LISTS: Sequence[tuple[Kind, str, str]] = (
    ("codes_are_kept", "codes", "code"),
    ("periods_are_kept", "years", "year"),
)
"""Counts and lists of a mart by source. Of a count a share may be lost, of a list nothing."""

_ECONOMIES = ("importer_iso3", "reporter_iso3", "economy_iso3", "target_iso3")
_CODES = (
    "commodity_code", "mineral_group", "hs6_code", "material", "instrument", "clause_id", "mineral",
)  # fmt: skip
_PARTS = "hs6_codes"
"""Codes that a row is of, where it may be of a basket."""

_PERIODS = ("period_start", "price_date", "year")
_BASELINE = "baseline_from"
"""The first day of the period that an exposure is measured in: the newest before its clause."""

_SPLITS = ("measure", "frequency", "flow", "stage")
"""Columns that separate figures that cannot be added up."""

_UNIT_COLUMNS = ("measure", "frequency")
"""Those of them by which one document may have several units."""

_SNAPSHOT = "snapshot_id"
"""The column of a table that shows a publisher's figures as they are: each row is of one document.
"""

_PROVENANCE = (_SNAPSHOT, "reason", "description")
"""Texts of a row that may change with a figure."""

_PARTNERS = ("partner_iso3", "supplier_iso3")
"""Columns in which the printed total is listed with its parts."""

_TOTALLED = ("_usd", "_kg", "_t")
_BOUNDS = ("_low_t", "_high_t")
"""Columns whose sum is no total: each of several economies may have the whole of one rest."""

Metas = Mapping[str, Mapping[str, Any]]
"""The `meta` of the model of each mart, by `schema.table`."""

_NOT_SHOWN = "not shown, since of a private source"
_NO_SNAPSHOT_CHANGED = "no snapshot was added or removed: the code or the day changed"
_MOST_SENTENCES = 12
_MOVERS = 10


@dataclass(frozen=True)
class Loss:
    """Data that readers would lose, in a sentence that names the cause."""

    kind: Kind
    sentence: str
    sources: Collection[str] = ()
    """The sources of the lost figures."""
    subjects: frozenset[str] = frozenset()
    """What is lost, independently of the amounts: the same in each comparison."""


@dataclass(frozen=True)
class News:
    """A total of a new period several times that of the period before, in a sentence."""

    table: str
    year: int
    sentence: str
    sources: Collection[str]
    is_of_publisher: bool
    """Whether the table shows a publisher's figures, not derived ones."""


@dataclass(frozen=True)
class ReleaseComparison:
    """A build compared with the release before it: its losses and news, and a page of both."""

    losses: Sequence[Loss] = ()
    page: str = ""
    news: Sequence[News] = ()
    skipped_because: str = ""
    """The reason if nothing was compared."""

    @property
    def in_words(self) -> str:
        """The losses, one sentence each."""
        shown = [loss.sentence for loss in self.losses[:_MOST_SENTENCES]]
        more = len(self.losses) - len(shown)
        return " ".join([*shown, *([f"{more} more are in the comparison."] if more > 0 else [])])

    def sentences(self, kind: Kind) -> list[str]:
        """The sentences of a kind of loss, or of the news."""
        if kind == NEWS:
            return [each.sentence for each in self.news]
        return [loss.sentence for loss in self.losses if loss.kind == kind]

    @property
    def checks(self) -> list[CheckResult]:
        """The news of each table as a failed check that does not block."""
        by_table: dict[str, list[str]] = {}
        for each in self.news:
            by_table.setdefault(each.table, []).append(each.sentence)
        return [
            CheckResult(
                layer="mart",
                table_name=table,
                check_name=NEWS,
                engine="gate",
                severity="warn",
                status="failed",
                observed="\n".join(sentences),
                failing_rows=len(sentences),
                sample=None,
                explanation=KINDS[NEWS],
            )
            for table, sentences in by_table.items()
        ]


@dataclass(frozen=True)
class _Table:
    schema: str
    name: str
    columns: Mapping[str, str]
    """Types by name, of the columns that both files have."""
    chooses_source: bool = False
    is_only_counted: bool = False

    @property
    def full_name(self) -> str:
        return f"{self.schema}.{self.name}"

    def first_column(self, names: Sequence[str]) -> str | None:
        return next((name for name in names if name in self.columns), None)

    @property
    def source(self) -> str:
        has_its_own = "source" in self.columns and not self.chooses_source
        # A row may name none: a claim that no figure decides, a missing series.
        return "coalesce(source, '')" if has_its_own else "''"

    @property
    def has_figures(self) -> str:
        """The condition on rows that count: one that says that nothing is known is no loss."""
        return "reason is distinct from 'no_figures'" if "reason" in self.columns else "true"

    @property
    def year(self) -> str | None:
        period = self.first_column(_PERIODS)
        if period is None:
            return None
        return f"year({period})" if self.columns[period] == "DATE" else period

    @property
    def is_of_newest_period(self) -> bool:
        """Whether its rows are others with each period that is published."""
        return self.year is None and _BASELINE in self.columns

    @property
    def splits(self) -> list[str]:
        return [name for name in _SPLITS if name in self.columns]

    @property
    def has_baskets(self) -> bool:
        """Whether a row is of a code or of a basket; baskets are compared by their codes."""
        return {"is_basket", _PARTS} <= self.columns.keys()

    @property
    def has_published_figures(self) -> bool:
        return _SNAPSHOT in self.columns

    @property
    def shows_figures_as_published(self) -> bool:
        return self.has_published_figures or "close" in self.columns

    @property
    def identity(self) -> list[str]:
        """The columns by which a row is paired with that of another release."""
        return [
            name
            for name, kind in self.columns.items()
            if kind in ("VARCHAR", "DATE", "INTEGER", "BIGINT") and name not in _PROVENANCE
        ]

    @property
    def measures(self) -> Sequence[Measure]:
        sums = [
            Measure(name, name, "sum")
            for name, kind in self.columns.items()
            if kind == "DOUBLE"
            and (name.endswith(_TOTALLED) or name == "amount")
            and not name.endswith(_BOUNDS)
        ]
        if "close" not in self.columns:
            return sums
        # Derived prices follow from figures that are compared themselves, and the unit value of a
        # small trade often changes its magnitude from month to month.
        condition = "not is_derived" if "is_derived" in self.columns else ""
        # A new low is a market event; a lower high means that a figure was lost.
        highest = Measure("highest close", "close", "max", condition)
        lowest = Measure("lowest close", "close", "min", condition, may_shrink=True)
        return [*sums, highest, lowest]


@dataclass(frozen=True)
class _Files:
    """The release and the build, attached to one connection."""

    connection: duckdb.DuckDBPyConnection
    sources_of: Mapping[str, Collection[str]]
    metas: Metas
    excused: Collection[str] = ()
    """Subjects of losses that are left out."""
    private: Collection[str] = ()
    """Sources with rows in one of the files whose figures are in no sentence."""
    same: Collection[str] = ()
    """Marts with the same rows in both files."""
    change_of_scope: str = ""
    """The cause, where another scope was built."""
    changes: pl.DataFrame = field(default_factory=pl.DataFrame)

    def sources(self, mart: str, source: str) -> Collection[str]:
        """The source named by a row; else all sources of the mart."""
        if source:
            return (source,)
        return self.sources_of.get(mart, self.changes["source"].unique().to_list())

    def is_private(self, mart: str, source: str) -> bool:
        """Whether figures of a row may be made from those of a private source."""
        sources = (name for each in self.sources(mart, source) for name in each.split(SEPARATOR))
        return not set(self.private).isdisjoint(sources)

    def changed(self, sources: Collection[str]) -> pl.DataFrame:
        return self.changes.filter(pl.col("source").is_in(list(sources)))

    def cause(self, mart: str, source: str, document: str | None = None) -> str:
        """The snapshots added or removed since the release, of the sources of a row; only that of
        its `document`, where it is one of them.
        """
        changed = self.changed(self.sources(mart, source))
        of_document = changed.filter(pl.col("snapshot_id").eq_missing(document), "is_new")
        return self._with_scope(_in_words(changed if of_document.is_empty() else of_document))

    @property
    def cause_in_general(self) -> str:
        """All snapshots added or removed since the release."""
        return self._with_scope(_in_words(self.changes))

    def _with_scope(self, words: str) -> str:
        if self.change_of_scope:
            return "; ".join(filter(None, (self.change_of_scope, words)))
        return words or _NO_SNAPSHOT_CHANGED

    def is_withdrawal(self, sources: Collection[str], withdrawn: Collection[str]) -> bool:
        """Whether all changes of the sources are withdrawals."""
        changed = set(self.changed(sources)["snapshot_id"])
        return bool(changed) and changed <= set(withdrawn)

    def rows(self, query: str) -> pl.DataFrame:
        frame: pl.DataFrame = self.connection.sql(query).pl()
        return frame


def compare(
    published: Path,
    build: Path,
    withdrawn: Collection[str] = frozenset(),
    sources_of: Mapping[str, Collection[str]] = MappingProxyType({}),
    metas: Metas = MappingProxyType({}),
    memory: int | None = None,
    *,
    contract_version: str,
    scope: str | None = None,
    added_later: Collection[str] = (),
    private: Collection[str] = (),
    excused: Collection[str] = (),
    is_of_known: bool = False,
    contents: Callable[[Path], Mapping[str, str]] = lambda file: {},
) -> ReleaseComparison:
    """Compare the marts of a build file with those of the published one.

    Rows that disappear only because snapshots were `withdrawn` are not a loss. `sources_of` gives
    the sources of a mart (by `schema.table`), for marts whose rows do not name theirs; for other
    marts, every source may be the cause of a loss. `metas` is what their models declare; a mart
    without is compared. `memory` (bytes) is DuckDB's limit. `contract_version` is that of the
    build, and `scope` the name of its scope; tables `added_later` are written when it is published.
    No figure and no code of `private` sources is in a sentence or on the page.
    Losses of `excused` subjects are left out; if it `is_of_known`, so are those of tables and
    columns, of totals of new periods and of the rows of marts of the newest period, the news, and
    the page. `contents` gives the hashes of the marts of a file, if they are on record: a mart that
    has the same one in both is not compared.
    """
    before, after = contents(published), contents(build)
    same = {mart for mart, hashed in before.items() if after.get(mart) == hashed}
    with connect_in_memory(build, memory) as connection:
        for name, file in (("before", published), ("after", build)):
            address = str(file).replace("'", "''")
            connection.execute(f"attach '{address}' as {name} (read_only)")
        files = _Files(connection, sources_of, metas, excused)
        files = replace(
            files,
            private=set(private) & _sources_with_rows(files),
            same=same,
            changes=_changes(files),
            change_of_scope=_change_of_scope(files, scope),
        )
        counted: list[pl.DataFrame] = []
        losses: list[Loss] = []
        if not is_of_known and _main_version(contract_version) == _main_version(
            _contract_version(files)
        ):
            losses += _losses_of_tables(files, added_later)
        news: list[News] = []
        for table in _tables(files):
            if table.full_name in same:
                continue
            counts = _counts(files, table)
            counted.append(counts)
            if table.is_only_counted:
                continue
            if not (is_of_known and table.is_of_newest_period):
                losses += _losses_of_counts(files, counts)
            for change in _changes_of_totals(files, table, is_of_known=is_of_known):
                if isinstance(change, Loss):
                    losses.append(change)
                else:
                    news.append(change)
        losses = [loss for loss in losses if not files.is_withdrawal(loss.sources, withdrawn)]
        news = _without_derived(news)
        page = "" if is_of_known else _page(files, counted, news)
        return ReleaseComparison(losses, page, news)


def with_losses_since(
    comparison: ReleaseComparison,
    oldest: Path,
    last: Path,
    build: Path,
    compare_files: Callable[..., ReleaseComparison],
) -> ReleaseComparison:
    """A comparison with the last release, and what the build loses since the oldest kept one.

    Small steps add up there. What readers lost until the last release is left out: it was accepted,
    withdrawn, or published. New totals were compared when they were new.
    """
    compare_known = partial(compare_files, is_of_known=True)
    said = {subject for loss in comparison.losses for subject in loss.subjects}
    if not compare_known(oldest, build, excused=said).losses:
        return comparison
    earlier = compare_known(oldest, last, withdrawn=())
    said |= {subject for loss in earlier.losses for subject in loss.subjects}
    losses = compare_known(oldest, build, excused=said).losses
    if not losses:
        return comparison
    with connect(oldest, read_only=True) as connection:
        [(release, *_)] = connection.execute(select_newest_release()).fetchall()
    added = [replace(loss, sentence=f"Since release {release}: {loss.sentence}") for loss in losses]
    page = "\n\n".join([comparison.page, *(loss.sentence for loss in added)])
    return replace(comparison, losses=[*comparison.losses, *added], page=page)


def _without_derived(news: Sequence[News]) -> list[News]:
    """The news without that of marts derived from figures that are news themselves."""
    roots = [(root.year, set(root.sources)) for root in news if root.is_of_publisher]
    return [
        each
        for each in news
        if each.is_of_publisher
        or not any(year == each.year and sources & set(each.sources) for year, sources in roots)
    ]


def loss_of_rollback(
    build: Path, rolled_back: str, at: str, brought_by: Sequence[str], made_from: Sequence[str],
    *, is_same_code: bool,
) -> Loss | None:  # fmt: skip
    """The loss if a build has the cause of a release that was rolled back.

    `made_from` are the snapshots of that release, `brought_by` those that the restored one lacks.
    If one of these is removed, a person has acted, and the build is another release.
    """
    now = snapshots_of(build)
    if brought_by and now >= set(brought_by):
        common = f"its cause is still landed: {', '.join(sorted(brought_by))}"
    elif not brought_by and is_same_code and now == set(made_from):
        common = "this build has the same documents and code"
    else:
        return None
    return Loss(
        "is_not_rolled_back", f"Release {rolled_back} was rolled back on {at}, and {common}."
    )


def snapshots_of(file: Path) -> set[str]:
    """The snapshots used in a published or built file; none where it has no list."""
    with duckdb.connect(str(file), read_only=True) as connection:
        try:
            rows = connection.execute(f"{select_snapshots()} select snapshot_id").fetchall()
        except duckdb.CatalogException:
            return set()
    return {str(row[0]) for row in rows}


def _tables(files: _Files) -> list[_Table]:
    """The marts in both files, with their common columns, without the views with names."""
    columns = files.rows(
        """
        select schema_name, table_name, column_name, data_type
        from duckdb_columns()
        where database_name in ('before', 'after')
        group by all
        having count(*) = 2
        """
    ).sort("schema_name", "table_name", "column_name")
    tables = []
    for (schema, name), rows in columns.group_by("schema_name", "table_name", maintain_order=True):
        meta = files.metas.get(f"{schema}.{name}", {})
        if meta.get("compared", True) and not str(name).endswith(NAMES_SUFFIX):
            types = dict(rows.select("column_name", "data_type").iter_rows())
            tables.append(
                _Table(
                    str(schema),
                    str(name),
                    types,
                    chooses_source=meta.get("chooses_source", False),
                    is_only_counted=meta.get("compared") == "count",
                )
            )
    return tables


def _losses_of_tables(files: _Files, added_later: Collection[str]) -> Iterator[Loss]:
    """Tables and columns that readers would lose."""
    columns = files.rows(
        """
        select
            old.schema_name || '.' || old.table_name as "table",
            old.column_name as "column",
            old.data_type as type,
            new.data_type as "type after",
            bool_and(new.column_name is null) over (partition by "table") as is_gone
        from duckdb_columns() as old
        left join duckdb_columns() as new
            on new.database_name = 'after'
            and (new.schema_name, new.table_name, new.column_name)
            = (old.schema_name, old.table_name, old.column_name)
        where old.database_name = 'before'
        order by "table", old.column_index
        """
    ).filter(
        pl.col("type").ne_missing(pl.col("type after")) & ~pl.col("table").is_in(list(added_later))
    )
    for (table, is_gone), rows in columns.group_by("table", "is_gone", maintain_order=True):
        gone = rows.filter(pl.col("type after").is_null())["column"].to_list()
        if is_gone:
            yield Loss("tables_are_kept", f"{table} would be removed.")
        elif gone:
            noun = "columns" if len(gone) > 1 else "column"
            yield Loss("tables_are_kept", f"{table} would lose the {noun} {listed(gone)}.")
        for row in rows.drop_nulls("type after").iter_rows(named=True):
            yield Loss(
                "tables_are_kept",
                f"{table}.{row['column']} would change from {row['type']} to {row['type after']}.",
            )


def _contract_version(files: _Files) -> str:
    """The contract version of the published file."""
    return str(files.rows(select_newest_release("before"))["contract_version"].item())


def _main_version(contract_version: str) -> str:
    """The part that changes when a column is removed or changes its meaning."""
    return contract_version.partition(".")[0]


def _changes(files: _Files) -> pl.DataFrame:
    """Snapshots removed since the release, then added ones."""
    snapshots = {
        name: files.rows(f"{select_snapshots(name)} select source, snapshot_id, document")
        if _has_table(files, name, "catalog", "snapshots")
        else pl.DataFrame(schema=dict.fromkeys(("source", "snapshot_id", "document"), pl.String))
        for name in ("before", "after")
    }
    return pl.concat(
        snapshots[side]
        .join(snapshots[other], on="snapshot_id", how="anti")
        .sort("snapshot_id")
        .with_columns(is_new=pl.lit(is_new))
        for side, other, is_new in (("before", "after", False), ("after", "before", True))
    )


def _sources_with_rows(files: _Files) -> set[str]:
    """The sources whose snapshots one of the files was made from."""
    return {
        source
        for side in ("before", "after")
        if _has_table(files, side, "catalog", "snapshots")
        for source in files.rows(f"{select_snapshots(side)} select source")["source"]
    }


def _has_table(files: _Files, database: str, schema: str, table: str) -> bool:
    return bool(
        files.rows(
            "select 1 from duckdb_tables() where (database_name, schema_name, table_name) = "
            f"('{database}', '{schema}', '{table}')"
        ).height
    )


def _in_words(changes: pl.DataFrame) -> str:
    """Removed snapshots, then added ones."""
    words = [
        f"{'brought by' if is_new else 'gone with'} {snapshot_id} ({document})"
        for snapshot_id, document, is_new in changes.select(
            "snapshot_id", "document", "is_new"
        ).iter_rows()
    ]
    return listed(words)


def _change_of_scope(files: _Files, scope: str | None) -> str:
    """The cause where the build has another scope than the release; empty where it has the same."""
    before = files.rows(select_newest_release("before")).to_dicts()[0].get("scope")
    if before is None or scope is None:  # a release of an earlier version
        return ""
    return f"KIDO_SCOPE was {before} and is {scope}" if before != scope else ""


def _mart_and_source(mart: str, source: str) -> str:
    """The mart, and the source where it has one."""
    return f"{mart} of {source}" if source else mart


def _counts(files: _Files, table: _Table) -> pl.DataFrame:
    """Counts of a mart by source, before and after.

    Columns: mart, source; rows, economies (numbers), codes, years (lists of text), and each of
    these with ` after`.
    """
    economy, code, year = table.first_column(_ECONOMIES), table.first_column(_CODES), table.year
    codes = _texts_of_lists(_PARTS) if table.has_baskets else _texts(code)
    before, after = (
        files.rows(
            f"""
            select
                {table.source} as source,
                count(*) filter ({table.has_figures}) as rows,
                count(distinct {economy or "null"}) filter ({table.has_figures}) as economies,
                {codes} as codes,
                {_texts(year)} as years
            from {database}.{table.full_name}
            group by 1
            """
        )
        for database in ("before", "after")
    )
    return (
        before.join(after, on="source", how="full", coalesce=True, suffix=" after")
        .with_columns(
            pl.col(pl.Int64).fill_null(0),
            pl.col(pl.List(pl.String)).fill_null([]),
        )
        .select(pl.lit(table.full_name).alias("mart"), pl.all())
        .sort("source")
    )


def _texts(column: str | None) -> str:
    return (
        f"list(distinct {column}::varchar) filter ({column} is not null)"
        if column
        else "null::varchar[]"
    )


def _texts_of_lists(column: str) -> str:
    return f"list_distinct(flatten(list({column})))"


def _losses_of_counts(files: _Files, counts: pl.DataFrame) -> Iterator[Loss]:
    for row in counts.iter_rows(named=True):
        mart, source = row["mart"], row["source"]
        subject, cause, sources = (
            _mart_and_source(mart, source),
            files.cause(mart, source),
            files.sources(mart, source),
        )
        for kind, what, largest in _COUNT_LIMITS:
            before, after = row[what], row[f"{what} after"]
            fewest = limits.FEWEST_LOST_ECONOMIES if what == "economies" else 1
            key = "|".join((kind, mart, source))
            is_lost = after < (1 - largest) * before and before - after >= fewest
            if is_lost and key not in files.excused:
                yield Loss(
                    kind,
                    f"{subject} would have {after:,} of {before:,} {what} ({cause}).",
                    sources,
                    frozenset([key]),
                )
        for kind, many, single in _KEPT_LISTS:
            keys = {
                "|".join((kind, mart, source, value)): value
                for value in set(row[many]) - set(row[f"{many} after"])
            }
            keys = {key: value for key, value in keys.items() if key not in files.excused}
            lost = sorted(keys.values())
            is_shown = kind != "codes_are_kept" or not files.is_private(mart, source)
            if lost:
                yield Loss(
                    kind,
                    f"{subject} would lose {len(lost)} {many if len(lost) > 1 else single}: "
                    f"{listed(lost) if is_shown else _NOT_SHOWN} ({cause}).",
                    sources,
                    frozenset(keys),
                )


def _changes_of_totals(files: _Files, table: _Table, *, is_of_known: bool) -> Iterator[Loss | News]:
    """Totals of a code and year that shrink, and those of another magnitude."""
    totals = _totals(files, table)
    if totals is None:
        return
    for measure in table.measures:
        if not measure.may_shrink:
            shrunk = totals.shrunk(measure)
            yield from _losses_of(files, table, "totals_are_kept", "shrink", measure, shrunk)
        stepped = totals.stepped(measure).filter(pl.lit(not is_of_known))
        period = pl.when("is_of_known_year").then(pl.lit("periods")).otherwise(pl.lit("year"))
        average = pl.when("is_average").then(pl.lit(" on average")).otherwise(pl.lit(""))
        blocking = stepped.filter("is_blocking").with_columns(
            since=pl.format("{} against the {} before", average, period)
        )
        changed = totals.changed(measure).with_columns(since=pl.lit(""))
        other = pl.concat([changed, blocking], how="diagonal_relaxed")
        yield from _losses_of(files, table, "magnitudes_are_kept", "change", measure, other)
        yield from _losses_of_one_ratio(files, table, measure, totals)
        yield from _news_of(files, table, measure, stepped.filter(~pl.col("is_blocking")))


def _totals(files: _Files, table: _Table) -> Totals | None:
    """The totals of a mart; None where it has no figures by code and year."""
    code, year = table.first_column(_CODES), table.year
    if code is None or year is None or not table.measures:
        return None
    partner = table.first_column(_PARTNERS)
    economy = table.first_column(_ECONOMIES)
    is_chosen = economy and not table.has_published_figures
    economies = f"count(distinct {economy})" if is_chosen else "0"
    query = f"""
        select
            {table.source} as source,
            {code} as code,
            {year} as year,
            {"".join(f"{name}, " for name in table.splits)}
            {table.first_column(_PERIODS)} as {PERIOD},
            {f"max({_SNAPSHOT})" if table.has_published_figures else "null::varchar"} as {DOCUMENT},
            count(*) as {ROWS},
            {economies} as {ECONOMIES},
            {", ".join(measure.in_sql for measure in table.measures)}
        from {{0}}.{table.full_name}
        {_without_printed_totals(table, partner) if partner else ""}
        group by all
    """
    before, after = (files.rows(query.format(database)) for database in ("before", "after"))
    unit_keys = [name for name in table.splits if name in _UNIT_COLUMNS]
    return Totals(_key_of(table), unit_keys, table.measures, before, after)


def _without_printed_totals(table: _Table, partner: str) -> str:
    """Filter of the rows to sum: the partners, or the printed totals of a source without
    partners.
    """
    return f"""
        where {partner} is distinct from 'WLD' or {table.source} not in (
            select {table.source}
            from {{0}}.{table.full_name}
            where {partner} is distinct from 'WLD'
        )
    """


def _losses_of(
    files: _Files, table: _Table, kind: Kind, verb: str, measure: Measure, totals: pl.DataFrame
) -> Iterator[Loss]:
    """A sentence per source: the total that changed most, and the number of others."""
    totals = totals.with_columns(
        subject=pl.concat_str(
            pl.lit(kind), pl.lit(table.full_name), pl.lit(measure.name),
            *(pl.col(name).cast(pl.String).fill_null("") for name in _key_of(table)),
            separator="|",
        )
    ).filter(~pl.col("subject").is_in(list(files.excused)))  # fmt: skip
    for (source,), rows in _ranked(table, measure, totals).group_by("source", maintain_order=True):
        mart, row = table.full_name, rows.row(0, named=True)
        more = f", and {rows.height - 1:,} more like it" if rows.height > 1 else ""
        change = (
            f"{_total_of(table, measure, row)} would {verb} from {_figure(row[measure.name])} to "
            f"{_figure(row[measure.name + AFTER])}{row.get('since') or ''}{more}"
        )
        if files.is_private(mart, str(source)):
            noun = "totals" if rows.height > 1 else "total"
            of_mart = f"of {measure.name} in {_mart_and_source(mart, str(source))}"
            change = f"{rows.height:,} {noun} {of_mart} would {verb}: figures {_NOT_SHOWN}"
        yield Loss(
            kind,
            f"{change} ({files.cause(mart, str(source))}).",
            files.sources(mart, str(source)),
            frozenset(rows["subject"]),
        )


def _losses_of_one_ratio(
    files: _Files, table: _Table, measure: Measure, totals: Totals
) -> Iterator[Loss]:
    """Known figures of a total, or of a series, that all change by one ratio.

    Only of tables that show figures as published: one figure may scale many derived ones.
    """
    if measure.may_shrink or not table.shows_figures_as_published:
        return
    said: list[str] = []
    for is_series in (False, True):
        candidates = totals.of_one_ratio(measure, is_series=is_series)
        if is_series and said:
            candidates = candidates.filter(~pl.col("code").is_in(said))
        if candidates.is_empty():
            continue
        rows = _of_one_ratio(files, table, measure, candidates, is_series=is_series)
        said += rows["code"].to_list()
        yield from _losses_of(files, table, "magnitudes_are_kept", "change", measure, rows)


def _of_one_ratio(
    files: _Files, table: _Table, measure: Measure, candidates: pl.DataFrame, *, is_series: bool
) -> pl.DataFrame:
    """The candidates of which nearly all figures have the ratio of the typical one."""
    keys = [key for key in _key_of(table) if not (is_series and key == "year")]
    selected = {"source": table.source, "code": table.first_column(_CODES), "year": table.year}
    of_keys = ", ".join(f"{selected.get(key, key)} as key_{key}" for key in keys)
    files.connection.register(
        "candidates", candidates.select(pl.col(keys).name.prefix("key_")).to_arrow()
    )
    sides = [
        f"""
        select {of_keys}, {", ".join(table.identity)}, {measure.column} as figure
        from {database}.{table.full_name}
        where {" and ".join(filter(None, (measure.condition, f"{measure.column} > 0")))}
        """
        for database in ("before", "after")
    ]
    same_key, same_row = (
        " and ".join(f"old.{name} is not distinct from {side}.{name}" for name in names)
        for names, side in (
            ([f"key_{key}" for key in keys], "candidates"), (table.identity, "new"),
        )
    )  # fmt: skip
    ratios = files.rows(
        f"""
        with pairs as (
            select candidates.*, new.figure / old.figure as ratio
            from ({sides[0]}) as old
            join candidates on {same_key}
            join ({sides[1]}) as new on {same_row}
        ),
        typical as (
            select *, median(ratio) over (partition by {", ".join(f"key_{k}" for k in keys)}) as mid
            from pairs
        )
        select
            {", ".join(f"key_{key} as {key}" for key in keys)},
            count(*) as pairs,
            any_value(mid) as ratio,
            count(*) filter (abs(ratio / mid - 1) < {limits.ALIKE}) as alike
        from typical
        group by all
        """
    )
    files.connection.unregister("candidates")
    is_one = (pl.col("alike") >= limits.FEWEST_OF_ONE_RATIO) & (
        pl.col("alike")
        >= limits.MOST_OF_ONE_RATIO * pl.max_horizontal("pairs", f"{measure.name} figures")
    )
    return candidates.join(ratios, on=keys, nulls_equal=True).filter(
        is_one, (pl.col("ratio") - 1).abs() > limits.SMALLEST_RATIO
    ).with_columns(
        since=pl.format(
            ", and {} of its {} known figures{} by the same factor of {}",
            pl.col("alike"), pl.col("pairs"), pl.lit(" of all years" if is_series else ""),
            pl.col("ratio").round_sig_figs(4),
        )
    )  # fmt: skip


def _key_of(table: _Table) -> list[str]:
    """The columns that identify a total."""
    return ["source", "code", "year", *table.splits]


def _news_of(
    files: _Files, table: _Table, measure: Measure, totals: pl.DataFrame
) -> Iterator[News]:
    """A sentence per total, the largest step first; those of a private source are counted."""
    mart = table.full_name
    private: Counter[tuple[str, int]] = Counter()
    for row in _ranked(table, measure, totals).iter_rows(named=True):
        source = str(row["source"])
        if files.is_private(mart, source):
            private[source, row["year"]] += 1
            continue
        before = "periods" if row["is_of_known_year"] else "year"
        average = " on average" if row["is_average"] else ""
        of_several = average if row[PERIODS + AFTER] > 1 else ""
        figure = f"{_figure(row[measure.name + AFTER])}{of_several}"
        earlier = f"{_figure(row[measure.name])}{average} in the {before} before"
        yield News(
            mart,
            row["year"],
            f"{_total_of(table, measure, row)} is {figure}, after {earlier} "
            f"({files.cause(mart, source, row[DOCUMENT + AFTER])}).",
            files.sources(mart, source),
            is_of_publisher=table.has_published_figures,
        )
    for (source, year), count in private.items():
        steps = "total steps" if count == 1 else "totals step"
        of_mart = f"{measure.name} of {year} in {_mart_and_source(mart, source)}"
        yield News(
            mart,
            year,
            f"{of_mart}: {count:,} {steps}, figures {_NOT_SHOWN} ({files.cause(mart, source)}).",
            files.sources(mart, source),
            is_of_publisher=table.has_published_figures,
        )


def _ranked(table: _Table, measure: Measure, totals: pl.DataFrame) -> pl.DataFrame:
    step = (pl.col(measure.name + AFTER) / pl.col(measure.name)).log().abs()
    return totals.sort(
        "source", step, "code", "year", *table.splits,
        descending=[False, True, False, True, *[False] * len(table.splits)],
    )  # fmt: skip


def _total_of(table: _Table, measure: Measure, row: Mapping[str, Any]) -> str:
    """A total by name: its measure, code, period, `splits` and mart."""
    splits = ", ".join(str(row[name]) for name in table.splits)
    return (
        f"{measure.name} of {row['code']} in {_when(row)}{f' ({splits})' if splits else ''} in "
        f"{_mart_and_source(table.full_name, str(row['source']))}"
    )


def _when(row: Mapping[str, Any]) -> str:
    """The year of a total, or those periods of it that are new in a year that is known."""
    if not row.get("is_of_known_year"):
        return str(row["year"])
    periods = dict.fromkeys((row["first" + AFTER], row["last" + AFTER]))
    return " to ".join(period_in_words(day, row.get("frequency", "D")) for day in periods)


def _page(files: _Files, counted: Sequence[pl.DataFrame], news: Sequence[News]) -> str:
    """The comparison as Markdown: snapshots added or removed, changed counts, large news, the
    largest changes.
    """
    release = files.rows(select_newest_release("before")).row(0, named=True)
    parts = [
        f"Compared with release {release['release_id']} of "
        f"{release['published_at']:%Y-%m-%d %H:%M} UTC: "
        f"{markdown_text(files.cause_in_general)}."
    ]
    counts = [_in_numbers(some) for some in counted]
    numbers = ("rows", "economies", "codes", "years")
    changed = [
        [row["mart"], row["source"], *(_count_change(row, name) for name in numbers)]
        for some in counts
        for row in some.iter_rows(named=True)
        if any(row[name] != row[f"{name} after"] for name in numbers)
    ]
    if changed:
        parts.append(_table_of(["mart", "source", *numbers], changed))
    else:
        parts.append("Every mart has as many rows, economies, codes and years of each source.")
    if news:
        parts.append("New totals several times those of the period before:")
        parts.append("\n".join(f"- {markdown_text(each.sentence)}" for each in news))
    movers = _movers(files)
    if movers.height:
        parts.append("Shares of suppliers that moved most:")
        parts.append(
            _table_of(
                ["importer", "group", "period", "measure", "supplier", "share"],
                [
                    [*(str(row[name]) for name in movers.columns[:5]),
                     f"{row['share']:.1%} → {row['share after']:.1%}"]
                    for row in movers.iter_rows(named=True)
                ],
            )
        )  # fmt: skip
    return "\n\n".join(parts)


def _movers(files: _Files) -> pl.DataFrame:
    keys = (
        "importer_iso3", "mineral_group", "period_start", "measure", "supplier_iso3", "frequency",
    )  # fmt: skip
    shown = [mart for mart, meta in files.metas.items() if meta.get("shows_moves")]
    if (
        not shown
        or shown[0] in files.same
        or files.is_private(shown[0], "")
        or not all(_has_table(files, name, *shown[0].split(".")) for name in ("before", "after"))
    ):
        return pl.DataFrame()
    return files.rows(
        f"""
        select {", ".join(f"coalesce(old.{key}, new.{key}) as {key}" for key in keys)},
            coalesce(old.share, 0) as share, coalesce(new.share, 0) as "share after"
        from before.{shown[0]} as old
        full join after.{shown[0]} as new
            on {" and ".join(f"old.{key} = new.{key}" for key in keys)}
        where abs(coalesce(new.share, 0) - coalesce(old.share, 0)) > 0.001
        order by
            coalesce(old.measure, new.measure) = 'value_usd' desc,
            abs(coalesce(new.amount, 0) - coalesce(old.amount, 0)) desc, 1, 2, 3, 4, 5
        limit {_MOVERS}
        """
    )


def _in_numbers(counts: pl.DataFrame) -> pl.DataFrame:
    return counts.with_columns(pl.col(pl.List(pl.String)).list.len())


def _count_change(row: Mapping[str, Any], name: str) -> str:
    before, after = row[name], row[f"{name} after"]
    return f"{after:,}" if before == after else f"{before:,} → {after:,}"


def _table_of(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(
        f"| {' | '.join(map(markdown_cell, cells))} |"
        for cells in (head, ["---"] * len(head), *rows)
    )


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
