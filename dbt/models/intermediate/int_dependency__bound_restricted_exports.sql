with bounds as (

    select * from {{ ref('int_exposure__bound_code_shares') }}
    where is_on_trade and not is_basket

),

states as (

    select * from {{ ref('measure_status') }}
    where
        status in ('in_force', 'unknown')
        and {{ as_of_day() }} >= valid_from
        and (valid_to is null or {{ as_of_day() }} < valid_to)

),

codes_of_groups as (

    select * from {{ ref('int_dependency__list_restricted_codes') }}
    where starts_with(mineral_group, 'hs_')

),

economies as (

    select * from {{ ref('economies') }}
    where economy_iso3 not in ('_X', 'WLD')

),

-- How much of a code is in a part of it that is controlled is not known.
by_clause as (

    select
        replace(codes_of_groups.mineral_group, 'hs_', '') as hs6_code,
        bounds.implementer_iso3 as supplier_iso3,
        economies.economy_iso3 as importer_iso3,
        bounds.clause_id,
        states.status,
        case when codes_of_groups.is_part then 0 else bounds.control_share_low end
            as control_share_low,
        bounds.control_share_high,
        bounds.snapshot_ids
    from bounds
    inner join states on bounds.clause_id = states.clause_id
    inner join codes_of_groups on bounds.commodity_code = codes_of_groups.hs6_code
    inner join economies
        on
            {{ is_targeted('bounds.target_iso3', 'economies') }}
            and bounds.implementer_iso3 <> economies.economy_iso3

)

-- What one economy controls because of several clauses is at least what one of them controls.
select
    hs6_code,
    supplier_iso3,
    importer_iso3,
    coalesce(max(control_share_low) filter (where status = 'in_force'), 0) as share_low,
    least(
        1,
        coalesce({{ sum_in_order('control_share_high') }} filter (where status = 'in_force'), 0)
    ) as share_high,
    coalesce(
        list(distinct clause_id order by clause_id) filter (where status = 'in_force'), []
    ) as clauses_in_force,
    coalesce(
        list(distinct clause_id order by clause_id) filter (where status = 'unknown'), []
    ) as clauses_unknown,
    {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
from by_clause
group by hs6_code, supplier_iso3, importer_iso3
