with flows as (

    select
        source,
        reporter_iso3 as importer_iso3,
        partner_iso3,
        flow,
        commodity_code,
        is_basket,
        frequency,
        period_start,
        value_usd,
        net_weight_kg,
        valuation,
        is_provisional,
        snapshot_ids
    from {{ ref('int_trade__select_latest_flows') }}

),

-- Whose imports are known, and whether a flow with itself is among them.
importers as (

    select
        source,
        importer_iso3,
        commodity_code,
        is_basket,
        frequency,
        period_start,
        bool_or(partner_iso3 = importer_iso3) as has_itself
    from flows
    where flow = 'import'
    group by source, importer_iso3, commodity_code, is_basket, frequency, period_start

),

-- A re-import from a third economy is counted in that economy's import already.
reported as (

    select * from flows
    where flow = 'import'
    union all
    select flows.*
    from flows
    inner join importers
        on
            flows.source = importers.source
            and flows.importer_iso3 = importers.importer_iso3
            and flows.commodity_code = importers.commodity_code
            and flows.is_basket = importers.is_basket
            and flows.frequency = importers.frequency
            and flows.period_start = importers.period_start
    where
        flows.flow = 're_import'
        and flows.partner_iso3 = flows.importer_iso3
        and not importers.has_itself

),

-- A flow of an economy with itself is a re-import. Areas that are no single economy depend on
-- nobody in particular.
reconciled as (

    select
        source,
        importer_iso3,
        exporter_iso3 as partner_iso3,
        hs6_code as commodity_code,
        hs_revision,
        period_start,
        value_usd,
        net_weight_kg,
        is_provisional,
        -- That of its slice, which the series has: a text less to read of millions of flows.
        cast(null as varchar[]) as snapshot_ids
    from {{ ref('stg_lake__reconciled_trade') }}
    where importer_iso3 <> '_X' and exporter_iso3 <> importer_iso3
    union all
    select
        source,
        importer_iso3,
        exporter_iso3 as partner_iso3,
        hs6_code as commodity_code,
        hs_revision,
        period_start,
        value_usd,
        net_weight_kg,
        is_provisional,
        snapshot_ids
    from {{ ref('int_dependency__list_reconciled_imports') }}

),

series as (

    select * from {{ ref('int_dependency__number_series') }}

),

members as (

    select economy_iso3
    from {{ ref('economies') }}
    where is_eu27

),

union_size as (

    select count(*) as members
    from members

),

publishers as (

    select * from {{ ref('seed_publishers') }}

),

reconciled_importers as (

    select * from {{ ref('int_dependency__list_reconciled_importers') }}

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
        reported.snapshot_ids
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
        reconciled.snapshot_ids
    from reconciled
    inner join series
        on
            reconciled.source = series.source
            and reconciled.commodity_code = series.commodity_code
            and reconciled.period_start = series.period_start
            and reconciled.hs_revision = series.hs_revision
    where not series.is_basket and series.frequency = 'A'

),

-- The European Union's imports are its members' from outside, of one source for all of them: an
-- estimate of everybody's trade, or what all members say in full, unless the Union says it itself.
series_of_union as (

    select series.series_number
    from series
    left join reconciled_importers
        on
            series.source = 'reconciled'
            and series.commodity_code = reconciled_importers.hs6_code
            and year(series.period_start) = reconciled_importers.year
    left join members on reconciled_importers.importer_iso3 = members.economy_iso3
    where series.hs_revision is not null
    group by series.series_number, series.source
    having
        series.source <> 'reconciled'
        or count(members.economy_iso3) = (select union_size.members from union_size)
    union all
    select series.series_number
    from importers
    inner join series
        on
            importers.source = series.source
            and importers.commodity_code = series.commodity_code
            and importers.is_basket = series.is_basket
            and importers.frequency = series.frequency
            and importers.period_start = series.period_start
    inner join publishers on series.source = publishers.source
    left join members on importers.importer_iso3 = members.economy_iso3
    where publishers.lists_every_partner
    group by series.series_number
    having
        count(members.economy_iso3) = (select union_size.members from union_size)
        and not bool_or(importers.importer_iso3 = 'EU27')

),

union_imports as (

    select imports.* replace ('EU27' as importer_iso3)
    from imports
    inner join members on imports.importer_iso3 = members.economy_iso3
    inner join series_of_union on imports.series_number = series_of_union.series_number
    left join members as partners on imports.partner_iso3 = partners.economy_iso3
    where partners.economy_iso3 is null and imports.partner_iso3 <> 'WLD'

),

together as (

    select * from imports
    union all
    select * from union_imports

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
    snapshot_ids
from together
