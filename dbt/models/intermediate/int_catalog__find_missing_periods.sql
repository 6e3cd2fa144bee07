with due_periods as (

    select * from {{ source('runtime', 'due_periods') }}

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
    from due_periods
    group by source, frequency

),

-- A source without any figure of a frequency was never fetched: nothing of it is missing.
missing as (

    select
        due_periods.source,
        due_periods.frequency,
        min(due_periods.period_start) as expected_period,
        arg_min(due_periods.due_at, due_periods.period_start) as expected_at,
        arg_min(due_periods.due_on, due_periods.period_start) as expected_on
    from due_periods
    inner join newest
        on
            due_periods.source = newest.source
            and due_periods.frequency = newest.frequency
            and due_periods.period_start > newest.latest_period
    group by due_periods.source, due_periods.frequency

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
