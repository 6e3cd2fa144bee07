with assessments as (

    select * from {{ ref('stg_lake__assessments') }}

),

labels as (

    select * from {{ ref('stg_lake__material_labels') }}

)

-- The method of 2017 replaced that of the first two studies.
select
    assessments.assessment,
    case when assessments.year < 2017 then 'ec_2011' else 'ec_2017' end as method,
    assessments.year,
    labels.material,
    coalesce(assessments.stage, 'not_stated') as stage,
    assessments.supply_risk as published_supply_risk,
    assessments.economic_importance,
    assessments.supply_used,
    assessments.import_reliance,
    coalesce(assessments.import_reliance_raw, assessments.import_reliance) as import_reliance_raw,
    assessments.eol_recycling_rate,
    assessments.substitution_index_supply as substitution_index,
    assessments.hhi_global_supply,
    assessments.hhi_consumer_sourcing,
    [assessments.snapshot_id] as snapshot_ids
from assessments
inner join labels
    on assessments.source = labels.source and assessments.label = labels.label
where labels.left_out is null
