with figures as (

    select * from {{ ref('int_dependency__choose_sources') }}

),

comparable as (

    select * from {{ ref('int_dependency__date_comparable_figures') }}

)

select
    figures.*,
    comparable.comparable_since
from figures
left join comparable
    on
        figures.importer_iso3 = comparable.importer_iso3
        and figures.group_number = comparable.group_number
        and figures.measure = comparable.measure
