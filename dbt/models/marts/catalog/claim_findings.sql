with findings as (

    select * from {{ ref('int_claims__judge_findings') }}

)

select
    claim_id,
    basis,
    moment,
    value,
    unit,
    period,
    is_inside,
    source,
    snapshot_ids
from findings
