{# A part that is not published and is at most this hides no supplier. #}
{% set least_unpublished = 0.001 %}

with supplies as (

    select * from {{ ref('int_dependency__simulate_supplies') }}

),

changes as (

    select * from {{ ref('int_dependency__spread_changes') }}

),

-- What is added has no price: by value such a scenario has no shares.
with_additions as (

    select distinct
        scenario,
        mineral_group
    from changes
    where kind = 'add'

),

priced as (

    select supplies.* from supplies
    anti join with_additions
        on
            supplies.measure = 'value_usd'
            and supplies.scenario = with_additions.scenario
            and supplies.mineral_group = with_additions.mineral_group

),

by_supplier as (

    select
        scenario,
        importer_iso3,
        mineral_group,
        measure,
        cast(extract(year from month) as integer) as year,
        supplier_iso3,
        any_value(baseline_year) as baseline_year,
        {{ sum_in_order('baseline_amount') }} as baseline,
        {{ sum_in_order('lost_amount') }} as lost,
        {{ sum_in_order('coalesce(added_amount_low, 0)') }} as added_low,
        {{ sum_in_order('coalesce(added_amount_high, 0)') }} as added_high,
        {{ sum_in_order('remaining_amount + coalesce(added_amount_low, 0)') }} as with_low,
        {{ sum_in_order('remaining_amount + coalesce(added_amount_high, 0)') }} as with_high,
        {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
    from priced
    group by
        scenario,
        importer_iso3,
        mineral_group,
        measure,
        extract(year from month),
        supplier_iso3

)

-- Who has no row in the baseline may be among the suppliers that are not published; not so the
-- importer itself.
select
    scenario,
    importer_iso3,
    mineral_group,
    measure,
    year,
    supplier_iso3,
    supplier_iso3 <> '_X'
    and (
        baseline > 0
        or supplier_iso3 = importer_iso3
        or max(case supplier_iso3 when '_X' then baseline else 0 end) over of_group
        <= {{ least_unpublished }} * sum(baseline) over of_group
    ) as is_published,
    baseline_year,
    baseline,
    lost,
    added_low,
    added_high,
    with_low,
    with_high,
    snapshot_ids
from by_supplier
window of_group as (partition by scenario, mineral_group, measure, year)
