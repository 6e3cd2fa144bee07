with source as (

    select
        source,
        indicator,
        economy_iso3,
        year,
        estimate,
        standard_error,
        is_provisional,
        document,
        vintage_at,
        snapshot_id
    from {{ source('lake', 'governance_scores') }}

)

select * from source
