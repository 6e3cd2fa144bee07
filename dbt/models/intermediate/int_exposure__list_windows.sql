{# Compared with each publisher's periods: a few hundred rows, whose size is known as a table. #}
{{ config(materialized='table') }}

with bounds as (

    select * from {{ ref('int_exposure__bound_code_shares') }}
    where is_on_trade

),

-- The twelve complete months before the month of the announcement.
months as (

    select
        *,
        'M' as frequency,
        0 as gap_years,
        cast(date_trunc('month', announced_date) - interval 12 month as date) as baseline_from
    from bounds

),

-- The last full year before the announcement, and the one before it.
years as (

    select
        bounds.*,
        'A' as frequency,
        gaps.gap_years,
        make_date(
            cast(extract(year from bounds.announced_date) as integer) - 1 - gaps.gap_years, 1, 1
        ) as baseline_from
    from bounds
    cross join (values (0), (1)) as gaps (gap_years)

),

windows as (

    select * from months
    union all by name
    select * from years

)

select
    clause_id,
    implementer_iso3,
    commodity_code,
    is_basket,
    case when is_basket then commodity_code else 'hs_' || commodity_code end as mineral_group,
    frequency,
    gap_years,
    baseline_from,
    cast(baseline_from + interval 1 year - interval 1 day as date) as baseline_to
from windows
