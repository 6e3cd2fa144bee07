with relief_assumptions as (

    select * from {{ ref('seed_relief_assumptions') }}

)

select
    project,
    scenario,
    importer_iso3,
    material,
    assumption,
    low,
    high,
    unit,
    basis,
    source,
    source_url
from relief_assumptions
