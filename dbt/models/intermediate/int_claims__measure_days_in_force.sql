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
    from {{ ref('int_exposure__expand_scope') }} as scope
    inner join group_codes on scope.hs6_code = group_codes.hs6_code

),

days_in_force as (

    select
        clause_id,
        valid_from,
        valid_to
    from {{ ref('int_exposure__build_status_intervals') }}
    where status = 'in_force'

),

economies as (

    select
        economy_iso3,
        name
    from {{ ref('economies') }}

),

-- Without any measure of the economy's on the minerals nothing is known of it.
testable as (

    select distinct claims.*
    from claims
    inner join clauses on claims.implementer_iso3 = clauses.implementer_iso3
    inner join scope
        on
            clauses.clause_id = scope.clause_id
            and claims.mineral_group = scope.mineral_group

),

-- Measures aimed at the economy in particular are told apart from those aimed at everyone.
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
        aim_iso3,
        quarter,
        min(day) as first_day,
        max(day) as last_day,
        min(day) filter (where clause_id is not null) as first_restricted_day,
        count(distinct day) as all_days,
        count(distinct day) filter (where clause_id is not null) as restricted_days,
        string_agg(distinct clause_id, ', ' order by clause_id) as clause_ids
    from restricted
    group by claim_id, aim_iso3, quarter

),

evidence as (

    select
        quarters.claim_id,
        quarters.aim_iso3 || ' ' || quarters.quarter as basis,
        quarters.restricted_days / quarters.all_days as computed_value,
        case
            when quarters.aim_iso3 = 'ALL' then 'measures against all economies'
            else
                'measures against '
                || coalesce(economies.name, quarters.aim_iso3)
                || ' in particular'
        end
        || ' in '
        || case
            when month(quarters.first_day) = month(quarters.last_day) then ''
            else strftime(quarters.first_day, '%B to ')
        end
        || strftime(quarters.last_day, '%B %Y')
        || ' (in force on '
        || quarters.restricted_days
        || ' of '
        || quarters.all_days
        || ' days'
        || case
            when quarters.first_restricted_day > quarters.first_day
                then ', from ' || quarters.first_restricted_day
            else ''
        end
        || coalesce(': ' || quarters.clause_ids, '')
        || ')' as finding
    from quarters
    left join economies on quarters.aim_iso3 = economies.economy_iso3

)

select * from evidence
