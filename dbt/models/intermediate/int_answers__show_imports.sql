{% set first_year = 2010 %}
{% set names_shown = 3 %}

with economies as (

    select * from {{ ref('economies') }}

),

totals as (

    select * from {{ ref('import_concentration') }}

),

-- Read twice, and so kept: of all goods it would be twenty million rows.
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

-- A trend does not run across a break of the nomenclature.
comparable as (

    select * from annual
    where year >= {{ first_year }}
    qualify
        comparable_since is not distinct from last_value(comparable_since) over (
            partition by importer_iso3, mineral_group, measure
            order by year
            rows between unbounded preceding and unbounded following
        )

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
        comparable.snapshot_ids,
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

),

rare_earths as (

    select
        importers.importer_iso3,
        measures.position,
        'Rare-earth imports from '
        || importers.supplier_name
        || ', '
        || measures.in_words as subject,
        latest_imports.supplier_share as figure,
        'share' as unit,
        cast(latest_imports.year as varchar) as period,
        'of '
        || {{ amount_in_words('latest_imports.total_amount', 'latest_imports.measure') }}
        || case
            when latest_imports.supplier_share is null
                then '; ' || importers.supplier_name || ' is not among the partners published'
            else ''
        end
        || case
            when latest_imports.year < latest_imports.newest_year
                then '; no later year is known ' || measures.in_words
            else ''
        end as detail,
        latest_imports.trend,
        cast(latest_imports.trend_from as varchar) as trend_from,
        latest_imports.source,
        latest_imports.vintage_at,
        latest_imports.snapshot_ids_of_trend as snapshot_ids
    from importers
    cross join
        (values (1, 'net_weight_kg', 'by weight'), (2, 'value_usd', 'by value'))
            as measures (position, measure, in_words) -- noqa: AL05
    left join latest_imports
        on
            importers.importer_iso3 = latest_imports.importer_iso3
            and measures.measure = latest_imports.measure
            and latest_imports.mineral_group = 'rare_earths'

),

largest_suppliers as (

    select
        shares.importer_iso3,
        year(shares.period_start) as year,
        string_agg(
            economies.name || ' ' || {{ percent_in_words('shares.share') }}, ', '
            order by shares.supplier_rank
        ) as in_words
    from shares
    inner join economies on shares.supplier_iso3 = economies.economy_iso3
    where
        shares.mineral_group = 'permanent_magnets'
        and shares.frequency = 'A'
        and shares.measure = 'value_usd'
        and shares.supplier_rank <= {{ names_shown }}
    group by all

),

magnets as (

    select
        importers.importer_iso3,
        4 as position,
        'Magnet imports from ' || importers.supplier_name || ', by value' as subject,
        latest_imports.supplier_share as figure,
        'share' as unit,
        cast(latest_imports.year as varchar) as period,
        'of '
        || {{ amount_in_words('latest_imports.total_amount', 'latest_imports.measure') }}
        || case
            when latest_imports.hhi_low is null then ' of the largest flows'
            else coalesce(', HHI ' || printf('%.2f', latest_imports.hhi), '')
        end
        || coalesce('; largest suppliers: ' || largest_suppliers.in_words, '') as detail,
        latest_imports.trend,
        cast(latest_imports.trend_from as varchar) as trend_from,
        latest_imports.source,
        latest_imports.vintage_at,
        latest_imports.snapshot_ids_of_trend as snapshot_ids
    from importers
    left join latest_imports
        on
            importers.importer_iso3 = latest_imports.importer_iso3
            and latest_imports.mineral_group = 'permanent_magnets'
            and latest_imports.measure = 'value_usd'
    left join largest_suppliers
        on
            latest_imports.importer_iso3 = largest_suppliers.importer_iso3
            and latest_imports.year = largest_suppliers.year

),

lines as (

    select * from rare_earths
    union all by name
    select * from magnets

)

select
    importer_iso3,
    position,
    subject,
    figure,
    unit,
    period,
    detail,
    trend,
    trend_from,
    source,
    vintage_at,
    snapshot_ids
from lines
