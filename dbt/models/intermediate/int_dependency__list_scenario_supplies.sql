{# Joined to shifts twice: as a table its size is known. #}
{{ config(materialized='table') }}

with changes as (

    select * from {{ ref('int_dependency__spread_changes') }}

),

supplier_shares as (

    select * from {{ ref('supplier_shares') }}
    where frequency = 'A'

),

import_concentration as (

    select * from {{ ref('import_concentration') }}
    where frequency = 'A' and hhi is not null

),

-- The newest full year with a concentration: a twelfth of it each month.
baselines as (

    select
        supplier_shares.importer_iso3,
        supplier_shares.mineral_group,
        supplier_shares.measure,
        supplier_shares.supplier_iso3,
        supplier_shares.amount / 12 as amount,
        cast(extract(year from supplier_shares.period_start) as integer) as baseline_year,
        supplier_shares.snapshot_ids
    from supplier_shares
    semi join changes
        on
            supplier_shares.importer_iso3 = changes.importer_iso3
            and supplier_shares.mineral_group = changes.mineral_group
    semi join import_concentration
        on
            supplier_shares.importer_iso3 = import_concentration.importer_iso3
            and supplier_shares.mineral_group = import_concentration.mineral_group
            and supplier_shares.measure = import_concentration.measure
            and supplier_shares.period_start = import_concentration.period_start
    qualify
        supplier_shares.period_start = max(supplier_shares.period_start) over (
            partition by
                supplier_shares.importer_iso3,
                supplier_shares.mineral_group,
                supplier_shares.measure
        )

),

totals as (

    select
        importer_iso3,
        mineral_group,
        measure,
        {{ sum_in_order('amount') }} as total_amount,
        any_value(baseline_year) as baseline_year,
        {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
    from baselines
    group by importer_iso3, mineral_group, measure

),

months as (

    select
        scenario,
        importer_iso3,
        mineral_group,
        month,
        {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
    from changes
    group by scenario, importer_iso3, mineral_group, month

),

-- Every supplier of the baseline, and those that the scenario brings in.
suppliers as (

    select distinct
        changes.scenario,
        changes.mineral_group,
        baselines.supplier_iso3
    from changes
    inner join baselines
        on
            changes.importer_iso3 = baselines.importer_iso3
            and changes.mineral_group = baselines.mineral_group
    union distinct
    select
        scenario,
        mineral_group,
        unnest([supplier_iso3, to_supplier_iso3]) as supplier_iso3
    from changes

),

effects as (

    select
        scenario,
        mineral_group,
        month,
        supplier_iso3,
        {{ sum_in_order("case kind when 'cut' then share else 0 end") }} as cut_share,
        {{ sum_in_order('tonnes_low') }} as tonnes_low,
        {{ sum_in_order('tonnes_high') }} as tonnes_high
    from changes
    where supplier_iso3 is not null
    group by scenario, mineral_group, month, supplier_iso3

)

-- What is added has a weight, and no price.
select
    months.scenario,
    months.importer_iso3,
    months.mineral_group,
    totals.measure,
    months.month,
    suppliers.supplier_iso3,
    totals.baseline_year,
    totals.total_amount,
    coalesce(baselines.amount, 0) as baseline_amount,
    coalesce(baselines.amount * {{ capped_at_one('effects.cut_share') }}, 0) as lost_amount,
    case totals.measure when 'net_weight_kg' then coalesce(effects.tonnes_low, 0) * 1000 end
        as added_amount_low,
    case totals.measure when 'net_weight_kg' then coalesce(effects.tonnes_high, 0) * 1000 end
        as added_amount_high,
    {{ union_of('[months.snapshot_ids, totals.snapshot_ids]') }} as snapshot_ids
from months
inner join totals
    on
        months.importer_iso3 = totals.importer_iso3
        and months.mineral_group = totals.mineral_group
inner join suppliers
    on
        months.scenario = suppliers.scenario
        and months.mineral_group = suppliers.mineral_group
        and suppliers.supplier_iso3 is not null
left join baselines
    on
        totals.importer_iso3 = baselines.importer_iso3
        and totals.mineral_group = baselines.mineral_group
        and totals.measure = baselines.measure
        and suppliers.supplier_iso3 = baselines.supplier_iso3
left join effects
    on
        months.scenario = effects.scenario
        and months.mineral_group = effects.mineral_group
        and months.month = effects.month
        and suppliers.supplier_iso3 = effects.supplier_iso3
