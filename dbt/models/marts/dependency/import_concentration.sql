with concentration as (

    select
        importer_iso3,
        mineral_group,
        frequency,
        period_start,
        measure,
        total_amount,
        hhi,
        hhi_high,
        hhi_normalised,
        cr1_share,
        cr3_share,
        effective_suppliers,
        top_supplier_iso3,
        top_supplier_share,
        partner_coverage_share,
        source,
        is_provisional,
        weight_coverage_share,
        comparable_since
    from {{ ref('int_dependency__measure_concentration') }}

)

select * from concentration
