"""One day of work on a published warehouse, and the two builds that it ends with.

A month, a country, prices and notices land, nine scenarios do, the catalogue has one measure more,
one publisher is silent and one sends HTML. The first build publishes all of it. Then two slips
land, and the second build is blocked. What came of either is looked at by several modules.
"""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import duckdb
import polars as pl

from dagster_project.settings import BUNDLED as PRODUCT_BUNDLED
from tests import other_lists
from tests.e2e.conftest import BUNDLED, run_kido, start_kido
from tests.fakes import gta, paged
from tests.fakes.comtrade import FakeComtrade
from tests.fakes.ecb import FakeEcb
from tests.fakes.gta import FakeGta, intervention
from tests.fakes.japan_customs import FakeJapanCustoms, Line, csv_of
from tests.fakes.mofcom import COLUMN, Entry, FakeMofcom
from tests.fakes.paged import FakePaged
from tests.fakes.server import repeating, silent
from tests.homes import copy_of

# A month of British customs.

MONTHS = PRODUCT_BUNDLED / "hmrc" / "monthly_flows.csv"
NEW_MONTH, KILOGRAMS = "2026-07", 110_000


def with_a_month(folder: Path) -> Path:
    """The bundled months of the United Kingdom, and one more in which each trade grew."""
    months = pl.read_csv(MONTHS, infer_schema=False)
    grown = (
        (pl.col(name).cast(pl.Float64) * 1.05).round(2).cast(pl.String)
        for name in ("value_usd", "net_weight_kg")
    )
    july = months.filter(pl.col("period") == "2026-06").with_columns(
        *grown, period=pl.lit(NEW_MONTH)
    )
    is_line = (
        (pl.col("partner_iso3") == "CHN")
        & (pl.col("flow") == "import")
        & (pl.col("commodity_code") == "rare_earth_magnets")
    )
    weight = pl.when(is_line).then(pl.lit(str(KILOGRAMS))).otherwise(pl.col("net_weight_kg"))
    file = folder / MONTHS.name
    pl.concat([months, july.with_columns(net_weight_kg=weight)]).write_csv(file)
    return file


# Japan's customs with two codes of countries that no list has; one is found to be Tuvalu.

NEW, UNKNOWN = "999", "998"


def customs_files(folder: Path) -> list[str]:
    """A year's page and file: sixty lines of China, and one of each new country."""
    amounts = {1: (0, 1000, 1000), 2: (0, 2000, 2500)}
    lines = [Line(f"2805300{code}", "105", amounts) for code in range(10, 70)]
    lines += [Line("280530010", code, {1: (0, 7, 77)}) for code in (NEW, UNKNOWN)]
    server = FakeJapanCustoms()
    server.publish("import", 2026, {1: "確報", 2: "確報"}, lines)
    page = server._month_page("import", 2026, server.years["import", 2026]).encode()
    (folder / "page.html").write_bytes(page)
    (folder / "figures.csv").write_bytes(csv_of("import", 2026, lines))
    return [str(folder / "page.html"), str(folder / "figures.csv")]


# Private figures and texts, with canaries.

CANARY_TEXT, CANARY_PRICE = "CANARYAGENCY", 918273645.25
CANARY_ACT, CANARY_NUMBER = "CANARYMETAL", 736481925
PRICES_HEADER = (
    "price_date,product_code,product_name,purity,basis,incoterm,location,currency,unit,low,high,"
    "mid,vat_included,source,source_licence,source_ref,received_at"
)


def price_file(folder: Path, price: float = CANARY_PRICE) -> str:
    """Forty prices of dysprosium, and one of a day in the future, which is quarantined."""
    days = [date(2026, 9, 1) + timedelta(days=number) for number in range(40)]
    lines = [
        f"{day},DY_OX,,>=99.5%,spot,FOB,China,USD,kg,,,{price},false,{CANARY_TEXT},mine,,"
        for day in (*days, date(2099, 1, 1))
    ]
    file = folder / f"my_prices_{'first' if price == CANARY_PRICE else 'corrected'}.csv"
    file.write_text("\n".join([PRICES_HEADER, *lines]) + "\n", "utf8")
    return str(file)


ACT, FIRST_DAY = 980, datetime.now(UTC).date() - timedelta(days=60)


def interventions() -> list[dict[str, Any]]:
    """Forty acts of Global Trade Alert, all named alike, and one of a day in the future, which is
    quarantined.
    """
    days = [FIRST_DAY + timedelta(days=number) for number in range(40)]
    return [
        intervention(
            CANARY_NUMBER * 100 + number,
            f"China: Export ban on gallium, {CANARY_ACT}",
            f"{day}",
            intervention_description=[{"description": f"<p>{CANARY_ACT} is banned.</p>"}],
        )
        for number, day in enumerate((*days, date(2099, 1, 1)))
    ]


def fetch_interventions(home: Path) -> CompletedProcess[str]:
    with FakeGta(interventions()) as server:
        return run_kido(home, "fetch", "gta", KIDO_GTA_URL=server.base_url, KIDO_GTA_KEY=gta.KEY)


# Notices of China's ministry.

TODAY = f"{datetime.now(UTC):%Y-%m-%d}"
NUMBER = f"{datetime.now(UTC):%Y}-987"
TITLE = f"商务部 海关总署公告{NUMBER[:4]}年第987号 公布对镓相关物项实施出口管制的决定"
KNOWN = Entry("商务部公告2026年第1号 关于加强两用物项对日本出口管制的公告", "2026-01-06")
TYRES = Entry("商务部公告2026年第986号 关于轮胎反倾销调查的公告", "2026-01-08")
OF_THAT_DAY = Entry(f"商务部公告2026年第{ACT}号 公布对镓的决定", f"{FIRST_DAY}")


def fetch_notices(home: Path, *entries: Entry) -> CompletedProcess[str]:
    with FakeMofcom() as ministry:
        ministry.columns[COLUMN] = list(entries)
        return run_kido(
            home, "fetch", "mofcom",
            KIDO_MOFCOM_URL=ministry.base_url, KIDO_MOFCOM_CALLS_PER_MINUTE="6000",
        )  # fmt: skip


# Scenarios, one file each.

CHINA_2024 = 15_981.526
"""Tonnes of rare earths that Japan imported from China in 2024, by UN Comtrade."""

HEAD = "importer: JPN\ngroups: [rare_earths]\nchanges:\n"
CHANGES = [
    "  - {cut: CHN, share: 0.25, from: 2031-04}\n",
    "  - {cut: CHN, share: 0.5, from: 2031-07}\n",
    "  - {shift: CHN, to: AUS, share: 0.1, from: 2031-04}\n",
    "  - {add: MYS, tonnes: [900, 1200], from: 2031-07}\n",
    "  - {lift: CN-2025-18, on: 2031-06-30}\n",
]
HALF = CHINA_2024 / 2
LANDED: Mapping[str, list[str]] = {
    "nothing": ["  - {cut: CHN, share: 0, from: 2031-04}\n"],
    "there_and_back": [
        "  - {shift: CHN, to: VNM, share: 0.2, from: 2031-04}\n",
        "  - {shift: VNM, to: CHN, share: 0.2, from: 2031-04}\n",
    ],
    "lost_and_added": [
        "  - {cut: CHN, share: 0.5, from: 2031-01}\n",
        f"  - {{add: CHN, tonnes: {HALF!r}, from: 2031-01}}\n",
    ],
    "in_order": CHANGES,
    "out_of_order": CHANGES[::-1],
    "lifted": [
        "  - {lift: CN-2025-18, on: 2031-06-30}\n",
        "  - {lift: CN-2026-1, on: 2031-06-30}\n",
    ],
    "two_shifts": [
        "  - {shift: CHN, to: VNM, share: 0.45, from: 2031-01}\n",
        "  - {shift: CHN, to: AUS, share: 0.5, from: 2031-01}\n",
    ],
    "plant_and_mine": [
        "  - {add: FRA, project: CAREMAG_LACQ_HEAVY, relief: as_announced}\n",
        "  - {add: JPN, project: MINAMITORISHIMA, relief: commercial}\n",
        "  - {add: JPN, project: MINAMITORISHIMA, relief: trial}\n",
    ],
    "extended": ["  - {extend: CN-2010-07-QUOTA, until: 2031-06-30}\n"],
}
CERIUM = "groups: [hs_284610]"
"""Of the code of cerium: no clause on it has been in force since the quotas ended."""


def scenario_file(folder: Path, name: str) -> Path:
    text = f"scenario: {name}\ntitle: {name}\n{HEAD}{''.join(LANDED[name])}"
    if name == "extended":
        text = text.replace("groups: [rare_earths]", CERIUM)
    file = folder / f"{name}.yaml"
    file.write_text(text, "utf8")
    return file


# Publishers that are asked by the build, and the catalogue that it reads.

PASSWORD = "pa55word-of-the-mirror"
BASIC = base64.b64encode(f"reader:{PASSWORD}".encode()).decode()
FLOWS = [("KOR", "CHN", "284690", 75.0), ("KOR", "VNM", "284690", 25.0)]
ADDED = """
  - measure: CN-2026-99
    title: Export licensing of copper cathodes
    implementer: CHN
    official_reference: 99/2026
    direction: restrict
    gta_code: "35"
    clauses:
      - clause: CN-2026-99
        announced: 2026-11-20
        effective: 2026-11-24
        evidence: official
        scope:
          - codes: ["740311"]
            minerals: [copper]
            share: [1, 1]
            basis: whole_code
"""


@dataclass
class Publishers:
    silent: FakeComtrade
    confused: FakeEcb
    well: FakePaged

    @property
    def environment(self) -> dict[str, str]:
        return {
            "KIDO_CHECK_NAMES": "false",
            "KIDO_TIMEOUT_S": "1",
            "KIDO_COMTRADE_URL": self.silent.root,
            "KIDO_COMTRADE_KEY": "secret",
            "KIDO_ECB_URL": self.confused.root.replace("://", f"://reader:{PASSWORD}@"),
            "KIDO_ECB_ENABLED": "true",
            "KIDO_MADE_UP_URL": self.well.root,
            "KIDO_MADE_UP_ENABLED": "true",
        }


@contextmanager
def publishers_in_trouble() -> Iterator[Publishers]:
    with ExitStack() as stack:
        no_answer = stack.enter_context(FakeComtrade(key="secret"))
        confused = stack.enter_context(FakeEcb())
        well = stack.enter_context(FakePaged({"2024": FLOWS, "2025": FLOWS}))
        no_answer.always(silent())
        confused.always(repeating(f"Maintenance for {PASSWORD}, Basic {BASIC}", 200, "text/html"))
        yield Publishers(no_answer, confused, well)


def with_a_measure_more(source: Path, folder: Path) -> None:
    """Bundled files like those of `source`, with one edit of the catalogue."""
    folder.mkdir()
    for item in source.iterdir():
        if item.name == "catalogue":
            shutil.copytree(item, folder / item.name)
        else:
            (folder / item.name).symlink_to(item)
    measures = folder / "catalogue" / "measures.yaml"
    text = measures.read_text("utf8")
    assert text.endswith("\n...\n")
    measures.write_text(text.removesuffix("...\n") + ADDED + "...\n", "utf8")


# Two slips.

SLIP = "BACI_HS17_Y2024_V202602.csv"


def slip_of_baci(folder: Path) -> Path:
    """Five flows of magnets in place of all of 2024."""
    file = folder / SLIP
    file.write_text(
        "t,i,j,k,v,q\n"
        + "".join(
            f"2024,490,{importer},850511,{value},100\n"
            for importer, value in ((392, 20000), (842, 1000), (276, 1000), (410, 1000), (704, 40))
        )
    )
    return file


# The day.


@dataclass(frozen=True)
class Work:
    """A home after all of it, the home of the blocked build, and what each command printed."""

    folder: Path

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def blocked_home(self) -> Path:
        return self.folder / "blocked" / "home"

    @property
    def public(self) -> Path:
        return self.folder / "public"

    @cached_property
    def printed(self) -> dict[str, CompletedProcess[str]]:
        record = json.loads((self.folder / "printed.json").read_text("utf8"))
        return {name: CompletedProcess(**result) for name, result in record["printed"].items()}

    @cached_property
    def seen(self) -> dict[str, list[dict[str, Any]]]:
        """The requests that the silent and the confused publisher got."""
        seen: dict[str, list[dict[str, Any]]] = json.loads(
            (self.folder / "printed.json").read_text("utf8")
        )["seen"]
        return seen

    def query(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.home / "kido.duckdb"), read_only=True) as connection:
            return connection.execute(sql, list(parameters)).fetchall()


def with_lists(economies: Path) -> None:
    """Let this process know the new country and the publisher that is made up."""
    paged.add()
    other_lists.use_economies(economies)


def day_of_work(folder: Path, small: Path, few_flows: Path) -> None:
    """Make a folder as `Work` reads it."""
    with_a_measure_more(few_flows, folder / BUNDLED)
    home = copy_of(small, folder)
    (home / "dagster").mkdir(exist_ok=True)
    economies = folder / "economies.csv"
    other_lists.economies_with(economies, "japan_customs_code", NEW, "TUV")
    prepare = partial(with_lists, economies)
    printed = {
        "land month": run_kido(home, "land", "hmrc", str(with_a_month(folder))),
        "land": run_kido(home, "land", "japan_customs", *customs_files(folder)),
        "land prices": run_kido(home, "land", "rare_earth_prices", price_file(folder)),
        "fetch gta": fetch_interventions(home),
        "fetch mofcom": fetch_notices(home, Entry(TITLE, TODAY), OF_THAT_DAY, TYRES, KNOWN),
        "list": run_kido(home, "quarantine"),
        "show": run_kido(home, "quarantine", "japan_customs", "--json"),
    }
    for name in LANDED:
        file = scenario_file(folder, name)
        printed[f"scenario {name}"] = run_kido(home, "scenario", str(file), "--no-build")
    replay = ("quarantine", "replay", "japan_customs")
    printed["replay"] = start_kido(home, *replay, prepare=prepare).wait()
    with publishers_in_trouble() as publishers:
        environment = publishers.environment
        printed["build"] = start_kido(home, "build", prepare=prepare, **environment).wait()
        seen = {
            name: [asdict(request) for request in server.requests]
            for name, server in (("silent", publishers.silent), ("confused", publishers.confused))
        }
    printed |= after_the_build(home, folder, prepare)
    blocked = blocked_build(home, folder, prepare)
    record = {name: vars(result) for name, result in (printed | blocked).items()}
    (folder / "printed.json").write_text(json.dumps({"printed": record, "seen": seen}), "utf8")
    for command, result in printed.items():
        assert result.returncode == 0, f"{command}: {result.stdout}{result.stderr}"


def after_the_build(
    home: Path, folder: Path, prepare: Callable[[], None]
) -> dict[str, CompletedProcess[str]]:
    extended = scenario_file(folder, "extended")
    return {
        "nothing": start_kido(home, "build", prepare=prepare).wait(),
        "scenario": start_kido(home, "scenario", str(extended), prepare=prepare).wait(),
        "docs": run_kido(home, "docs"),
        "changes": run_kido(home, "changes"),
        "answers": run_kido(home, "answers"),
        "notices": run_kido(home, "notices"),
        "public": run_kido(home, "export", "--parquet", str(folder / "public"), "--public"),
    }


def blocked_build(
    home: Path, folder: Path, prepare: Callable[[], None]
) -> dict[str, CompletedProcess[str]]:
    other = folder / "blocked"
    other.mkdir()
    (other / BUNDLED).symlink_to(folder / BUNDLED)
    copy = Path(shutil.copytree(home, other / "home"))
    slip = str(slip_of_baci(folder))
    return {
        "slip refused": run_kido(copy, "land", "baci", slip),
        "slip": run_kido(copy, "land", "baci", slip, "--replace"),
        "corrected": run_kido(
            copy, "land", "rare_earth_prices", price_file(folder, 1.0), "--replace"
        ),
        "blocked": start_kido(copy, "build", prepare=prepare).wait(),
    }
