with prices as (

    select * from {{ ref('prices') }}

),

sources as (

    select * from {{ ref('sources') }}

),

importers as (

    select * from {{ ref('int_answers__list_importers') }}

),

-- In the unit of the last one: an index and a price are two series.
yearly_prices as (

    select
        year(price_date) as year,
        close,
        unit,
        source,
        snapshot_ids
    from prices
    where instrument = 'DYSPROSIUM_OXIDE' and frequency = 'A'
    qualify
        unit is not distinct from last_value(unit) over (
            order by price_date
            rows between unbounded preceding and unbounded following
        )

),

price_years as (

    select unnest(range(min(year), max(year) + 1)) as year
    from yearly_prices

),

yearly_price as (

    select
        max(price_years.year) as year,
        arg_max(yearly_prices.close, price_years.year) as close,
        arg_max(yearly_prices.unit, price_years.year) as unit,
        max(yearly_prices.close) as highest,
        arg_max(price_years.year, yearly_prices.close) as year_of_highest,
        list(yearly_prices.close order by price_years.year) as trend,
        min(price_years.year) as trend_from,
        arg_max(yearly_prices.source, price_years.year) as source,
        {{ union_of_snapshots('yearly_prices.snapshot_ids') }} as snapshot_ids
    from price_years
    left join yearly_prices on price_years.year = yearly_prices.year
    having count(*) > 0

)

select
    importers.importer_iso3,
    9 as position,
    {{ sentence('answers.dysprosium_price') }} as subject,
    yearly_price.close as figure,
    coalesce(yearly_price.unit, 'USD per kg') as unit,
    cast(yearly_price.year as varchar) as period,
    {{ sentence('answers.dysprosium_price_detail', {
        'highest': 'yearly_price.highest',
        'year_of_highest': 'yearly_price.year_of_highest',
    }) }} as detail,
    yearly_price.trend,
    cast(yearly_price.trend_from as varchar) as trend_from,
    yearly_price.source,
    sources.last_vintage_at as vintage_at,
    yearly_price.snapshot_ids
from importers
left join yearly_price on true
left join sources on yearly_price.source = sources.source
