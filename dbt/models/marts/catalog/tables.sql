{# Rows and latest period are counted when all tables are built (`serving/dictionary.py`). #}
with published_tables as (

    select * from {{ source('runtime', 'tables') }}

)

select
    schema_name,
    table_name,
    is_view,
    grain,
    description,
    rows,
    latest_period
from published_tables
