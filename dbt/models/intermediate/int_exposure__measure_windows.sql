{# Exposures by clause, and of clauses together, are chosen from it: computed once, as a table. #}
{{ config(materialized='table') }}

with precedence as (

    select * from {{ ref('seed_source_precedence') }}
    where purpose = 'trade'

),

windows as (

    select
        *,
        cast(null as varchar) as reason
    from {{ ref('int_exposure__measure_imports_by_month') }}
    union all by name
    select
        *,
        cast(null as varchar) as reason
    from {{ ref('int_exposure__measure_imports_by_year') }}
    union all by name
    select
        *,
        cast(null as double) as total_usd
    from {{ ref('int_exposure__measure_exports') }}

)

-- What all suppliers sell goes before the exports of one, and these before a list of the largest
-- flows.
select
    windows.implementer_iso3,
    windows.importer_iso3,
    windows.commodity_code,
    windows.is_basket,
    windows.frequency,
    windows.baseline_from,
    windows.baseline_to,
    windows.value_usd,
    windows.net_weight_kg,
    windows.total_usd,
    case
        when windows.reason is null and windows.value_usd > 0
            then {{ capped_at_one('windows.value_usd / windows.total_usd') }}
        when windows.reason is null then 0
    end as baseline_share,
    windows.source,
    windows.reason,
    windows.is_latest,
    case windows.reason when 'exports_only' then 2 when 'largest_flows_only' then 3 else 1 end
        as preference,
    precedence.rank as precedence_rank,
    windows.snapshot_ids
from windows
left join precedence on windows.source = precedence.source
