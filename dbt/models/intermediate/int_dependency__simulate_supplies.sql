{# Shifts that cancel may leave less than this of what an importer buys. #}
{% set least_shift = 1e-12 %}

{{ config(materialized='table') }}

with supplies as (

    select * from {{ ref('int_dependency__list_scenario_supplies') }}

),

shifts as (

    select * from {{ ref('int_dependency__spread_changes') }}
    where kind = 'shift'

),

-- What moves back and forth between two suppliers is netted.
pairs as (

    select
        scenario,
        mineral_group,
        month,
        least(supplier_iso3, to_supplier_iso3) as first_iso3,
        greatest(supplier_iso3, to_supplier_iso3) as second_iso3,
        {{ sum_in_order('case when supplier_iso3 < to_supplier_iso3 then share else -share end') }}
            as net_share
    from shifts
    group by
        scenario,
        mineral_group,
        month,
        least(supplier_iso3, to_supplier_iso3),
        greatest(supplier_iso3, to_supplier_iso3)

),

directed as (

    select
        scenario,
        mineral_group,
        month,
        case when net_share > 0 then first_iso3 else second_iso3 end as from_iso3,
        case when net_share > 0 then second_iso3 else first_iso3 end as to_iso3,
        abs(net_share) as share
    from pairs
    where abs(net_share) > {{ least_shift }}

),

shares_of_suppliers as (

    select
        scenario,
        mineral_group,
        month,
        from_iso3,
        {{ sum_in_order('share') }} as share
    from directed
    group by scenario, mineral_group, month, from_iso3

),

-- No supplier gives up more than it has left. What is left in the last digit is none.
moves as (

    select
        supplies.scenario,
        supplies.mineral_group,
        supplies.measure,
        supplies.month,
        directed.from_iso3,
        directed.to_iso3,
        directed.share * least(
            supplies.total_amount,
            (supplies.baseline_amount - supplies.lost_amount) / shares_of_suppliers.share
        ) as amount
    from supplies
    inner join directed
        on
            supplies.scenario = directed.scenario
            and supplies.mineral_group = directed.mineral_group
            and supplies.month = directed.month
            and supplies.supplier_iso3 = directed.from_iso3
    inner join shares_of_suppliers
        on
            directed.scenario = shares_of_suppliers.scenario
            and directed.mineral_group = shares_of_suppliers.mineral_group
            and directed.month = shares_of_suppliers.month
            and directed.from_iso3 = shares_of_suppliers.from_iso3

),

moved_amounts as (

    select
        scenario,
        mineral_group,
        measure,
        month,
        from_iso3 as supplier_iso3,
        -amount as amount
    from moves
    union all
    select
        scenario,
        mineral_group,
        measure,
        month,
        to_iso3 as supplier_iso3,
        amount
    from moves

),

sums as (

    select
        scenario,
        mineral_group,
        measure,
        month,
        supplier_iso3,
        {{ sum_in_order('amount') }} as amount
    from moved_amounts
    group by scenario, mineral_group, measure, month, supplier_iso3

)

select
    supplies.scenario,
    supplies.importer_iso3,
    supplies.mineral_group,
    supplies.measure,
    supplies.month,
    supplies.supplier_iso3,
    supplies.baseline_year,
    supplies.baseline_amount,
    supplies.lost_amount,
    supplies.added_amount_low,
    supplies.added_amount_high,
    {{ at_least_none(
        'supplies.baseline_amount - supplies.lost_amount + coalesce(sums.amount, 0)'
    ) }} as remaining_amount,
    supplies.snapshot_ids
from supplies
left join sums
    on
        supplies.scenario = sums.scenario
        and supplies.mineral_group = sums.mineral_group
        and supplies.measure = sums.measure
        and supplies.month = sums.month
        and supplies.supplier_iso3 = sums.supplier_iso3
