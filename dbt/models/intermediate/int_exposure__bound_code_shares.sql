{# Read by all that compares a clause with trade; a few hundred rows. #}
{{ config(materialized='table') }}

with clauses as (

    select * from {{ ref('int_exposure__select_known_clauses') }}

),

measure_scope as (

    select * from {{ ref('measure_scope') }}

),

minerals as (

    select * from {{ ref('minerals') }}

),

mineral_group_codes as (

    select * from {{ ref('mineral_group_codes') }}

),

baskets_within_codes as (

    select * from {{ ref('seed_baskets_within_codes') }}

),

scope_snapshots as (

    select
        clause_id,
        {{ snapshots_of('snapshot_id') }} as snapshot_ids
    from {{ ref('stg_lake__restriction_scope') }}
    group by clause_id

),

-- Where a clause names no element, it is on each of them.
scope_minerals as (

    select
        measure_scope.clause_id,
        measure_scope.hs6_code,
        measure_scope.mineral
    from measure_scope
    where measure_scope.mineral <> 'all_rare_earths'
    union distinct
    select
        measure_scope.clause_id,
        measure_scope.hs6_code,
        minerals.mineral
    from measure_scope
    inner join minerals on minerals.is_rare_earth
    where measure_scope.mineral = 'all_rare_earths'

),

-- Two minerals may be in one product, so that the part controlled because of either of them is at
-- least that of one and at most that of both.
codes as (

    select
        clause_id,
        hs6_code,
        list(mineral order by mineral) as minerals,
        max(control_share_low) as control_share_low,
        least(1, sum(control_share_high)) as control_share_high
    from measure_scope
    group by clause_id, hs6_code

),

by_code as (

    select
        clause_id,
        hs6_code as commodity_code,
        false as is_basket,
        [hs6_code] as hs6_codes,
        minerals,
        control_share_low,
        control_share_high
    from codes

),

group_codes as (

    select distinct
        mineral_group,
        hs6_code,
        count(distinct hs6_code) over (partition by mineral_group) as codes
    from mineral_group_codes
    where not starts_with(mineral_group, 'hs_')

),

-- How a basket divides among its codes is unknown: all of it may be of the code that is controlled
-- least, or most.
by_basket as (

    select
        by_code.clause_id,
        group_codes.mineral_group as commodity_code,
        true as is_basket,
        list(by_code.commodity_code order by by_code.commodity_code) as hs6_codes,
        list_sort(list_distinct(flatten(list(by_code.minerals)))) as minerals,
        case
            when count(*) = max(group_codes.codes) then min(by_code.control_share_low)
            else 0
        end as control_share_low,
        max(by_code.control_share_high) as control_share_high
    from by_code
    inner join group_codes on by_code.commodity_code = group_codes.hs6_code
    group by by_code.clause_id, group_codes.mineral_group

),

-- Of a part of a code it is not known which products of the code are in it.
by_part as (

    select
        codes.clause_id,
        baskets_within_codes.mineral_group as commodity_code,
        true as is_basket,
        [codes.hs6_code] as hs6_codes,
        list_sort(list_distinct(list(scope_minerals.mineral))) as minerals,
        case when codes.control_share_low = 1 then 1 else 0 end as control_share_low,
        case when codes.control_share_high > 0 then 1 else 0 end as control_share_high
    from codes
    inner join baskets_within_codes on codes.hs6_code = baskets_within_codes.hs6_code
    left join scope_minerals
        on
            codes.clause_id = scope_minerals.clause_id
            and codes.hs6_code = scope_minerals.hs6_code
            and baskets_within_codes.mineral = scope_minerals.mineral
    group by
        codes.clause_id,
        codes.hs6_code,
        baskets_within_codes.mineral_group,
        codes.control_share_low,
        codes.control_share_high
    having count(scope_minerals.mineral) > 0

),

bounds as (

    select * from by_code
    union all by name
    select * from by_basket
    union all by name
    select * from by_part

)

select
    bounds.clause_id,
    clauses.implementer_iso3,
    clauses.direction,
    clauses.target_iso3,
    clauses.target_class,
    -- Trade does not say who a good goes to, and goods that leave third countries are no trade with
    -- the economy that took the measure.
    clauses.direction = 'restrict'
    and clauses.target_class <> 'entity'
    and clauses.reach = 'direct' as is_on_trade,
    clauses.announced_date,
    clauses.effective_date,
    bounds.commodity_code,
    bounds.is_basket,
    bounds.hs6_codes,
    bounds.minerals,
    -- Not all of a country's trade goes to the end users that are meant, maybe nothing.
    cast(
        case clauses.target_class when 'end_user' then 0 else bounds.control_share_low end as double
    ) as control_share_low,
    cast(bounds.control_share_high as double) as control_share_high,
    {{ snapshots_together(['[clauses.snapshot_id]', 'scope_snapshots.snapshot_ids']) }}
        as snapshot_ids
from bounds
inner join clauses on bounds.clause_id = clauses.clause_id
left join scope_snapshots on bounds.clause_id = scope_snapshots.clause_id
