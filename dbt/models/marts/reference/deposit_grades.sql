with deposit_grades as (

    select * from {{ ref('stg_lake__deposit_grades') }}

)

select
    deposit,
    part,
    figure,
    mineral,
    known_at as published_date,
    known_precision as date_precision,
    amount,
    case figure when 'resource' then 't' when 'years_of_demand' then 'years' else 'ppm' end
        as unit,
    qualifier,
    area_km2,
    sample,
    citation,
    source,
    source_url
from deposit_grades
