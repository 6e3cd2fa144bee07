{# Imports and exports of the windows are both completed from it: computed once, as a table. #}
{{ config(materialized='table') }}

with windows as (

    select distinct
        commodity_code,
        is_basket,
        frequency,
        baseline_from,
        baseline_to
    from {{ ref('int_exposure__list_windows') }}

),

flows as (

    select * from {{ ref('int_trade__select_latest_flows') }}
    where flow in ('import', 'export')

),

commodity_months as (

    select * from {{ ref('int_trade__list_commodity_months') }}

),

answered as (

    select * from {{ ref('stg_lake__coverage') }}
    where
        table_name in ('trade_flows', 'national_trade')
        and flow in ('import', 'export')
        and rows > 0

),

snapshots as (

    select * from {{ source('runtime', 'trade_snapshots') }}

),

commodities as (

    select
        hs6_code,
        min(hs_revision) as first_revision,
        max(hs_revision) as last_revision
    from {{ ref('commodities') }}
    group by hs6_code

),

-- Slices that are left out, since their values do not add up: nothing is known of them.
disagreeing_totals as (

    select * from {{ ref('int_trade__list_disagreeing_totals') }}
    where measure = 'value_usd'

),

press as (

    select source
    from {{ ref('seed_publishers') }}
    where is_press

),

-- Years, and the months of every window: a year may be known by its months.
periods as (

    select
        commodity_code,
        is_basket,
        'A' as frequency,
        baseline_from as period_start
    from windows
    where frequency = 'A'
    union distinct
    select
        commodity_code,
        is_basket,
        'M' as frequency,
        cast(
            unnest(generate_series(baseline_from, baseline_to, interval 1 month)) as date
        ) as period_start
    from windows

),

-- The slices that a publisher has published, by the snapshots that have them.
published as (

    select
        source,
        reporter_iso3,
        flow,
        frequency,
        period_start,
        snapshot_id,
        max(hs_revision) as hs_revision
    from (
        select * from flows
        union all by name
        select * from answered
    ) as slices
    where
        source not in (select press.source from press)
        and period_start in (select periods.period_start from periods)
    group by source, reporter_iso3, flow, frequency, period_start, snapshot_id

),

-- Codes that were requested, in the time of an edition that has them; a basket of national codes
-- with the code that they are part of.
requested as (

    select
        published.source,
        published.reporter_iso3,
        published.flow,
        published.frequency,
        published.period_start,
        periods.commodity_code,
        periods.is_basket
    from published
    inner join snapshots
        on published.snapshot_id = snapshots.snapshot_id
    inner join periods
        on
            published.frequency = periods.frequency
            and published.period_start = periods.period_start
    left join {{ ref('seed_national_baskets') }} as baskets
        on
            published.source = baskets.source
            and periods.commodity_code = baskets.mineral_group
            and periods.is_basket
    inner join commodities
        on
            case when periods.is_basket then baskets.hs6_code else periods.commodity_code end
            = commodities.hs6_code
            and list_contains(snapshots.commodity_codes, commodities.hs6_code)
            and coalesce(
                published.hs_revision
                between commodities.first_revision and commodities.last_revision,
                true
            )

),

-- What a document has of any reporter, in the editions in which it has it.
codes_of_documents as (

    select
        flows.source,
        flows.flow,
        snapshots.document,
        flows.commodity_code,
        flows.is_basket,
        min(flows.hs_revision) as first_revision,
        max(flows.hs_revision) as last_revision
    from flows
    inner join snapshots on flows.snapshot_id = snapshots.snapshot_id
    where flows.frequency = 'A' and snapshots.commodity_codes is null
    group by
        flows.source, flows.flow, snapshots.document, flows.commodity_code, flows.is_basket

),

covered_years as (

    select
        published.source,
        published.reporter_iso3,
        published.flow,
        published.frequency,
        published.period_start,
        listed.commodity_code,
        listed.is_basket
    from published
    inner join snapshots on published.snapshot_id = snapshots.snapshot_id
    inner join codes_of_documents as listed
        on
            published.source = listed.source
            and published.flow = listed.flow
            and snapshots.document = listed.document
            and coalesce(
                published.hs_revision between listed.first_revision and listed.last_revision, true
            )
    where published.frequency = 'A'

),

covered_months as (

    select
        source,
        reporter_iso3,
        flow,
        'M' as frequency,
        period_start,
        commodity_code,
        is_basket
    from commodity_months

),

covered as (

    select * from requested
    union distinct by name
    select * from covered_years
    union distinct by name
    select * from covered_months

)

select
    covered.source,
    covered.reporter_iso3,
    covered.flow,
    covered.frequency,
    covered.period_start,
    covered.commodity_code,
    covered.is_basket
from covered
inner join periods
    on
        covered.frequency = periods.frequency
        and covered.period_start = periods.period_start
        and covered.commodity_code = periods.commodity_code
        and covered.is_basket = periods.is_basket
anti join disagreeing_totals
    on
        {{ same_slice('covered', 'disagreeing_totals') }}
