"""Worlds that are made up: who produces what, who sells to whom, and what of it is printed.

What the models say of such a world from what is printed must hold what it was made from. A world
is a year of its own, so that all of them are computed at once.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any

import duckdb
import polars as pl
import pytest

from tests.dbt_project import Project, make
from tests.nightly import times

ECONOMIES = ("AUT", "BEL", "DEU", "CHN", "JPN", "VNM", "USA")
UNION = ("AUT", "BEL", "DEU")
WORLDS = times(400, 60)
MODELS = (
    "intermediate.int_trade__list_both_sides",
    "intermediate.int_dependency__choose_group_editions",
    "intermediate.int_dependency__sum_group_trade",
    "intermediate.int_dependency__list_output",
    "dependency.import_reliance",
    "intermediate.int_dependency__list_supply_shares",
    "intermediate.int_dependency__list_insiders",
    "intermediate.int_dependency__pass_through_hubs",
    "dependency.indirect_dependence",
)
"""From flows and lists of producers to what stands behind a supplier, parents first."""

Shares = Mapping[tuple[str, str], float]


@dataclass
class World:
    """Tons of one good: `output` by economy, `flows` by exporter and importer. `own` is the part of
    an economy's exports that it made itself. `printed` has amount, least and largest amount.
    """

    year: int
    output: dict[str, float] = field(default_factory=dict)
    flows: dict[tuple[str, str], float] = field(default_factory=dict)
    unweighed: set[tuple[str, str]] = field(default_factory=set)
    own: dict[str, float] = field(default_factory=dict)
    printed: dict[str, tuple[float | None, float, float]] = field(default_factory=dict)

    def members(self, economy: str) -> tuple[str, ...]:
        return UNION if economy == "EU27" else (economy,)

    def bought(self, economy: str) -> dict[str, float]:
        """Imports by supplier; of the Union from outside."""
        within = self.members(economy)
        found: dict[str, float] = defaultdict(float)
        for (seller, buyer), amount in self.flows.items():
            if buyer in within and seller not in within:
                found[seller] += amount
        return dict(found)

    def sold(self, economy: str) -> float:
        within = self.members(economy)
        return sum(
            amount
            for (seller, buyer), amount in self.flows.items()
            if seller in within and buyer not in within
        )

    def made(self, economy: str) -> float:
        return sum(self.output[member] for member in self.members(economy))

    def sources(self, economy: str) -> dict[str, float]:
        bought = self.bought(economy)
        return {seller: amount / sum(bought.values()) for seller, amount in bought.items()}

    def origins(self, importer: str, depth: int) -> dict[str, float]:
        """Share of an importer's goods by who made them, or who sold them to the last hub.

        Goods that came from the importer itself are nobody's.
        """
        within = self.members(importer)
        found: dict[str, float] = defaultdict(float)
        for seller, share in self.sources(importer).items():
            found[seller] += share * self.own[seller]
            passed = share * (1 - self.own[seller])
            for before, part in self.sources(seller).items():
                own = 1 if depth == 1 else self.own[before]
                if before not in within:
                    found[before] += passed * part * own
                    if depth == 2:
                        for first, piece in self.sources(before).items():
                            if first not in {*within, seller}:
                                found[first] += passed * part * (1 - own) * piece
        return found


def a_world(year: int) -> World:
    """Nobody exports more than it makes and buys. Some make nothing, some are not in the list of
    producers or withheld from it, and a rest is printed of those that are left out.
    """
    chance = random.Random(year)
    world = World(year)
    for pair in permutations(ECONOMIES, 2):
        if chance.random() < 0.5:
            world.flows[pair] = round(10 ** chance.uniform(-1, 3), 3)
            if chance.random() < 0.1:
                world.unweighed.add(pair)
    for economy in ECONOMIES:
        bought, sold = sum(world.bought(economy).values()), world.sold(economy)
        least = max(0.0, sold - bought)
        more = chance.choice((0.0, 0.0, 10 ** chance.uniform(-1, 3)))
        world.output[economy] = made = least + more
        if sold:
            largest = min(1.0, made / sold)
            least_own = made / (made + bought)
            world.own[economy] = chance.uniform(min(least_own, largest), largest)
    left_out = []
    for economy, made in world.output.items():
        kind = chance.choice(("printed", "printed", "rounded", "withheld", "left out"))
        if kind == "printed":
            world.printed[economy] = (made, made, made)
        elif kind == "rounded":
            world.printed[economy] = (made, made * 0.95, made * 1.05)
        elif kind == "withheld":
            world.printed[economy] = (None, 0.0, made * chance.uniform(1, 3) + 1)
        else:
            left_out.append(made)
    if sum(left_out):
        world.printed["_X"] = (sum(left_out),) * 3
    return world


@pytest.fixture(scope="module")
def worlds() -> Mapping[int, World]:
    return {year: a_world(year) for year in range(2010, 2010 + WORLDS)}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project(tmp_path_factory.mktemp("target"))


@pytest.fixture
def connection(project: Project) -> Iterator[duckdb.DuckDBPyConnection]:
    """Empty tables of all models and seeds, as the project declares them."""
    with duckdb.connect() as made:
        made.execute("attach ':memory:' as kido; use kido")
        for node in (*project.models, *project.seeds):
            made.execute(f"create schema if not exists {node['schema']}")
            columns = ", ".join(
                f'"{name}" {column["data_type"] or "varchar"}'
                for name, column in node["columns"].items()
            )
            if columns:
                made.execute(f"create table {node['schema']}.{node['alias']} ({columns})")
        yield made


def fill(connection: duckdb.DuckDBPyConnection, name: str, rows: list[dict[str, Any]]) -> None:
    """Rows of an input; columns that they do not have are null."""
    frame = pl.DataFrame(rows, infer_schema_length=None)
    connection.register("frame", frame)
    connection.execute(f"delete from {name}; insert into {name} by name from frame")
    connection.unregister("frame")


def computed(
    connection: duckdb.DuckDBPyConnection, project: Project, worlds: Mapping[int, World],
    *, with_gaps: bool = False,
) -> None:  # fmt: skip
    """The models of all worlds, of which one US dollar is a kilogram."""
    day = {year: f"{year}-01-01" for year in worlds}
    fill(
        connection, "reference.economies",
        [
            {"economy_iso3": economy, "is_eu27": economy in UNION, "is_group": economy == "EU27"}
            for economy in (*ECONOMIES, "EU27", "_X", "WLD")
        ],
    )  # fmt: skip
    fill(connection, "seeds.seed_commodities", [{"hs6_code": "280530"}])
    fill(
        connection, "reference.mineral_group_codes",
        [{"mineral_group": "g", "hs6_code": "280530"}],
    )  # fmt: skip
    fill(
        connection, "intermediate.int_trade__choose_reconciled_slices",
        [
            {
                "source": "baci", "hs6_code": "280530", "hs_revision": "HS2017",
                "period_start": day[year],
            }
            for year in worlds
        ],
    )  # fmt: skip
    fill(
        connection, "staging.stg_lake__reconciled_trade",
        [
            {
                "source": "baci", "exporter_iso3": seller, "importer_iso3": buyer,
                "hs6_code": "280530", "hs_revision": "HS2017", "period_start": day[year],
                "value_usd": amount * 1000, "snapshot_id": "b",
                "net_weight_kg":
                    None if with_gaps and (seller, buyer) in world.unweighed else amount * 1000,
            }
            for year, world in worlds.items()
            for (seller, buyer), amount in world.flows.items()
        ],
    )  # fmt: skip
    fill(
        connection, "seeds.seed_trade_groups_of_materials",
        [{"material": "m", "stage": "processing", "mineral_group": "g", "is_output": True}],
    )  # fmt: skip
    fill(
        connection, "dependency.production_shares",
        [
            {
                "material": "m", "stage": "processing", "year": year, "economy_iso3": economy,
                "source": "usgs", "amount_t": amount, "amount_low_t": low, "amount_high_t": high,
                "reference_period": str(year), "snapshot_ids": ["m"],
            }
            for year, world in worlds.items()
            for economy, (amount, low, high) in world.printed.items()
        ],
    )  # fmt: skip
    models = dict(project.compiled())
    for name in MODELS:
        make(connection, name, models[name])


def near(low: float | None, true: float, high: float | None) -> bool:
    """Whether a figure lies between bounds; a bound that is not known holds all."""
    return (low is None or low <= true + 1e-9) and (high is None or true <= high + 1e-9)


def test_reliance_and_own_parts_hold_what_a_world_was_made_from(
    connection: duckdb.DuckDBPyConnection, project: Project, worlds: Mapping[int, World]
) -> None:
    computed(connection, project, worlds)
    rows = connection.sql(
        "select year, economy_iso3, imports_t, exports_t, production_t, production_low_t, "
        "production_high_t, own_share_low, own_share_high, import_reliance_ec, "
        "import_reliance_low, import_reliance_high from dependency.import_reliance"
    ).fetchall()
    narrow = 0
    for (
        year, economy, imports, exports, production, least, most, own_low, own_high, reliance,
        low, high,
    ) in rows:  # fmt: skip
        world = worlds[year]
        bought, sold = sum(world.bought(economy).values()), world.sold(economy)
        made = world.made(economy)
        assert (imports, exports) == (pytest.approx(bought), pytest.approx(sold))
        assert production is None or production == pytest.approx(made)
        assert near(least, made, most)
        if bought + made:
            assert near(own_low, made / (made + bought), own_high)
        if made + bought - sold > 1e-6:
            true = min(max((bought - sold) / (made + bought - sold), 0), 1)
            assert near(low, true, high)
            assert reliance is None or reliance == pytest.approx(true)
            narrow += low is not None and high - low < 0.2
    # Bounds of all and nothing hold as well, and say nothing.
    assert narrow > len(rows) / 3


def test_what_stands_behind_a_supplier_holds_what_a_world_was_made_from(
    connection: duckdb.DuckDBPyConnection, project: Project, worlds: Mapping[int, World]
) -> None:
    computed(connection, project, worlds)
    found: dict[tuple[int, str, int], dict[str, tuple[float, float]]] = defaultdict(dict)
    for year, importer, depth, origin, low, high in connection.sql(
        "select year, importer_iso3, depth, origin_iso3, total_share_low, total_share_high "
        "from dependency.indirect_dependence"
    ).fetchall():
        found[year, importer, depth][origin] = (low, high)
    assert len({importer for _, importer, _ in found}) == len(ECONOMIES) + 1
    narrow = 0
    for (year, importer, depth), bounds in found.items():
        truth = worlds[year].origins(importer, depth)
        assert sum(truth.values()) <= 1 + 1e-9
        for origin, share in truth.items():
            low, high = bounds.get(origin, (0.0, 0.001))
            assert near(low, share, high), (year, importer, depth, origin)
            narrow += high - low < 0.2
    assert narrow > len(found)


def test_a_sum_of_economies_is_that_of_its_flows_where_most_of_it_is_weighed(
    connection: duckdb.DuckDBPyConnection, project: Project, worlds: Mapping[int, World]
) -> None:
    computed(connection, project, worlds, with_gaps=True)
    known = 0
    for year, economy, imports in connection.sql(
        "select year, economy_iso3, imports_gross_t "
        "from intermediate.int_dependency__sum_group_trade"
    ).fetchall():
        world, within = worlds[year], worlds[year].members(economy)
        inward = {
            pair: amount
            for pair, amount in world.flows.items()
            if pair[1] in within and pair[0] not in within
        }
        weighed = sum(amount for pair, amount in inward.items() if pair not in world.unweighed)
        whole = sum(inward.values())
        if abs(weighed - 0.95 * whole) > 1e-6:
            expected = pytest.approx(weighed) if weighed >= 0.95 * whole else None
            assert imports == expected
            known += imports is not None
    assert known > WORLDS


def test_no_material_is_ranked_above_one_that_is_riskier_for_sure(
    connection: duckdb.DuckDBPyConnection, project: Project
) -> None:
    chance = random.Random(58)
    risks = {
        (importer, material): (low, low + chance.choice((0, chance.uniform(0, 4))))
        for importer in ECONOMIES
        for material in "abcdefghijkl"
        for low in [round(chance.uniform(0, 5), 1)]
    }
    fill(
        connection, "dependency.supply_risk",
        [
            {
                "assessment": "kido 2024", "method": "ec_2017", "consumer_iso3": importer,
                "material": material, "stage": "processing", "year": 2024,
                "supply_used": "global_and_consumer", "import_reliance": 1.0,
                "supply_risk": low if low == high else None,
                "supply_risk_low": low, "supply_risk_high": high, "snapshot_ids": ["a"],
            }
            for (importer, material), (low, high) in risks.items()
        ],
    )  # fmt: skip
    make(connection, "dependency.risk_ranking", dict(project.compiled())["dependency.risk_ranking"])
    ranks = {
        (importer, material): (rank, may_outrank)
        for importer, material, rank, may_outrank in connection.sql(
            "select importer_iso3, material, rank_low, may_outrank from dependency.risk_ranking"
        ).fetchall()
    }
    assert ranks.keys() == risks.keys()
    for (importer, material), (low, _) in risks.items():
        riskier = [key for key, (other, _) in risks.items() if key[0] == importer and other > low]
        assert ranks[importer, material][0] == 1 + len(riskier)
    for importer in ECONOMIES:
        for first, second in permutations("abcdefghijkl", 2):
            (low, high), (rank, _) = risks[importer, first], ranks[importer, first]
            other_rank, may_outrank = ranks[importer, second]
            if low > risks[importer, second][1]:
                assert rank < other_rank
            may = other_rank <= rank and risks[importer, second][0] < high
            assert (first in may_outrank) == may
