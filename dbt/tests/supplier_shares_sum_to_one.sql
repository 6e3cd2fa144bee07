-- What is published by partner and the rest make up the whole of each total.
select
    importer_iso3,
    mineral_group,
    frequency,
    period_start,
    measure,
    sum(share) as sum_of_shares,
    count(*) as suppliers
from {{ ref('supplier_shares') }}
group by importer_iso3, mineral_group, frequency, period_start, measure
having abs(sum(share) - 1) > 1e-9
