with held as (

    select * from {{ ref('int_catalog__count_rows_by_slice') }}

),

answered as (

    select * from {{ ref('stg_lake__coverage') }}

),

-- A window that was requested again without changes in the answer: so were its slices.
repeated as (

    select
        source,
        frequency,
        period_start,
        snapshot_id,
        max(asked_at) as asked_at
    from {{ source('runtime', 'asks') }}
    where asked_at < {{ as_of_end() }}
    group by source, frequency, period_start, snapshot_id

),

-- Rows that count are kept when a later answer has none of the slice, and so is their snapshot.
slices as (

    select
        coalesce(held.source, answered.source) as source,
        coalesce(held.table_name, answered.table_name) as table_name,
        coalesce(held.reporter_iso3, answered.reporter_iso3) as reporter_iso3,
        coalesce(held.flow, answered.flow) as flow,
        coalesce(held.frequency, answered.frequency) as frequency,
        coalesce(held.period_start, answered.period_start) as period_start,
        greatest(held.vintage_at, answered.vintage_at) as asked_at,
        coalesce(held.rows, 0) as rows,
        coalesce(held.snapshot_id, answered.snapshot_id) as snapshot_id,
        coalesce(answered.snapshot_id, held.snapshot_id) as asked_in
    from held
    full outer join answered
        on
            held.source = answered.source
            and held.table_name = answered.table_name
            and held.reporter_iso3 = answered.reporter_iso3
            and held.flow = answered.flow
            and held.frequency = answered.frequency
            and held.period_start = answered.period_start

)

select
    slices.source,
    slices.table_name,
    slices.reporter_iso3,
    slices.flow,
    slices.frequency,
    slices.period_start,
    greatest(slices.asked_at, repeated.asked_at) as asked_at,
    slices.rows,
    slices.snapshot_id
from slices
left join repeated
    on
        slices.source = repeated.source
        and slices.frequency = repeated.frequency
        and slices.period_start = repeated.period_start
        and slices.asked_in = repeated.snapshot_id
