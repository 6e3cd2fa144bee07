{# Read by all that is asked of minerals, several times: as a table each flow is doubled once. Of
   all products it has the flows of 129 codes, not of 5,400. #}
{{ config(materialized='table') }}

with codes as (

    select distinct hs6_code
    from {{ ref('seed_commodities') }}

),

estimates as (

    select reconciled_trade.*
    from {{ ref('stg_lake__reconciled_trade') }} as reconciled_trade
    semi join codes on reconciled_trade.hs6_code = codes.hs6_code
    where
        reconciled_trade.source = 'baci'
        and reconciled_trade.exporter_iso3 <> reconciled_trade.importer_iso3

),

latest_slices as (

    select * from {{ ref('int_trade__choose_reconciled_slices') }}
    where source = 'baci'

),

economies as (

    select * from {{ ref('economies') }}

),

flows as (

    select
        estimates.source,
        estimates.exporter_iso3,
        estimates.importer_iso3,
        estimates.hs6_code,
        estimates.hs_revision,
        estimates.hs_revision = latest_slices.hs_revision as is_latest_edition,
        cast(extract(year from estimates.period_start) as integer) as year,
        estimates.value_usd,
        estimates.net_weight_kg,
        [estimates.snapshot_id] as snapshot_ids
    from estimates
    inner join latest_slices
        on
            estimates.hs6_code = latest_slices.hs6_code
            and estimates.period_start = latest_slices.period_start

),

members as (

    select economy_iso3
    from economies
    where is_eu27

),

sides as (

    select
        *,
        'import' as flow,
        importer_iso3 as economy_iso3,
        exporter_iso3 as partner_iso3
    from flows
    union all
    select
        *,
        'export' as flow,
        exporter_iso3 as economy_iso3,
        importer_iso3 as partner_iso3
    from flows

),

sides_of_members as (

    select
        sides.*,
        partners.economy_iso3 is not null as is_within
    from sides
    inner join members on sides.economy_iso3 = members.economy_iso3
    left join members as partners on sides.partner_iso3 = partners.economy_iso3

),

sides_of_union as (

    select
        source,
        'EU27' as economy_iso3,
        flow,
        case when is_within then 'EU27' else partner_iso3 end as partner_iso3,
        hs6_code,
        hs_revision,
        is_latest_edition,
        year,
        {{ sum_in_order('value_usd') }} as value_usd,
        {{ sum_in_order('net_weight_kg') }} as net_weight_kg,
        {{ sum_in_order('value_usd') }} filter (where net_weight_kg is not null)
            as weighed_value_usd,
        {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
    from sides_of_members
    group by all

)

select
    source,
    economy_iso3,
    flow,
    partner_iso3,
    hs6_code,
    hs_revision,
    is_latest_edition,
    year,
    value_usd,
    net_weight_kg,
    case when net_weight_kg is not null then value_usd else 0 end as weighed_value_usd,
    snapshot_ids
from sides
union all
select
    source,
    economy_iso3,
    flow,
    partner_iso3,
    hs6_code,
    hs_revision,
    is_latest_edition,
    year,
    value_usd,
    net_weight_kg,
    coalesce(weighed_value_usd, 0) as weighed_value_usd,
    snapshot_ids
from sides_of_union
