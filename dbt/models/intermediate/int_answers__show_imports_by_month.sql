{% set months_before = 12 %}
{% set months_shown = 24 %}

with importers as (

    select * from {{ ref('int_answers__list_importers') }}
    where importer_iso3 <> supplier_iso3

),

totals as (

    select * from {{ ref('import_concentration') }}
    where
        frequency = 'M'
        and mineral_group = 'rare_earths'
        and measure = 'net_weight_kg'

),

shares as (

    select * from {{ ref('supplier_shares') }}
    where
        frequency = 'M'
        and mineral_group = 'rare_earths'
        and measure = 'net_weight_kg'

),

headlines as (

    select * from {{ ref('seed_headline_events') }}

),

measures as (

    select * from {{ ref('measures') }}

),

sources as (

    select * from {{ ref('sources') }}

),

-- A supplier that is not listed supplies nothing only where all suppliers are.
months as (

    select
        importers.importer_iso3,
        totals.period_start,
        totals.total_amount / 1000 as total_t,
        case
            when shares.amount is not null then shares.amount / 1000
            when totals.partner_coverage_share > 1 - 1e-9 then 0
        end as amount_t,
        totals.is_provisional,
        totals.source,
        totals.snapshot_ids,
        max(totals.period_start) over (partition by importers.importer_iso3) as newest_month
    from totals
    inner join importers on totals.importer_iso3 = importers.importer_iso3
    left join shares
        on
            totals.importer_iso3 = shares.importer_iso3
            and totals.period_start = shares.period_start
            and importers.supplier_iso3 = shares.supplier_iso3

),

-- The months in which restrictions that the page shows took effect.
months_of_measures as (

    select
        headlines.importer_iso3,
        headlines.subject,
        cast(
            date_trunc('month', min(coalesce(measures.effective_date, measures.announced_date)))
            as date
        ) as period_start
    from headlines
    inner join measures on headlines.event_id = measures.clause_id
    where measures.direction = 'restrict'
    group by headlines.importer_iso3, headlines.subject

),

at_measures as (

    select
        months.importer_iso3,
        list(
            struct_pack(
                month := strftime(months.period_start, '%Y-%m'),
                subject := months_of_measures.subject,
                amount_t := months.amount_t
            )
            order by months.period_start, months_of_measures.subject
        ) as measures
    from months
    inner join months_of_measures
        on
            months.importer_iso3 = months_of_measures.importer_iso3
            and months.period_start = months_of_measures.period_start
    where months.period_start < months.newest_month
    group by months.importer_iso3

),

newest as (

    select distinct
        importer_iso3,
        newest_month
    from months

),

shown_months as (

    select
        importer_iso3,
        newest_month,
        cast(
            unnest(
                range(
                    newest_month - interval {{ months_shown - 1 }} month,
                    newest_month + interval 1 month,
                    interval 1 month
                )
            ) as date
        ) as period_start
    from newest

),

together as (

    select
        shown_months.importer_iso3,
        shown_months.newest_month,
        min(shown_months.period_start) as first_month,
        max(months.amount_t) filter (where months.period_start = shown_months.newest_month)
            as amount_t,
        max(months.total_t) filter (where months.period_start = shown_months.newest_month)
            as total_t,
        bool_or(months.is_provisional and months.period_start = shown_months.newest_month)
            as is_provisional,
        sum(months.amount_t) filter (
            where
            months.period_start >= shown_months.newest_month - interval {{ months_before }} month
            and months.period_start < shown_months.newest_month
        ) as amount_before_t,
        count(months.amount_t) filter (
            where
            months.period_start >= shown_months.newest_month - interval {{ months_before }} month
            and months.period_start < shown_months.newest_month
        ) as months_before,
        list(months.amount_t order by shown_months.period_start) as trend,
        arg_max(months.source, months.period_start) as source,
        {{ union_of_snapshots('months.snapshot_ids') }} as snapshot_ids
    from shown_months
    left join months
        on
            shown_months.importer_iso3 = months.importer_iso3
            and shown_months.period_start = months.period_start
    group by shown_months.importer_iso3, shown_months.newest_month

)

select
    together.importer_iso3,
    0 as position,
    {{ sentence('answers.imports_by_month', {
        'supplier': 'importers.supplier_name',
    }) }} as subject,
    together.amount_t as figure,
    't' as unit,
    strftime(together.newest_month, '%Y-%m') as period,
    {{ sentence('answers.imports_by_month_detail', {
        'total_t': 'together.total_t',
        'amount_before_t': 'together.amount_before_t',
        'months_before': 'together.months_before',
        'span': months_before,
        'measures': 'at_measures.measures',
        'is_provisional': 'together.is_provisional',
    }) }} as detail,
    together.trend,
    strftime(together.first_month, '%Y-%m') as trend_from,
    together.source,
    sources.last_vintage_at as vintage_at,
    together.snapshot_ids
from together
inner join importers on together.importer_iso3 = importers.importer_iso3
left join at_measures on together.importer_iso3 = at_measures.importer_iso3
left join sources on together.source = sources.source
