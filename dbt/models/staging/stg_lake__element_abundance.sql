with counted as (

    {{ rows_that_count(
        source('lake', 'element_abundance'),
        slice=['source', 'element', 'reservoir'],
        counts_from='vintage_at'
    ) }}

)

select
    source,
    element,
    reservoir,
    abundance_ppm,
    two_sigma_ppm,
    is_provisional,
    document,
    vintage_at,
    snapshot_id
from counted
