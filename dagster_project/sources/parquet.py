"""What a Parquet file says of itself, read without unpacking any of it.

Only its lists are known here (the footer and the heads of its pages); the values are read by
`formats`, once these say that they can be held.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

MAGIC = b"PAR1"

MOST_FOOTER_BYTES = 1 << 20
"""Of the list at the end, and of the heads of all pages. A table of seven columns in one group of
rows has 1 KiB of each."""

MOST_PAGES = 20_000
"""Of a file. A page is mostly a megabyte of values; 250,000 flows in seven columns have some 20."""

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
    """Rows of a file, the columns of its widest group, and what its pages unfold to in bytes."""

    rows: int
    columns: int
    unfolded_bytes: int


def measure(payload: bytes) -> Measured:
    """Rows, columns and unfolded size, as the footer and the head of every page say.

    A page that unfolds to more than its head says is not read by any reader, so that the heads
    bound what reading takes. Raises DamagedParquetError.
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
        raise DamagedParquetError("its list of columns does not say how many rows there are")
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
    """How many pages were looked at, and how long their heads were."""

    pages: int = 0
    head_bytes: int = 0

    def count(self, head_bytes: int) -> None:
        self.pages += 1
        self.head_bytes += head_bytes
        if self.pages > MOST_PAGES or self.head_bytes > MOST_FOOTER_BYTES:
            raise DamagedParquetError("it has too many pages")


def _unfolded(payload: bytes, column: object, walk: _Walk) -> int:
    """What the pages of a column unfold to."""
    said = column.get(_META_DATA) if isinstance(column, dict) else None
    if not isinstance(said, dict):
        raise DamagedParquetError("a column does not say where it lies")
    starts = [said[place] for place in (_DICTIONARY, _FIRST_PAGE) if said.get(place)]
    packed = said.get(_PACKED_SIZE)
    if not (starts and isinstance(packed, int) and all(isinstance(one, int) for one in starts)):
        raise DamagedParquetError("a column does not say where it lies")
    at = min(starts)
    end = at + packed
    if at < len(MAGIC) or packed < 0 or end > len(payload):
        raise DamagedParquetError("a column lies beyond the end of the file")
    unfolded = 0
    while at < end:
        head = _Compact(payload[at : at + MOST_FOOTER_BYTES])
        page = head.struct()
        walk.count(head.at)
        size, packed = page.get(_UNFOLDED_SIZE_OF_PAGE), page.get(_PACKED_SIZE_OF_PAGE)
        if not (isinstance(size, int) and isinstance(packed, int) and size >= 0 <= packed):
            raise DamagedParquetError("a page does not say its size")
        unfolded += size
        at += head.at + packed
    stated = said.get(_UNFOLDED_SIZE)
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
            raise DamagedParquetError("its lists lie too deep inside each other")
        if kind in (1, 2):  # in a list a truth value has a byte of its own
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
            count, of = head >> 4, head & 15
            count = self._varint() if count == 15 else count
            if count > MOST_FOOTER_BYTES:
                raise DamagedParquetError("one of its lists is too long")
            return [self._value(of, depth + 1) for _ in range(count)]
        if kind == 12:
            return self.struct(depth + 1)
        raise DamagedParquetError("its lists hold what no Parquet file does")

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
