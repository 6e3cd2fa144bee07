with claims as (

    select
        claim_id,
        statement,
        claimed_by,
        claimed_at,
        claimed_low,
        is_low_excluded,
        claimed_high,
        basis,
        test,
        missing,
        importer_iso3,
        supplier_iso3,
        mineral_group,
        minerals,
        stage,
        nace2_code,
        commodity_code,
        flow,
        frequency,
        period_start,
        period_end,
        instrument,
        performance_window,
        citation,
        source_url,
        known_at,
        source,
        document,
        snapshot_id
    from {{ ref('stg_lake__claims') }}

),

newest as (

    {{ newest_snapshot('claims', ['claim_id']) }}

),

known as (

    select
        claim_id,
        statement,
        claimed_by,
        claimed_at,
        claimed_low,
        is_low_excluded,
        claimed_high,
        basis,
        test,
        missing,
        importer_iso3,
        supplier_iso3,
        mineral_group,
        minerals,
        stage,
        nace2_code,
        commodity_code,
        flow,
        frequency,
        period_start,
        period_end,
        instrument,
        performance_window,
        citation,
        source_url,
        known_at
    from newest
    where known_at <= {{ as_of_day() }}

)

select * from known
