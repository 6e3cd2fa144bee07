with flows as (

    select * from {{ ref('stg_lake__trade_flows') }}
    where
        procedure_code is null
        and transport_code is null
        and second_partner_iso3 is null

),

baskets as (

    select * from {{ ref('seed_national_baskets') }}

),

snapshots as (

    select * from {{ source('runtime', 'trade_snapshots') }}

),

months as (

    select * from {{ ref('int_trade__sum_national_lines') }}

),

-- Months that the customs have published, of imports and of exports each, and the codes that were
-- asked for (null: all in scope). A code without lines in such a month was not traded.
answers as (

    select distinct
        months.source,
        months.reporter_iso3,
        months.flow = 'export' as is_export,
        months.period_start,
        snapshots.commodity_codes
    from months
    left join snapshots on months.snapshot_id = snapshots.snapshot_id

),

-- A code of which the edition changes within a year has no sum of it, for no partner.
traded_codes as (

    select
        source,
        reporter_iso3,
        flow = 'export' as is_export,
        hs6_code,
        year(period_start) as year
    from months
    group by source, reporter_iso3, flow = 'export', hs6_code, year(period_start)
    having count(distinct hs_revision) <= 1

),

-- A year is known once all of its months are published.
whole_years as (

    select
        traded_codes.source,
        traded_codes.reporter_iso3,
        traded_codes.is_export,
        traded_codes.hs6_code,
        traded_codes.year
    from traded_codes
    inner join answers
        on
            traded_codes.source = answers.source
            and traded_codes.reporter_iso3 = answers.reporter_iso3
            and traded_codes.is_export = answers.is_export
            and traded_codes.year = year(answers.period_start)
            and coalesce(list_contains(answers.commodity_codes, traded_codes.hs6_code), true)
    group by
        traded_codes.source,
        traded_codes.reporter_iso3,
        traded_codes.is_export,
        traded_codes.hs6_code,
        traded_codes.year
    having count(distinct answers.period_start) = 12

),

years as (

    select
        months.source,
        months.reporter_iso3,
        months.partner_iso3,
        months.flow,
        months.commodity_code,
        months.is_basket,
        any_value(months.hs_revision) as hs_revision,
        'A' as frequency,
        true as is_sum_of_months,
        make_date(whole_years.year, 1, 1) as period_start,
        case when count(months.value_usd) = count(*) then sum(months.value_usd) end as value_usd,
        case when count(months.net_weight_kg) = count(*) then sum(months.net_weight_kg) end
            as net_weight_kg,
        any_value(months.valuation) as valuation,
        bool_or(months.is_provisional) as is_provisional,
        max(months.vintage_at) as vintage_at,
        max(months.snapshot_id) as snapshot_id,
        {{ union_of_snapshots('months.snapshot_ids') }} as snapshot_ids,
        sum(months.value_unit_usd) as value_unit_usd
    from months
    inner join whole_years
        on
            months.source = whole_years.source
            and months.reporter_iso3 = whole_years.reporter_iso3
            and (months.flow = 'export') = whole_years.is_export
            and months.hs6_code = whole_years.hs6_code
            and year(months.period_start) = whole_years.year
    group by
        months.source,
        months.reporter_iso3,
        months.partner_iso3,
        months.flow,
        months.commodity_code,
        months.is_basket,
        whole_years.year

),

-- What was bundled of a month and a code for which the customs themselves have been asked since.
replaced as (

    select distinct
        flows.source,
        flows.reporter_iso3,
        flows.flow,
        flows.commodity_code,
        flows.frequency,
        flows.period_start
    from flows
    left join baskets
        on flows.source = baskets.source and flows.commodity_code = baskets.mineral_group
    inner join answers
        on
            flows.source = answers.source
            and flows.reporter_iso3 = answers.reporter_iso3
            and (flows.flow in ('export', 're_export')) = answers.is_export
            and flows.frequency = 'M'
            and flows.period_start = answers.period_start
            and coalesce(
                list_contains(
                    answers.commodity_codes, coalesce(baskets.hs6_code, flows.commodity_code)
                ),
                true
            )

),

not_replaced as (

    select
        flows.*,
        false as is_sum_of_months,
        [flows.snapshot_id] as snapshot_ids
    from flows
    anti join replaced
        on {{ same_slice('flows', 'replaced') }}

),

united as (

    select * from not_replaced
    union all by name
    select * from months
    union all by name
    select * from years

)

select
    source,
    reporter_iso3,
    partner_iso3,
    flow,
    commodity_code,
    is_basket,
    hs_revision,
    frequency,
    period_start,
    value_usd,
    net_weight_kg,
    valuation,
    is_sum_of_months,
    is_provisional,
    vintage_at,
    snapshot_id,
    snapshot_ids,
    value_unit_usd
from united
