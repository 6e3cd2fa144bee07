with intervals as (

    select
        clause_id,
        valid_from,
        valid_to,
        status,
        because
    from {{ ref('int_exposure__build_status_intervals') }}

)

select * from intervals
