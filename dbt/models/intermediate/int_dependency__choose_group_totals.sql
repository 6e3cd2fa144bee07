{# Shares and concentration are read from it. #}
{{ config(materialized='table') }}

with figures as (

    select * from {{ ref('int_dependency__choose_sources') }}

),

series as (

    select * from {{ ref('int_dependency__number_series') }}
    where not is_basket

),

breaks as (

    select * from {{ ref('seed_nomenclature_breaks') }}

),

-- CEPII estimates each edition by itself: two of them are a break for every code.
codes_of_several_editions as (

    select commodity_code
    from series
    where hs_revision is not null and source <> 'reconciled'
    group by commodity_code
    having count(distinct hs_revision) > 1

),

codes_with_a_break as (

    select hs6_code as commodity_code
    from breaks
    union distinct
    select commodity_code
    from codes_of_several_editions

),

editions as (

    select
        source,
        null as importer_iso3,
        commodity_code,
        frequency,
        period_start,
        hs_revision,
        hs_revision as reconciled_edition
    from series
    where hs_revision is not null
    union distinct
    select
        source,
        reporter_iso3 as importer_iso3,
        commodity_code,
        frequency,
        period_start,
        max(hs_revision) as hs_revision,
        null as reconciled_edition
    from {{ ref('int_trade__select_latest_flows') }}
    where not is_basket and flow = 'import'
    group by source, reporter_iso3, commodity_code, frequency, period_start

),

-- A text that is the same for figures of a code that no break parts.
parts_of_series as (

    select
        editions.source,
        editions.importer_iso3,
        editions.commodity_code,
        editions.frequency,
        editions.period_start,
        editions.reconciled_edition,
        concat_ws(
            ' ',
            editions.commodity_code,
            editions.reconciled_edition,
            coalesce({{
                breaks_passed(
                    'breaks', 'editions.hs_revision', 'extract(year from editions.period_start)'
                )
            }}, 0)
        ) as part_name
    from editions
    inner join codes_with_a_break as codes on editions.commodity_code = codes.commodity_code
    left join breaks on editions.commodity_code = breaks.hs6_code
    group by
        editions.source,
        editions.importer_iso3,
        editions.commodity_code,
        editions.frequency,
        editions.period_start,
        editions.hs_revision,
        editions.reconciled_edition

),

-- Of groups with a code that has a break, what each figure is comparable with.
eras as (

    select
        figures.importer_iso3,
        figures.group_number,
        figures.mineral_group,
        figures.frequency,
        figures.period_start,
        figures.measure,
        string_agg(parts_of_series.part_name, ',' order by series.commodity_code) as era
    from figures
    inner join series on figures.group_number = series.group_number
    inner join parts_of_series
        on
            series.source = parts_of_series.source
            and series.commodity_code = parts_of_series.commodity_code
            and series.frequency = parts_of_series.frequency
            and series.period_start = parts_of_series.period_start
            and series.hs_revision is not distinct from parts_of_series.reconciled_edition
            and coalesce(parts_of_series.importer_iso3, figures.importer_iso3)
            = figures.importer_iso3
    group by
        figures.importer_iso3,
        figures.group_number,
        figures.mineral_group,
        figures.frequency,
        figures.period_start,
        figures.measure

),

firsts as (

    select
        importer_iso3,
        group_number,
        measure,
        min(period_start) over (
            partition by importer_iso3, mineral_group, frequency, measure, era
        ) as first_of_era,
        min(period_start) over (
            partition by importer_iso3, mineral_group, frequency, measure
        ) as first_of_all
    from eras

)

select
    figures.importer_iso3,
    figures.mineral_group,
    figures.frequency,
    figures.period_start,
    figures.measure,
    figures.source,
    figures.group_number,
    figures.codes,
    figures.total_amount,
    figures.supplied_amount,
    figures.largest_amount,
    figures.has_remainder,
    figures.valuation,
    figures.is_provisional,
    figures.weight_coverage_share,
    figures.snapshot_ids,
    case
        when firsts.first_of_era > firsts.first_of_all then firsts.first_of_era
    end as comparable_since
from figures
left join firsts
    on
        figures.importer_iso3 = firsts.importer_iso3
        and figures.group_number = firsts.group_number
        and figures.measure = firsts.measure
