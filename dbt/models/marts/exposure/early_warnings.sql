with scored_periods as (

    select * from {{ ref('int_exposure__score_periods') }}

),

of_clauses as (

    select * from {{ ref('int_exposure__warn_of_clauses') }}

),

of_notices as (

    select * from {{ ref('int_exposure__warn_of_notices') }}

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
        {{ sentence('warnings.of_figure', {
            'signal': 'fired.signal',
            'commodity': 'fired.commodity_code',
            'importer': "case when fired.importer_iso3 <> 'WLD' then importers.name end",
            'supplier': "case when fired.supplier_iso3 <> 'WLD' then suppliers.name end",
            'first_supplier': 'first_suppliers.name',
            'period': as_period('fired.period_start', 'fired.frequency'),
            'frequency': 'fired.frequency',
            'value': 'fired.value',
            'usual': 'fired.usual',
            'threshold': 'fired.threshold',
            'unit': 'fired.unit',
            'observations': 'fired.observations',
            'basis': 'fired.basis',
        }) }} as explanation
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
    union all by name
    select * from of_notices

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
