with exposures as (

    select
        clause_id,
        importer_iso3,
        commodity_code,
        is_basket,
        baseline_value_usd,
        snapshot_ids,
        hs6_codes,
        unnest(hs6_codes) as hs6_code
    from {{ ref('importer_exposure') }}

),

target_classes as (

    select distinct
        clause_id,
        target_class
    from {{ ref('measures') }}

),

measure_scope as (

    select * from {{ ref('measure_scope') }}

),

baskets_within_codes as (

    select * from {{ ref('seed_baskets_within_codes') }}

),

commodities as (

    select * from {{ ref('commodities') }}

),

rare_earths as (

    select
        mineral,
        count(*) over () as rare_earths
    from {{ ref('minerals') }}
    where is_rare_earth

),

magnet_sectors as (

    select * from {{ ref('seed_magnet_sectors') }}

),

-- Of several studies of a mineral, one.
end_uses as (

    select * from {{ ref('end_uses') }}
    qualify source = min(source) over (partition by mineral)

),

magnet_codes as (

    select distinct hs6_code
    from commodities
    where product_form = 'magnet'

),

parts_of_codes as (

    select distinct mineral_group
    from baskets_within_codes

),

-- Bounds of what is controlled because of a mineral: of a basket, 0 unless every code of it is
-- covered; of a part of a code, all of it or nothing, since its products are not known.
by_commodity as (

    select
        exposures.clause_id,
        exposures.importer_iso3,
        exposures.commodity_code,
        measure_scope.mineral,
        bool_or(magnet_codes.hs6_code is not null) as is_magnets,
        any_value(exposures.baseline_value_usd) as value_usd,
        any_value(exposures.snapshot_ids) as snapshot_ids,
        any_value(exposures.hs6_codes) as hs6_codes,
        case
            when any_value(target_classes.target_class) = 'end_user' then 0
            when count(*) < max(len(exposures.hs6_codes)) then 0
            when bool_or(parts_of_codes.mineral_group is not null)
                then floor(min(measure_scope.control_share_low))
            else min(measure_scope.control_share_low)
        end as share_low,
        case
            when bool_or(parts_of_codes.mineral_group is not null)
                then ceil(max(measure_scope.control_share_high))
            else max(measure_scope.control_share_high)
        end as share_high
    from exposures
    inner join measure_scope
        on
            exposures.clause_id = measure_scope.clause_id
            and exposures.hs6_code = measure_scope.hs6_code
    inner join target_classes on exposures.clause_id = target_classes.clause_id
    left join magnet_codes on exposures.hs6_code = magnet_codes.hs6_code
    left join parts_of_codes
        on exposures.is_basket and exposures.commodity_code = parts_of_codes.mineral_group
    where
        parts_of_codes.mineral_group is null
        or measure_scope.mineral = 'all_rare_earths'
        or exists (
            select 1 from baskets_within_codes
            where
                exposures.commodity_code = baskets_within_codes.mineral_group
                and measure_scope.mineral = baskets_within_codes.mineral
        )
    group by
        exposures.clause_id,
        exposures.importer_iso3,
        exposures.commodity_code,
        measure_scope.mineral

),

by_mineral as (

    select
        clause_id,
        importer_iso3,
        mineral,
        list(distinct commodity_code order by commodity_code) as commodity_codes,
        list_sort(list_distinct(flatten(list(hs6_codes)))) as hs6_codes,
        coalesce(sum(share_low * value_usd) filter (where not is_magnets), 0) as materials_low_usd,
        coalesce(sum(share_high * value_usd) filter (where not is_magnets), 0)
            as materials_high_usd,
        coalesce(sum(share_low * value_usd) filter (where is_magnets), 0) as magnets_low_usd,
        coalesce(sum(share_high * value_usd) filter (where is_magnets), 0) as magnets_high_usd,
        {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
    from by_commodity
    group by clause_id, importer_iso3, mineral

),

-- Where no element is named, the goods may be of the element that a sector uses least, or most.
uses as (

    select
        mineral,
        sector,
        nace2_code,
        use_share,
        use_share as use_share_low,
        use_share as use_share_high,
        contains(applications, 'Magnets') as is_for_magnets,
        snapshot_ids
    from end_uses
    union all by name
    select
        'all_rare_earths' as mineral,
        end_uses.sector,
        any_value(end_uses.nace2_code) as nace2_code,
        cast(null as double) as use_share,
        case
            when count(*) = max(rare_earths.rare_earths) then min(end_uses.use_share)
            else 0
        end as use_share_low,
        max(end_uses.use_share) as use_share_high,
        bool_or(contains(end_uses.applications, 'Magnets')) as is_for_magnets,
        {{ union_of_snapshots('end_uses.snapshot_ids') }} as snapshot_ids
    from end_uses
    inner join rare_earths on end_uses.mineral = rare_earths.mineral
    group by end_uses.sector

),

-- Magnets are what the division of magnets makes, whatever the mineral is used for elsewhere.
magnets as (

    select
        by_mineral.clause_id,
        by_mineral.importer_iso3,
        by_mineral.mineral,
        magnet_sectors.sector,
        magnet_sectors.nace2_code,
        by_mineral.magnets_low_usd as low_usd,
        by_mineral.magnets_high_usd as high_usd,
        true as is_for_magnets,
        by_mineral.snapshot_ids
    from by_mineral
    inner join magnet_sectors on magnet_sectors.tier = 1
    where by_mineral.magnets_high_usd > 0

),

materials as (

    select
        by_mineral.clause_id,
        by_mineral.importer_iso3,
        by_mineral.mineral,
        uses.sector,
        uses.nace2_code,
        uses.use_share_low * by_mineral.materials_low_usd as low_usd,
        uses.use_share_high * by_mineral.materials_high_usd as high_usd,
        coalesce(uses.is_for_magnets, false) as is_for_magnets,
        {{ snapshots_together(['by_mineral.snapshot_ids', 'uses.snapshot_ids']) }} as snapshot_ids
    from by_mineral
    inner join uses on by_mineral.mineral = uses.mineral
    where by_mineral.materials_high_usd > 0

),

parts as (

    select * from magnets
    union all by name
    select * from materials

),

tiers as (

    select
        clause_id,
        importer_iso3,
        mineral,
        sector,
        1 as tier,
        any_value(nace2_code) as nace2_code,
        sum(low_usd) as low_usd,
        sum(high_usd) as high_usd,
        {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
    from parts
    group by clause_id, importer_iso3, mineral, sector
    union all by name
    -- How magnets divide among those who build them in is published nowhere: none or all.
    select
        parts.clause_id,
        parts.importer_iso3,
        parts.mineral,
        users.sector,
        2 as tier,
        any_value(users.nace2_code) as nace2_code,
        0 as low_usd,
        sum(parts.high_usd) as high_usd,
        {{ union_of_snapshots('parts.snapshot_ids') }} as snapshot_ids
    from parts
    inner join magnet_sectors as makers
        on
            parts.nace2_code = makers.nace2_code
            and makers.tier = 1
    inner join magnet_sectors as users on users.tier = 2
    where parts.is_for_magnets
    group by parts.clause_id, parts.importer_iso3, parts.mineral, users.sector

)

select
    tiers.clause_id,
    tiers.importer_iso3,
    tiers.mineral,
    tiers.sector,
    cast(tiers.tier as integer) as tier,
    tiers.nace2_code,
    by_mineral.commodity_codes,
    by_mineral.hs6_codes,
    case when tiers.tier = 1 then uses.use_share end as use_share,
    cast(tiers.low_usd as double) as exposed_value_low_usd,
    cast(tiers.high_usd as double) as exposed_value_high_usd,
    tiers.snapshot_ids
from tiers
inner join by_mineral
    on
        tiers.clause_id = by_mineral.clause_id
        and tiers.importer_iso3 = by_mineral.importer_iso3
        and tiers.mineral = by_mineral.mineral
left join uses on tiers.mineral = uses.mineral and tiers.sector = uses.sector
where tiers.high_usd > 0
