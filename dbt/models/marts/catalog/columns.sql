with published_columns as (

    select * from {{ source('runtime', 'columns') }}

)

select
    schema_name,
    table_name,
    column_name,
    data_type,
    unit,
    description
from published_columns
