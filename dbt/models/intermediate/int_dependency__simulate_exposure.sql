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
-- is left of its trade: all of it in the baseline, and not known where only a shift brings some.
in_force as (

    {% for timeline in ['baseline', 'scenario'] -%}
        select
            '{{ timeline }}' as timeline,
            months.scenario,
            months.importer_iso3,
            months.mineral_group,
            months.month,
            {% if timeline == 'baseline' -%}
                1
            {%- else -%}
                case
                    when supplies.baseline_amount > 0
                        then supplies.remaining_amount / supplies.baseline_amount
                    when supplies.remaining_amount > 0 then null
                    else 1
                end
            {%- endif %} as remaining_share,
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

-- Of a year the mean over its days; not known where a clause in force has no figures.
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
                            and in_force.value_{{ bound }}_usd * in_force.remaining_share is null
                        )
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
