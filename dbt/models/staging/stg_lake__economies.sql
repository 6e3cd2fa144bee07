with source as (

    select
        source,
        economy_iso3,
        name,
        name_ja,
        m49_code,
        comtrade_code,
        japan_customs_code,
        region,
        is_eu27,
        is_provisional,
        document,
        vintage_at,
        snapshot_id
    from {{ source('lake', 'economies') }}

)

select * from source
