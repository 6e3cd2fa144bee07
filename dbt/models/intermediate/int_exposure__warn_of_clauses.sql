with mineral_group_codes as (

    select * from {{ ref('mineral_group_codes') }}

),

names_of_codes as (

    {{ names_of_codes('mineral_group_codes') }}

),

bounds as (

    select * from {{ ref('int_exposure__bound_code_shares') }}
    where commodity_code not in (select names_of_codes.mineral_group from names_of_codes)

),

clauses as (

    select * from {{ ref('int_exposure__select_known_clauses') }}

),

clause_events as (

    select * from {{ ref('int_exposure__list_clause_events') }}

),

exposed_groups as (

    select * from {{ ref('int_exposure__share_exposed_groups') }}

),

supplier_shares as (

    select * from {{ ref('supplier_shares') }}

),

monthly_supplies as (

    select * from {{ ref('int_trade__list_monthly_supplies') }}

),

economies as (

    select * from {{ ref('economies') }}

),

-- Commodities that an event bears on.
events as (

    select
        clause_events.*,
        bounds.implementer_iso3,
        bounds.target_iso3,
        bounds.commodity_code,
        bounds.snapshot_ids
    from clause_events
    inner join bounds on clause_events.clause_id = bounds.clause_id

),

-- What came from the economies that restrict: as importers have it, and else as these say.
flows as (

    select
        {{ commodity_of_group('mineral_group') }} as commodity_code,
        importer_iso3,
        supplier_iso3,
        frequency,
        period_start,
        share,
        source,
        is_provisional,
        snapshot_ids
    from supplier_shares
    where
        measure = 'value_usd'
        and supplier_iso3 in (select bounds.implementer_iso3 from bounds)
        and amount > 0
    union all
    select
        commodity_code,
        importer_iso3,
        supplier_iso3,
        'M' as frequency,
        period_start,
        null as share,
        source,
        is_provisional,
        snapshot_ids
    from monthly_supplies
    where
        flow = 'export'
        and importer_iso3 <> 'WLD'
        and coalesce(value_usd, net_weight_kg) > 0

),

-- Of several figures of an importer a share goes first, then a year, then the newest.
concerned as (

    select
        events.*,
        flows.importer_iso3,
        flows.frequency as flow_frequency,
        flows.period_start as flow_period,
        flows.share,
        flows.source,
        flows.is_provisional,
        {{ snapshots_together(['events.snapshot_ids', 'flows.snapshot_ids']) }} as all_snapshot_ids
    from events
    inner join flows
        on
            events.commodity_code = flows.commodity_code
            and events.implementer_iso3 = flows.supplier_iso3
            and {{ day_after_period('flows.period_start', 'flows.frequency') }}
            <= events.flows_before
            and flows.period_start
            >= date_trunc('month', events.flows_before)
            - interval {{ warning_rule('years_of_flows') }} year
    inner join economies on flows.importer_iso3 = economies.economy_iso3
    where
        events.target_iso3 in ('ALL', flows.importer_iso3)
        or (events.target_iso3 = 'EU27' and economies.is_eu27)
    qualify
        row_number() over (
            partition by
                events.clause_id, events.signal, events.commodity_code, flows.importer_iso3
            order by
                flows.share is null asc,
                flows.frequency asc,
                flows.period_start desc,
                flows.source asc
        ) = 1

),

-- Without a row nothing came in the baseline. What a text leaves out is not in a share.
concerned_shares as (

    select
        concerned.*,
        case
            when clauses.excludes is not null then null
            when exposed_groups.clause_id is null then 0
            else exposed_groups.exposed_share_high
        end as exposed_share_high
    from concerned
    inner join clauses on concerned.clause_id = clauses.clause_id
    left join exposed_groups
        on
            concerned.clause_id = exposed_groups.clause_id
            and concerned.importer_iso3 = exposed_groups.importer_iso3
            and concerned.commodity_code = exposed_groups.commodity_code

),

warnings as (

    select
        concerned.importer_iso3,
        concerned.commodity_code,
        'M' as frequency,
        cast(date_trunc('month', concerned.event_day) as date) as period_start,
        concerned.signal,
        concerned.clause_id,
        concerned.implementer_iso3 as supplier_iso3,
        {{ severity_of_share('concerned.exposed_share_high') }} as severity,
        case concerned.signal when 'new_restriction' then concerned.share else concerned.days end
            as value,
        case concerned.signal
            when 'lapse_ahead' then {{ warning_rule('days_ahead') }}
            when 'lapsed_unknown' then {{ warning_rule('days_since') }}
            else 0
        end as threshold,
        case concerned.signal when 'new_restriction' then 'share_of_value' else 'days' end as unit,
        concerned.source,
        concerned.is_provisional,
        concerned.all_snapshot_ids as snapshot_ids,
        {{ sentence('warnings.of_clause', {
            'signal': 'concerned.signal',
            'clause': 'concerned.clause_id',
            'title': 'clauses.title',
            'event': 'concerned.in_words',
            'share': 'concerned.share',
            'commodity': 'concerned.commodity_code',
            'importer': 'importers.name',
            'supplier': 'suppliers.name',
            'period': as_period('concerned.flow_period', 'concerned.flow_frequency'),
        }) }} as explanation
    from concerned_shares as concerned
    inner join clauses on concerned.clause_id = clauses.clause_id
    inner join economies as importers on concerned.importer_iso3 = importers.economy_iso3
    inner join economies as suppliers on concerned.implementer_iso3 = suppliers.economy_iso3

)

select
    importer_iso3,
    commodity_code,
    frequency,
    period_start,
    signal,
    clause_id,
    supplier_iso3,
    severity,
    value,
    threshold,
    unit,
    explanation,
    source,
    is_provisional,
    snapshot_ids
from warnings
