{# Read by all that reads flows: computed once, as a table. #}
{{ config(materialized='table') }}

with lines as (

    select * from {{ ref('int_trade__convert_national_lines') }}

),

baskets as (

    select * from {{ ref('seed_national_baskets') }}

),

of_codes as (

    select
        *,
        hs6_code as commodity_code,
        false as is_basket,
        hs_revision as hs_revision_of_sum
    from lines

),

of_baskets as (

    select
        lines.*,
        baskets.mineral_group as commodity_code,
        true as is_basket,
        cast(null as varchar) as hs_revision_of_sum
    from lines
    inner join baskets
        on
            lines.source = baskets.source
            and starts_with(lines.national_code, baskets.national_code)

),

parts as (

    select * from of_codes
    union all by name
    select * from of_baskets

)

-- Kilograms, and dollars, only where every line has them.
select
    source,
    reporter_iso3,
    partner_iso3,
    flow,
    commodity_code,
    is_basket,
    hs_revision_of_sum as hs_revision,
    'M' as frequency,
    false as is_sum_of_months,
    period_start,
    case when count(value_usd) = count(*) then sum(value_usd) end as value_usd,
    case when count(net_weight_kg) = count(*) then sum(net_weight_kg) end as net_weight_kg,
    any_value(valuation) as valuation,
    bool_or(is_provisional) as is_provisional,
    max(vintage_at) as vintage_at,
    max(snapshot_id) as snapshot_id,
    {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids,
    min(hs6_code) as hs6_code,
    max(usd_per_unit) as value_unit_usd
from parts
group by
    source,
    reporter_iso3,
    partner_iso3,
    flow,
    commodity_code,
    is_basket,
    hs_revision_of_sum,
    period_start
