-- No sector takes more than all of them, tier 2 no more than tier 1, and no mineral more than the
-- clause exposes. Amounts in US dollars, to within a cent.
{{ config(meta={'dagster': {'ref': {'name': 'industry_exposure'}}}) }}

with exposed as (

    select * from {{ ref('industry_exposure') }}

),

clauses as (

    select
        clause_id,
        importer_iso3,
        sum(exposed_value_high_usd) as value_usd
    from {{ ref('importer_exposure') }}
    group by clause_id, importer_iso3

),

totals as (

    select
        clause_id,
        importer_iso3,
        mineral,
        tier,
        exposed_value_low_usd,
        exposed_value_high_usd
    from exposed
    where sector = 'all'

)

select
    exposed.clause_id,
    exposed.importer_iso3,
    exposed.mineral,
    exposed.sector,
    exposed.tier
from exposed
inner join clauses
    on
        exposed.clause_id = clauses.clause_id
        and exposed.importer_iso3 = clauses.importer_iso3
left join totals
    on
        exposed.clause_id = totals.clause_id
        and exposed.importer_iso3 = totals.importer_iso3
        and exposed.mineral = totals.mineral
        and exposed.tier = totals.tier
left join totals as of_tier_1
    on
        exposed.clause_id = of_tier_1.clause_id
        and exposed.importer_iso3 = of_tier_1.importer_iso3
        and exposed.mineral = of_tier_1.mineral
        and of_tier_1.tier = 1
where
    totals.tier is null
    or of_tier_1.tier is null
    or exposed.exposed_value_low_usd > totals.exposed_value_low_usd + 0.01
    or exposed.exposed_value_high_usd > totals.exposed_value_high_usd + 0.01
    or exposed.exposed_value_high_usd > of_tier_1.exposed_value_high_usd + 0.01
    or exposed.exposed_value_high_usd > clauses.value_usd + 0.01
