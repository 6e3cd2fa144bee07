{# The published table and the imports of each group are read from it: computed once, as a table. #}
{{ config(materialized='table') }}

with flows as (

    select * from {{ ref('stg_lake__reconciled_trade') }}

),

-- The same trade is published once in each edition of the HS.
newest_revision as (

    select *
    from flows
    qualify
        hs_revision = max(hs_revision) over (partition by source, hs6_code, period_start)

),

-- A flow of an economy with itself is a re-import.
between_economies as (

    select
        source,
        exporter_iso3,
        importer_iso3,
        hs6_code,
        hs_revision,
        period_start,
        value_usd,
        net_weight_kg,
        is_provisional,
        vintage_at,
        snapshot_id
    from newest_revision
    where exporter_iso3 <> importer_iso3

)

select * from between_economies
