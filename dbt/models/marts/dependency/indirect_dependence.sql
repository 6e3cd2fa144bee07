{# A smaller part is left out: of most importers a hundred origins have next to nothing. #}
{% set least_share = 0.001 %}

with supplies as (

    select * from {{ ref('int_dependency__list_supply_shares') }}

),

supplier_shares as (

    select * from {{ ref('supplier_shares') }}
    where
        frequency = 'A'
        and measure = 'value_usd'
        and not starts_with(mineral_group, 'hs_')
        and supplier_iso3 <> '_X'

),

indirect as (

    select * from {{ ref('int_dependency__pass_through_hubs') }}

),

depths as (

    select unnest([1, 2]) as depth

),

-- What a supplier has bought is not its own.
own_parts as (

    select
        mineral_group,
        year,
        importer_iso3 as supplier_iso3,
        1 - any_value(passed_high) as own_low
    from supplies
    group by mineral_group, year, importer_iso3

),

-- Every origin that supplies directly or through a hub, at both depths.
origins as (

    select
        supplies.mineral_group,
        supplies.year,
        supplies.importer_iso3,
        supplies.supplier_iso3 as origin_iso3,
        depths.depth
    from supplies
    cross join depths
    union distinct
    select
        mineral_group,
        year,
        importer_iso3,
        origin_iso3,
        depth
    from indirect

),

snapshots as (

    select
        mineral_group,
        year,
        {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
    from supplies
    group by mineral_group, year

),

computed as (

    select
        origins.*,
        coalesce(direct.share, 0) as direct_share,
        coalesce(own_parts.own_low, 1) as own_low,
        coalesce(indirect.share_low, 0) as indirect_share_low,
        coalesce(indirect.share_high, 0) as indirect_share_high,
        case when indirect.hub_share > 0 then indirect.hub_iso3 end as hub_iso3,
        case when indirect.hub_share > 0 then indirect.hub_share end as hub_share,
        case
            when indirect.some_produce_what_is_known is null then 'no_hub'
            when indirect.all_produce_what_is_known then 'imports_and_production'
            when indirect.some_produce_what_is_known then 'production_of_some_hubs'
            else 'imports_alone'
        end as assumption,
        null as reason,
        snapshots.snapshot_ids
    from origins
    left join supplies as direct
        on
            origins.mineral_group = direct.mineral_group
            and origins.year = direct.year
            and origins.importer_iso3 = direct.importer_iso3
            and origins.origin_iso3 = direct.supplier_iso3
    left join own_parts
        on
            origins.mineral_group = own_parts.mineral_group
            and origins.year = own_parts.year
            and origins.origin_iso3 = own_parts.supplier_iso3
    left join indirect
        on
            origins.mineral_group = indirect.mineral_group
            and origins.year = indirect.year
            and origins.importer_iso3 = indirect.importer_iso3
            and origins.origin_iso3 = indirect.origin_iso3
            and origins.depth = indirect.depth
    inner join snapshots
        on
            origins.mineral_group = snapshots.mineral_group
            and origins.year = snapshots.year

),

years_of_supplies as (

    select distinct
        mineral_group,
        year
    from supplies

),

-- Years in which an importer's suppliers are known and theirs are not.
unknown as (

    select
        supplier_shares.mineral_group,
        cast(extract(year from supplier_shares.period_start) as integer) as year,
        supplier_shares.importer_iso3,
        supplier_shares.supplier_iso3 as origin_iso3,
        depths.depth,
        supplier_shares.share as direct_share,
        'not_known' as assumption,
        'no_flows_of_hubs' as reason,
        supplier_shares.snapshot_ids
    from supplier_shares
    cross join depths
    anti join years_of_supplies
        on
            supplier_shares.mineral_group = years_of_supplies.mineral_group
            and extract(year from supplier_shares.period_start) = years_of_supplies.year

),

together as (

    select * from computed
    union all by name
    select * from unknown

)

select
    importer_iso3,
    mineral_group,
    year,
    origin_iso3,
    depth,
    direct_share,
    indirect_share_low,
    indirect_share_high,
    {{ capped_at_one('direct_share * own_low + indirect_share_low') }} as total_share_low,
    {{ capped_at_one('direct_share + indirect_share_high') }} as total_share_high,
    hub_iso3,
    hub_share,
    assumption,
    reason,
    snapshot_ids
from together
where direct_share + coalesce(indirect_share_high, 0) >= {{ least_share }}
