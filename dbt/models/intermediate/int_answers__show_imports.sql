{% set names_shown = 3 %}

with economies as (

    select * from {{ ref('economies') }}

),

shares as (

    select * from {{ ref('supplier_shares') }}

),

-- With the largest suppliers' own suppliers, one step back.
indirect_dependence as (

    select * from {{ ref('indirect_dependence') }}
    where depth = 1 and mineral_group = 'permanent_magnets'

),

latest_imports as (

    select * from {{ ref('int_answers__choose_latest_imports') }}

),

-- All but the supplier itself.
importers as (

    select * from {{ ref('int_answers__list_importers') }}
    where importer_iso3 <> supplier_iso3

),

rare_earths as (

    select
        importers.importer_iso3,
        measures.position,
        {{ sentence('answers.rare_earth_imports', {
            'supplier': 'importers.supplier_name',
            'measure': 'measures.measure',
        }) }} as subject,
        latest_imports.supplier_share as figure,
        'share' as unit,
        cast(latest_imports.year as varchar) as period,
        {{ sentence('answers.rare_earth_imports_detail', {
            'supplier': 'importers.supplier_name',
            'measure': 'measures.measure',
            'total': 'latest_imports.total_amount',
            'has_share': 'latest_imports.supplier_share is not null',
            'has_later_year': 'latest_imports.year < latest_imports.newest_year',
        }) }} as detail,
        latest_imports.trend,
        cast(latest_imports.trend_from as varchar) as trend_from,
        latest_imports.source,
        latest_imports.vintage_at,
        latest_imports.snapshot_ids
    from importers
    cross join
        (values (1, 'net_weight_kg'), (2, 'value_usd'))
            as measures (position, measure) -- noqa: AL05
    left join latest_imports
        on
            importers.importer_iso3 = latest_imports.importer_iso3
            and measures.measure = latest_imports.measure
            and latest_imports.mineral_group = 'rare_earths'

),

largest_suppliers as (

    select
        shares.importer_iso3,
        year(shares.period_start) as year,
        list(
            struct_pack(name := economies.name, share := shares.share)
            order by shares.supplier_rank
        ) as largest
    from shares
    inner join economies on shares.supplier_iso3 = economies.economy_iso3
    where
        shares.mineral_group = 'permanent_magnets'
        and shares.frequency = 'A'
        and shares.measure = 'value_usd'
        and shares.supplier_rank <= {{ names_shown }}
    group by all

),

magnets as (

    select
        importers.importer_iso3,
        4 as position,
        {{ sentence('answers.magnet_imports', {
            'supplier': 'importers.supplier_name',
        }) }} as subject,
        latest_imports.supplier_share as figure,
        'share' as unit,
        cast(latest_imports.year as varchar) as period,
        {{ sentence('answers.magnet_imports_detail', {
            'total': 'latest_imports.total_amount',
            'is_complete': 'latest_imports.hhi_low is not null',
            'hhi': 'latest_imports.hhi',
            'largest': 'largest_suppliers.largest',
            'supplier': 'importers.supplier_name',
            'share_with_hubs': 'indirect_dependence.total_share_high',
            'share_of_hubs': 'indirect_dependence.indirect_share_high',
            'hub': 'hubs.name',
            'hub_share': 'indirect_dependence.hub_share',
        }) }} as detail,
        latest_imports.trend,
        cast(latest_imports.trend_from as varchar) as trend_from,
        latest_imports.source,
        latest_imports.vintage_at,
        latest_imports.snapshot_ids
    from importers
    left join latest_imports
        on
            importers.importer_iso3 = latest_imports.importer_iso3
            and latest_imports.mineral_group = 'permanent_magnets'
            and latest_imports.measure = 'value_usd'
    left join largest_suppliers
        on
            latest_imports.importer_iso3 = largest_suppliers.importer_iso3
            and latest_imports.year = largest_suppliers.year
    left join indirect_dependence
        on
            latest_imports.importer_iso3 = indirect_dependence.importer_iso3
            and latest_imports.year = indirect_dependence.year
            and importers.supplier_iso3 = indirect_dependence.origin_iso3
    left join economies as hubs on indirect_dependence.hub_iso3 = hubs.economy_iso3

),

lines as (

    select * from rare_earths
    union all by name
    select * from magnets

)

select
    importer_iso3,
    position,
    subject,
    figure,
    unit,
    period,
    detail,
    trend,
    trend_from,
    source,
    vintage_at,
    snapshot_ids
from lines
