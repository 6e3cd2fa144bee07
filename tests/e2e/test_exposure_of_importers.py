"""What clauses hit of importers' trade in the default warehouse, worked out by hand from the rows
of the publishers; and what must hold of every row."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any

import polars as pl
import pytest

from dagster_project.settings import BUNDLED

Rows = Callable[..., list[tuple[Any, ...]]]


@cache
def lines(source: str, file: str) -> Sequence[Mapping[str, str]]:
    with (BUNDLED / source / file).open(encoding="utf8", newline="") as opened:
        return list(csv.DictReader(opened))


def hmrc() -> Sequence[Mapping[str, str]]:
    return lines("hmrc", "monthly_flows.csv")


@cache
def baci() -> pl.DataFrame:
    """The bundled flows of BACI: of a code and year in two editions the newer one."""
    files = sorted((BUNDLED / "baci").glob("flows_*"))
    frames = [
        pl.read_parquet(file)
        if file.suffix == ".parquet"
        else pl.read_csv(file, schema_overrides={"hs6_code": pl.String})
        for file in files
    ]
    flows = pl.concat(frames, how="vertical_relaxed")
    newest = pl.col("hs_revision").max().over("hs6_code", "year")
    return flows.filter(
        pl.col("hs_revision") == newest, pl.col("exporter_iso3") != pl.col("importer_iso3")
    )


YEAR_2024 = (date(2024, 1, 1), date(2024, 12, 31))
YEAR_2009 = (date(2009, 1, 1), date(2009, 12, 31))

# CEPII BACI, US dollars: Japan's imports from China, and from everyone; the world's exports,
# China's and Japan's own.
BACI_2024 = {
    "280530": (61_966_651, 254_277_760, 521_199_093, 110_033_523, 11_621_020),
    "284690": (124_369_684, 214_094_500, 2_397_016_940, 381_785_750, 146_152_810),
    "850511": (156_879_570, 568_756_873, 4_962_889_102, 3_109_644_424, 428_329_896),
}
BACI_2009 = {
    "280530": (65_085_744, 80_767_850, 116_163_206, 85_058_486, 2_863_432),
    "284610": (27_456_919, 37_553_288, 174_680_731, 60_746_123, 52_212_096),
    "284690": (61_223_272, 120_279_326, 471_748_551, 190_195_606, 94_145_261),
}


@pytest.mark.parametrize(
    ("clause", "flows", "baseline", "gap", "low"),
    [
        ("CN-2025-18", BACI_2024, YEAR_2024, 0, 0),
        # Announced in 2026; nothing of 2025 is out. Aimed at end users: maybe nothing of it.
        ("CN-2026-1", BACI_2024, YEAR_2024, 1, 0),
        # The whole codes, so that the low bound is everything.
        ("CN-2010-09-JPBAN", BACI_2009, YEAR_2009, 0, 1),
    ],
)
def test_what_clauses_hit_of_japans_rare_earths(
    rows: Rows,
    clause: str,
    flows: dict[str, tuple[int, ...]],
    baseline: tuple[date, date],
    gap: int,
    low: int,
) -> None:
    found = {
        code: row
        for code, *row in rows(
            "select commodity_code, baseline_frequency, baseline_from, baseline_to, "
            "baseline_gap_years, source, is_basket, baseline_value_usd, exposed_value_low_usd, "
            "exposed_value_high_usd, exposed_share_low, exposed_share_high, "
            "other_exporters_share from exposure.importer_exposure "
            "where importer_iso3 = 'JPN' and clause_id = ?",
            clause,
        )
        if code in flows
    }
    assert found.keys() == flows.keys()
    for code, (from_china, imports, world, of_china, of_japan) in flows.items():
        assert found[code][:6] == ["A", *baseline, gap, "baci", False]
        assert found[code][6:] == pytest.approx(
            [
                from_china,
                low * from_china,
                from_china,
                low * from_china / imports,
                from_china / imports,
                1 - of_china / (world - of_japan),
            ]
        )


def test_the_shares_of_japan_are_those_that_one_works_out(rows: Rows) -> None:
    """61,966,651 / 254,277,760; 124,369,684 / 214,094,500; 156,879,570 / 568,756,873. Others export
    1 - 110,033,523 / (521,199,093 - 11,621,020) of 280530, and so on.
    """
    found = rows(
        "select commodity_code, round(exposed_share_high, 4), "
        "round(other_exporters_share, 4) from exposure.importer_exposure "
        "where importer_iso3 = 'JPN' and clause_id = 'CN-2025-18' and reason is null order by all"
    )
    assert found == [
        ("280530", 0.2437, 0.7841),
        ("284690", 0.5809, 0.8304),
        ("850511", 0.2758, 0.3142),
    ]


def test_the_baseline_agrees_with_the_published_shares(rows: Rows) -> None:
    """Of annual ones, the share of the supplier: 1 row of a code is 1 row of its group."""
    ((compared, apart),) = rows(
        "select count(*), count(*) filter (where abs(shares.share - exposures.baseline_share) "
        "> 1e-12 or shares.source <> exposures.source) "
        "from exposure.importer_exposure as exposures "
        "inner join (select distinct clause_id, implementer_iso3 from exposure.measures) "
        "as clauses using (clause_id) "
        "left join dependency.supplier_shares as shares "
        "on shares.importer_iso3 = exposures.importer_iso3 "
        "and shares.mineral_group = if(is_basket, commodity_code, 'hs_' || commodity_code) "
        "and shares.supplier_iso3 = clauses.implementer_iso3 and shares.frequency = 'A' "
        "and shares.period_start = exposures.baseline_from and shares.measure = 'value_usd' "
        "where exposures.baseline_frequency = 'A' and exposures.reason is null"
    )
    assert compared > 1000
    assert apart == 0


def test_the_british_baseline_of_october_2025_is_of_twelve_months(rows: Rows) -> None:
    """CN-2025-68 was announced on 2025-10-26. CN-2025-18 was announced in April 2025, when HMRC's
    bundled months began in May 2024: before the first there is, so that the year 2024 counts.
    """
    dollars = {
        partner: math.fsum(
            float(line["value_usd"])
            for line in hmrc()
            if line["commodity_code"] == "810194"
            and line["flow"] == "import"
            and "2024-10" <= line["period"] <= "2025-09"
            and partner in (line["partner_iso3"], "WLD")
            and line["partner_iso3"] not in ("WLD", "GBR")
        )
        for partner in ("CHN", "WLD")
    }
    found = rows(
        "select clause_id, commodity_code, baseline_frequency, baseline_from, baseline_to, source, "
        "reason, baseline_value_usd, exposed_share_high from exposure.importer_exposure "
        "where importer_iso3 = 'GBR' and (clause_id, commodity_code) "
        "in (('CN-2025-18', '850511'), ('CN-2025-68', '810194')) order by clause_id"
    )
    assert [row[:7] for row in found] == [
        ("CN-2025-18", "850511", "A", *YEAR_2024, "baci", None),
        ("CN-2025-68", "810194", "M", date(2024, 10, 1), date(2025, 9, 30), "hmrc", None),
    ]
    assert found[1][7:] == pytest.approx((dollars["CHN"], dollars["CHN"] / dollars["WLD"]))


def test_clauses_on_entities_and_those_that_relax_hit_no_trade(rows: Rows) -> None:
    (hit,) = zip(
        *rows(
            "select distinct target_class || ' ' || direction from exposure.measures "
            "where clause_id in (select clause_id from exposure.importer_exposure)"
        ),
        strict=True,
    )
    assert set(hit) == {"all restrict", "economy restrict", "end_user restrict"}


def test_bounds_of_what_is_exposed_hold_on_every_row(rows: Rows) -> None:
    within = (
        "coalesce(exposed_share_low between 0 and exposed_share_high and exposed_share_high <= 1, "
        "reason is not null) and coalesce(exposed_value_low_usd between 0 and "
        "exposed_value_high_usd, reason = 'no_figures')"
    )
    ((exposures, outside),) = rows(
        f"select count(*), count(*) filter (where not ({within} "
        "and coalesce(exposed_value_high_usd <= baseline_value_usd, reason = 'no_figures') "
        "and clause_id in (select clause_id from exposure.measures))) "
        "from exposure.importer_exposure"
    )
    assert (exposures > 1000, outside) == (True, 0)
    ((joint, outside),) = rows(
        f"select count(*), count(*) filter (where not ({within})) from exposure.joint_exposure"
    )
    assert (joint > 1000, outside) == (True, 0)


def test_a_basket_stands_beside_none_of_its_codes(rows: Rows) -> None:
    for table, key in (
        ("importer_exposure", "clause_id"),
        ("joint_exposure", "valid_from"),
    ):
        assert (
            rows(
                f"select * from exposure.{table} as baskets inner join exposure.{table} as codes "
                f"using (importer_iso3, {key}) where baskets.is_basket "
                "and list_contains(baskets.hs6_codes, codes.commodity_code)"
            )
            == []
        )


@pytest.mark.parametrize(
    ("code", "day", "clauses", "low", "high"),
    [
        # Quota and ban of 2010, both on all of it: what came from China, 0.8058, once.
        ("280530", "2010-10-01", ["CN-2010-07-QUOTA", "CN-2010-09-JPBAN"], 0.8058, 0.8058),
        ("280530", "2025-04-03", None, None, None),
        ("280530", "2025-04-04", ["CN-2025-18"], 0, 0.2437),
        # 61/2025 regulates goods that leave third countries.
        ("280530", "2025-10-20", ["CN-2025-18"], 0, 0.2437),
        ("280530", "2025-11-07", ["CN-2025-18"], 0, 0.2437),
        # Malaysia's 0.3005 and China's 0.5809 of one year, 2024.
        ("284690", "2025-12-31", ["CN-2025-18", "MY-2024-01-REE"], 0, 0.8814),
    ],
)
def test_what_the_clauses_of_a_day_hit_together_of_japans_imports(
    rows: Rows,
    code: str,
    day: str,
    clauses: list[str] | None,
    low: float | None,
    high: float | None,
) -> None:
    found = rows(
        "select clause_ids, round(exposed_share_low, 4), round(exposed_share_high, 4) "
        "from exposure.joint_exposure where importer_iso3 = 'JPN' and commodity_code = ? "
        "and valid_from <= cast(? as date) and coalesce(valid_to > cast(? as date), true)",
        code, day, day,
    )  # fmt: skip
    assert found == ([] if clauses is None else [(clauses, low, high)])


def test_which_industries_use_what_18_2025_hits_of_japans_samarium(rows: Rows) -> None:
    """The EC books 97 % of samarium as magnets, in C25, and 3 % in C26. Metals and compounds are
    61,966,651 + 124,369,684 = 186,336,335 at most, magnets 156,879,570 on top, C25's wholly:
    0.97 x 186,336,335 + 156,879,570. Who uses the magnets is not published.
    """
    assert rows(
        "select nace2_code, tier, use_share, exposed_value_low_usd, "
        "round(exposed_value_high_usd) from exposure.industry_exposure "
        "where clause_id = 'CN-2025-18' and importer_iso3 = 'JPN' and mineral = 'samarium' "
        "order by tier, nace2_code"
    ) == [
        ("C25", 1, 0.97, 0, 337_625_815),
        ("C26", 1, 0.03, 0, 5_590_090),
        # All sectors: 186,336,335 + 156,879,570, and of magnets once what each may have.
        (None, 1, None, 0, 343_215_905),
        *((sector, 2, None, 0, 337_625_815) for sector in ("C27", "C28", "C29", "C30")),
        (None, 2, None, 0, 337_625_815),
    ]


# What notice 1 of 2026 exposes of Japan's trade at most, in US dollars of 2024: CEPII BACI's flows
# from China to Japan, and, of artificial graphite, what China's customs print as exports to Japan.
NOTICE_1 = {
    "250410": 45_069_934, "280450": 49_766, "280530": 61_966_651, "284690": 124_369_684,
    "810194": 34_630_433, "811010": 25_125_127, "811292": 16_149_339, "850511": 156_879_570,
    "380110": 72_440_269,
}  # fmt: skip


def test_the_total_of_a_mineral_is_within_the_clause_where_sums_of_rows_are_not(
    rows: Rows,
) -> None:
    """Terbium may be in metals, compounds and magnets; graphite has codes of its own."""
    of_japan = "clause_id = 'CN-2026-1' and importer_iso3 = 'JPN'"
    assert {
        code: round(value)
        for code, value in rows(
            f"select commodity_code, exposed_value_high_usd from exposure.importer_exposure "
            f"where {of_japan} and exposed_value_high_usd is not null"
        )
    } == NOTICE_1
    clause = sum(NOTICE_1.values())
    ((fabricated_metal, everything),) = rows(
        "select sum(exposed_value_high_usd) filter (nace2_code = 'C25'), "
        "sum(exposed_value_high_usd) from exposure.industry_exposure "
        f"where {of_japan} and sector <> 'all'"
    )
    assert round(fabricated_metal / 1e6) == 843
    assert round(everything / 1e6) == 4829
    assert fabricated_metal > clause
    totals = {
        mineral: (low, high, share_low, share_high)
        for mineral, low, high, share_low, share_high in rows(
            "select mineral, exposed_value_low_usd, exposed_value_high_usd, share_of_clause_low, "
            f"share_of_clause_high from exposure.industry_exposure where {of_japan} "
            "and sector = 'all' and tier = 1"
        )
    }
    codes = {
        "terbium": ("280530", "284690", "850511"), "dysprosium": ("280530", "284690", "850511"),
        "yttrium": ("280530", "284690"), "antimony": ("811010",), "graphite": ("250410", "380110"),
        "gallium": ("811292",), "germanium": ("811292",), "tungsten": ("810194",),
    }  # fmt: skip
    for mineral, held in codes.items():
        most = sum(NOTICE_1[code] for code in held)
        assert totals[mineral] == pytest.approx((0, most, 0, most / clause)), mineral


def test_shares_of_a_clause_are_its_values_in_one_and_every_tier_has_its_total(rows: Rows) -> None:
    ((checked, apart, without_total, beyond),) = rows(
        "with clauses as (select clause_id, importer_iso3, "
        "sum(exposed_value_high_usd) as value_usd from exposure.importer_exposure group by all), "
        "tiers as (select clause_id, importer_iso3, mineral, tier, "
        "count(*) filter (sector = 'all') as totals from exposure.industry_exposure group by all) "
        "select count(*), count(*) filter ("
        "abs(share_of_clause_low - exposed_value_low_usd / value_usd) > 1e-9 "
        "or abs(share_of_clause_high - exposed_value_high_usd / value_usd) > 1e-9), "
        "count(*) filter (totals <> 1), "
        "count(*) filter (exposed_value_high_usd > value_usd + 0.01) "
        "from exposure.industry_exposure inner join clauses using (clause_id, importer_iso3) "
        "inner join tiers using (clause_id, importer_iso3, mineral, tier)"
    )
    assert (checked > 5000, apart, without_total, beyond) == (True, 0, 0, 0)


def test_sectors_of_one_mineral_add_up_to_its_total_as_the_shares_of_use_do(rows: Rows) -> None:
    """Of an element with published uses: between 0.90 and 1.02 of its use is booked in sectors."""
    found = rows(
        "with sums as (select clause_id, importer_iso3, mineral, "
        "sum(exposed_value_high_usd) filter (sector <> 'all') as of_sectors, "
        "sum(exposed_value_high_usd) filter (sector = 'all') as of_all "
        "from exposure.industry_exposure where tier = 1 group by all), "
        "uses as (select mineral, sum(use_share) as published "
        "from reference.end_uses group by all) "
        "select of_sectors / of_all, published from sums inner join uses using (mineral)"
    )
    assert len(found) > 500
    for share, published in found:
        # Magnets traded as goods are one sector's wholly.
        low, high = sorted((1, published))
        assert low - 1e-9 <= share <= high + 1e-9


def test_sectors_of_the_second_tier_are_named_as_in_the_study(rows: Rows) -> None:
    named = dict(rows("select distinct nace2_code, sector from reference.end_uses"))
    found = rows(
        "select distinct nace2_code, sector from exposure.industry_exposure where tier = 2 "
        "and sector <> 'all'"
    )
    assert {code for code, _ in found} == {"C27", "C28", "C29", "C30"}
    assert all(named[code] == sector for code, sector in found)


# ---- No figure, no flow


def codes_without_figures(rows: Rows, clause: str, importer: str = "JPN") -> set[str]:
    return {
        code
        for (code,) in rows(
            "select commodity_code from exposure.importer_exposure where clause_id = ? "
            "and importer_iso3 = ? and reason = 'no_figures' and baseline_value_usd is null "
            "and exposed_value_high_usd is null and exposed_share_high is null and source is null",
            clause, importer,
        )
    }  # fmt: skip


def scope_of(rows: Rows, clause: str) -> set[str]:
    return {
        code
        for (code,) in rows(
            "select distinct hs6_code from exposure.measure_scope where clause_id = ?", clause
        )
    }


@pytest.mark.parametrize(
    ("clause", "year"),
    [
        ("CN-2023-23", 2022), ("CN-2023-39", 2022), ("CN-2024-33", 2023), ("CN-2025-10", 2024),
        ("CN-2025-18", 2024), ("CN-2026-1", 2024),
    ],
)  # fmt: skip
def test_a_code_that_no_file_has_in_the_baseline_is_without_figures(
    rows: Rows, clause: str, year: int
) -> None:
    """Neither BACI's year nor twelve months of China's exports; Japan publishes none here."""
    scope = scope_of(rows, clause)
    reconciled = set(baci().filter(pl.col("year") == year)["hs6_code"])
    exported = {"250410", "380110", "811292"}
    assert codes_without_figures(rows, clause) == scope - reconciled - exported
    shown = {
        code
        for (code,) in rows(
            "select commodity_code from exposure.importer_exposure "
            "where clause_id = ? and importer_iso3 = 'JPN' and reason is null",
            clause,
        )
    }
    bought = baci().filter(
        pl.col("year") == year,
        pl.col("exporter_iso3") == "CHN",
        pl.col("importer_iso3") == "JPN",
        pl.col("hs6_code").is_in(list(scope)),
    )
    assert shown == set(bought["hs6_code"])


def test_of_antimony_only_the_ores_have_figures_of_the_year_before(rows: Rows) -> None:
    """CEPII, BACI, HS 1992: who bought ores (261710) from China in 2023, in dollars.

    Five more bought none in 2023 and some in 2024, the newest year.
    """
    found = rows(
        "select importer_iso3, commodity_code, baseline_value_usd, year(baseline_from) "
        "from exposure.importer_exposure where clause_id = 'CN-2024-33' and reason is null "
        "and importer_iso3 <> 'EU27'"
    )
    bought = {
        "OMN": 11_041_949, "IND": 11_034_014, "USA": 13_225, "CZE": 6_042, "THA": 5_563, "KOR": 6,
        "ESP": 0, "IDN": 0, "PAK": 0, "TUR": 0, "VNM": 0,
    }  # fmt: skip
    assert {importer: round(value) for importer, _, value, _ in found} == bought
    assert {(code, year) for _, code, _, year in found} == {("261710", 2023)}
    # Japan bought its ores elsewhere, and the metal (811010) has no figures before 2024.
    assert codes_without_figures(rows, "CN-2024-33") == scope_of(rows, "CN-2024-33") - {"261710"}
    assert baci().filter(pl.col("hs6_code") == "811010")["year"].unique().to_list() == [2024]


def test_what_china_exports_to_the_members_it_exports_to_the_union(rows: Rows) -> None:
    """UN Comtrade, 811292 by month: of the year before August 2023, and month by month after it.

    The extract counts Belgium twice (`COMTRADE-CHN-EXPORTS-BEL-TWICE`).
    """
    members = {
        economy for (economy,) in rows("select economy_iso3 from reference.economies where is_eu27")
    }
    months: dict[str, float] = {}
    for line in lines("comtrade_baskets", "china_exports_monthly.csv"):
        if line["commodity_code"] == "811292" and line["partner_iso3"] in members:
            value = float(line["value_usd"]) / (2 if line["partner_iso3"] == "BEL" else 1)
            months[line["period"]] = months.get(line["period"], 0) + value
    ((value,),) = rows(
        "select baseline_value_usd from exposure.importer_exposure where clause_id = 'CN-2023-23' "
        "and commodity_code = '811292' and importer_iso3 = 'EU27' and reason = 'exports_only'"
    )
    window = [month for month in months if "2022-07" <= month <= "2023-06"]
    assert len(window) == 12
    assert value == pytest.approx(sum(months[month] for month in window), rel=1e-9)
    found = dict(
        rows(
            "select strftime(period_start, '%Y-%m'), amount from exposure.trade_response "
            "where clause_id = 'CN-2023-23' and importer_iso3 = 'EU27' and measure = 'value_usd'"
        )
    )
    assert len(found) > 30
    assert found == {month: pytest.approx(months[month], rel=1e-9) for month in found}


def test_every_targeted_importer_has_a_row_or_no_flow(rows: Rows) -> None:
    """Of 810199, in no file, whoever China may hit has a row: all but China itself."""
    (importers,) = zip(
        *rows(
            "select importer_iso3 from exposure.importer_exposure where clause_id = 'CN-2025-10' "
            "and commodity_code = '810199' and reason = 'no_figures'"
        ),
        strict=True,
    )
    buyers = set(baci()["importer_iso3"]) - {"CHN", "_X"}
    known = {economy for (economy,) in rows("select economy_iso3 from reference.economies")}
    assert set(importers) >= buyers & known
    assert "CHN" not in importers


@pytest.mark.parametrize(
    ("clause", "code", "first", "last", "dollars"),
    [
        ("CN-2023-23", "811292", "2022-07", "2023-06", 1_839_776),
        ("CN-2023-39", "380110", "2022-10", "2023-09", 75_592_287),
        # Announced in October 2025 and January 2026: the months end with 2024.
        ("CN-2025-58", "380110", "2024-01", "2024-12", None),
        ("CN-2026-1", "380110", "2024-01", "2024-12", None),
    ],
)
def test_where_only_chinas_exports_are_known_they_give_values_and_no_shares(
    rows: Rows, clause: str, code: str, first: str, last: str, dollars: int | None
) -> None:
    exports = [
        line
        for line in lines("comtrade_baskets", "china_exports_monthly.csv")
        if line["partner_iso3"] == "JPN"
        and line["commodity_code"] == code
        and first <= line["period"] <= last
    ]
    value = math.fsum(float(line["value_usd"]) for line in exports)
    assert dollars in (None, round(value))
    ((*found, shares),) = rows(
        "select baseline_frequency, strftime(baseline_from, '%Y-%m'), "
        "strftime(baseline_to, '%Y-%m'), source, reason, baseline_value_usd, baseline_weight_kg, "
        "exposed_value_high_usd / control_share_high, "
        "coalesce(baseline_share, exposed_share_low, exposed_share_high) "
        "from exposure.importer_exposure "
        "where clause_id = ? and commodity_code = ? and importer_iso3 = 'JPN'",
        clause, code,
    )  # fmt: skip
    assert found[:5] == ["M", first, last, "comtrade_baskets", "exports_only"]
    weight = math.fsum(float(line["net_weight_kg"]) for line in exports)
    assert found[5:] == pytest.approx([value, weight, value])
    assert shares is None


def test_the_weight_of_a_baseline_is_that_of_its_flows(rows: Rows) -> None:
    """Also where other suppliers have none: 4,047,932 kg of 284690 for Japan in 2009.

    Where nothing came, of a reporter that is known, it is 0.
    """
    weights = {
        (exporter, importer, code, year): weight
        for exporter, importer, code, year, weight in baci()
        .select("exporter_iso3", "importer_iso3", "hs6_code", "year", "net_weight_kg")
        .iter_rows()
    }
    found = rows(
        "select implementer_iso3, importer_iso3, commodity_code, year(baseline_from), "
        "baseline_weight_kg from exposure.importer_exposure as exposures "
        "inner join (select distinct clause_id, implementer_iso3 from exposure.measures) "
        "using (clause_id) where exposures.source = 'baci' and importer_iso3 <> 'EU27'"
    )
    assert ("CHN", "JPN", "284690", 2009, 4_047_932) in found
    assert len(found) > 1000
    for *key, weight in found:
        assert weight == ((weights[tuple(key)] or None) if tuple(key) in weights else 0), key


def test_extraterritorial_clauses_expose_no_trade_with_their_implementer(rows: Rows) -> None:
    clauses = rows(
        "select distinct clause_id from exposure.measures where reach = 'extraterritorial' "
        "order by all"
    )
    assert clauses == [("CN-2025-61-AB",), ("CN-2025-61-C",)]
    for table, condition in (
        ("importer_exposure", "clause_id = ?"),
        ("joint_exposure", "list_contains(clause_ids, ?)"),
        ("industry_exposure", "clause_id = ?"),
        ("trade_response", "clause_id = ?"),
    ):
        for (clause,) in clauses:
            ((count,),) = rows(f"select count(*) from exposure.{table} where {condition}", clause)
            assert count == 0, (table, clause)


def test_joint_exposure_is_of_one_common_year(rows: Rows) -> None:
    """Every share is worked out again from the flows of the year of its row."""
    shares = {
        (importer, code, year, exporter): value / total
        for importer, code, year, exporter, value, total in baci()
        .with_columns(total=pl.col("value_usd").sum().over("importer_iso3", "hs6_code", "year"))
        .select("importer_iso3", "hs6_code", "year", "exporter_iso3", "value_usd", "total")
        .iter_rows()
        if total
    }
    controls = {
        (clause, code): (low, high)
        for clause, code, low, high in rows(
            "select distinct clause_id, commodity_code, control_share_low, control_share_high "
            "from exposure.importer_exposure"
        )
    }
    implementers = dict(rows("select distinct clause_id, implementer_iso3 from exposure.measures"))
    found = rows(
        "select importer_iso3, commodity_code, clause_ids, clauses_without_figures, "
        "year(baseline_from), exposed_share_low, exposed_share_high from exposure.joint_exposure "
        "where source = 'baci' and reason is null and importer_iso3 <> 'EU27'"
    )
    assert len(found) > 800
    for importer, code, clauses, without, year, low, high in found:
        assert without == []
        by_economy: dict[str, list[tuple[float, float]]] = {}
        for clause in clauses:
            by_economy.setdefault(implementers[clause], []).append(controls[clause, code])
        lows = [
            max(low for low, _ in bounds) * shares.get((importer, code, year, economy), 0)
            for economy, bounds in by_economy.items()
        ]
        highs = [
            min(1, sum(high for _, high in bounds)) * shares.get((importer, code, year, economy), 0)
            for economy, bounds in by_economy.items()
        ]
        assert (low, high) == pytest.approx((min(1, sum(lows)), min(1, sum(highs)))), code


def test_only_the_magnets_of_cobalt_are_built_in_by_others(rows: Rows) -> None:
    """The EC books 57 % of cobalt in C25, of which magnets are 7: Taiwan's 282200 of 2024 from the
    Democratic Republic of the Congo times 0.07.
    """
    (magnets,) = [
        float(line["use_share"])
        for line in lines("ec_crm", "end_uses.csv")
        if (line["label"], line["application"]) == ("Cobalt", "Magnets")
    ]
    values = dict(
        baci()
        .filter(
            pl.col("hs6_code") == "282200",
            pl.col("year") == 2024,
            pl.col("exporter_iso3") == "COD",
        )
        .select("importer_iso3", "value_usd")
        .iter_rows()
    )
    assert round(magnets * values["TWN"]) == 806_542
    found = rows(
        "select importer_iso3, exposed_value_low_usd, exposed_value_high_usd, "
        "codes_without_figures from exposure.industry_exposure where mineral = 'cobalt' "
        "and tier = 2 and clause_id in ('CD-2025-02-CO', 'CD-2025-10-CO') "
        "and importer_iso3 <> 'EU27'"
    )
    # Four sectors, and all of them together, which have no more than each may.
    assert len(found) == 2 * 5 * len(values)
    for importer, low, high, without in found:
        assert low == 0
        assert high == pytest.approx(magnets * values[importer])
        # No file has the ore and the metal: the bounds are of the oxides alone.
        assert without == ["260500", "810520"]


def test_no_industry_is_exposed_by_codes_without_figures(rows: Rows) -> None:
    assert (
        rows(
            "select clause_id, importer_iso3, mineral from exposure.industry_exposure "
            "where list_has_any(commodity_codes, codes_without_figures) "
            "or len(commodity_codes) = 0"
        )
        == []
    )
    # Germanium and gallium are known by China's exports of 811292 alone.
    assert rows(
        "select distinct commodity_codes, len(codes_without_figures) > 0 "
        "from exposure.industry_exposure where clause_id = 'CN-2023-23'"
    ) == [(["811292"], True)]
