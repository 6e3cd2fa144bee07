with scenario_changes as (

    select * from {{ ref('stg_lake__scenario_changes') }}

),

-- Of which groups a project adds all of it, since its buyers are not known.
without_known_buyers as (

    select
        project,
        scenario as relief_scenario,
        reason,
        list(distinct mineral_group) as mineral_groups
    from {{ ref('relief_scenarios') }}
    where reason = 'buyer_not_known'
    group by project, scenario, reason

),

change_texts as (

    select
        changes.scenario,
        changes.title,
        concat_ws(
            ' ',
            changes.kind,
            coalesce(changes.supplier_iso3, changes.clause_id),
            changes.to_supplier_iso3,
            {{ plain_number('changes.share') }},
            case when changes.project is null then {{ plain_number('changes.tonnes_low') }} end,
            case
                when changes.tonnes_high > changes.tonnes_low
                    then {{ plain_number('changes.tonnes_high') }}
            end,
            changes.project,
            changes.relief_scenario,
            without_known_buyers.reason,
            coalesce(
                strftime(changes.from_date, '%Y-%m'), cast(changes.effective_date as varchar)
            ),
            array_to_string(changes.mineral_groups, '+')
        ) as change_text
    from scenario_changes as changes
    left join without_known_buyers
        on
            changes.project = without_known_buyers.project
            and changes.relief_scenario = without_known_buyers.relief_scenario
            and list_has_any(changes.mineral_groups, without_known_buyers.mineral_groups)

)

-- The same text whatever the order of the changes.
select
    scenario,
    any_value(title) as title,
    string_agg(change_text, '; ' order by change_text) as assumptions
from change_texts
group by scenario
