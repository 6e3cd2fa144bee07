with reported as (

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

reconciled as (

    select
        source,
        importer_iso3,
        exporter_iso3 as partner_iso3,
        hs6_code as commodity_code,
        period_start,
        value_usd,
        is_provisional
    from {{ ref('int_trade__choose_reconciled_flows') }}
    -- Areas that are no single economy depend on nobody in particular.
    where importer_iso3 <> '_X'

),

groups as (

    select distinct
        mineral_group,
        hs6_code
    from {{ ref('mineral_group_codes') }}

),

-- Of reconciled flows by value only: quantities are estimated apart, and many are not there.
measured as (

    select
        source,
        importer_iso3,
        partner_iso3,
        commodity_code,
        is_basket,
        frequency,
        period_start,
        'value_usd' as measure,
        value_usd as amount,
        valuation,
        is_provisional
    from reported
    union all
    select
        source,
        importer_iso3,
        partner_iso3,
        commodity_code,
        is_basket,
        frequency,
        period_start,
        'net_weight_kg' as measure,
        net_weight_kg as amount,
        valuation,
        is_provisional
    from reported
    union all
    select
        source,
        importer_iso3,
        partner_iso3,
        commodity_code,
        false as is_basket,
        'A' as frequency,
        period_start,
        'value_usd' as measure,
        value_usd as amount,
        'FOB' as valuation,
        is_provisional
    from reconciled

),

grouped as (

    select
        measured.source,
        measured.importer_iso3,
        measured.partner_iso3,
        coalesce(groups.mineral_group, measured.commodity_code) as mineral_group,
        measured.commodity_code,
        measured.is_basket,
        measured.frequency,
        measured.period_start,
        measured.measure,
        measured.amount,
        measured.valuation,
        measured.is_provisional
    from measured
    left join groups on measured.commodity_code = groups.hs6_code and not measured.is_basket
    where measured.is_basket or groups.hs6_code is not null

)

select * from grouped
