with listed as (

    select * from {{ ref('seed_commodities') }}

),

nomenclature as (

    select * from {{ source('runtime', 'nomenclature') }}

),

reconciled_slices as (

    select * from {{ ref('int_trade__choose_reconciled_slices') }}

),

reported_flows as (

    select * from {{ ref('int_trade__select_latest_flows') }}

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

),

-- Codes beyond the mineral groups, which have flows in a wider scope.
in_a_wider_scope as (

    select
        traded.hs6_code,
        traded.hs_revision,
        coalesce(
            codes.description,
            headings.description || ': ' || traded.hs6_code || ', not a code of HS 2022',
            'HS ' || traded.hs6_code || ', not a code of HS 2022'
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
    from in_a_wider_scope

)

select
    hs6_code,
    hs_revision,
    description,
    product_form
from commodities
