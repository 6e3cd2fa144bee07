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

-- An answer without notices is an answer: then nothing is to be read.
asked as (

    select
        string_agg(distinct source, ', ' order by source) as source,
        max(retrieved_at) as vintage_at,
        {{ snapshots_of('snapshot_id') }} as snapshot_ids
    from snapshots
    having count(*) > 0

),

newest as (

    select
        count(*) as notices,
        list(
            struct_pack(
                source := source,
                notice_id := notice_id,
                day := cast(coalesce(published_at, cast(read_at as date)) as varchar),
                minerals := minerals
            )
            order by
                coalesce(published_at, cast(read_at as date)) desc, source asc, notice_id asc
        )[:3] as named
    from notices

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
        'named': 'newest.named',
    }) }} as detail,
    cast(null as double[]) as trend,
    cast(null as varchar) as trend_from,
    asked.source,
    asked.vintage_at,
    asked.snapshot_ids
from importers
cross join newest
left join asked on true
