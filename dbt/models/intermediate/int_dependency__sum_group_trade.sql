{# Both sides are read once, as a table. #}
{{ config(materialized='table') }}

with flows as (

    select * from {{ ref('int_trade__list_both_sides') }}
    where economy_iso3 <> partner_iso3 and year >= {{ first_year_of_reliance() }}

),

group_codes as (

    select distinct
        mineral_group,
        hs6_code
    from {{ ref('mineral_group_codes') }}

),

conversions as (

    select * from {{ ref('mass_conversions') }}

),

whole_groups as (

    select * from {{ ref('int_dependency__choose_group_editions') }}

),

by_code as (

    select
        economy_iso3,
        flow,
        source,
        hs6_code,
        hs_revision,
        year,
        {{ sum_in_order('value_usd') }} as value_usd,
        {{ sum_in_order('weighed_value_usd') }} as weighed_value_usd,
        {{ sum_in_order('net_weight_kg') }} as net_weight_kg,
        {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
    from flows
    group by economy_iso3, flow, source, hs6_code, hs_revision, year

),

converted as (

    select
        by_code.*,
        group_codes.mineral_group,
        by_code.net_weight_kg / 1000 as gross_t,
        by_code.net_weight_kg / 1000 * conversions.oxide_factor as oxide_t,
        by_code.net_weight_kg / 1000 * conversions.metal_factor as metal_t
    from by_code
    inner join group_codes on by_code.hs6_code = group_codes.hs6_code
    inner join whole_groups
        on
            group_codes.mineral_group = whole_groups.mineral_group
            and by_code.source = whole_groups.source
            and by_code.hs_revision = whole_groups.hs_revision
            and by_code.year = whole_groups.year
    left join conversions on by_code.hs6_code = conversions.hs6_code

)

-- An economy without a flow of a year that is covered has none. Flows without a weight are left out
-- while they are a small part of the value.
select
    economy_iso3,
    mineral_group,
    year,
    source,
    {% for flow in ['import', 'export'] -%}
        {% for mass in ['gross', 'oxide', 'metal'] -%}
            case
                when count(*) filter (where flow = '{{ flow }}') = 0 then 0
                when
                    not {{ is_mostly_weighed(
                        "sum(weighed_value_usd) filter (where flow = '" ~ flow ~ "')",
                        "sum(value_usd) filter (where flow = '" ~ flow ~ "')",
                    ) }}
                    or bool_or(net_weight_kg is not null and {{ mass }}_t is null)
                    then null
                else
                    coalesce(
                        {{ sum_in_order(mass ~ '_t') }} filter (where flow = '{{ flow }}'), 0
                    )
            end as {{ flow }}s_{{ mass }}_t,
        {% endfor -%}
    {% endfor -%}
    {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
from converted
where economy_iso3 <> '_X'
group by economy_iso3, mineral_group, year, source
