"""Holds a build against the release that readers see: what it would take away from them.

Two DuckDB files in, losses in sentences and a page out. What becomes of a build that loses
something is decided by those who publish; every limit is in `quality.limits`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import duckdb
import polars as pl

from dagster_project.quality import limits

Kind = Literal[
    "rows_are_kept", "economies_are_kept", "codes_are_kept", "periods_are_kept", "totals_are_kept",
    "magnitudes_are_kept", "is_not_rolled_back",
]  # fmt: skip
KINDS: Mapping[Kind, str] = {
    "rows_are_kept": "No mart loses more of a source's rows than publishers withdraw.",
    "economies_are_kept": "No mart loses more of a source's economies than islands come and go.",
    "codes_are_kept": "No commodity, group, material or instrument of a source goes.",
    "periods_are_kept": "No year of a source goes.",
    "totals_are_kept": "No total of a commodity and year shrinks by more than revisions do.",
    "magnitudes_are_kept": "No total changes by a factor that only a wrong unit makes.",
    "is_not_rolled_back": "What brought a release that was rolled back is not published again.",
}
assert set(KINDS) == set(get_args(Kind))

_ECONOMIES = ("importer_iso3", "reporter_iso3", "economy_iso3", "target_iso3")
_CODES = (
    "commodity_code", "mineral_group", "hs6_code", "material", "instrument", "clause_id", "mineral",
)  # fmt: skip
_PERIODS = ("period_start", "price_date", "year")
_SPLITS = ("measure", "frequency", "flow", "stage", "scope_iso3", "partner_iso3", "supplier_iso3")
"""Columns that keep what cannot be added up apart; of the last two only the printed total."""

_TOTALLED = ("_usd", "_kg", "_t")
_NO_FIGURES = ("catalog",)
_NOTHING_CAME = "no snapshot came or went: the code or the day changed"
_MOST_SENTENCES = 12
_MOVERS = 10


@dataclass(frozen=True)
class Loss:
    """What readers would lose, in a sentence that names what brought it."""

    kind: Kind
    sentence: str


@dataclass(frozen=True)
class Comparison:
    """A build beside the release before it: its losses, and a page that shows both."""

    losses: Sequence[Loss] = ()
    page: str = "There is no release before it."

    @property
    def in_words(self) -> str:
        """The losses, one sentence each."""
        shown = [loss.sentence for loss in self.losses[:_MOST_SENTENCES]]
        more = len(self.losses) - len(shown)
        return " ".join([*shown, *([f"{more} more are in the comparison."] if more > 0 else [])])


@dataclass(frozen=True)
class _Table:
    schema: str
    name: str
    columns: Mapping[str, str]
    """Types by name, of the columns that both files have."""

    @property
    def full_name(self) -> str:
        return f"{self.schema}.{self.name}"

    def first_of(self, names: Sequence[str]) -> str | None:
        return next((name for name in names if name in self.columns), None)

    def of(self, source: str) -> str:
        """The mart, and the source where it has one."""
        return f"{self.full_name} of {source}" if source else self.full_name

    @property
    def source(self) -> str:
        return "source" if "source" in self.columns else "''"

    @property
    def year(self) -> str | None:
        period = self.first_of(_PERIODS)
        if period is None:
            return None
        return f"year({period})" if self.columns[period] == "DATE" else period

    @property
    def measures(self) -> Mapping[str, str]:
        """What is totalled, by name: sums of amounts, extremes of prices."""
        sums = {
            name: f"sum({name})"
            for name, kind in self.columns.items()
            if kind == "DOUBLE" and (name.endswith(_TOTALLED) or name == "amount")
        }
        prices = {f"highest {name}": f"max({name})" for name in ("close",) if name in self.columns}
        return {**sums, **prices}


@dataclass
class _Files:
    """The release and the build, attached to one connection."""

    connection: duckdb.DuckDBPyConnection
    causes: Mapping[str, str] = field(default_factory=dict)

    def rows(self, query: str) -> pl.DataFrame:
        frame: pl.DataFrame = self.connection.sql(query).pl()
        return frame


def compare(published: Path, build: Path) -> Comparison:
    """Hold the marts of a build file against those of the published one."""
    with duckdb.connect() as connection:
        for name, file in (("before", published), ("after", build)):
            connection.execute(
                f"attach '{str(file).replace(chr(39), chr(39) * 2)}' as {name} (read_only)"
            )
        files = _Files(connection)
        files.causes = _causes(files)
        counted: list[pl.DataFrame] = []
        losses: list[Loss] = []
        for table in _tables(files):
            counts = _counts(files, table)
            counted.append(counts)
            losses += _counted_losses(files, table, counts)
            losses += _lost_values(files, table)
            losses += _totals(files, table)
        return Comparison(losses, _page(files, counted))


def came_back(
    build: Path, rolled_back: str, at: str, snapshots: Sequence[str], *, is_same_code: bool
) -> Loss | None:
    """What a build has in common with a release that was rolled back: what brought it then."""
    now = snapshots_of(build)
    still = sorted(now & set(snapshots))
    if still:
        return Loss(
            "is_not_rolled_back",
            f"Release {rolled_back} was rolled back on {at}, and what brought it is still landed: "
            f"{', '.join(still)}.",
        )
    if not snapshots and is_same_code:
        return Loss(
            "is_not_rolled_back",
            f"Release {rolled_back} was rolled back on {at}, and this is made from the same "
            "documents by the same code.",
        )
    return None


def snapshots_of(file: Path) -> set[str]:
    """The snapshots that a published or built file was made from."""
    with duckdb.connect(str(file), read_only=True) as connection:
        return {
            row[0] for row in connection.sql("select snapshot_id from catalog.snapshots").fetchall()
        }


def _tables(files: _Files) -> list[_Table]:
    """The marts that are in both files, with the columns that are."""
    columns = files.rows(
        """
        select schema_name, table_name, column_name, any_value(data_type) as data_type
        from duckdb_columns()
        where database_name in ('before', 'after')
        group by all
        having count(*) = 2
        """
    ).sort("schema_name", "table_name", "column_name")
    return [
        _Table(str(schema), str(name), dict(rows.select("column_name", "data_type").iter_rows()))
        for (schema, name), rows in columns.group_by(
            "schema_name", "table_name", maintain_order=True
        )
        if schema not in _NO_FIGURES
    ]


def _causes(files: _Files) -> Mapping[str, str]:
    """By source, what came or went since the release; under the empty name, all of it."""
    snapshots = {
        name: files.rows(f"select source, snapshot_id, document from {name}.catalog.snapshots")
        if _has(files, name, "catalog", "snapshots")
        else pl.DataFrame(schema=dict.fromkeys(("source", "snapshot_id", "document"), pl.String))
        for name in ("before", "after")
    }
    words: dict[str, list[str]] = {}
    for verb, one, other in (("brought by", "after", "before"), ("gone with", "before", "after")):
        changed = snapshots[one].join(snapshots[other], on="snapshot_id", how="anti")
        for source, snapshot_id, document in changed.sort("snapshot_id").iter_rows():
            words.setdefault(source, []).append(f"{verb} {snapshot_id} ({document})")
    everything = [word for some in words.values() for word in some]
    return {
        **{source: _listed(some) for source, some in words.items()},
        "": _listed(everything) or _NOTHING_CAME,
    }


def _has(files: _Files, database: str, schema: str, table: str) -> bool:
    return bool(
        files.rows(
            "select 1 from duckdb_tables() where (database_name, schema_name, table_name) = "
            f"('{database}', '{schema}', '{table}')"
        ).height
    )


def _cause(files: _Files, source: str) -> str:
    if source in files.causes:
        return files.causes[source]
    return _NOTHING_CAME if source else files.causes[""]


def _counts(files: _Files, table: _Table) -> pl.DataFrame:
    """Rows, economies, codes and years of a mart by source, before and after."""
    parts = {
        "rows": "count(*)",
        "economies": f"count(distinct {table.first_of(_ECONOMIES) or 'null'})",
        "codes": f"count(distinct {table.first_of(_CODES) or 'null'})",
        "years": f"count(distinct {table.year or 'null'})",
    }
    before, after = (
        files.rows(
            f"select {table.source} as source, "
            + ", ".join(f"{what} as {name}" for name, what in parts.items())
            + f" from {database}.{table.full_name} group by 1"
        )
        for database in ("before", "after")
    )
    return (
        before.join(after, on="source", how="full", coalesce=True, suffix=" after")
        .with_columns(pl.exclude("source").fill_null(0))
        .select(pl.lit(table.full_name).alias("mart"), pl.all())
        .sort("source")
    )


def _counted_losses(files: _Files, table: _Table, counts: pl.DataFrame) -> Iterator[Loss]:
    for row in counts.iter_rows(named=True):
        of = table.of(row["source"])
        for kind, what, share in (
            ("rows_are_kept", "rows", limits.LARGEST_RELEASE_LOSS_OF_ROWS),
            ("economies_are_kept", "economies", limits.LARGEST_RELEASE_LOSS_OF_ECONOMIES),
        ):
            before, after = row[what], row[f"{what} after"]
            if after < (1 - share) * before:
                yield Loss(
                    kind,  # type: ignore[arg-type]
                    f"{of} would have {after:,} of {before:,} {what} "
                    f"({_cause(files, row['source'])}).",
                )


def _lost_values(files: _Files, table: _Table) -> Iterator[Loss]:
    """Codes and years that a source has no more."""
    for kind, what, column in (
        ("codes_are_kept", "codes", table.first_of(_CODES)),
        ("periods_are_kept", "years", table.year),
    ):
        if column is None:
            continue
        lost = files.rows(
            f"select {table.source} as source, {column}::varchar as lost "
            f"from before.{table.full_name} where {column} is not null "
            f"except select {table.source}, {column}::varchar from after.{table.full_name}"
        )
        for (source,), rows in lost.sort("source", "lost").group_by("source", maintain_order=True):
            names = rows["lost"].to_list()
            of = table.of(str(source))
            yield Loss(
                kind,  # type: ignore[arg-type]
                f"{of} would lose {len(names)} {what if len(names) > 1 else what[:-1]}: "
                f"{_listed(names)} ({_cause(files, str(source))}).",
            )


def _totals(files: _Files, table: _Table) -> Iterator[Loss]:
    """Totals of a code and year that shrink, and those that are of another magnitude."""
    code, year = table.first_of(_CODES), table.year
    if code is None or year is None or not table.measures:
        return
    splits = [name for name in _SPLITS if name in table.columns]
    kept = [name for name in splits if name not in ("partner_iso3", "supplier_iso3")]
    partner = next((name for name in splits if name not in kept), None)
    # A printed total beside its partners would count twice.
    where = f"where {partner} is distinct from 'WLD'" if partner else ""
    keys = ["source", "code", "year", *kept]
    select = (
        f"select {table.source} as source, {code} as code, {year} as year, "
        + "".join(f"{name}, " for name in kept)
        + "count(*) as rows, "
        + ", ".join(f'{what} as "{name}"' for name, what in table.measures.items())
    )
    before, after = (
        files.rows(f"{select} from {database}.{table.full_name} {where} group by all")
        for database in ("before", "after")
    )
    together = before.join(after, on=keys, suffix=" after", nulls_equal=True)
    a_year_before = after.with_columns(pl.col("year") + 1)
    fresh = after.join(before, on=keys, how="anti", nulls_equal=True)
    new = a_year_before.join(fresh, on=keys, suffix=" after", nulls_equal=True)
    for name in table.measures:
        is_price = not name.endswith(_TOTALLED) and name != "amount"
        most = pl.min_horizontal("rows", "rows after")
        fewest = 1 if is_price else limits.FEWEST_ROWS_OF_A_TOTAL
        ratio = pl.col(f"{name} after") / pl.col(name)
        is_other = (ratio >= limits.LARGEST_RELEASE_STEP) | (
            ratio <= 1 / limits.LARGEST_RELEASE_STEP
        )
        shrunk = together.filter(
            (pl.col("rows") >= fewest)
            & (pl.col(name) > 0)
            & (ratio < 1 - limits.LARGEST_RELEASE_LOSS_OF_A_TOTAL)
        )
        other = pl.concat(
            [
                frame.filter((most >= fewest) & (pl.col(name) > 0) & (ratio > 0) & is_other)
                .select(*keys, name, f"{name} after", than=pl.lit(than))
                for frame, than in ((together, "it is"), (new, "the year before"))
            ]
        )  # fmt: skip
        for kind, frame, than in (
            ("totals_are_kept", shrunk.with_columns(than=pl.lit("it is")), "shrink"),
            ("magnitudes_are_kept", other, "change"),
        ):
            for (source,), rows in frame.group_by("source", maintain_order=True):
                rows = rows.sort(
                    (pl.col(f"{name} after") / pl.col(name)).log().abs(), "code", "year",
                    descending=[True, False, True],
                )  # fmt: skip
                row = rows.row(0, named=True)
                more = f", and {rows.height - 1:,} more like it" if rows.height > 1 else ""
                since = " against the year before" if row["than"] != "it is" else ""
                yield Loss(
                    kind,  # type: ignore[arg-type]
                    f"{name} of {row['code']} in {row['year']} in {table.of(str(source))}"
                    f" would {than} from {_figure(row[name])} "
                    f"to {_figure(row[f'{name} after'])}{since}{more} "
                    f"({_cause(files, str(source))}).",
                )


def _page(files: _Files, counted: Sequence[pl.DataFrame]) -> str:
    """The comparison as Markdown: what came or went, counts that changed, the biggest movers."""
    release = files.rows(
        "select release_id, published_at from before.catalog.releases "
        "order by release_id desc limit 1"
    ).row(0)
    parts = [f"Compared with release {release[0]} of {release[1]:%Y-%m-%d %H:%M} UTC: "
             f"{files.causes['']}."]  # fmt: skip
    counts = pl.concat(counted) if counted else pl.DataFrame()
    numbers = ("rows", "economies", "codes", "years")
    if counts.height:
        changed = counts.filter(
            pl.any_horizontal(pl.col(name) != pl.col(f"{name} after") for name in numbers)
        )
        parts.append(
            _table_of(
                ["mart", "source", *numbers],
                [
                    [row["mart"], row["source"], *(_step(row, name) for name in numbers)]
                    for row in changed.iter_rows(named=True)
                ],
            )
            if changed.height
            else "Every mart has as many rows, economies, codes and years of each source."
        )
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
        "importer_iso3",
        "mineral_group",
        "period_start",
        "measure",
        "supplier_iso3",
        "frequency",
    )
    if not all(_has(files, name, "dependency", "supplier_shares") for name in ("before", "after")):
        return pl.DataFrame()
    return files.rows(
        f"""
        select {", ".join(f"coalesce(old.{key}, new.{key}) as {key}" for key in keys)},
            coalesce(old.share, 0) as share, coalesce(new.share, 0) as "share after"
        from before.dependency.supplier_shares as old
        full join after.dependency.supplier_shares as new
            on {" and ".join(f"old.{key} = new.{key}" for key in keys)}
        where abs(coalesce(new.share, 0) - coalesce(old.share, 0)) > 0.001
        order by
            coalesce(old.measure, new.measure) = 'value_usd' desc,
            abs(coalesce(new.amount, 0) - coalesce(old.amount, 0)) desc, 1, 2, 3, 4, 5
        limit {_MOVERS}
        """
    )


def _step(row: Mapping[str, Any], name: str) -> str:
    before, after = row[name], row[f"{name} after"]
    return f"{after:,}" if before == after else f"{before:,} → {after:,}"


def _table_of(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows))


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
