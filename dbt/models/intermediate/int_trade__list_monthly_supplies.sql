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
        snapshot_id
    from {{ ref('int_trade__select_latest_flows') }}
    where
        frequency = 'M'
        and flow in ('import', 'export')
        and reporter_iso3 <> partner_iso3

),

answered as (

    select * from {{ ref('stg_lake__coverage') }}
    where
        table_name = 'trade_flows'
        and frequency = 'M'
        and rows > 0

),

snapshots as (

    select * from {{ ref('snapshots') }}

),

-- Slices that are left out: nothing is known of their months.
disagreeing_totals as (

    select * from {{ ref('int_trade__list_disagreeing_totals') }}
    where measure = 'value_usd' and frequency = 'M'

),

-- The press gives single figures: what it does not mention may be anything.
press as (

    select source
    from {{ ref('seed_publishers') }}
    where is_press

),

-- The months that a publisher has published, by the documents that have them.
published as (

    select
        source,
        reporter_iso3,
        flow,
        period_start,
        snapshot_id,
        max(hs_revision) as hs_revision,
        bool_or(is_provisional) as is_provisional
    from (
        select * from flows
        union all by name
        select * from answered
    ) as slices
    where source not in (select press.source from press)
    group by source, reporter_iso3, flow, period_start, snapshot_id

),

commodities as (

    select
        flows.source,
        flows.reporter_iso3,
        flows.flow,
        flows.commodity_code,
        bool_or(flows.is_basket) as is_basket,
        min(flows.hs_revision) as first_revision,
        max(flows.hs_revision) as last_revision,
        list(distinct snapshots.document) as documents
    from flows
    inner join snapshots on flows.snapshot_id = snapshots.snapshot_id
    group by flows.source, flows.reporter_iso3, flows.flow, flows.commodity_code

),

-- A month of a document says something of the codes that were requested, or else of those that the
-- document has in any month; and nothing of a code in the time of an edition without it.
commodity_months as (

    select
        commodities.source,
        commodities.reporter_iso3,
        commodities.flow,
        commodities.commodity_code,
        commodities.is_basket,
        published.period_start,
        coalesce(bool_or(published.is_provisional), false) as is_provisional,
        {{ snapshots_of('published.snapshot_id') }} as snapshot_ids
    from commodities
    inner join published
        on
            commodities.source = published.source
            and commodities.reporter_iso3 = published.reporter_iso3
            and commodities.flow = published.flow
            and coalesce(
                published.hs_revision between commodities.first_revision
                and commodities.last_revision,
                true
            )
    inner join snapshots
        on
            published.snapshot_id = snapshots.snapshot_id
            and case
                when snapshots.commodity_codes is null
                    then list_contains(commodities.documents, snapshots.document)
                else list_contains(snapshots.commodity_codes, commodities.commodity_code)
            end
    anti join disagreeing_totals
        on
            commodities.source = disagreeing_totals.source
            and commodities.reporter_iso3 = disagreeing_totals.reporter_iso3
            and commodities.flow = disagreeing_totals.flow
            and commodities.commodity_code = disagreeing_totals.commodity_code
            and published.period_start = disagreeing_totals.period_start
    group by
        commodities.source,
        commodities.reporter_iso3,
        commodities.flow,
        commodities.commodity_code,
        commodities.is_basket,
        published.period_start

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
        [snapshot_id] as snapshot_ids
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
        coalesce(
            {{ snapshots_of('flows.snapshot_id') }},
            any_value(commodity_months.snapshot_ids)
        ) as snapshot_ids
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

zeros as (

    select
        pairs.source,
        pairs.flow,
        pairs.reporter_iso3,
        pairs.partner_iso3,
        pairs.commodity_code,
        commodity_months.is_basket,
        commodity_months.period_start,
        0 as value_usd,
        0 as net_weight_kg,
        true as is_true_zero,
        commodity_months.is_provisional,
        commodity_months.snapshot_ids
    from pairs
    inner join commodity_months
        on
            pairs.source = commodity_months.source
            and pairs.flow = commodity_months.flow
            and pairs.reporter_iso3 = commodity_months.reporter_iso3
            and pairs.commodity_code = commodity_months.commodity_code
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
    source,
    flow,
    case flow when 'import' then reporter_iso3 else partner_iso3 end as importer_iso3,
    case flow when 'import' then partner_iso3 else reporter_iso3 end as supplier_iso3,
    commodity_code,
    is_basket,
    period_start,
    cast(value_usd as double) as value_usd,
    cast(net_weight_kg as double) as net_weight_kg,
    is_true_zero,
    is_provisional,
    snapshot_ids
from months
