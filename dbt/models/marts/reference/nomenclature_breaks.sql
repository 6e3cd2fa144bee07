with nomenclature_breaks as (

    select * from {{ ref('seed_nomenclature_breaks') }}

)

select
    hs6_code,
    case
        when year_before is null then hs_revision_before || '/' || hs_revision_after
        else hs_revision_after || ' ' || year_before || '/' || year_after
    end as break_name,
    hs_revision_before,
    hs_revision_after,
    year_before,
    year_after,
    changes_goods,
    reason,
    source
from nomenclature_breaks
