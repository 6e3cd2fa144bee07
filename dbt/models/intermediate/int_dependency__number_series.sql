{# Two models look up every flow here: as a table its size is known, so that the few rows are looked
   up and not the flows. #}
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

reconciled as (

    select
        source,
        hs6_code as commodity_code,
        false as is_basket,
        'A' as frequency,
        period_start
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

measured as (

    select
        *,
        unnest(['value_usd', 'net_weight_kg']) as measure
    from given

),

grouped as (

    select
        measured.source,
        coalesce(groups.mineral_group, measured.commodity_code) as mineral_group,
        measured.commodity_code,
        measured.is_basket,
        measured.frequency,
        measured.period_start,
        measured.measure
    from measured
    left join groups on measured.commodity_code = groups.hs6_code and not measured.is_basket
    where measured.is_basket or groups.hs6_code is not null

),

numbered as (

    select
        *,
        row_number() over (
            order by
                source, mineral_group, is_basket, frequency, period_start, measure, commodity_code
        ) as series_number,
        dense_rank() over (
            order by source, mineral_group, is_basket, frequency, period_start, measure
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
    measure
from numbered
