with notices as (

    select * from {{ ref('notices') }}
    where state = 'to_be_read'

),

importers as (

    select distinct importer_iso3 from {{ ref('int_answers__list_importers') }}

),

snapshots as (

    select * from {{ source('runtime', 'snapshots') }}

),

publishers as (

    select * from {{ source('runtime', 'sources') }}

),

inputs as (

    select * from {{ source('runtime', 'lineage') }}
    where input_schema = 'lake' and input_table = source || '_notices'

),

-- An answer without notices is an answer, and so is one that has nothing new.
last_answers as (

    select
        publishers.source,
        greatest(
            max(snapshots.retrieved_at),
            max(publishers.last_asked_at) filter (where publishers.last_answer = 'ok')
        ) as vintage_at,
        {{ snapshots_of('snapshots.snapshot_id') }} as snapshot_ids
    from publishers
    inner join inputs on publishers.source = inputs.source
    inner join snapshots on publishers.source = snapshots.source
    group by publishers.source

),

-- The line is as old as the oldest of them. Who reports acts does not stand for who takes them.
asked as (

    select
        string_agg(source, ', ' order by source) as source,
        min(vintage_at) as vintage_at,
        {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids,
        list_filter(
            {{ publishers_of_acts() }}, lambda publisher: not list_contains(list(source), publisher)
        ) as not_asked
    from last_answers
    having count(*) > 0

),

unread as (

    select
        notices.*,
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
                day := cast(coalesce(published_at, known_at) as varchar),
                minerals := minerals
            )
            order by known_at desc, source asc, notice_id asc
        ) filter (where is_public)[:3] as named,
        count(*) filter (where not is_public) as private,
        list_sort(list(distinct source) filter (where not is_public)) as private_sources
    from unread

)

select
    importers.importer_iso3,
    13 as position,
    {{ sentence('notices.to_be_read') }} as subject,
    cast(case when asked.source is not null then newest.notices end as double) as figure,
    'notices' as unit,
    strftime({{ as_of_day() }}, '%Y-%m-%d') as period,
    concat_ws(
        '; ',
        case
            when len(asked.not_asked) > 0
                then {{ sentence('notices.not_asked', {'publishers': 'asked.not_asked'}) }}
        end,
        {{ sentence('notices.newest', {
            'is_asked': 'asked.source is not null',
            'notices': 'newest.notices',
            'named': 'coalesce(newest.named, [])',
            'private': 'newest.private',
            'private_sources': 'newest.private_sources',
        }) }}
    ) as detail,
    cast(null as double[]) as trend,
    cast(null as varchar) as trend_from,
    asked.source,
    asked.vintage_at,
    asked.snapshot_ids
from importers
cross join newest
left join asked on true
