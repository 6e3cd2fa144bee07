with bounds as (

    select * from {{ ref('int_exposure__bound_code_shares') }}
    where is_on_trade

),

economies as (

    select * from {{ ref('economies') }}

),

concentration as (

    select * from {{ ref('import_concentration') }}

),

flows as (

    select * from {{ ref('int_trade__select_latest_flows') }}
    where flow in ('import', 'export')

),

-- An importer is who declares imports, or who is declared or estimated to receive goods.
importers as (

    select importer_iso3
    from concentration
    union distinct
    select case flow when 'import' then reporter_iso3 else partner_iso3 end as importer_iso3
    from flows

)

select
    bounds.clause_id,
    bounds.implementer_iso3,
    importers.importer_iso3,
    bounds.commodity_code,
    bounds.is_basket,
    bounds.hs6_codes,
    bounds.control_share_low,
    bounds.control_share_high,
    bounds.snapshot_ids
from bounds
inner join economies on {{ is_targeted('bounds.target_iso3', 'economies') }}
inner join importers on economies.economy_iso3 = importers.importer_iso3
where
    importers.importer_iso3 <> bounds.implementer_iso3
    and importers.importer_iso3 not in ('WLD', '_X')
