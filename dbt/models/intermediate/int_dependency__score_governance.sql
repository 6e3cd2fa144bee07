with governance as (

    select * from {{ ref('stg_lake__governance_scores') }}

)

-- The scale is that of the World Governance Indicators; with one of the six missing, the mean would
-- be of another thing.
select
    economy_iso3,
    year,
    {{ governance_weight(sum_in_order('estimate') ~ ' / 6') }} as governance_score,
    {{ snapshots_of('snapshot_id') }} as snapshot_ids
from governance
where source = 'wgi'
group by economy_iso3, year
having count(distinct indicator) = 6
