with notices as (

    select * from {{ ref('int_exposure__date_notices') }}

),

acts as (

    select * from {{ ref('int_exposure__name_acts') }}
    where is_first

),

decisions as (

    select * from {{ ref('int_exposure__decide_notices') }}

),

minerals as (

    select * from {{ ref('minerals') }}

),

minerals_of_codes as (

    select * from {{ ref('seed_commodity_minerals') }}
    where code_share_high > 0

),

codes_in_scope as (

    select distinct hs6_code from minerals_of_codes

),

printed as (

    select
        source,
        notice_id,
        unnest(hs6_codes) as hs6_code
    from notices

),

named as (

    select
        source,
        notice_id,
        unnest(minerals) as mineral
    from notices

),

bears_on as (

    select
        printed.source,
        printed.notice_id,
        printed.hs6_code,
        true as is_printed
    from printed
    inner join codes_in_scope on printed.hs6_code = codes_in_scope.hs6_code
    union all
    select
        named.source,
        named.notice_id,
        minerals_of_codes.hs6_code,
        false as is_printed
    from named
    inner join minerals
        on
            named.mineral = minerals.mineral
            or (named.mineral = 'all_rare_earths' and minerals.is_rare_earth)
    inner join minerals_of_codes on minerals.mineral = minerals_of_codes.mineral

),

-- A notice bears on the codes that it prints; where none of these is in scope, on those of the
-- minerals that it names.
codes as (

    select
        source,
        notice_id,
        bool_or(is_printed) as are_printed,
        coalesce(
            list(distinct hs6_code order by hs6_code) filter (where is_printed),
            list(distinct hs6_code order by hs6_code)
        ) as commodity_codes
    from bears_on
    group by source, notice_id

),

stated as (

    select
        notices.*,
        greatest(notices.known_at, cast(notices.read_at as date)) as waits_since,
        -- As it is printed, digits may be of full width, with blanks and brackets between.
        regexp_full_match(
            translate(
                regexp_replace(notices.title, '[^\p{L}\p{N}]', '', 'g'),
                '０１２３４５６７８９',
                '0123456789'
            ),
            '\D*(公告\d{4}年?第\d+号|\d{4}年?第\d+号公告)'
        ) as is_number_alone,
        acts.act,
        decisions.clause_ids,
        decisions.reason,
        decisions.through_act,
        decisions.decided_at,
        decisions.snapshot_ids as snapshots_of_decision,
        coalesce(codes.commodity_codes, []) as commodity_codes,
        coalesce(codes.are_printed, false) as are_codes_printed,
        case
            when decisions.clause_ids is not null then 'known'
            when decisions.source is not null then 'not_relevant'
            when
                len(notices.words) > 0
                or notices.company is not null
                or codes.commodity_codes is not null
                or is_number_alone
                then 'to_be_read'
            else 'not_relevant'
        end as state
    from notices
    left join acts on notices.source = acts.source and notices.notice_id = acts.notice_id
    left join decisions
        on notices.source = decisions.source and notices.notice_id = decisions.notice_id
    left join codes on notices.source = codes.source and notices.notice_id = codes.notice_id

)

select
    source,
    notice_id,
    published_at,
    issuer,
    kind,
    title,
    url,
    implementer_iso3,
    minerals,
    hs6_codes as hs_codes,
    commodity_codes,
    words,
    company,
    clause_ids[1] as clause_id,
    coalesce(clause_ids, []) as clause_ids,
    act,
    corrects,
    state,
    {{ sentence('notices.because', {
        'state': 'state',
        'clauses': 'clause_ids',
        'reason': 'reason',
        'act': 'through_act',
        'words': 'words',
        'company': 'company',
        'codes': 'if(are_codes_printed, commodity_codes, [])',
        'corrects': 'corrects',
        'is_number_alone': 'is_number_alone and len(words) = 0',
    }) }} as because,
    read_at,
    known_at,
    decided_at,
    case
        when state = 'to_be_read'
            then cast(greatest({{ as_of_day() }} - waits_since, 0) as integer)
    end as days_unread,
    list_sort(list_distinct([snapshot_id] || coalesce(snapshots_of_decision, []))) as snapshot_ids
from stated
