with quotes as (

    select * from {{ ref('stg_lake__price_quotes') }}

),

-- An index on another base is another series: of two units, the one with most days is used. So are
-- averages of months and of years.
counted as (

    select
        source,
        instrument,
        frequency,
        unit,
        count(distinct price_date) as days
    from quotes
    group by source, instrument, frequency, unit

),

units as (

    select
        source,
        instrument,
        frequency,
        unit
    from counted
    qualify
        row_number() over (
            partition by source, instrument, frequency
            order by days desc, unit asc
        ) = 1

),

in_one_unit as (

    select quotes.*
    from quotes
    inner join units
        on
            quotes.source = units.source
            and quotes.instrument = units.instrument
            and quotes.frequency = units.frequency
            and quotes.unit is not distinct from units.unit

),

-- Shares that one old share has become by the last day that is known: 1 after the last split.
split_later as (

    select
        *,
        coalesce(
            product(split_ratio) over (
                partition by source, instrument, frequency
                order by price_date desc
                rows between unbounded preceding and 1 preceding
            ),
            1
        ) as shares_for_one,
        count(split_ratio) over of_series > 0 as has_splits,
        count(adjusted_close) over of_series = count(*) over of_series as is_adjusted_throughout
    from in_one_unit
    where close is not null
    window of_series as (partition by source, instrument, frequency)

),

adjusted as (

    select
        instrument,
        frequency,
        price_date,
        close,
        case
            when is_adjusted_throughout or not has_splits then adjusted_close
            else close / shares_for_one
        end as adjusted_close,
        currency,
        unit,
        source,
        [snapshot_id] as snapshot_ids
    from split_later

)

select
    instrument,
    frequency,
    price_date,
    close,
    adjusted_close,
    currency,
    unit,
    source,
    snapshot_ids
from adjusted
