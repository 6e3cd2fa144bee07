with episodes as (

    select * from {{ ref('seed_warning_episodes') }}

),

clauses as (

    select * from {{ ref('int_exposure__select_known_clauses') }}

),

scored_periods as (

    select
        *,
        {{ day_after_period('period_start', 'frequency') }} as complete_on
    from {{ ref('int_exposure__score_periods') }}

),

signals as (

    select unnest(['volume_drop', 'price_surge', 'concentration_jump']) as signal

),

-- Only clauses known by the day of the build; one without a day of effect counts from its
-- announcement.
cases as (

    select
        episodes.*,
        signals.signal,
        clauses.announced_date,
        coalesce(clauses.effective_date, clauses.announced_date) as effective_date,
        clauses.snapshot_id as clause_snapshot_id,
        {{ watched_from('clauses.announced_date') }} as watched_from,
        {{ watched_to('coalesce(clauses.effective_date, clauses.announced_date)') }} as watched_to
    from episodes
    inner join clauses on episodes.clause_id = clauses.clause_id
    cross join signals

),

periods as (

    select
        cases.episode,
        cases.signal,
        scored_periods.source,
        scored_periods.period_start,
        scored_periods.complete_on,
        scored_periods.observations,
        scored_periods.has_fired,
        scored_periods.snapshot_ids,
        -- A period is watched from the first that is complete within the time.
        scored_periods.complete_on > cases.watched_from
        and scored_periods.period_start <= cases.watched_to as is_watched,
        scored_periods.complete_on <= cases.effective_date as is_before_effect,
        scored_periods.period_start >= cases.quiet_from
        and scored_periods.complete_on <= cases.quiet_to + interval 1 day as is_quiet,
        (is_watched or is_quiet) and scored_periods.has_fired is not null as is_used
    from cases
    inner join scored_periods
        on
            cases.importer_iso3 = scored_periods.importer_iso3
            and cases.supplier_iso3 = scored_periods.supplier_iso3
            and cases.commodity_code = scored_periods.commodity_code
            and cases.frequency = scored_periods.frequency
            and cases.signal = scored_periods.signal

),

by_case as (

    select
        episode,
        signal,
        min(period_start) filter (where is_watched and has_fired) as first_fired,
        min(complete_on) filter (where is_watched and has_fired) as first_complete_on,
        count(*) filter (where is_watched and is_before_effect and has_fired is not null)
            as judged_before_effect,
        max(observations) filter (where is_watched and is_before_effect) as observations,
        count(*) filter (where is_watched and is_before_effect) as figures_before_effect,
        count(*) filter (where is_quiet and has_fired) as false_alarms_in_quiet_years,
        count(*) filter (where is_quiet and has_fired is not null) as quiet_periods,
        list(distinct source order by source) filter (where is_used) as sources,
        list(snapshot_ids) filter (where is_watched or is_quiet) as lists_of_snapshots
    from periods
    group by episode, signal

),

judged as (

    select
        cases.*,
        by_case.first_fired,
        date_diff('day', by_case.first_complete_on, cases.effective_date) as days_before_effective,
        coalesce(by_case.false_alarms_in_quiet_years, 0) as false_alarms_in_quiet_years,
        coalesce(by_case.quiet_periods, 0) as quiet_periods,
        by_case.episode is not null as has_figures,
        coalesce(by_case.judged_before_effect, 0) as judged_before_effect,
        coalesce(by_case.figures_before_effect, 0) as figures_before_effect,
        by_case.observations,
        array_to_string(by_case.sources, ', ') as source,
        flatten(coalesce(by_case.lists_of_snapshots, [])) as snapshot_ids,
        case
            when coalesce(by_case.judged_before_effect, 0) = 0 then 'not_testable'
            when by_case.first_complete_on <= cases.effective_date then 'fired'
            else 'missed'
        end as verdict
    from cases
    left join by_case
        on cases.episode = by_case.episode and cases.signal = by_case.signal

)

select
    episode,
    signal,
    clause_id,
    importer_iso3,
    supplier_iso3,
    commodity_code,
    frequency,
    announced_date,
    effective_date,
    first_fired,
    cast(days_before_effective as integer) as days_before_effective,
    cast(false_alarms_in_quiet_years as integer) as false_alarms_in_quiet_years,
    cast(quiet_periods as integer) as quiet_periods,
    quiet_from,
    quiet_to,
    verdict,
    {{ sentence('warnings.of_backtest', {
        'signal': 'signal',
        'supplier': "nullif(supplier_iso3, 'WLD')",
        'frequency': 'frequency',
        'verdict': 'verdict',
        'has_figures': 'has_figures',
        'first_fired': as_period('first_fired', 'frequency'),
        'days_before_effective': 'days_before_effective',
        'judged_before_effect': 'judged_before_effect',
        'figures_before_effect': 'figures_before_effect',
        'observations': 'observations',
        'least_observations': least_observations('frequency'),
    }) }} as reason,
    source,
    {{ snapshots_together(['[clause_snapshot_id]', 'snapshot_ids']) }} as snapshot_ids
from judged
