-- The materials of each list, with the state of the list on the day of the build, and the figures
-- that each material leads to.
with critical_lists as (

    select * from {{ ref('stg_lake__critical_lists') }}

),

figures_of_words as (

    select * from {{ ref('seed_materials_of_lists') }}

)

select
    critical_lists.list_id,
    critical_lists.material_as_printed,
    critical_lists.jurisdiction_iso3,
    critical_lists.list_name,
    critical_lists.list_date,
    critical_lists.date_precision,
    critical_lists.class,
    case
        when critical_lists.status_known_at > {{ as_of_day() }} then critical_lists.status_before
        else critical_lists.status
    end as status,
    critical_lists.slug,
    coalesce(string_split(figures_of_words.materials, ' '), []) as materials,
    coalesce(string_split(figures_of_words.mineral_groups, ' '), []) as mineral_groups,
    critical_lists.confidence,
    critical_lists.note,
    critical_lists.known_at,
    critical_lists.source,
    critical_lists.source_url
from critical_lists
left join figures_of_words on critical_lists.slug = figures_of_words.slug
