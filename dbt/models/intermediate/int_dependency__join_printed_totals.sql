with figures as (

    select * from {{ ref('stg_lake__production') }}

),

labels as (

    select * from {{ ref('stg_lake__material_labels') }}

),

latest as (

    {{ latest_production('figures', 'labels') }}

),

world_figures as (

    select
        source,
        material,
        stage,
        economy_iso3,
        year,
        amount_t,
        share,
        flag,
        notes,
        {{ meaning_of_note('notes') }} as note,
        reference_period,
        content_basis,
        trade_parameter,
        bound in ('exact', 'range') as is_figure,
        flag = 'estimated' or bound <> 'exact' as is_estimate,
        bound,
        printed,
        {{ half_unit_of_an_amount('amount_t', 'printed', 'flag') }} as half_unit_t,
        coalesce(
            {{ unit_of_the_last_printed_digit('share', 'printed') }} / 2,
            {{ half_unit_of_a_share() }}
        ) as half_unit_of_share,
        snapshot_id
    from latest
    where scope_iso3 = 'WLD'

),

bounded as (

    select
        *,
        {{ least_of_a_figure('amount_t', 'bound', 'printed', 'half_unit_t') }} as amount_low_t,
        {{
            largest_of_a_figure('amount_t', 'bound', 'printed', 'half_unit_t', 'amount_t')
        }} as amount_high_t,
        {{ least_of_a_figure('share', 'bound', 'printed', 'half_unit_of_share') }} as share_low,
        -- A share below a bound is half of it.
        {{
            largest_of_a_figure('share', 'bound', 'printed', 'half_unit_of_share', '2 * share')
        }} as share_high
    from world_figures

),

-- A total that is only a bound (`>90,000,000`) or cannot be given is printed, but is no figure.
printed_totals as (

    select
        source,
        material,
        stage,
        year,
        case when is_figure and amount_t > 0 then amount_t end as printed_t,
        case when is_figure and amount_t > 0 then amount_low_t end as printed_low_t,
        case when is_figure and amount_t > 0 then amount_high_t end as printed_high_t,
        is_estimate,
        note as note_on_total,
        reference_period,
        content_basis,
        snapshot_id,
        coalesce(lower(notes) like '%excludes u.s. production%', false) as leaves_out_usa
    from bounded
    where economy_iso3 = 'WLD'

),

economies as (

    select
        bounded.source,
        bounded.material,
        bounded.stage,
        bounded.economy_iso3,
        bounded.year,
        bounded.amount_t,
        bounded.amount_low_t,
        bounded.amount_high_t,
        bounded.share,
        bounded.share_low,
        bounded.share_high,
        bounded.trade_parameter,
        bounded.is_estimate,
        bounded.reference_period,
        bounded.content_basis,
        bounded.note,
        printed_totals.note_on_total,
        bounded.flag in ('withheld', 'not_available') as is_missing,
        printed_totals.printed_t,
        printed_totals.printed_low_t,
        printed_totals.printed_high_t,
        printed_totals.is_estimate as is_total_estimate,
        -- The remark is on production: the reserves of the world count those of the United States.
        bounded.economy_iso3 = 'USA'
        and bounded.stage <> 'reserves'
        and coalesce(printed_totals.leaves_out_usa, false) as is_outside_total,
        bounded.snapshot_id
    from bounded
    left join printed_totals
        on
            bounded.source = printed_totals.source
            and bounded.material = printed_totals.material
            and bounded.stage = printed_totals.stage
            and bounded.year = printed_totals.year
    where bounded.economy_iso3 <> 'WLD' and bounded.flag <> 'not_applicable'

),

-- Of a total without economies all is of economies that are not listed.
parts as (

    select * from economies
    union all by name
    select
        source,
        material,
        stage,
        '_X' as economy_iso3,
        year,
        is_estimate,
        reference_period,
        content_basis,
        note_on_total,
        true as is_missing,
        printed_t,
        printed_low_t,
        printed_high_t,
        is_estimate as is_total_estimate,
        false as is_outside_total,
        snapshot_id
    from printed_totals
    where
        printed_t is not null
        and not exists (
            select 1 from economies
            where
                printed_totals.source = economies.source
                and printed_totals.material = economies.material
                and printed_totals.stage = economies.stage
                and printed_totals.year = economies.year
        )

)

select
    material,
    stage,
    year,
    economy_iso3,
    source,
    amount_t,
    amount_low_t,
    amount_high_t,
    share,
    share_low,
    share_high,
    trade_parameter,
    is_missing,
    is_estimate,
    is_outside_total,
    printed_t,
    printed_low_t,
    printed_high_t,
    is_total_estimate,
    reference_period,
    content_basis,
    note,
    note_on_total,
    snapshot_id
from parts
