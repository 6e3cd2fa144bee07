with scored_periods as (

    select * from {{ ref('int_exposure__score_periods') }}

),

of_clauses as (

    select * from {{ ref('int_exposure__warn_of_clauses') }}

),

economies as (

    select * from {{ ref('economies') }}

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
