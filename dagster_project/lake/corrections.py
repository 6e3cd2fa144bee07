"""Known errors of publishers: the register of each source, and its application to rows.

The errors and the reasons are in `bundled/<source>/corrections.yaml`, edited by hand. A correction
names a row of a lake table: no publisher's file is read here.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from typing import Annotated, Any, Self

import polars as pl
import yaml
from pydantic import BeforeValidator, ValidationError, model_validator

from dagster_project import words
from dagster_project.errors import ConfigurationError, UpstreamFormatError, shortened
from dagster_project.lake.entries import Entry, Identifier, PlainLoader, Text, first_mistake
from dagster_project.lake.schemas import CORRECTIONS, LAKE_TABLES
from dagster_project.lake.vocabulary import corrections_file

KEY_SEPARATOR = " | "
"""Separator of the cells of a row's key; it occurs in no label."""

REASON = "correction_reason"
"""The column with the reason why a printed code of a row was read as another."""

_HINT = "The fields are explained at the head of dagster_project/bundled/usgs_mcs/corrections.yaml."


def _cell(value: object) -> str | int | float:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"is {value!r} and neither a number nor text")
    return value


Cell = Annotated[str | int | float, BeforeValidator(_cell)]


class Correction(Entry):
    """A figure or code that a publisher misprints, and the right one, as the lake has them.

    `row` names the row of `table` by its cells, `column` the wrong cell in it. The actions:
    - `replace` corrects that cell.
    - `rescale` is for a wrong unit, or figures counted twice, in many rows of a file. In all rows
      with the cells of `row`, those of `across` excepted, `column` and the columns `also` are
      multiplied by the ratio of `right` to `wrong`.
    - `read_as` is for a misprinted code in a cell of codes. The cell stays as printed, and the row
      gets the reason.
    """

    correction: Identifier
    table: Text
    row: Mapping[str, Cell]
    column: Text
    action: words.CorrectionAction
    across: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    wrong: Cell
    right: Cell
    reason: Text
    citation: Text
    url: Text | None = None

    @model_validator(mode="after")
    def _fits_its_table(self) -> Self:
        if self.table not in LAKE_TABLES:
            raise ValueError(f"is of {self.table!r}, which is not a table of the lake")
        schema = LAKE_TABLES[self.table].polars_schema
        for name in (*self.row, self.column, *self.across, *self.also):
            if name not in schema:
                raise ValueError(f"names {name!r}, which is not a column of {self.table}")
        is_text = schema[self.column] == pl.String
        if any(isinstance(value, str) != is_text for value in (self.wrong, self.right)):
            kind = "text" if is_text else "a number"
            raise ValueError(f"has a wrong or right value that is not {kind}, as {self.column} is")
        if self.wrong == self.right:
            raise ValueError("has the same value as wrong and as right")
        if self.action == "rescale":
            self._require_ratio(schema)
        elif self.across or self.also:
            raise ValueError("has `across` or `also`, which only `rescale` may have")
        if self.action == "read_as" and not (is_text and REASON in schema):
            raise ValueError("reads a code as another in a table without printed codes")
        return self

    def _require_ratio(self, schema: pl.Schema) -> None:
        if any(schema[name] != pl.Float64 for name in (self.column, *self.also)):
            raise ValueError("rescales a column that has no figures")
        if not all(isinstance(value, int | float) and value for value in (self.wrong, self.right)):
            raise ValueError("rescales by a ratio, which needs two figures that are not 0")
        if not self.across or not set(self.across) < set(self.row):
            raise ValueError("rescales `across` no columns of `row`, or across all of them")

    def reaches(self, rows: pl.DataFrame) -> bool:
        """Whether the correction may change any of these rows of the lake."""
        return not rows.filter(_has(self.shared_cells)).is_empty()

    @property
    def shared_cells(self) -> Mapping[str, Cell]:
        """The cells that are the same in all rows which the correction may change."""
        return {name: cell for name, cell in self.row.items() if name not in self.across}

    @property
    def row_key(self) -> str:
        """The cells that name the row as text: `label=Neodymium | year=2021`."""
        return KEY_SEPARATOR.join(f"{name}={printed(cell)}" for name, cell in self.row.items())


def printed(value: object) -> str:
    """A figure as text without loss, a whole number without a point; text unchanged."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value)


@cache
def corrections(source: str) -> Mapping[str, Correction]:
    """The register of a source by identifier; empty where it has none.

    Raises ConfigurationError in one sentence that names the entry and its first mistake.
    """
    path = corrections_file(source)
    register: dict[str, Correction] = {}
    for position, entry in enumerate(_entries(source) if path.exists() else (), start=1):
        where = f"{_name(source)}: correction {entry.get('correction') or f'number {position}'}"
        try:
            correction = Correction.model_validate(entry)
        except ValidationError as error:
            mistake = first_mistake(Correction, error)
            raise ConfigurationError(f"{where}: {mistake}.", hint=_HINT) from None
        if correction.correction in register:
            raise ConfigurationError(f"{where} is duplicated.")
        register[correction.correction] = correction
    return register


def _name(source: str) -> str:
    return f"dagster_project/bundled/{source}/corrections.yaml"


def _entries(source: str) -> list[dict[str, Any]]:
    try:
        loaded = yaml.load(corrections_file(source).read_text("utf8"), PlainLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}: " if mark else ""
        problem = shortened(str(getattr(error, "problem", error)))
        raise ConfigurationError(f"{_name(source)}: {line}{problem}.", hint=_HINT) from error
    listed = loaded.get("corrections") if isinstance(loaded, dict) else None
    if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
        raise ConfigurationError(
            f"{_name(source)}: the file is not `corrections:` with a list of entries.", hint=_HINT
        )
    return listed


def apply_corrections(
    source: str, frames: Mapping[str, pl.DataFrame]
) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
    """Apply the register of a source to rows of lake tables; returns them, and the results.

    The results are rows of `corrections`, one per correction whose row is among these. Either it
    was applied, or it no longer matches: the row has another value than the wrong one, since its
    publisher has corrected it, and no row is changed. A correction without its row has no effect.
    A row printed twice is not corrected: the checks reject its document. Raises UpstreamFormatError
    where a correction fits several rows, since it is meant for one.
    """
    frames = dict(frames)
    results = []
    for correction in corrections(source).values():
        if correction.table in frames:
            frames[correction.table], result = _apply(correction, frames[correction.table])
            results += result
    return frames, CORRECTIONS.conform(pl.DataFrame(results)) if results else CORRECTIONS.empty()


def _apply(
    correction: Correction, rows: pl.DataFrame
) -> tuple[pl.DataFrame, list[dict[str, object]]]:
    """The rows after a correction, and its result, if its row is among them."""
    is_row = _has(correction.row)
    matching = rows.filter(is_row)
    if matching.is_empty():
        return rows, []
    if matching.height > 1:
        if matching.select(LAKE_TABLES[correction.table].key).n_unique() == 1:
            return rows, []
        raise UpstreamFormatError(
            f"{matching['source'][0]}: correction {correction.correction} is of one row, and "
            f"{matching.height} rows of {correction.table} have {shortened(correction.row_key)}.",
            hint="Add columns to `row` of the correction.",
        )
    (value,) = matching[correction.column]
    is_wrong = value == correction.wrong or (
        correction.action == "read_as" and _is_among(correction, value)
    )
    after = rows.with_columns(_corrected_columns(correction, is_row)) if is_wrong else rows
    result = {
        "source": matching["source"][0],
        "correction_id": correction.correction,
        "table_name": correction.table,
        "row_key": correction.row_key,
        "action": correction.action,
        "wrong_value": printed(correction.wrong),
        "right_value": printed(correction.right),
        "found_value": None if value is None else printed(value),
        "reason": correction.reason,
        "citation": correction.citation,
        "source_url": correction.url,
        "status": "applied" if is_wrong else "no_longer_matches",
        "rows_changed": _rows_that_differ(rows, after) if is_wrong else 0,
        **matching.select(pl.lit(False).alias("is_provisional"), "document", "vintage_at").row(
            0, named=True
        ),
        "snapshot_id": matching["snapshot_id"][0],
    }
    return after, [result]


def _is_among(correction: Correction, codes: str | None) -> bool:
    return correction.wrong in (codes or "").split()


def _corrected_columns(correction: Correction, is_row: pl.Expr) -> list[pl.Expr]:
    """The columns that change, with the right values."""
    if correction.action == "replace":
        right, name = pl.lit(correction.right), correction.column
        return [pl.when(is_row).then(right).otherwise(pl.col(name)).alias(name)]
    if correction.action == "read_as":
        reason = pl.coalesce(REASON, pl.lit(correction.reason))
        return [pl.when(is_row).then(reason).otherwise(pl.col(REASON)).alias(REASON)]
    # As whole numbers: 10,300 over 10.3 is not quite 1000 in binary.
    ratio = Fraction(printed(correction.right)) / Fraction(printed(correction.wrong))
    return [
        pl.when(_has(correction.shared_cells))
        .then(pl.col(name) * float(ratio.numerator) / float(ratio.denominator))
        .otherwise(pl.col(name))
        .alias(name)
        for name in (correction.column, *correction.also)
    ]


def _has(cells: Mapping[str, Cell]) -> pl.Expr:
    """Whether a row has all of these cells, compared as text."""
    return pl.all_horizontal(
        pl.col(name).cast(pl.String) == str(cell) for name, cell in cells.items()
    )


def _rows_that_differ(before: pl.DataFrame, after: pl.DataFrame) -> int:
    changed = [
        after[name].ne_missing(before[name]).alias(name)
        for name, dtype in before.schema.items()
        if not dtype.is_nested()
    ]
    return int(pl.DataFrame(changed).select(pl.any_horizontal(pl.all()).sum()).item())
