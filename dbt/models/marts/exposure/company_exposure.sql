with facts as (

    select * from {{ ref('stg_lake__company_facts') }}

),

clauses as (

    select * from {{ ref('int_exposure__select_known_clauses') }}

)

-- Listed is who the text of the clause that counts names: a name that it no longer has is gone.
select
    facts.clause_id,
    facts.company,
    facts.home_iso3,
    facts.minerals,
    facts.evidence,
    facts.evidence_class,
    facts.statement,
    facts.source,
    facts.citation,
    facts.source_url,
    facts.known_at
from facts
inner join clauses on facts.clause_id = clauses.clause_id
where
    facts.evidence <> 'listed'
    or list_contains(clauses.target_names, facts.company)
