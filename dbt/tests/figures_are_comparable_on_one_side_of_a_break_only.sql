-- Two figures with the same `comparable_since` may be compared: none of the breaks of their codes
-- is between them, checked pair by pair; nor are they of two editions of CEPII's estimates. What
-- Kido reconciles is compared with these: of codes without a break it has the same goods.
{{ config(meta={'dagster': {'ref': {'name': 'import_concentration'}}}) }}

with totals as (

    select
        importer_iso3,
        mineral_group,
        frequency,
        period_start,
        measure,
        source,
        comparable_since
    from {{ ref('import_concentration') }}

),

breaks as (

    select * from {{ ref('seed_nomenclature_breaks') }}

),

codes as (

    select distinct
        mineral_group,
        hs6_code
    from {{ ref('mineral_group_codes') }}

),

editions as (

    select
        source,
        null as importer_iso3,
        mineral_group,
        commodity_code as hs6_code,
        'A' as frequency,
        period_start,
        hs_revision,
        true as is_reconciled
    from {{ ref('int_dependency__number_series') }}
    where hs_revision is not null
    union all
    select
        source,
        reporter_iso3 as importer_iso3,
        null as mineral_group,
        commodity_code as hs6_code,
        frequency,
        period_start,
        max(hs_revision) as hs_revision,
        false as is_reconciled
    from {{ ref('int_trade__select_latest_flows') }}
    where flow = 'import' and not is_basket
    group by source, reporter_iso3, commodity_code, frequency, period_start

),

figures as (

    select
        totals.*,
        codes.hs6_code,
        editions.hs_revision,
        editions.is_reconciled,
        extract(year from totals.period_start) as year
    from totals
    inner join codes on totals.mineral_group = codes.mineral_group
    inner join editions
        on
            totals.source = editions.source
            and codes.hs6_code = editions.hs6_code
            and totals.frequency = editions.frequency
            and totals.period_start = editions.period_start
            and coalesce(editions.importer_iso3, totals.importer_iso3) = totals.importer_iso3
            and coalesce(editions.mineral_group, totals.mineral_group) = totals.mineral_group
    where
        codes.hs6_code in (select breaks.hs6_code from breaks)
        or codes.hs6_code in (
            select several.hs6_code
            from editions as several
            where several.is_reconciled
            group by several.hs6_code
            having count(distinct several.hs_revision) > 1
        )

)

select
    figures.importer_iso3,
    figures.mineral_group,
    figures.measure,
    figures.hs6_code,
    figures.period_start,
    others.period_start as other_period_start,
    breaks.reason
from figures
inner join figures as others
    on
        figures.importer_iso3 = others.importer_iso3
        and figures.mineral_group = others.mineral_group
        and figures.frequency = others.frequency
        and figures.measure = others.measure
        and figures.hs6_code = others.hs6_code
        and figures.comparable_since is not distinct from others.comparable_since
        and figures.period_start < others.period_start
left join breaks on figures.hs6_code = breaks.hs6_code
where
    (
        figures.is_reconciled
        and others.is_reconciled
        and 'reconciled' not in (figures.source, others.source)
        and figures.hs_revision <> others.hs_revision
    )
    or {{
        is_across_a_break(
            'breaks', 'figures.hs_revision', 'figures.year', 'others.hs_revision', 'others.year'
        )
    }}
