with claims as (

    select
        claim_id,
        supplier_iso3 as implementer_iso3,
        importer_iso3 as target_iso3,
        mineral_group,
        period_start,
        least(period_end, {{ as_of_day() }}) as period_end
    from {{ ref('stg_lake__claims') }}
    where test = 'measure_in_force'

),

clauses as (

    select
        source,
        clause_id,
        implementer_iso3,
        target_iso3,
        direction
    from {{ ref('int_exposure__select_known_clauses') }}

),

group_codes as (

    select distinct
        mineral_group,
        hs6_code
    from {{ ref('seed_mineral_group_codes') }}

),

scope as (

    select distinct
        scope.clause_id,
        group_codes.mineral_group
    from {{ ref('measure_scope') }} as scope
    inner join group_codes on scope.hs6_code = group_codes.hs6_code

),

days_in_force as (

    select
        clause_id,
        valid_from,
        valid_to
    from {{ ref('measure_status') }}
    where status = 'in_force'

),

-- Without any measure of the economy's on the minerals nothing is known of it.
testable as (

    select
        claims.claim_id,
        claims.implementer_iso3,
        claims.target_iso3,
        claims.mineral_group,
        claims.period_start,
        claims.period_end,
        string_agg(distinct clauses.source, ', ' order by clauses.source) as sources
    from claims
    inner join clauses on claims.implementer_iso3 = clauses.implementer_iso3
    inner join scope
        on
            clauses.clause_id = scope.clause_id
            and claims.mineral_group = scope.mineral_group
    group by all

),

-- Measures aimed at the economy in particular are counted apart from those aimed at everyone.
aims as (

    select
        testable.*,
        unnest([testable.target_iso3, 'ALL']) as aim_iso3
    from testable

),

days as (

    select
        aims.*,
        unnest(generate_series(aims.period_start, aims.period_end, interval 1 day)) as day
    from aims

),

restricted as (

    select
        days.claim_id,
        days.sources,
        days.mineral_group,
        days.aim_iso3,
        cast(date_trunc('quarter', days.day) as date) as quarter,
        cast(days.day as date) as day,
        days_in_force.clause_id
    from days
    left join clauses
        on
            days.implementer_iso3 = clauses.implementer_iso3
            and days.aim_iso3 = clauses.target_iso3
            and clauses.direction = 'restrict'
    left join scope
        on
            clauses.clause_id = scope.clause_id
            and days.mineral_group = scope.mineral_group
    left join days_in_force
        on
            scope.clause_id = days_in_force.clause_id
            and days.day >= days_in_force.valid_from
            and days.day < coalesce(days_in_force.valid_to, days.day + interval 1 day)

),

quarters as (

    select
        claim_id,
        sources,
        mineral_group,
        aim_iso3,
        quarter,
        min(day) as first_day,
        max(day) as last_day,
        min(day) filter (where clause_id is not null) as first_restricted_day,
        count(distinct day) as all_days,
        count(distinct day) filter (where clause_id is not null) as restricted_days,
        string_agg(distinct clause_id, ', ' order by clause_id) as clause_ids
    from restricted
    group by claim_id, sources, mineral_group, aim_iso3, quarter

),

evidence as (

    select
        claim_id,
        aim_iso3 || ' ' || quarter as basis,
        restricted_days / all_days as value,
        'share_of_days' as unit,
        {{ as_interval('first_day', 'last_day') }} as period,
        sources as source,
        mineral_group as subject,
        aim_iso3 as partner_iso3,
        restricted_days,
        all_days,
        first_restricted_day,
        clause_ids
    from quarters

)

select * from evidence
