{# Two tables of the catalog are read from it, and it counts almost all of the lake: once. #}
{{ config(materialized='table') }}

with by_snapshot as (

    select * from {{ ref('stg_lake__rows_by_snapshot') }}

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
