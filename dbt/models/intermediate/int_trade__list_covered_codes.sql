{# Few rows, looked up for each flow. #}
{{ config(materialized='table') }}

with report_snapshots as (

    select * from {{ ref('int_trade__list_report_snapshots') }}

),

snapshots as (

    select * from {{ source('runtime', 'trade_snapshots') }}

),

reports as (

    select distinct
        reporter_iso3,
        side,
        hs6_code,
        year,
        unnest(snapshot_ids) as snapshot_id
    from report_snapshots

),

-- What a document has of anybody in a year, or was asked for.
codes_of_snapshots as (

    select
        snapshot_id,
        side,
        year,
        hs6_code
    from reports
    union distinct
    select
        reports.snapshot_id,
        reports.side,
        reports.year,
        unnest(snapshots.commodity_codes) as hs6_code
    from reports
    inner join snapshots on reports.snapshot_id = snapshots.snapshot_id

),

reporters_of_snapshots as (

    select distinct
        snapshot_id,
        side,
        year,
        reporter_iso3
    from reports

)

select distinct
    reporters_of_snapshots.reporter_iso3,
    reporters_of_snapshots.side,
    codes_of_snapshots.hs6_code,
    reporters_of_snapshots.year
from reporters_of_snapshots
inner join codes_of_snapshots
    on
        reporters_of_snapshots.snapshot_id = codes_of_snapshots.snapshot_id
        and reporters_of_snapshots.side = codes_of_snapshots.side
        and reporters_of_snapshots.year = codes_of_snapshots.year
