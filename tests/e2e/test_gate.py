"""A slip is refused, blocked, accepted and undone; what was rolled back is not published again.

Builds are of today, since only these are compared with the release that readers see.
"""

from __future__ import annotations

import re
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from dagster_project.intake.stores import landing_of, origin_of_card
from dagster_project.settings import Settings
from dagster_project.sources.registry import source_named
from tests.conftest import CHECKOUT
from tests.e2e.conftest import BUNDLED, run_kido
from tests.e2e.test_front_door import digest, history_zip, tree
from tests.e2e.work import SLIP, Work, slip_of_baci
from tests.fakes.comtrade import AREAS, AREAS_NES, FakeComtrade, Flow, world_total
from tests.nightly import nightly

BACI_OF_2024 = CHECKOUT / "dagster_project/bundled/baci/flows_2024.csv"
HS2022 = pl.lit("HS2022")
LEFT_OUT = {
    "catalog.releases": "lists the releases",
    "catalog.checks": "has the results of a run",
    "catalog.changes": "has what is new since another release",
    "catalog.tables": "counts the rows of these as well",
}
"""Tables that are another one in every release; those of figures and labels are not."""


def tables(home: Path) -> dict[str, pl.DataFrame]:
    """Everything that is published, as readers see it."""
    with duckdb.connect(str(home / "kido.duckdb"), read_only=True) as connection:
        names = connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables()"
        ).fetchall()
        return {name: connection.sql(f"from {name} order by all").pl() for (name,) in names}


def equal(found: dict[str, pl.DataFrame], expected: dict[str, pl.DataFrame]) -> None:
    assert found.keys() == expected.keys()
    assert found.keys() > LEFT_OUT.keys()
    for name in found.keys() - LEFT_OUT.keys():
        assert_frame_equal(found[name], expected[name])


def blocked_build(home: Path, *arguments: str) -> tuple[str, str]:
    """Build; it is blocked: the release that may be accepted, and the output."""
    published = digest(home / "kido.duckdb")
    result = run_kido(home, "build", *arguments)
    assert result.returncode == 1, result.stdout + result.stderr
    assert digest(home / "kido.duckdb") == published
    return named_as_blocked(result.stderr)


def named_as_blocked(output: str) -> tuple[str, str]:
    """The release that may be accepted, and the output."""
    assert "Nothing was published; the published file is as it was." in output
    [release] = re.findall(r"kido accept (\S+)\.", output)
    return release, output


def newest(home: Path, source: str) -> str:
    """The snapshot of a source that was landed last."""
    output = run_kido(home, "landed", source).stdout
    return max(re.findall(rf"{source}-\d{{8}}T\d{{12}}-\w{{8}}", output))


def releases(home: Path) -> list[tuple[str, datetime | None, str | None]]:
    with duckdb.connect(str(home / "kido.duckdb"), read_only=True) as connection:
        return connection.execute(
            "select release_id, accepted_at, accepted_losses from catalog.releases order by 1"
        ).fetchall()


def test_a_slip_is_refused_then_blocked_then_accepted_table_by_table(
    work: Work, tmp_path: Path
) -> None:
    """Five flows of magnets in place of all of 2024, and private prices beside them."""
    (tmp_path / BUNDLED).symlink_to(work.folder / BUNDLED)
    home = Path(shutil.copytree(work.blocked_home, tmp_path / "home"))
    before = tables(work.home)
    first, second = (name for name, _, _ in releases(work.home))
    # The landing.
    refused = work.printed["slip refused"]
    assert refused.returncode == 1
    output = " ".join(refused.stderr.split())
    assert "4,415" in output
    assert "USD 4,963 m" in output
    assert "by 5 (USD 23.0 m)" in output
    assert "--replace" in output
    taken = work.printed["slip"]
    assert taken.returncode == 0, taken.stderr
    assert "4,415" in taken.stdout
    landed, known = (
        {found.snapshot_id for found in landing_of(Settings.load(home=of)).snapshots("baci")}
        for of in (home, work.home)
    )
    [snapshot] = landed - known
    # The build.
    blocked = work.printed["blocked"]
    assert blocked.returncode == 1
    assert digest(home / "kido.duckdb") == digest(work.home / "kido.duckdb")
    release, output = named_as_blocked(blocked.stderr)
    for words in (
        "in trade.baci_flows would shrink from 4,962,889,102 to 23,040,000",
        "in trade.baci_flows would shrink from 187,826,581 to 500,000",
        f"(brought by {snapshot} ({SLIP}))",
    ):
        assert words in output
    assert "✗ published/warehouse: totals_are_kept" in output
    # Accepted: readers see it, and what it took from them is on record.
    unknown = run_kido(home, "accept", "20260101T000000-abcdef")
    assert unknown.returncode == 1
    assert unknown.stderr == (
        f"kido: Release 20260101T000000-abcdef is not blocked. Blocked: {release}.\n"
    )
    accepted = run_kido(home, "accept", release)
    assert accepted.returncode == 0, accepted.stdout + accepted.stderr
    (*_, (name, at, losses)) = releases(home)
    assert name == release
    assert at is not None
    assert losses is not None
    assert "of imports_t in dependency.import_reliance would shrink" in losses
    assert f"(brought by {snapshot} ({SLIP}))" in losses
    flows = before["trade.baci_flows"].height
    assert flows > 50_000
    assert tables(home)["trade.baci_flows"].height == flows - 4_415 + 5
    assert run_kido(home, "accept", release).stderr == (
        f"kido: Release {release} is not blocked. Blocked: none.\n"
    )
    assert [name for name, _, _ in releases(home)] == [first, second, release]
    assert [at is not None for _, at, _ in releases(home)] == [False, False, True]


@nightly
def test_an_accepted_slip_is_undone_table_by_table(home: Path, tmp_path: Path) -> None:
    before = tables(home)
    slip = str(slip_of_baci(tmp_path))
    published, files = digest(home / "kido.duckdb"), tree(home / "landing")
    assert run_kido(home, "land", "baci", slip).returncode == 1
    assert tree(home / "landing") == files
    assert run_kido(home, "land", "baci", slip, "--replace").returncode == 0
    snapshot = newest(home, "baci")
    # A replay takes nothing from anyone, and is not blocked.
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    replayed = run_kido(home, "build", "--as-of", yesterday)
    assert replayed.returncode == 0, replayed.stderr
    release, _ = blocked_build(home)
    assert digest(home / "kido.duckdb") == published
    assert run_kido(home, "accept", release).returncode == 0
    withdrawn = run_kido(home, "withdraw", snapshot, "--because", "five lines of it")
    assert withdrawn.returncode == 0, withdrawn.stderr
    result = run_kido(home, "build")
    assert result.returncode == 0, result.stdout + result.stderr
    equal(tables(home), before)
    assert [at is not None for _, at, _ in releases(home)] == [False, True, False]


@nightly
def test_what_was_rolled_back_is_not_published_again_unasked(home: Path, tmp_path: Path) -> None:
    before = tables(home)
    file = tmp_path / "eurofxref-hist.zip"
    file.write_bytes(
        history_zip("2026-11-02,1.12,176.1,N/A,7.45,", "2026-10-30,1.1172,175.69,N/A,7.4326,")
    )
    assert run_kido(home, "land", "ecb", str(file)).returncode == 0
    snapshot = newest(home, "ecb")
    built = run_kido(home, "build")
    assert built.returncode == 0, built.stdout + built.stderr
    news = tables(home)
    assert not news["market.prices"].equals(before["market.prices"])
    (_, (rolled_back, _, _)) = releases(home)
    assert run_kido(home, "rollback").returncode == 0
    equal(tables(home), before)

    release, output = blocked_build(home)
    assert re.search(
        rf"Release {rolled_back} was rolled back on \S+ \S+ UTC, and its cause is still "
        rf"landed: {snapshot}\.",
        output,
    )
    # So is a part of the marts, which stands on the blocked build.
    _, output = blocked_build(home, "--select", 'key:"trade/baci_flows"')
    assert f"Release {rolled_back} was rolled back on " in output
    # Withdrawn, there is nothing left to publish; accepted, it is published.
    other = Path(shutil.copytree(home, tmp_path / "other"))
    assert run_kido(other, "withdraw", snapshot, "--because", "too early").returncode == 0
    again = run_kido(other, "build")
    assert again.returncode == 0, again.stderr
    assert "Nothing has changed since the published release." in again.stderr
    # The last whole build holds what was withdrawn: no part stands on it.
    part = run_kido(other, "build", "--select", 'key:"trade/baci_flows"')
    assert part.returncode == 0, part.stdout + part.stderr
    equal(tables(other), before)
    accepted = run_kido(home, "accept", release)
    assert accepted.returncode == 0, accepted.stdout + accepted.stderr
    equal(tables(home), news)
    *_, (name, _, losses) = releases(home)
    assert name == release
    assert losses is not None
    assert f"Release {rolled_back} was rolled back" in losses
    assert "Nothing has changed" in run_kido(home, "build").stderr


@nightly
def test_the_first_pull_of_a_publisher_beside_the_bundled_figures_is_published(
    home: Path,
) -> None:
    """Japan declares what BACI has of it, in the edition of each year: China's share of magnets in
    2024 is as published, 27.58 %, and now of another source.
    """
    before = tables(home)
    with FakeComtrade(key="secret") as server:
        server.flows = declared_as(before["trade.baci_flows"], "JPN", since=2015)
        environment = {
            "KIDO_COMTRADE_URL": server.root,
            "KIDO_COMTRADE_KEY": "secret",
            "KIDO_COMTRADE_REPORTERS": "JPN",
            "KIDO_COMTRADE_CALLS_PER_MINUTE": "60000",
        }
        pull = ("fetch", "comtrade", "--from", "2015", "--to", "2024", "--frequency", "A")
        fetched = run_kido(home, *pull, **environment)
        assert fetched.returncode == 0, fetched.stderr
    # The publisher is switched off again: what was landed counts.
    built = run_kido(home, "build")
    assert built.returncode == 0, built.stdout + built.stderr
    found = tables(home)
    assert found["trade.reported_flows"].height > before["trade.reported_flows"].height
    shares = found["dependency.supplier_shares"]
    assert set(shares["source"]) >= {"comtrade", "comtrade_baskets"}
    magnets = shares.filter(
        importer_iso3="JPN", supplier_iso3="CHN", mineral_group="permanent_magnets",
        period_start=date(2024, 1, 1), measure="value_usd",
    )  # fmt: skip
    assert magnets["source"].to_list() == ["comtrade"]
    assert magnets["share"].to_list() == [pytest.approx(0.2758, abs=5e-5)]


def declared_as(flows: pl.DataFrame, importer: str, *, since: int) -> list[Flow]:
    """An importer's declarations that say what BACI does, and their totals. Partners that the
    publisher does not name here come as one.
    """
    economies = pl.read_csv(
        CHECKOUT / "dagster_project/bundled/catalogue/economies.csv", infer_schema=False
    )
    numbers = {
        economy: int(codes.split(" ")[0])
        for economy, codes in economies.select("economy_iso3", "comtrade_code").iter_rows()
        if codes and int(codes.split(" ")[0]) in AREAS
    }
    partner = pl.col("exporter_iso3").replace_strict(numbers, default=AREAS_NES)
    declared = (
        flows.filter(pl.col("year") >= since, importer_iso3=importer)
        .group_by("hs6_code", "year", partner.alias("partner"), maintain_order=True)
        .agg(pl.col("value_usd", "net_weight_kg").sum())
    )
    slices: dict[tuple[int, str, str, str], list[Flow]] = {}
    for code, year, number, value, weight in declared.iter_rows():
        edition = "H4" if year < 2017 else "H5" if year < 2022 else "H6"
        flow = Flow(numbers[importer], number, "M", code, str(year), value, weight, edition)
        slices.setdefault(flow.slice, []).append(flow)
    return [flow for rows in slices.values() for flow in (*rows, world_total(rows))]


@nightly
def test_prices_that_are_a_thousand_times_too_high_are_blocked(home: Path, tmp_path: Path) -> None:
    bundled = CHECKOUT / "dagster_project/bundled/pink_sheet/monthly_prices.csv"
    metals = ["copper", "nickel"]
    wrong = tmp_path / bundled.name
    pl.read_csv(bundled).with_columns(pl.col(metals) * 1000).write_csv(wrong)
    refused = run_kido(home, "land", "pink_sheet", str(wrong))
    assert refused.returncode == 1
    taken = run_kido(home, "land", "pink_sheet", str(wrong), "--replace")
    assert taken.returncode == 0, taken.stderr
    _, output = blocked_build(home)
    assert "✗ published/warehouse: magnitudes_are_kept" in output
    cause = re.escape(f"(brought by {newest(home, 'pink_sheet')} ({wrong.name}))")
    assert re.search(
        r"highest close of COPPER in 2026 \(M\) in market\.prices would change from "
        rf"13,543 to 13,543,190, and \d+ more like it {cause}",
        output,
    )


@nightly
def test_a_slip_of_another_edition_of_the_nomenclature_is_blocked(
    home: Path, tmp_path: Path
) -> None:
    """Figures of HS 2022 would take the place of those of HS 2017, since a code's newest edition
    counts: they are compared with them at the door, and once more before they are published.
    """
    known = pl.read_csv(BACI_OF_2024, infer_schema_length=None).with_columns(hs_revision=HS2022)
    swapped, thousandfold = tmp_path / "swapped.csv", tmp_path / "thousandfold.csv"
    known.rename({"exporter_iso3": "importer_iso3", "importer_iso3": "exporter_iso3"}).write_csv(
        swapped
    )
    known.with_columns(pl.col("value_usd", "net_weight_kg") * 1000).write_csv(thousandfold)
    # What the same figures are of is asked of all editions.
    refused = run_kido(home, "land", "baci", str(swapped))
    assert refused.returncode == 1
    assert "figures are known ones of other rows" in refused.stderr
    refused = run_kido(home, "land", "baci", str(thousandfold))
    assert refused.returncode == 1
    assert "a thousand times what is known in another edition of the HS" in refused.stderr
    taken = run_kido(home, "land", "baci", str(thousandfold), "--replace")
    assert taken.returncode == 0, taken.stderr
    _, output = blocked_build(home)
    assert "✗ published/warehouse: magnitudes_are_kept" in output
    cause = re.escape(f"(brought by {newest(home, 'baci')} ({thousandfold.name}))")
    assert re.search(
        r"value_usd of 250490 in 2024 in trade\.baci_flows would change from "
        rf"52,324,303 to 52,324,303,000, and 29 more like it {cause}",
        output,
    )


@nightly
def test_a_home_of_another_version_has_the_figures_of_this_one(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That version had flows of 2024 labelled HS 2022, without weights."""
    before = tables(home)
    monkeypatch.setenv("KIDO_HOME", str(home))
    landing_of(Settings.load()).add(
        pl.read_csv(BACI_OF_2024, infer_schema=False)
        .drop("net_weight_kg")
        .with_columns(hs_revision=HS2022)
        .write_csv()
        .encode(),
        source="baci",
        document=BACI_OF_2024.name,
        origin=origin_of_card(source_named("baci")),
        request=f"bundled {BACI_OF_2024.name}",
        media_type="text/csv",
        retrieved_at=datetime(2026, 11, 25),
        is_bundled=True,
    )
    result = run_kido(home, "build")
    assert result.returncode == 0, result.stdout + result.stderr
    after = tables(home)
    copies = after["catalog.snapshots"].filter(document=BACI_OF_2024.name)
    assert copies["sha256"].n_unique() == 2
    assert copies.height == 3
    for name in after.keys() - LEFT_OUT.keys() - {"catalog.snapshots"}:
        found, expected = (
            of[name].drop("snapshot_id", "snapshot_ids", strict=False) for of in (after, before)
        )
        assert_frame_equal(found, expected, check_row_order=False)
