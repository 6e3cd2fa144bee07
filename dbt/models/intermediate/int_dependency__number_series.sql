{# Two models look up every flow here: as a table its size is known, so that the few rows are looked
   up and not the flows. #}
{{ config(materialized='table') }}

with reported as (

    select distinct
        source,
        commodity_code,
        is_basket,
        frequency,
        period_start,
        cast(null as varchar) as snapshot_id
    from {{ ref('int_trade__select_latest_flows') }}

),

reconciled as (

    select
        source,
        hs6_code as commodity_code,
        false as is_basket,
        'A' as frequency,
        period_start,
        snapshot_id
    from {{ ref('int_trade__choose_reconciled_slices') }}

),

groups as (

    select distinct
        mineral_group,
        hs6_code
    from {{ ref('mineral_group_codes') }}

),

given as (

    select * from reported
    union all
    select * from reconciled

),

grouped as (

    select
        given.source,
        coalesce(groups.mineral_group, given.commodity_code) as mineral_group,
        given.commodity_code,
        given.is_basket,
        given.frequency,
        given.period_start,
        given.snapshot_id
    from given
    left join groups on given.commodity_code = groups.hs6_code and not given.is_basket
    where given.is_basket or groups.hs6_code is not null

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
    snapshot_id
from numbered
