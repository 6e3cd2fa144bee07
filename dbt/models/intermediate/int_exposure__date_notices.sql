with notices as (

    select * from {{ ref('stg_lake__notices') }}

),

vintages as (

    select * from {{ source('lake', 'notices') }}

),

-- The same notice is retrieved again and again; it was there to be read from the first time on.
-- What an announcement's own page names stays, though a list of titles was retrieved after it.
first_readings as (

    select
        source,
        notice_id,
        min(vintage_at) as read_at,
        {{ union_of('list(words)') }} as words,
        {{ union_of('list(minerals)') }} as minerals,
        {{ union_of('list(hs6_codes)') }} as hs6_codes
    from vintages
    group by source, notice_id

)

-- What is retrieved later than the day of the build was public on that day all the same.
select
    notices.source,
    notices.notice_id,
    notices.published_at,
    notices.issuer,
    notices.kind,
    notices.title,
    notices.url,
    notices.implementer_iso3,
    notices.acts,
    notices.corrects,
    notices.company,
    first_readings.words,
    first_readings.minerals,
    first_readings.hs6_codes,
    notices.snapshot_id,
    first_readings.read_at,
    coalesce(notices.published_at, cast(first_readings.read_at as date)) as known_at
from notices
inner join first_readings
    on
        notices.source = first_readings.source
        and notices.notice_id = first_readings.notice_id
where coalesce(notices.published_at, cast(first_readings.read_at as date)) <= {{ as_of_day() }}
