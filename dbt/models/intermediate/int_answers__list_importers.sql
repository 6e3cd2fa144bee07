{# The economy whose supply is in question. #}
{% set supplier = 'CHN' %}

with economies as (

    select * from {{ ref('economies') }}

),

totals as (

    select * from {{ ref('import_concentration') }}

),

importers as (

    select distinct importer_iso3 from totals

)

select
    importers.importer_iso3,
    economies.name as importer_name,
    economies.is_eu27,
    suppliers.economy_iso3 as supplier_iso3,
    suppliers.name as supplier_name
from importers
inner join economies on importers.importer_iso3 = economies.economy_iso3
inner join economies as suppliers on suppliers.economy_iso3 = '{{ supplier }}'
