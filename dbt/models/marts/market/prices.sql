with chosen_prices as (

    select
        instrument,
        price_date,
        close,
        adjusted_close,
        currency,
        unit,
        source,
        is_derived
    from {{ ref('int_market__choose_prices') }}

)

select * from chosen_prices
