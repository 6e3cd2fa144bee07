{# A source with fewer days than this share of the longest one does not become the series. #}
{% set least_share_of_longest = 0.5 %}
{% set last_rank = 1000000 %}

with published as (

    select
        *,
        false as is_derived
    from {{ ref('int_market__adjust_quotes') }}

),

baskets as (

    select
        instrument,
        member,
        count(*) over (partition by instrument) as members
    from {{ ref('seed_baskets_of_instruments') }}

),

unit_values as (

    select * from {{ ref('int_market__derive_unit_values') }}

),

precedence as (

    select * from {{ ref('seed_source_precedence') }}
    where purpose = 'price'

),

-- Yen per dollar is yen per euro over dollars per euro, of one source and day; renminbi likewise.
crossed as (

    select
        other.currency || 'JPY' as instrument,
        yen.frequency,
        yen.price_date,
        yen.close / other.close as close,
        cast(null as double) as adjusted_close,
        'JPY' as currency,
        'JPY per ' || other.currency as unit,
        yen.source,
        true as is_derived,
        {{ snapshots_together(['yen.snapshot_ids', 'other.snapshot_ids']) }} as snapshot_ids
    from published as yen
    inner join published as other
        on
            yen.source = other.source
            and yen.frequency = other.frequency
            and yen.price_date = other.price_date
    where
        yen.instrument = 'EURJPY'
        and other.instrument in ('EURUSD', 'EURCNY')
        and other.close > 0

),

-- What a basket holds on a day, of one source; adjusted closes only where all of a series are.
members as (

    select
        baskets.instrument,
        baskets.members,
        published.instrument as member,
        published.price_date,
        case
            when
                count(published.adjusted_close) over one_series = count(*) over one_series
                then published.adjusted_close
            else published.close
        end as price,
        published.source,
        published.snapshot_ids
    from published
    inner join baskets on published.instrument = baskets.member
    where published.close > 0 and published.frequency = 'D'
    window
        one_series as (
            partition by baskets.instrument, published.source, published.instrument
        )

),

-- Sessions of a basket are those of all of its members.
in_session as (

    select * from members
    qualify count(*) over (partition by instrument, source, price_date) = members

),

growths as (

    select
        *,
        price / lag(price) over (
            partition by instrument, source, member
            order by price_date
        ) as growth
    from in_session

),

sessions as (

    select
        instrument,
        source,
        price_date,
        avg(growth order by member) as growth,
        {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
    from growths
    group by instrument, source, price_date

),

-- Equal weights each session: its return is the mean of those of the members. A price after a day
-- never counts for it.
basket_prices as (

    select
        instrument,
        'D' as frequency,
        price_date,
        100 * product(coalesce(growth, 1)) over to_the_day as close,
        cast(null as double) as adjusted_close,
        cast(null as varchar) as currency,
        'index, ' || strftime(min(price_date) over to_the_day, '%Y-%m-%d') || ' = 100' as unit,
        source,
        true as is_derived,
        {{ union_of('list(distinct snapshot_ids) over to_the_day') }} as snapshot_ids
    from sessions
    window
        to_the_day as (
            partition by instrument, source
            order by price_date
            rows between unbounded preceding and current row
        )

),

prices_of_trade as (

    select
        instrument,
        'M' as frequency,
        period_start as price_date,
        usd_per_kg as close,
        cast(null as double) as adjusted_close,
        'USD' as currency,
        'USD per kg' as unit,
        source,
        true as is_derived,
        snapshot_ids
    from unit_values

),

offered as (

    select * from published
    union all by name
    select * from crossed
    union all by name
    select * from basket_prices
    union all by name
    select * from prices_of_trade

),

-- A series is of one source: a session that it lacks stays missing, since the level of another
-- source may be another (an index, another currency, other adjustments).
series as (

    select
        offered.instrument,
        offered.frequency,
        offered.source,
        offered.is_derived,
        coalesce(min(precedence.rank), {{ last_rank }}) as rank,
        count(*) / max(count(*)) over (
            partition by offered.instrument, offered.frequency
        ) as share_of_longest
    from offered
    left join precedence on offered.source = precedence.source
    group by offered.instrument, offered.frequency, offered.source, offered.is_derived

),

-- By precedence, but the last hundred days of one source never replace the years of another.
chosen_series as (

    select * from series
    where share_of_longest >= {{ least_share_of_longest }}
    qualify
        row_number() over (
            partition by instrument, frequency
            order by is_derived asc, rank asc, source asc
        ) = 1

),

-- An average is no price of a day: it counts where there is none of the day itself.
chosen as (

    select offered.*
    from offered
    inner join chosen_series
        on
            offered.instrument = chosen_series.instrument
            and offered.frequency = chosen_series.frequency
            and offered.source = chosen_series.source
            and offered.is_derived = chosen_series.is_derived
    qualify
        row_number() over (
            partition by offered.instrument, offered.price_date
            order by
                offered.frequency = 'D' desc,
                offered.frequency = 'M' desc
        ) = 1

)

select
    instrument,
    frequency,
    price_date,
    close,
    adjusted_close,
    -- Adjusted and other closes are two series, between which there is no return.
    case
        when count(adjusted_close) over of_series = count(*) over of_series then adjusted_close
        else close
    end as return_close,
    currency,
    unit,
    source,
    is_derived,
    snapshot_ids
from chosen
window of_series as (partition by instrument, frequency)
