"""What clauses hit of importers' trade in the default warehouse, worked out by hand from the rows
of the publishers; and what must hold of every row."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

Rows = Callable[..., list[tuple[Any, ...]]]

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

BRITISH_MAGNETS_FROM_CHINA = [
    # HMRC, 85051110, from October 2024 to September 2025: US dollars.
    2_097_107.77, 813_293.22, 1_230_792.05, 1_380_444.47, 1_458_830.47, 1_941_963.85,
    1_810_034.75, 1_281_168.04, 1_543_576.39, 1_613_206.75, 2_179_066.22, 1_926_787.57,
]  # fmt: skip


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
            "other_supplier_capacity_share from exposure.importer_exposure "
            "where importer_iso3 = 'JPN' and clause_id = ?",
            clause,
        )
        if code in BACI_2009 or code in BACI_2024
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
        "round(other_supplier_capacity_share, 4) from exposure.importer_exposure "
        "where importer_iso3 = 'JPN' and clause_id = 'CN-2025-18' order by all"
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
        "where exposures.baseline_frequency = 'A'"
    )
    assert compared > 1000
    assert apart == 0


def test_the_british_baseline_of_october_2025_is_of_twelve_months(rows: Rows) -> None:
    """Of 30,152,385.52 US dollars in all, by HMRC. CN-2025-18 was announced in April 2025, when its
    months began in April 2024: before the first there is, so that the year 2024 of the code counts.
    """
    from_china = sum(BRITISH_MAGNETS_FROM_CHINA)
    found = rows(
        "select clause_id, commodity_code, is_basket, baseline_frequency, baseline_from, "
        "baseline_to, source, baseline_value_usd, baseline_weight_kg, exposed_share_low, "
        "exposed_share_high from exposure.importer_exposure where importer_iso3 = 'GBR' "
        "and commodity_code in ('850511', 'rare_earth_magnets') order by clause_id"
    )
    of_months = ("rare_earth_magnets", True, "M", date(2024, 10, 1), date(2025, 9, 30), "hmrc")
    assert [row[:7] for row in found] == [
        ("CN-2025-18", "850511", False, "A", *YEAR_2024, "baci"),
        ("CN-2025-61-AB", *of_months),
        ("CN-2025-61-C", *of_months),
    ]
    for row in found[1:]:
        assert row[7:] == pytest.approx((from_china, 887_024, 0, from_china / 30_152_385.52))


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
        "exposed_share_low between 0 and exposed_share_high and exposed_share_high <= 1 "
        "and exposed_value_low_usd between 0 and exposed_value_high_usd"
    )
    ((exposures, outside),) = rows(
        f"select count(*), count(*) filter (where not ({within} "
        "and exposed_value_high_usd <= baseline_value_usd "
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
        ("280530", "2025-10-20", ["CN-2025-18", "CN-2025-61-C"], 0, 0.2437),
        ("280530", "2025-11-07", ["CN-2025-18"], 0, 0.2437),
        # Malaysia's 0.2308 of 2022 and China's 0.5809 of 2024.
        ("284690", "2025-12-31", ["CN-2025-18", "MY-2024-01-REE"], 0, 0.8117),
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
        *((sector, 2, None, 0, 337_625_815) for sector in ("C27", "C28", "C29", "C30")),
    ]


def test_sectors_of_the_second_tier_are_named_as_in_the_study(rows: Rows) -> None:
    named = dict(rows("select distinct nace2_code, sector from reference.end_uses"))
    found = rows(
        "select distinct nace2_code, sector from exposure.industry_exposure where tier = 2"
    )
    assert {code for code, _ in found} == {"C27", "C28", "C29", "C30"}
    assert all(named[code] == sector for code, sector in found)
