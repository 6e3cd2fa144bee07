"""Known misprints of publishers, put right where a file is read: the register's lines -> figures.

Which cell is wrong and why stands in `bundled/<source>/corrections.csv`, edited by hand; how a
publisher's file is read does not belong here.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from dagster_project.errors import UpstreamFormatError
from dagster_project.lake.vocabulary import KEY_SEPARATOR, Correction, corrections


def put_right(
    rows: pl.DataFrame,
    *,
    source: str,
    table_name: str,
    key: Sequence[str],
    value: str,
    across: str | None = None,
    is_bundled: bool,
) -> pl.DataFrame:
    """The rows of a lake table with the misprints of the source's register put right in `value`.

    A line names a row by its `key`, the cells joined with KEY_SEPARATOR, and the figure it holds.
    `replace` puts the right one there. `rescale` is for a unit that is misprinted above a column:
    the row is a witness, and every row that has its key but for the column `across` is multiplied
    by what the witness is. A line about a row that is not in the file says nothing of it. Where the
    row holds another figure than the wrong one, a landed file has been put right by its publisher
    and is left as it is.
    Raises UpstreamFormatError for a bundled file in which that is so: its register is out of date.
    """
    for line in corrections(source).values():
        if line.table_name == table_name:
            rows = _apply(line, rows, source, key, value, across, is_bundled)
    return rows


def _apply(
    line: Correction,
    rows: pl.DataFrame,
    source: str,
    key: Sequence[str],
    value: str,
    across: str | None,
    is_bundled: bool,
) -> pl.DataFrame:
    cells = dict(zip(key, line.row_key.split(KEY_SEPARATOR), strict=True))
    is_row = _has({name: cells[name] for name in key})
    found = rows.filter(is_row)[value].to_list()
    if not found:
        return rows
    if found != [line.wrong_value]:
        if not is_bundled:
            return rows
        raise UpstreamFormatError(
            f"{source}: the correction {line.correction_id} is of {line.wrong_value:g}, and the "
            f"file holds {found[0]!r}.",
            hint=f"Remove or renew its line in dagster_project/bundled/{source}/corrections.csv.",
        )
    if line.action == "replace":
        right = pl.when(is_row).then(pl.lit(line.right_value)).otherwise(pl.col(value))
    else:
        is_in_column = _has({name: cells[name] for name in key if name != across})
        # Multiplied before it is divided: a power of ten stays exact.
        scaled = pl.col(value) * line.right_value / line.wrong_value
        right = pl.when(is_in_column).then(scaled).otherwise(pl.col(value))
    return rows.with_columns(right.alias(value))


def _has(cells: dict[str, str]) -> pl.Expr:
    return pl.all_horizontal(pl.col(name).cast(pl.String) == cell for name, cell in cells.items())
