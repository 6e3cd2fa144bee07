with parts as (

    select * from {{ ref('int_dependency__join_printed_totals') }}

),

bounds as (

    select * from {{ ref('int_dependency__bound_shares') }}

),

scores as (

    select * from {{ ref('int_dependency__score_governance') }}

),

sums as (

    select
        source,
        material,
        stage,
        year,
        is_total_estimate is not null as has_printed_total,
        printed_t,
        snapshot_id,
        coalesce(
            {{ sum_in_order('amount_t') }}
            filter (where economy_iso3 <> '_X' and not is_outside_total), 0
        ) as listed_t,
        max(amount_t) filter (where economy_iso3 = '_X') as others_t,
        {{ sum_in_order('share') }} filter (where economy_iso3 <> '_X') as listed_share,
        count(share) filter (where economy_iso3 <> '_X') as listed_shares,
        count(amount_t) filter (where economy_iso3 <> '_X') as listed_amounts,
        count(*) filter (where is_missing and not is_outside_total) as missing_figures,
        count(*) filter (where economy_iso3 = '_X') as printed_others,
        bool_or(is_estimate) or coalesce(is_total_estimate, false) as is_estimate,
        max(reference_period) as reference_period,
        case when min(content_basis) = max(content_basis) then max(content_basis) end
            as content_basis,
        max(note) filter (where economy_iso3 = '_X') as note_on_others,
        max(note_on_total) as note_on_total
    from parts
    group by source, material, stage, year, is_total_estimate, printed_t, snapshot_id
    having
        count(coalesce(amount_t, share)) filter (where economy_iso3 <> '_X') > 0
        or printed_t is not null

),

-- What the shares are of: amounts are of the printed total, or of their sum where no total is
-- printed and no figure is missing (one economy alone is a remark on it, not the world). A printed
-- total that its own parts exceed beyond rounding is none.
totals as (

    select
        *,
        case
            when listed_shares > 0 then null
            when has_printed_total
                then
                    case
                        when listed_t <= printed_t * (1 + {{ rounding_of_a_total() }})
                            then printed_t
                    end
            when missing_figures = 0 and listed_amounts > 1 and listed_t + coalesce(others_t, 0) > 0
                then listed_t + coalesce(others_t, 0)
        end as world_total_t
    from sums

),

listed as (

    select
        parts.source,
        parts.material,
        parts.stage,
        parts.year,
        parts.economy_iso3,
        parts.amount_t,
        parts.trade_parameter,
        case
            when totals.listed_shares > 0 then parts.share
            when not parts.is_outside_total then parts.amount_t / totals.world_total_t
        end as share,
        case
            when coalesce(parts.amount_t, parts.share) is null
                then {{ sentence('production.not_published') }}
            when totals.listed_shares > 0 then null
            when parts.is_outside_total then {{ sentence('production.outside_the_total') }}
            when totals.world_total_t is null
                then {{ no_total_to_share('totals.printed_t') }}
            when parts.amount_t > totals.world_total_t
                then {{ exceeds_a_rounded_total() }}
        end as reason,
        totals.world_total_t,
        parts.is_estimate,
        parts.reference_period,
        parts.content_basis,
        {{ note_with_that_of_total('parts.note', 'parts.note_on_total') }} as note,
        parts.snapshot_id
    from parts
    inner join totals
        on
            parts.source = totals.source
            and parts.material = totals.material
            and parts.stage = totals.stage
            and parts.year = totals.year
    where parts.economy_iso3 <> '_X'

),

-- What the publisher prints of others stands as printed. Where it prints nothing of them, a rest
-- within rounding is rounding, not supply.
rests as (

    select
        *,
        listed_amounts + listed_shares = 0 as is_total_only,
        printed_others > 0 and listed_shares = 0 as is_printed,
        case
            when printed_others + missing_figures > 0 then 1e-9 * world_total_t
            else {{ half_unit_of_a_total('world_total_t') }}
        end as rounding_t,
        case
            when world_total_t - listed_t > rounding_t then world_total_t - listed_t
        end as rest_t,
        1 - listed_share as rest_share,
        case
            when printed_others + missing_figures > 0 then 1e-9
            else {{ half_unit_of_a_share() }} * listed_shares
        end as rounding_share,
        {{ note_with_that_of_total('note_on_others', 'note_on_total') }} as note
    from totals

),

not_listed as (

    select
        source,
        material,
        stage,
        year,
        '_X' as economy_iso3,
        coalesce(others_t, rest_t) as amount_t,
        amount_t / world_total_t as share,
        case
            when amount_t is null then {{ sentence('production.not_published') }}
            when world_total_t is null then {{ no_total_to_share('printed_t') }}
            when amount_t > world_total_t then {{ exceeds_a_rounded_total() }}
        end as reason,
        world_total_t,
        is_estimate,
        reference_period,
        content_basis,
        nullif(
            concat_ws(
                ' ', case when is_total_only then {{ sentence('production.total_only') }} end, note
            ),
            ''
        ) as note,
        snapshot_id
    from rests
    where rest_t is not null or is_printed
    union all
    select
        source,
        material,
        stage,
        year,
        '_X' as economy_iso3,
        null as amount_t,
        rest_share as share,
        null as reason,
        null as world_total_t,
        is_estimate,
        reference_period,
        content_basis,
        note,
        snapshot_id
    from rests
    where rest_share > rounding_share

),

shares as (

    select * from listed
    union all by name
    select * from not_listed

)

select
    shares.material,
    shares.stage,
    shares.year,
    shares.economy_iso3,
    shares.source,
    shares.amount_t,
    bounds.amount_low_t,
    bounds.amount_high_t,
    case when shares.share <= 1 then shares.share end as share,
    {% for bound in ['share_low', 'share_high'] -%}
        case
            when coalesce(shares.share, shares.world_total_t) is not null then bounds.{{ bound }}
        end as {{ bound }},
    {% endfor -%}
    shares.reason,
    shares.world_total_t,
    shares.trade_parameter,
    shares.is_estimate,
    shares.reference_period,
    shares.content_basis,
    shares.note,
    scores.governance_score,
    scores.year as governance_year,
    {{ snapshots_together(['[shares.snapshot_id]', 'scores.snapshot_ids']) }} as snapshot_ids
from shares
left join bounds
    on
        shares.source = bounds.source
        and shares.material = bounds.material
        and shares.stage = bounds.stage
        and shares.year = bounds.year
        and shares.economy_iso3 = bounds.economy_iso3
-- Of the nearest year that is not later.
asof left join scores
    on
        shares.economy_iso3 = scores.economy_iso3
        and shares.year >= scores.year
