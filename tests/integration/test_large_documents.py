"""A document too large to hold does what the same document does that is held."""

from __future__ import annotations

import random
import uuid
import zipfile
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from dagster_project.errors import BatchRejectedError, ImplausibleError, UpstreamFormatError
from dagster_project.intake import batch as batches
from dagster_project.intake import compare
from dagster_project.intake.conform import conform
from dagster_project.intake.land import land_files
from dagster_project.intake.landing_report import LandingReport
from dagster_project.intake.stores import lake_of, landing_of
from dagster_project.intake.withdraw import sweep, withdraw
from dagster_project.lake.schemas import RECONCILED_TRADE
from dagster_project.lake.vocabulary import commodity_codes
from dagster_project.settings import Settings
from dagster_project.sources.registry import source_named

BACI = source_named("baci")
NUMBERS = ["156", "392", "842", "276", "704", "36", "124", "251", "410", "490"]
MINERALS = sorted(commodity_codes())[:6]
OTHERS = ["010121", "010129", "020110", "870323", "870324", "940360"]


@pytest.fixture(autouse=True)
def every_archive_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIDO_SCOPE", "all")
    monkeypatch.setattr(batches, "LARGE_DOCUMENT_BYTES", 1)
    monkeypatch.setattr(batches, "MAX_ROWS_IN_MEMORY", 100)
    monkeypatch.setattr(compare, "bundled_files", lambda source: [])


def rows_of(year: int, *, times: float = 1.0, wrong: int = 0) -> list[str]:
    """Flows between all pairs in all codes; the first `wrong` of them have no value above 0."""
    rng = random.Random(year)
    rows = [
        (exporter, importer, code, rng.uniform(1, 900), rng.uniform(1, 90))
        for exporter in NUMBERS for importer in NUMBERS for code in (*MINERALS, *OTHERS)
        if exporter != importer
    ]  # fmt: skip
    return [
        f"{year},{exporter},{importer},{code},{0 if at < wrong else value * times:.3f},{weight:.3f}"
        for at, (exporter, importer, code, value, weight) in enumerate(rows)
    ]


def archive(folder: Path, *years: list[str], version: str = "V202601") -> Path:
    path = folder / f"BACI_HS22_{version}_{uuid.uuid4().hex[:6]}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for rows in years:
            lines = "".join(f"{line}\n" for line in ("t,i,j,k,v,q", *rows))
            file.writestr(f"BACI_HS22_Y{rows[0][:4]}_{version}.csv", lines)
    return path


def land(home: Path | Settings, file: Path, **how: bool) -> LandingReport:
    settings = home if isinstance(home, Settings) else Settings.load(home=home)
    return land_files(settings, BACI, [file], **how)


def lake_rows(settings: Settings) -> pl.DataFrame:
    rows = lake_of(settings).rows(RECONCILED_TRADE, "baci")
    assert rows is not None
    return rows.collect().drop("snapshot_id", "vintage_at").sort(RECONCILED_TRADE.key)


def files(settings: Settings) -> list[Path]:
    return sorted(Path(settings.lake_url, "reconciled_trade", "baci").glob("*"))


def test_the_lake_holds_what_it_holds_of_a_document_that_fits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = archive(tmp_path, rows_of(2022), rows_of(2023, wrong=7))
    large = Settings.load(home=tmp_path / "large")
    taken = land(large, file)
    with monkeypatch.context() as held:
        held.setattr(batches, "MAX_ROWS_IN_MEMORY", 1_000_000)
        held.setattr(batches, "LARGE_DOCUMENT_BYTES", 1 << 30)
        small = Settings.load(home=tmp_path / "small")
        as_held = land(small, file)
    # 10 partners, 12 codes and two years, without the 7.
    assert taken.rows == as_held.rows == {"reconciled_trade": 2 * 10 * 9 * 12 - 7}
    assert taken.quarantined == as_held.quarantined == {"reconciled_trade": 7}
    assert_frame_equal(lake_rows(large), lake_rows(small), abs_tol=0.0011)
    (record,) = lake_of(large).records("baci").values()
    (of_held,) = lake_of(small).records("baci").values()
    names = [check["check_name"] for check in record.tables["reconciled_trade"].checks]
    assert names == [check["check_name"] for check in of_held.tables["reconciled_trade"].checks]
    assert not list(large.spool_dir.iterdir())


def test_a_year_is_a_file_and_all_go_together(tmp_path: Path) -> None:
    settings = Settings.load(home=tmp_path / "home")
    land(settings, archive(tmp_path, rows_of(2022), rows_of(2023)))
    (snapshot,) = landing_of(settings).snapshots("baci")
    name = snapshot.snapshot_id
    stem = f"{name}.{lake_of(settings).records('baci')[name].written}"
    assert [file.name for file in files(settings)] == [f"{stem}.1.parquet", f"{stem}.parquet"]
    years = [pl.read_parquet(file)["period_start"].dt.year().unique() for file in files(settings)]
    assert [year.to_list() for year in years] == [[2023], [2022]]
    withdraw(settings, {"baci": BACI}, name, "a try", write=lambda line: None)
    assert lake_of(settings).rows(RECONCILED_TRADE, "baci") is None
    sweep(settings, BACI)
    assert files(settings) == []


def test_a_narrower_scope_leaves_one_file_and_a_wider_one_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    land(home, archive(tmp_path, rows_of(2022), rows_of(2023)))
    monkeypatch.setattr(batches, "MAX_ROWS_IN_MEMORY", 1_500)
    monkeypatch.setenv("KIDO_SCOPE", "minerals")
    narrow = Settings.load(home=home)
    assert conform(narrow, BACI).rows == {"reconciled_trade": 2 * 10 * 9 * 6}
    sweep(narrow, BACI)
    assert len(files(narrow)) == 1
    monkeypatch.setenv("KIDO_SCOPE", "all")
    assert conform(Settings.load(home=home), BACI).rows == {"reconciled_trade": 2 * 10 * 9 * 12}
    # Those of before stay until no build reads them.
    assert len(files(narrow)) == 3
    assert lake_rows(narrow).height == 2 * 10 * 9 * 12
    sweep(narrow, BACI)
    assert len(files(narrow)) == 2
    assert lake_rows(narrow).height == 2 * 10 * 9 * 12


def test_a_lake_and_landing_elsewhere_take_it_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = f"memory://{uuid.uuid4().hex}"
    settings = Settings.load(
        home=tmp_path / "home", landing_url=f"{there}/landing", lake_url=f"{there}/lake"
    )
    land(settings, archive(tmp_path, rows_of(2022), rows_of(2023)))
    assert lake_rows(settings).height == 2 * 10 * 9 * 12
    monkeypatch.setenv("KIDO_SCOPE", "87")
    narrow = Settings.load(
        home=tmp_path / "home", landing_url=f"{there}/landing", lake_url=f"{there}/lake"
    )
    assert conform(narrow, BACI).rows == {"reconciled_trade": 2 * 10 * 9 * 8}


def test_what_breaks_a_rule_leaves_nothing(tmp_path: Path) -> None:
    settings = Settings.load(home=tmp_path / "home")
    cut = archive(tmp_path, rows_of(2022), [*rows_of(2023), "2023,156,392,0101"])
    with pytest.raises(UpstreamFormatError, match="does not contain the 6 values of the header"):
        land(settings, cut)
    many = archive(tmp_path, rows_of(2022, wrong=200))
    with pytest.raises(BatchRejectedError, match="200 of 1080 rows would be quarantined"):
        land(settings, many)
    assert not [path for path in settings.home.rglob("*") if path.is_file()]


def test_a_shrinking_code_is_refused_whether_compared_row_by_row_or_by_sums(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    land(home, archive(tmp_path, rows_of(2022)))
    monkeypatch.setattr(compare, "MOST_COMPARED_ROWS", 0)  # the mineral groups' are always compared
    known = rows_of(2022)
    same = archive(tmp_path, [*known[1:], known[0]], version="V202602")
    (revision,) = land(home, same).revisions
    assert (revision.added, revision.changed, revision.objections) == (0, 0, ())
    assert (revision.unchanged, revision.by_sums) == (10 * 9 * 6, 10 * 9 * 6)
    fewer = [row for row in known if f",{OTHERS[0]}," not in row or row.startswith("2022,156,")]
    with pytest.raises(ImplausibleError, match=r"replace 90 rows of 010121 2022 .* by 9 \("):
        land(home, archive(tmp_path, fewer, version="V202602"))
    scaled = archive(tmp_path, rows_of(2022, times=0.001), version="V202602")
    with pytest.raises(ImplausibleError, match="value_usd is a thousandth of what is known"):
        land(home, scaled)
    assert land(home, scaled, replace_all=True).is_new
