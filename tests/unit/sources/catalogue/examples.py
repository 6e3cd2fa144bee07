"""Documents of the catalogue written by hand, and how a test reads them."""

import csv
from datetime import datetime

import polars as pl
import pytest

from dagster_project.errors import UpstreamFormatError
from dagster_project.settings import BUNDLED
from dagster_project.sources import catalogue
from dagster_project.sources.card import Document
from tests.conftest import SHARED

RETRIEVED = datetime(2026, 11, 25)


DOCUMENT = Document(name="anything.txt", retrieved_at=RETRIEVED, is_bundled=True)


FILES = {name: (BUNDLED / "catalogue" / name).read_bytes() for name in catalogue.CARD.bundled}


def row(frame: pl.DataFrame, column: str, value: str) -> dict[str, object]:
    return frame.row(by_predicate=pl.col(column) == value, named=True)


def rejection_of(payload: bytes | str) -> str:
    """The one sentence a payload is rejected with."""
    with pytest.raises(UpstreamFormatError) as caught:
        catalogue.parse(payload.encode() if isinstance(payload, str) else payload, DOCUMENT)
    message = caught.value.message
    assert message.startswith("catalogue: ")
    assert message.endswith(".")
    assert "\n" not in message
    return message


def reference(name: str) -> list[dict[str, str]]:
    with (SHARED / "reference" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def as_text(value: object) -> str:
    return "" if value is None else str(value)


MEASURE = """\
measures:
  - measure: XX-1
    title: Export licensing
    implementer: CHN
    direction: restrict
    clauses:
      - clause: XX-1-A
        announced: 2025-01-10
        effective: 2025-01-01
        target: {economy: JPN, class: economy}
        evidence: official
        scope:
          - codes: ["010121", "280530"]
            minerals: [gallium, germanium]
            share: [0, 0.5]
            basis: element_split
      - clause: XX-1-B
        title: Another part
        announced: "2025-01-11"
        evidence: reported
...
"""


MILESTONE = """\
milestones:
  - milestone: M-1
    kind: remark
    title: A remark
    economy: JPN
    happened: 2025-01-10
    evidence: reported
    known: 2025-01-11
...
"""


CLAIM = """\
claims:
  - claim: C-1
    statement: half of it
    claimed_by: someone
    claimed_on: 2025-01-10
    low: 0.5
    high: 0.6
    test: supplier_share
    importer: JPN
    supplier: CHN
    mineral_group: rare_earths
    period_start: 2024-01-01
...
"""


PRODUCED = (
    CLAIM.partition("    test:")[0]
    + """\
    test: production_share
    producer: CHN
    stage: processing
    minerals: [heavy_rare_earth, gallium]
...
"""
)


USED = (
    CLAIM.partition("    test:")[0]
    + """\
    test: end_use_share
    minerals: [neodymium]
    sector: C25
...
"""
)


ABUNDANT = (
    CLAIM.partition("    high:")[0]
    + """\
    test: abundance
    against:
      copper: [cerium, neodymium]
      tin: [terbium]
...
"""
)


RISEN = (
    CLAIM.partition("    test:")[0]
    + """\
    test: price_return
    instrument: REMX
    window: all
...
"""
)


FLOW = (
    CLAIM.partition("    test:")[0]
    + """\
    test: reported_flow
    reporter: CHN
    partner: WLD
    flow: export
    commodity: "850511"
    frequency: M
    period_start: 2025-06-01
...
"""
)


UNDECIDED = (
    CLAIM.partition("    low:")[0]
    + """\
    test: none
    missing: What each buys, in tonnes.
...
"""
)


ECONOMIES = """\
economy_iso3,iso2,name,name_ja,m49_code,comtrade_code,japan_customs_code,region,is_eu27
EST,EE,Estonia,,233,233,235,Europe,true
ESP,ES,Spain,,724,724,218 502 523,Europe,true
EU27,,European Union,欧州連合,,,,,false
WLD,,World,世界,001,0,,,false
_X,,Not published,公表なし,,899 837,702,,false
"""


COMPANY = """\
companies:
  - company: Maker
    home: JPN
    clauses: [XX-1-A, XX-1-B]
    minerals: [terbium, dysprosium]
    grade: disclosed
    statement: '"Hard to get."'
    evidence: reported
    known: 2025-01-11
...
"""
