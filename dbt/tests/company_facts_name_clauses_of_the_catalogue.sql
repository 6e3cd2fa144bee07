-- Every clause a fact on a company is about is in the catalogue, known by the day of the build or
-- later. A clause of another file than the fact's is known only here.
{{ config(meta={'dagster': {'ref': {'name': 'stg_lake__company_facts'}}}) }}

select
    facts.company,
    facts.clause_id,
    facts.document
from {{ ref('stg_lake__company_facts') }} as facts
left join {{ source('lake', 'restriction_clauses') }} as clauses
    on facts.clause_id = clauses.clause_id
where clauses.clause_id is null
