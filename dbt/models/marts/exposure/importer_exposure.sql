with targets as (

    select * from {{ ref('int_exposure__list_targets') }}

),

baselines as (

    select * from {{ ref('int_exposure__choose_baselines') }}

),

current_trade as (

    select * from {{ ref('int_exposure__choose_current_trade') }}

),

other_exporters as (

    select * from {{ ref('int_exposure__share_other_exporters') }}

),

group_codes as (

    select
        mineral_group,
        list(distinct hs6_code order by hs6_code) as hs6_codes
    from {{ ref('mineral_group_codes') }}
    group by mineral_group

),

codes_of_baskets as (

    select
        clause_id,
        importer_iso3,
        commodity_code,
        frequency,
        unnest(hs6_codes) as hs6_code
    from baselines
    where is_basket

),

-- A basket and its codes are the same trade: codes go before the basket, and months of the basket
-- before years of the codes. The exports of one supplier say less than a basket of imports.
baskets_known_by_code as (

    select
        codes_of_baskets.clause_id,
        codes_of_baskets.importer_iso3,
        codes_of_baskets.commodity_code
    from codes_of_baskets
    left join baselines
        on
            codes_of_baskets.clause_id = baselines.clause_id
            and codes_of_baskets.importer_iso3 = baselines.importer_iso3
            and codes_of_baskets.hs6_code = baselines.commodity_code
            and codes_of_baskets.frequency <= baselines.frequency
            and baselines.reason is null
    group by
        codes_of_baskets.clause_id, codes_of_baskets.importer_iso3, codes_of_baskets.commodity_code
    having
        bool_or(coalesce(baselines.value_usd, 0) > 0)
        or bool_and(baselines.clause_id is not null)

),

codes_known_by_basket as (

    select
        codes_of_baskets.clause_id,
        codes_of_baskets.importer_iso3,
        codes_of_baskets.hs6_code as commodity_code
    from codes_of_baskets
    anti join baskets_known_by_code
        on
            codes_of_baskets.clause_id = baskets_known_by_code.clause_id
            and codes_of_baskets.importer_iso3 = baskets_known_by_code.importer_iso3
            and codes_of_baskets.commodity_code = baskets_known_by_code.commodity_code

),

shown_elsewhere as (

    select * from baskets_known_by_code
    union distinct
    select * from codes_known_by_basket

),

-- Where a publisher covers the commodity and nothing came, there is a row if something comes today;
-- where none covers it, there is one without figures. What is hit today is never older than what
-- was meant.
exposed as (

    select
        targets.*,
        baselines.frequency,
        baselines.baseline_from,
        baselines.baseline_to,
        baselines.gap_years,
        baselines.value_usd,
        baselines.net_weight_kg,
        baselines.baseline_share,
        baselines.source,
        case when baselines.clause_id is null then 'no_figures' else baselines.reason end as reason,
        baselines.snapshot_ids as baseline_snapshot_ids,
        coalesce(group_codes.hs6_codes, targets.hs6_codes) as codes_of_commodity,
        current_trade.current_frequency,
        current_trade.current_from,
        current_trade.current_to,
        current_trade.value_usd as current_value_usd,
        current_trade.net_weight_kg as current_weight_kg,
        current_trade.current_share,
        current_trade.source as current_source,
        {{ current_reason('current_trade.current_to', 'baselines.baseline_to') }} as current_reason,
        current_trade.snapshot_ids as current_snapshot_ids
    from targets
    left join baselines
        on
            targets.clause_id = baselines.clause_id
            and targets.importer_iso3 = baselines.importer_iso3
            and targets.commodity_code = baselines.commodity_code
    left join current_trade
        on
            targets.implementer_iso3 = current_trade.implementer_iso3
            and targets.importer_iso3 = current_trade.importer_iso3
            and targets.commodity_code = current_trade.commodity_code
            and targets.is_basket = current_trade.is_basket
    left join group_codes
        on targets.is_basket and targets.commodity_code = group_codes.mineral_group
    anti join shown_elsewhere
        on
            targets.clause_id = shown_elsewhere.clause_id
            and targets.importer_iso3 = shown_elsewhere.importer_iso3
            and targets.commodity_code = shown_elsewhere.commodity_code
    where
        baselines.value_usd > 0
        or (baselines.value_usd = 0 and current_trade.value_usd > 0 and current_reason is null)
        or (baselines.clause_id is null and not targets.is_basket)

)

select
    exposed.clause_id,
    exposed.importer_iso3,
    exposed.commodity_code,
    exposed.is_basket,
    exposed.codes_of_commodity as hs6_codes,
    exposed.frequency as baseline_frequency,
    exposed.baseline_from,
    exposed.baseline_to,
    exposed.gap_years as baseline_gap_years,
    exposed.value_usd as baseline_value_usd,
    exposed.net_weight_kg as baseline_weight_kg,
    exposed.baseline_share,
    exposed.control_share_low,
    exposed.control_share_high,
    exposed.control_share_low * exposed.value_usd as exposed_value_low_usd,
    exposed.control_share_high * exposed.value_usd as exposed_value_high_usd,
    exposed.control_share_low * exposed.baseline_share as exposed_share_low,
    exposed.control_share_high * exposed.baseline_share as exposed_share_high,
    other_exporters.other_exporters_share,
    other_exporters.other_exporters_year,
    {% for column in [
        'current_frequency', 'current_from', 'current_to', 'current_value_usd',
        'current_weight_kg', 'current_source',
    ] -%}
        case when exposed.current_reason is null then exposed.{{ column }} end as {{ column }},
    {% endfor -%}
    case when exposed.current_reason is null then cast(year(exposed.current_to) as integer) end
        as current_year,
    {% for bound in ['low', 'high'] -%}
        {% for column, amount in [
            ('current_exposed_value_' ~ bound ~ '_usd', 'current_value_usd'),
            ('current_exposed_share_' ~ bound, 'current_share'),
        ] -%}
            case
                when exposed.current_reason is null
                    then exposed.control_share_{{ bound }} * exposed.{{ amount }}
            end as {{ column }},
        {% endfor -%}
    {% endfor -%}
    exposed.current_reason,
    coalesce(exposed.reason = 'largest_flows_only', false) as is_cut_list,
    exposed.reason,
    exposed.source,
    {{
        snapshots_together([
            'exposed.snapshot_ids',
            'coalesce(exposed.baseline_snapshot_ids, [])',
            'coalesce(exposed.current_snapshot_ids, [])',
            'coalesce(other_exporters.snapshot_ids, [])',
        ])
    }} as snapshot_ids
from exposed
left join other_exporters
    on
        exposed.clause_id = other_exporters.clause_id
        and exposed.importer_iso3 = other_exporters.importer_iso3
        and exposed.commodity_code = other_exporters.commodity_code
