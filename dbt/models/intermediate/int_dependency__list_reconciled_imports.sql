with flows as (

    select * from {{ ref('reconciled_flows') }}

),

importers as (

    select * from {{ ref('int_dependency__list_reconciled_importers') }}

),

declared as (

    select * from {{ ref('int_trade__list_declared_trade') }}
    where side = 'import'

),

report_snapshots as (

    select * from {{ ref('int_trade__list_report_snapshots') }}
    where side = 'import'

),

markups as (

    select
        hs6_code,
        year,
        any_value(cif_markup_ln) as markup_ln
    from flows
    where cif_markup_ln > 0
    group by hs6_code, year

),

-- What an importer declared, free on board, of goods that it declared partly without a partner.
partly_unpublished as (

    select
        declared.importer_iso3,
        declared.hs6_code,
        declared.year,
        sum(
            declared.value_usd
            * case when declared.is_cif then exp(-coalesce(markups.markup_ln, 0)) else 1 end
        ) as value_usd,
        case
            when count(*) = count(declared.net_weight_kg) then sum(declared.net_weight_kg)
        end as net_weight_kg,
        bool_or(declared.is_provisional) as is_provisional,
        max(declared.vintage_at) as vintage_at
    from declared
    left join markups
        on declared.hs6_code = markups.hs6_code and declared.year = markups.year
    group by declared.importer_iso3, declared.hs6_code, declared.year
    having bool_or(declared.exporter_iso3 = '_X')

),

published as (

    select
        importer_iso3,
        hs6_code,
        year,
        sum(value_usd) as value_usd,
        case when count(*) = count(net_weight_kg) then sum(net_weight_kg) end as net_weight_kg
    from flows
    group by importer_iso3, hs6_code, year

),

-- The rest is of an unknown supplier: what exporters declared of it is in the flows.
imports as (

    select
        importer_iso3,
        exporter_iso3,
        hs6_code,
        year,
        value_usd,
        net_weight_kg,
        is_provisional,
        vintage_at,
        snapshot_ids
    from flows
    union all
    select
        partly_unpublished.importer_iso3,
        '_X' as exporter_iso3,
        partly_unpublished.hs6_code,
        partly_unpublished.year,
        round(partly_unpublished.value_usd - coalesce(published.value_usd, 0), 2) as value_usd,
        nullif(
            round(greatest(
                partly_unpublished.net_weight_kg
                - case when published.year is null then 0 else published.net_weight_kg end, 0
            ), 3), 0
        ) as net_weight_kg,
        partly_unpublished.is_provisional,
        partly_unpublished.vintage_at,
        report_snapshots.snapshot_ids
    from partly_unpublished
    inner join report_snapshots
        on
            partly_unpublished.importer_iso3 = report_snapshots.reporter_iso3
            and partly_unpublished.hs6_code = report_snapshots.hs6_code
            and partly_unpublished.year = report_snapshots.year
    left join published
        on
            partly_unpublished.importer_iso3 = published.importer_iso3
            and partly_unpublished.hs6_code = published.hs6_code
            and partly_unpublished.year = published.year
    where partly_unpublished.value_usd - coalesce(published.value_usd, 0) > 0

)

select
    'reconciled' as source,
    imports.importer_iso3,
    imports.exporter_iso3,
    imports.hs6_code,
    importers.hs_revision,
    make_date(imports.year, 1, 1) as period_start,
    imports.value_usd,
    imports.net_weight_kg,
    imports.is_provisional,
    imports.vintage_at,
    imports.snapshot_ids
from imports
inner join importers
    on
        imports.importer_iso3 = importers.importer_iso3
        and imports.hs6_code = importers.hs6_code
        and imports.year = importers.year
