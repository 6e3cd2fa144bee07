with publications as (

    select * from {{ source('runtime', 'publications') }}

),

rows_by_slice as (

    select * from {{ ref('int_catalog__count_rows_by_slice') }}

),

newest as (

    select
        source,
        frequency,
        max(period_start) as latest_period
    from rows_by_slice
    group by source, frequency

),

published as (

    select
        source,
        frequency,
        max(period_start) filter (due_on < {{ as_of_day() }}) as published_through
    from publications
    group by source, frequency

),

-- A source without any figure of a frequency was never fetched: nothing of it is missing.
missing as (

    select
        publications.source,
        publications.frequency,
        min(publications.period_start) as expected_period,
        arg_min(publications.due_at, publications.period_start) as expected_at,
        arg_min(publications.due_on, publications.period_start) as expected_on
    from publications
    inner join newest
        on
            publications.source = newest.source
            and publications.frequency = newest.frequency
            and publications.period_start > newest.latest_period
    group by publications.source, publications.frequency

)

select
    published.source,
    published.frequency,
    newest.latest_period,
    published.published_through,
    missing.expected_period,
    missing.expected_at,
    missing.expected_on
from published
left join newest
    on published.source = newest.source and published.frequency = newest.frequency
left join missing
    on published.source = missing.source and published.frequency = missing.frequency
