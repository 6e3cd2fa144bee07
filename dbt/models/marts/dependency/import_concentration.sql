with shares as (

    select * from {{ ref('supplier_shares') }}

),

totals as (

    select * from {{ ref('int_dependency__choose_group_totals') }}

),

cut_lists as (

    select * from {{ ref('seed_source_precedence') }}
    where purpose = 'trade' and is_cut_list

),

by_total as (

    select
        importer_iso3,
        mineral_group,
        frequency,
        period_start,
        measure,
        sum(amount * amount) filter (where supplier_iso3 <> '_X') as squares_of_published,
        sum(amount * amount) as squares,
        sum(amount) filter (where supplier_rank <= 3) as top_three_amount,
        max(share) filter (where supplier_rank = 1) as top_supplier_share,
        max(supplier_iso3) filter (where supplier_rank = 1) as top_supplier_iso3,
        count(*) filter (where supplier_iso3 <> '_X' and amount > 0) as suppliers,
        1 - coalesce(sum(share) filter (where supplier_iso3 = '_X'), 0) as partner_coverage_share,
        bool_or(is_provisional) as is_provisional
    from shares
    group by importer_iso3, mineral_group, frequency, period_start, measure

),

sums as (

    select
        by_total.*,
        totals.total_amount,
        totals.source,
        totals.weight_coverage_share,
        totals.comparable_since,
        totals.snapshot_ids,
        cut_lists.source is not null as is_cut_list,
        {{ capped_at_one('by_total.top_three_amount / nullif(totals.total_amount, 0)') }}
            as top_three_share
    from by_total
    inner join totals
        on
            by_total.importer_iso3 = totals.importer_iso3
            and by_total.mineral_group = totals.mineral_group
            and by_total.frequency = totals.frequency
            and by_total.period_start = totals.period_start
            and by_total.measure = totals.measure
    left join cut_lists on totals.source = cut_lists.source

),

indexed as (

    select
        *,
        {{ capped_at_one(hhi('squares_of_published', 'total_amount')) }} as hhi_low,
        {{ capped_at_one(hhi('squares', 'total_amount')) }} as hhi_high
    from sums

)

-- The flows left out of a cut list are unknown, so concentration is not computed. Where less than
-- half is published by partner, its bounds are all that can be said.
select
    importer_iso3,
    mineral_group,
    frequency,
    period_start,
    measure,
    total_amount,
    case
        when {{ is_index_known('partner_coverage_share') }} and not is_cut_list then hhi_low
    end as hhi,
    case when not is_cut_list then hhi_low end as hhi_low,
    case when not is_cut_list then hhi_high end as hhi_high,
    case
        when partner_coverage_share >= 0.95 and not is_cut_list
            then {{ hhi_normalised('hhi_low', 'suppliers') }}
    end as hhi_normalised,
    top_supplier_share as cr1_share,
    case
        when suppliers >= 3 or (partner_coverage_share = 1 and not is_cut_list)
            then top_three_share
    end as cr3_share,
    case
        when partner_coverage_share >= 0.95 and not is_cut_list
            then {{ effective_suppliers('hhi_low') }}
    end as effective_suppliers,
    top_supplier_iso3,
    top_supplier_share,
    case when not is_cut_list then partner_coverage_share end as partner_coverage_share,
    source,
    is_provisional,
    weight_coverage_share,
    comparable_since,
    is_cut_list,
    snapshot_ids
from indexed
