with scored_periods as (

    select * from {{ ref('int_exposure__score_periods') }}

),

mineral_group_codes as (

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

measure_status as (

    select
        *,
        lead(status) over (partition by clause_id order by valid_from) as next_status
    from {{ ref('measure_status') }}

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

-- What becomes known, and what ends soon: a suspension that no other follows, or a term. A later
-- fact that is not known yet is not in a status. What is asked of goods that leave third countries
-- does not bear on trade with the economy that asks it.
clause_events as (

    select
        clause_id,
        'new_restriction' as signal,
        known_at as event_day,
        known_at as flows_before,
        cast(null as varchar) as status
    from clauses
    where direction = 'restrict' and reach is distinct from 'extraterritorial'
    union all
    select
        clauses.clause_id,
        'lapse_ahead' as signal,
        cast(measure_status.valid_to - interval 1 day as date) as event_day,
        {{ as_of_day() }} as flows_before,
        measure_status.status
    from clauses
    inner join measure_status on clauses.clause_id = measure_status.clause_id
    where
        clauses.direction in ('restrict', 'monitor')
        and clauses.reach is distinct from 'extraterritorial'
        and (
            (measure_status.status = 'suspended' and measure_status.next_status <> 'suspended')
            or (measure_status.status = 'in_force' and measure_status.next_status = 'ended')
        )
        and measure_status.valid_from <= {{ as_of_day() }}
        and measure_status.valid_to > {{ as_of_day() }}
        and measure_status.valid_to - interval 1 day
        <= {{ as_of_day() }} + interval {{ warning_rule('days_ahead') }} day

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

of_clauses as (

    select
        concerned.importer_iso3,
        concerned.commodity_code,
        'M' as frequency,
        cast(date_trunc('month', concerned.event_day) as date) as period_start,
        concerned.signal,
        concerned.clause_id,
        concerned.implementer_iso3 as supplier_iso3,
        {{ severity_of_supplier('concerned.share') }} as severity,
        case concerned.signal
            when 'lapse_ahead' then date_diff('day', {{ as_of_day() }}, concerned.event_day)
            else concerned.share
        end as value,
        case concerned.signal
            when 'lapse_ahead' then {{ warning_rule('days_ahead') }}
            else 0
        end as threshold,
        case concerned.signal when 'lapse_ahead' then 'days' else 'share_of_value' end as unit,
        concerned.source,
        concerned.is_provisional,
        concerned.all_snapshot_ids as snapshot_ids,
        case
            when concerned.signal = 'new_restriction'
                then
                    concerned.clause_id
                    || ' ('
                    || clauses.title
                    || ') was known on '
                    || cast(concerned.event_day as varchar)
                    || coalesce(
                        ' and took effect on ' || cast(clauses.effective_date as varchar), ''
                    )
            else
                case
                    when concerned.status = 'suspended' then 'The suspension of '
                    else 'The term of '
                end
                || concerned.clause_id
                || ' ('
                || clauses.title
                || ') ends on '
                || cast(concerned.event_day as varchar)
                || case date_diff('day', {{ as_of_day() }}, concerned.event_day)
                    when 0 then ', today'
                    when 1 then ', tomorrow'
                    else
                        ', in '
                        || date_diff('day', {{ as_of_day() }}, concerned.event_day)
                        || ' days'
                end
        end
        || '; '
        || case
            when concerned.share is null
                then
                    suppliers.name
                    || ' exported '
                    || {{ subject_in_words('concerned.commodity_code') }}
                    || ' to '
                    || {{ name_after_preposition('importers.name') }}
            else
                {{ percent_in_words('concerned.share') }}
                || ' by value of the '
                || {{ subject_in_words('concerned.commodity_code') }}
                || ' imported by '
                || {{ name_after_preposition('importers.name') }}
                || ' came from '
                || {{ name_after_preposition('suppliers.name') }}
        end
        || ' in '
        || {{
            period_in_words(as_period('concerned.flow_period', 'concerned.flow_frequency'))
        }}
        || '.' as explanation
    from concerned
    inner join clauses on concerned.clause_id = clauses.clause_id
    inner join economies as importers on concerned.importer_iso3 = importers.economy_iso3
    inner join economies as suppliers on concerned.implementer_iso3 = suppliers.economy_iso3

),

-- What the importer declares goes before what its suppliers do, and of these the gravest.
fired as (

    select *
    from scored_periods
    where has_fired
    qualify
        row_number() over (
            partition by importer_iso3, commodity_code, frequency, period_start, signal
            order by
                supplier_iso3 <> 'WLD' asc,
                scaled_mads desc nulls first,
                supplier_iso3 asc,
                source asc
        ) = 1

),

of_periods as (

    select
        fired.importer_iso3,
        fired.commodity_code,
        fired.frequency,
        fired.period_start,
        fired.signal,
        '' as clause_id,
        fired.supplier_iso3,
        case
            when fired.scaled_mads is null then 'high'
            else {{ severity_of_deviation('fired.scaled_mads') }}
        end as severity,
        fired.value,
        fired.threshold,
        fired.unit,
        fired.usual,
        fired.scaled_mads,
        fired.observations,
        fired.basis,
        fired.source,
        fired.is_provisional,
        fired.snapshot_ids,
        case when fired.supplier_iso3 = 'WLD' then 'Imports of ' else 'Exports of ' end
        || {{ subject_in_words('fired.commodity_code') }}
        || case
            when fired.supplier_iso3 = 'WLD'
                then ' by ' || {{ name_after_preposition('importers.name') }}
            when fired.importer_iso3 = 'WLD'
                then ' from ' || {{ name_after_preposition('suppliers.name') }}
            else
                ' from '
                || {{ name_after_preposition('suppliers.name') }}
                || ' to '
                || {{ name_after_preposition('importers.name') }}
        end
        || ' in '
        || {{ period_in_words(as_period('fired.period_start', 'fired.frequency')) }}
        || ': '
        || case fired.signal
            when 'concentration_jump'
                then
                    first_suppliers.name
                    || ' has '
                    || {{ warning_figure_in_words('fired.value', 'fired.unit') }}
                    || case fired.unit
                        when 'share_of_value' then ' by value'
                        else ' by weight'
                    end
                    || ', where '
                    || {{ warning_figure_in_words('fired.usual', 'fired.unit') }}
                    || ' is usual of the first supplier'
            else
                {{ warning_figure_in_words('fired.value', 'fired.unit') }}
                || case
                    when fired.signal = 'volume_drop' and fired.unit = 'usd'
                        then ' (no weight that can be judged)'
                    else ''
                end
                || ', '
                || printf('%.0f %%', 100 * abs(fired.value / fired.usual - 1))
                || case fired.signal when 'volume_drop' then ' below ' else ' above ' end
                || 'the usual '
                || {{ warning_figure_in_words('fired.usual', 'fired.unit') }}
        end
        || '; the limit is '
        || {{ warning_figure_in_words('fired.threshold', 'fired.unit') }}
        || ', from '
        || fired.observations
        || case fired.frequency when 'A' then ' years before' else ' months before' end
        || case fired.basis
            when 'comparable_periods'
                then
                    case fired.frequency
                        when 'A' then ', each compared with its two years before'
                        else ', each compared with the same month of its two years before'
                    end
            else ''
        end
        || '.' as explanation
    from fired
    inner join economies as importers on fired.importer_iso3 = importers.economy_iso3
    inner join economies as suppliers on fired.supplier_iso3 = suppliers.economy_iso3
    left join economies as first_suppliers
        on fired.top_supplier_iso3 = first_suppliers.economy_iso3

),

warnings as (

    select * from of_periods
    union all by name
    select * from of_clauses

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
    cast(value as double) as value,
    cast(threshold as double) as threshold,
    unit,
    cast(usual as double) as usual,
    cast(scaled_mads as double) as scaled_mads,
    basis,
    cast(observations as integer) as observations,
    explanation,
    source,
    is_provisional,
    snapshot_ids
from warnings
