"""What every mart must hold before a build is published: ranges, allowed words, coverage, dates.

Keys, relationships and identities are dbt's tests; none of them is here. A rule that stops keeps
the build from being published. Tables that may be empty have no rule on their number of rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import polars as pl

from dagster_project.quality import parts
from dagster_project.quality.parts import (
    has_rows,
    is_a_share,
    is_known_economy,
    is_not_above,
    is_not_blank,
    is_not_later_than_today,
    is_one_of,
    matches,
)
from dagster_project.quality.rules import Known, Rule, Suite, Today, report, stop

GROUPS = ("rare_earths", "permanent_magnets", "natural_graphite", "artificial_graphite")
RARE_EARTH_CODES = ("rare_earths 280530", "rare_earths 284610", "rare_earths 284690")
HEAVY_AND_MAGNET_MINERALS = (
    "dysprosium", "gallium", "germanium", "graphite", "neodymium", "praseodymium", "samarium",
    "terbium", "yttrium",
)  # fmt: skip
STATUSES = ("announced", "in_force", "suspended", "ended", "unknown")
VERDICTS = ("supported", "contradicted", "depends_on_basis", "not_testable")
WINDOWS = ("since_2025_06_30", "ytd", "1y", "3y", "all")
LAST_ANSWERS = ("ok", "no_answer", "denied", "rejected", "quota", "not_asked")
SCHEMAS = ("reference", "trade", "dependency", "exposure", "market", "catalog")

LARGEST_PRODUCTION_SHARE = 1.05
"""A world total has two significant digits or more, so it may be rounded down by 5 % at most."""

LARGEST_VOLATILITY = 3
"""REMX swung by 0.5 a year in 2025/26, exchange rates by 0.1: nothing here has come near 3."""

LONGEST_GAP_DAYS = 100
"""A price may double or halve from the average of one year to that of the next: of the 28 yearly
series of the Mineral Commodity Summaries six did. Quotes of months that are further apart have
months missing."""

SILENCE_DAYS: Mapping[str, int] = MappingProxyType({"daily": 90, "monthly": 200, "annual": 900})
"""After so long without a newer figure a source of that cadence has fallen silent: a year's figures
come half a year after it, and some publishers skip months."""


_FOLLOWS_SOON = pl.col("price_date") - pl.col("price_date").shift(1).over(
    "instrument", order_by="price_date"
) < pl.duration(days=LONGEST_GAP_DAYS)
"""Whether the quote before is of the month before or nearer: the mart has no frequency."""


def _contains(
    name: str,
    column: str,
    values: tuple[str, ...],
    explanation: str,
    derived: Mapping[str, pl.Expr] | None = None,
) -> Rule:
    return stop(
        name, explanation, "ExpectColumnDistinctValuesToContainSet", derived,
        column=column, value_set=values,
    )  # fmt: skip


def _covers_japan(column: str) -> Rule:
    """Reported only: as of a day before the first figures the table is empty, and rightly so."""
    return report(
        "japan_is_covered",
        "Japan is the first importer a reader asks about.",
        "ExpectColumnDistinctValuesToContainSet",
        column=column,
        value_set=("JPN",),
    )


def _is_at_least(column: str, least: float, explanation: str, *, strict: bool = False) -> Rule:
    bound = "positive" if strict else "not_negative" if least == 0 else f"at_least_{least:.0f}"
    return stop(
        f"{column}_is_{bound}",
        explanation,
        "ExpectColumnValuesToBeBetween",
        column=column,
        min_value=least,
        strict_min=strict,
    )


def _is_within_rounding(column: str, bound: int, most: float, explanation: str) -> Rule:
    """Between 0 and the bound, which a rounded total may lift to `most`."""
    return stop(
        f"{column}_is_between_0_and_{bound}_within_rounding",
        explanation,
        "ExpectColumnValuesToBeBetween",
        column=column,
        min_value=0,
        max_value=most,
    )


def _never(name: str, explanation: str, **offender: pl.Expr) -> Rule:
    """No row has a value in the derived column, which is null where all is well."""
    (column,) = offender
    return stop(name, explanation, "ExpectColumnValuesToBeNull", offender, column=column)


def _is_a_mineral_group() -> Rule:
    return is_one_of(
        "mineral_group_is_known",
        "mineral_group",
        Known("mineral_groups"),
        "A group that is not defined cannot be told to a reader.",
    )


def _is_an_hs6_code() -> Rule:
    return matches(
        "hs6_code_has_six_digits",
        "hs6_code",
        parts.HS6,
        "A code that went through a number has lost its leading zero.",
    )


def _has_a_known_edition() -> Rule:
    return is_one_of(
        "hs_revision_is_a_known_edition",
        "hs_revision",
        parts.HS_EDITIONS,
        "A code means another thing in another edition of the HS.",
    )


def _is_in_japanese(column: str = "name_ja") -> Rule:
    return matches(
        f"{column}_is_in_japanese",
        column,
        r"[぀-ヿ㐀-鿿]",
        "Text read in another encoding shows no kana and no kanji.",
    )


_REFERENCE = (
    Suite(
        "mart",
        "reference.economies",
        (
            has_rows(),
            _contains(
                "the_well_known_are_there", "economy_iso3", parts.WELL_KNOWN,
                "Without them the first question has no answer.",
            ),
            is_not_blank("name"),
            _is_in_japanese(),
            matches(
                "m49_code_has_three_digits", "m49_code", r"^[0-9]{3}$",
                "A number has lost its leading zeros (`004` is not `4`).",
            ),
            stop(
                "the_european_union_has_27_members",
                "One more or less is a member of another year.",
                "ExpectColumnSumToBeBetween",
                {"members": pl.col("is_eu27").cast(pl.Int64)},
                column="members", min_value=27, max_value=27,
            ),
        ),
    ),
    Suite(
        "mart",
        "reference.minerals",
        (
            has_rows(),
            is_one_of(
                "family_is_known", "family", ("light_rare_earth", "heavy_rare_earth", "other"),
                "Light and heavy rare earths are controlled and supplied apart.",
            ),
            _contains(
                "the_controlled_minerals_are_there", "mineral", HEAVY_AND_MAGNET_MINERALS,
                "The minerals China has controlled since 2023 are what a reader asks about.",
            ),
            _never(
                "a_light_or_heavy_rare_earth_is_a_rare_earth",
                "The family and the flag would answer a filter in two ways.",
                contradiction=pl.when(
                    pl.col("family").str.ends_with("rare_earth") & ~pl.col("is_rare_earth")
                ).then("mineral"),
            ),
            matches(
                "symbol_is_that_of_an_element", "symbol", r"^[A-Z][a-z]?$",
                "A compound or a mixture has no symbol.",
            ),
            _is_in_japanese(),
        ),
    ),
    Suite(
        "mart",
        "reference.commodities",
        (
            has_rows(),
            _is_an_hs6_code(),
            _has_a_known_edition(),
            is_one_of(
                "product_form_is_known", "product_form",
                ("ore", "compound", "metal", "magnet", "material", "other"),
                "The form places a code in the chain from mine to magnet.",
            ),
            is_not_blank("description"),
            _contains(
                "rare_earths_and_magnets_are_there", "hs6_code",
                ("280530", "284610", "284690", "850511"),
                "The codes of the first question.",
            ),
        ),
    ),
    Suite(
        "mart",
        "reference.mineral_groups",
        (
            has_rows(),
            _contains(
                "the_named_groups_are_there", "mineral_group", GROUPS,
                "The contract promises these by name.",
            ),
            matches(
                "mineral_group_is_a_name", "mineral_group", parts.SLUG,
                "The name is typed into filters: lower case, no blanks.",
            ),
            is_not_blank("name"),
            _is_in_japanese(),
        ),
    ),
    Suite(
        "mart",
        "reference.mineral_group_codes",
        (
            has_rows(),
            _is_an_hs6_code(),
            _has_a_known_edition(),
            _contains(
                "rare_earths_have_their_three_codes", "group_and_code", RARE_EARTH_CODES,
                "A basket without one of them is another basket.",
                {"group_and_code": pl.format("{} {}", "mineral_group", "hs6_code")},
            ),
            stop(
                "a_group_of_one_code_bears_its_number",
                "`hs_850511` holds 850511 and nothing else.",
                "ExpectColumnPairValuesToBeEqual",
                {
                    "code_in_name": pl.when(pl.col("mineral_group").str.starts_with("hs_")).then(
                        pl.col("mineral_group").str.strip_prefix("hs_")
                    )
                },
                column_A="hs6_code", column_B="code_in_name",
                ignore_row_if="either_value_is_missing",
            ),
        ),
    ),
    Suite(
        "mart",
        "reference.nomenclature_breaks",
        (
            has_rows(),
            _is_an_hs6_code(),
            matches(
                "edition_is_named_as_in_the_flows", "hs_revision_after", r"^HS[0-9]{4}$",
                "An edition named otherwise meets no flow, and its break parts nothing.",
            ),
            is_not_blank("reason"),
            is_not_blank("source"),
        ),
    ),
    Suite(
        "mart",
        "reference.commodity_minerals",
        (
            has_rows(),
            _is_an_hs6_code(),
            is_a_share("content_share_low"),
            is_a_share("content_share_high"),
            is_not_above(
                "content_share_low_is_not_above_high", "content_share_low", "content_share_high",
                "The bounds are swapped.",
            ),
            is_not_blank("basis"),
            is_not_blank("source"),
        ),
    ),
    Suite(
        "mart",
        "reference.materials",
        (
            is_not_blank("label"),
            matches(
                "material_is_a_name", "material", parts.SLUG,
                "Materials are named one way (`natural_graphite`), else two publishers never meet.",
            ),
        ),
    ),
    Suite(
        "mart",
        "reference.mineral_abundance",
        (
            matches(
                "element_is_a_symbol", "element", parts.ELEMENT,
                "One or two letters (`Nd`): the abundance is of the element, not of an oxide.",
            ),
            _is_at_least(
                "crust_ppm_low", 0, "Every element is there; a 0 is a mark for missing.",
                strict=True,
            ),
            is_not_above(
                "crust_ppm_low_is_not_above_high", "crust_ppm_low", "crust_ppm_high",
                "The bounds are swapped.",
            ),
            report(
                "rare_earths_and_what_they_are_held_against_are_covered",
                "How rare they are is told beside copper and tin.",
                "ExpectColumnDistinctValuesToContainSet",
                column="mineral", value_set=("copper", "dysprosium", "neodymium", "tin"),
            ),
        ),
    ),
    Suite(
        "mart",
        "reference.end_uses",
        (
            is_a_share("use_share"),
            is_not_blank("sector"),
            is_not_blank("applications"),
            matches(
                "nace2_code_is_a_division", "nace2_code", parts.NACE_DIVISION,
                "A letter and two digits (`C25`): a section or a class is another level.",
            ),
            _never(
                "the_residual_is_of_no_division",
                "A use with a division is not `other`: a filter by sector would miss it.",
                division_of_residual=pl.when(pl.col("sector") == "other").then("nace2_code"),
            ),
            report(
                "magnets_and_semiconductors_are_covered",
                "What neodymium and gallium go into is what a reader asks about.",
                "ExpectColumnDistinctValuesToContainSet",
                column="mineral", value_set=("gallium", "neodymium"),
            ),
        ),
    ),
    Suite(
        "mart",
        "reference.instruments",
        (
            has_rows(),
            is_one_of(
                "kind_is_known", "kind", ("fx", "etf", "equity", "commodity", "index"),
                "The kind decides how a price is read.",
            ),
            is_one_of(
                "frequency_is_daily_monthly_or_annual", "frequency", parts.PRICE_FREQUENCIES,
                "Returns are computed by session, month or year.",
            ),
            matches(
                "currency_is_an_iso_4217_code", "currency", parts.ISO_4217,
                "`cents` is a unit, not a currency.",
            ),
            matches(
                "market_timezone_is_an_iana_name", "market_timezone",
                r"^(UTC|[A-Z]\w+(/[\w+-]+)+)$",
                "An abbreviation (JST, EST) does not say when the clocks change.",
            ),
            _contains(
                "the_exchange_rates_are_there", "instrument", tuple(parts.RATE_BOUNDS),
                "Yen, dollar, euro and renminbi are what trade is paid in.",
            ),
            is_not_blank("unit"),
        ),
    ),
)  # fmt: skip

_TRADE = (
    Suite(
        "mart",
        "trade.reported_flows",
        (
            is_one_of(
                "flow_is_import_export_or_their_returns", "flow", parts.FLOWS,
                "A re-export counted as an export is supply that does not exist.",
            ),
            is_one_of(
                "frequency_is_annual_or_monthly", "frequency", parts.FREQUENCIES,
                "A quarter beside months would count twice.",
            ),
            is_one_of(
                "valuation_is_cif_or_fob", "valuation", parts.VALUATIONS,
                "Values with and without freight are told apart.",
            ),
            matches(
                "code_is_an_hs6_code", "single_code", parts.HS6,
                "A code that went through a number has lost its leading zero.",
            ).with_derived(single_code=pl.when(~pl.col("is_basket")).then("commodity_code")),
            is_one_of(
                "basket_is_a_known_mineral_group", "basket", Known("mineral_groups"),
                "A basket is named by the group whose codes it sums.",
            ).with_derived(basket=pl.when("is_basket").then("commodity_code")),
            parts.starts_its_period(),
            _is_at_least("value_usd", 0, "Trade has no sign."),
            _is_at_least("net_weight_kg", 0, "Trade has no sign."),
            is_not_later_than_today("period_start"),
            is_not_later_than_today("vintage_at"),
            parts.has_a_plausible_unit_value("value_usd", "net_weight_kg"),
            _covers_japan("reporter_iso3"),
        ),
    ),
    Suite(
        "mart",
        "trade.baci_flows",
        (
            _is_an_hs6_code(),
            _has_a_known_edition(),
            _is_at_least("year", 1988, "The Harmonized System began in 1988."),
            is_not_later_than_today("first_day_of_year").with_derived(
                first_day_of_year=pl.date(pl.col("year"), 1, 1)
            ),
            is_not_later_than_today("vintage_at"),
            _is_at_least("net_weight_kg", 0, "Trade has no sign."),
            parts.has_a_plausible_unit_value("value_usd", "net_weight_kg"),
            _covers_japan("importer_iso3"),
        ),
    ),
)  # fmt: skip


def _shares_in_common() -> tuple[Rule, ...]:
    return (
        is_one_of(
            "measure_is_value_or_weight", "measure", parts.MEASURES,
            "Value and weight tell different stories; there is no third.",
        ),
        is_one_of(
            "frequency_is_annual_or_monthly", "frequency", parts.FREQUENCIES,
            "A quarter beside months would count twice.",
        ),
        _is_a_mineral_group(),
        parts.starts_its_period(),
        is_not_later_than_today("period_start"),
        stop(
            "importer_is_one_economy",
            "The world and the unpublished part import nothing.",
            "ExpectColumnValuesToNotBeInSet",
            column="importer_iso3", value_set=("WLD", "_X"),
        ),
        _covers_japan("importer_iso3"),
    )  # fmt: skip


def _production_in_common() -> tuple[Rule, ...]:
    return (
        is_one_of(
            "stage_is_known", "stage", parts.STAGES,
            "The mine and the refinery of one material lie in different economies.",
        ),
        matches(
            "material_is_a_name", "material", parts.SLUG,
            "The name is typed into filters: lower case, no blanks.",
        ),
        is_not_later_than_today("first_day_of_year").with_derived(
            first_day_of_year=pl.date(pl.col("year"), 1, 1)
        ),
    )  # fmt: skip


_DEPENDENCY = (
    Suite(
        "mart",
        "dependency.supplier_shares",
        (
            *_shares_in_common(),
            is_a_share("share"),
            _is_at_least("amount", 0, "A supplier's amount has no sign."),
            _is_at_least("supplier_rank", 1, "The largest supplier is the first."),
            stop(
                "supplier_is_not_the_world",
                "The printed total beside its parts doubles the trade.",
                "ExpectColumnValuesToNotBeInSet",
                column="supplier_iso3", value_set=("WLD",),
            ),
            stop(
                "supplier_is_not_the_importer",
                "A flow of an economy with itself is a re-import, and no dependence.",
                "ExpectSelectColumnValuesToBeUniqueWithinRecord",
                column_list=("importer_iso3", "supplier_iso3"),
                ignore_row_if="any_value_is_missing",
            ),
            _never(
                "the_unpublished_part_has_no_rank",
                "It is many suppliers or none, so it cannot be the second largest.",
                rank_of_unpublished=pl.when(pl.col("supplier_iso3") == "_X").then("supplier_rank"),
            ),
        ),
    ),
    Suite(
        "mart",
        "dependency.import_concentration",
        (
            *_shares_in_common(),
            *(
                is_a_share(column)
                for column in (
                    "hhi", "hhi_high", "hhi_normalised", "cr1_share", "cr3_share",
                    "top_supplier_share", "partner_coverage_share",
                )
            ),
            _is_at_least("total_amount", 0, "Nothing imported is no concentration.", strict=True),
            _is_at_least("effective_suppliers", 1 - parts.ROUNDING, "At least one supplies."),
        ),
    ),
    Suite(
        "mart",
        "dependency.production_shares",
        (
            *_production_in_common(),
            _is_within_rounding(
                "share", 1, LARGEST_PRODUCTION_SHARE,
                "A share above that is a percentage, or a total that lost a digit.",
            ),
            _never(
                "a_share_of_a_total_has_an_amount",
                "Then it is a share of something else than the total beside it.",
                share_without_amount=pl.when(
                    pl.col("world_total_t").is_not_null() & pl.col("amount_t").is_null()
                ).then("share"),
            ),
            report(
                "china_is_covered",
                "China is the first producer a reader asks about.",
                "ExpectColumnDistinctValuesToContainSet",
                column="economy_iso3", value_set=("CHN",),
            ),
        ),
    ),
    Suite(
        "mart",
        "dependency.production_concentration",
        (
            *_production_in_common(),
            _is_within_rounding(
                "hhi", 1, LARGEST_PRODUCTION_SHARE**2,
                "It is a sum of squared shares; on a scale to 10,000 it is another column.",
            ),
            *(
                _is_within_rounding(
                    column, 1, LARGEST_PRODUCTION_SHARE, "A share above that is a percentage."
                )
                for column in ("cr1_share", "cr3_share")
            ),
            is_a_share("governance_coverage_share"),
            _is_within_rounding(
                "hhi_governance_weighted", 10, 10 * LARGEST_PRODUCTION_SHARE**2,
                "Governance weighs 0 to 10; more is a weight read from another scale.",
            ),
            stop(
                "top_producer_is_one_economy",
                "The world and the rest of it are no producers.",
                "ExpectColumnValuesToNotBeInSet",
                column="top_producer_iso3", value_set=("WLD", "_X"),
            ),
        ),
    ),
)  # fmt: skip


def _web_address() -> Rule:
    return matches(
        "source_url_is_a_web_address", "source_url", parts.WEB_ADDRESS, "A reader follows it."
    )


_EXPOSURE = (
    Suite(
        "mart",
        "exposure.measures",
        (
            is_one_of(
                "direction_is_known", "direction", parts.DIRECTIONS,
                "Whether a clause binds or frees decides what it hits.",
            ),
            is_one_of(
                "target_class_is_known", "target_class", parts.TARGET_CLASSES,
                "A clause on entities gives no exposure of trade, one on an economy does.",
            ),
            parts.targets_agree(),
            is_one_of(
                "evidence_class_is_known", "evidence_class", parts.EVIDENCE_CLASSES,
                "A reader must tell an act from a rumour.",
            ),
            is_known_economy("implementer_iso3"),
            is_known_economy("target_iso3", "ALL"),
            is_not_blank("title"),
            matches(
                "entities_are_named", "entity", parts.NOT_BLANK,
                "A clause against entities that names none hits nobody.",
            ).with_derived(
                entity=pl.when(pl.col("target_class") == "entity").then("target_name")
            ),
            is_not_later_than_today("known_at"),
            parts.takes_effect_after_announcement(),
            _web_address(),
        ),
    ),
    Suite(
        "mart",
        "exposure.measure_status",
        (
            is_one_of(
                "status_is_known", "status", STATUSES,
                "A reader filters by these words and no others.",
            ),
            stop(
                "interval_is_not_empty",
                "An interval that ends as it begins, or before, is true on no day.",
                "ExpectColumnPairValuesAToBeGreaterThanB",
                column_A="valid_to", column_B="valid_from",
                ignore_row_if="either_value_is_missing",
            ),
            is_not_blank("because"),
            stop(
                "interval_begins_within_five_years_from_now",
                "No measure is announced longer ahead; the year is a misprint.",
                "ExpectColumnValuesToBeBetween",
                column="valid_from", max_value=Today(5 * 366),
            ),
            _never(
                "the_last_word_is_open_or_followed",
                "`ended` is for good: after it there is nothing.",
                end_of_the_end=pl.when(pl.col("status") == "ended").then("valid_to"),
            ),
        ),
    ),
    Suite(
        "mart",
        "exposure.measure_scope",
        (
            _is_an_hs6_code(),
            matches(
                "mineral_is_a_name", "mineral", parts.SLUG,
                "Minerals are named one way (`all_rare_earths`), else they match nothing.",
            ),
            is_one_of(
                "basis_is_known", "basis", parts.SCOPE_BASES,
                "How the bounds are known decides how far to trust them.",
            ),
            is_a_share("control_share_low"),
            is_a_share("control_share_high"),
            is_not_above(
                "control_share_low_is_not_above_high", "control_share_low", "control_share_high",
                "The bounds are swapped.",
            ),
        ),
    ),
    Suite(
        "mart",
        "exposure.milestones",
        (
            is_one_of(
                "kind_is_known", "kind", parts.MILESTONE_KINDS,
                "A remark is not a project.",
            ),
            is_one_of(
                "evidence_class_is_known", "evidence_class", parts.EVIDENCE_CLASSES,
                "A reader must tell an act from a rumour.",
            ),
            is_known_economy("economy_iso3"),
            is_not_blank("title"),
            is_not_later_than_today("event_date"),
            is_not_later_than_today("known_at"),
            _web_address(),
        ),
    ),
)  # fmt: skip

_MARKET = (
    Suite(
        "mart",
        "market.prices",
        (
            _is_at_least("close", 0, "No return can be computed from 0 or less.", strict=True),
            _is_at_least(
                "adjusted_close", 0, "No return can be computed from 0 or less.", strict=True
            ),
            *parts.rates_are_plausible(quarantines=False),
            matches(
                "currency_is_an_iso_4217_code", "currency", parts.ISO_4217,
                "`cents` is a unit, not a currency.",
            ),
            is_not_blank("unit"),
            is_not_later_than_today("price_date"),
            parts.does_not_jump(("instrument",), _FOLLOWS_SOON),
            report(
                "the_exchange_rates_are_covered",
                "Yen, dollar, euro and renminbi are what trade is paid in.",
                "ExpectColumnDistinctValuesToContainSet",
                column="instrument", value_set=tuple(parts.RATE_BOUNDS),
            ),
        ),
    ),
    Suite(
        "mart",
        "market.performance",
        (
            is_one_of(
                "window_is_known", "window", WINDOWS,
                "A reader filters by these words and no others.",
            ),
            stop(
                "return_share_is_above_minus_1",
                "Nothing loses more than all of its price; -41 is a percentage.",
                "ExpectColumnValuesToBeBetween",
                column="return_share", min_value=-1, strict_min=True,
            ),
            stop(
                "max_drawdown_share_is_between_minus_1_and_0",
                "A fall is written as a negative share of the highest close before it.",
                "ExpectColumnValuesToBeBetween",
                column="max_drawdown_share", min_value=-1, strict_min=True, max_value=0,
            ),
            _is_at_least("annualised_volatility", 0, "A deviation has no sign."),
            report(
                "annualised_volatility_is_below_3",
                f"Above {LARGEST_VOLATILITY} a close is a misprint or its unit has changed; it may "
                "be true.",
                "ExpectColumnValuesToBeBetween",
                column="annualised_volatility", max_value=LARGEST_VOLATILITY,
            ),
            _is_at_least("sessions", 1, "Without a close after the first there is no return."),
            is_not_later_than_today("window_end"),
        ),
    ),
)  # fmt: skip


def _has_not_fallen_silent(cadence: str) -> Rule:
    days = SILENCE_DAYS[cadence]
    vintage = f"vintage_of_{cadence}_source"
    return report(
        f"{cadence}_sources_have_figures_of_the_last_{days}_days",
        f"A publisher with a {cadence} cadence is asked and brings nothing newer: its address, its "
        "layout or its calendar has changed.",
        "ExpectColumnValuesToBeBetween",
        {
            vintage: pl.when(pl.col("is_fetched") & (pl.col("cadence") == cadence)).then(
                "last_vintage_at"
            )
        },
        column=vintage,
        min_value=Today(-days),
    )


_CATALOG = (
    Suite(
        "mart",
        "catalog.releases",
        (
            has_rows(),
            matches(
                "contract_version_is_a_version", "contract_version", r"^[0-9]+\.[0-9]+(\.[0-9]+)?$",
                "A BI tool compares it before it trusts the columns.",
            ),
            matches(
                "duckdb_version_is_a_version", "duckdb_version", r"^v?[0-9]+\.[0-9]+\.[0-9]+",
                "It says which readers can open the file.",
            ),
            is_not_blank("release_id"),
            is_not_blank("code_version"),
        ),
    ),
    Suite(
        "mart",
        "catalog.sources",
        (
            has_rows(),
            _contains(
                "the_sources_of_the_first_answer_are_there", "source",
                ("catalogue", "comtrade_baskets", "ecb"),
                "Who publishes a figure is part of the figure.",
            ),
            is_one_of(
                "cadence_is_known", "cadence", ("daily", "monthly", "annual", "edited by hand"),
                "It says when to expect the next figure.",
            ),
            is_not_blank("title"),
            is_not_blank("publisher"),
            is_not_blank("licence"),
            is_one_of(
                "last_answer_is_known", "last_answer", LAST_ANSWERS,
                "A reader is told whether a publisher is silent, has refused the key, or sent what "
                "does not hold up.",
            ),
            is_not_later_than_today("last_vintage_at"),
            *(_has_not_fallen_silent(cadence) for cadence in SILENCE_DAYS),
        ),
    ),
    Suite(
        "mart",
        "catalog.snapshots",
        (
            matches(
                "sha256_is_64_hex_digits", "sha256", r"^[0-9a-f]{64}$",
                "With it anyone can tell that the bytes are those received.",
            ),
            _is_at_least("bytes", 0, "An empty document is not kept.", strict=True),
            is_not_blank("request"),
            stop(
                "request_shows_no_credential",
                "A key in an address must never reach a reader.",
                "ExpectColumnValuesToNotMatchRegex",
                column="request",
                regex=r"(?i)[?&](subscription-key|api_?key|app_?id|token|key)=(?!redact)[a-z0-9]{6}",
            ),
        ),
    ),
    Suite(
        "mart",
        "catalog.coverage",
        (
            is_not_blank("table_name"),
            *parts.names_a_slice(),
            _is_at_least("rows", 0, "Rows are counted."),
            is_not_later_than_today("period_start"),
            is_not_later_than_today("asked_at"),
        ),
    ),
    Suite(
        "mart",
        "catalog.checks",
        (
            is_one_of(
                "engine_is_known", "engine", ("great_expectations", "dbt"),
                "It says where the rule is written.",
            ),
            is_one_of(
                "severity_is_known", "severity", ("error", "warn"),
                "It says whether a failure stops a publication.",
            ),
            is_one_of(
                "status_is_known", "status", ("passed", "failed", "could_not_run"),
                "A check that could not run is not a check that failed.",
            ),
            _is_at_least("failing_rows", 0, "Rows are counted."),
            _never(
                "a_passed_check_has_no_failing_rows",
                "Then it did not pass.",
                passed_with_failing_rows=pl.when(
                    (pl.col("status") == "passed") & (pl.col("failing_rows") > 0)
                ).then("failing_rows"),
            ),
        ),
    ),
    Suite(
        "mart",
        "catalog.columns",
        (
            has_rows(),
            _contains(
                "every_schema_is_described", "schema_name", SCHEMAS,
                "A BI tool shows the description beside the column.",
            ),
            is_not_blank("description"),
            matches(
                "data_type_is_one_of_the_contract", "data_type",
                r"(?i)^(varchar(\[\])?|double|date|timestamp|boolean|integer|bigint)$",
                "Older BI drivers know these and no others.",
            ),
            _never(
                "a_figure_has_its_unit",
                "Dollars, kilograms and tonnes are told apart by the unit.",
                figure_without_unit=pl.when(
                    pl.col("column_name").str.contains("_(usd|kg|t|share)$")
                    & pl.col("unit").is_null()
                ).then("column_name"),
            ),
        ),
    ),
    Suite(
        "mart",
        "catalog.claims",
        (
            is_one_of(
                "verdict_is_known", "verdict", VERDICTS,
                "A reader filters by these words and no others.",
            ),
            is_not_blank("statement"),
            is_not_blank("claimed_by"),
            is_not_blank("explanation"),
            is_not_above(
                "claimed_low_is_not_above_high", "claimed_low", "claimed_high",
                "The bounds are swapped.",
            ),
            is_not_above(
                "computed_low_is_not_above_high", "computed_low", "computed_high",
                "The bounds are swapped.",
            ),
            _never(
                "a_verdict_rests_on_a_figure",
                "Only `not_testable` may do without one.",
                verdict_without_figure=pl.when(
                    (pl.col("verdict") != "not_testable")
                    & pl.coalesce("computed_low", "computed_high").is_null()
                ).then("verdict"),
            ),
            _never(
                "a_statement_that_is_judged_gives_a_bound",
                "Without one every figure would support it.",
                verdict_without_bound=pl.when(
                    (pl.col("verdict") != "not_testable")
                    & pl.coalesce("claimed_low", "claimed_high").is_null()
                ).then("verdict"),
            ),
            is_not_later_than_today("claimed_at"),
        ),
    ),
    Suite(
        "mart",
        "catalog.claim_findings",
        (
            is_not_blank("basis"),
            is_one_of(
                "unit_is_known",
                "unit",
                (
                    "share_of_value", "share_of_weight", "share_of_output", "share_of_use",
                    "share_of_days", "times_as_abundant", "return", "t",
                ),
                "A value is read by its unit.",
            ),
            _never(
                "a_share_lies_between_0_and_1_within_rounding",
                "A part is not more than the whole, nor less than nothing.",
                share_out_of_range=pl.when(
                    pl.col("unit").str.starts_with("share_of_")
                    & ~pl.col("value").is_between(0, LARGEST_PRODUCTION_SHARE)
                ).then("value"),
            ),
            _never(
                "a_ratio_or_an_amount_is_not_negative",
                "Neither an abundance nor a flow is less than nothing.",
                negative_value=pl.when(
                    pl.col("unit").is_in(["times_as_abundant", "t"]) & (pl.col("value") < 0)
                ).then("value"),
            ),
            matches(
                "period_is_a_year_a_month_or_an_interval",
                "period",
                r"^[0-9]{4}(-[0-9]{2})?$|^[0-9]{4}(-[0-9]{2}){2}/[0-9]{4}(-[0-9]{2}){2}$",
                "A period is written as in ISO 8601.",
            ),
            _never(
                "a_value_has_a_source",
                "A figure that cannot be traced to its publisher decides nothing.",
                value_without_source=pl.when(
                    pl.col("value").is_not_null() & pl.col("source").is_null()
                ).then("basis"),
            ),
        ),
    ),
)  # fmt: skip

MART_SUITES: Mapping[str, Suite] = MappingProxyType(
    {
        suite.table: suite
        for suite in (*_REFERENCE, *_TRADE, *_DEPENDENCY, *_EXPOSURE, *_MARKET, *_CATALOG)
    }
)
"""The suite of every published table, by its name with the schema."""
