{# Read by all that compares months. #}
{{ config(materialized='table') }}

with flows as (

    select * from {{ ref('int_trade__select_latest_flows') }}
    where
        frequency = 'M'
        and flow in ('import', 'export')
        and not is_basket

),

breaks as (

    select * from {{ ref('seed_nomenclature_breaks') }}

),

codes as (

    select distinct
        source,
        reporter_iso3,
        flow,
        commodity_code
    from flows
    where commodity_code in (select breaks.hs6_code from breaks)

),

-- A reporter uses one edition in a month, also for codes of which it has nothing then.
editions as (

    select
        source,
        reporter_iso3,
        flow,
        period_start,
        max(hs_revision) as hs_revision
    from flows
    group by source, reporter_iso3, flow, period_start

)

select
    codes.source,
    codes.reporter_iso3,
    codes.flow,
    codes.commodity_code,
    editions.period_start,
    cast(
        {{
            breaks_passed(
                'breaks', 'editions.hs_revision', 'extract(year from editions.period_start)'
            )
        }} as integer
    ) as era
from codes
inner join editions
    on
        codes.source = editions.source
        and codes.reporter_iso3 = editions.reporter_iso3
        and codes.flow = editions.flow
inner join breaks on codes.commodity_code = breaks.hs6_code
where editions.hs_revision is not null
group by
    codes.source,
    codes.reporter_iso3,
    codes.flow,
    codes.commodity_code,
    editions.period_start
