with list_windows as (

    select * from {{ ref('int_exposure__list_windows') }}
    where frequency = 'M'

),

-- Every economy that restricts a commodity is measured in the windows of all of its clauses.
windows as (

    select distinct
        commodity_code,
        is_basket,
        mineral_group,
        baseline_from,
        baseline_to
    from list_windows

),

implementers as (

    select distinct
        commodity_code,
        implementer_iso3
    from list_windows

),

covered as (

    select * from {{ ref('int_exposure__list_covered_periods') }}
    where flow = 'import' and frequency = 'M'

),

eras as (

    select * from {{ ref('int_trade__number_eras') }}
    where flow = 'import'

),

supplies as (

    select * from {{ ref('int_exposure__list_supplies') }}
    where frequency = 'M'

),

totals as (

    select * from {{ ref('import_concentration') }}
    where frequency = 'M' and measure = 'value_usd'

),

flows as (

    select * from {{ ref('int_trade__select_latest_flows') }}
    where flow = 'import' and frequency = 'M'

),

traded as (

    select
        source,
        reporter_iso3,
        commodity_code,
        is_basket,
        period_start,
        bool_or(partner_iso3 = '_X') as has_unpublished
    from flows
    where value_usd is distinct from 0
    group by source, reporter_iso3, commodity_code, is_basket, period_start

),

-- Whoever published all twelve months of the commodity, of the same goods throughout.
published as (

    select
        covered.source,
        covered.reporter_iso3 as importer_iso3,
        windows.commodity_code,
        windows.is_basket,
        windows.mineral_group,
        windows.baseline_from,
        windows.baseline_to,
        list(covered.period_start order by covered.period_start) as months
    from windows
    inner join covered
        on
            windows.commodity_code = covered.commodity_code
            and windows.is_basket = covered.is_basket
            and covered.period_start between windows.baseline_from and windows.baseline_to
    left join eras
        on
            covered.source = eras.source
            and covered.reporter_iso3 = eras.reporter_iso3
            and covered.commodity_code = eras.commodity_code
            and covered.period_start = eras.period_start
    group by
        covered.source,
        covered.reporter_iso3,
        windows.commodity_code,
        windows.is_basket,
        windows.mineral_group,
        windows.baseline_from,
        windows.baseline_to
    having count(*) = 12 and count(distinct coalesce(eras.era, 0)) = 1

),

months as (

    select
        published.source,
        published.importer_iso3,
        published.commodity_code,
        published.is_basket,
        published.mineral_group,
        published.baseline_from,
        published.baseline_to,
        implementers.implementer_iso3,
        unnest(published.months) as period_start
    from published
    inner join implementers on published.commodity_code = implementers.commodity_code
    where published.importer_iso3 <> implementers.implementer_iso3

)

-- A published month without a flow is zero, unless a part of it is not published by supplier. One
-- of another source, or one with a flow and without a total, is not known.
select
    months.implementer_iso3,
    months.importer_iso3,
    months.commodity_code,
    months.is_basket,
    'M' as frequency,
    months.baseline_from,
    months.baseline_to,
    {{ sum_in_order('coalesce(supplies.value_usd, 0)') }} as value_usd,
    case
        when bool_and(supplies.net_weight_kg is not null or coalesce(supplies.value_usd, 0) = 0)
            then {{ sum_in_order('coalesce(supplies.net_weight_kg, 0)') }}
    end as net_weight_kg,
    {{ sum_in_order('coalesce(totals.total_amount, 0)') }} as total_usd,
    months.source,
    true as is_latest,
    coalesce({{ union_of_snapshots('totals.snapshot_ids') }}, []) as snapshot_ids
from months
left join totals
    on
        months.importer_iso3 = totals.importer_iso3
        and months.mineral_group = totals.mineral_group
        and months.period_start = totals.period_start
left join supplies
    on
        months.importer_iso3 = supplies.importer_iso3
        and months.commodity_code = supplies.commodity_code
        and months.is_basket = supplies.is_basket
        and months.period_start = supplies.period_start
        and months.implementer_iso3 = supplies.supplier_iso3
        and months.source = supplies.source
left join traded
    on
        months.source = traded.source
        and months.importer_iso3 = traded.reporter_iso3
        and months.commodity_code = traded.commodity_code
        and months.is_basket = traded.is_basket
        and months.period_start = traded.period_start
group by
    months.implementer_iso3,
    months.importer_iso3,
    months.commodity_code,
    months.is_basket,
    months.baseline_from,
    months.baseline_to,
    months.source
having
    bool_and(
        case
            when totals.source is null then traded.source is null
            else months.source = totals.source
        end
    )
    and bool_and(supplies.value_usd is not null or not coalesce(traded.has_unpublished, false))
