with flows as (

    select * from {{ ref('reported_flows') }}
    where flow in ('import', 're_import', 'export')

),

-- Bundled months for which the customs themselves have been asked since.
bundled as (

    select * from {{ ref('stg_lake__trade_flows') }}
    where
        frequency = 'M'
        and procedure_code is null
        and transport_code is null
        and second_partner_iso3 is null
        and source in (select lines.source from {{ ref('stg_lake__national_trade') }} as lines)

),

reports as (

    select
        *,
        false as is_overtaken
    from flows
    union all by name
    select
        *,
        [snapshot_id] as snapshot_ids,
        true as is_overtaken
    from bundled
    where flow in ('import', 're_import', 'export')

),

codes_of_groups as (

    select distinct
        mineral_group,
        hs6_code
    from {{ ref('seed_mineral_group_codes') }}

),

-- An economy that returns what it exported counts it among its imports where it prints a total.
by_commodity as (

    select
        source,
        is_overtaken,
        reporter_iso3,
        case when flow = 'export' then 'export' else 'import' end as flow,
        commodity_code,
        is_basket,
        frequency,
        period_start,
        {% for measure in ['value_usd', 'net_weight_kg'] %}
            coalesce(
                max({{ measure }}) filter (where partner_iso3 = 'WLD'),
                case
                    when count({{ measure }}) = count(*) then sum({{ measure }})
                end
            ) as {{ measure }},
            {{ last_printed_unit(measure) }} as unit_{{ measure }},
        {% endfor %}
        count(*) as parts,
        false as is_sum_of_codes,
        max(valuation) as valuation,
        {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
    from reports
    group by
        source,
        is_overtaken,
        reporter_iso3,
        case when flow = 'export' then 'export' else 'import' end,
        commodity_code,
        is_basket,
        frequency,
        period_start

),

-- What one source prints as a basket, another declares by its codes: all of them.
by_group as (

    select
        by_commodity.source,
        by_commodity.is_overtaken,
        by_commodity.reporter_iso3,
        by_commodity.flow,
        codes_of_groups.mineral_group as commodity_code,
        true as is_basket,
        by_commodity.frequency,
        by_commodity.period_start,
        {% for measure in ['value_usd', 'net_weight_kg'] %}
            case
                when count(by_commodity.{{ measure }}) = count(*)
                    then sum(by_commodity.{{ measure }})
            end as {{ measure }},
            min(by_commodity.unit_{{ measure }}) as unit_{{ measure }},
        {% endfor %}
        sum(by_commodity.parts) as parts,
        true as is_sum_of_codes,
        max(by_commodity.valuation) as valuation,
        {{ union_of_snapshots('by_commodity.snapshot_ids') }} as snapshot_ids
    from by_commodity
    inner join codes_of_groups
        on by_commodity.commodity_code = codes_of_groups.hs6_code and not by_commodity.is_basket
    group by
        by_commodity.source,
        by_commodity.is_overtaken,
        by_commodity.reporter_iso3,
        by_commodity.flow,
        codes_of_groups.mineral_group,
        by_commodity.frequency,
        by_commodity.period_start
    having
        count(*) = (
            select count(*) from codes_of_groups as of_group
            where of_group.mineral_group = codes_of_groups.mineral_group
        )

),

totals as (

    select * from by_commodity
    union all by name
    select by_group.* from by_group
    anti join by_commodity
        on
            by_group.source = by_commodity.source
            and by_group.is_overtaken = by_commodity.is_overtaken
            and by_group.reporter_iso3 = by_commodity.reporter_iso3
            and by_group.flow = by_commodity.flow
            and by_group.commodity_code = by_commodity.commodity_code
            and by_group.frequency = by_commodity.frequency
            and by_group.period_start = by_commodity.period_start

),

by_measure as (

    {% for measure in ['value_usd', 'net_weight_kg'] %}
        select
            *,
            '{{ measure }}' as measure,
            {{ measure }} as amount,
            unit_{{ measure }} as unit
        from totals
        where {{ measure }} is not null
        {% if not loop.last %}union all by name{% endif %}
    {% endfor %}

),

pairs as (

    select
        ones.reporter_iso3,
        ones.flow,
        ones.commodity_code,
        ones.is_basket,
        ones.frequency,
        ones.period_start,
        ones.measure,
        ones.source,
        others.source as other_source,
        ones.amount,
        others.amount as other_amount,
        greatest(ones.parts, others.parts) as parts,
        greatest(ones.unit, others.unit) as unit,
        {{ snapshots_together(['ones.snapshot_ids', 'others.snapshot_ids']) }} as snapshot_ids
    from by_measure as ones
    inner join by_measure as others
        on
            ones.reporter_iso3 = others.reporter_iso3
            and ones.flow = others.flow
            and ones.commodity_code = others.commodity_code
            and ones.is_basket = others.is_basket
            and ones.frequency = others.frequency
            and ones.period_start = others.period_start
            and ones.measure = others.measure
            -- What both declare by codes is compared by codes.
            and not (ones.is_sum_of_codes and others.is_sum_of_codes)
            -- Values with and without freight differ by it.
            and (
                ones.measure <> 'value_usd' or coalesce(ones.valuation = others.valuation, true)
            )
            and not ones.is_overtaken
            and (
                ones.source < others.source and not others.is_overtaken
                or ones.source = others.source and others.is_overtaken
            )

)

select
    reporter_iso3,
    flow,
    commodity_code,
    is_basket,
    frequency,
    period_start,
    measure,
    source,
    other_source,
    cast(amount as double) as amount,
    cast(other_amount as double) as other_amount,
    cast(case when other_amount > 0 then amount / other_amount - 1 end as double)
        as difference_share,
    snapshot_ids
from pairs
where
    abs(amount - other_amount) > case measure
        -- Each source converts into dollars at rates of its own.
        when 'value_usd' then 0.005 * greatest(amount, other_amount)
        else {{ largest_rounding('other_amount', 'parts', 'unit', 'measure') }}
    end
