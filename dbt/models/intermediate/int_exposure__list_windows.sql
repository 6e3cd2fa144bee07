{# Trade that ended longer ago is not what is hit today. #}
{% set newest_years = 5 %}
{% set newest_months = 24 %}

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

years_ago as (

    select unnest(generate_series(1, {{ newest_years }})) as years

),

months_ago as (

    select unnest(generate_series(1, {{ newest_months }})) as months

),

-- What is hit today, of all clauses alike: a full year, or twelve complete months.
newest as (

    select distinct
        cast(null as varchar) as clause_id,
        bounds.implementer_iso3,
        bounds.commodity_code,
        bounds.is_basket,
        'A' as frequency,
        cast(null as integer) as gap_years,
        make_date(
            cast(extract(year from {{ as_of_day() }}) as integer) - years_ago.years, 1, 1
        ) as baseline_from
    from bounds
    cross join years_ago
    union
    select distinct
        cast(null as varchar) as clause_id,
        bounds.implementer_iso3,
        bounds.commodity_code,
        bounds.is_basket,
        'M' as frequency,
        cast(null as integer) as gap_years,
        cast(
            date_trunc('month', {{ as_of_day() }}) - to_months(11 + months_ago.months) as date
        ) as baseline_from
    from bounds
    cross join months_ago

),

windows as (

    select * from months
    union all by name
    select * from years
    union all by name
    select * from newest

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
