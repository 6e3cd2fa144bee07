with scope as (

    select * from {{ ref('int_exposure__expand_scope') }}

)

select
    clause_id,
    hs6_code,
    mineral,
    control_share_low,
    control_share_high,
    basis,
    source_codes,
    correction_reason
from scope
