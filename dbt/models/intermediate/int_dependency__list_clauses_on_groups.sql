with codes_of_groups as (

    select distinct
        mineral_group,
        hs6_code
    from {{ ref('int_dependency__list_restricted_codes') }}

),

bounds as (

    select * from {{ ref('int_exposure__bound_code_shares') }}
    where is_on_trade and not is_basket

),

economies as (

    select * from {{ ref('economies') }}

),

statuses as (

    select * from {{ ref('measure_status') }}
    where
        status in ('in_force', 'unknown')
        and {{ as_of_day() }} >= valid_from
        and (valid_to is null or {{ as_of_day() }} < valid_to)

),

joint_exposure as (

    select * from {{ ref('joint_exposure') }}
    where {{ as_of_day() }} >= valid_from and (valid_to is null or {{ as_of_day() }} < valid_to)

),

importer_exposure as (

    select * from {{ ref('importer_exposure') }}

),

implementers as (

    select distinct
        clause_id,
        implementer_iso3
    from bounds

),

-- A clause is on an importer's codes whatever it imports; it hits what comes from its implementer.
on_codes as (

    select
        economies.economy_iso3 as importer_iso3,
        codes_of_groups.mineral_group,
        bounds.clause_id,
        'on_codes' as state
    from bounds
    inner join statuses on bounds.clause_id = statuses.clause_id and statuses.status = 'in_force'
    inner join codes_of_groups on bounds.commodity_code = codes_of_groups.hs6_code
    inner join economies
        on
            {{ is_targeted('bounds.target_iso3', 'economies') }}
            and bounds.implementer_iso3 <> economies.economy_iso3

),

hitting as (

    select
        joint_exposure.importer_iso3,
        codes_of_groups.mineral_group,
        unnest(joint_exposure.clause_ids) as clause_id,
        'hits' as state
    from joint_exposure
    inner join codes_of_groups on joint_exposure.commodity_code = codes_of_groups.hs6_code

),

in_doubt as (

    select
        importer_exposure.importer_iso3,
        codes_of_groups.mineral_group,
        importer_exposure.clause_id,
        'unknown' as state
    from importer_exposure
    inner join codes_of_groups on importer_exposure.commodity_code = codes_of_groups.hs6_code
    semi join statuses
        on importer_exposure.clause_id = statuses.clause_id and statuses.status = 'unknown'

),

clauses as (

    select * from on_codes
    union distinct
    select * from hitting
    union distinct
    select * from in_doubt

)

select
    clauses.importer_iso3,
    clauses.mineral_group,
    {% for column, state in [
        ('clauses_that_hit', 'hits'), ('clauses_on_codes', 'on_codes'),
        ('clauses_unknown', 'unknown')
    ] -%}
        coalesce(
            list(distinct clauses.clause_id order by clauses.clause_id)
            filter (where clauses.state = '{{ state }}'),
            []
        ) as {{ column }},
    {% endfor -%}
    coalesce(
        list(distinct implementers.implementer_iso3 order by implementers.implementer_iso3)
        filter (where clauses.state = 'hits'),
        []
    ) as restricted_by
from clauses
left join implementers on clauses.clause_id = implementers.clause_id
group by clauses.importer_iso3, clauses.mineral_group
