with exposures as (

    select * from {{ ref('int_exposure__join_clauses') }}

),

supplies as (

    select * from {{ ref('int_dependency__simulate_supplies') }}
    where measure = 'value_usd'

),

changes as (

    select * from {{ ref('int_dependency__spread_changes') }}

),

targets as (

    select * from {{ ref('int_exposure__list_targets') }}

),

timelines as (

    select * from {{ ref('int_exposure__list_timelines') }}
    where not is_for_baseline

),

mineral_group_codes as (

    select distinct
        mineral_group,
        hs6_code
    from {{ ref('mineral_group_codes') }}

),

months as (

    select
        scenario,
        importer_iso3,
        mineral_group,
        month,
        cast(month + interval 1 month as date) as next_month,
        cast(date_trunc('year', month) as date) as year_start,
        {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
    from changes
    group by scenario, importer_iso3, mineral_group, month

),

-- A group is exposed by its codes; the exposure of a basket is of a group without codes.
group_commodities as (

    select
        mineral_group,
        hs6_code as commodity_code
    from mineral_group_codes
    union distinct
    select
        mineral_group,
        mineral_group as commodity_code
    from mineral_group_codes

),

-- The days of a month on which an economy's clauses are in force, as a part of the year, and what
-- is left of its trade: all of it in the baseline.
in_force as (

    {% for timeline in ['baseline', 'scenario'] -%}
        select
            '{{ timeline }}' as timeline,
            months.scenario,
            months.importer_iso3,
            months.mineral_group,
            months.month,
            case
                when supplies.baseline_amount > 0 and '{{ timeline }}' = 'scenario'
                    then supplies.remaining_amount / supplies.baseline_amount
                else 1
            end as remaining_share,
            date_diff(
                'day',
                greatest(exposures.valid_from, months.month),
                least(
                    coalesce(exposures.valid_to, cast('infinity' as date)), months.next_month
                )
            ) / date_diff(
                'day',
                months.year_start,
                cast(months.year_start + interval 1 year as date)
            ) as days_share,
            exposures.value_low_usd,
            exposures.value_high_usd,
            {{ snapshots_together(['exposures.snapshot_ids', 'supplies.snapshot_ids']) }}
                as snapshot_ids
        from months
        inner join group_commodities on months.mineral_group = group_commodities.mineral_group
        inner join exposures
            on
                {{ "exposures.scenario = ''" if timeline == 'baseline'
                    else 'months.scenario = exposures.scenario' }}
                and months.importer_iso3 = exposures.importer_iso3
                and group_commodities.commodity_code = exposures.commodity_code
                and months.next_month > exposures.valid_from
                and (exposures.valid_to is null or months.month < exposures.valid_to)
        left join supplies
            on
                months.scenario = supplies.scenario
                and months.mineral_group = supplies.mineral_group
                and months.month = supplies.month
                and exposures.implementer_iso3 = supplies.supplier_iso3
        {% if not loop.last -%}
            union all
        {% endif -%}
    {% endfor %}

),

-- Months in which trade moves to an economy that restricts and has none in the baseline.
not_known as (

    select distinct
        supplies.scenario,
        supplies.mineral_group,
        supplies.month
    from supplies
    inner join months
        on
            supplies.scenario = months.scenario
            and supplies.mineral_group = months.mineral_group
            and supplies.month = months.month
    inner join group_commodities on supplies.mineral_group = group_commodities.mineral_group
    inner join targets
        on
            supplies.importer_iso3 = targets.importer_iso3
            and supplies.supplier_iso3 = targets.implementer_iso3
            and group_commodities.commodity_code = targets.commodity_code
    inner join timelines
        on
            supplies.scenario = timelines.scenario
            and targets.clause_id = timelines.clause_id
            and months.next_month > timelines.valid_from
            and (timelines.valid_to is null or months.month < timelines.valid_to)
    where supplies.baseline_amount = 0 and supplies.remaining_amount > 0

),

-- Of a year the mean over its days; not known where a clause in force has no figures, or where it
-- would hit trade of which the goods are not known.
exposed as (

    select
        months.scenario,
        months.importer_iso3,
        months.mineral_group,
        cast(extract(year from months.month) as integer) as year,
        {% for timeline in ['baseline', 'scenario'] -%}
            {% for bound in ['low', 'high'] -%}
                case
                    when
                        bool_or(
                            in_force.timeline = '{{ timeline }}'
                            and in_force.value_{{ bound }}_usd is null
                        )
                        {% if timeline == 'scenario' -%}
                            or bool_or(not_known.scenario is not null)
                        {% endif -%}
                        then null
                    else
                        coalesce(
                            {{ sum_in_order(
                                "case in_force.timeline when '" ~ timeline
                                ~ "' then in_force.value_" ~ bound
                                ~ "_usd * in_force.remaining_share * in_force.days_share end"
                            ) }},
                            0
                        )
                end as {{ timeline }}_{{ bound }}_usd,
            {% endfor -%}
        {% endfor -%}
        {{ union_of(
            'list(months.snapshot_ids) || list(coalesce(in_force.snapshot_ids, []))'
        ) }} as snapshot_ids
    from months
    left join in_force
        on
            months.scenario = in_force.scenario
            and months.importer_iso3 = in_force.importer_iso3
            and months.mineral_group = in_force.mineral_group
            and months.month = in_force.month
    left join not_known
        on
            months.scenario = not_known.scenario
            and months.mineral_group = not_known.mineral_group
            and months.month = not_known.month
    group by
        months.scenario,
        months.importer_iso3,
        months.mineral_group,
        extract(year from months.month)

)

select
    scenario,
    importer_iso3,
    mineral_group,
    year,
    baseline_low_usd,
    baseline_high_usd,
    scenario_low_usd,
    scenario_high_usd,
    snapshot_ids
from exposed
