"""Totals of real publishers and their parts: rounding is nothing, disorder is set apart."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from dagster_project import http
from dagster_project.intake.command import fetch_and_report
from dagster_project.intake.land import land_files
from dagster_project.settings import Settings
from dagster_project.sources.registry import source_named
from tests.conftest import needs_shared
from tests.fakes.comtrade import AREAS, WORLD, FakeComtrade, Flow, as_json, world_total
from tests.integration.marts import Marts
from tests.nightly import is_night, times
from tests.real_trade import FEW_CODES, flows_of_2024

COMTRADE = source_named("comtrade")
DAY = datetime(2025, 11, 24, 12)
NAMES = (
    "trade.reported_flows", "dependency.supplier_shares", "dependency.import_concentration",
    "intermediate.int_trade__list_disagreeing_totals",
)  # fmt: skip
AGREE = NAMES[-1]


@pytest.fixture
def land(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Settings]:
    """Land flows in a home of their own, each list of them as one file."""

    def bring(name: str, *pieces: Sequence[Flow], pinned: bool = True) -> Settings:
        monkeypatch.setenv("KIDO_HOME", str(tmp_path / name))
        files = [tmp_path / f"{name} {number}.json" for number in range(len(pieces))]
        for file, piece in zip(files, pieces, strict=True):
            file.write_bytes(as_json(piece, pinned=pinned))
        land_files(Settings.load(), COMTRADE, files, retrieved=DAY.date())
        return Settings.load()

    return bring


@needs_shared
def test_a_real_year_landed_in_files_makes_the_marts_of_the_fetched_one(
    land: Callable[..., Settings], marts: Marts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files hold the rows of breakdowns too, some of which exceed their totals.

    The year has one of the two codes of natural graphite. A publisher that is asked says that there
    is nothing of the other, files do not: so that group is known in one home alone, and left out.
    """
    codes = () if is_night() else FEW_CODES
    world = [flow for flow in flows_of_2024(codes) if flow.code != "250490"]
    with FakeComtrade(world, key="secret") as comtrade:
        for name, value in {
            "HOME": str(tmp_path / "fetched"),
            "COMTRADE_URL": comtrade.root,
            "COMTRADE_KEY": "secret",
            "COMTRADE_CALLS_PER_MINUTE": "60000",
        }.items():
            monkeypatch.setenv(f"KIDO_{name}", value)
        monkeypatch.setattr(http, "_now", lambda: DAY)
        code = fetch_and_report(
            Settings.load(), COMTRADE, first="2024", last="2024", frequency="A", again=False,
            write=lambda line: None,
        )  # fmt: skip
        assert code == 0
    expected = marts(Settings.load(), COMTRADE, NAMES)
    pieces: dict[int, list[Flow]] = {0: [], 1: [], 2: []}
    for flow in world:
        pieces[random.Random(repr(flow.slice)).randrange(3)].append(flow)
    found = marts(land("landed", *pieces.values(), pinned=False), COMTRADE, NAMES)
    assert expected["trade.reported_flows"].height > 5_000
    for name in NAMES:
        both = [
            frame[name].drop("document", strict=False).sort(pl.all(), nulls_last=True)
            for frame in (found, expected)
        ]
        # What is not published is a difference of large sums.
        assert_frame_equal(*both, rel_tol=1e-6)


# What a publisher prints: a total of what it knows, which is not what it prints.

Rounding = Callable[[float], float]
ROUNDINGS: Mapping[str, Mapping[str, Rounding]] = {
    "tenths of a cent and whole kilograms": {
        "value": lambda amount: round(amount, 3), "weight": lambda amount: float(round(amount)),
    },
    "whole dollars and tonnes with three digits": {
        "value": lambda amount: float(round(amount)),
        "weight": lambda amount: round(round(amount / 1000, 3) * 1000, 3),
    },
    "cents and grams": {
        "value": lambda amount: round(amount, 2), "weight": lambda amount: round(amount, 3),
    },
}  # fmt: skip
REPORTERS = (36, 76, 124, 156, 251, 276, 392, 410, 699, 842)
PARTNERS = (36, 76, 104, 124, 156, 251, 276, 384, 392, 410, 458, 643, 704, 757, 792, 826)
CODES = ("250410", "250490", "280530", "284610", "284690", "811292")


def a_world(seed: int, roundings: Mapping[str, Rounding]) -> list[Flow]:
    """60 slices of one to fifteen partners, from a few cents and grams to ships."""
    chance = random.Random(seed)
    world: list[Flow] = []
    for reporter in REPORTERS:
        for code in CODES:
            others = [one for one in PARTNERS if one != reporter]
            exact = [
                Flow(
                    reporter, partner, "M", code, "2024",
                    10 ** chance.uniform(-2, 8), 10 ** chance.uniform(-2, 7),
                )
                for partner in chance.sample(others, chance.randint(1, 15))
            ]  # fmt: skip
            world += [
                replace(
                    flow, **{name: made(getattr(flow, name)) for name, made in roundings.items()}
                )
                for flow in (*exact, world_total(exact))
            ]
    return world


@pytest.mark.parametrize("kind", ROUNDINGS)
@pytest.mark.parametrize("seed", range(times(12, 1)))
def test_rounding_sets_nothing_apart(
    seed: int, kind: str, land: Callable[..., Settings], marts: Marts
) -> None:
    world = a_world(seed, ROUNDINGS[kind])
    found = marts(land("home", world), COMTRADE, NAMES)
    assert found[AGREE].is_empty()
    assert found["trade.reported_flows"].height == len(world)


Change = Callable[[list[Flow], random.Random], list[Flow]]


def without_a_partner(flows: list[Flow], chance: random.Random) -> list[Flow]:
    """One of more than 1 % of the total by value is lost."""
    total = next(flow.value for flow in flows if flow.partner == WORLD)
    large = [one for one in flows if one.partner != WORLD and one.value > 0.01 * total]
    lost = chance.choice(large)
    return [flow for flow in flows if flow != lost]


def with_a_total_off(by: float, measure: str = "value") -> Change:
    def change(flows: list[Flow], chance: random.Random) -> list[Flow]:
        return [
            replace(flow, **{measure: getattr(flow, measure) * by})
            if flow.partner == WORLD
            else flow
            for flow in flows
        ]

    return change


Frames = Mapping[str, pl.DataFrame]


@pytest.fixture(scope="module")
def undisturbed(
    marts: Marts, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[int], tuple[list[Flow], Frames]]:
    """A world by its seed, and its marts; made once."""

    @cache
    def of_seed(seed: int) -> tuple[list[Flow], Frames]:
        world = a_world(seed, ROUNDINGS["tenths of a cent and whole kilograms"])
        folder = tmp_path_factory.mktemp("whole")
        (folder / "flows.json").write_bytes(as_json(world, pinned=True))
        settings = Settings.load(home=folder / "home")
        land_files(settings, COMTRADE, [folder / "flows.json"], retrieved=DAY.date())
        return world, marts(settings, COMTRADE, NAMES)

    return of_seed


@pytest.mark.parametrize("seed", range(times(6, 1)))
@pytest.mark.parametrize(
    ("change", "measure"),
    [
        (without_a_partner, "value_usd"),
        (with_a_total_off(1.01), "value_usd"),
        (with_a_total_off(0.99), "value_usd"),
        (with_a_total_off(1.01, "weight"), "net_weight_kg"),
    ],
    ids=[
        "a partner is lost",
        "the total is larger",
        "the total is smaller",
        "its weight is larger",
    ],
)
def test_disorder_sets_its_slice_apart_and_changes_no_other_figure(
    change: Change, measure: str, seed: int, land: Callable[..., Settings], marts: Marts,
    undisturbed: Callable[[int], tuple[list[Flow], Frames]],
) -> None:  # fmt: skip
    world, before = undisturbed(seed)
    chance = random.Random(seed)
    slices: dict[tuple[int, str, str, str], list[Flow]] = {}
    for flow in world:
        slices.setdefault(flow.slice, []).append(flow)
    # Where 1 % is more than rounding may be, more than one partner is there to be lost, and each
    # has a weight: what one without it weighs is not known.
    (off,) = chance.sample(
        [
            key
            for key, of_slice in slices.items()
            if len(of_slice) > 3
            and all(flow.weight for flow in of_slice)
            and min(of_slice[-1].value, of_slice[-1].weight or 0) > 10_000
        ],
        1,
    )
    changed = [
        flow
        for key, of_slice in slices.items()
        for flow in (change(of_slice, chance) if key == off else of_slice)
    ]
    after = marts(land("off", changed), COMTRADE, NAMES)
    importer, code = AREAS[off[0]][0], off[2]
    assert after[AGREE].select("reporter_iso3", "commodity_code", "measure").rows() == [
        (importer, code, measure)
    ]

    def made_of_it(frame: pl.DataFrame) -> pl.DataFrame:
        groups = {f"hs_{code}", *(group for group, codes in GROUPS.items() if code in codes)}
        name = "commodity_code" if "commodity_code" in frame.columns else "mineral_group"
        who = "reporter_iso3" if "reporter_iso3" in frame.columns else "importer_iso3"
        return frame.filter(pl.col(who) == importer, pl.col(name).is_in([code, *groups]))

    for name in NAMES[:3]:
        rest = [
            frame[name].drop("document", strict=False).join(
                made_of_it(frame[name]), on=frame[name].columns[:6], how="anti"
            )
            for frame in (before, after)
        ]  # fmt: skip
        assert_frame_equal(rest[0], rest[1], check_row_order=False)
        left = made_of_it(after[name])
        if measure == "value_usd":
            assert left.is_empty(), name
        else:
            assert made_of_it(before[name]).height, name
            weights = left["net_weight_kg"] if "net_weight_kg" in left.columns else left.filter(
                measure="net_weight_kg")["measure"]  # fmt: skip
            assert weights.drop_nulls().is_empty(), name
            assert left.height, name


GROUPS = {
    "rare_earths": ("280530", "284610", "284690"), "natural_graphite": ("250410", "250490"),
}  # fmt: skip


def test_a_total_of_weights_that_nobody_believes_leaves_the_values_and_names_itself(
    land: Callable[..., Settings], marts: Marts
) -> None:
    """Magnets worth 333 million dollars with a printed weight of 1 kg."""
    parts = [
        Flow(484, 156, "M", "850511", "2024", 269_538_997.0, 13_436_737.0),
        Flow(484, 842, "M", "850511", "2024", 27_195_751.0, 720_815.0),
    ]
    world = [*parts, replace(world_total(parts), weight=1.0)]
    found = marts(land("home", world), COMTRADE, NAMES)
    assert found[AGREE].select("measure", "printed_total", "sum_of_parts", "parts").rows() == [
        ("net_weight_kg", 1.0, 14_157_552.0, 2)
    ]
    flows = found["trade.reported_flows"]
    assert flows["value_usd"].sum() == 2 * (269_538_997 + 27_195_751)
    assert flows["net_weight_kg"].drop_nulls().is_empty()
    assert set(found["dependency.supplier_shares"]["measure"]) == {"value_usd"}
