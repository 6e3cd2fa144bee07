-- What nothing came of before is no part of a sum.
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
    where baseline_value_usd is distinct from 0

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

)

select
    clause_id,
    importer_iso3,
    mineral,
    list(commodity_code order by commodity_code) filter (where value_usd is not null)
        as commodity_codes,
    coalesce(list(commodity_code order by commodity_code) filter (where value_usd is null), [])
        as codes_without_figures,
    list_sort(list_distinct(flatten(list(hs6_codes) filter (where value_usd is not null))))
        as hs6_codes,
    coalesce(sum(share_low * value_usd) filter (where not is_magnets), 0) as materials_low_usd,
    coalesce(sum(share_high * value_usd) filter (where not is_magnets), 0) as materials_high_usd,
    coalesce(sum(share_low * value_usd) filter (where is_magnets), 0) as magnets_low_usd,
    coalesce(sum(share_high * value_usd) filter (where is_magnets), 0) as magnets_high_usd,
    {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
from by_commodity
group by clause_id, importer_iso3, mineral
having count(value_usd) > 0
