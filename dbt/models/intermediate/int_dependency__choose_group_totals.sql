{# Shares and concentration are read from it: computed once, as a table. #}
{{ config(materialized='table') }}

with imports as (

    select
        series_number,
        importer_iso3,
        partner_iso3,
        amount,
        valuation,
        is_provisional
    from {{ ref('int_dependency__list_group_imports') }}

),

series as (

    select * from {{ ref('int_dependency__number_series') }}

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
        series_number,
        importer_iso3,
        max(amount) filter (where partner_iso3 = 'WLD') as printed_total,
        coalesce(max(amount) filter (where partner_iso3 = importer_iso3), 0) as re_imports,
        coalesce(
            sum(amount) filter (where partner_iso3 not in ('WLD', importer_iso3)), 0
        ) as sum_of_partners,
        count(*) filter (where partner_iso3 not in ('WLD', '_X', importer_iso3)) as suppliers,
        count(*) filter (where amount is null and partner_iso3 <> '_X') as missing_amounts,
        count(*) filter (where amount is null and partner_iso3 = '_X') as missing_remainders,
        bool_or(valuation = 'CIF') as has_cif,
        bool_or(valuation = 'FOB') as has_fob,
        bool_or(is_provisional) as is_provisional
    from imports
    group by series_number, importer_iso3

),

totals as (

    select
        series_number,
        importer_iso3,
        suppliers,
        has_cif,
        has_fob,
        is_provisional,
        -- The remainder is only needed where no total is printed.
        missing_amounts = 0
        and (printed_total is not null or missing_remainders = 0) as is_complete,
        coalesce(printed_total - re_imports, sum_of_partners) as total_amount
    from by_commodity

),

by_group as (

    select
        series.group_number,
        totals.importer_iso3,
        count(*) as codes,
        sum(totals.total_amount) as total_amount,
        case
            when not bool_or(totals.has_fob) then 'CIF'
            when not bool_or(totals.has_cif) then 'FOB'
        end as valuation,
        bool_or(totals.is_provisional) as is_provisional,
        bool_and(totals.is_complete) as is_complete,
        sum(totals.suppliers) as suppliers
    from totals
    inner join series on totals.series_number = series.series_number
    group by series.group_number, totals.importer_iso3

),

series_of_groups as (

    select distinct
        group_number,
        source,
        mineral_group,
        is_basket,
        frequency,
        period_start,
        measure
    from series

),

complete as (

    select
        by_group.importer_iso3,
        series_of_groups.mineral_group,
        series_of_groups.frequency,
        series_of_groups.period_start,
        series_of_groups.measure,
        series_of_groups.source,
        series_of_groups.is_basket,
        by_group.group_number,
        by_group.codes,
        by_group.total_amount,
        by_group.valuation,
        by_group.is_provisional
    from by_group
    inner join series_of_groups on by_group.group_number = series_of_groups.group_number
    left join groups on series_of_groups.mineral_group = groups.mineral_group
    where
        by_group.is_complete
        and by_group.suppliers > 0
        and by_group.total_amount > 0
        and (series_of_groups.is_basket or by_group.codes = groups.codes)

),

chosen as (

    select
        complete.importer_iso3,
        complete.mineral_group,
        complete.frequency,
        complete.period_start,
        complete.measure,
        complete.source,
        complete.group_number,
        complete.codes,
        complete.total_amount,
        complete.valuation,
        complete.is_provisional
    from complete
    left join precedence on complete.source = precedence.source
    qualify
        row_number() over (
            partition by
                complete.importer_iso3,
                complete.mineral_group,
                complete.frequency,
                complete.period_start,
                complete.measure
            order by precedence.rank nulls last, complete.is_basket, complete.source
        ) = 1

)

select * from chosen
