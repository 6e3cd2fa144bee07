with codes as (

    select * from {{ ref('seed_national_codes') }}

),

baskets as (

    select distinct
        national_code,
        mineral_group
    from {{ ref('seed_national_baskets') }}

),

-- Who uses the Combined Nomenclature.
reporters as (

    select economy_iso3
    from {{ ref('economies') }}
    where is_eu27 or economy_iso3 in ('EU27', 'GBR')

)

select
    reporters.economy_iso3 as reporter_iso3,
    codes.national_code,
    codes.valid_from,
    codes.is_valid_from_known,
    codes.valid_to,
    left(codes.national_code, 6) as hs6_code,
    baskets.mineral_group,
    string_split(codes.minerals, ' ') as minerals,
    codes.code_share_low,
    codes.code_share_high,
    codes.product_form,
    codes.description,
    cast(null as varchar) as description_local,
    codes.basis
from codes
cross join reporters
left join baskets on codes.national_code = baskets.national_code
where codes.tariff = 'CN'
