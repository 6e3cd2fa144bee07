with parts as (

    select * from {{ ref('int_dependency__join_printed_totals') }}

),

-- Of a table: what is listed, at least and at most. A figure without a largest value leaves the sum
-- without one.
sums as (

    select
        source,
        material,
        stage,
        year,
        any_value(printed_low_t) as printed_low_t,
        any_value(printed_high_t) as printed_high_t,
        count(share) > 0 as has_shares,
        coalesce(
            {{ sum_in_order('amount_low_t') }} filter (
                where economy_iso3 <> '_X' and not is_outside_total
            ), 0
        ) as listed_low_t,
        case
            when
                bool_and(
                    amount_high_t is not null or economy_iso3 = '_X' or is_outside_total
                )
                then
                    coalesce(
                        {{ sum_in_order('amount_high_t') }} filter (
                            where economy_iso3 <> '_X' and not is_outside_total
                        ), 0
                    )
        end as listed_high_t,
        coalesce(max(amount_low_t) filter (where economy_iso3 = '_X'), 0) as others_low_t,
        case
            when count(*) filter (where economy_iso3 = '_X' and amount_high_t is null) = 0
                then coalesce(max(amount_high_t) filter (where economy_iso3 = '_X'), 0)
        end as others_high_t,
        {{ sum_in_order('share_low') }} filter (where economy_iso3 <> '_X') as listed_low_share,
        {{ sum_in_order('share_high') }} filter (where economy_iso3 <> '_X') as listed_high_share,
        count(amount_t) filter (where economy_iso3 = '_X') > 0 as has_printed_others,
        count(*) filter (where is_missing and not is_outside_total) as missing_figures
    from parts
    group by source, material, stage, year

),

-- The whole that the shares are of, and what of it nobody is named for.
totals as (

    select
        *,
        coalesce(
            printed_low_t, case when missing_figures = 0 then listed_low_t + others_low_t end
        ) as total_low_t,
        coalesce(
            printed_high_t, case when missing_figures = 0 then listed_high_t + others_high_t end
        ) as total_high_t,
        case
            when has_shares then {{ at_least_none('1 - listed_high_share') }}
            else {{ at_least_none('total_low_t - listed_high_t') }}
        end as rest_low,
        case
            when has_shares then {{ at_least_none('1 - listed_low_share') }}
            else {{ at_least_none('total_high_t - listed_low_t') }}
        end as rest_high
    from sums

),

bounded as (

    select
        parts.source,
        parts.material,
        parts.stage,
        parts.year,
        parts.economy_iso3,
        parts.is_outside_total,
        parts.share_low as printed_share_low,
        parts.share_high as printed_share_high,
        totals.has_shares,
        totals.total_low_t,
        totals.total_high_t,
        totals.rest_low,
        totals.rest_high,
        case when not totals.has_shares then parts.amount_low_t end as amount_low_t,
        case
            when totals.has_shares then null
            -- What is withheld is at most what the others leave of the whole.
            when parts.amount_high_t is null and not parts.is_outside_total
                then {{ at_least_none(
                    'totals.total_high_t - totals.listed_low_t + parts.amount_low_t'
                ) }}
            else parts.amount_high_t
        end as amount_high_t
    from parts
    inner join totals
        on
            parts.source = totals.source
            and parts.material = totals.material
            and parts.stage = totals.stage
            and parts.year = totals.year
    where parts.economy_iso3 <> '_X'
    union all by name
    select
        source,
        material,
        stage,
        year,
        '_X' as economy_iso3,
        false as is_outside_total,
        rest_low as printed_share_low,
        rest_high as printed_share_high,
        has_shares,
        total_low_t,
        total_high_t,
        rest_low,
        rest_high,
        case
            when has_shares then null
            when has_printed_others then others_low_t
            else coalesce(rest_low, 0)
        end as amount_low_t,
        case
            when has_shares then null
            when has_printed_others then others_high_t
            else rest_high
        end as amount_high_t
    from totals

)

select
    source,
    material,
    stage,
    year,
    economy_iso3,
    amount_low_t,
    amount_high_t,
    case
        when is_outside_total then null
        when has_shares then printed_share_low
        else {{ capped_at_one('amount_low_t / total_high_t') }}
    end as share_low,
    case
        when is_outside_total then null
        when has_shares then {{ capped_at_one('printed_share_high') }}
        else {{ capped_at_one('amount_high_t / nullif(total_low_t, 0)') }}
    end as share_high
from bounded
