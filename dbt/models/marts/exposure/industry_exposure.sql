with by_mineral as (

    select * from {{ ref('int_exposure__sum_by_mineral') }}

),

exposures as (

    select * from {{ ref('importer_exposure') }}

),

-- What a clause exposes of an importer's trade, over all codes with figures.
clauses as (

    select
        clause_id,
        importer_iso3,
        sum(exposed_value_high_usd) as value_usd,
        {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
    from exposures
    where exposed_value_high_usd is not null
    group by clause_id, importer_iso3

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

builders as (

    select
        sector,
        nace2_code
    from magnet_sectors
    where tier = 2
    union all
    select
        'all' as sector,
        null as nace2_code

),

-- Of several studies of a mineral, one.
end_uses as (

    select * from {{ ref('end_uses') }}
    qualify source = min(source) over (partition by mineral)

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
        magnets_share as magnets_share_high,
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
        max(end_uses.magnets_share) as magnets_share_high,
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
        by_mineral.magnets_high_usd as for_magnets_usd,
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
        uses.magnets_share_high * by_mineral.materials_high_usd as for_magnets_usd,
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
    -- What goes to all of them, whether or not the uses are published.
    select
        clause_id,
        importer_iso3,
        mineral,
        'all' as sector,
        1 as tier,
        cast(null as varchar) as nace2_code,
        materials_low_usd + magnets_low_usd as low_usd,
        materials_high_usd + magnets_high_usd as high_usd,
        snapshot_ids
    from by_mineral
    union all by name
    -- How magnets divide among those who build them in is published nowhere: none or all.
    select
        parts.clause_id,
        parts.importer_iso3,
        parts.mineral,
        builders.sector,
        2 as tier,
        any_value(builders.nace2_code) as nace2_code,
        0 as low_usd,
        sum(parts.for_magnets_usd) as high_usd,
        {{ union_of_snapshots('parts.snapshot_ids') }} as snapshot_ids
    from parts
    inner join magnet_sectors as makers
        on
            parts.nace2_code = makers.nace2_code
            and makers.tier = 1
    cross join builders
    where parts.for_magnets_usd > 0
    group by parts.clause_id, parts.importer_iso3, parts.mineral, builders.sector

)

select
    tiers.clause_id,
    tiers.importer_iso3,
    tiers.mineral,
    tiers.sector,
    cast(tiers.tier as integer) as tier,
    tiers.nace2_code,
    by_mineral.commodity_codes,
    by_mineral.codes_without_figures,
    by_mineral.hs6_codes,
    case when tiers.tier = 1 then uses.use_share end as use_share,
    cast(tiers.low_usd as double) as exposed_value_low_usd,
    cast(tiers.high_usd as double) as exposed_value_high_usd,
    -- Sums of the same amounts in another order differ in the last digits.
    round(cast(coalesce(tiers.low_usd / nullif(clauses.value_usd, 0), 0) as double), 12)
        as share_of_clause_low,
    round(cast(coalesce(tiers.high_usd / nullif(clauses.value_usd, 0), 0) as double), 12)
        as share_of_clause_high,
    {{ snapshots_together(['tiers.snapshot_ids', 'clauses.snapshot_ids']) }} as snapshot_ids
from tiers
inner join clauses
    on
        tiers.clause_id = clauses.clause_id
        and tiers.importer_iso3 = clauses.importer_iso3
inner join by_mineral
    on
        tiers.clause_id = by_mineral.clause_id
        and tiers.importer_iso3 = by_mineral.importer_iso3
        and tiers.mineral = by_mineral.mineral
left join uses on tiers.mineral = uses.mineral and tiers.sector = uses.sector
where tiers.high_usd > 0
