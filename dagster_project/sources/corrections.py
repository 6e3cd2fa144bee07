"""Known misprints of publishers, corrected where a file is read: the register's lines -> figures.

The wrong cells and the reasons are in `bundled/<source>/corrections.csv`, edited by hand; reading
a publisher's file does not belong here.
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
    """The rows of a lake table with the misprints of the source's register corrected in `value`.

    A line identifies a row by its `key`, the cells joined with KEY_SEPARATOR, and its wrong figure.
    `replace` writes the right one. `rescale` is for a wrong unit of a column: every row with the
    same key except for the column `across` is multiplied by the ratio of right to wrong figure. A
    line about a row that is not in the file has no effect. Where the row has another figure than
    the wrong one, a landed file was corrected by its publisher and is left as it is. Raises
    UpstreamFormatError for such a bundled file: its register is out of date.
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
            f"file has {found[0]!r}.",
            hint=f"Remove or renew its line in dagster_project/bundled/{source}/corrections.csv.",
        )
    if line.action == "replace":
        right = pl.when(is_row).then(pl.lit(line.right_value)).otherwise(pl.col(value))
    else:
        is_in_column = _has({name: cells[name] for name in key if name != across})
        # Multiplied before divided: a power of ten stays exact.
        scaled = pl.col(value) * line.right_value / line.wrong_value
        right = pl.when(is_in_column).then(scaled).otherwise(pl.col(value))
    return rows.with_columns(right.alias(value))


def _has(cells: dict[str, str]) -> pl.Expr:
    return pl.all_horizontal(pl.col(name).cast(pl.String) == cell for name, cell in cells.items())
