with alternatives as (

    select * from {{ ref('int_dependency__list_alternatives') }}

),

production_shares as (

    select * from {{ ref('production_shares') }}

),

trade_groups as (

    select * from {{ ref('seed_trade_groups_of_materials') }}
    where is_output

),

codes_of_groups as (

    select * from {{ ref('int_dependency__list_restricted_codes') }}

),

restricted as (

    select * from {{ ref('int_dependency__bound_restricted_exports') }}

),

scores as (

    select * from {{ ref('int_dependency__score_governance') }}
    qualify year = max(year) over (partition by economy_iso3)

),

indirect as (

    select * from {{ ref('indirect_dependence') }}
    where depth = 1 and reason is null
    qualify year = max(year) over (partition by mineral_group)

),

group_codes as (

    select distinct
        mineral_group,
        hs6_code
    from {{ ref('mineral_group_codes') }}
    where not starts_with(mineral_group, 'hs_')

),

-- Different materials, or a mine and a refinery, are not added up.
materials as (

    select
        codes_of_groups.hs6_code,
        any_value(trade_groups.material) as material,
        any_value(trade_groups.stage) as stage
    from codes_of_groups
    inner join trade_groups on codes_of_groups.mineral_group = trade_groups.mineral_group
    group by codes_of_groups.hs6_code
    having count(*) = 1

),

-- Of the newest year; of several publishers, the one that lists most economies.
tables as (

    select
        material,
        stage,
        year,
        source
    from production_shares
    where economy_iso3 <> '_X'
    group by material, stage, year, source
    having count(amount_t) > 0
    qualify
        row_number() over (
            partition by material, stage
            order by year desc, count(*) desc, source asc
        ) = 1

),

known_groups as (

    select distinct mineral_group
    from indirect

),

-- Of several groups with a code one whose flows are known.
groups_of_codes as (

    select
        group_codes.hs6_code,
        group_codes.mineral_group
    from group_codes
    left join known_groups on group_codes.mineral_group = known_groups.mineral_group
    qualify
        row_number() over (
            partition by group_codes.hs6_code
            order by known_groups.mineral_group is null asc, group_codes.mineral_group asc
        ) = 1

),

-- What an economy buys itself: an origin without a row is below the least share of the table.
buyers as (

    select
        importer_iso3,
        mineral_group,
        {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
    from indirect
    group by importer_iso3, mineral_group

),

explained as (

    select
        alternatives.*,
        materials.material as production_material,
        materials.stage as production_stage,
        tables.year as production_year,
        groups_of_codes.mineral_group,
        case
            when materials.material is null then 'no_material_of_code'
            when production_shares.amount_t is null then 'not_published'
        end as production_reason,
        production_shares.amount_t as production_t,
        case
            when groups_of_codes.mineral_group is null then 'no_mineral_group'
            when alternatives.top_supplier_iso3 is null then 'no_top_supplier'
            when alternatives.top_supplier_iso3 = alternatives.supplier_iso3
                then 'is_top_supplier'
            when buyers.importer_iso3 is null then 'no_imports_known'
        end as hub_reason,
        production_shares.snapshot_ids as production_snapshot_ids,
        buyers.snapshot_ids as hub_snapshot_ids
    from alternatives
    left join materials on alternatives.hs6_code = materials.hs6_code
    left join tables
        on
            materials.material = tables.material
            and materials.stage = tables.stage
    left join production_shares
        on
            tables.material = production_shares.material
            and tables.stage = production_shares.stage
            and tables.year = production_shares.year
            and tables.source = production_shares.source
            and alternatives.supplier_iso3 = production_shares.economy_iso3
    left join groups_of_codes on alternatives.hs6_code = groups_of_codes.hs6_code
    left join buyers
        on
            alternatives.supplier_iso3 = buyers.importer_iso3
            and groups_of_codes.mineral_group = buyers.mineral_group

)

select
    explained.importer_iso3,
    explained.hs6_code,
    explained.year,
    explained.supplier_iso3,
    explained.supplier_rank,
    explained.share_of_importer,
    explained.share_of_world,
    explained.exports_usd,
    explained.exports_kg,
    explained.production_t,
    explained.production_material,
    explained.production_stage,
    explained.production_year,
    explained.production_reason,
    scores.governance_score,
    scores.year as governance_year,
    coalesce(restricted.share_low, 0) as restricted_share_low,
    coalesce(restricted.share_high, 0) as restricted_share_high,
    coalesce(restricted.clauses_in_force, []) as clauses_in_force,
    coalesce(restricted.clauses_unknown, []) as clauses_unknown,
    explained.top_supplier_iso3,
    case when explained.hub_reason is null then coalesce(indirect.total_share_high, 0) end
        as hub_share_high,
    explained.hub_reason,
    explained.hs_revision,
    explained.source,
    {{ snapshots_together([
        'explained.snapshot_ids',
        'explained.production_snapshot_ids',
        'scores.snapshot_ids',
        'restricted.snapshot_ids',
        'case when explained.hub_reason is null then explained.hub_snapshot_ids end',
    ]) }} as snapshot_ids
from explained
left join scores on explained.supplier_iso3 = scores.economy_iso3
left join restricted
    on
        explained.importer_iso3 = restricted.importer_iso3
        and explained.hs6_code = restricted.hs6_code
        and explained.supplier_iso3 = restricted.supplier_iso3
left join indirect
    on
        explained.supplier_iso3 = indirect.importer_iso3
        and explained.mineral_group = indirect.mineral_group
        and explained.top_supplier_iso3 = indirect.origin_iso3
