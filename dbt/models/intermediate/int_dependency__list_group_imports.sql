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
        is_provisional,
        snapshot_id
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
        net_weight_kg,
        is_provisional
    from {{ ref('int_trade__choose_reconciled_flows') }}
    -- Areas that are no single economy depend on nobody in particular.
    where importer_iso3 <> '_X'

),

series as (

    select * from {{ ref('int_dependency__number_series') }}

),

imports as (

    select
        series.series_number,
        series.group_number,
        reported.importer_iso3,
        reported.partner_iso3,
        reported.value_usd,
        reported.net_weight_kg,
        reported.valuation,
        reported.is_provisional,
        reported.snapshot_id
    from reported
    inner join series
        on
            reported.source = series.source
            and reported.commodity_code = series.commodity_code
            and reported.is_basket = series.is_basket
            and reported.frequency = series.frequency
            and reported.period_start = series.period_start
    union all
    select
        series.series_number,
        series.group_number,
        reconciled.importer_iso3,
        reconciled.partner_iso3,
        reconciled.value_usd,
        reconciled.net_weight_kg,
        'FOB' as valuation,
        reconciled.is_provisional,
        -- That of its slice, which the series has: a text less to read of millions of flows.
        cast(null as varchar) as snapshot_id
    from reconciled
    inner join series
        on
            reconciled.source = series.source
            and reconciled.commodity_code = series.commodity_code
            and reconciled.period_start = series.period_start
    where not series.is_basket and series.frequency = 'A'

)

select
    series_number,
    group_number,
    importer_iso3,
    partner_iso3,
    value_usd,
    net_weight_kg,
    valuation,
    is_provisional,
    snapshot_id
from imports
