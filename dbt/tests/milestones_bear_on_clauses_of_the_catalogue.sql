-- Every clause a milestone bears on is in the catalogue, known by the day of the build or later. A
-- clause of another file than the milestone's is known only here.
{{ config(meta={'dagster': {'ref': {'name': 'stg_lake__milestones'}}}) }}

with pointers as (

    select
        milestone_id,
        unnest(clauses) as clause_id
    from {{ ref('stg_lake__milestones') }}

)

select
    pointers.milestone_id,
    pointers.clause_id
from pointers
left join {{ source('lake', 'restriction_clauses') }} as clauses
    on pointers.clause_id = clauses.clause_id
where clauses.clause_id is null
