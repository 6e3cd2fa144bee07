with published_columns as (

    select
        schema_name,
        table_name,
        column_name,
        data_type,
        unit,
        description
    from {{ source('runtime', 'columns') }}

)

select * from published_columns
