with breaks as (

    select * from {{ ref('seed_nomenclature_breaks') }}

),

reconciled as (

    select
        source,
        null as importer_iso3,
        hs6_code,
        'A' as frequency,
        period_start,
        hs_revision
    from {{ ref('int_trade__choose_reconciled_slices') }}

),

reported as (

    select
        source,
        reporter_iso3 as importer_iso3,
        commodity_code as hs6_code,
        frequency,
        period_start,
        max(hs_revision) as hs_revision
    from {{ ref('int_trade__select_latest_flows') }}
    where
        not is_basket
        and flow = 'import'
        and commodity_code in (select breaks.hs6_code from breaks)
    group by source, reporter_iso3, commodity_code, frequency, period_start

),

given as (

    select * from reconciled
    union all
    select * from reported

),

counted as (

    select
        given.source,
        given.importer_iso3,
        given.hs6_code,
        given.frequency,
        given.period_start,
        given.hs_revision,
        {{ breaks_passed('breaks', 'given.hs_revision', 'extract(year from given.period_start)') }}
            as breaks_passed
    from given
    inner join breaks on given.hs6_code = breaks.hs6_code
    group by
        given.source,
        given.importer_iso3,
        given.hs6_code,
        given.frequency,
        given.period_start,
        given.hs_revision

)

select
    source,
    importer_iso3,
    hs6_code,
    frequency,
    period_start,
    hs_revision,
    cast(breaks_passed as integer) as breaks_passed
from counted
