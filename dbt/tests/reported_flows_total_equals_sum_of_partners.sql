-- Where a publisher prints the total and the part without a partner, the parts are complete: they
-- add up to the total, within rounding of the ninth digit. A flow of an economy with itself is
-- printed separately, as a re-import, but is part of the total.
with flows as (

    select
        source,
        reporter_iso3,
        partner_iso3,
        commodity_code,
        frequency,
        period_start,
        value_usd,
        net_weight_kg
    from {{ ref('reported_flows') }}
    where flow = 'import' or (flow = 're_import' and partner_iso3 = reporter_iso3)

),

amounts as (

    select
        source,
        reporter_iso3,
        partner_iso3,
        commodity_code,
        frequency,
        period_start,
        'value_usd' as measure,
        value_usd as amount
    from flows
    union all
    select
        source,
        reporter_iso3,
        partner_iso3,
        commodity_code,
        frequency,
        period_start,
        'net_weight_kg' as measure,
        net_weight_kg as amount
    from flows

),

sums as (

    select
        source,
        reporter_iso3,
        commodity_code,
        frequency,
        period_start,
        measure,
        max(amount) filter (where partner_iso3 = 'WLD') as printed_total,
        sum(amount) filter (where partner_iso3 <> 'WLD') as sum_of_partners
    from amounts
    group by source, reporter_iso3, commodity_code, frequency, period_start, measure
    having
        count(*) = count(amount)
        and count(*) filter (where partner_iso3 = 'WLD') = 1
        and count(*) filter (where partner_iso3 = '_X') = 1

)

select
    source,
    reporter_iso3,
    commodity_code,
    frequency,
    period_start,
    measure,
    printed_total,
    sum_of_partners,
    sum_of_partners - printed_total as difference
from sums
where abs(sum_of_partners - printed_total) > 1e-9 * abs(printed_total)
