with alternatives as (

    select * from {{ ref('alternatives') }}

),

flows as (

    select * from {{ ref('int_dependency__list_alternatives') }}

),

economies as (

    select * from {{ ref('economies') }}

)

-- The largest exporter that neither leads already nor restricts, as far as is known.
select
    alternatives.importer_iso3,
    alternatives.hs6_code,
    economies.name as supplier,
    alternatives.share_of_world,
    flows.snapshot_ids
from alternatives
inner join flows
    on
        alternatives.importer_iso3 = flows.importer_iso3
        and alternatives.hs6_code = flows.hs6_code
        and alternatives.supplier_iso3 = flows.supplier_iso3
inner join economies on alternatives.supplier_iso3 = economies.economy_iso3
where
    alternatives.supplier_iso3 is distinct from alternatives.top_supplier_iso3
    and len(alternatives.clauses_in_force || alternatives.clauses_unknown) = 0
qualify
    row_number() over (
        partition by alternatives.importer_iso3, alternatives.hs6_code
        order by alternatives.supplier_rank
    ) = 1
