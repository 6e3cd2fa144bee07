-- A printed total agrees with its parts by weight, within the rounding of its publisher. A slice
-- that does not is published without weights.
-- depends_on: {{ ref('reported_flows') }}, {{ ref('int_trade__list_disagreeing_totals') }}
{{ config(severity='warn', meta={'dagster': {'ref': {'name': 'reported_flows'}}}) }}

{{ slices_that_disagree_by('net_weight_kg') }}
