with source as (

    select
        source,
        instrument,
        price_date,
        frequency,
        close,
        adjusted_close,
        currency,
        unit,
        is_provisional,
        document,
        vintage_at,
        snapshot_id
    from {{ source('lake', 'price_quotes') }}

)

select * from source
