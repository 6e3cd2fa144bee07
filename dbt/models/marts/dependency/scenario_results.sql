{# As they were, and with the least and the most that is added. #}
{% set columns = {
    'baseline_value': 'baseline', 'scenario_value': 'with_low', 'value_at_high_supply': 'with_high'
} %}
{% set amounts = columns.values() | list %}

with by_supplier as (

    select * from {{ ref('int_dependency__sum_scenario_years') }}

),

exposures as (

    select * from {{ ref('int_dependency__simulate_exposure') }}

),

scenario_changes as (

    select * from {{ ref('stg_lake__scenario_changes') }}

),

change_texts as (

    select
        scenario,
        title,
        concat_ws(
            ' ',
            kind,
            coalesce(supplier_iso3, clause_id),
            to_supplier_iso3,
            {{ plain_number('share') }},
            case when project is null then {{ plain_number('tonnes_low') }} end,
            case when tonnes_high > tonnes_low then {{ plain_number('tonnes_high') }} end,
            project,
            relief_scenario,
            coalesce(strftime(from_date, '%Y-%m'), cast(effective_date as varchar)),
            array_to_string(mineral_groups, '+')
        ) as change_text
    from scenario_changes

),

-- The same text whatever the order of the changes.
assumption_texts as (

    select
        scenario,
        any_value(title) as title,
        string_agg(change_text, '; ' order by change_text) as assumptions
    from change_texts
    group by scenario

),

sums as (

    select
        scenario,
        importer_iso3,
        mineral_group,
        measure,
        year,
        any_value(baseline_year) as baseline_year,
        {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids,
        {{ sum_in_order('lost') }} as lost,
        {{ sum_in_order('added_low') }} as added_low,
        {{ sum_in_order('added_high') }} as added_high,
        {% for amount in amounts -%}
            {{ sum_in_order(amount) }} as {{ amount }},
            {{ sum_in_order("case when supplier_iso3 <> '_X' then " ~ amount ~ " * " ~ amount ~ " end") }}
                as squares_{{ amount }},
            max({{ amount }}) filter (where supplier_iso3 <> '_X') as largest_{{ amount }}
            {%- if not loop.last %},{% endif %}
        {% endfor %}
    from by_supplier
    group by scenario, importer_iso3, mineral_group, measure, year

),

shares as (

    select
        by_supplier.* exclude (snapshot_ids),
        sums.snapshot_ids,
        'supplier_share_' || by_supplier.supplier_iso3 as metric,
        {% for amount in amounts -%}
            by_supplier.{{ amount }} / nullif(sums.{{ amount }}, 0) as {{ amount }}_share
            {%- if not loop.last %},{% endif %}
        {% endfor %}
    from by_supplier
    inner join sums
        using (scenario, importer_iso3, mineral_group, measure, year)
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
                        {{ name }} := {{ hhi('squares_' ~ amount, amount) }}
                        {%- if not loop.last %},{% endif %}
                    {% endfor %}
                ),
                struct_pack(
                    metric := 'top_supplier_share',
                    {% for name, amount in columns.items() -%}
                        {{ name }} := largest_{{ amount }} / nullif({{ amount }}, 0)
                        {%- if not loop.last %},{% endif %}
                    {% endfor %}
                ),
                struct_pack(
                    metric := case measure when 'value_usd' then 'total_usd' else 'total_t' end,
                    {% for name, amount in columns.items() -%}
                        {{ name }} := {{ amount }} / unit
                        {%- if not loop.last %},{% endif %}
                    {% endfor %}
                ),
                struct_pack(
                    metric := case measure when 'value_usd' then 'lost_usd' else 'lost_t' end,
                    baseline_value := 0, scenario_value := lost / unit,
                    value_at_high_supply := lost / unit
                ),
                struct_pack(
                    metric := case measure when 'value_usd' then 'added_usd' else 'added_t' end,
                    baseline_value := 0, scenario_value := added_low / unit,
                    value_at_high_supply := added_high / unit
                ),
                struct_pack(
                    metric := case measure when 'value_usd' then 'uncovered_usd' else 'uncovered_t' end,
                    baseline_value := 0,
                    scenario_value := {{ at_least_none('lost - added_low') }} / unit,
                    value_at_high_supply := {{ at_least_none('lost - added_high') }} / unit
                ),
                struct_pack(
                    metric := 'uncovered_share',
                    baseline_value := 0,
                    scenario_value := {{ at_least_none('lost - added_low') }} / nullif(baseline, 0),
                    value_at_high_supply
                    := {{ at_least_none('lost - added_high') }} / nullif(baseline, 0)
                )
            ]
        ) as metric
    from (
        select
            *,
            case measure when 'value_usd' then 1 else 1000 end as unit
        from sums
    )

),

results as (

    select
        * exclude (metric),
        metric.metric,
        cast(null as varchar) as supplier_iso3,
        metric.baseline_value,
        metric.scenario_value,
        metric.value_at_high_supply
    from metrics
    union all by name
    select
        scenario,
        importer_iso3,
        mineral_group,
        measure,
        year,
        baseline_year,
        snapshot_ids,
        metric,
        supplier_iso3,
        baseline_share as baseline_value,
        with_low_share as scenario_value,
        with_high_share as value_at_high_supply
    from shares
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
