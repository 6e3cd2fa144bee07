with quotes as (

    select * from {{ ref('stg_lake__price_quotes') }}

),

precedence as (

    select * from {{ ref('seed_source_precedence') }}
    where purpose = 'price'

),

-- An index on another base is another series: of two units, the one with most days is used.
counted as (

    select
        source,
        instrument,
        unit,
        count(distinct price_date) as days
    from quotes
    group by source, instrument, unit

),

units as (

    select
        source,
        instrument,
        unit
    from counted
    qualify
        row_number() over (
            partition by source, instrument
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
            and quotes.unit is not distinct from units.unit

),

-- Shares that one old share has become by the last day that is known: 1 after the last split.
split_later as (

    select
        *,
        coalesce(
            product(split_ratio) over (
                partition by source, instrument
                order by price_date desc
                rows between unbounded preceding and 1 preceding
            ),
            1
        ) as shares_for_one,
        count(split_ratio) over (partition by source, instrument) > 0 as has_splits,
        count(adjusted_close) over (partition by source, instrument)
        = count(*) over (partition by source, instrument) as is_adjusted_throughout
    from in_one_unit
    where close is not null

),

published as (

    select
        instrument,
        price_date,
        close,
        case
            when is_adjusted_throughout or not has_splits then adjusted_close
            else close / shares_for_one
        end as adjusted_close,
        currency,
        unit,
        source,
        false as is_derived,
        [snapshot_id] as snapshot_ids
    from split_later

),

-- Yen per dollar is yen per euro over dollars per euro, of one source and day; renminbi likewise.
crossed as (

    select
        other.currency || 'JPY' as instrument,
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
            and yen.price_date = other.price_date
    where
        yen.instrument = 'EURJPY'
        and other.instrument in ('EURUSD', 'EURCNY')
        and other.close > 0

),

offered as (

    select * from published
    union all
    select * from crossed

),

chosen as (

    select offered.*
    from offered
    left join precedence on offered.source = precedence.source
    qualify
        row_number() over (
            partition by offered.instrument, offered.price_date
            order by offered.is_derived, precedence.rank nulls last, offered.source
        ) = 1

)

select
    instrument,
    price_date,
    close,
    adjusted_close,
    -- Adjusted and other closes are two series: a return between them is none.
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
window of_series as (partition by instrument, unit)
