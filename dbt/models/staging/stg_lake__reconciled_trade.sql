with source as (

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
        document,
        vintage_at,
        snapshot_id
    from {{ source('lake', 'reconciled_trade') }}

)

select * from source
