-- Every entry a claim points to is a clause or a milestone, known by the day of the build or later.
{{ config(meta={'dagster': {'ref': {'name': 'stg_lake__claims'}}}) }}

with entries as (

    select clause_id as entry_id
    from {{ source('lake', 'restriction_clauses') }}
    union
    select milestone_id as entry_id
    from {{ source('lake', 'milestones') }}

),

pointers as (

    select
        claim_id,
        unnest(evidence_ids) as entry_id
    from {{ ref('stg_lake__claims') }}

)

select
    pointers.claim_id,
    pointers.entry_id
from pointers
left join entries on pointers.entry_id = entries.entry_id
where entries.entry_id is null
