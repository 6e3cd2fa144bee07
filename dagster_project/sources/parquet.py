"""The metadata of a Parquet file, read without unpacking any of it.

Only the metadata is read here (the footer and the headers of pages); the values are read by
`formats`, once the metadata shows that they fit in memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

MAGIC = b"PAR1"

MOST_FOOTER_BYTES = 1 << 20
"""Bytes of the footer, and of the headers of all pages. A table of seven columns in one group of
rows has 1 KiB of each."""

MOST_PAGES = 20_000
"""Pages of a file. A page is mostly a megabyte of values; 250,000 flows in seven columns have
20."""

_DEEPEST = 12
"""Structures inside each other; the format has six."""

# Fields of the format's structures, by their numbers (parquet.thrift).
_ROWS, _GROUPS = 3, 4
_COLUMNS_OF_GROUP = 1
_META_DATA = 3
_UNFOLDED_SIZE, _PACKED_SIZE, _FIRST_PAGE, _DICTIONARY = 6, 7, 9, 11
_UNFOLDED_SIZE_OF_PAGE, _PACKED_SIZE_OF_PAGE = 2, 3


class DamagedParquetError(ValueError):
    """The bytes are not a whole Parquet file."""


@dataclass(frozen=True)
class Measured:
    """Rows of a file, the columns of its widest group, and the unpacked bytes of its pages."""

    rows: int
    columns: int
    unfolded_bytes: int


def measure(payload: bytes) -> Measured:
    """Rows, columns and unpacked size, as given in the footer and the header of every page.

    No reader accepts a page that unpacks to more than its header gives, so the headers bound the
    memory of reading. Raises DamagedParquetError.
    Source: Apache Parquet, format 2.10; Thrift's compact protocol.
    """
    if len(payload) < 12 or not (payload.startswith(MAGIC) and payload.endswith(MAGIC)):
        raise DamagedParquetError("it does not end as a Parquet file does")
    size = int.from_bytes(payload[-8:-4], "little")
    if not 0 < size <= min(MOST_FOOTER_BYTES, len(payload) - 12):
        raise DamagedParquetError("its list of columns is cut or too long")
    footer = _Compact(payload[-8 - size : -8]).struct()
    rows, groups = footer.get(_ROWS), footer.get(_GROUPS)
    if not isinstance(rows, int) or rows < 0 or not isinstance(groups, list):
        raise DamagedParquetError("its list of columns does not give the number of rows")
    walk = _Walk()
    unfolded = widest = 0
    for group in groups:
        columns = group.get(_COLUMNS_OF_GROUP) if isinstance(group, dict) else None
        if not isinstance(columns, list):
            raise DamagedParquetError("a group of its rows has no columns")
        widest = max(widest, len(columns))
        unfolded += sum(_unfolded(payload, column, walk) for column in columns)
    return Measured(rows, widest, unfolded)


@dataclass
class _Walk:
    """The number of pages read, and the size of their headers."""

    pages: int = 0
    head_bytes: int = 0

    def count(self, head_bytes: int) -> None:
        self.pages += 1
        self.head_bytes += head_bytes
        if self.pages > MOST_PAGES or self.head_bytes > MOST_FOOTER_BYTES:
            raise DamagedParquetError("it has too many pages")


def _unfolded(payload: bytes, column: object, walk: _Walk) -> int:
    """The unpacked size of the pages of a column."""
    meta = column.get(_META_DATA) if isinstance(column, dict) else None
    if not isinstance(meta, dict):
        raise DamagedParquetError("a column does not give its position")
    starts = [meta[place] for place in (_DICTIONARY, _FIRST_PAGE) if meta.get(place)]
    packed = meta.get(_PACKED_SIZE)
    if not (starts and isinstance(packed, int) and all(isinstance(start, int) for start in starts)):
        raise DamagedParquetError("a column does not give its position")
    at = min(starts)
    end = at + packed
    if at < len(MAGIC) or packed < 0 or end > len(payload):
        raise DamagedParquetError("a column is beyond the end of the file")
    unfolded = 0
    while at < end:
        head = _Compact(payload[at : at + MOST_FOOTER_BYTES])
        page = head.struct()
        walk.count(head.at)
        size, packed = page.get(_UNFOLDED_SIZE_OF_PAGE), page.get(_PACKED_SIZE_OF_PAGE)
        if not (isinstance(size, int) and isinstance(packed, int) and size >= 0 <= packed):
            raise DamagedParquetError("a page does not give its size")
        unfolded += size
        at += head.at + packed
    stated = meta.get(_UNFOLDED_SIZE)
    return max(unfolded, stated if isinstance(stated, int) else 0)


class _Compact:
    """A reader of Thrift's compact protocol: structures as their fields by number."""

    def __init__(self, payload: bytes) -> None:
        self._payload = payload
        self.at = 0

    def struct(self, depth: int = 0) -> dict[int, Any]:
        fields: dict[int, Any] = {}
        number = 0
        while head := self._byte():
            step, kind = head >> 4, head & 15
            number = number + step if step else _zigzag(self._varint())
            fields[number] = kind == 1 if kind in (1, 2) else self._value(kind, depth)
        return fields

    def _value(self, kind: int, depth: int) -> Any:
        if depth > _DEEPEST:
            raise DamagedParquetError("its lists are nested too deep")
        if kind in (1, 2):  # in a list a boolean has a byte of its own
            return self._byte() == 1
        if kind == 3:
            return self._byte()
        if kind in (4, 5, 6):
            return _zigzag(self._varint())
        if kind == 7:
            return self._skip(8)
        if kind == 8:
            return self._skip(self._varint())
        if kind in (9, 10):
            head = self._byte()
            count, element_kind = head >> 4, head & 15
            count = self._varint() if count == 15 else count
            if count > MOST_FOOTER_BYTES:
                raise DamagedParquetError("one of its lists is too long")
            return [self._value(element_kind, depth + 1) for _ in range(count)]
        if kind == 12:
            return self.struct(depth + 1)
        raise DamagedParquetError("its lists have an invalid type")

    def _skip(self, size: int) -> None:
        self.at += size
        if self.at > len(self._payload):
            raise DamagedParquetError("one of its lists is cut")

    def _byte(self) -> int:
        if self.at >= len(self._payload):
            raise DamagedParquetError("one of its lists is cut")
        self.at += 1
        return self._payload[self.at - 1]

    def _varint(self) -> int:
        whole = shift = 0
        while shift < 70:
            byte = self._byte()
            whole |= (byte & 127) << shift
            if byte < 128:
                return whole
            shift += 7
        raise DamagedParquetError("a number in its lists is too long")


def _zigzag(number: int) -> int:
    return (number >> 1) ^ -(number & 1)
