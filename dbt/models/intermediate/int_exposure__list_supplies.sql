{# Read by month and by year: the flows of all the world are looked through once. #}
{{ config(materialized='table') }}

with windows as (

    select * from {{ ref('int_exposure__list_windows') }}

),

flows as (

    select * from {{ ref('int_trade__select_latest_flows') }}

),

reconciled_flows as (

    select * from {{ ref('int_trade__choose_reconciled_flows') }}

),

own_flows as (

    select * from {{ ref('int_dependency__list_reconciled_imports') }}

),

members as (

    select economy_iso3
    from {{ ref('economies') }}
    where is_eu27

),

years as (

    select distinct baseline_from as period_start
    from windows
    where frequency = 'A'

),

declared as (

    select
        source,
        reporter_iso3 as importer_iso3,
        partner_iso3 as supplier_iso3,
        commodity_code,
        is_basket,
        frequency,
        period_start,
        value_usd,
        net_weight_kg
    from flows
    where flow = 'import'

),

estimated as (

    select
        source,
        importer_iso3,
        exporter_iso3 as supplier_iso3,
        hs6_code as commodity_code,
        false as is_basket,
        'A' as frequency,
        period_start,
        value_usd,
        net_weight_kg
    from reconciled_flows
    where period_start in (select years.period_start from years)
    union all
    select
        source,
        importer_iso3,
        exporter_iso3 as supplier_iso3,
        hs6_code as commodity_code,
        false as is_basket,
        'A' as frequency,
        period_start,
        value_usd,
        net_weight_kg
    from own_flows
    where period_start in (select years.period_start from years)

),

single as (

    select * from declared
    union all by name
    select * from estimated

),

-- The European Union buys what its members buy outside of it.
supplies as (

    select * from single
    union all
    select single.* replace ('EU27' as importer_iso3)
    from single
    semi join members on single.importer_iso3 = members.economy_iso3
    anti join members as insiders on single.supplier_iso3 = insiders.economy_iso3

)

-- No goods of a value weigh nothing.
select
    source,
    importer_iso3,
    supplier_iso3,
    commodity_code,
    is_basket,
    frequency,
    period_start,
    sum(value_usd) as value_usd,
    case
        when
            {{ is_mostly_weighed(
                'sum(value_usd) filter (where net_weight_kg is not null)', 'sum(value_usd)'
            ) }}
            and (sum(net_weight_kg) > 0 or sum(value_usd) = 0)
            then sum(net_weight_kg)
    end as net_weight_kg
from supplies
where
    supplier_iso3 in (select windows.implementer_iso3 from windows)
    and commodity_code in (select windows.commodity_code from windows)
group by
    source, importer_iso3, supplier_iso3, commodity_code, is_basket, frequency, period_start
