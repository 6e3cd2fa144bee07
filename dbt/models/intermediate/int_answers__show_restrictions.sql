with measures as (

    select * from {{ ref('measures') }}

),

measure_status as (

    select
        *,
        lag(status) over (partition by clause_id order by valid_from) as previous_status
    from {{ ref('measure_status') }}

),

measure_scope as (

    select * from {{ ref('measure_scope') }}

),

mineral_group_codes as (

    select * from {{ ref('mineral_group_codes') }}

),

-- What all that is in force together hits of rare earths, by the newest trade.
hit as (

    select
        joint_exposure.importer_iso3,
        {{ sum_in_order('joint_exposure.current_exposed_value_low_usd') }} as low_usd,
        {{ sum_in_order('joint_exposure.current_exposed_value_high_usd') }} as high_usd,
        cast(min(joint_exposure.current_year) as varchar) as first_year,
        cast(max(joint_exposure.current_year) as varchar) as last_year,
        {{ union_of_snapshots('joint_exposure.snapshot_ids') }} as snapshot_ids
    from {{ ref('joint_exposure') }} as joint_exposure
    semi join mineral_group_codes
        on
            mineral_group_codes.mineral_group = 'rare_earths'
            and joint_exposure.commodity_code
            in (mineral_group_codes.hs6_code, mineral_group_codes.mineral_group)
    where
        joint_exposure.valid_from <= {{ as_of_day() }}
        and (joint_exposure.valid_to is null or joint_exposure.valid_to > {{ as_of_day() }})
        and joint_exposure.current_reason is null
    group by joint_exposure.importer_iso3

),

-- All but the supplier itself.
importers as (

    select * from {{ ref('int_answers__list_importers') }}
    where importer_iso3 <> supplier_iso3

),

-- A clause has a row for each of its targets.
aimed as (

    select distinct
        importers.importer_iso3,
        measures.clause_id,
        measures.direction = 'restrict' as is_restriction,
        measures.evidence_class
    from importers
    inner join measures
        on
            (
                measures.target_iso3 in ('ALL', importers.importer_iso3)
                or (measures.target_iso3 = 'EU27' and importers.is_eu27)
            )
            and importers.supplier_iso3 = measures.implementer_iso3
            and measures.direction in ('restrict', 'monitor')

),

codes_in_scope as (

    select
        measure_scope.clause_id,
        bool_or(mineral_group_codes.mineral_group = 'rare_earths') as is_on_rare_earths
    from measure_scope
    left join mineral_group_codes on measure_scope.hs6_code = mineral_group_codes.hs6_code
    group by measure_scope.clause_id

),

states as (

    select
        aimed.importer_iso3,
        aimed.clause_id,
        aimed.is_restriction,
        aimed.evidence_class,
        measure_status.status,
        measure_status.previous_status,
        measure_status.valid_from,
        codes_in_scope.clause_id is not null as has_codes,
        aimed.is_restriction
        and measure_status.status = 'in_force'
        and coalesce(codes_in_scope.is_on_rare_earths, false) as is_listed
    from aimed
    inner join measure_status
        on
            aimed.clause_id = measure_status.clause_id
            and measure_status.valid_from <= {{ as_of_day() }}
            and (measure_status.valid_to is null or measure_status.valid_to > {{ as_of_day() }})
    left join codes_in_scope on aimed.clause_id = codes_in_scope.clause_id

),

-- The number of clauses follows from all that are known.
known_facts as (

    select snapshot_id from {{ ref('int_exposure__select_known_clauses') }}
    union all
    select snapshot_id from {{ ref('stg_lake__restriction_scope') }}

),

snapshots as (

    select {{ snapshots_of('snapshot_id') }} as snapshot_ids
    from known_facts

),

-- Empty on a day that no clause is known of. Its own day is that of its latest fact: a catalogue is
-- landed again without news.
catalogue as (

    select
        'catalogue' as source,
        cast(max(known_at) as timestamp) as vintage_at
    from measures
    having count(*) > 0

),

states_together as (

    select
        importer_iso3,
        count(*) filter (where is_listed) as listed,
        count(*) filter (where status = 'in_force' and is_restriction) as in_force,
        count(*) filter (where status = 'in_force' and is_restriction and not has_codes)
            as without_codes,
        count(*) filter (where status = 'in_force' and not is_restriction) as monitoring,
        count(*) filter (where status = 'unknown') as unknown,
        count(*) filter (where status = 'unknown' and previous_status = 'suspended') as lapsed,
        count(*) filter (where status = 'suspended') as suspended,
        list(
            struct_pack(
                clause_id := clause_id,
                valid_from := valid_from,
                evidence_class := evidence_class
            )
            order by valid_from, clause_id
        ) filter (where is_listed) as listed_clauses
    from states
    group by importer_iso3

)

select
    importers.importer_iso3,
    12 as position,
    {{ sentence('answers.restrictions', {
        'supplier': 'importers.supplier_name',
        'importer': 'importers.importer_name',
    }) }} as subject,
    case when catalogue.source is not null then coalesce(states_together.listed, 0) end
        as figure,
    'clauses' as unit,
    strftime({{ as_of_day() }}, '%Y-%m-%d') as period,
    {{ sentence('answers.restrictions_detail', {
        'is_catalogue_known': 'catalogue.source is not null',
        'listed': 'states_together.listed_clauses',
        'in_force': 'coalesce(states_together.in_force, 0)',
        'without_codes': 'coalesce(states_together.without_codes, 0)',
        'monitoring': 'coalesce(states_together.monitoring, 0)',
        'unknown': 'coalesce(states_together.unknown, 0)',
        'lapsed': 'coalesce(states_together.lapsed, 0)',
        'suspended': 'coalesce(states_together.suspended, 0)',
        'hit_low': 'hit.low_usd',
        'hit_high': 'hit.high_usd',
        'hit_years': "concat_ws(' to ', hit.first_year, nullif(hit.last_year, hit.first_year))",
    }) }} as detail,
    cast(null as double[]) as trend,
    cast(null as varchar) as trend_from,
    catalogue.source,
    catalogue.vintage_at,
    case
        when catalogue.source is not null
            then {{ snapshots_together(
                ['snapshots.snapshot_ids', 'coalesce(hit.snapshot_ids, [])']
            ) }}
    end as snapshot_ids
from importers
left join states_together on importers.importer_iso3 = states_together.importer_iso3
left join hit on importers.importer_iso3 = hit.importer_iso3
left join catalogue on true
cross join snapshots
