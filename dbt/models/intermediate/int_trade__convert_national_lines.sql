-- What comes from the economy itself is a re-import.
with lines as (

    select
        * replace (
            case
                when flow = 'import' and partner_iso3 = reporter_iso3 then 're_import'
                else flow
            end as flow
        )
    from {{ ref('stg_lake__national_trade') }}

),

quotes as (

    select * from {{ ref('int_market__adjust_quotes') }}
    where
        source = 'ecb'
        and frequency = 'D'
        and instrument = 'EUR' || currency
        and close > 0

),

months_of_rates as (

    select
        currency,
        date_trunc('month', price_date) as period_start,
        avg(close order by price_date) as units_per_euro,
        count(*) as days,
        {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
    from quotes
    group by currency, date_trunc('month', price_date)

),

last_days as (

    select
        currency,
        max(price_date) as last_date
    from quotes
    group by currency

),

-- A month is complete once a later day has a rate.
complete_months as (

    select months_of_rates.*
    from months_of_rates
    inner join last_days on months_of_rates.currency = last_days.currency
    where last_days.last_date >= months_of_rates.period_start + interval 1 month

),

dollars as (

    select * from complete_months
    where currency = 'USD'

),

euros as (

    select
        'EUR' as currency,
        period_start,
        units_per_euro as usd_per_unit,
        snapshot_ids
    from dollars

),

others as (

    select
        complete_months.currency,
        complete_months.period_start,
        dollars.units_per_euro / complete_months.units_per_euro as usd_per_unit,
        {{ snapshots_together(['dollars.snapshot_ids', 'complete_months.snapshot_ids']) }}
            as snapshot_ids
    from complete_months
    inner join dollars
        on
            complete_months.period_start = dollars.period_start
            -- A day without a rate of one of the two would be in one mean only.
            and complete_months.days = dollars.days
    where complete_months.currency <> 'USD'

),

rates as (

    select * from euros
    union all by name
    select * from others

),

-- Several codes of a publisher may be one economy: a sum with a missing part is missing.
summed as (

    select
        source,
        reporter_iso3,
        partner_iso3,
        flow,
        national_code,
        hs6_code,
        hs_revision,
        period_start,
        currency,
        any_value(valuation) as valuation,
        {% for amount in ['value', 'freight', 'insurance'] %}
            case when count({{ amount }}_local) = count(*) then sum({{ amount }}_local) end
                as {{ amount }}_local,
        {% endfor %}
        case
            when count(quantity) = count(*) and count(distinct quantity_unit) = 1
                then sum(quantity)
        end as quantity,
        case when count(distinct quantity_unit) = 1 then any_value(quantity_unit) end
            as quantity_unit,
        case when count(net_weight_kg) = count(*) then sum(net_weight_kg) end as net_weight_kg,
        bool_or(is_provisional) as is_provisional,
        max(vintage_at) as vintage_at,
        max(snapshot_id) as snapshot_id
    from lines
    group by
        source,
        reporter_iso3,
        partner_iso3,
        flow,
        national_code,
        hs6_code,
        hs_revision,
        period_start,
        currency

),

rated as (

    select
        summed.*,
        case summed.currency when 'USD' then 1 else rates.usd_per_unit end as usd_per_unit,
        rates.snapshot_ids as snapshots_of_rates
    from summed
    left join rates
        on summed.currency = rates.currency and summed.period_start = rates.period_start

)

select
    rated.source,
    rated.reporter_iso3,
    rated.partner_iso3,
    rated.flow,
    rated.national_code,
    rated.hs6_code,
    rated.hs_revision,
    rated.period_start,
    rated.value_local,
    rated.freight_local,
    rated.insurance_local,
    rated.currency,
    cast(rated.usd_per_unit as double) as usd_per_unit,
    cast(rated.value_local * rated.usd_per_unit as double) as value_usd,
    case
        when rated.value_local is null then 'no_value'
        when rated.usd_per_unit is not null then null
        when rated.period_start < date '1999-01-01' then 'before_the_euro'
        else 'rates_incomplete'
    end as reason,
    rated.valuation,
    rated.quantity,
    rated.quantity_unit,
    rated.net_weight_kg,
    rated.is_provisional,
    rated.vintage_at,
    rated.snapshot_id,
    {{ snapshots_together(['[rated.snapshot_id]', 'coalesce(rated.snapshots_of_rates, [])']) }}
        as snapshot_ids
from rated
