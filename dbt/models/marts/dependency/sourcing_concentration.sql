with figures as (

    select * from {{ ref('stg_lake__production') }}

),

labels as (

    select * from {{ ref('stg_lake__material_labels') }}

),

scores as (

    select * from {{ ref('int_dependency__score_governance') }}

),

latest as (

    {{ latest_production('figures', 'labels') }}

),

listed as (

    select
        latest.scope_iso3 as consumer_iso3,
        latest.material,
        latest.stage,
        latest.year,
        latest.source,
        latest.economy_iso3,
        latest.share,
        latest.trade_parameter,
        latest.reference_period,
        latest.snapshot_id,
        scores.governance_score,
        scores.snapshot_ids as score_snapshot_ids
    from latest
    -- Of the nearest year that is not later.
    asof left join scores
        on
            latest.economy_iso3 = scores.economy_iso3
            and latest.year >= scores.year
    where
        latest.scope_iso3 <> 'WLD'
        and latest.economy_iso3 not in ('WLD', '_X')
        and latest.share is not null

),

ranked as (

    select
        *,
        share * share as square,
        share * share * trade_parameter as traded_square,
        share * share * governance_score as weighted_square,
        share * share * governance_score * trade_parameter as weighted_and_traded_square,
        case when governance_score is not null then share end as scored_share,
        row_number() over (
            partition by consumer_iso3, material, stage, year, source
            order by share desc, economy_iso3 asc
        ) as producer_rank
    from listed

)

select
    consumer_iso3,
    material,
    stage,
    year,
    source,
    {{ sum_in_order('square') }} as hhi,
    case when count(*) = count(trade_parameter) then {{ sum_in_order('traded_square') }} end
        as hhi_trade_weighted,
    {{ sum_in_order('weighted_square') }} as hhi_governance_weighted,
    case
        when count(*) = count(trade_parameter)
            then {{ sum_in_order('weighted_and_traded_square') }}
    end as hhi_fully_weighted,
    coalesce({{ sum_in_order('scored_share') }}, 0) / {{ sum_in_order('share') }}
        as governance_coverage_share,
    max(share) as cr1_share,
    {{ sum_in_order('share') }} filter (where producer_rank <= 3) as cr3_share,
    {{ shannon_entropy('share') }} as shannon_entropy,
    {{ sum_in_order('share') }} as listed_share,
    max(economy_iso3) filter (where producer_rank = 1) as top_producer_iso3,
    max(reference_period) as reference_period,
    {{ union_of('[list(snapshot_id)] || list(coalesce(score_snapshot_ids, []))') }}
        as snapshot_ids
from ranked
group by consumer_iso3, material, stage, year, source
having {{ sum_in_order('share') }} > 0
