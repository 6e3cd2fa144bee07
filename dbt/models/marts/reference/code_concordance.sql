with commodities as (

    select * from {{ ref('seed_commodities') }}

),

links as (

    select * from {{ ref('seed_code_links') }}

),

breaks as (

    select * from {{ ref('seed_nomenclature_breaks') }}
    where changes_goods and year_after is null

),

baci_flows as (

    select * from {{ ref('stg_lake__reconciled_trade') }}
    where source = 'baci'

),

editions as (

    select unnest({{ linked_editions() }}) as hs_revision

),

-- The editions in which a code is in scope. It has its goods in those between them too.
spans as (

    select
        hs6_code,
        min(hs_revision) as first_revision,
        max(hs_revision) as last_revision
    from commodities
    group by hs6_code

),

codes as (

    select hs6_code from commodities
    union
    select hs6_code from links
    union
    select target_hs6_code as hs6_code from links

),

-- What was merged is split on the way back.
changes as (

    select * from links
    union all
    select
        target_hs6_code as hs6_code,
        target_hs_revision as hs_revision,
        hs6_code as target_hs6_code,
        hs_revision as target_hs_revision,
        'split' as basis,
        source
    from links
    where basis = 'merged'

),

amounts as (

    select
        hs6_code,
        hs_revision,
        period_start,
        sum(value_usd) as value_usd,
        max(snapshot_id) as snapshot_id
    from baci_flows
    where
        hs6_code in (
            select changes.hs6_code from changes
            union
            select changes.target_hs6_code from changes
        )
    group by hs6_code, hs_revision, period_start

),

-- BACI has the trade of a year in both editions: the part of a code that is in the other one.
weights_of_splits as (

    select
        changes.hs6_code,
        changes.hs_revision,
        changes.target_hs6_code,
        changes.target_hs_revision,
        max_by(targets.value_usd / origins.value_usd, origins.period_start) as weight,
        max_by(
            {{ snapshots_together(['[origins.snapshot_id]', '[targets.snapshot_id]']) }},
            origins.period_start
        ) as snapshot_ids
    from changes
    inner join amounts as origins
        on changes.hs6_code = origins.hs6_code and changes.hs_revision = origins.hs_revision
    inner join amounts as targets
        on
            changes.target_hs6_code = targets.hs6_code
            and changes.target_hs_revision = targets.hs_revision
            and origins.period_start = targets.period_start
    where changes.basis = 'split'
    group by
        changes.hs6_code,
        changes.hs_revision,
        changes.target_hs6_code,
        changes.target_hs_revision

),

-- Every code in every pair of editions.
pairs as (

    select
        codes.hs6_code,
        origins.hs_revision,
        targets.hs_revision as target_hs_revision,
        least(origins.hs_revision, targets.hs_revision) as earlier_revision,
        greatest(origins.hs_revision, targets.hs_revision) as later_revision
    from codes
    cross join editions as origins
    cross join editions as targets
    where origins.hs_revision <> targets.hs_revision

),

unchanged as (

    select
        pairs.hs6_code,
        pairs.hs_revision,
        pairs.hs6_code as target_hs6_code,
        pairs.target_hs_revision,
        case
            when
                spans.first_revision <= pairs.earlier_revision
                and spans.last_revision >= pairs.later_revision
                and not exists (
                    select 1
                    from breaks
                    where
                        pairs.hs6_code = breaks.hs6_code
                        and pairs.earlier_revision < breaks.hs_revision_after
                        and pairs.later_revision > breaks.hs_revision_before
                )
                then 'same_goods'
            else 'not_known'
        end as basis
    from pairs
    left join spans on pairs.hs6_code = spans.hs6_code
    anti join changes
        on
            pairs.hs6_code = changes.hs6_code
            and pairs.hs_revision = changes.hs_revision
            and pairs.target_hs_revision = changes.target_hs_revision

),

relations as (

    select * from changes
    union all by name
    select * from unchanged

)

select
    relations.hs6_code,
    relations.hs_revision,
    relations.target_hs6_code,
    relations.target_hs_revision,
    case
        when relations.basis in ('same_goods', 'merged') then 1.0
        else {{ capped_at_one('weights_of_splits.weight') }}
    end as weight,
    relations.basis,
    relations.source,
    coalesce(weights_of_splits.snapshot_ids, cast([] as varchar[])) as snapshot_ids
from relations
left join weights_of_splits
    on
        relations.hs6_code = weights_of_splits.hs6_code
        and relations.hs_revision = weights_of_splits.hs_revision
        and relations.target_hs6_code = weights_of_splits.target_hs6_code
        and relations.target_hs_revision = weights_of_splits.target_hs_revision
