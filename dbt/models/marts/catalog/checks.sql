with checks as (

    select
        layer,
        table_name,
        check_name,
        engine,
        severity,
        status,
        observed,
        failing_rows
    from {{ source('runtime', 'checks') }}

)

select * from checks
