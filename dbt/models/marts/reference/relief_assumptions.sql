with relief_assumptions as (

    select * from {{ ref('seed_relief_assumptions') }}
    where known_at <= {{ as_of_day() }}

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
    source_url,
    known_at
from relief_assumptions
