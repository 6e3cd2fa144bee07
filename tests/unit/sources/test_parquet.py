"""What a Parquet file unpacks to is known before it is unpacked, whatever its lists say."""

from __future__ import annotations

import io
import random

import polars as pl
import pyarrow.parquet
import pytest

from dagster_project.errors import UpstreamFormatError
from dagster_project.settings import BUNDLED
from dagster_project.sources import formats, parquet

BUNDLED_FILES = sorted((BUNDLED / "baci").glob("*.parquet"))
TABLE = pl.DataFrame(
    {"code": [f"{number % 97:06}" for number in range(5_000)], "value": range(5_000)}
)


def written(table: pl.DataFrame, **options: object) -> bytes:
    buffer = io.BytesIO()
    table.write_parquet(buffer, **options)  # type: ignore[arg-type]
    return buffer.getvalue()


def read(payload: bytes) -> pl.DataFrame:
    return formats.read_parquet_table(payload, source="s", texts=["code"], numbers=["value"])


@pytest.mark.parametrize(
    "payload",
    [
        *(file.read_bytes() for file in BUNDLED_FILES),
        written(TABLE, compression="uncompressed"),
        written(TABLE, compression="zstd", row_group_size=100, data_page_size=200),
        written(TABLE, compression="snappy", statistics=False),
        written(TABLE.clear()),
    ],
)
def test_a_file_is_measured_as_another_reader_measures_it(payload: bytes) -> None:
    metadata = pyarrow.parquet.read_metadata(io.BytesIO(payload))
    columns = [
        metadata.row_group(group).column(column)
        for group in range(metadata.num_row_groups)
        for column in range(metadata.num_columns)
    ]
    measured = parquet.measure(payload)
    assert measured.rows == metadata.num_rows
    assert measured.columns == (metadata.num_columns if columns else 0)
    stated = sum(column.total_uncompressed_size for column in columns)
    # What is stated includes the heads of the pages.
    assert 0.9 * stated <= measured.unfolded_bytes <= stated


def test_a_page_that_unfolds_to_more_than_its_column_gives_is_seen() -> None:
    """The footer of a small file behind the pages of a large one, at the same places."""
    small = written(pl.DataFrame({"code": ["x" * 100]}), compression="uncompressed")
    assert parquet.measure(small).unfolded_bytes < 1_000
    at = small.index(b"\x15") + 3  # the head's second field: the unfolded size of the page
    assert small[at - 1] == 0x15
    large = small[:at] + b"\xfe\xff\xff\xff\x0f" + small[at + 2 :]
    assert parquet.measure(large).unfolded_bytes > 1 << 30
    with pytest.raises(UpstreamFormatError, match="more than any table does"):
        read(large)


def test_a_footer_without_its_pages_is_refused() -> None:
    payload = written(TABLE.select("value"), compression="uncompressed")
    footer = payload[-8 - int.from_bytes(payload[-8:-4], "little") :]
    with pytest.raises(parquet.DamagedParquetError, match="a column is beyond the end of the file"):
        parquet.measure(parquet.MAGIC + footer)


def test_a_file_is_read_whole_or_refused_in_a_sentence_wherever_it_is_cut_or_damaged() -> None:
    payload = written(TABLE.head(50))
    rng = random.Random(1)
    assert read(payload).equals(TABLE.head(50))
    broken = [payload[:length] for length in range(4, len(payload) - 1, 7)]
    for _ in range(300):
        damaged = bytearray(payload)
        for _ in range(rng.randint(1, 4)):
            damaged[rng.randrange(4, len(payload))] = rng.randrange(256)
        broken.append(bytes(damaged))
    endings = [ending(piece) for piece in broken]
    assert sum(output.startswith("s: ") for output in endings) > 200
    assert {output for output in endings if not output.startswith("s: ")} <= {"2 columns"}


def ending(payload: bytes) -> str:
    try:
        return f"{read(payload).width} columns"
    except UpstreamFormatError as error:
        return str(error)
