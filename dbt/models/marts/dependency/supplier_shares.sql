with shares as (

    select
        importer_iso3,
        mineral_group,
        frequency,
        period_start,
        measure,
        supplier_iso3,
        amount,
        share,
        cast(supplier_rank as integer) as supplier_rank,
        source,
        valuation,
        is_provisional
    from {{ ref('int_dependency__compute_supplier_shares') }}

)

select * from shares
