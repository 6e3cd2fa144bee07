with claims as (

    select
        claim_id,
        importer_iso3,
        supplier_iso3,
        case flow when 'export' then supplier_iso3 else importer_iso3 end as reporter_iso3,
        case flow when 'export' then importer_iso3 else supplier_iso3 end as partner_iso3,
        flow,
        commodity_code,
        frequency,
        period_start
    from {{ ref('stg_lake__claims') }}
    where test = 'reported_flow'

),

flows as (

    select
        source,
        reporter_iso3,
        partner_iso3,
        flow,
        commodity_code,
        frequency,
        period_start,
        net_weight_kg
    from {{ ref('int_trade__select_latest_flows') }}
    where
        net_weight_kg is not null
        -- What the press reports is what such claims say: it does not confirm itself.
        and source <> 'china_customs_reported'

),

economies as (

    select
        economy_iso3,
        name
    from {{ ref('economies') }}

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

matched as (

    select
        claims.claim_id,
        claims.flow,
        claims.frequency,
        claims.period_start,
        latest_of_code.latest_period as latest_of_code,
        latest_of_any.latest_period as latest_of_any,
        flows.source,
        flows.net_weight_kg / 1000 as amount_t,
        coalesce(reporters.name, claims.reporter_iso3)
        || '''s '
        || claims.flow
        || 's of '
        || case
            when claims.commodity_code similar to '[0-9]+'
                then 'customs code ' || claims.commodity_code
            else {{ subject_name('claims.commodity_code') }}
        end
        || case
            when claims.partner_iso3 = 'WLD' then ''
            else
                case claims.flow when 'export' then ' to ' else ' from ' end
                || coalesce({{ with_article('partners.name') }}, claims.partner_iso3)
        end
        || ' in '
        || {{ as_period('claims.period_start', 'claims.frequency') }} as subject
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
    left join economies as reporters on claims.reporter_iso3 = reporters.economy_iso3
    left join economies as partners on claims.partner_iso3 = partners.economy_iso3

),

evidence as (

    select
        claim_id,
        coalesce(source, 'none') as basis,
        amount_t as computed_value,
        subject
        || case
            when source is not null
                then
                    ' ('
                    || {{ as_tonnes('amount_t') }}
                    || ' by '
                    || {{ publisher_name('source') }}
                    || ')'
            when latest_of_code is not null
                then
                    ' (the latest '
                    || {{ period_name('frequency') }}
                    || ' of such '
                    || flow
                    || 's in the warehouse is '
                    || {{ as_period('latest_of_code', 'frequency') }}
                    || ')'
            when latest_of_any is not null
                then
                    ' (no '
                    || {{ period_name('frequency') }}
                    || ' of this code is in the warehouse yet, its other '
                    || flow
                    || 's are there up to '
                    || {{ as_period('latest_of_any', 'frequency') }}
                    || ')'
            else
                ' (no '
                || {{ period_name('frequency') }}
                || ' of such '
                || flow
                || 's is in the warehouse yet)'
        end as finding
    from matched

)

select * from evidence
