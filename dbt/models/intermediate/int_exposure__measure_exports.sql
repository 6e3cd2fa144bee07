with list_windows as (

    select * from {{ ref('int_exposure__list_windows') }}
    where not is_basket and clause_id is not null

),

-- Every economy that restricts a commodity is measured in the windows of all of its clauses.
windows as (

    select distinct
        implementers.implementer_iso3,
        list_windows.commodity_code,
        list_windows.frequency,
        list_windows.baseline_from,
        list_windows.baseline_to
    from list_windows
    inner join list_windows as implementers
        on list_windows.commodity_code = implementers.commodity_code

),

importers as (

    select distinct importer_iso3
    from {{ ref('int_exposure__list_targets') }}

),

covered as (

    select * from {{ ref('int_exposure__list_covered_periods') }}
    where flow = 'export' and not is_basket

),

exports as (

    select * from {{ ref('int_exposure__list_exports') }}

),

eras as (

    select * from {{ ref('int_trade__number_eras') }}
    where flow = 'export'

),

largest_flows as (

    select flows.*
    from {{ ref('int_trade__choose_reconciled_flows') }} as flows
    semi join {{ ref('seed_source_precedence') }} as precedence
        on
            flows.source = precedence.source
            and precedence.purpose = 'trade'
            and precedence.is_cut_list
    where flows.value_usd > 0

),

last_reported as (

    select
        source,
        implementer_iso3,
        commodity_code,
        frequency,
        max(period_start) as period_start
    from exports
    group by source, implementer_iso3, commodity_code, frequency

),

-- Windows of which the economy that restricts reports its exports: by all their months, of the same
-- goods throughout, or as a year.
published as (

    select
        windows.implementer_iso3,
        windows.commodity_code,
        windows.baseline_from,
        windows.baseline_to,
        covered.source,
        covered.frequency
    from windows
    inner join covered
        on
            windows.implementer_iso3 = covered.reporter_iso3
            and windows.commodity_code = covered.commodity_code
            and covered.period_start between windows.baseline_from and windows.baseline_to
            and (covered.frequency = 'M' or windows.frequency = 'A')
    left join eras
        on
            covered.source = eras.source
            and covered.reporter_iso3 = eras.reporter_iso3
            and covered.commodity_code = eras.commodity_code
            and covered.period_start = eras.period_start
            and covered.frequency = 'M'
    group by
        windows.implementer_iso3,
        windows.commodity_code,
        windows.baseline_from,
        windows.baseline_to,
        covered.source,
        covered.frequency
    having
        covered.frequency = 'A'
        or (
            count(distinct covered.period_start) = 12 and count(distinct coalesce(eras.era, 0)) = 1
        )

),

-- A published period without a row of an importer is zero; a row without a value is not known.
reported as (

    select
        published.implementer_iso3,
        importers.importer_iso3,
        published.commodity_code,
        published.frequency,
        published.baseline_from,
        published.baseline_to,
        {{ sum_in_order('coalesce(exports.value_usd, 0)') }} as value_usd,
        case
            when bool_and(exports.net_weight_kg is not null or coalesce(exports.value_usd, 0) = 0)
                then {{ sum_in_order('coalesce(exports.net_weight_kg, 0)') }}
        end as net_weight_kg,
        published.source,
        'exports_only' as reason,
        any_value(last_reported.period_start) <= published.baseline_to as is_latest,
        coalesce({{ union_of_snapshots('exports.snapshot_ids') }}, []) as snapshot_ids
    from published
    inner join importers on published.implementer_iso3 <> importers.importer_iso3
    left join exports
        on
            published.source = exports.source
            and published.implementer_iso3 = exports.implementer_iso3
            and published.commodity_code = exports.commodity_code
            and published.frequency = exports.frequency
            and importers.importer_iso3 = exports.importer_iso3
            and exports.period_start between published.baseline_from and published.baseline_to
    left join last_reported
        on
            published.source = last_reported.source
            and published.implementer_iso3 = last_reported.implementer_iso3
            and published.commodity_code = last_reported.commodity_code
            and published.frequency = last_reported.frequency
    group by
        published.implementer_iso3,
        importers.importer_iso3,
        published.commodity_code,
        published.frequency,
        published.baseline_from,
        published.baseline_to,
        published.source
    having count(exports.source) = count(exports.value_usd)

),

-- What is not on a list of the largest flows may be anything.
listed as (

    select
        windows.implementer_iso3,
        largest_flows.importer_iso3,
        windows.commodity_code,
        windows.frequency,
        windows.baseline_from,
        windows.baseline_to,
        largest_flows.value_usd,
        case when largest_flows.net_weight_kg > 0 then largest_flows.net_weight_kg end
            as net_weight_kg,
        largest_flows.source,
        'largest_flows_only' as reason,
        true as is_latest,
        [largest_flows.snapshot_id] as snapshot_ids
    from windows
    inner join largest_flows
        on
            windows.implementer_iso3 = largest_flows.exporter_iso3
            and windows.commodity_code = largest_flows.hs6_code
            and windows.baseline_from = largest_flows.period_start
            and windows.frequency = 'A'

),

measured as (

    select * from reported
    union all by name
    select * from listed

)

select
    implementer_iso3,
    importer_iso3,
    commodity_code,
    false as is_basket,
    frequency,
    baseline_from,
    baseline_to,
    value_usd,
    net_weight_kg,
    source,
    reason,
    is_latest,
    snapshot_ids
from measured
