{# Two tables of the catalog are read from it, and it reads almost all of the lake: computed once.
   Of reconciled trade, the largest, the number of rows of each slice is known. #}
{{ config(materialized='table') }}

{% set first_day = 'make_date(year, 1, 1)' %}
{# Reporter, flow, frequency and period of a row, by lake table; empty text where it has none. #}
{% set slices = {
    'trade_flows': ['reporter_iso3', 'flow', 'frequency', 'period_start'],
    'reconciled_trade': ["''", "''", "'A'", 'period_start'],
    'production': ["''", "''", "'A'", first_day],
    'governance_scores': ["''", "''", "'A'", first_day],
    'end_uses': ["''", "''", "'A'", first_day],
    'assessments': ["''", "''", "'A'", first_day],
    'price_quotes': ["''", "''", 'frequency', 'price_date'],
} %}

with counted as (

    {% for table, (reporter, flow, frequency, period) in slices.items() %}
        select
            source,
            '{{ table }}' as table_name,
            {{ reporter }} as reporter_iso3,
            {{ flow }} as flow,
            {{ frequency }} as frequency,
            {{ period }} as period_start,
            vintage_at,
            snapshot_id,
            {{ 'rows' if table == 'reconciled_trade' else '1' }} as rows
        from {{ ref('stg_lake__' ~ table ~ ('_slices' if table == 'reconciled_trade' else '')) }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

by_snapshot as (

    select
        source,
        table_name,
        reporter_iso3,
        flow,
        frequency,
        period_start,
        vintage_at,
        snapshot_id,
        sum(rows) as rows
    from counted
    group by all

)

select
    source,
    table_name,
    reporter_iso3,
    flow,
    frequency,
    period_start,
    cast(sum(rows) as bigint) as rows,
    max(vintage_at) as vintage_at,
    first(snapshot_id order by {{ newest_first() }}) as snapshot_id
from by_snapshot
group by source, table_name, reporter_iso3, flow, frequency, period_start
