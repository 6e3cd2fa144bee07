{# As they were, and with the least and the most that is added. #}
{% set columns = {
    'baseline_value': 'baseline', 'scenario_value': 'with_low', 'value_at_high_supply': 'with_high'
} %}
{% set amounts = columns.values() | list %}
{% set changes = [
    ('lost', 'lost', 'lost'),
    ('added', 'added_low', 'added_high'),
    ('uncovered', 'uncovered_low_supply', 'uncovered_high_supply'),
] %}

with by_supplier as (

    select * from {{ ref('int_dependency__sum_scenario_years') }}

),

exposures as (

    select * from {{ ref('int_dependency__simulate_exposure') }}

),

assumption_texts as (

    select * from {{ ref('int_dependency__describe_scenarios') }}

),

sums as (

    select
        scenario,
        importer_iso3,
        mineral_group,
        measure,
        year,
        case measure when 'value_usd' then 'usd' else 't' end as unit,
        case measure when 'value_usd' then 1 else 1000 end as amounts_per_unit,
        any_value(baseline_year) as baseline_year,
        {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids,
        {{ sum_in_order('lost') }} as lost,
        {{ sum_in_order('added_low') }} as added_low,
        {{ sum_in_order('added_high') }} as added_high,
        {% for amount in amounts -%}
            {% set published = 'case when is_published then ' ~ amount ~ ' end' -%}
            {{ sum_in_order(amount) }} as {{ amount }},
            {{ sum_in_order(amount ~ ' * ' ~ published) }} as squares_{{ amount }},
            {{ sum_in_order('case when is_published then 0 else ' ~ amount ~ ' end') }}
                as unpublished_{{ amount }},
            max({{ published }}) as largest_{{ amount }}
            {%- if not loop.last %},{% endif %}
        {% endfor %}
    from by_supplier
    group by scenario, importer_iso3, mineral_group, measure, year

),

uncovered as (

    select
        *,
        {{ at_least_none('lost - added_low') }} as uncovered_low_supply,
        {{ at_least_none('lost - added_high') }} as uncovered_high_supply
    from sums

),

shares as (

    select
        by_supplier.scenario,
        by_supplier.importer_iso3,
        by_supplier.mineral_group,
        by_supplier.measure,
        by_supplier.year,
        by_supplier.baseline_year,
        by_supplier.supplier_iso3,
        sums.snapshot_ids,
        'supplier_share_' || by_supplier.supplier_iso3 as metric,
        {% for name, amount in columns.items() -%}
            case
                when by_supplier.is_published or by_supplier.supplier_iso3 = '_X'
                    then by_supplier.{{ amount }} / nullif(sums.{{ amount }}, 0)
            end as {{ name }}
            {%- if not loop.last %},{% endif %}
        {% endfor %}
    from by_supplier
    inner join sums
        on
            by_supplier.scenario = sums.scenario
            and by_supplier.mineral_group = sums.mineral_group
            and by_supplier.measure = sums.measure
            and by_supplier.year = sums.year
    where by_supplier.baseline > 0 or by_supplier.with_high > 0

),

metrics as (

    select
        scenario,
        importer_iso3,
        mineral_group,
        measure,
        year,
        baseline_year,
        snapshot_ids,
        unnest(
            [
                struct_pack(
                    metric := 'hhi',
                    {% for name, amount in columns.items() -%}
                        {{ name }} := case
                            when {{ is_index_known(
                                '1 - unpublished_' ~ amount ~ ' / nullif(' ~ amount ~ ', 0)'
                            ) }}
                                then {{ hhi('squares_' ~ amount, amount) }}
                        end
                        {%- if not loop.last %},{% endif %}
                    {% endfor %}
                ),
                struct_pack(
                    metric := 'top_supplier_share',
                    {% for name, amount in columns.items() -%}
                        {{ name }} := case
                            when {{ is_largest_known(
                                'largest_' ~ amount, 'unpublished_' ~ amount
                            ) }}
                                then largest_{{ amount }} / nullif({{ amount }}, 0)
                        end
                        {%- if not loop.last %},{% endif %}
                    {% endfor %}
                ),
                struct_pack(
                    metric := 'total_' || unit,
                    {% for name, amount in columns.items() -%}
                        {{ name }} := {{ amount }} / amounts_per_unit
                        {%- if not loop.last %},{% endif %}
                    {% endfor %}
                ),
                {% for metric, low, high in changes -%}
                    struct_pack(
                        metric := '{{ metric }}_' || unit,
                        baseline_value := 0,
                        scenario_value := {{ low }} / amounts_per_unit,
                        value_at_high_supply := {{ high }} / amounts_per_unit
                    ),
                {% endfor -%}
                struct_pack(
                    metric := 'uncovered_share',
                    baseline_value := 0,
                    scenario_value := uncovered_low_supply / nullif(baseline, 0),
                    value_at_high_supply := uncovered_high_supply / nullif(baseline, 0)
                )
            ],
            recursive := true
        )
    from uncovered

),

results as (

    select
        *,
        cast(null as varchar) as supplier_iso3
    from metrics
    union all by name
    select * from shares
    {% for bound in ['low', 'high'] -%}
        union all by name
        select
            scenario,
            importer_iso3,
            mineral_group,
            'value_usd' as measure,
            year,
            snapshot_ids,
            'exposed_value_{{ bound }}_usd' as metric,
            baseline_{{ bound }}_usd as baseline_value,
            scenario_{{ bound }}_usd as scenario_value,
            scenario_{{ bound }}_usd as value_at_high_supply
        from exposures
    {% endfor %}

)

select
    results.scenario,
    assumption_texts.title,
    results.importer_iso3,
    results.mineral_group,
    results.measure,
    results.year,
    results.metric,
    results.supplier_iso3,
    results.baseline_year,
    results.baseline_value,
    results.scenario_value,
    results.value_at_high_supply,
    results.scenario_value - results.baseline_value as change,
    assumption_texts.assumptions,
    results.snapshot_ids
from results
inner join assumption_texts on results.scenario = assumption_texts.scenario
