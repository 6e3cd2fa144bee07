{# Shares and concentration are read from it: computed once, as a table. #}
{{ config(materialized='table') }}

with imports as (

    select
        source,
        importer_iso3,
        partner_iso3,
        mineral_group,
        commodity_code,
        is_basket,
        frequency,
        period_start,
        measure,
        amount,
        valuation,
        is_provisional
    from {{ ref('int_dependency__list_group_imports') }}

),

groups as (

    select
        mineral_group,
        count(distinct hs6_code) as codes
    from {{ ref('mineral_group_codes') }}
    group by mineral_group

),

precedence as (

    select
        source,
        rank
    from {{ ref('seed_source_precedence') }}
    where purpose = 'trade'

),

by_commodity as (

    select
        source,
        importer_iso3,
        mineral_group,
        commodity_code,
        is_basket,
        frequency,
        period_start,
        measure,
        max(amount) filter (where partner_iso3 = 'WLD') as printed_total,
        coalesce(max(amount) filter (where partner_iso3 = importer_iso3), 0) as re_imports,
        coalesce(
            sum(amount) filter (where partner_iso3 not in ('WLD', importer_iso3)), 0
        ) as sum_of_partners,
        count(*) filter (where partner_iso3 not in ('WLD', '_X', importer_iso3)) as suppliers,
        count(*) filter (where amount is null and partner_iso3 <> '_X') as missing_amounts,
        count(*) filter (where amount is null and partner_iso3 = '_X') as missing_remainders,
        min(valuation) as least_valuation,
        max(valuation) as valuation,
        bool_or(is_provisional) as is_provisional
    from imports
    group by
        source,
        importer_iso3,
        mineral_group,
        commodity_code,
        is_basket,
        frequency,
        period_start,
        measure

),

totals as (

    select
        source,
        importer_iso3,
        mineral_group,
        commodity_code,
        is_basket,
        frequency,
        period_start,
        measure,
        suppliers,
        least_valuation,
        valuation,
        is_provisional,
        -- The remainder is only needed where no total is printed.
        missing_amounts = 0
        and (printed_total is not null or missing_remainders = 0) as is_complete,
        coalesce(printed_total - re_imports, sum_of_partners) as total_amount
    from by_commodity

),

by_group as (

    select
        totals.source,
        totals.importer_iso3,
        totals.mineral_group,
        totals.is_basket,
        totals.frequency,
        totals.period_start,
        totals.measure,
        count(*) as codes,
        sum(totals.total_amount) as total_amount,
        case
            when min(totals.least_valuation) = max(totals.valuation) then max(totals.valuation)
        end as valuation,
        bool_or(totals.is_provisional) as is_provisional
    from totals
    left join groups on totals.mineral_group = groups.mineral_group
    group by
        totals.source,
        totals.importer_iso3,
        totals.mineral_group,
        totals.is_basket,
        totals.frequency,
        totals.period_start,
        totals.measure,
        groups.codes
    having
        bool_and(totals.is_complete)
        and sum(totals.suppliers) > 0
        and sum(totals.total_amount) > 0
        and (totals.is_basket or count(*) = groups.codes)

),

chosen as (

    select
        by_group.importer_iso3,
        by_group.mineral_group,
        by_group.frequency,
        by_group.period_start,
        by_group.measure,
        by_group.source,
        by_group.is_basket,
        by_group.codes,
        by_group.total_amount,
        by_group.valuation,
        by_group.is_provisional
    from by_group
    left join precedence on by_group.source = precedence.source
    qualify
        row_number() over (
            partition by
                by_group.importer_iso3,
                by_group.mineral_group,
                by_group.frequency,
                by_group.period_start,
                by_group.measure
            order by precedence.rank nulls last, by_group.is_basket, by_group.source
        ) = 1

)

select * from chosen
