with source as (

    select
        source,
        label,
        application,
        sector,
        nace2_code,
        year,
        use_share,
        sector_value_added_eur_m,
        is_provisional,
        document,
        vintage_at,
        snapshot_id
    from {{ source('lake', 'end_uses') }}

)

select * from source
