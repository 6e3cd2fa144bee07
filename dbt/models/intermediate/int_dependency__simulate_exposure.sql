with exposures as (

    select * from {{ ref('int_exposure__join_clauses') }}

),

supplies as (

    select * from {{ ref('int_dependency__simulate_supplies') }}
    where measure = 'value_usd'

),

mineral_group_codes as (

    select distinct
        mineral_group,
        hs6_code
    from {{ ref('mineral_group_codes') }}

),

-- What is left of a supplier's trade in a month, as a part of the baseline.
months as (

    select
        scenario,
        importer_iso3,
        mineral_group,
        month,
        supplier_iso3,
        coalesce(remaining_amount / nullif(baseline_amount, 0), 1) as remaining_share
    from supplies

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

timelines as (

    {% for timeline, remaining in [
        ('baseline', '1'), ('scenario', 'months.remaining_share')
    ] -%}
        select
            '{{ timeline }}' as timeline,
            months.scenario,
            months.importer_iso3,
            months.mineral_group,
            months.month,
            {{ remaining }} as remaining_share,
            date_diff(
                'day',
                greatest(exposures.valid_from, months.month),
                least(
                    coalesce(exposures.valid_to, cast('infinity' as date)),
                    cast(months.month + interval 1 month as date)
                )
            )
            / date_diff(
                'day',
                cast(date_trunc('year', months.month) as date),
                cast(date_trunc('year', months.month) + interval 1 year as date)
            ) as days_share,
            exposures.value_low_usd,
            exposures.value_high_usd,
            exposures.snapshot_ids
        from months
        inner join group_commodities on months.mineral_group = group_commodities.mineral_group
        inner join exposures
            on
                {{ "exposures.scenario = ''" if timeline == 'baseline'
                    else 'months.scenario = exposures.scenario' }}
                and months.importer_iso3 = exposures.importer_iso3
                and group_commodities.commodity_code = exposures.commodity_code
                and months.supplier_iso3 = exposures.implementer_iso3
                and exposures.valid_from < cast(months.month + interval 1 month as date)
                and (exposures.valid_to is null or months.month < exposures.valid_to)
        {% if not loop.last -%}
            union all
        {% endif -%}
    {% endfor %}

),

-- Of a year the mean over its days; not known where one clause has no figures.
exposed as (

    select
        scenario,
        importer_iso3,
        mineral_group,
        cast(extract(year from month) as integer) as year,
        {% for timeline in ['baseline', 'scenario'] -%}
            {% for bound in ['low', 'high'] -%}
                case
                    when bool_or(timeline = '{{ timeline }}' and value_{{ bound }}_usd is null)
                        then null
                    else
                        coalesce(
                            {{ sum_in_order(
                                'value_' ~ bound ~ '_usd * remaining_share * days_share'
                            ) }} filter (where timeline = '{{ timeline }}'),
                            0
                        )
                end as {{ timeline }}_{{ bound }}_usd,
            {% endfor -%}
        {% endfor -%}
        {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
    from timelines
    group by scenario, importer_iso3, mineral_group, extract(year from month)

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
