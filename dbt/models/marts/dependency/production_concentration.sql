with concentration as (

    select
        material,
        stage,
        year,
        source,
        hhi,
        cr1_share,
        cr3_share,
        top_producer_iso3,
        hhi_governance_weighted,
        governance_coverage_share
    from {{ ref('int_production__measure_concentration') }}

)

select * from concentration
