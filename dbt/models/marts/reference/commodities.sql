with commodities as (

    select
        hs6_code,
        hs_revision,
        description,
        product_form
    from {{ ref('seed_commodities') }}

)

select * from commodities
