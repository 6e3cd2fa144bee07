-- Where nothing came before there is no share of it.
with exposures as (

    select * from {{ ref('importer_exposure') }}
    where baseline_value_usd is distinct from 0

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
        exposed_value_high_usd,
        exposed_share_high,
        baseline_value_usd / nullif(baseline_share, 0) as imports_usd
    from exposures
    union all
    select
        exposures.clause_id,
        exposures.importer_iso3,
        mineral_group_codes.mineral_group as commodity_code,
        exposures.exposed_value_high_usd,
        exposures.exposed_share_high,
        exposures.baseline_value_usd / nullif(exposures.baseline_share, 0) as imports_usd
    from exposures
    inner join mineral_group_codes on exposures.commodity_code = mineral_group_codes.hs6_code

)

select
    clause_id,
    importer_iso3,
    commodity_code,
    sum(exposed_value_high_usd) filter (where exposed_share_high is not null)
    / sum(imports_usd) filter (where exposed_share_high is not null) as exposed_share_high
from exposed
group by clause_id, importer_iso3, commodity_code
