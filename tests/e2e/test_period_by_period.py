"""What publishers bring, year by year and month by month, is published and never blocked."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path

import duckdb
import polars as pl

from dagster_project.settings import BUNDLED
from tests import bundled
from tests.conftest import SHARED, needs_shared
from tests.e2e.conftest import run_kido
from tests.e2e.test_gate import blocked_build, newest
from tests.fakes.comtrade import as_json
from tests.nightly import nightly
from tests.real_trade import flows_of_the_month

CHECK = "new_totals_keep_their_magnitude"
FIRST_YEAR, LAST_YEAR = 1995, 2024
FIRST_MONTH, LAST_MONTH = date(2024, 5, 1), date(2026, 7, 1)


def published_with(home: Path, *landed: tuple[str, Path]) -> list[str]:
    """Land files of sources and build: all is published at once. The warnings of large news."""
    for source, file in landed:
        result = run_kido(home, "land", source, str(file))
        assert result.returncode == 0, f"{file.name}: {result.stderr}"
    built = run_kido(home, "build")
    assert built.returncode == 0, f"{[file.name for _, file in landed]}: {built.stderr}"
    assert f"Published: {home}" in built.stdout
    warnings = warnings_in(built.stderr)
    assert sorted(warnings) == sorted(warnings_of(home))
    return warnings


def warnings_in(output: str) -> list[str]:
    """The sentences of large news that a build printed."""
    lines = output.splitlines()
    starts = [at for at, line in enumerate(lines) if f"! published/warehouse: {CHECK}:" in line]
    if not starts:
        return []
    (start,) = starts
    first = lines[start].partition(f"{CHECK}:")[2].strip()
    if first:
        return [first]
    found = []
    for line in lines[start + 1 :]:
        if not line.startswith("      "):
            break
        found.append(line.strip())
    return found


def warnings_of(home: Path) -> list[str]:
    """Those that the published file lists among its checks; none of them blocks."""
    with duckdb.connect(str(home / "kido.duckdb"), read_only=True) as connection:
        rows = connection.execute(
            "select engine, severity, status, observed, failing_rows from catalog.checks "
            "where check_name = ?",
            [CHECK],
        ).fetchall()
    found = []
    for engine, severity, status, observed, failing in rows:
        assert (engine, severity, status) == ("gate", "warn", "failed")
        assert len(observed.splitlines()) == failing
        found += observed.splitlines()
    return found


# BACI, a year after the other.


def flows_of_baci() -> pl.DataFrame:
    """CEPII's flows as they came: thousand dollars, tonnes, three letters of an economy."""
    files = sorted((SHARED / "data" / "baci_hs92").glob("*.parquet"))
    return pl.concat(pl.read_parquet(file) for file in files)


def file_of_baci(folder: Path, flows: pl.DataFrame, year: int) -> Path:
    """A year under CEPII's name and in its layout, with its numbers of economies."""
    numbers: dict[str, str] = {}
    with (SHARED / "data" / "baci" / "country_codes_V202601.csv").open(encoding="utf8") as lines:
        for row in csv.DictReader(lines):
            numbers.setdefault(row["country_iso3"], row["country_code"])
    file = folder / f"BACI_HS92_Y{year}_V202601.csv"
    economy = pl.col("exporter", "importer").replace_strict(numbers)
    flows.filter(pl.col("year") == year).with_columns(economy).select(
        t="year", i="exporter", j="importer", k="hs92", v="value_kusd", q="qty_t"
    ).sort("i", "j", "k").write_csv(file, null_value="NA")
    return file


def bundled_baci_cut_to(year: int) -> dict[str, bytes]:
    """The bundled files of BACI with the flows of one year alone, some codes in each."""
    folder = BUNDLED / "baci"
    flows = pl.concat(
        pl.read_parquet(file).filter(pl.col("year") == year) for file in folder.glob("*.parquet")
    )
    codes = flows["hs6_code"].unique().sort()
    names = sorted(file.name for file in folder.iterdir() if file.suffix in (".csv", ".parquet"))
    files = {}
    for number, name in enumerate(names):
        part = flows.filter(pl.col("hs6_code").is_in(codes.gather_every(len(names), number)))
        out = io.BytesIO()
        part.write_csv(out) if name.endswith(".csv") else part.write_parquet(out)
        files[f"baci/{name}"] = out.getvalue()
    return files


def large_steps(flows: pl.DataFrame) -> set[tuple[str, str, int]]:
    """Measure, code and year of totals of ten flows or more that are five times those of the year
    before, or a fifth, in all and by flow.
    """
    totals = flows.group_by("hs92", "year").agg(
        pl.len().alias("flows"), value_usd=pl.col("value_kusd").sum(),
        net_weight_kg=pl.col("qty_t").sum(),
    )  # fmt: skip
    both = totals.join(
        totals.with_columns(pl.col("year") + 1), on=["hs92", "year"], suffix=" before"
    ).filter(pl.min_horizontal("flows", "flows before") >= 10)
    found = set()
    for measure in ("value_usd", "net_weight_kg"):
        whole = pl.col(measure) / pl.col(f"{measure} before")
        by_flow = whole * pl.col("flows before") / pl.col("flows")
        is_up = pl.min_horizontal(whole, by_flow) >= 5
        is_down = (pl.max_horizontal(whole, by_flow) <= 0.2) & (whole > 0)
        steps = both.filter(pl.col(f"{measure} before") > 0, is_up | is_down)
        found |= {(measure, code, year) for code, year in steps.select("hs92", "year").iter_rows()}
    return found


@nightly
@needs_shared
def test_thirty_years_of_baci_are_published_one_after_the_other(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    bundled.with_files(tmp_path / "bundled", bundled_baci_cut_to(FIRST_YEAR))
    home, flows = tmp_path / "home", flows_of_baci()
    assert published_with(home) == []
    warnings = []
    for year in range(FIRST_YEAR + 1, LAST_YEAR + 1):
        file = file_of_baci(tmp_path, flows, year)
        found = published_with(home, ("baci", file))
        assert all(f"({file.name})" in warning for warning in found)
        warnings += found
    record_property("warnings of 29 years of BACI", len(warnings))
    of_flows = [warning for warning in warnings if " in trade.baci_flows is " in warning]
    assert {in_short(warning) for warning in of_flows} == large_steps(flows)
    assert len(of_flows) == len(large_steps(flows)) == 35
    with duckdb.connect(str(home / "kido.duckdb"), read_only=True) as connection:
        for warning in warnings:
            before, after = figures_of(warning)
            assert (before, after) == totals_of(connection, warning), warning
            assert not 1 / 5 < after / before < 5, warning
        years = connection.execute(
            "select year, count(*) from trade.baci_flows where hs_revision = 'HS1992' "
            "group by all order by all"
        ).fetchall()
    assert [year for year, _ in years] == list(range(FIRST_YEAR, LAST_YEAR + 1))


def in_short(warning: str) -> tuple[str, str, int]:
    """Measure, code and year of a warning."""
    measure, _, rest = warning.partition(" of ")
    code, _, rest = rest.partition(" in ")
    return measure, code, int(rest[:4])


def figures_of(warning: str) -> tuple[int, int]:
    """The total of the year before and that of the year, as a warning prints them."""
    after, before = re.findall(r" (?:is|after) ([\d,]+)", warning)
    return int(before.replace(",", "")), int(after.replace(",", ""))


def totals_of(connection: duckdb.DuckDBPyConnection, warning: str) -> tuple[int, int]:
    """The same totals, summed from the published table that the warning names."""
    measure, code, year = in_short(warning)
    (table,) = re.findall(rf"{year} in ([a-z_.]+) is ", warning)
    column = "mineral_group" if table == "dependency.import_reliance" else "hs6_code"
    before, after = (
        connection.execute(
            f"select round(sum({measure})) from {table} where {column} = ? and year = ?",
            [code, of_year],
        ).fetchall()[0][0]
        for of_year in (year - 1, year)
    )
    return int(before), int(after)


# Customs, a month after the other.


def lines_of(source: str) -> list[dict[str, str]]:
    """The months of a publisher's customs; which lines of the extract those are is tested with its
    source.
    """
    with (BUNDLED / source / "monthly_flows.csv").open(encoding="utf8", newline="") as file:
        return list(csv.DictReader(file))


def as_csv(rows: Sequence[dict[str, str]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def months() -> Iterator[str]:
    month = FIRST_MONTH
    while month <= LAST_MONTH:
        yield f"{month:%Y-%m}"
        month = date(month.year + month.month // 12, month.month % 12 + 1, 1)


@nightly
@needs_shared
def test_months_of_customs_are_published_one_after_the_other(
    tmp_path: Path, few_flows: Path, record_property: Callable[[str, object], None]
) -> None:
    publishers = ("hmrc", "comexstat")
    first = {}
    for source in publishers:
        lines = lines_of(source)
        period = min(line["period"] for line in lines)
        of_first = [line for line in lines if line["period"] == period]
        first[f"{source}/monthly_flows.csv"] = as_csv(of_first)
    bundled.with_files(tmp_path / "bundled", first, few_flows)
    home = tmp_path / "home"
    assert published_with(home) == []
    warnings, count = [], dict.fromkeys((*publishers, "comtrade"), 0)
    for month in months():
        landed = []
        for source in publishers:
            rows = [line for line in lines_of(source) if line["period"] == month]
            if rows and as_csv(rows) != first[f"{source}/monthly_flows.csv"]:
                file = tmp_path / f"{source}-{month}.csv"
                file.write_bytes(as_csv(rows))
                landed.append((source, file))
        if month == "2024-12":
            file = tmp_path / f"comtrade-{month}.json"
            file.write_bytes(as_json(flows_of_the_month()))
            landed.append(("comtrade", file))
        if landed:
            warnings += published_with(home, *landed)
        for source, _ in landed:
            count[source] += 1
    assert count == {"hmrc": 25, "comexstat": 18, "comtrade": 1}
    record_property("warnings of 25 months of customs", len(warnings))


# By day: a year of a few codes.


def year_of_few(home: Path, factor: float = 1.0) -> tuple[Path, float, float]:
    """A file of 2025 for the codes that a small home knows of 2024: the largest tenth of the flows
    of 284690 sold for twelve times as much as in 2024. And the values of 284690 in both years.
    """
    known = pl.read_parquet(
        home.parent / "bundled" / "baci" / "flows_hs1992_2015_2024.parquet"
    ).filter(pl.col("year") == 2024)
    is_dear = (pl.col("hs6_code") == "284690") & (
        pl.col("value_usd") >= pl.col("value_usd").quantile(0.9).over("hs6_code")
    )
    change = 0.8 + 0.1 * (pl.int_range(pl.len()) % 7)
    value = (pl.col("value_usd") * pl.when(is_dear).then(12).otherwise(change)).round()
    flows = known.with_columns(
        year=pl.lit(2025), value_usd=value * factor,
        net_weight_kg=(pl.col("net_weight_kg") * change.reverse()).round(),
    )  # fmt: skip
    file = home.parent / "BACI_2025.csv"
    flows.write_csv(file)
    before, after = (
        float(rows.filter(hs6_code="284690")["value_usd"].sum()) for rows in (known, flows)
    )
    return file, before, after


@nightly
def test_a_year_in_which_one_code_became_dear_is_published_with_a_warning(home: Path) -> None:
    file, before, after = year_of_few(home)
    assert after / before > 5
    (warning,) = published_with(home, ("baci", file))
    snapshot = newest(home, "baci")
    assert warning == (
        f"value_usd of 284690 in 2025 in trade.baci_flows is {after:,.0f}, after {before:,.0f} in "
        f"the year before (brought by {snapshot} ({file.name}))."
    )
    with duckdb.connect(str(home / "kido.duckdb"), read_only=True) as connection:
        ((accepted, value),) = connection.execute(
            "select accepted_losses, (select sum(value_usd) from trade.baci_flows "
            "where year = 2025 and hs6_code = '284690') from catalog.releases "
            "order by release_id desc limit 1"
        ).fetchall()
    assert accepted is None
    assert value == after


@nightly
def test_the_same_year_in_thousandths_of_a_dollar_is_refused_and_blocked(home: Path) -> None:
    file, _, _ = year_of_few(home, factor=1000)
    refused = run_kido(home, "land", "baci", str(file))
    assert refused.returncode == 1
    assert "times that of the period before" in refused.stderr
    assert run_kido(home, "land", "baci", str(file), "--replace").returncode == 0
    _, output = blocked_build(home)
    assert "✗ published/warehouse: magnitudes_are_kept" in output
    assert " in 2025 in trade.baci_flows would change from " in output
