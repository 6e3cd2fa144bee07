{# Both marts of dependence and the claims are read from it: computed once, as a table. #}
{{ config(materialized='table') }}

with imports as (

    select
        source,
        importer_iso3,
        partner_iso3,
        mineral_group,
        is_basket,
        frequency,
        period_start,
        measure,
        amount,
        valuation,
        is_provisional
    from {{ ref('int_dependency__list_group_imports') }}

),

totals as (

    select
        importer_iso3,
        mineral_group,
        frequency,
        period_start,
        measure,
        source,
        is_basket,
        total_amount,
        valuation,
        is_provisional
    from {{ ref('int_dependency__choose_group_totals') }}

),

published as (

    select
        totals.importer_iso3,
        totals.mineral_group,
        totals.frequency,
        totals.period_start,
        totals.measure,
        imports.partner_iso3 as supplier_iso3,
        sum(imports.amount) as amount,
        totals.total_amount,
        totals.source,
        case
            when min(imports.valuation) = max(imports.valuation) then max(imports.valuation)
        end as valuation,
        bool_or(imports.is_provisional) as is_provisional
    from totals
    inner join imports
        on
            totals.source = imports.source
            and totals.is_basket = imports.is_basket
            and totals.importer_iso3 = imports.importer_iso3
            and totals.mineral_group = imports.mineral_group
            and totals.frequency = imports.frequency
            and totals.period_start = imports.period_start
            and totals.measure = imports.measure
    where imports.partner_iso3 not in ('WLD', '_X', imports.importer_iso3)
    group by
        totals.importer_iso3,
        totals.mineral_group,
        totals.frequency,
        totals.period_start,
        totals.measure,
        imports.partner_iso3,
        totals.total_amount,
        totals.source

),

sums as (

    select
        importer_iso3,
        mineral_group,
        frequency,
        period_start,
        measure,
        sum(amount) as published_amount
    from published
    group by importer_iso3, mineral_group, frequency, period_start, measure

),

not_published as (

    select
        totals.importer_iso3,
        totals.mineral_group,
        totals.frequency,
        totals.period_start,
        totals.measure,
        '_X' as supplier_iso3,
        totals.total_amount - sums.published_amount as amount,
        totals.total_amount,
        totals.source,
        totals.valuation,
        totals.is_provisional
    from totals
    inner join sums
        on
            totals.importer_iso3 = sums.importer_iso3
            and totals.mineral_group = sums.mineral_group
            and totals.frequency = sums.frequency
            and totals.period_start = sums.period_start
            and totals.measure = sums.measure
    -- Below the ninth digit it is rounding, not trade.
    where totals.total_amount - sums.published_amount > 1e-9 * totals.total_amount

),

suppliers as (

    select
        importer_iso3,
        mineral_group,
        frequency,
        period_start,
        measure,
        supplier_iso3,
        amount,
        amount / total_amount as share,
        row_number() over (
            partition by importer_iso3, mineral_group, frequency, period_start, measure
            order by amount desc, supplier_iso3 asc
        ) as supplier_rank,
        total_amount,
        source,
        valuation,
        is_provisional
    from published
    union all
    select
        importer_iso3,
        mineral_group,
        frequency,
        period_start,
        measure,
        supplier_iso3,
        amount,
        amount / total_amount as share,
        null as supplier_rank,
        total_amount,
        source,
        valuation,
        is_provisional
    from not_published

)

select * from suppliers
