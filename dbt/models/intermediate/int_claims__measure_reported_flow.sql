with claims as (

    select
        claim_id,
        case flow when 'export' then supplier_iso3 else importer_iso3 end as reporter_iso3,
        case flow when 'export' then importer_iso3 else supplier_iso3 end as partner_iso3,
        flow,
        commodity_code,
        frequency,
        period_start
    from {{ ref('stg_lake__claims') }}
    where test = 'reported_flow'

),

press as (

    select source
    from {{ ref('seed_publishers') }}
    where is_press

),

-- Claims of flows are made of what the press reports: its figures do not confirm themselves.
flows as (

    select
        flows.source,
        flows.reporter_iso3,
        flows.partner_iso3,
        flows.flow,
        flows.commodity_code,
        flows.frequency,
        flows.period_start,
        flows.net_weight_kg,
        flows.snapshot_id
    from {{ ref('int_trade__select_latest_flows') }} as flows
    left join press on flows.source = press.source
    where
        flows.net_weight_kg is not null
        and press.source is null

),

-- How far the figures at hand reach: of the same code, and of all that the reporter declares.
latest_of_code as (

    select
        reporter_iso3,
        flow,
        commodity_code,
        frequency,
        max(period_start) as latest_period
    from flows
    group by reporter_iso3, flow, commodity_code, frequency

),

latest_of_any as (

    select
        reporter_iso3,
        flow,
        frequency,
        max(latest_period) as latest_period
    from latest_of_code
    group by reporter_iso3, flow, frequency

),

evidence as (

    select
        claims.claim_id,
        coalesce(flows.source, 'none') as basis,
        flows.net_weight_kg / 1000 as value,
        't' as unit,
        {{ as_period('claims.period_start', 'claims.frequency') }} as period,
        flows.source,
        case when flows.snapshot_id is not null then [flows.snapshot_id] end as snapshot_ids,
        claims.commodity_code as subject,
        claims.reporter_iso3,
        nullif(claims.partner_iso3, 'WLD') as partner_iso3,
        claims.flow,
        claims.frequency,
        {{ as_period('latest_of_code.latest_period', 'claims.frequency') }} as latest_of_code,
        {{ as_period('latest_of_any.latest_period', 'claims.frequency') }} as latest_of_any
    from claims
    left join flows
        on
            claims.reporter_iso3 = flows.reporter_iso3
            and claims.partner_iso3 = flows.partner_iso3
            and claims.flow = flows.flow
            and claims.commodity_code = flows.commodity_code
            and claims.frequency = flows.frequency
            and claims.period_start = flows.period_start
    left join latest_of_code
        on
            claims.reporter_iso3 = latest_of_code.reporter_iso3
            and claims.flow = latest_of_code.flow
            and claims.commodity_code = latest_of_code.commodity_code
            and claims.frequency = latest_of_code.frequency
    left join latest_of_any
        on
            claims.reporter_iso3 = latest_of_any.reporter_iso3
            and claims.flow = latest_of_any.flow
            and claims.frequency = latest_of_any.frequency

)

select * from evidence
