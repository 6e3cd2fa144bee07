-- None that is ranked below another is riskier wherever both are between their bounds.
with ranking as (

    select * from {{ ref('risk_ranking') }}
    where rank_low is not null

)

select
    above.importer_iso3,
    above.material,
    below.material as riskier_material
from ranking as above
inner join ranking as below
    on
        above.importer_iso3 = below.importer_iso3
        and above.rank_low < below.rank_low
        and above.supply_risk_high < below.supply_risk_low
