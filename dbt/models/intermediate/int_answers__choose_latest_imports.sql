{% set first_year = 2010 %}

with totals as (

    select * from {{ ref('import_concentration') }}

),

shares as (

    select * from {{ ref('supplier_shares') }}
    where mineral_group in ('rare_earths', 'permanent_magnets')

),

vintages as (

    select * from {{ ref('int_answers__date_imports') }}

),

sources as (

    select * from {{ ref('sources') }}

),

-- All but the supplier itself.
importers as (

    select * from {{ ref('int_answers__list_importers') }}
    where importer_iso3 <> supplier_iso3

),

-- A supplier that is not listed supplies nothing only where all suppliers are.
annual as (

    select
        totals.importer_iso3,
        totals.mineral_group,
        totals.measure,
        totals.total_amount,
        totals.hhi,
        totals.hhi_low,
        totals.comparable_since,
        totals.is_cut_list,
        totals.source,
        totals.snapshot_ids,
        year(totals.period_start) as year,
        case
            when shares.share is not null then shares.share
            when totals.partner_coverage_share > 1 - 1e-9 then 0
        end as supplier_share
    from totals
    inner join importers on totals.importer_iso3 = importers.importer_iso3
    left join shares
        on
            totals.importer_iso3 = shares.importer_iso3
            and totals.mineral_group = shares.mineral_group
            and totals.frequency = shares.frequency
            and totals.period_start = shares.period_start
            and totals.measure = shares.measure
            and importers.supplier_iso3 = shares.supplier_iso3
    where
        totals.frequency = 'A'
        and totals.mineral_group in ('rare_earths', 'permanent_magnets')

),

-- A trend does not run across a break of the nomenclature, nor from a list of the largest flows to
-- a whole one.
comparable as (

    select * from annual
    where year >= {{ first_year }}
    window
        all_years as (
            partition by importer_iso3, mineral_group, measure
            order by year
            rows between unbounded preceding and unbounded following
        )
    qualify
        comparable_since is not distinct from last_value(comparable_since) over all_years
        and is_cut_list is not distinct from last_value(is_cut_list) over all_years

),

-- A year without figures is a gap.
years as (

    select
        importer_iso3,
        mineral_group,
        measure,
        unnest(range(min(year), max(year) + 1)) as year
    from comparable
    group by importer_iso3, mineral_group, measure

),

import_trends as (

    select
        years.importer_iso3,
        years.mineral_group,
        years.measure,
        min(years.year) as trend_from,
        max(years.year) as latest_year,
        list(comparable.supplier_share order by years.year) as trend,
        {{ union_of_snapshots('comparable.snapshot_ids') }} as snapshot_ids_of_trend
    from years
    left join comparable
        on
            years.importer_iso3 = comparable.importer_iso3
            and years.mineral_group = comparable.mineral_group
            and years.measure = comparable.measure
            and years.year = comparable.year
    group by years.importer_iso3, years.mineral_group, years.measure

),

latest_imports as (

    select
        comparable.importer_iso3,
        comparable.mineral_group,
        comparable.measure,
        comparable.year,
        comparable.total_amount,
        comparable.hhi,
        comparable.hhi_low,
        comparable.supplier_share,
        comparable.source,
        import_trends.trend,
        import_trends.trend_from,
        import_trends.snapshot_ids_of_trend,
        coalesce(vintages.vintage_at, sources.last_vintage_at) as vintage_at,
        max(comparable.year) over (
            partition by comparable.importer_iso3, comparable.mineral_group
        ) as newest_year
    from comparable
    inner join import_trends
        on
            comparable.importer_iso3 = import_trends.importer_iso3
            and comparable.mineral_group = import_trends.mineral_group
            and comparable.measure = import_trends.measure
            and comparable.year = import_trends.latest_year
    left join vintages
        on
            comparable.source = vintages.source
            and comparable.importer_iso3 = vintages.importer_iso3
            and comparable.year = vintages.year
    left join sources on comparable.source = sources.source

)

select
    importer_iso3,
    mineral_group,
    measure,
    year,
    newest_year,
    total_amount,
    hhi,
    hhi_low,
    supplier_share,
    trend,
    trend_from,
    source,
    vintage_at,
    snapshot_ids_of_trend as snapshot_ids
from latest_imports
