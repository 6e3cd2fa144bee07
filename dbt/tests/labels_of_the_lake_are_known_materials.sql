-- Every label is mapped or left out on purpose: all labels of the lake are in the newest lists. The
-- figures of a new one are in no mart until it is.
{{ config(severity='warn', meta={'dagster': {'ref': {'name': 'materials'}}}) }}

with labels as (

    select
        source,
        label
    from {{ ref('stg_lake__production') }}
    union
    select
        source,
        label
    from {{ ref('stg_lake__end_uses') }}
    union
    select
        source,
        label
    from {{ ref('stg_lake__assessments') }}

)

select
    labels.source,
    labels.label
from labels
left join {{ ref('materials') }} as materials
    on labels.source = materials.source and labels.label = materials.label
where materials.label is null
