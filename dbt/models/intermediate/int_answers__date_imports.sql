with reported_flows as (

    select * from {{ ref('reported_flows') }}

),

baci_flows as (

    select * from {{ ref('baci_flows') }}

),

reconciled_imports as (

    select * from {{ ref('int_dependency__list_reconciled_imports') }}

),

vintages as (

    select
        source,
        reporter_iso3 as importer_iso3,
        year(period_start) as year,
        max(vintage_at) as vintage_at
    from reported_flows
    where
        flow = 'import'
        and frequency = 'A'
    group by all
    union all
    select
        'baci' as source,
        importer_iso3,
        year,
        max(vintage_at) as vintage_at
    from baci_flows
    group by all
    union all
    select
        source,
        importer_iso3,
        year(period_start) as year,
        max(vintage_at) as vintage_at
    from reconciled_imports
    group by all

)

select
    source,
    importer_iso3,
    year,
    vintage_at
from vintages
