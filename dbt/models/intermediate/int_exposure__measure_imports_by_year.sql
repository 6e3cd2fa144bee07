with windows as (

    select * from {{ ref('int_exposure__list_windows') }}

),

years as (

    select * from {{ ref('int_exposure__list_years_of_importers') }}

),

supplies as (

    select * from {{ ref('int_exposure__list_supplies') }}
    where frequency = 'A'

),

-- Every economy that restricts a commodity is measured in the years of all of its clauses.
implementers as (

    select distinct
        commodity_code,
        implementer_iso3
    from windows

)

select
    implementers.implementer_iso3,
    years.importer_iso3,
    years.commodity_code,
    years.is_basket,
    'A' as frequency,
    years.baseline_from,
    years.baseline_to,
    coalesce(supplies.value_usd, 0) as value_usd,
    case when supplies.source is null then 0 else supplies.net_weight_kg end as net_weight_kg,
    years.total_amount as total_usd,
    years.source,
    years.is_latest,
    years.snapshot_ids
from years
inner join implementers on years.commodity_code = implementers.commodity_code
left join supplies
    on
        years.importer_iso3 = supplies.importer_iso3
        and years.commodity_code = supplies.commodity_code
        and years.is_basket = supplies.is_basket
        and years.baseline_from = supplies.period_start
        and implementers.implementer_iso3 = supplies.supplier_iso3
        and years.source = supplies.source
where years.importer_iso3 <> implementers.implementer_iso3
