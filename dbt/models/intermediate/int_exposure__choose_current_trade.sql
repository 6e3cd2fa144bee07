{# Joined to clauses alone and together: computed once, as a table. #}
{{ config(materialized='table') }}

with windows as (

    select distinct
        commodity_code,
        is_basket,
        frequency,
        baseline_from
    from {{ ref('int_exposure__list_windows') }}
    where clause_id is null

),

precedence as (

    select * from {{ ref('seed_source_precedence') }}
    where purpose = 'trade'

),

measured as (

    select * from {{ ref('int_exposure__measure_imports_by_month') }}
    union all by name
    select * from {{ ref('int_exposure__measure_imports_by_year') }}

)

-- The one that ends last, of one source for all suppliers; of a year and its own months the months.
-- That nothing came counts if it is the newest there is, as for baselines.
select
    measured.implementer_iso3,
    measured.importer_iso3,
    measured.commodity_code,
    measured.is_basket,
    measured.frequency as current_frequency,
    measured.baseline_from as current_from,
    measured.baseline_to as current_to,
    measured.value_usd,
    measured.net_weight_kg,
    case
        when measured.value_usd > 0
            then {{ capped_at_one('measured.value_usd / measured.total_usd') }}
        else 0
    end as current_share,
    measured.source,
    measured.snapshot_ids
from measured
inner join windows
    on
        measured.commodity_code = windows.commodity_code
        and measured.is_basket = windows.is_basket
        and measured.frequency = windows.frequency
        and measured.baseline_from = windows.baseline_from
left join precedence on measured.source = precedence.source
where measured.total_usd > 0 or coalesce(measured.is_latest, true)
qualify
    rank() over (
        partition by measured.importer_iso3, measured.commodity_code, measured.is_basket
        order by
            measured.baseline_to desc,
            measured.frequency desc,
            precedence.rank asc nulls last,
            measured.source asc
    ) = 1
