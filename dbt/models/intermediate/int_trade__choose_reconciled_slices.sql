{# A few rows that the flows are joined to by both models that read them. As a table its size is
   known, so that the join looks up its few rows, not the flows: 11 million in 2.7 s, not in 12. #}
{{ config(materialized='table') }}

with slices as (

    select * from {{ ref('stg_lake__reconciled_trade_slices') }}

)

-- The same trade is published once in each edition of the HS.
select
    source,
    hs6_code,
    period_start,
    max(hs_revision) as hs_revision,
    max_by(snapshot_id, hs_revision) as snapshot_id
from slices
group by source, hs6_code, period_start
