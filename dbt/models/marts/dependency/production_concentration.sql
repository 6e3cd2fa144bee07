with shares as (

    select * from {{ ref('production_shares') }}
    union all by name
    select * from {{ ref('int_dependency__sum_groups_of_producers') }}

),

listed as (

    select
        source,
        material,
        stage,
        year,
        economy_iso3,
        share,
        reference_period,
        share_low,
        share_high,
        trade_parameter,
        -- Round amounts give exact measures; where shares are printed they are of one.
        case when world_total_t is null then share else amount_t end as quantity,
        coalesce(world_total_t, 1) as whole,
        governance_score,
        snapshot_ids
    from shares
    where share is not null or reason = {{ exceeds_a_rounded_total() }}

),

producers as (

    select
        *,
        quantity * quantity as square,
        quantity * quantity * governance_score as weighted_square,
        quantity * quantity * trade_parameter as traded_square,
        case when governance_score is not null then quantity end as scored_quantity,
        row_number() over (
            partition by source, material, stage, year
            order by quantity desc, economy_iso3 asc
        ) as producer_rank
    from listed
    where economy_iso3 <> '_X'

),

rests as (

    select
        source,
        material,
        stage,
        year,
        share as rest_share
    from listed
    where economy_iso3 = '_X'

),

sums as (

    select
        source,
        material,
        stage,
        year,
        whole,
        {{ sum_in_order('square') }} as squares,
        {{ sum_in_order('weighted_square') }} as weighted_squares,
        case when count(*) = count(trade_parameter) then {{ sum_in_order('traded_square') }} end
            as traded_squares,
        {{ shannon_entropy('quantity') }} as shannon_entropy,
        {{ sum_in_order('quantity') }} as named,
        {{ sum_in_order('scored_quantity') }} as scored,
        {{ sum_in_order('quantity') }} filter (where producer_rank <= 3) / whole as top_three_share,
        max(share) filter (where producer_rank = 1) as cr1_share,
        max(economy_iso3) filter (where producer_rank = 1) as top_producer_iso3,
        max(reference_period) as reference_period,
        count(*) filter (where quantity > 0) as producers,
        {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
    from producers
    group by source, material, stage, year, whole
    having {{ sum_in_order('quantity') }} > 0

),

-- Withheld figures and the rest are between their bounds as well.
bounds as (

    select
        source,
        material,
        stage,
        year,
        {{ least_hhi('share_low', "economy_iso3 <> '_X'") }} as hhi_low,
        {{ largest_hhi('share_low', 'share_high') }} as hhi_high,
        max(share_low) filter (where economy_iso3 <> '_X') as top_share_low,
        max(share_high) as top_share_high,
        coalesce(bool_or(is_of_shares_alone), false) as is_of_shares_alone,
        first(economy_iso3 order by share_low desc, economy_iso3 asc)
        filter (where economy_iso3 <> '_X') as top_producer_iso3,
        max(reference_period) as reference_period,
        {{ union_of_snapshots('snapshot_ids') }} as snapshot_ids
    from shares
    where share_low is not null
    group by source, material, stage, year

),

measures as (

    select
        sums.*,
        {{ hhi('sums.squares', 'sums.whole') }} as hhi,
        {{ hhi('sums.weighted_squares', 'sums.whole') }} as hhi_governance_weighted,
        {{ hhi('sums.traded_squares', 'sums.whole') }} as hhi_trade_weighted,
        bounds.hhi_low,
        bounds.hhi_high,
        bounds.top_share_low,
        bounds.top_share_high,
        case
            when sums.producers >= 3 or rests.source is null then sums.top_three_share
        end as cr3_share
    from sums
    left join rests
        on
            sums.source = rests.source
            and sums.material = rests.material
            and sums.stage = rests.stage
            and sums.year = rests.year
    left join bounds
        on
            sums.source = bounds.source
            and sums.material = bounds.material
            and sums.stage = bounds.stage
            and sums.year = bounds.year
    -- With one named producer the ranking is unknown.
    where sums.producers > 1 or rests.source is null or rests.rest_share <= sums.cr1_share

)

-- Of a total that is rounded down the producers may be more than the whole.
select
    material,
    stage,
    year,
    source,
    {{ at_most_the_whole('hhi') }} as hhi,
    -- Of a total that is rounded down, the measure may be above what the shares can be.
    case when hhi_low is not null then least(hhi_low, {{ at_most_the_whole('hhi') }}) end
        as hhi_low,
    case when hhi_high is not null then greatest(hhi_high, {{ at_most_the_whole('hhi') }}) end
        as hhi_high,
    cr1_share,
    {{ at_most_the_whole('cr3_share') }} as cr3_share,
    top_producer_iso3,
    top_share_low,
    top_share_high,
    {{ is_above('top_share_low', 'top_share_high', single_country_limit()) }} as is_above_65,
    case when {{ at_most_the_whole('hhi') }} is not null then hhi_governance_weighted end
        as hhi_governance_weighted,
    case when {{ at_most_the_whole('hhi') }} is not null then hhi_trade_weighted end
        as hhi_trade_weighted,
    shannon_entropy,
    coalesce(scored, 0) / named as governance_coverage_share,
    reference_period,
    case
        when {{ at_most_the_whole('greatest(hhi, cr3_share)') }} is null
            then {{ sentence('production.producers_exceed_the_total') }}
        when cr3_share is null
            then {{ sentence('production.few_producers', {'producers': 'producers'}) }}
    end as reason,
    snapshot_ids
from measures
union all by name
-- Of a group whose amounts are not printed, bounds are all that can be said.
select
    material,
    stage,
    year,
    source,
    hhi_low,
    hhi_high,
    top_producer_iso3,
    top_share_low,
    top_share_high,
    {{ is_above('top_share_low', 'top_share_high', single_country_limit()) }} as is_above_65,
    reference_period,
    {{ sentence('production.shares_of_materials_alone') }} as reason,
    snapshot_ids
from bounds
where is_of_shares_alone
