with inputs as (

    select * from {{ source('runtime', 'lineage') }}

)

select
    schema_name,
    table_name,
    input_schema,
    input_table,
    source
from inputs
