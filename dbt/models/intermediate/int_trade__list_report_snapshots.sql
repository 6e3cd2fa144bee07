{# A list for each report of a code, joined to the many flows of it: lists of each flow would cost
   more than the reconciliation. #}
{{ config(materialized='table') }}

with flows as (

    select * from {{ ref('int_trade__unite_flows') }}
    where frequency = 'A' and not is_basket

),

reports as (

    select * from {{ ref('int_trade__choose_reports') }}

)

select
    reports.reporter_iso3,
    reports.side,
    reports.hs6_code,
    reports.year,
    {{ union_of_snapshots('flows.snapshot_ids') }} as snapshot_ids
from flows
inner join reports
    on
        flows.source = reports.source
        and flows.reporter_iso3 = reports.reporter_iso3
        and flows.flow = reports.flow
        and flows.commodity_code = reports.commodity_code
        and flows.hs_revision is not distinct from reports.hs_revision
        and flows.period_start = reports.period_start
group by reports.reporter_iso3, reports.side, reports.hs6_code, reports.year
