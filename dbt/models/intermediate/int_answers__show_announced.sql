{# The year that the page looks to: the second after that of the build. #}
{% set year = '(cast(extract(year from ' ~ as_of_day() ~ ') as integer) + 2)' %}

with projects as (

    select * from {{ ref('supply_projects') }}

),

sources as (

    select * from {{ ref('sources') }}
    where source = 'catalogue'

),

importers as (

    select * from {{ ref('int_answers__list_importers') }}

),

snapshots as (

    select {{ union_of_snapshots('[snapshot_id]') }} as snapshot_ids
    from {{ ref('stg_lake__supply_projects') }}

),

-- What is decided on; a capacity that is not published counts for none, and a plan without a year
-- is not counted.
committed as (

    select
        *,
        case when figure_of = 'capacity' then capacity_t_low end as low,
        case when figure_of = 'capacity' then coalesce(capacity_t_high, capacity_t_low) end as high,
        counted_from_year <= {{ year }}
        and coalesce(replaced_in_year > {{ year }}, true) as is_counted
    from projects
    where
        not is_total
        and stage <> 'mine'
        and status in ('operating', 'building', 'planned')

),

-- Somebody's sum of the makers that exist.
totals as (

    select
        basis,
        arg_max(capacity_t_low, as_of) as existing,
        cast(extract(year from max(as_of)) as integer) as existing_year
    from projects
    where is_total and status = 'operating'
    group by basis

),

sums as (

    select
        importers.importer_iso3,
        committed.basis,
        {{ sum_in_order('case when committed.is_counted then committed.low end') }} as tonnes_low,
        {{ sum_in_order('case when committed.is_counted then committed.high end') }}
            as tonnes_high,
        count(distinct committed.project) filter (
            where committed.high is null and committed.is_counted
        ) as without_capacity,
        count(distinct committed.project) filter (where committed.counted_from_year is null)
            as without_year
    from importers
    inner join committed on importers.supplier_iso3 <> committed.economy_iso3
    group by importers.importer_iso3, committed.basis

),

sums_of_importers as (

    select
        sums.importer_iso3,
        max(sums.tonnes_high) filter (where sums.basis = 'dy_tb_oxide') as dy_tb_high,
        list(
            struct_pack(
                basis := sums.basis,
                tonnes_low := coalesce(sums.tonnes_low, 0),
                tonnes_high := sums.tonnes_high,
                without_capacity := sums.without_capacity,
                without_year := sums.without_year,
                existing := totals.existing,
                existing_year := totals.existing_year
            ) order by sums.basis
        ) as bases
    from sums
    left join totals on sums.basis = totals.basis
    group by sums.importer_iso3

)

select
    importers.importer_iso3,
    15 as position,
    {{ sentence('answers.announced', {
        'supplier': 'importers.supplier_name',
        'year': year,
    }) }} as subject,
    sums_of_importers.dy_tb_high as figure,
    't' as unit,
    case when sums_of_importers.dy_tb_high is not null then cast({{ year }} as varchar) end
        as period,
    {{ sentence('answers.announced_detail', {'bases': 'sums_of_importers.bases'}) }} as detail,
    cast(null as double[]) as trend,
    cast(null as varchar) as trend_from,
    case when sums_of_importers.dy_tb_high is not null then sources.source end as source,
    case when sums_of_importers.dy_tb_high is not null then sources.last_vintage_at end
        as vintage_at,
    case when sums_of_importers.dy_tb_high is not null then snapshots.snapshot_ids end
        as snapshot_ids
from importers
cross join sources
cross join snapshots
left join sums_of_importers on importers.importer_iso3 = sums_of_importers.importer_iso3
