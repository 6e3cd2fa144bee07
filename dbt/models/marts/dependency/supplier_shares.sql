with imports as (

    select * from {{ ref('int_dependency__list_group_imports') }}

),

-- A number instead of six columns: for 11 million shares, ranking within the columns takes 2.7
-- times as long, summing 1.8 times.
totals as materialized (

    select
        row_number() over () as total_number,
        importer_iso3,
        mineral_group,
        frequency,
        period_start,
        measure,
        source,
        group_number,
        codes,
        total_amount,
        supplied_amount,
        largest_amount,
        has_remainder,
        valuation,
        is_provisional,
        weight_coverage_share,
        comparable_since,
        snapshot_ids
    from {{ ref('int_dependency__choose_group_totals') }}

),

supplies as (

    select
        totals.total_number,
        totals.codes,
        imports.partner_iso3 as supplier_iso3,
        case totals.measure
            when 'value_usd' then imports.value_usd else imports.net_weight_kg
        end as amount,
        imports.valuation,
        imports.is_provisional
    from totals
    inner join imports
        on
            totals.group_number = imports.group_number
            and totals.importer_iso3 = imports.importer_iso3
    where
        imports.partner_iso3 not in ('WLD', '_X', imports.importer_iso3)
        and case totals.measure
            when 'value_usd' then imports.value_usd else imports.net_weight_kg
        end is not null

),

supplies_of_several_codes as (

    select
        total_number,
        supplier_iso3,
        sum(amount) as amount,
        case when min(valuation) = max(valuation) then max(valuation) end as valuation,
        bool_or(is_provisional) as is_provisional
    from supplies
    where codes is distinct from 1
    group by total_number, supplier_iso3

),

-- A single code has one flow per supplier already, and its largest is known.
published as (

    select
        total_number,
        supplier_iso3,
        amount,
        valuation,
        is_provisional
    from supplies
    where codes = 1
    union all
    select * from supplies_of_several_codes

),

largest_of_several_codes as (

    select
        total_number,
        max(amount) as largest_amount
    from supplies_of_several_codes
    group by total_number

),

with_remainder as (

    select
        totals.*,
        totals.total_amount - totals.supplied_amount as unpublished_amount,
        {{ is_largest_known(
            'coalesce(totals.largest_amount, largest.largest_amount)',
            'totals.total_amount - totals.supplied_amount'
        ) }} as is_ranked
    from totals
    left join largest_of_several_codes as largest on totals.total_number = largest.total_number

),

suppliers as (

    select
        total_number,
        supplier_iso3,
        amount,
        row_number() over (
            partition by total_number
            order by amount desc, supplier_iso3 asc
        ) as supplier_rank,
        valuation,
        is_provisional
    from published
    union all
    select
        total_number,
        '_X' as supplier_iso3,
        unpublished_amount as amount,
        null as supplier_rank,
        valuation,
        is_provisional
    from with_remainder
    -- What no remainder is printed for may be rounding, not trade.
    where
        unpublished_amount
        > case when has_remainder then 1e-9 else {{ relative_rounding('measure') }} end
        * total_amount

)

select
    totals.importer_iso3,
    totals.mineral_group,
    totals.frequency,
    totals.period_start,
    totals.measure,
    suppliers.supplier_iso3,
    suppliers.amount,
    {{ capped_at_one('suppliers.amount / totals.total_amount') }} as share,
    cast(case when totals.is_ranked then suppliers.supplier_rank end as integer) as supplier_rank,
    totals.source,
    suppliers.valuation,
    suppliers.is_provisional,
    totals.weight_coverage_share,
    totals.comparable_since,
    totals.snapshot_ids
from suppliers
inner join with_remainder as totals on suppliers.total_number = totals.total_number
