{# Shares and concentration are read from it: computed once, as a table. #}
{{ config(materialized='table') }}

with imports as (

    select
        series_number,
        importer_iso3,
        case partner_iso3
            when 'WLD' then 'total'
            when importer_iso3 then 're_import'
            when '_X' then 'remainder'
            else 'supplier'
        end as kind,
        value_usd,
        net_weight_kg,
        valuation,
        is_provisional
    from {{ ref('int_dependency__list_group_imports') }}

),

-- What an importer declares of a code comes from two snapshots at most: its imports, and its
-- re-imports.
declared as (

    select
        series_number,
        importer_iso3,
        {{ snapshots_of('snapshot_id') }} as snapshot_ids
    from {{ ref('int_dependency__list_group_imports') }}
    where snapshot_id is not null
    group by series_number, importer_iso3

),

series as (

    select
        *,
        count(*) over (partition by group_number) as series_of_group
    from {{ ref('int_dependency__number_series') }}

),

groups as (

    select
        mineral_group,
        count(distinct hs6_code) as codes
    from {{ ref('mineral_group_codes') }}
    group by mineral_group

),

breaks as (

    select * from {{ ref('seed_nomenclature_breaks') }}

),

reconciled_slices as (

    select * from {{ ref('int_trade__choose_reconciled_slices') }}

),

reported_flows as (

    select * from {{ ref('int_trade__select_latest_flows') }}

),

precedence as (

    select * from {{ ref('seed_source_precedence') }}
    where purpose = 'trade'

),

-- Both measures at once, by what a flow is: of 11 million flows in a third of the time that the
-- rules below take on each flow and measure.
by_kind as (

    select
        series_number,
        importer_iso3,
        kind,
        count(*) as flows,
        count(value_usd) as flows_with_value,
        count(net_weight_kg) as flows_with_weight,
        sum(value_usd) as value_usd,
        sum(net_weight_kg) as net_weight_kg,
        max(value_usd) as largest_value_usd,
        max(net_weight_kg) as largest_net_weight_kg,
        sum(value_usd) filter (where net_weight_kg is not null) as weighed_value,
        bool_or(valuation = 'CIF') as has_cif,
        bool_or(valuation = 'FOB') as has_fob,
        bool_or(is_provisional) as is_provisional
    from imports
    group by series_number, importer_iso3, kind

),

by_commodity as (

    select
        series_number,
        importer_iso3,
        {% for measure, with_amount in [
            ('value_usd', 'flows_with_value'), ('net_weight_kg', 'flows_with_weight')
        ] %}
            max(largest_{{ measure }}) filter (where kind = 'total') as printed_{{ measure }},
            max(largest_{{ measure }}) filter (where kind = 're_import')
                as re_imported_{{ measure }},
            sum({{ measure }}) filter (where kind in ('supplier', 'remainder'))
                as partners_{{ measure }},
            sum({{ measure }}) filter (where kind = 'supplier') as supplied_{{ measure }},
            max(largest_{{ measure }}) filter (where kind = 'supplier')
                as largest_{{ measure }},
            sum(flows - {{ with_amount }}) filter (where kind <> 'remainder')
                as missing_{{ measure }},
            sum(flows - {{ with_amount }}) filter (where kind = 'remainder')
                as missing_remainders_{{ measure }},
        {% endfor %}
        sum(weighed_value) filter (where kind in ('supplier', 'remainder')) as weighed_value,
        sum(flows - flows_with_value) filter (where kind <> 're_import') as missing_values,
        coalesce(sum(flows) filter (where kind = 'supplier'), 0) as suppliers,
        bool_or(has_cif) as has_cif,
        bool_or(has_fob) as has_fob,
        bool_or(is_provisional) as is_provisional
    from by_kind
    group by series_number, importer_iso3

),

by_measure as (

    {% for measure in ['value_usd', 'net_weight_kg'] %}
        select
            series_number,
            importer_iso3,
            '{{ measure }}' as measure,
            printed_{{ measure }} as printed_total,
            coalesce(re_imported_{{ measure }}, 0) as re_imports,
            coalesce(partners_{{ measure }}, 0) as sum_of_partners,
            supplied_{{ measure }} as supplied_amount,
            largest_{{ measure }} as largest_amount,
            coalesce(missing_{{ measure }}, 0) as missing_amounts,
            coalesce(missing_remainders_{{ measure }}, 0) as missing_remainders,
            partners_value_usd as whole_value,
            weighed_value,
            coalesce(missing_values, 0) as missing_values,
            suppliers,
            has_cif,
            has_fob,
            is_provisional
        from by_commodity
        {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

totals as (

    select
        series.group_number,
        series.series_of_group,
        by_measure.measure,
        by_measure.importer_iso3,
        by_measure.suppliers,
        by_measure.has_cif,
        by_measure.has_fob,
        by_measure.is_provisional,
        coalesce(declared.snapshot_ids, [series.snapshot_id]) as snapshot_ids,
        coalesce(
            by_measure.printed_total - by_measure.re_imports, by_measure.sum_of_partners
        ) as total_amount,
        by_measure.supplied_amount,
        by_measure.largest_amount,
        -- The remainder is only needed where no total is printed.
        by_measure.missing_amounts = 0
        and (by_measure.printed_total is not null or by_measure.missing_remainders = 0)
            as is_whole,
        -- What part of it is weighed is known, if every value is there.
        by_measure.measure = 'net_weight_kg'
        and by_measure.printed_total is null
        and by_measure.missing_values = 0 as may_have_gaps,
        by_measure.whole_value,
        by_measure.weighed_value
    from by_measure
    inner join series on by_measure.series_number = series.series_number
    left join declared
        on
            by_measure.series_number = declared.series_number
            and by_measure.importer_iso3 = declared.importer_iso3

),

-- Most groups are of one series: there is nothing to sum in them.
by_group as (

    select
        group_number,
        measure,
        importer_iso3,
        1 as codes,
        suppliers,
        has_cif,
        has_fob,
        is_provisional,
        snapshot_ids,
        total_amount,
        supplied_amount,
        largest_amount,
        is_whole,
        is_whole or may_have_gaps as is_complete,
        whole_value,
        weighed_value
    from totals
    where series_of_group = 1
    union all
    select
        group_number,
        measure,
        importer_iso3,
        count(*) as codes,
        sum(suppliers) as suppliers,
        bool_or(has_cif) as has_cif,
        bool_or(has_fob) as has_fob,
        bool_or(is_provisional) as is_provisional,
        {{ union_of('list(snapshot_ids)') }} as snapshot_ids,
        sum(total_amount) as total_amount,
        sum(supplied_amount) as supplied_amount,
        -- What a supplier has of several codes together is not known here.
        case when count(*) = 1 then max(largest_amount) end as largest_amount,
        bool_and(is_whole) as is_whole,
        bool_and(is_whole or may_have_gaps) as is_complete,
        sum(whole_value) as whole_value,
        sum(case when is_whole then whole_value else weighed_value end) as weighed_value
    from totals
    where series_of_group > 1
    group by group_number, measure, importer_iso3

),

groups_of_series as (

    select distinct
        group_number,
        source,
        mineral_group,
        is_basket,
        frequency,
        period_start,
        dense_rank() over (order by mineral_group, frequency, period_start) as figure_number
    from series

),

series_of_groups as (

    select
        groups_of_series.*,
        groups.codes as codes_of_group,
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
        series_of_groups.place,
        by_group.codes,
        by_group.total_amount,
        by_group.supplied_amount,
        by_group.largest_amount,
        case
            when not by_group.has_fob then 'CIF'
            when not by_group.has_cif then 'FOB'
        end as valuation,
        by_group.is_provisional,
        case
            when by_group.measure = 'net_weight_kg' and by_group.is_whole then 1
            when by_group.measure = 'net_weight_kg'
                then coalesce(by_group.weighed_value, 0) / nullif(by_group.whole_value, 0)
        end as weight_coverage_share,
        by_group.snapshot_ids
    from by_group
    inner join series_of_groups on by_group.group_number = series_of_groups.group_number
    where
        by_group.is_complete
        and by_group.suppliers > 0
        and by_group.total_amount > 0
        and (series_of_groups.is_basket or by_group.codes = series_of_groups.codes_of_group)

),

usable as (

    select * from complete
    -- Flows without a weight are left out while they are a small part of the value.
    where coalesce(weight_coverage_share >= 0.95, true)

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

),

chosen as (

    select
        usable.importer_iso3,
        usable.mineral_group,
        usable.frequency,
        usable.period_start,
        usable.measure,
        usable.source,
        usable.group_number,
        usable.codes,
        usable.total_amount,
        usable.supplied_amount,
        usable.largest_amount,
        usable.valuation,
        usable.is_provisional,
        usable.weight_coverage_share,
        usable.snapshot_ids
    from usable
    left join first_places
        on
            usable.importer_iso3 = first_places.importer_iso3
            and usable.figure_number = first_places.figure_number
            and usable.measure = first_places.measure
    where usable.groups_of_figure = 1 or usable.place = first_places.place

),

editions as (

    select
        source,
        null as importer_iso3,
        hs6_code,
        'A' as frequency,
        period_start,
        hs_revision
    from reconciled_slices
    union all
    select
        source,
        reporter_iso3 as importer_iso3,
        commodity_code as hs6_code,
        frequency,
        period_start,
        max(hs_revision) as hs_revision
    from reported_flows
    where
        not is_basket
        and flow = 'import'
        and commodity_code in (select breaks.hs6_code from breaks)
    group by source, reporter_iso3, commodity_code, frequency, period_start

),

-- A number that is the same for figures of a code that no break parts.
breaks_passed as (

    select
        editions.source,
        editions.importer_iso3,
        editions.hs6_code,
        editions.frequency,
        editions.period_start,
        {{
            breaks_passed(
                'breaks', 'editions.hs_revision', 'extract(year from editions.period_start)'
            )
        }} as breaks_passed
    from editions
    inner join breaks on editions.hs6_code = breaks.hs6_code
    group by
        editions.source,
        editions.importer_iso3,
        editions.hs6_code,
        editions.frequency,
        editions.period_start,
        editions.hs_revision

),

-- Of groups with a code that has a break, what each figure is comparable with.
eras as (

    select
        chosen.importer_iso3,
        chosen.group_number,
        chosen.mineral_group,
        chosen.frequency,
        chosen.period_start,
        chosen.measure,
        string_agg(
            series.commodity_code || ' ' || breaks_passed.breaks_passed, ','
            order by series.commodity_code
        ) as era
    from chosen
    inner join series on chosen.group_number = series.group_number
    inner join breaks_passed
        on
            series.source = breaks_passed.source
            and series.commodity_code = breaks_passed.hs6_code
            and series.frequency = breaks_passed.frequency
            and series.period_start = breaks_passed.period_start
            and (
                breaks_passed.importer_iso3 is null
                or chosen.importer_iso3 = breaks_passed.importer_iso3
            )
    where not series.is_basket
    group by
        chosen.importer_iso3,
        chosen.group_number,
        chosen.mineral_group,
        chosen.frequency,
        chosen.period_start,
        chosen.measure

),

since as (

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
    chosen.*,
    case
        when since.first_of_era > since.first_of_all then since.first_of_era
    end as comparable_since
from chosen
left join since
    on
        chosen.importer_iso3 = since.importer_iso3
        and chosen.group_number = since.group_number
        and chosen.measure = since.measure
