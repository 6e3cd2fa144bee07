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
    where weight is not null

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
        by_weight.measure is null as has_weights
    from slices
    left join disagreeing_totals as by_weight
        on
            by_weight.measure = 'net_weight_kg'
            and {{ same_slice('slices', 'by_weight') }}
    anti join disagreeing_totals as by_value
        on
            by_value.measure = 'value_usd'
            and by_value.sum_of_parts > by_value.printed_total
            and {{ same_slice('slices', 'by_value') }}

),

-- What an economy declared comes from one source, with its re-exports.
chosen as (

    select
        whole_slices.*,
        case whole_slices.flow when 'import' then 'import' else 'export' end as side,
        {{ target_edition('whole_slices.year') }} as reconciled_revision
    from whole_slices
    inner join precedence on whole_slices.source = precedence.source
    qualify
        precedence.rank = min(precedence.rank) over (
            partition by
                whole_slices.reporter_iso3,
                whole_slices.flow = 'import',
                whole_slices.commodity_code,
                whole_slices.year
        )

),

-- A code is carried over if all of it is: the weights of its parts are known and make one.
carried as (

    select
        *,
        sum(weight) over (
            partition by hs6_code, hs_revision, target_hs_revision
        ) as weight_of_all
    from concordance

)

select
    chosen.source,
    chosen.reporter_iso3,
    chosen.flow,
    chosen.side,
    chosen.commodity_code,
    chosen.hs_revision,
    chosen.period_start,
    cast(chosen.year as integer) as year,
    chosen.has_weights,
    coalesce(carried.target_hs6_code, chosen.commodity_code) as hs6_code,
    coalesce(carried.target_hs_revision, chosen.hs_revision) as target_hs_revision,
    coalesce(carried.weight, 1.0) as code_weight
from chosen
left join carried
    on
        chosen.commodity_code = carried.hs6_code
        and chosen.hs_revision = carried.hs_revision
        and chosen.reconciled_revision = carried.target_hs_revision
        and abs(carried.weight_of_all - 1) <= 1e-9
