with supplies as (

    select * from {{ ref('int_trade__list_monthly_supplies') }}
    where flow = 'export'

),

members as (

    select economy_iso3
    from {{ ref('economies') }}
    where is_eu27

),

-- Months that the exporter publishes by importer: of a list of some of them the members are no sum.
whole_months as (

    select
        source,
        supplier_iso3,
        commodity_code,
        period_start
    from supplies
    group by source, supplier_iso3, commodity_code, period_start
    having {{ is_mostly_weighed(
        "coalesce(sum(value_usd) filter (where importer_iso3 not in ('WLD', 'EU27')), 0)",
        "max(value_usd) filter (where importer_iso3 = 'WLD')",
    ) }}

),

of_members as (

    select supplies.*
    from supplies
    semi join members on supplies.importer_iso3 = members.economy_iso3
    anti join members as insiders on supplies.supplier_iso3 = insiders.economy_iso3
    semi join whole_months
        on
            supplies.source = whole_months.source
            and supplies.supplier_iso3 = whole_months.supplier_iso3
            and supplies.commodity_code = whole_months.commodity_code
            and supplies.period_start = whole_months.period_start

)

select
    source,
    flow,
    'EU27' as importer_iso3,
    supplier_iso3,
    commodity_code,
    is_basket,
    period_start,
    case when count(*) = count(value_usd) then {{ sum_in_order('value_usd') }} end as value_usd,
    case when count(*) = count(net_weight_kg) then {{ sum_in_order('net_weight_kg') }} end
        as net_weight_kg,
    any_value(era) as era,
    bool_and(is_true_zero) as is_true_zero,
    bool_or(is_provisional) as is_provisional,
    {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
from of_members
group by source, flow, supplier_iso3, commodity_code, is_basket, period_start
