-- Shares of a single code for an importer and a supplier equal BACI's flow, to the cent.
{{ config(meta={'dagster': {'ref': {'name': 'supplier_shares'}}}) }}

with shares as not materialized (

    select
        importer_iso3,
        supplier_iso3,
        mineral_group,
        cast(extract(year from period_start) as integer) as year,
        measure,
        amount
    from {{ ref('supplier_shares') }}
    -- In shares `_X` is the rest of a total, in flows it is a supplier without a share; the Union's
    -- are sums of flows.
    where
        source = 'baci'
        and starts_with(mineral_group, 'hs_')
        and supplier_iso3 <> '_X'
        and importer_iso3 <> 'EU27'

),

flows as not materialized (

    {% for measure in ['value_usd', 'net_weight_kg'] %}
        select
            importer_iso3,
            exporter_iso3 as supplier_iso3,
            'hs_' || hs6_code as mineral_group,
            year,
            '{{ measure }}' as measure,
            {{ measure }} as amount
        from {{ ref('baci_flows') }}
        where exporter_iso3 <> '_X' and {{ measure }} is not null
        {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

-- Where all flows of a total are shares, their summed hashes are equal: only the others are
-- compared flow by flow. By weight there may be no total: shares without a flow are looked for.
sums_of_shares as (

    select
        importer_iso3,
        mineral_group,
        year,
        measure,
        count(*) as rows,
        sum({{ hash_of(['supplier_iso3', 'round(amount * 100)']) }}) as number_of_all
    from shares
    group by importer_iso3, mineral_group, year, measure

),

sums_by_code as (

    select
        importer_iso3,
        hs6_code,
        year,
        {% for measure in ['value_usd', 'net_weight_kg'] %}
            count({{ measure }}) as rows_with_{{ measure }},
            {%- set hashed = hash_of(['exporter_iso3', 'round(' ~ measure ~ ' * 100)']) %}
            sum(case when {{ measure }} is not null then {{ hashed }} end)
                as number_of_{{ measure }}
            {%- if not loop.last %},{% endif %}
        {% endfor %}
    from {{ ref('baci_flows') }}
    where exporter_iso3 <> '_X'
    group by importer_iso3, hs6_code, year

),

sums_of_flows as (

    {% for measure in ['value_usd', 'net_weight_kg'] %}
        select
            importer_iso3,
            'hs_' || hs6_code as mineral_group,
            year,
            '{{ measure }}' as measure,
            rows_with_{{ measure }} as rows,
            number_of_{{ measure }} as number_of_all
        from sums_by_code
        {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

not_alike as (

    select
        sums_of_shares.importer_iso3,
        sums_of_shares.mineral_group,
        sums_of_shares.year,
        sums_of_shares.measure
    from sums_of_shares
    left join sums_of_flows
        on
            sums_of_shares.importer_iso3 = sums_of_flows.importer_iso3
            and sums_of_shares.mineral_group = sums_of_flows.mineral_group
            and sums_of_shares.year = sums_of_flows.year
            and sums_of_shares.measure = sums_of_flows.measure
            and sums_of_shares.rows = sums_of_flows.rows
            and sums_of_shares.number_of_all = sums_of_flows.number_of_all
    where sums_of_flows.rows is null

),

{% for side in ['shares', 'flows'] %}
    {{ side }}_to_compare as materialized (

        select {{ side }}.*
        from {{ side }}
        inner join not_alike
            on
                {{ side }}.importer_iso3 = not_alike.importer_iso3
                and {{ side }}.mineral_group = not_alike.mineral_group
                and {{ side }}.year = not_alike.year
                and {{ side }}.measure = not_alike.measure

    ){% if not loop.last %},{% endif %}

{% endfor %}

select
    shares.*,
    flows.amount as amount_of_flow
from shares_to_compare as shares
left join flows_to_compare as flows
    on
        shares.importer_iso3 = flows.importer_iso3
        and shares.supplier_iso3 = flows.supplier_iso3
        and shares.year = flows.year
        and shares.measure = flows.measure
        and shares.mineral_group = flows.mineral_group
where
    flows.amount is null
    or abs(shares.amount - flows.amount) > 0.005
