with production_shares as (

    select * from {{ ref('production_shares') }}

),

groups as (

    select * from {{ ref('seed_trade_groups_of_materials') }}

),

economies as (

    select * from {{ ref('economies') }}

),

trade as (

    select * from {{ ref('int_dependency__sum_group_trade') }}

),

figures_of_output as (

    select
        groups.mineral_group,
        groups.content_low,
        groups.content_high,
        production_shares.*
    from production_shares
    inner join groups
        on
            production_shares.material = groups.material
            and production_shares.stage = groups.stage
    where groups.is_output

),

years_of_trade as (

    select distinct trade.year as trade_year
    from trade

),

-- Shares without amounts say who produces at all, in their years and after them.
figures as (

    select
        figures_of_output.* replace (
            coalesce(years_of_trade.trade_year, figures_of_output.year) as year
        )
    from figures_of_output
    left join years_of_trade
        on
            figures_of_output.amount_low_t is null
            and cast(split_part(figures_of_output.reference_period, '/', -1) as integer)
            <= years_of_trade.trade_year
    where
        figures_of_output.amount_low_t is not null
        or figures_of_output.share is not null and years_of_trade.trade_year is not null

)

-- The European Union's is its members'.
select
    mineral_group,
    material,
    stage,
    year,
    source,
    economy_iso3,
    amount_t,
    amount_low_t,
    amount_high_t,
    share,
    content_basis,
    content_low,
    content_high,
    reference_period,
    snapshot_ids
from figures
union all
select
    figures.mineral_group,
    figures.material,
    figures.stage,
    figures.year,
    figures.source,
    'EU27' as economy_iso3,
    case
        when count(*) = count(figures.amount_t) then {{ sum_in_order('figures.amount_t') }}
    end as amount_t,
    {{ sum_in_order('figures.amount_low_t') }} as amount_low_t,
    case
        when count(*) = count(figures.amount_high_t)
            then {{ sum_in_order('figures.amount_high_t') }}
    end as amount_high_t,
    {{ sum_in_order('figures.share') }} as share,
    any_value(figures.content_basis) as content_basis,
    any_value(figures.content_low) as content_low,
    any_value(figures.content_high) as content_high,
    max(figures.reference_period) as reference_period,
    {{ union_of_snapshots('figures.snapshot_ids') }} as snapshot_ids
from figures
inner join economies on figures.economy_iso3 = economies.economy_iso3
where economies.is_eu27
group by
    figures.mineral_group, figures.material, figures.stage, figures.year, figures.source
