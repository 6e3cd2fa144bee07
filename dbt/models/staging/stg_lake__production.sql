with source as (

    select
        source,
        label,
        stage,
        scope_iso3,
        economy_iso3,
        year,
        edition,
        amount_t,
        share,
        bound,
        flag,
        trade_parameter,
        printed,
        notes,
        is_provisional,
        document,
        vintage_at,
        snapshot_id
    from {{ source('lake', 'production') }}

)

select * from source
