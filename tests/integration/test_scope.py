"""A wider scope keeps more of what is landed, asks for more, and has a mart row for each code."""

from __future__ import annotations

import zipfile
from pathlib import Path

import polars as pl
import pytest

from dagster_project.errors import OutOfScopeError
from dagster_project.intake.conform import conform, is_conformed
from dagster_project.intake.due import scope_of
from dagster_project.intake.land import land_bundled, land_files
from dagster_project.intake.ledger import Ledger
from dagster_project.intake.stores import lake_of, landing_of
from dagster_project.lake.schemas import RECONCILED_TRADE
from dagster_project.settings import Settings
from dagster_project.sources.registry import source_named
from tests.integration.marts import Marts

BACI = source_named("baci")
HEADER = "t,i,j,k,v,q"
# Thousand dollars and tons. 156 China, 392 Japan, 36 Australia; 010121 horses, 870323 cars.
ROWS = (
    "2023,36,392,010121,30.000,1.5",
    "2023,156,392,010121,10.000,NA",
    "2023,156,392,280530,500.000,20",
    "2023,392,36,870323,7000.000,900",
    "2023,36,392,9999AA,1.000,1",
)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "BACI_HS22_V202601.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        lines = "".join(f"{line}\n" for line in (HEADER, *ROWS))
        file.writestr("BACI_HS22_Y2023_V202601.csv", lines)
    return path


def codes(settings: Settings) -> list[str]:
    rows = lake_of(settings).rows(RECONCILED_TRADE, "baci")
    if rows is None:
        return []
    landed = rows.filter(pl.col("period_start").dt.year() == 2023)
    return sorted(landed.collect()["hs6_code"])


def with_scope(home: Path, monkeypatch: pytest.MonkeyPatch, scope: str) -> Settings:
    monkeypatch.setenv("KIDO_SCOPE", scope)
    return Settings.load(home=home)


def test_widening_and_narrowing_the_scope_reads_landed_bytes_again(
    tmp_path: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    minerals = with_scope(home, monkeypatch, "minerals")
    land_files(minerals, BACI, [archive])
    assert codes(minerals) == ["280530"]
    (snapshot,) = landing_of(minerals).snapshots("baci")
    for scope, kept in (
        ("all", ["010121", "010121", "280530", "870323"]),
        ("87", ["280530", "870323"]),
        ("minerals", ["280530"]),
    ):
        settings = with_scope(home, monkeypatch, scope)
        assert not is_conformed(settings, BACI)
        assert conform(settings, BACI).parsed == 1
        assert codes(settings) == kept
        assert is_conformed(settings, BACI)
        assert conform(settings, BACI).parsed == 0
        assert lake_of(settings).records("baci")[snapshot.snapshot_id].scope == scope
        assert landing_of(settings).snapshots("baci") == [snapshot]


def test_a_document_out_of_a_narrower_scope_is_kept_without_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was quarantined: a wider scope did not have it again."""
    home, archive = tmp_path / "home", tmp_path / "BACI_HS22_V202601.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        lines = "".join(f"{line}\n" for line in (HEADER, ROWS[0], ROWS[3]))
        file.writestr("BACI_HS22_Y2023_V202601.csv", lines)
    with pytest.raises(OutOfScopeError, match="no flow is of an HS6 code in scope"):
        land_files(with_scope(home, monkeypatch, "minerals"), BACI, [archive])
    wide = with_scope(home, monkeypatch, "all")
    land_files(wide, BACI, [archive])
    landed = landing_of(wide).snapshots("baci")
    for scope, kept in (("minerals", []), ("all", ["010121", "870323"])):
        settings = with_scope(home, monkeypatch, scope)
        assert conform(settings, BACI).rejected == {}
        assert codes(settings) == kept
        assert is_conformed(settings, BACI)
        assert landing_of(settings).snapshots("baci") == landed


def test_one_of_two_landed_files_has_no_commodity_in_a_narrower_scope(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows of the other stay: the files were landed by one command."""
    home, files = tmp_path / "home", []
    mineral = next(row for row in ROWS if ",280530," in row)
    for year, row in (("2022", ROWS[0]), ("2023", mineral)):
        files.append(tmp_path / f"BACI_HS22_Y{year}_V202601.csv")
        files[-1].write_text(f"{HEADER}\n{year}{row[4:]}\n")
    wide = with_scope(home, monkeypatch, "all")
    land_files(wide, BACI, files)
    assert len(landing_of(wide).snapshots("baci")[0].parts) == 2
    for scope, kept in (("minerals", ["280530"]), ("all", ["010121", "280530"])):
        settings = with_scope(home, monkeypatch, scope)
        assert conform(settings, BACI).rejected == {}
        rows = lake_of(settings).rows(RECONCILED_TRADE, "baci")
        assert rows is not None
        assert sorted(rows.collect()["hs6_code"]) == kept


def test_a_source_without_codes_is_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    indicators = source_named("wgi")
    minerals = with_scope(tmp_path, monkeypatch, "minerals")
    land_bundled(minerals, indicators)
    assert conform(minerals, indicators).parsed == 1
    assert conform(with_scope(tmp_path, monkeypatch, "all"), indicators).parsed == 0


def test_what_was_never_asked_for_becomes_due(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    comtrade = source_named("comtrade")

    def asked(scope: str) -> set[str]:
        settings = with_scope(tmp_path, monkeypatch, scope)
        ledger = Ledger(landing_of(settings), "comtrade")
        return set(scope_of(settings, comtrade, ledger).commodity_codes)

    assert "010121" in asked("01") - asked("minerals")
    assert asked("all") > asked("01") > asked("minerals")


def test_every_code_of_a_wider_scope_has_its_own_group(
    tmp_path: Path, archive: Path, monkeypatch: pytest.MonkeyPatch, marts: Marts
) -> None:
    settings = with_scope(tmp_path / "home", monkeypatch, "all")
    land_files(settings, BACI, [archive])
    found = marts(settings, BACI, (
        "reference.commodities", "reference.mineral_groups", "reference.mineral_group_codes",
        "dependency.supplier_shares", "dependency.import_concentration", "trade.baci_flows",
    ))  # fmt: skip
    horses = found["reference.commodities"].filter(pl.col("hs6_code") == "010121")
    assert horses.rows() == [
        ("010121", "HS2022", "Horses; live, pure-bred breeding animals", "other", None)
    ]
    named = found["reference.mineral_groups"].filter(pl.col("mineral_group") == "hs_010121")
    assert named["name"].item() == "Horses; live, pure-bred breeding animals (HS 0101.21)"
    assert ("hs_870323", "870323", "HS2022") in found["reference.mineral_group_codes"].rows()
    assert found["trade.baci_flows"].height == 4
    shares = found["dependency.supplier_shares"].filter(
        pl.col("mineral_group") == "hs_010121", pl.col("importer_iso3") == "JPN"
    )
    # 30 of 40 thousand dollars from Australia.
    assert dict(shares.select("supplier_iso3", "share").rows()) == {"AUS": 0.75, "CHN": 0.25}
    of_horses = found["dependency.import_concentration"].filter(
        pl.col("mineral_group") == "hs_010121"
    )
    assert of_horses["hhi"].item() == pytest.approx(0.75**2 + 0.25**2)
