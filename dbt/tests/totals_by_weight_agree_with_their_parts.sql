-- A printed total agrees with its parts by weight, within the rounding of its publisher. A slice
-- that does not is published without weights.
-- depends_on: {{ ref('reported_flows') }}
{{ config(severity='warn', meta={'dagster': {'ref': {'name': 'reported_flows'}}}) }}

select
    source,
    reporter_iso3,
    flow,
    commodity_code,
    period_start,
    printed_total,
    sum_of_parts,
    parts
from {{ ref('int_trade__list_disagreeing_totals') }}
where measure = 'net_weight_kg'
order by
    abs(sum_of_parts - printed_total) desc,
    source asc,
    reporter_iso3 asc,
    flow asc,
    commodity_code asc,
    period_start asc
