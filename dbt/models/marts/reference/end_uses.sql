with end_uses as (

    select * from {{ ref('int_reference__sum_end_uses') }}

)

select
    mineral,
    sector,
    nace2_code,
    use_share,
    magnets_share,
    applications,
    source,
    snapshot_ids
from end_uses
