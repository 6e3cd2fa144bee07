with source as (

    select
        source,
        clause_id,
        hs_code,
        mineral,
        control_share_low,
        control_share_high,
        basis,
        source_codes,
        correction_reason,
        is_provisional,
        document,
        vintage_at,
        snapshot_id
    from {{ source('lake', 'restriction_scope') }}

)

select * from source
