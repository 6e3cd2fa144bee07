"""What a person at a terminal does and sees: build, land, query, go back; bad input and kills."""

from __future__ import annotations

import contextlib
import hashlib
import io
import itertools
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

from dagster_project.sources import usgs_mcs
from tests.conftest import CHECKOUT
from tests.e2e.conftest import (
    AS_OF,
    BUNDLED,
    clean_environment,
    copy_of,
    day_of,
    run_kido,
    start_kido,
)
from tests.nightly import nightly


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def tree(path: Path) -> set[str]:
    return {str(item.relative_to(path)) for item in path.rglob("*")}


def test_a_build_ends_with_the_path_and_the_answers(built: Path) -> None:
    output = (built / "build.out").read_text()
    assert output.strip().endswith(str(built / "kido.duckdb"))
    assert "Japan: dependence on critical minerals" in output
    # Ten of the answers: the figure, what it is of, its source and vintage.
    for figure, of_what, source in (
        ("71.3 %", "2024  of 22,406 t", "comtrade_baskets, vintage 2025-07-01"),
        ("44.0 %", "2024  of USD 442.7 m", "comtrade_baskets, vintage 2025-07-01"),
        ("27.6 %", "Philippines 32.4 %", "baci, vintage 2026-01-31"),
        ("17 codes", "Tungsten (810194) China", "baci, vintage 2026-01-31"),
        ("69.2 %", "270,000 t of 390,000 t", "usgs_mcs, vintage 2026-01-31"),
        ("84.9 %", "2016 to 2020  light 84.9 %, heavy 100.0 %", "ec_crm, vintage 2023-03-16"),
        ("36.0 t", "2024-01 to 2024-12", "comtrade_baskets, vintage 2025-04-01"),
        ("2 clauses", "CN-2025-18 since 2025-04-04", "catalogue, vintage 2026-07-10"),
        ("+81.8 %", "to 2026-08-05", "equity_indices, vintage 2026-08-05"),
        ("157.3 JPY per USD", "2026-10-30", "ecb, vintage 2026-10-30"),
    ):
        answer = output[output.index(figure) :][:460]
        assert of_what in answer
        assert source in answer
    assert len(output.splitlines()) <= 90
    assert "CN-2025-57" not in output.partition("in force for Japan\n")[2].splitlines()[0]
    assert "10 dependent on the basis" in " ".join(output.split())


def test_the_readme_shows_the_page_that_a_build_prints(built: Path) -> None:
    """From the figures on: what changed depends on the day, which is another one there."""

    def figures(page: str) -> str:
        first = "Rare-earth imports from China, by weight"
        words = " ".join(page[page.index(first) :].partition("Published:")[0].split())
        # The newest day that is published depends on the day, too.
        return re.sub(r"(newer expected: )[0-9]{4}-[0-9]{2}-[0-9]{2}", r"\1DAY", words)

    readme = (CHECKOUT / "README.md").read_text("utf8")
    heading = "\nJapan: dependence on critical minerals  as of "
    of_readme = readme.partition(f"```text{heading}")[2].partition("```")[0]
    day = of_readme.splitlines()[0]
    of_build = (built / "build.out").read_text("utf8").partition(heading)[2]
    printed = figures(of_build).replace(of_build.splitlines()[0], day)
    assert figures(of_readme) == printed


def test_help_is_there_for_every_command() -> None:
    result = run_kido(CHECKOUT / "data", "--help")
    assert result.returncode == 0
    for command in (
        "build", "land", "landed", "withdraw", "reinstate", "sources", "query", "releases",
        "rollback", "dev",
    ):  # fmt: skip
        assert command in result.stdout


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys; sys.argv = ['kido', '--help']\n"
        "from dagster_project import cli\n"
        "try: cli.main()\n"
        "except SystemExit: pass\n"
        "heavy = {'dagster', 'dbt', 'polars', 'duckdb', 'great_expectations', 'pandas', 'httpx'}\n"
        "print('heavy:', sorted(heavy & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip().endswith("heavy: []")


def test_sources_say_where_their_figures_come_from(built: Path) -> None:
    result = run_kido(built, "sources", COLUMNS="200")
    assert result.returncode == 0
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("ecb ")]
    assert "bundled" in line
    assert "2026-10-30" in line
    assert "nothing" in line  # is needed of a person


@pytest.mark.parametrize("germany", ["deu", "Germany"])
def test_the_answers_of_any_importer_are_shown_by_its_code_or_name(
    built: Path, germany: str
) -> None:
    shown = run_kido(built, "answers", germany)
    with duckdb.connect(str(built / "kido.duckdb"), read_only=True) as connection:
        found = connection.execute(
            "select share, total_amount / 1000 from dependency.supplier_shares "
            "inner join dependency.import_concentration using "
            "(importer_iso3, mineral_group, frequency, period_start, measure) "
            "where importer_iso3 = 'DEU' and mineral_group = 'rare_earths' and frequency = 'A' "
            "and measure = 'net_weight_kg' and supplier_iso3 = 'CHN' order by period_start desc"
        ).fetchone()
    assert found is not None
    share, tonnes = found
    assert "Germany: dependence on critical minerals" in shown.stdout
    assert f"{share * 100:.1f} %  2024  of {tonnes:,.0f} t" in shown.stdout


@pytest.mark.parametrize("how", ["csv", "json", "parquet", "table"])
def test_a_query_answers_in_the_format_asked_for(built: Path, how: str) -> None:
    sql = "select supplier_iso3, round(share, 3) as share from dependency.supplier_shares " \
        "where importer_iso3 = 'JPN' and period_start = '2024-01-01' " \
        "and mineral_group = 'rare_earths' " \
        "and measure = 'net_weight_kg' and supplier_iso3 = 'CHN'"  # fmt: skip
    result = subprocess.run(
        [sys.executable, "-m", "dagster_project.cli", "query", sql, "--format", how],
        cwd=CHECKOUT, env={**clean_environment(), "KIDO_HOME": str(built)},
        capture_output=True, check=True,
    )  # fmt: skip
    expected = [{"supplier_iso3": "CHN", "share": 0.713}]
    if how == "csv":
        assert pl.read_csv(io.BytesIO(result.stdout)).to_dicts() == expected
    elif how == "json":
        assert json.loads(result.stdout) == expected
    elif how == "parquet":
        assert pl.read_parquet(io.BytesIO(result.stdout)).to_dicts() == expected
    else:
        assert "CHN" in result.stdout.decode()
        assert "0.713" in result.stdout.decode()


@pytest.mark.parametrize(
    "sql",
    [
        "drop table market.prices",
        "create table market.mine as select 1",
        "from read_csv('/etc/passwd')",
        "copy market.prices to 'prices.csv'",
        "select nonsense",
    ],
)
def test_a_query_can_only_read_the_published_file(built: Path, sql: str) -> None:
    before = digest(built / "kido.duckdb")
    result = run_kido(built, "query", sql)
    assert result.returncode == 1
    assert result.stderr.startswith("kido: The query cannot be run:")
    assert digest(built / "kido.duckdb") == before


def test_a_query_before_any_build_reports_what_to_do(tmp_path: Path) -> None:
    result = run_kido(tmp_path, "query", "select 1")
    assert result.returncode == 1
    assert "does not exist yet. Run kido build." in result.stderr


MEASURES = (CHECKOUT / "dagster_project/bundled/catalogue/measures.yaml").read_text("utf8")
SUSPENDED = """\
        suspended:
          first_day: 2025-11-07
          last_day: 2026-11-10
          by: CN-2025-70
          known: 2025-11-07
        unknown: {first_day: 2026-11-11, known: 2025-11-07}
        evidence: official
        confidence: sourced (text copy)
"""


def suspended(*suspensions: str) -> bytes:
    """The bundled measures with 57/2025 suspended by these instead, each a line."""
    assert MEASURES.count(SUSPENDED) == 1
    listed = "".join(f"          - {each}\n" for each in suspensions)
    rest = SUSPENDED.partition("        unknown:")[2]
    text = f"        suspended:\n{listed}        unknown:{rest}"
    return MEASURES.replace(SUSPENDED, text).encode()


def line_of_57(after: int) -> str:
    """How a message names the place so many lines after the `suspended:` of 57/2025."""
    line = MEASURES.partition(SUSPENDED)[0].count("\n") + 1 + after
    return f"measures.yaml: line {line}: measure CN-2025-57, clause CN-2025-57: "


BY_70 = "{first_day: 2025-11-07, last_day: 2026-11-10, by: CN-2025-70, known: 2025-11-07}"
ON_ITS_LAST_DAY = "{first_day: 2026-11-10, last_day: 2027-01-10, by: CN-2025-70, known: 2026-11-08}"

TRUNCATED = (CHECKOUT / "dagster_project/bundled/comtrade_baskets/rare_earths.csv").read_bytes()[
    :20_011
]


@pytest.fixture(scope="module")
def unchanged(small: Path, few_flows: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of a built warehouse, for tests after each of which it is as before."""
    folder = tmp_path_factory.mktemp("unchanged")
    (folder / BUNDLED).symlink_to(few_flows)
    return copy_of(small, folder)


@pytest.mark.parametrize(
    ("source", "name", "payload", "output"),
    [
        ("ecb", "empty.zip", b"", "empty"),
        ("ecb", "page.zip", b"<!DOCTYPE html><html><body>Sorry</body></html>", "HTML"),
        ("ecb", "cut.zip", b"PK\x03\x04\x14\x00\x00\x00\x08\x00half", "zip"),
        ("ecb", "columns.csv", b"Day,Dollar\n2026-10-30,1.1\n", "columns missing: date"),
        ("comtrade_baskets", "cut.csv", TRUNCATED, "cut.csv"),
        (
            "comtrade_baskets",
            "country.csv",
            b"reporter_iso3,partner_iso3,flow,commodity_code,frequency,period,value_usd,"
            b"net_weight_kg,figure_source\nJPN,QQQ,import,rare_earths,A,2024,1,1,mine\n",
            "QQQ",
        ),
        (
            "comtrade_baskets",
            "code.csv",
            b"reporter_iso3,partner_iso3,flow,commodity_code,frequency,period,value_usd,"
            b"net_weight_kg,figure_source\nJPN,CHN,import,unobtainium,A,2024,1,1,mine\n",
            "unobtainium",
        ),
        ("catalogue", "list.yaml", b"measures:\n  - nonsense\n...\n", "measures"),
        (
            "catalogue",
            "measures.yaml",
            suspended(BY_70, ON_ITS_LAST_DAY),
            f"{line_of_57(2)}the suspension from 2026-11-10 overlaps that from 2025-11-07 to "
            "2026-11-10.",
        ),
        (
            "catalogue",
            "measures.yaml",
            suspended(BY_70.replace("last_day: 2026-11-10, ", ""), ON_ITS_LAST_DAY),
            f"{line_of_57(2)}the suspension from 2026-11-10 follows one from 2025-11-07 that has "
            "no `last_day`.",
        ),
        (
            "catalogue",
            "measures.yaml",
            suspended(BY_70.replace("CN-2025-70", "CN-2025-99")),
            f"{line_of_57(1)}`suspended` 1, `by` is 'CN-2025-99', which is no clause of the file.",
        ),
        (
            "catalogue",
            "measures.yaml",
            MEASURES.replace('- codes: ["811292"]', '- codes: ["811092"]', 1).encode(),
            "measure CN-2023-23, clause CN-2023-23: `scope` 1, `codes` 1 is '811092', which no "
            "known revision of the HS has.",
        ),
        ("ebc", "rates.zip", b"PK", "no source named 'ebc'"),
    ],
)
def test_a_bad_file_ends_in_one_sentence_and_changes_nothing(
    unchanged: Path, tmp_path: Path, source: str, name: str, payload: bytes, output: str
) -> None:
    file = tmp_path / name
    file.write_bytes(payload)
    before, published = tree(unchanged), digest(unchanged / "kido.duckdb")
    result = run_kido(unchanged, "land", source, str(file))
    assert result.returncode == 1
    assert output in result.stderr
    assert "Traceback" not in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert tree(unchanged) == before
    assert digest(unchanged / "kido.duckdb") == published


def history_zip(*lines: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("eurofxref-hist.csv", "\n".join(("Date,USD,JPY,BGN,CNY,", *lines)) + "\n")
    return buffer.getvalue()


@nightly
def test_a_landed_file_is_a_newer_vintage_and_the_earlier_state_can_be_replayed(
    home: Path, tmp_path: Path
) -> None:
    file = tmp_path / "eurofxref-hist.zip"
    file.write_bytes(
        history_zip("2026-11-02,1.2,180,N/A,7.5,", "2026-10-30,1.1172,175.69,N/A,7.4326,")
    )
    landed = run_kido(home, "land", "ecb", str(file), "--retrieved", "2026-11-03")
    assert landed.returncode == 0, landed.stderr
    assert "eurofxref-hist.zip: landed." in landed.stdout
    again = run_kido(home, "land", "ecb", str(file))
    assert again.returncode == 0
    assert "nothing new" in again.stdout

    def yen(as_of: str) -> dict[str, float]:
        result = run_kido(home, "build", "--as-of", as_of, "--publish")
        assert result.returncode == 0, result.stdout + result.stderr
        with duckdb.connect(str(home / "kido.duckdb"), read_only=True) as connection:
            return {
                str(day): close
                for day, close in connection.execute(
                    "select price_date, close from market.prices where instrument = 'EURJPY' "
                    "and price_date >= '2026-10-29'"
                ).fetchall()
            }

    assert yen(AS_OF) == {"2026-10-29": 175.92, "2026-10-30": 175.69, "2026-11-02": 180.0}
    assert yen("2026-11-02") == {"2026-10-29": 175.92, "2026-10-30": 175.68}

    back = run_kido(home, "rollback")
    assert back.returncode == 0, back.stderr
    with duckdb.connect(str(home / "kido.duckdb"), read_only=True) as connection:
        assert connection.execute(
            "select max(price_date)::varchar from market.prices"
        ).fetchone() == ("2026-11-02",)


@nightly
@pytest.mark.parametrize("is_empty", [True, False], ids=["empty", "published"])
def test_a_build_as_of_a_past_day_knows_only_what_was_known(home: Path, is_empty: bool) -> None:
    """Whatever is published: nothing, or a release of today."""
    if is_empty:
        shutil.rmtree(home)
    result = run_kido(home, "build", "--as-of", "2025-10-20")
    assert result.returncode == 0, result.stdout + result.stderr
    replay = home / "as_of" / "kido-2025-10-20.duckdb"
    assert result.stdout.strip().endswith(str(replay))
    with duckdb.connect(str(replay), read_only=True) as connection:
        # The suspension of 7 November was not known: the clause was to apply from the 8th.
        assert connection.execute(
            "select status, valid_from::varchar, valid_to::varchar from exposure.measure_status "
            "where clause_id = 'CN-2025-57' order by valid_from"
        ).fetchall() == [
            ("announced", "2025-10-09", "2025-11-08"),
            ("in_force", "2025-11-08", None),
        ]
        assert connection.execute(
            "select count(*) from exposure.measures where clause_id like 'CN-2026-%'"
        ).fetchone() == (0,)
        assert connection.execute(
            "select max(price_date)::varchar from market.prices"
        ).fetchone() == ("2025-10-20",)
        # Figures of 2024 count from 1 July 2025.
        assert connection.execute(
            "select max(period_start)::varchar from trade.reported_flows where frequency = 'A'"
        ).fetchone() == ("2024-01-01",)
        # So do the mines of 2024 as the edition of 2025 has them; BACI of 2024 came in 2026.
        assert connection.execute(
            "select world_total_t from dependency.production_shares where year = 2024 "
            "and material = 'rare_earths' and stage = 'extraction' and economy_iso3 = 'CHN'"
        ).fetchone() == (390_000.0,)
        assert connection.execute("select count(*) from trade.baci_flows").fetchone() == (0,)
        assert connection.execute(
            "select as_of::varchar from catalog.releases order by release_id desc limit 1"
        ).fetchall() == [("2025-10-20",)]


def test_a_landed_file_names_which_row_is_quarantined_and_why_and_keeps_its_day(
    home: Path, tmp_path: Path
) -> None:
    lines = ["instrument,date,index", "REMX,2026-09-01,100", "REMX,2126-09-02,101"]
    lines[2:2] = [f"REMX,2026-09-{day:02d},101" for day in range(2, 30)]
    brought = tmp_path / "mine.csv"
    brought.write_text("\n".join([*lines, ""]))
    taken = run_kido(home, "land", "equity_indices", str(brought))
    assert taken.returncode == 0, taken.stderr
    header, row = (line.split() for line in taken.stdout.splitlines()[1:3])
    assert dict(zip(header, row, strict=True)) == {
        "table": "price_quotes", "rows": "29", "new": "29", "quarantined": "1",
    }  # fmt: skip
    assert "Quarantined in " in taken.stdout
    assert "row 30" in taken.stdout
    assert "price date is not in the future (2126-09-02)" in taken.stdout.replace("\n", " ")

    again = run_kido(home, "land", "equity_indices", str(brought), "--retrieved", "2026-09-30")
    assert again.returncode == 1
    assert "is landed already, as retrieved on" in again.stderr


@nightly
def test_a_build_succeeds_while_a_reader_holds_the_published_file(home: Path) -> None:
    reader_script = (
        "import duckdb, sys\n"
        "c = duckdb.connect(sys.argv[1], read_only=True)\n"
        "print(c.execute('select count(*) from market.prices').fetchone()[0], flush=True)\n"
        "sys.stdin.readline()\n"
        "print(c.execute('select count(*) from market.prices').fetchone()[0], flush=True)\n"
    )
    reader = subprocess.Popen(
        [sys.executable, "-c", reader_script, str(home / "kido.duckdb")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert reader.stdout is not None
    before = reader.stdout.readline()
    result = run_kido(home, "build", "--as-of", "2020-06-30", "--publish")
    assert result.returncode == 0, result.stderr
    after, _ = reader.communicate("\n")
    assert after == before
    with duckdb.connect(str(home / "kido.duckdb"), read_only=True) as connection:
        (fewer,) = connection.execute("select count(*) from market.prices").fetchone() or (0,)
    assert 0 < fewer < int(before)


@nightly
def test_a_selection_is_built_and_published_on_the_last_build(home: Path) -> None:
    day = day_of(home)
    result = run_kido(home, "build", "--as-of", day, "--publish", "--select", "key:market/prices")
    assert result.returncode == 0, result.stdout + result.stderr
    with duckdb.connect(str(home / "kido.duckdb"), read_only=True) as connection:
        assert connection.execute("select count(*) from catalog.releases").fetchone() == (2,)
        (count,) = connection.execute(
            "select count(*) from dependency.supplier_shares"
        ).fetchone() or (0,)
        assert count > 0
    # A part that was renewed does not vouch for the rest: the next build runs, the one after not.
    again = ("build", "--as-of", day, "--publish")
    assert "marts built" in run_kido(home, *again).stderr
    assert "Nothing has changed" in run_kido(home, *again).stderr
    wrong = run_kido(home, "build", "--select", "key:market/nothing")
    assert wrong.returncode == 1
    assert "names no asset" in wrong.stderr


@nightly
def test_a_selection_for_which_everything_is_built_is_whole(home: Path) -> None:
    """On another day there is no build to start from: then the release knows its inputs."""
    before = str(date.fromisoformat(day_of(home)) - timedelta(days=1))
    build = ("build", "--as-of", before, "--publish")
    result = run_kido(home, *build, "--select", "key:market/prices")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Nothing has changed" in run_kido(home, *build).stderr


@nightly
def test_a_selection_of_the_lake_takes_along_what_is_made_from_it(home: Path) -> None:
    mine = home / "measures.yaml"
    bundled = CHECKOUT / "dagster_project/bundled/catalogue/measures.yaml"
    text = bundled.read_text("utf8")
    assert text.count("Export licensing of superhard materials") == 1
    mine.write_text(text.replace("Export licensing of superhard materials", "My own title"), "utf8")
    landed = run_kido(home, "land", "catalogue", str(mine))
    assert landed.returncode == 0, landed.stderr
    clauses = len(re.findall(r"^ +- clause: ", text, re.MULTILINE))
    assert re.search(rf"^restriction_clauses +{clauses} ", landed.stdout, re.MULTILINE)
    result = run_kido(
        home, "build", "--as-of", day_of(home), "--publish", "--select", 'key:"lake/catalogue*"'
    )
    assert result.returncode == 0, result.stdout + result.stderr
    with duckdb.connect(str(home / "kido.duckdb"), read_only=True) as connection:
        # A file landed under a bundled name replaces it, and stays when the next build lands ours.
        assert connection.execute(
            "select title from exposure.measures where clause_id = 'CN-2025-55'"
        ).fetchall() == [("My own title",)]
        assert connection.execute("select count(*) from exposure.measures").fetchone() == (112,)


def test_a_file_cannot_have_been_downloaded_tomorrow(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "eurofxref-hist.zip"
    file.write_bytes(history_zip("2026-10-30,1.1172,175.69,N/A,7.4326,"))
    result = run_kido(home, "land", "ecb", str(file), "--retrieved", "2999-01-01")
    assert result.returncode == 1
    assert result.stderr.strip() == "kido: --retrieved 2999-01-01 is after today."


def test_a_wrong_setting_ends_in_one_sentence(tmp_path: Path) -> None:
    result = run_kido(tmp_path, "build", KIDO_AS_OF="soon")
    assert result.returncode == 1
    assert result.stderr.strip() == "kido: KIDO_AS_OF: 'soon' is not a day like 2026-02-06."


KILLS = 50


@nightly
def test_kill_9_at_any_moment_leaves_the_published_file_and_the_next_build_succeeds(
    home: Path, record_property: Callable[[str, object], None]
) -> None:
    started = time.monotonic()
    # Forced: with nothing changed a build is over before anything can be killed.
    assert run_kido(home, "build", "--as-of", AS_OF, "--publish", "--full").returncode == 0
    whole = time.monotonic() - started
    chance = random.Random(20260206)
    published = 0
    for number in range(KILLS):
        # Another day than the last build's: every step has to work, nothing is up to date.
        with duckdb.connect(str(home / "kido.duckdb"), read_only=True) as connection:
            (before,) = connection.execute(
                "select max(release_id) from catalog.releases"
            ).fetchone() or ("",)
        day = f"2026-11-{10 + number % 15}"
        build = start_kido(home, "build", "--as-of", day, "--publish")
        time.sleep(chance.uniform(0.1, whole))
        # One that took less long than the build before it is over already.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(build.group, signal.SIGKILL)
        build.wait()
        with duckdb.connect(str(home / "kido.duckdb"), read_only=True) as connection:
            (after,) = connection.execute(
                "select max(release_id) from catalog.releases"
            ).fetchone() or ("",)
            # Either the release before, whole, or (killed after the rename) the new one, whole.
            assert connection.execute("select count(*) > 10000 from market.prices").fetchone() == (
                True,
            )
            assert after >= before
            published += after > before
    # Forced: where every build was killed before it published, nothing has changed.
    final = run_kido(home, "build", "--as-of", AS_OF, "--publish", "--full")
    assert final.returncode == 0, final.stdout + final.stderr
    assert not list(home.glob(".kido.duckdb.*"))
    assert not list((home / "releases").glob(".new-*"))
    record_property("kills at random moments of a build, the published file is whole", KILLS)
    record_property("of these, kills after it was published", published)


@nightly
def test_a_withdrawn_snapshot_is_in_no_later_release_until_it_is_brought_back(home: Path) -> None:
    listed = run_kido(home, "landed", "usgs_mcs")
    assert listed.returncode == 0, listed.stderr
    (snapshot,) = [
        line.split()[0]
        for line, after in itertools.pairwise(listed.stdout.splitlines())
        if after.strip().startswith("mcs_2025.csv:")
    ]
    refused = run_kido(home, "withdraw", snapshot)
    assert refused.returncode == 1
    assert refused.stderr.startswith("kido: A withdrawal needs a reason. kido withdraw usgs_mcs-")

    def documents() -> list[str]:
        result = run_kido(home, "build", "--as-of", AS_OF, "--publish")
        assert result.returncode == 0, result.stdout + result.stderr
        with duckdb.connect(str(home / "kido.duckdb"), read_only=True) as connection:
            return [
                document
                for (document,) in connection.execute(
                    "select document from catalog.snapshots where source = 'usgs_mcs' order by all"
                ).fetchall()
            ]

    withdrawn = run_kido(home, "withdraw", snapshot, "--because", "superseded")
    assert withdrawn.returncode == 0, withdrawn.stderr
    assert withdrawn.stdout.endswith("Then: kido build.\n")
    bundled = sorted(usgs_mcs.CARD.bundled)
    assert documents() == [name for name in bundled if name != "mcs_2025.csv"]
    assert "Nothing has changed" in run_kido(home, "build", "--as-of", AS_OF, "--publish").stderr
    back = run_kido(home, "reinstate", snapshot)
    assert back.returncode == 0, back.stderr
    assert documents() == bundled
