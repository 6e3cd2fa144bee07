with notices as (

    select * from {{ ref('notices') }}
    where state = 'to_be_read'

),

importers as (

    select distinct importer_iso3 from {{ ref('int_answers__list_importers') }}

),

snapshots as (

    select * from {{ source('runtime', 'snapshots') }}
    where source in ('mofcom', 'federal_register', 'gta', 'screening_list', 'oecd_restrictions')

),

publishers as (

    select * from {{ source('runtime', 'sources') }}

),

-- An answer without notices is an answer: then nothing is to be read.
asked as (

    select
        string_agg(distinct source, ', ' order by source) as source,
        max(retrieved_at) as vintage_at,
        {{ snapshots_of('snapshot_id') }} as snapshot_ids
    from snapshots
    having count(*) > 0

),

unread as (

    select
        notices.*,
        coalesce(notices.published_at, cast(notices.read_at as date)) as notice_day,
        coalesce(publishers.is_redistributable, false) as is_public
    from notices
    left join publishers on notices.source = publishers.source

),

-- The page is in the UI and in logs: what may not be passed on is counted there, and not named.
newest as (

    select
        count(*) as notices,
        list(
            struct_pack(
                source := source,
                notice_id := notice_id,
                day := cast(notice_day as varchar),
                minerals := minerals
            )
            order by notice_day desc, source asc, notice_id asc
        ) filter (where is_public)[:3] as named,
        count(*) filter (where not is_public) as private,
        list_sort(list(distinct source) filter (where not is_public)) as private_sources
    from unread

)

select
    importers.importer_iso3,
    12 as position,
    {{ sentence('notices.to_be_read') }} as subject,
    cast(case when asked.source is not null then newest.notices end as double) as figure,
    'notices' as unit,
    strftime({{ as_of_day() }}, '%Y-%m-%d') as period,
    {{ sentence('notices.newest', {
        'is_asked': 'asked.source is not null',
        'notices': 'newest.notices',
        'named': 'coalesce(newest.named, [])',
        'private': 'newest.private',
        'private_sources': 'newest.private_sources',
    }) }} as detail,
    cast(null as double[]) as trend,
    cast(null as varchar) as trend_from,
    asked.source,
    asked.vintage_at,
    asked.snapshot_ids
from importers
cross join newest
left join asked on true
