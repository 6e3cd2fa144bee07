with production_shares as (

    select * from {{ ref('production_shares') }}

),

minerals as (

    select * from {{ ref('minerals') }}

),

sources as (

    select * from {{ ref('sources') }}

),

importers as (

    select * from {{ ref('int_answers__list_importers') }}

),

mined as (

    select * from production_shares
    where
        material = 'rare_earths'
        and stage = 'extraction'
        and source = 'usgs_mcs'
        and share is not null

),

mine_years as (

    select
        economy_iso3,
        unnest(range(min(year), max(year) + 1)) as year
    from mined
    group by economy_iso3

),

supplier_mines as (

    select
        mine_years.economy_iso3,
        max(mine_years.year) as year,
        arg_max(mined.share, mine_years.year) as share,
        arg_max(mined.amount_t, mine_years.year) as amount_t,
        arg_max(mined.world_total_t, mine_years.year) as world_total_t,
        list(mined.share order by mine_years.year) as trend,
        min(mine_years.year) as trend_from,
        max(mined.source) as source,
        {{ union_of_snapshots('mined.snapshot_ids') }} as snapshot_ids
    from mine_years
    left join mined
        on
            mine_years.economy_iso3 = mined.economy_iso3
            and mine_years.year = mined.year
    group by mine_years.economy_iso3

),

mines as (

    select
        importers.importer_iso3,
        6 as position,
        {{ sentence('answers.mines', {
            'supplier': 'importers.supplier_name',
        }) }} as subject,
        supplier_mines.share as figure,
        'share' as unit,
        cast(supplier_mines.year as varchar) as period,
        {{ sentence('answers.mines_detail', {
            'amount_t': 'supplier_mines.amount_t',
            'world_total_t': 'supplier_mines.world_total_t',
        }) }} as detail,
        supplier_mines.trend,
        cast(supplier_mines.trend_from as varchar) as trend_from,
        supplier_mines.source,
        sources.last_vintage_at as vintage_at,
        supplier_mines.snapshot_ids
    from importers
    left join supplier_mines on importers.supplier_iso3 = supplier_mines.economy_iso3
    left join sources on supplier_mines.source = sources.source

),

refined as (

    select
        production_shares.economy_iso3,
        minerals.family,
        production_shares.source,
        production_shares.year,
        max(production_shares.reference_period) as reference_period,
        min(production_shares.share) as least,
        max(production_shares.share) as most,
        {{ union_of_snapshots('production_shares.snapshot_ids') }} as snapshot_ids
    from production_shares
    inner join minerals on production_shares.material = minerals.mineral
    where
        production_shares.stage = 'processing'
        and minerals.family in ('light_rare_earth', 'heavy_rare_earth')
        and production_shares.share is not null
    group by
        production_shares.economy_iso3,
        minerals.family,
        production_shares.source,
        production_shares.year
    qualify
        dense_rank() over (
            partition by production_shares.economy_iso3
            order by production_shares.year desc, production_shares.source asc
        ) = 1

),

supplier_refineries as (

    select
        economy_iso3,
        min(least) as least,
        coalesce(max(reference_period), cast(max(year) as varchar)) as period,
        list(
            struct_pack(family := family, least := least, most := most) order by family desc
        ) as families,
        max(source) as source,
        {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
    from refined
    group by economy_iso3

),

refineries as (

    select
        importers.importer_iso3,
        7 as position,
        {{ sentence('answers.refineries', {
            'supplier': 'importers.supplier_name',
        }) }} as subject,
        supplier_refineries.least as figure,
        'share' as unit,
        supplier_refineries.period,
        {{ sentence('answers.refineries_detail', {
            'families': 'supplier_refineries.families',
        }) }} as detail,
        cast(null as double[]) as trend,
        cast(null as varchar) as trend_from,
        supplier_refineries.source,
        sources.last_vintage_at as vintage_at,
        supplier_refineries.snapshot_ids
    from importers
    left join supplier_refineries on importers.supplier_iso3 = supplier_refineries.economy_iso3
    left join sources on supplier_refineries.source = sources.source

),

lines as (

    select * from mines
    union all by name
    select * from refineries

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
