-- A printed total agrees with its parts by weight, within the rounding of the publisher. A slice that
-- does not is published without weights.
{{ config(severity='warn', meta={'dagster': {'ref': {'name': 'reported_flows'}}}) }}

select * from {{ ref('int_trade__list_disagreeing_totals') }}
where measure = 'net_weight_kg'
