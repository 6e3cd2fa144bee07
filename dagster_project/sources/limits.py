"""Limits on the size of a document: a larger one is rejected before it is unpacked.

Only the limits with their reasons; they are enforced in `formats`. Each is far above the largest
known document of a publisher, and low enough that a hostile one costs little.
"""

from __future__ import annotations

# Archives.

MOST_MEMBERS = 1_000
"""Members of an archive. CEPII's longest has a file a year since 1995 and two tables, a workbook of
the Pink Sheet 30 parts."""

MOST_EXPANSION = 40
"""Bytes that one packed byte may unpack to. Tables of figures have 3 to 18 (the ECB's history 3,
BACI and bulk files of UN Comtrade 4 to 6, sheets of the Pink Sheet and long tables of USGS 18);
only pure repetition reaches 1,030, the maximum of deflate."""

FREE_BYTES = 16 << 20
"""Size that an archive may always unpack to: a small table of few words packs well."""

MOST_ARCHIVE_BYTES = 64 << 30
"""All members of an archive that is read in blocks. BACI since 1995 is more than 2 GB packed and
about 10 GB unpacked."""

MOST_HELD_BYTES = 512 << 20
"""Bytes unpacked into memory at once: a member of an archive, a workbook, the content of a gzip
file. The largest known is a bulk file of UN Comtrade, a reporter's year of some 150 MB."""

# Tables.

MOST_COLUMNS = 1_000
"""Columns of a table or a sheet. UN Comtrade has 47, the Pink Sheet 89, its table of weights
251."""

MOST_CELLS = 5_000_000
"""Cells of a sheet or a Stata file: an answer of UN Comtrade of 100,000 rows, saved as a workbook,
has 4.7 million. The Pink Sheet has 70,000, the governance indicators 190,000."""

MOST_ROWS = 1 << 20
"""Rows of a sheet: Excel's own limit. A sheet may number its next row as the billionth."""

LONGEST_FIELD = 32_767
"""Characters of a value, as many as in a cell of Excel. A note of USGS has 945, the most known."""

LONGEST_LINE = 1 << 20
"""Bytes of a line of text: 1,000 values of a kilobyte."""

# Notices.

LONGEST_NOTICE_TEXT = 300_000
"""Characters of a notice's text in which its words are read. An announcement with the codes of its
annex has some 20,000."""

MOST_PAGE_BYTES = 1 << 20
"""A page of HTML or a list in it; those of the Chinese Ministry of Commerce have some 100 kB."""

# YAML that is edited by hand.

MOST_YAML_BYTES = 4 << 20
"""A hundred times the longest file of the catalogue."""

MOST_YAML_DEPTH = 20
"""Lists and fields inside each other; an entry of the catalogue has 6."""
