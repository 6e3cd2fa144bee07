with snapshots as (

    select
        snapshot_id,
        source,
        document,
        retrieved_at,
        landed_at,
        sha256,
        bytes,
        media_type,
        request,
        commodity_codes
    from {{ source('runtime', 'snapshots') }}

)

select * from snapshots
