with listed as (

    select * from {{ ref('seed_commodities') }}

),

nomenclature as (

    select * from {{ source('runtime', 'nomenclature') }}

),

reconciled_slices as (

    select * from {{ ref('int_trade__choose_reconciled_slices') }}

),

breaks as (

    select * from {{ ref('seed_nomenclature_breaks') }}

),

reported_flows as (

    select * from {{ ref('int_trade__select_latest_flows') }}

),

reports as (

    select * from {{ ref('int_trade__choose_reports') }}

),

traded as (

    select
        hs6_code,
        hs_revision
    from reconciled_slices
    union distinct
    select distinct
        commodity_code as hs6_code,
        hs_revision
    from reported_flows
    where not is_basket
    union distinct
    select
        hs6_code,
        target_hs_revision as hs_revision
    from reports

),

-- Editions of a listed code that are traded and not listed; it is worded as in the next one that
-- is, or else in the last.
in_other_editions as (

    select
        traded.hs6_code,
        traded.hs_revision,
        listed.description,
        listed.product_form
    from traded
    inner join listed on traded.hs6_code = listed.hs6_code
    where
        not exists (
            select 1 from listed as same_edition
            where
                traded.hs6_code = same_edition.hs6_code
                and traded.hs_revision = same_edition.hs_revision
        )
    qualify
        row_number() over (
            partition by traded.hs6_code, traded.hs_revision
            order by
                listed.hs_revision < traded.hs_revision asc,
                case when listed.hs_revision > traded.hs_revision then listed.hs_revision end asc,
                listed.hs_revision desc
        ) = 1

),

-- Codes beyond the mineral groups, which have flows in a wider scope.
in_a_wider_scope as (

    select
        traded.hs6_code,
        traded.hs_revision,
        coalesce(
            codes.description,
            {{ sentence('reference.code_of_another_edition', {
                'commodity': 'traded.hs6_code',
                'heading': 'headings.description',
            }) }}
        ) as description,
        'other' as product_form
    from traded
    left join nomenclature as codes on traded.hs6_code = codes.code
    left join nomenclature as headings on left(traded.hs6_code, 4) = headings.code
    where
        traded.hs6_code not in (select listed.hs6_code from listed)
        and exists (select 1 from nomenclature)

),

commodities as (

    select
        hs6_code,
        hs_revision,
        description,
        product_form
    from listed
    union all
    select
        hs6_code,
        hs_revision,
        description,
        product_form
    from in_other_editions
    union all
    select
        hs6_code,
        hs_revision,
        description,
        product_form
    from in_a_wider_scope

),

changes_of_codes as (

    select
        hs6_code,
        list(
            {
                'hs_revision_before': hs_revision_before,
                'hs_revision_after': hs_revision_after,
                'year_before': year_before,
                'year_after': year_after,
                'reason': reason
            }
            order by hs_revision_before, hs_revision_after, year_before
        ) as changes
    from breaks
    where changes_goods
    group by hs6_code

),

worded_changes as (

    select
        hs6_code,
        {{ sentence('reference.changed_meaning', {'changes': 'changes'}) }} as changed_meaning
    from changes_of_codes

)

select
    commodities.hs6_code,
    commodities.hs_revision,
    commodities.description,
    commodities.product_form,
    worded_changes.changed_meaning
from commodities
left join worded_changes on commodities.hs6_code = worded_changes.hs6_code
