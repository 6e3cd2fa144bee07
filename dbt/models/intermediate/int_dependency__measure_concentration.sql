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
        supplier_rank,
        total_amount,
        source,
        is_provisional
    from {{ ref('int_dependency__compute_supplier_shares') }}

),

sums as (

    select
        importer_iso3,
        mineral_group,
        frequency,
        period_start,
        measure,
        total_amount,
        source,
        sum(amount * amount) filter (where supplier_iso3 <> '_X') as squares_of_published,
        sum(amount * amount) as squares,
        sum(amount) filter (where supplier_rank <= 3)
        / nullif(total_amount, 0) as top_three_share,
        max(share) filter (where supplier_rank = 1) as top_supplier_share,
        max(supplier_iso3) filter (where supplier_rank = 1) as top_supplier_iso3,
        count(*) filter (where supplier_iso3 <> '_X' and amount > 0) as suppliers,
        1 - coalesce(sum(share) filter (where supplier_iso3 = '_X'), 0) as partner_coverage_share,
        bool_or(is_provisional) as is_provisional
    from shares
    group by importer_iso3, mineral_group, frequency, period_start, measure, total_amount, source

),

indexed as (

    select
        *,
        {{ hhi('squares_of_published', 'total_amount') }} as hhi,
        {{ hhi('squares', 'total_amount') }} as hhi_high
    from sums

),

concentration as (

    select
        importer_iso3,
        mineral_group,
        frequency,
        period_start,
        measure,
        total_amount,
        hhi,
        hhi_high,
        case
            when partner_coverage_share >= 0.95 then {{ hhi_normalised('hhi', 'suppliers') }}
        end as hhi_normalised,
        top_supplier_share as cr1_share,
        case
            when suppliers >= 3 or partner_coverage_share = 1 then top_three_share
        end as cr3_share,
        case
            when partner_coverage_share >= 0.95 then {{ effective_suppliers('hhi') }}
        end as effective_suppliers,
        top_supplier_iso3,
        top_supplier_share,
        partner_coverage_share,
        source,
        is_provisional
    from indexed

)

select * from concentration
