with notices as (

    select * from {{ ref('stg_lake__notices') }}

),

vintages as (

    select * from {{ source('lake', 'notices') }}

),

-- The same notice is retrieved again and again; it was there to be read from the first time on.
-- What an announcement's own page names stays, though a list of titles was retrieved after it: so
-- do a day and an address that a later text lacks.
readings as (

    select
        source,
        notice_id,
        min(vintage_at) as read_at,
        cast(min(vintage_at) as date) as read_on,
        first(published_at order by {{ newest_first() }}) filter (
            where published_at is not null
        ) as published_at,
        first(url order by {{ newest_first() }}) filter (where url is not null) as url,
        {{ union_of('list(words)') }} as words,
        {{ union_of('list(minerals)') }} as minerals,
        {{ union_of('list(hs6_codes)') }} as hs6_codes
    from vintages
    group by source, notice_id

),

-- It was public on its day, whenever it was retrieved; and on the day it was retrieved, though the
-- day it prints may have begun in its publisher's time zone alone.
dated as (

    select
        *,
        least(coalesce(published_at, read_on), read_on) as known_at
    from readings

)

select
    notices.source,
    notices.notice_id,
    dated.published_at,
    notices.issuer,
    notices.kind,
    notices.title,
    dated.url,
    notices.implementer_iso3,
    notices.acts,
    notices.corrects,
    notices.company,
    dated.words,
    dated.minerals,
    dated.hs6_codes,
    notices.snapshot_id,
    dated.read_at,
    dated.known_at
from notices
inner join dated
    on notices.source = dated.source and notices.notice_id = dated.notice_id
where dated.known_at <= {{ as_of_day() }}
