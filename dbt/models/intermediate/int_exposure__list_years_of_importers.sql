with windows as (

    select distinct
        commodity_code,
        is_basket,
        mineral_group,
        baseline_from,
        baseline_to
    from {{ ref('int_exposure__list_windows') }}
    where frequency = 'A'

),

importers as (

    select distinct importer_iso3
    from {{ ref('int_exposure__list_targets') }}

),

covered as (

    select * from {{ ref('int_exposure__list_covered_periods') }}
    where flow = 'import' and frequency = 'A'

),

precedence as (

    select * from {{ ref('seed_source_precedence') }}
    where purpose = 'trade'

),

slices as (

    select * from {{ ref('int_trade__choose_reconciled_slices') }}

),

flows as (

    select * from {{ ref('int_trade__select_latest_flows') }}
    where flow = 'import' and frequency = 'A'

),

-- A list of the largest flows does not say what an importer bought.
totals as (

    select concentration.*
    from {{ ref('import_concentration') }} as concentration
    left join precedence on concentration.source = precedence.source
    where
        concentration.frequency = 'A'
        and concentration.measure = 'value_usd'
        and not coalesce(precedence.is_cut_list, false)

),

baskets as (

    select distinct
        source,
        commodity_code as mineral_group
    from flows
    where is_basket

),

-- A sum of codes says no more than they do: only what a publisher prints as one figure.
with_imports as (

    select
        windows.commodity_code,
        windows.is_basket,
        windows.baseline_from,
        windows.baseline_to,
        totals.importer_iso3,
        totals.total_amount,
        totals.source,
        totals.snapshot_ids
    from windows
    inner join totals
        on
            windows.mineral_group = totals.mineral_group
            and windows.baseline_from = totals.period_start
    left join baskets
        on windows.mineral_group = baskets.mineral_group and totals.source = baskets.source
    where windows.is_basket = (baskets.source is not null)

),

traded as (

    select distinct
        source,
        reporter_iso3,
        commodity_code,
        period_start
    from flows
    where value_usd is distinct from 0

),

-- Who a source has imports of, of anything, in a year: an economy that was part of another then, or
-- is not in it, is not known to have had none.
listed as (

    select distinct
        totals.source,
        totals.period_start,
        totals.importer_iso3
    from totals
    inner join importers on totals.importer_iso3 = importers.importer_iso3

),

-- A year in which a reconciler of all the world's trade has the code is published for all that it
-- lists; one that an importer reports, for it alone, if it has no figure that cannot be used.
without_imports as (

    select
        windows.commodity_code,
        windows.baseline_from,
        windows.baseline_to,
        listed.importer_iso3,
        slices.source,
        [slices.snapshot_id] as snapshot_ids
    from windows
    inner join slices
        on
            windows.commodity_code = slices.hs6_code
            and windows.baseline_from = slices.period_start
    inner join listed
        on slices.source = listed.source and slices.period_start = listed.period_start
    left join precedence on slices.source = precedence.source
    where not windows.is_basket and not coalesce(precedence.is_cut_list, false)
    union all by name
    select
        windows.commodity_code,
        windows.baseline_from,
        windows.baseline_to,
        covered.reporter_iso3 as importer_iso3,
        covered.source,
        cast([] as varchar[]) as snapshot_ids
    from windows
    inner join covered
        on
            windows.commodity_code = covered.commodity_code
            and windows.is_basket = covered.is_basket
            and windows.baseline_from = covered.period_start
    anti join traded
        on
            covered.source = traded.source
            and covered.reporter_iso3 = traded.reporter_iso3
            and covered.commodity_code = traded.commodity_code
            and covered.period_start = traded.period_start
    where not windows.is_basket

),

one_source_without as (

    select without_imports.*
    from without_imports
    left join precedence on without_imports.source = precedence.source
    anti join with_imports
        on
            without_imports.importer_iso3 = with_imports.importer_iso3
            and without_imports.commodity_code = with_imports.commodity_code
            and without_imports.baseline_from = with_imports.baseline_from
    qualify
        row_number() over (
            partition by
                without_imports.importer_iso3,
                without_imports.commodity_code,
                without_imports.baseline_from
            order by precedence.rank asc nulls last, without_imports.source asc
        ) = 1

),

years as (

    select * from with_imports
    union all by name
    select
        *,
        false as is_basket,
        cast(0 as double) as total_amount
    from one_source_without

),

-- The newest year of a code in a reconciliation, in our own for each importer, or of anything that
-- an importer reports.
last_years as (

    select
        source,
        cast(null as varchar) as importer_iso3,
        hs6_code,
        max(period_start) as period_start
    from slices
    group by source, hs6_code
    union all
    select
        'reconciled' as source,
        importer_iso3,
        hs6_code,
        make_date(max(year), 1, 1) as period_start
    from {{ ref('int_dependency__list_reconciled_importers') }}
    group by importer_iso3, hs6_code
    union all
    select
        source,
        reporter_iso3 as importer_iso3,
        cast(null as varchar) as hs6_code,
        max(period_start) as period_start
    from flows
    group by source, reporter_iso3

)

select
    years.importer_iso3,
    years.commodity_code,
    years.is_basket,
    years.baseline_from,
    years.baseline_to,
    years.total_amount,
    years.baseline_from = last_years.period_start as is_latest,
    years.source,
    years.snapshot_ids
from years
left join last_years
    on
        years.source = last_years.source
        and coalesce(years.importer_iso3 = last_years.importer_iso3, true)
        and coalesce(years.commodity_code = last_years.hs6_code, true)
