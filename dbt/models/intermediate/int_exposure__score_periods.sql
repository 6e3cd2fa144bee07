{# Warnings and their backtest read it: computed once, as a table. #}
{{ config(materialized='table') }}

with figures as (

    select * from {{ ref('int_exposure__list_watched_figures') }}

),

-- The comparable periods are one and two years earlier: for a month the same ones of the calendar.
with_comparables as (

    select
        *,
        (
            max(figure) over a_year_before + max(figure) over two_years_before
        ) / 2 as comparable,
        lag(snapshot_ids) over periods as snapshot_ids_before,
        {{ warning_window('frequency') }} as look_back
    from figures
    window
        periods as (
            partition by
                source, importer_iso3, supplier_iso3, commodity_code, frequency, unit, era
            order by period_start
        ),
        a_year_before as (
            partition by
                source, importer_iso3, supplier_iso3, commodity_code, frequency, unit, era
            order by period_start
            range between interval 1 year preceding and interval 1 year preceding
        ),
        two_years_before as (
            partition by
                source, importer_iso3, supplier_iso3, commodity_code, frequency, unit, era
            order by period_start
            range between interval 2 year preceding and interval 2 year preceding
        )

),

readings as (

    select
        *,
        look_back + interval 2 year as read_back,
        {{ as_read('figure', 'is_share') }} as level_reading,
        case
            when is_share then figure - comparable
            when comparable > 0 then {{ as_read('figure / comparable', 'false') }}
        end as change_reading,
        -- Most periods of a series are from the snapshots of the one before.
        nullif(snapshot_ids, snapshot_ids_before) as other_snapshot_ids
    from with_comparables

),

histories as (

    select
        *,
        count(change_reading) over periods_before as changes,
        median(change_reading) over periods_before as median_change,
        mad(change_reading) over periods_before as mad_of_changes,
        count(level_reading) over periods_before as levels,
        median(level_reading) over periods_before as median_level,
        mad(level_reading) over periods_before as mad_of_levels,
        list(other_snapshot_ids) filter (where other_snapshot_ids is not null) over periods_read
            as other_snapshots_before,
        first_value(snapshot_ids) over periods_read as first_snapshots_before
    from readings
    window
        -- The first period that is looked at has comparable ones of two years before.
        periods_read as (
            partition by
                source, importer_iso3, supplier_iso3, commodity_code, frequency, unit, era
            order by period_start
            range between read_back preceding
            and interval 1 day preceding
        ),
        periods_before as (
            partition by
                source, importer_iso3, supplier_iso3, commodity_code, frequency, unit, era
            order by period_start
            range between look_back preceding
            and interval 1 day preceding
        )

),

-- Changes against the comparable periods where there are enough of them, else the plain figures.
with_basis as (

    select
        *,
        case
            when
                change_reading is not null
                and changes >= {{ least_observations('frequency') }}
                then 'comparable_periods'
            else 'periods_before'
        end as basis
    from histories

),

usual as (

    select
        *,
        case basis when 'comparable_periods' then changes else levels end as observations,
        case basis when 'comparable_periods' then change_reading else level_reading end as reading,
        case basis when 'comparable_periods' then median_change else median_level end
            as median_reading,
        case basis when 'comparable_periods' then mad_of_changes else mad_of_levels end
            as mad_of_readings
    from with_basis

),

-- Where nothing was traded in half of the periods, nothing is usual.
scored as (

    select
        *,
        is_large
        and observations >= {{ least_observations('frequency') }}
        and isfinite(median_reading)
        and isfinite(mad_of_readings) as is_scored,
        {{ usual_spread('mad_of_readings', 'is_share') }} as spread
    from usual

),

judged as (

    select
        *,
        case signal
            when 'volume_drop' then median_reading - reading
            else reading - median_reading
        end as distance,
        {{ warning_distance('signal', 'spread') }} as distance_of_warning
    from scored
    qualify
        row_number() over (
            partition by
                source,
                importer_iso3,
                supplier_iso3,
                commodity_code,
                frequency,
                period_start,
                signal
            order by is_scored desc, preference asc
        ) = 1

),

in_units as (

    select
        *,
        case when basis = 'comparable_periods' and not is_share then comparable else 1 end
            as factor,
        case when basis = 'comparable_periods' and is_share then comparable else 0 end
            as addend
    from judged

)

select
    source,
    importer_iso3,
    supplier_iso3,
    commodity_code,
    frequency,
    period_start,
    signal,
    unit,
    cast(figure as double) as value,
    basis,
    cast(observations as integer) as observations,
    case
        when is_scored
            then addend + factor * {{ as_printed('median_reading', 'is_share') }}
    end as usual,
    case when is_scored then spread end as spread,
    case
        when is_scored
            then
                addend
                + factor
                * {{
                    as_printed(
                        'median_reading + ' ~ warning_direction('signal') ~ ' * distance_of_warning',
                        'is_share'
                    )
                }}
    end as threshold,
    -- Nothing traded is more than any number of spreads below.
    case when is_scored and isfinite(distance) then distance / spread end as scaled_mads,
    case when is_scored then distance >= distance_of_warning end as has_fired,
    top_supplier_iso3,
    is_provisional,
    {{
        union_of(
            'coalesce(other_snapshots_before, []) || [coalesce(first_snapshots_before, []), snapshot_ids]'
        )
    }} as snapshot_ids
from in_units
