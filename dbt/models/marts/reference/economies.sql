with economies as (

    select
        economy_iso3,
        name,
        name_ja,
        m49_code,
        comtrade_code,
        japan_customs_code,
        region,
        is_eu27,
        source,
        document,
        snapshot_id
    from {{ ref('stg_lake__economies') }}

),

newest as (

    {{ newest_snapshot('economies', ['economy_iso3']) }}

),

final as (

    select
        economy_iso3,
        name,
        name_ja,
        m49_code,
        comtrade_code,
        japan_customs_code,
        region,
        is_eu27
    from newest

)

select * from final
