with exposures as (

    select * from {{ ref('importer_exposure') }}

),

mineral_group_codes as (

    select * from {{ ref('mineral_group_codes') }}

),

-- Of a group, the exposures of its codes: these go before a basket, which then has no row.
exposed as (

    select
        clause_id,
        importer_iso3,
        commodity_code,
        exposed_share_high
    from exposures
    union all
    select
        exposures.clause_id,
        exposures.importer_iso3,
        mineral_group_codes.mineral_group as commodity_code,
        exposures.exposed_share_high
    from exposures
    inner join mineral_group_codes on exposures.commodity_code = mineral_group_codes.hs6_code

)

select
    clause_id,
    importer_iso3,
    commodity_code,
    max(exposed_share_high) as exposed_share_high
from exposed
group by clause_id, importer_iso3, commodity_code
