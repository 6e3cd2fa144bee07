-- A printed total agrees with its parts by value, within the rounding of its publisher. A slice
-- that does not is left out of the marts: the next source by precedence answers.
-- depends_on: {{ ref('reported_flows') }}, {{ ref('int_trade__list_disagreeing_totals') }}
{{ config(severity='warn', meta={'dagster': {'ref': {'name': 'reported_flows'}}}) }}

{{ slices_that_disagree_by('value_usd') }}
