{# Read by what sums months and fills them with zeros, and by what exposures may rest on. #}
{{ config(materialized='table') }}

with flows as (

    select * from {{ ref('int_trade__select_latest_flows') }}
    where
        frequency = 'M'
        and flow in ('import', 'export')
        and reporter_iso3 <> partner_iso3

),

answered as (

    select * from {{ ref('stg_lake__coverage') }}
    where
        table_name in ('trade_flows', 'national_trade')
        and frequency = 'M'
        and rows > 0

),

snapshots as (

    select * from {{ source('runtime', 'trade_snapshots') }}

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

-- A basket of national codes was requested with the code that they are part of.
commodities as (

    select
        flows.source,
        flows.reporter_iso3,
        flows.flow,
        flows.commodity_code,
        bool_or(flows.is_basket) as is_basket,
        min(flows.hs_revision) as first_revision,
        max(flows.hs_revision) as last_revision,
        list(distinct snapshots.document) as documents,
        coalesce(any_value(baskets.hs6_code), flows.commodity_code) as requested_code
    from flows
    inner join snapshots on flows.snapshot_id = snapshots.snapshot_id
    left join {{ ref('seed_national_baskets') }} as baskets
        on flows.source = baskets.source and flows.commodity_code = baskets.mineral_group
    group by flows.source, flows.reporter_iso3, flows.flow, flows.commodity_code

)

-- A month of a document says something of the codes that were requested, or else of those that the
-- document has in any month; and nothing of a code in the time of an edition without it.
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
            else list_contains(snapshots.commodity_codes, commodities.requested_code)
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
