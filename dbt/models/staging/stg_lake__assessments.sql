with source as (

    select
        source,
        assessment,
        year,
        label,
        stage,
        supply_risk,
        economic_importance,
        import_reliance,
        eol_recycling_rate,
        supply_used,
        substitution_index_economic,
        substitution_index_supply,
        hhi_global_supply,
        hhi_consumer_sourcing,
        is_provisional,
        document,
        vintage_at,
        snapshot_id
    from {{ source('lake', 'assessments') }}

)

select * from source
