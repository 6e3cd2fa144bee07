with end_uses as (

    select
        mineral,
        sector,
        nace2_code,
        use_share,
        applications,
        source
    from {{ ref('int_reference__sum_end_uses') }}

)

select * from end_uses
