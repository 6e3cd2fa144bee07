{# Every declared flow is looked up here: a table's size is known, so that the join looks up these
   few rows and not the flows. #}
{{ config(materialized='table') }}

with flows as (

    select * from {{ ref('int_trade__unite_flows') }}
    where
        frequency = 'A'
        and not is_basket
        and flow in ('import', 'export', 're_export')

),

precedence as (

    select * from {{ ref('seed_source_precedence') }}
    where purpose = 'trade' and not is_cut_list

),

disagreeing_totals as (

    select * from {{ ref('int_trade__list_disagreeing_totals') }}

),

concordance as (

    select * from {{ ref('code_concordance') }}

),

slices as (

    select
        source,
        reporter_iso3,
        flow,
        commodity_code,
        hs_revision,
        frequency,
        period_start,
        year(period_start) as year
    from flows
    group by source, reporter_iso3, flow, commodity_code, hs_revision, frequency, period_start

),

-- Parts that exceed their total are wrong. Parts that fall short of it are those that are known.
whole_slices as (

    select
        slices.*,
        by_weight.measure is null as has_weights,
        by_value.measure is null as agrees_with_total
    from slices
    left join disagreeing_totals as by_weight
        on
            by_weight.measure = 'net_weight_kg'
            and {{ same_slice('slices', 'by_weight') }}
    left join disagreeing_totals as by_value
        on
            by_value.measure = 'value_usd'
            and {{ same_slice('slices', 'by_value') }}
    where not coalesce(by_value.sum_of_parts > by_value.printed_total, false)

),

-- A code is carried over if all of it is: the weights of all its parts are known and make one.
carried as (

    select * from concordance
    window parts as (partition by hs6_code, hs_revision, target_hs_revision)
    qualify
        bool_and(weight is not null) over parts
        and abs(sum(weight) over parts - 1) <= 1e-9

),

converted as (

    select
        slices.source,
        slices.reporter_iso3,
        slices.flow,
        case slices.flow when 'import' then 'import' else 'export' end as side,
        slices.commodity_code,
        slices.hs_revision,
        slices.period_start,
        cast(slices.year as integer) as year,
        slices.has_weights,
        slices.agrees_with_total,
        coalesce(carried.target_hs6_code, slices.commodity_code) as hs6_code,
        coalesce(carried.target_hs_revision, slices.hs_revision) as target_hs_revision,
        coalesce(carried.weight, 1.0) as code_weight
    from whole_slices as slices
    left join carried
        on
            slices.commodity_code = carried.hs6_code
            and slices.hs_revision = carried.hs_revision
            and {{ target_edition('slices.year') }} = carried.target_hs_revision

)

-- What an economy declared of a code comes from one source, with its re-exports.
select converted.*
from converted
inner join precedence on converted.source = precedence.source
qualify
    precedence.rank = min(precedence.rank) over (
        partition by
            converted.reporter_iso3, converted.side, converted.hs6_code, converted.year
    )
