{{ config(materialized='table') }}

with recursive pairs as (

    select * from {{ ref('int_trade__pair_reports') }}

),

gaps as (

    select
        year,
        exporter_iso3,
        importer_iso3,
        ln(exporter_usd / importer_fob_usd) as gap_ln
    from pairs
    where exporter_usd is not null and importer_usd is not null

),

-- A reporter has one error over both its roles.
reports as (

    select
        year,
        exporter_iso3 as reporter_iso3,
        gap_ln,
        true as is_export
    from gaps
    union all
    select
        year,
        importer_iso3 as reporter_iso3,
        -gap_ln as gap_ln,
        false as is_export
    from gaps

),

hubs as (

    select
        year,
        reporter_iso3
    from reports
    where is_export
    group by year, reporter_iso3
    having
        count(*) >= {{ reconciliation('hub_least_pairs') }}
        and median(gap_ln) > ln({{ reconciliation('hub_ratio') }})

),

-- What a hub exports is of others: it says nothing about the level of its reports.
levels as (

    select
        reports.year,
        reports.reporter_iso3,
        any_value(hubs.year) is not null as is_hub,
        count(*) filter (where hubs.year is null or not reports.is_export) as pairs,
        median(reports.gap_ln) filter (where hubs.year is null or not reports.is_export)
            as level_ln
    from reports
    left join hubs
        on reports.year = hubs.year and reports.reporter_iso3 = hubs.reporter_iso3
    group by reports.year, reports.reporter_iso3

),

reporters as (

    select
        year,
        reporter_iso3,
        case
            when
                pairs >= {{ reconciliation('level_least_pairs') }}
                and abs(level_ln) > ln({{ reconciliation('level_ratio') }})
                then level_ln
            else 0
        end as correction_ln,
        is_hub
    from levels

),

corrected as (

    select
        gaps.year,
        gaps.exporter_iso3,
        gaps.importer_iso3,
        abs(gaps.gap_ln - exporters.correction_ln + importers.correction_ln) as gap_ln
    from gaps
    inner join reporters as exporters
        on gaps.year = exporters.year and gaps.exporter_iso3 = exporters.reporter_iso3
    inner join reporters as importers
        on gaps.year = importers.year and gaps.importer_iso3 = importers.reporter_iso3

),

-- All that the estimate depends on: how many flows two reporters share, and how far they are apart.
partners as materialized (

    select
        year,
        reporter_iso3,
        partner_iso3,
        cast(count(*) as double) as pairs,
        sum(gap_ln) as gaps_ln
    from (
        select
            year,
            exporter_iso3 as reporter_iso3,
            importer_iso3 as partner_iso3,
            gap_ln
        from corrected
        union all
        select
            year,
            importer_iso3 as reporter_iso3,
            exporter_iso3 as partner_iso3,
            gap_ln
        from corrected
    ) as both_directions
    group by year, reporter_iso3, partner_iso3

),

-- The mean size of a gap of two reports whose errors have the variances s is sqrt(s + s). Reports
-- that are all equal have the least error, for weights are ratios of errors.
priors as materialized (

    select
        year,
        greatest(
            pow(sum(gaps_ln) / sum(pairs), 2) / 2, {{ reconciliation('least_variance') }}
        ) as variance
    from partners
    group by year

),

-- Expectation and maximisation of Laplace errors: each step divides the gaps between both sides.
estimates as (

    select
        0 as step,
        reporters.year,
        reporters.reporter_iso3,
        priors.variance
    from reporters
    inner join priors on reporters.year = priors.year
    union all
    select
        any_value(own.step) + 1 as step,
        partners.year,
        partners.reporter_iso3,
        (
            sum(
                pow(own.variance / (own.variance + others.variance), 2)
                * sqrt(own.variance + others.variance) * partners.gaps_ln
                + partners.pairs * own.variance * others.variance
                / (own.variance + others.variance)
            ) + {{ reconciliation('prior_pairs') }} * any_value(priors.variance)
        ) / (sum(partners.pairs) + {{ reconciliation('prior_pairs') }}) as variance
    from estimates as own
    inner join partners
        on own.year = partners.year and own.reporter_iso3 = partners.reporter_iso3
    inner join estimates as others
        on partners.year = others.year and partners.partner_iso3 = others.reporter_iso3
    inner join priors on partners.year = priors.year
    where own.step < {{ reconciliation('steps') }}
    group by partners.year, partners.reporter_iso3

)

select
    reporters.year,
    reporters.reporter_iso3,
    reporters.correction_ln,
    reporters.is_hub,
    estimates.variance,
    estimates.variance + pow(reporters.correction_ln, 2) as error_variance
from reporters
inner join estimates
    on
        reporters.year = estimates.year
        and reporters.reporter_iso3 = estimates.reporter_iso3
        and estimates.step = {{ reconciliation('steps') }}
