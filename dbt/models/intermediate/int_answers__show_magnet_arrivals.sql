{% set months_shown = 24 %}
{# China put magnets of seven rare earths under licence in this month. An importer that does not
   publish its magnets by month is shown the arrivals of another one. #}
{% set month_of_the_measure = "date '2025-04-01'" %}
{% set arrivals_shown_of = 'GBR' %}

with importers as (

    select * from {{ ref('int_answers__list_importers') }}

),

economies as (

    select * from {{ ref('economies') }}

),

flows as (

    select * from {{ ref('int_trade__choose_monthly_flows') }}

),

arrivals as (

    select
        *,
        period_start > {{ month_of_the_measure }} as is_after
    from flows
    where
        partner_iso3 in (select importers.supplier_iso3 from importers)
        and flow = 'import'
        and commodity_code = 'rare_earth_magnets'

),

arrival_months as (

    select
        reporter_iso3,
        cast(unnest(range(
            greatest(
                max(period_start) - interval {{ months_shown - 1 }} month, min(period_start)
            ),
            max(period_start) + interval 1 month,
            interval 1 month
        )) as date) as period_start
    from arrivals
    where net_weight_kg is not null
    group by reporter_iso3

),

arrival_trends as (

    select
        arrival_months.reporter_iso3,
        min(arrival_months.period_start) as trend_from,
        list(arrivals.net_weight_kg / 1000 order by arrival_months.period_start) as trend
    from arrival_months
    left join arrivals
        on
            arrival_months.reporter_iso3 = arrivals.reporter_iso3
            and arrival_months.period_start = arrivals.period_start
    group by arrival_months.reporter_iso3

),

arrivals_together as (

    select
        reporter_iso3,
        max(period_start) as last_month,
        arg_max(net_weight_kg, period_start) / 1000 as amount_t,
        min(net_weight_kg) filter (where is_after) / 1000 as least_t,
        arg_min(period_start, net_weight_kg) filter (where is_after) as month_of_least,
        median(net_weight_kg) filter (where not is_after) / 1000 as usual_t,
        arg_max(source, period_start) as source,
        max(vintage_at) as vintage_at,
        {{ snapshots_of('snapshot_id') }} as snapshot_ids
    from arrivals
    where net_weight_kg is not null
    group by reporter_iso3
    having bool_or(is_after)

)

select
    importers.importer_iso3,
    11 as position,
    {{ sentence('answers.magnet_arrivals', {
        'reporter': 'reporters.name',
        'importer': 'importers.importer_name',
        'supplier': 'importers.supplier_name',
    }) }} as subject,
    arrivals_together.amount_t as figure,
    't' as unit,
    strftime(arrivals_together.last_month, '%Y-%m') as period,
    {{ sentence('answers.magnet_arrivals_detail', {
        'measure_month': "strftime(" ~ month_of_the_measure ~ ", '%Y-%m')",
        'least_t': 'arrivals_together.least_t',
        'month_of_least': "strftime(arrivals_together.month_of_least, '%Y-%m')",
        'usual_t': 'arrivals_together.usual_t',
    }) }} as detail,
    arrival_trends.trend,
    strftime(arrival_trends.trend_from, '%Y-%m') as trend_from,
    arrivals_together.source,
    arrivals_together.vintage_at,
    arrivals_together.snapshot_ids
from importers
left join arrivals_together
    on arrivals_together.reporter_iso3 = case
        when
            importers.importer_iso3 in (select own.reporter_iso3 from arrivals_together as own)
            then importers.importer_iso3
        else '{{ arrivals_shown_of }}'
    end
left join arrival_trends on arrivals_together.reporter_iso3 = arrival_trends.reporter_iso3
left join economies as reporters on arrivals_together.reporter_iso3 = reporters.economy_iso3
