with flows as (

    select
        source,
        reporter_iso3 as importer_iso3,
        partner_iso3,
        commodity_code,
        is_basket,
        frequency,
        period_start,
        value_usd,
        net_weight_kg,
        valuation,
        is_provisional
    from {{ ref('int_trade__select_latest_flows') }}
    -- A re-import from a third economy is counted in that economy's import already.
    where flow = 'import' or (flow = 're_import' and partner_iso3 = reporter_iso3)

),

groups as (

    select distinct
        mineral_group,
        hs6_code
    from {{ ref('mineral_group_codes') }}

),

grouped as (

    select
        flows.commodity_code as mineral_group,
        flows.*
    from flows
    where flows.is_basket
    union all
    select
        groups.mineral_group,
        flows.*
    from flows
    inner join groups on flows.commodity_code = groups.hs6_code
    where not flows.is_basket

),

measured as (

    select
        source,
        importer_iso3,
        partner_iso3,
        mineral_group,
        commodity_code,
        is_basket,
        frequency,
        period_start,
        'value_usd' as measure,
        value_usd as amount,
        valuation,
        is_provisional
    from grouped
    union all
    select
        source,
        importer_iso3,
        partner_iso3,
        mineral_group,
        commodity_code,
        is_basket,
        frequency,
        period_start,
        'net_weight_kg' as measure,
        net_weight_kg as amount,
        valuation,
        is_provisional
    from grouped

)

select * from measured
