-- USDJPY * EURUSD = EURJPY, and CNYJPY * EURCNY = EURJPY, on every day a rate is derived.
with prices as (

    select
        instrument,
        price_date,
        close,
        is_derived
    from {{ ref('prices') }}

)

select
    crossed.instrument,
    crossed.price_date,
    crossed.close,
    other.close as other_per_euro,
    crossed.close * other.close as product,
    yen.close as yen_per_euro
from prices as crossed
left join prices as other
    on
        crossed.price_date = other.price_date
        and other.instrument = 'EUR' || left(crossed.instrument, 3)
left join prices as yen
    on
        crossed.price_date = yen.price_date
        and yen.instrument = 'EURJPY'
where
    crossed.is_derived
    and crossed.instrument like '___JPY'
    and coalesce(abs(crossed.close * other.close - yen.close) > 1e-9 * yen.close, true)
