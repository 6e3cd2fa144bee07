{# Read twice by what dates the figures: chosen once, as a table. #}
{{ config(materialized='table') }}

with sums as (

    select * from {{ ref('int_dependency__sum_series') }}

),

absent_codes as (

    select * from {{ ref('int_dependency__list_absent_codes') }}

),

series as (

    select * from {{ ref('int_dependency__number_series') }}

),

groups as (

    select
        mineral_group,
        count(distinct hs6_code) as codes
    from {{ ref('mineral_group_codes') }}
    group by mineral_group

),

precedence as (

    select * from {{ ref('seed_source_precedence') }}
    where purpose = 'trade'

),

groups_of_series as (

    select
        group_number,
        source,
        mineral_group,
        is_basket,
        frequency,
        period_start,
        count(*) as series,
        dense_rank() over (order by mineral_group, frequency, period_start) as figure_number
    from series
    group by group_number, source, mineral_group, is_basket, frequency, period_start

),

series_of_groups as (

    select
        groups_of_series.*,
        groups.codes as codes_of_group,
        coalesce(precedence.is_cut_list, false) as is_cut_list,
        count(*) over (partition by groups_of_series.figure_number) as groups_of_figure,
        -- Of a figure, the group with the lowest number is chosen.
        row_number() over (
            order by
                precedence.rank nulls last, groups_of_series.is_basket, groups_of_series.source
        ) as place
    from groups_of_series
    left join groups on groups_of_series.mineral_group = groups.mineral_group
    left join precedence on groups_of_series.source = precedence.source

),

absent_by_group as (

    select
        group_number,
        importer_iso3,
        count(*) as codes
    from absent_codes
    group by group_number, importer_iso3

),

-- Most groups are of one series: there is nothing to sum in them.
by_group as (

    select
        sums.group_number,
        sums.measure,
        sums.importer_iso3,
        1 as codes,
        sums.suppliers,
        sums.has_cif,
        sums.has_fob,
        sums.is_provisional,
        sums.snapshot_ids,
        sums.total_amount,
        sums.supplied_amount,
        sums.largest_amount,
        sums.has_remainder,
        sums.is_whole,
        sums.is_complete,
        sums.whole_value,
        sums.weighed_value
    from sums
    inner join series_of_groups on sums.group_number = series_of_groups.group_number
    where series_of_groups.series = 1
    union all
    select
        sums.group_number,
        sums.measure,
        sums.importer_iso3,
        count(*) as codes,
        sum(sums.suppliers) as suppliers,
        bool_or(sums.has_cif) as has_cif,
        bool_or(sums.has_fob) as has_fob,
        bool_or(sums.is_provisional) as is_provisional,
        {{ union_of('list(sums.snapshot_ids)') }} as snapshot_ids,
        sum(sums.total_amount) as total_amount,
        sum(sums.supplied_amount) as supplied_amount,
        -- What a supplier has of several codes together is not known here.
        case when count(*) = 1 then max(sums.largest_amount) end as largest_amount,
        bool_or(sums.has_remainder) as has_remainder,
        bool_and(sums.is_whole) as is_whole,
        bool_and(sums.is_complete) as is_complete,
        sum(sums.whole_value) as whole_value,
        sum(case when sums.is_whole then sums.whole_value else sums.weighed_value end)
            as weighed_value
    from sums
    inner join series_of_groups on sums.group_number = series_of_groups.group_number
    where series_of_groups.series > 1
    group by sums.group_number, sums.measure, sums.importer_iso3

),

-- An importer without a row of a code that the publisher covers has none of it.
complete as (

    select
        by_group.importer_iso3,
        series_of_groups.mineral_group,
        series_of_groups.frequency,
        series_of_groups.period_start,
        by_group.measure,
        series_of_groups.source,
        series_of_groups.is_basket,
        by_group.group_number,
        series_of_groups.figure_number,
        series_of_groups.groups_of_figure,
        -- A list of less than half of what came says less than an estimate of all of it; a list of
        -- the largest flows is the last resort.
        series_of_groups.place + case
            when series_of_groups.is_cut_list then 2
            when by_group.supplied_amount < 0.5 * by_group.total_amount then 1
            else 0
        end * 1000000000 as place,
        by_group.codes,
        by_group.total_amount,
        by_group.supplied_amount,
        by_group.largest_amount,
        by_group.has_remainder,
        case
            when not by_group.has_fob then 'CIF'
            when not by_group.has_cif then 'FOB'
        end as valuation,
        by_group.is_provisional,
        case
            when by_group.measure = 'net_weight_kg' and by_group.is_whole then 1
            when by_group.measure = 'net_weight_kg'
                then by_group.weighed_value / nullif(by_group.whole_value, 0)
        end as weight_coverage_share,
        by_group.snapshot_ids
    from by_group
    inner join series_of_groups on by_group.group_number = series_of_groups.group_number
    left join absent_by_group
        on
            by_group.group_number = absent_by_group.group_number
            and by_group.importer_iso3 = absent_by_group.importer_iso3
    where
        by_group.is_complete
        and by_group.suppliers > 0
        and by_group.total_amount > 0
        and (
            series_of_groups.is_basket
            or by_group.codes + coalesce(absent_by_group.codes, 0)
            = series_of_groups.codes_of_group
        )

),

usable as (

    select * from complete
    -- Flows without a weight are left out while they are a small part of the value.
    where coalesce(weight_coverage_share >= {{ least_weight_coverage() }}, true)

),

first_places as (

    select
        importer_iso3,
        figure_number,
        measure,
        min(place) as place
    from usable
    where groups_of_figure > 1
    group by importer_iso3, figure_number, measure

)

select
    usable.importer_iso3,
    usable.mineral_group,
    usable.frequency,
    usable.period_start,
    usable.measure,
    usable.source,
    usable.group_number,
    cast(usable.codes as integer) as codes,
    cast(usable.total_amount as double) as total_amount,
    cast(usable.supplied_amount as double) as supplied_amount,
    cast(usable.largest_amount as double) as largest_amount,
    usable.has_remainder,
    usable.valuation,
    usable.is_provisional,
    cast(usable.weight_coverage_share as double) as weight_coverage_share,
    usable.snapshot_ids
from usable
left join first_places
    on
        usable.importer_iso3 = first_places.importer_iso3
        and usable.figure_number = first_places.figure_number
        and usable.measure = first_places.measure
where usable.groups_of_figure = 1 or usable.place = first_places.place
