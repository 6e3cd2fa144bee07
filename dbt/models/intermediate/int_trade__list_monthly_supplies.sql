{# Read by all that compares months. #}
{{ config(materialized='table') }}

with flows as (

    select
        source,
        flow,
        reporter_iso3,
        partner_iso3,
        commodity_code,
        is_basket,
        hs_revision,
        period_start,
        value_usd,
        -- No goods of a value weigh nothing.
        case when net_weight_kg > 0 or coalesce(value_usd, 0) = 0 then net_weight_kg end
            as net_weight_kg,
        is_provisional,
        snapshot_ids
    from {{ ref('int_trade__select_latest_flows') }}
    where
        frequency = 'M'
        and flow in ('import', 'export')
        and reporter_iso3 <> partner_iso3

),

commodity_months as (

    select * from {{ ref('int_trade__list_commodity_months') }}

),

eras as (

    select * from {{ ref('int_trade__number_eras') }}

),

printed as (

    select
        source,
        flow,
        reporter_iso3,
        partner_iso3,
        commodity_code,
        is_basket,
        period_start,
        value_usd,
        net_weight_kg,
        coalesce(net_weight_kg = 0 and coalesce(value_usd, 0) = 0, false) as is_true_zero,
        is_provisional,
        snapshot_ids
    from flows
    where partner_iso3 <> '_X'

),

-- The partners of a month together, also those that are not published by name. A sum without a
-- part of it would be too small.
summed as (

    select
        commodity_months.source,
        commodity_months.flow,
        commodity_months.reporter_iso3,
        'WLD' as partner_iso3,
        commodity_months.commodity_code,
        commodity_months.is_basket,
        commodity_months.period_start,
        case
            when count(flows.partner_iso3) = count(flows.value_usd)
                then coalesce(sum(flows.value_usd), 0)
        end as value_usd,
        case
            when count(flows.partner_iso3) = count(flows.net_weight_kg)
                then coalesce(sum(flows.net_weight_kg), 0)
        end as net_weight_kg,
        count(flows.partner_iso3) = 0 as is_true_zero,
        coalesce(bool_or(flows.is_provisional), any_value(commodity_months.is_provisional))
            as is_provisional,
        case
            when count(flows.partner_iso3) > 0
                then {{ union_of_snapshots('flows.snapshot_ids') }}
            else any_value(commodity_months.snapshot_ids)
        end as snapshot_ids
    from commodity_months
    left join flows
        on
            commodity_months.source = flows.source
            and commodity_months.flow = flows.flow
            and commodity_months.reporter_iso3 = flows.reporter_iso3
            and commodity_months.commodity_code = flows.commodity_code
            and commodity_months.period_start = flows.period_start
    group by
        commodity_months.source,
        commodity_months.flow,
        commodity_months.reporter_iso3,
        commodity_months.commodity_code,
        commodity_months.is_basket,
        commodity_months.period_start
    having count(*) filter (where flows.partner_iso3 = 'WLD') = 0

),

pairs as (

    select distinct
        source,
        flow,
        reporter_iso3,
        partner_iso3,
        commodity_code
    from flows
    where partner_iso3 not in ('WLD', '_X')

),

-- Months of which a part is not published by partner: any partner may be in it.
unpublished as (

    select distinct
        source,
        flow,
        reporter_iso3,
        commodity_code,
        period_start
    from flows
    where partner_iso3 = '_X' and value_usd is distinct from 0

),

zeros as (

    select
        pairs.source,
        pairs.flow,
        pairs.reporter_iso3,
        pairs.partner_iso3,
        pairs.commodity_code,
        commodity_months.is_basket,
        commodity_months.period_start,
        case when unpublished.source is null then 0 end as value_usd,
        case when unpublished.source is null then 0 end as net_weight_kg,
        unpublished.source is null as is_true_zero,
        commodity_months.is_provisional,
        commodity_months.snapshot_ids
    from pairs
    inner join commodity_months
        on
            pairs.source = commodity_months.source
            and pairs.flow = commodity_months.flow
            and pairs.reporter_iso3 = commodity_months.reporter_iso3
            and pairs.commodity_code = commodity_months.commodity_code
    left join unpublished
        on
            commodity_months.source = unpublished.source
            and commodity_months.flow = unpublished.flow
            and commodity_months.reporter_iso3 = unpublished.reporter_iso3
            and commodity_months.commodity_code = unpublished.commodity_code
            and commodity_months.period_start = unpublished.period_start
    anti join flows
        on
            pairs.source = flows.source
            and pairs.flow = flows.flow
            and pairs.reporter_iso3 = flows.reporter_iso3
            and pairs.partner_iso3 = flows.partner_iso3
            and pairs.commodity_code = flows.commodity_code
            and commodity_months.period_start = flows.period_start

),

months as (

    select * from printed
    union all by name
    select * from summed
    union all by name
    select * from zeros

)

select
    months.source,
    months.flow,
    case months.flow when 'import' then months.reporter_iso3 else months.partner_iso3 end
        as importer_iso3,
    case months.flow when 'import' then months.partner_iso3 else months.reporter_iso3 end
        as supplier_iso3,
    months.commodity_code,
    months.is_basket,
    months.period_start,
    cast(months.value_usd as double) as value_usd,
    cast(months.net_weight_kg as double) as net_weight_kg,
    -- A code without breaks is of the same goods throughout.
    coalesce(eras.era, 0) as era,
    months.is_true_zero,
    months.is_provisional,
    months.snapshot_ids
from months
left join eras
    on
        months.source = eras.source
        and months.flow = eras.flow
        and months.reporter_iso3 = eras.reporter_iso3
        and months.commodity_code = eras.commodity_code
        and months.period_start = eras.period_start
