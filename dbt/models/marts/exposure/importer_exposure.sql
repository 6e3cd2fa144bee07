with restrictions as (

    select
        *,
        case when is_basket then commodity_code else 'hs_' || commodity_code end as mineral_group
    from {{ ref('int_exposure__bound_code_shares') }}
    -- Trade does not say who a good goes to, so that what is for entities is no exposure of trade.
    where direction = 'restrict' and target_class <> 'entity'

),

economies as (

    select * from {{ ref('economies') }}

),

shares as (

    select * from {{ ref('supplier_shares') }}

),

concentration as (

    select * from {{ ref('import_concentration') }}

),

monthly_imports as (

    select
        source,
        reporter_iso3 as importer_iso3,
        commodity_code,
        is_basket,
        period_start,
        value_usd
    from {{ ref('reported_flows') }}
    where flow = 'import' and frequency = 'M'

),

baskets as (

    select distinct
        source,
        commodity_code as mineral_group
    from {{ ref('reported_flows') }}
    where is_basket

),

group_codes as (

    select
        mineral_group,
        list(distinct hs6_code order by hs6_code) as hs6_codes
    from {{ ref('mineral_group_codes') }}
    group by mineral_group

),

precedence as (

    select * from {{ ref('seed_source_precedence') }}
    where purpose = 'trade'

),

-- A list of the largest flows does not say what an importer bought, nor what the world exported.
slices as (

    select
        slices.source,
        slices.hs6_code,
        slices.period_start,
        slices.snapshot_id,
        precedence.rank as precedence_rank
    from {{ ref('int_trade__choose_reconciled_slices') }} as slices
    left join precedence on slices.source = precedence.source
    where not coalesce(precedence.is_cut_list, false)

),

flows as (

    select * from {{ ref('int_trade__choose_reconciled_flows') }}

),

targets as (

    select distinct
        restrictions.clause_id,
        restrictions.implementer_iso3,
        restrictions.announced_date,
        economies.economy_iso3 as importer_iso3
    from restrictions
    inner join economies
        on
            restrictions.target_iso3 in ('ALL', economies.economy_iso3)
            or (restrictions.target_iso3 = 'EU27' and economies.is_eu27)
    where economies.economy_iso3 <> restrictions.implementer_iso3

),

published_months as (

    select distinct
        source,
        importer_iso3,
        period_start
    from monthly_imports

),

listed_commodities as (

    select distinct
        source,
        importer_iso3,
        commodity_code,
        is_basket
    from monthly_imports

),

traded_months as (

    select distinct
        source,
        importer_iso3,
        commodity_code,
        is_basket,
        period_start
    from monthly_imports
    where value_usd is distinct from 0

),

-- Whoever published the twelve complete months before the month of the announcement.
monthly_windows as (

    select
        targets.clause_id,
        targets.implementer_iso3,
        targets.importer_iso3,
        published_months.source,
        min(published_months.period_start) as first_month
    from targets
    inner join published_months
        on
            targets.importer_iso3 = published_months.importer_iso3
            and published_months.period_start < date_trunc('month', targets.announced_date)
            and published_months.period_start
            >= date_trunc('month', targets.announced_date) - interval 12 month
    group by all
    having count(*) = 12

),

-- Of a code that a source never has, it is not known that nothing was imported.
monthly_commodities as (

    select
        monthly_windows.*,
        restrictions.commodity_code,
        restrictions.mineral_group,
        restrictions.is_basket
    from monthly_windows
    inner join restrictions on monthly_windows.clause_id = restrictions.clause_id
    inner join listed_commodities as listed
        on
            monthly_windows.source = listed.source
            and monthly_windows.importer_iso3 = listed.importer_iso3
            and restrictions.commodity_code = listed.commodity_code
            and restrictions.is_basket = listed.is_basket

),

months as (

    select
        *,
        cast(
            unnest(
                generate_series(first_month, first_month + interval 11 month, interval 1 month)
            ) as date
        ) as period_start
    from monthly_commodities

),

-- The last full year before the announcement, and the one before it.
years as (

    select
        restrictions.*,
        gaps.gap_years,
        make_date(
            cast(extract(year from restrictions.announced_date) as integer) - 1 - gaps.gap_years,
            1,
            1
        ) as period_start
    from restrictions
    cross join (values (0), (1)) as gaps (gap_years)

),

periods as (

    select
        mineral_group,
        'M' as frequency,
        period_start,
        implementer_iso3
    from months
    union distinct
    select
        mineral_group,
        'A' as frequency,
        period_start,
        implementer_iso3
    from years

),

totals as (

    select
        concentration.importer_iso3,
        concentration.mineral_group,
        concentration.frequency,
        concentration.period_start,
        concentration.total_amount,
        concentration.source,
        concentration.snapshot_ids
    from concentration
    left join precedence on concentration.source = precedence.source
    where
        concentration.measure = 'value_usd'
        and not coalesce(precedence.is_cut_list, false)
        and exists (
            select 1 from periods
            where
                concentration.mineral_group = periods.mineral_group
                and concentration.frequency = periods.frequency
                and concentration.period_start = periods.period_start
        )

),

supplies as (

    select
        shares.importer_iso3,
        shares.mineral_group,
        shares.frequency,
        shares.period_start,
        shares.supplier_iso3,
        shares.source,
        max(shares.amount) filter (where shares.measure = 'value_usd') as value_usd,
        max(shares.amount) filter (where shares.measure = 'net_weight_kg') as net_weight_kg
    from shares
    inner join periods
        on
            shares.supplier_iso3 = periods.implementer_iso3
            and shares.mineral_group = periods.mineral_group
            and shares.frequency = periods.frequency
            and shares.period_start = periods.period_start
    group by all

),

-- A published month without a flow is zero. One of another source, or one with a flow and without
-- a total, is not known.
monthly as (

    select
        months.clause_id,
        months.importer_iso3,
        months.commodity_code,
        'M' as frequency,
        months.first_month as baseline_from,
        last_day(max(months.period_start)) as baseline_to,
        0 as gap_years,
        {{ sum_in_order('coalesce(supplies.value_usd, 0)') }} as value_usd,
        case
            when bool_and(supplies.net_weight_kg is not null or coalesce(supplies.value_usd, 0) = 0)
                then {{ sum_in_order('coalesce(supplies.net_weight_kg, 0)') }}
        end as net_weight_kg,
        {{ sum_in_order('coalesce(totals.total_amount, 0)') }} as total_usd,
        months.source,
        coalesce({{ union_of_snapshots('totals.snapshot_ids') }}, []) as snapshot_ids
    from months
    left join totals
        on
            months.importer_iso3 = totals.importer_iso3
            and months.mineral_group = totals.mineral_group
            and totals.frequency = 'M'
            and months.period_start = totals.period_start
    left join supplies
        on
            months.importer_iso3 = supplies.importer_iso3
            and months.mineral_group = supplies.mineral_group
            and supplies.frequency = 'M'
            and months.period_start = supplies.period_start
            and months.implementer_iso3 = supplies.supplier_iso3
            and months.source = supplies.source
    left join traded_months as traded
        on
            months.source = traded.source
            and months.importer_iso3 = traded.importer_iso3
            and months.commodity_code = traded.commodity_code
            and months.is_basket = traded.is_basket
            and months.period_start = traded.period_start
    group by all
    having
        bool_and(
            case
                when totals.source is null then traded.source is null
                else months.source = totals.source
            end
        )

),

-- A year in which a reconciler of all the world's trade has the code is published for everyone.
reconciled_years as (

    select distinct
        years.clause_id,
        years.commodity_code,
        years.gap_years
    from years
    inner join slices
        on years.commodity_code = slices.hs6_code and years.period_start = slices.period_start

),

years_of_importers as (

    select
        years.clause_id,
        targets.importer_iso3,
        years.commodity_code,
        years.mineral_group,
        years.implementer_iso3,
        years.period_start,
        years.gap_years,
        totals.total_amount,
        totals.source,
        totals.snapshot_ids
    from years
    inner join targets on years.clause_id = targets.clause_id
    inner join totals
        on
            targets.importer_iso3 = totals.importer_iso3
            and years.mineral_group = totals.mineral_group
            and totals.frequency = 'A'
            and years.period_start = totals.period_start
    left join baskets
        on years.mineral_group = baskets.mineral_group and totals.source = baskets.source
    left join reconciled_years
        on
            years.clause_id = reconciled_years.clause_id
            and years.commodity_code = reconciled_years.commodity_code
            and years.gap_years > reconciled_years.gap_years
    where
        reconciled_years.clause_id is null
        -- A sum of codes says no more than they do: only what a publisher prints as one figure.
        and years.is_basket = (baskets.source is not null)
    qualify
        row_number() over (
            partition by years.clause_id, targets.importer_iso3, years.commodity_code
            order by years.gap_years
        ) = 1

),

annual as (

    select
        years_of_importers.clause_id,
        years_of_importers.importer_iso3,
        years_of_importers.commodity_code,
        'A' as frequency,
        years_of_importers.period_start as baseline_from,
        cast(years_of_importers.period_start + interval 1 year - interval 1 day as date)
            as baseline_to,
        years_of_importers.gap_years,
        coalesce(supplies.value_usd, 0) as value_usd,
        supplies.net_weight_kg,
        years_of_importers.total_amount as total_usd,
        years_of_importers.source,
        years_of_importers.snapshot_ids
    from years_of_importers
    left join supplies
        on
            years_of_importers.importer_iso3 = supplies.importer_iso3
            and years_of_importers.mineral_group = supplies.mineral_group
            and supplies.frequency = 'A'
            and years_of_importers.period_start = supplies.period_start
            and years_of_importers.implementer_iso3 = supplies.supplier_iso3
            and years_of_importers.source = supplies.source

),

known as (

    select * from monthly
    union all by name
    select * from annual

),

-- Months go before a year, also where they say that nothing came.
baselines as (

    select
        known.*,
        restrictions.implementer_iso3,
        restrictions.is_basket,
        restrictions.hs6_codes,
        restrictions.control_share_low,
        restrictions.control_share_high,
        restrictions.snapshot_ids as clause_snapshot_ids
    from known
    inner join restrictions
        on
            known.clause_id = restrictions.clause_id
            and known.commodity_code = restrictions.commodity_code
    qualify
        row_number() over (
            partition by known.clause_id, known.importer_iso3, known.commodity_code
            order by known.frequency desc, known.value_usd desc, known.source asc
        ) = 1

),

codes_of_baskets as (

    select
        clause_id,
        importer_iso3,
        commodity_code,
        frequency,
        unnest(hs6_codes) as hs6_code
    from baselines
    where is_basket

),

-- A basket and its codes are the same trade: codes go before the basket, and months of the basket
-- before years of the codes.
baskets_known_by_code as (

    select
        codes_of_baskets.clause_id,
        codes_of_baskets.importer_iso3,
        codes_of_baskets.commodity_code
    from codes_of_baskets
    left join baselines
        on
            codes_of_baskets.clause_id = baselines.clause_id
            and codes_of_baskets.importer_iso3 = baselines.importer_iso3
            and codes_of_baskets.hs6_code = baselines.commodity_code
            and codes_of_baskets.frequency <= baselines.frequency
    left join reconciled_years
        on
            codes_of_baskets.clause_id = reconciled_years.clause_id
            and codes_of_baskets.hs6_code = reconciled_years.commodity_code
            and codes_of_baskets.frequency = 'A'
    group by
        codes_of_baskets.clause_id, codes_of_baskets.importer_iso3, codes_of_baskets.commodity_code
    having
        bool_or(coalesce(baselines.value_usd, 0) > 0)
        or bool_and(baselines.clause_id is not null or reconciled_years.clause_id is not null)

),

codes_known_by_basket as (

    select
        codes_of_baskets.clause_id,
        codes_of_baskets.importer_iso3,
        codes_of_baskets.hs6_code as commodity_code
    from codes_of_baskets
    anti join baskets_known_by_code
        on
            codes_of_baskets.clause_id = baskets_known_by_code.clause_id
            and codes_of_baskets.importer_iso3 = baskets_known_by_code.importer_iso3
            and codes_of_baskets.commodity_code = baskets_known_by_code.commodity_code

),

exposed as (

    select
        baselines.*,
        -- Never more than all of it, by rounding.
        least(1, baselines.value_usd / baselines.total_usd) as baseline_share,
        coalesce(group_codes.hs6_codes, baselines.hs6_codes) as codes_of_commodity,
        make_date(cast(extract(year from baselines.baseline_to) as integer), 1, 1) as world_year
    from baselines
    left join group_codes
        on baselines.is_basket and baselines.commodity_code = group_codes.mineral_group
    anti join baskets_known_by_code
        on
            baselines.clause_id = baskets_known_by_code.clause_id
            and baselines.importer_iso3 = baskets_known_by_code.importer_iso3
            and baselines.commodity_code = baskets_known_by_code.commodity_code
    anti join codes_known_by_basket
        on
            baselines.clause_id = codes_known_by_basket.clause_id
            and baselines.importer_iso3 = codes_known_by_basket.importer_iso3
            and baselines.commodity_code = codes_known_by_basket.commodity_code
    where baselines.value_usd > 0

),

wanted as (

    select distinct
        codes_of_commodity,
        world_year,
        source
    from exposed

),

-- World exports: of the year of the baseline or the latest before it, by the baseline's own source
-- where it has them.
worlds as (

    select
        wanted.codes_of_commodity,
        wanted.world_year,
        wanted.source,
        slices.source as world_source,
        slices.period_start as capacity_year,
        {{ snapshots_of('slices.snapshot_id') }} as snapshot_ids
    from wanted
    inner join slices
        on
            list_contains(wanted.codes_of_commodity, slices.hs6_code)
            and wanted.world_year >= slices.period_start
    group by
        wanted.codes_of_commodity,
        wanted.world_year,
        wanted.source,
        slices.source,
        slices.period_start
    having count(distinct slices.hs6_code) = len(wanted.codes_of_commodity)
    qualify
        row_number() over (
            partition by wanted.codes_of_commodity, wanted.world_year, wanted.source
            order by
                slices.source = wanted.source desc,
                slices.period_start desc,
                min(slices.precedence_rank) asc nulls last,
                slices.source asc
        ) = 1

),

codes_of_worlds as (

    select
        *,
        unnest(codes_of_commodity) as hs6_code
    from worlds

),

exports as (

    select
        source,
        hs6_code,
        period_start,
        exporter_iso3,
        {{ sum_in_order('value_usd') }} as value_usd
    from flows
    where
        exists (
            select 1 from codes_of_worlds
            where
                flows.source = codes_of_worlds.world_source
                and flows.hs6_code = codes_of_worlds.hs6_code
                and flows.period_start = codes_of_worlds.capacity_year
        )
    group by source, hs6_code, period_start, exporter_iso3

),

-- An importer cannot supply itself: its own exports are no capacity of others.
capacities as (

    select
        exposed.clause_id,
        exposed.importer_iso3,
        exposed.commodity_code,
        codes_of_worlds.capacity_year,
        codes_of_worlds.snapshot_ids,
        {{ sum_in_order('exports.value_usd') }} as value_usd,
        {{ sum_in_order('exports.value_usd') }} filter (
            where exports.exporter_iso3 <> exposed.implementer_iso3
        ) as value_of_others_usd
    from exposed
    inner join codes_of_worlds
        on
            exposed.codes_of_commodity = codes_of_worlds.codes_of_commodity
            and exposed.world_year = codes_of_worlds.world_year
            and exposed.source = codes_of_worlds.source
    inner join exports
        on
            codes_of_worlds.world_source = exports.source
            and codes_of_worlds.hs6_code = exports.hs6_code
            and codes_of_worlds.capacity_year = exports.period_start
            and exposed.importer_iso3 <> exports.exporter_iso3
    group by all

)

select
    exposed.clause_id,
    exposed.importer_iso3,
    exposed.commodity_code,
    exposed.is_basket,
    exposed.codes_of_commodity as hs6_codes,
    exposed.frequency as baseline_frequency,
    exposed.baseline_from,
    exposed.baseline_to,
    exposed.gap_years as baseline_gap_years,
    exposed.value_usd as baseline_value_usd,
    exposed.net_weight_kg as baseline_weight_kg,
    exposed.baseline_share,
    exposed.control_share_low,
    exposed.control_share_high,
    exposed.control_share_low * exposed.value_usd as exposed_value_low_usd,
    exposed.control_share_high * exposed.value_usd as exposed_value_high_usd,
    exposed.control_share_low * exposed.baseline_share as exposed_share_low,
    exposed.control_share_high * exposed.baseline_share as exposed_share_high,
    coalesce(capacities.value_of_others_usd, 0) / capacities.value_usd
        as other_supplier_capacity_share,
    cast(extract(year from capacities.capacity_year) as integer) as capacity_year,
    exposed.source,
    {{
        snapshots_together(
            ['exposed.clause_snapshot_ids', 'exposed.snapshot_ids', 'capacities.snapshot_ids']
        )
    }} as snapshot_ids
from exposed
left join capacities
    on
        exposed.clause_id = capacities.clause_id
        and exposed.importer_iso3 = capacities.importer_iso3
        and exposed.commodity_code = capacities.commodity_code
