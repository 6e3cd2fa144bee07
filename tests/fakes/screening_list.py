"""A server with the daily file of the Consolidated Screening List, persons included."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from tests.fakes.server import NOT_FOUND, FakePublisher, Reply, Seen

PATH = "/downloadable_consolidated_screening_list/v1/consolidated.csv"

COLUMNS = (
    "_id", "source", "entity_number", "type", "programs", "name", "title", "addresses",
    "federal_register_notice", "start_date", "end_date", "standard_order", "license_requirement",
    "license_policy", "call_sign", "vessel_type", "gross_tonnage", "gross_registered_tonnage",
    "vessel_flag", "vessel_owner", "remarks", "source_list_url", "alt_names", "citizenships",
    "dates_of_birth", "nationalities", "places_of_birth", "source_information_url", "ids",
)  # fmt: skip

ENTITY_LIST = "Entity List (EL) - Bureau of Industry and Security"
UNVERIFIED = "Unverified List (UVL) - Bureau of Industry and Security"
SDN = "Specially Designated Nationals (SDN) - Treasury Department"


def listing(number: int, name: str, **cells: str) -> dict[str, str]:
    """A company on the Entity List; `cells` are other columns."""
    return {"_id": f"{number:040x}", "source": ENTITY_LIST, "name": name, **cells}


def person(number: int, name: str, **cells: str) -> dict[str, str]:
    """A natural person as the Treasury lists one; the remarks have a line break."""
    return {
        "_id": f"{number:040x}",
        "source": SDN,
        "type": "Individual",
        "name": name,
        "alt_names": f"{name} THE ELDER; {name} (alias)",
        "dates_of_birth": "01 Jan 1960",
        "remarks": f"Linked To:\n{name}",
        **cells,
    }


def csv_of(rows: Sequence[Mapping[str, str]], columns: Sequence[str] = COLUMNS) -> bytes:
    out = io.StringIO()
    lines = csv.DictWriter(out, columns, restval="", extrasaction="ignore", lineterminator="\n")
    lines.writeheader()
    lines.writerows(rows)
    return out.getvalue().encode()


class FakeScreeningList(FakePublisher):
    """`rows` under `columns`, with an `ETag` and ranges, as a file server has them."""

    def __init__(self, rows: Sequence[Mapping[str, str]] = ()) -> None:
        super().__init__()
        self.rows = list(rows)
        self.columns: Sequence[str] = COLUMNS

    def answer(self, request: Seen) -> Reply:
        if request.path != PATH:
            return NOT_FOUND
        body = csv_of(self.rows, self.columns)
        headers = {"ETag": f'"{hash(body):x}"', "Accept-Ranges": "bytes"}
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Reply(304, b"", "text/csv", headers)
        return Reply(200, body, "text/csv", headers)
