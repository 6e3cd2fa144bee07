with monthly_supplies as (

    select * from {{ ref('int_trade__list_monthly_supplies') }}
    where flow = 'export' and not is_basket

),

flows as (

    select * from {{ ref('int_trade__select_latest_flows') }}
    where flow = 'export' and frequency = 'A' and not is_basket

),

members as (

    select economy_iso3
    from {{ ref('economies') }}
    where is_eu27

),

exports as (

    select
        source,
        supplier_iso3 as implementer_iso3,
        importer_iso3,
        commodity_code,
        'M' as frequency,
        period_start,
        value_usd,
        net_weight_kg,
        snapshot_ids
    from monthly_supplies
    union all
    select
        source,
        reporter_iso3 as implementer_iso3,
        partner_iso3 as importer_iso3,
        commodity_code,
        frequency,
        period_start,
        value_usd,
        case when net_weight_kg > 0 or value_usd = 0 then net_weight_kg end as net_weight_kg,
        snapshot_ids
    from flows

),

-- Who exports to a member exports to the European Union.
of_members as (

    select exports.*
    from exports
    semi join members on exports.importer_iso3 = members.economy_iso3
    anti join members as insiders on exports.implementer_iso3 = insiders.economy_iso3

)

select * from exports
where importer_iso3 <> 'EU27'
union all by name
select
    source,
    implementer_iso3,
    'EU27' as importer_iso3,
    commodity_code,
    frequency,
    period_start,
    case when count(*) = count(value_usd) then {{ sum_in_order('value_usd') }} end as value_usd,
    case when count(*) = count(net_weight_kg) then {{ sum_in_order('net_weight_kg') }} end
        as net_weight_kg,
    {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
from of_members
group by source, implementer_iso3, commodity_code, frequency, period_start
