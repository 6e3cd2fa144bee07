{# Every flow is looked up here: as a table its size is known, so that the few rows are looked up
   and not the flows. #}
{{ config(materialized='table') }}

with reported as (

    select distinct
        source,
        commodity_code,
        is_basket,
        frequency,
        period_start
    from {{ ref('int_trade__select_latest_flows') }}

),

own_reconciliation as (

    select * from {{ ref('int_dependency__list_reconciled_importers') }}

),

-- Others have a slice in one snapshot; our own flows name theirs.
reconciled_slices as (

    select * from {{ ref('stg_lake__reconciled_trade_slices') }}
    union all by name
    select distinct
        'reconciled' as source,
        hs6_code,
        hs_revision,
        make_date(year, 1, 1) as period_start
    from own_reconciliation

),

groups as (

    select distinct
        mineral_group,
        hs6_code
    from {{ ref('mineral_group_codes') }}

),

sizes_of_groups as (

    select
        mineral_group,
        count(*) as codes
    from groups
    group by mineral_group

),

-- The same trade is published once in each edition of the HS. A group is taken from the newest one
-- that has all of its codes.
editions_with_a_code as (

    select
        reconciled_slices.source,
        groups.mineral_group,
        reconciled_slices.period_start,
        reconciled_slices.hs_revision,
        count(distinct reconciled_slices.hs6_code) as codes
    from reconciled_slices
    inner join groups on reconciled_slices.hs6_code = groups.hs6_code
    group by
        reconciled_slices.source,
        groups.mineral_group,
        reconciled_slices.period_start,
        reconciled_slices.hs_revision

),

editions_of_groups as (

    select
        editions_with_a_code.source,
        editions_with_a_code.mineral_group,
        editions_with_a_code.period_start,
        max(editions_with_a_code.hs_revision) as hs_revision
    from editions_with_a_code
    inner join sizes_of_groups
        on
            editions_with_a_code.mineral_group = sizes_of_groups.mineral_group
            and editions_with_a_code.codes = sizes_of_groups.codes
    group by
        editions_with_a_code.source,
        editions_with_a_code.mineral_group,
        editions_with_a_code.period_start

),

grouped as (

    select
        reported.source,
        coalesce(groups.mineral_group, reported.commodity_code) as mineral_group,
        reported.commodity_code,
        reported.is_basket,
        reported.frequency,
        reported.period_start,
        cast(null as varchar) as hs_revision,
        cast(null as varchar) as snapshot_id
    from reported
    left join groups on reported.commodity_code = groups.hs6_code and not reported.is_basket
    where reported.is_basket or groups.hs6_code is not null
    union all
    select
        editions_of_groups.source,
        editions_of_groups.mineral_group,
        groups.hs6_code as commodity_code,
        false as is_basket,
        'A' as frequency,
        editions_of_groups.period_start,
        editions_of_groups.hs_revision,
        reconciled_slices.snapshot_id
    from editions_of_groups
    inner join groups on editions_of_groups.mineral_group = groups.mineral_group
    inner join reconciled_slices
        on
            editions_of_groups.source = reconciled_slices.source
            and editions_of_groups.period_start = reconciled_slices.period_start
            and editions_of_groups.hs_revision = reconciled_slices.hs_revision
            and groups.hs6_code = reconciled_slices.hs6_code

),

numbered as (

    select
        *,
        row_number() over (
            order by
                source, mineral_group, is_basket, frequency, period_start, commodity_code
        ) as series_number,
        dense_rank() over (
            order by source, mineral_group, is_basket, frequency, period_start
        ) as group_number
    from grouped

)

select
    cast(series_number as integer) as series_number,
    cast(group_number as integer) as group_number,
    source,
    mineral_group,
    commodity_code,
    is_basket,
    frequency,
    period_start,
    hs_revision,
    snapshot_id
from numbered
