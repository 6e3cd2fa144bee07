with imports as (

    select * from {{ ref('int_dependency__list_group_imports') }}

),

-- A number instead of six columns: for 11 million shares, ranking within the columns takes 2.7
-- times as long, summing 1.8 times.
totals as materialized (

    select
        row_number() over () as total_number,
        dense_rank() over (
            order by importer_iso3, mineral_group, frequency, measure
        ) as line_number,
        frequency = 'A'
        and count(*) over (partition by importer_iso3, mineral_group, frequency, measure) > 1
            as has_other_years,
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

cut_lists as (

    select * from {{ ref('seed_source_precedence') }}
    where purpose = 'trade' and is_cut_list

),

supplies as (

    select
        totals.total_number,
        totals.codes = 1 and totals.importer_iso3 <> 'EU27' as is_of_one_flow,
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

supplies_of_several_flows as (

    select
        total_number,
        supplier_iso3,
        sum(amount) as amount,
        case when min(valuation) = max(valuation) then max(valuation) end as valuation,
        bool_or(is_provisional) as is_provisional
    from supplies
    where is_of_one_flow is distinct from true
    group by total_number, supplier_iso3

),

-- A single code has one flow per supplier already, and its largest is known; the Union has one of
-- each member.
published as (

    select
        total_number,
        supplier_iso3,
        amount,
        valuation,
        is_provisional
    from supplies
    where is_of_one_flow
    union all
    select * from supplies_of_several_flows

),

largest_of_several_flows as (

    select
        total_number,
        max(amount) as largest_amount
    from supplies_of_several_flows
    group by total_number

),

with_remainder as materialized (

    select
        totals.*,
        totals.total_amount - totals.supplied_amount as unpublished_amount,
        {{ is_largest_known(
            'coalesce(totals.largest_amount, largest.largest_amount)',
            'totals.total_amount - totals.supplied_amount'
        ) }} as is_ranked
    from totals
    left join largest_of_several_flows as largest on totals.total_number = largest.total_number

),

suppliers as materialized (

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

),

listed as (

    select
        totals.line_number,
        totals.has_other_years,
        totals.importer_iso3,
        totals.mineral_group,
        totals.frequency,
        totals.period_start,
        totals.measure,
        suppliers.supplier_iso3,
        suppliers.amount,
        {{ capped_at_one('suppliers.amount / totals.total_amount') }} as share,
        cast(case when totals.is_ranked then suppliers.supplier_rank end as integer)
            as supplier_rank,
        totals.source,
        suppliers.valuation,
        suppliers.is_provisional,
        totals.weight_coverage_share,
        totals.comparable_since,
        cut_lists.source is not null as is_cut_list,
        totals.snapshot_ids
    from suppliers
    inner join with_remainder as totals on suppliers.total_number = totals.total_number
    left join cut_lists on totals.source = cut_lists.source

),

-- The row of the supplier before, only where there is another year.
with_row_before as (

    select
        *,
        {% for column in ['period_start', 'amount', 'share', 'comparable_since'] -%}
            lag({{ column }}) over of_supplier as {{ column }}_before
            {%- if not loop.last %},{% endif %}
        {% endfor -%}
    from listed
    where has_other_years
    window of_supplier as (partition by line_number, supplier_iso3 order by period_start)
    union all by name
    select * from listed
    where not has_other_years

),

-- A step is one between neighbouring years of the same goods.
stepped as (

    select
        *,
        case
            when
                supplier_iso3 <> '_X'
                and year(period_start_before) = year(period_start) - 1
                and (comparable_since_before is not distinct from comparable_since)
                then amount / nullif(amount_before, 0)
        end as step_factor
    from with_row_before

)

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
    source,
    valuation,
    is_provisional,
    weight_coverage_share,
    comparable_since,
    is_cut_list,
    step_factor,
    step_factor is not null
    and step_factor not between {{ 1 / 3 }} and 3
    and greatest(share, share_before) >= 0.01 as is_step,
    snapshot_ids
from stepped
