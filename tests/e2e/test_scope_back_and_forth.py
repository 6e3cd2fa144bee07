"""A wider scope of commodities and back, with `kido build` and `kido accept`."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import duckdb

from tests.e2e.conftest import run_kido
from tests.nightly import nightly

ROWS = (
    "t,i,j,k,v,q",
    "2025,36,392,010121,30.000,1.5",
    "2025,156,392,010121,10.000,0.5",
    "2025,392,36,870323,7000.000,900",
)
"""Horses and cars in a year that is not known: thousand dollars and tons."""

FLOWS = "select hs6_code, count(*) from trade.baci_flows group by all"


def flows(home: Path) -> dict[str, int]:
    with duckdb.connect(str(home / "kido.duckdb"), read_only=True) as connection:
        return dict(connection.execute(FLOWS).fetchall())


def blocked(home: Path) -> dict[str, str]:
    listed = json.loads(run_kido(home, "releases", "--json").stdout)
    return {each["release_id"]: each["held_for"] for each in listed if each["is_held"]}


@nightly
def test_the_scope_can_be_widened_narrowed_and_widened_again(home: Path, tmp_path: Path) -> None:
    narrow = flows(home)
    archive = tmp_path / "BACI_HS22_V202701.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("BACI_HS22_Y2025_V202701.csv", "".join(f"{row}\n" for row in ROWS))
    landed = run_kido(home, "land", "baci", str(archive), KIDO_SCOPE="all")
    assert landed.returncode == 0, landed.stderr

    widened = run_kido(home, "build", KIDO_SCOPE="all")
    assert widened.returncode == 0, widened.stderr
    wide = flows(home)
    assert wide.items() >= narrow.items()
    assert {code: wide[code] for code in ("010121", "870323")} == {"010121": 2, "870323": 1}

    narrowed = run_kido(home, "build")
    assert narrowed.returncode == 1
    assert flows(home) == wide
    ((release, reason),) = blocked(home).items()
    assert "KIDO_SCOPE was all and is minerals" in reason
    accepted = run_kido(home, "accept", release)
    assert accepted.returncode == 0, accepted.stderr
    assert flows(home) == narrow

    again = run_kido(home, "build", KIDO_SCOPE="all")
    assert again.returncode == 0, again.stderr
    assert flows(home) == wide
    assert blocked(home) == {}
