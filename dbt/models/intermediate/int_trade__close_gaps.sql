{% set amounts = [
    ('usd', 'exporter_usd', 'importer_fob_usd'),
    ('kg', 'exporter_kg', 'importer_kg'),
] %}

with flows as (

    select * from {{ ref('int_trade__reconcile_flows') }}

),

codes_of_groups as (

    select * from {{ ref('seed_mineral_group_codes') }}

),

codes as (

    select distinct
        hs6_code,
        year
    from flows

),

-- Codes that goods are declared under by mistake: of one heading, or of one mineral.
families_of_codes as (

    select
        hs6_code,
        hs6_code[:4] as family
    from codes
    union distinct
    select
        hs6_code,
        mineral_group as family
    from codes_of_groups

),

large_families as (

    select *
    from families_of_codes
    qualify count(*) over (partition by family) > 1

),

consecutive_years as (

    select
        codes.hs6_code,
        codes.year,
        others.year as other_year
    from codes
    inner join codes as others
        on codes.hs6_code = others.hs6_code and abs(codes.year - others.year) = 1

),

gaps as (

    select
        exporter_iso3,
        importer_iso3,
        hs6_code,
        year,
        {% for unit, exporter, importer in amounts %}
            coalesce({{ exporter }}, 0) - coalesce({{ importer }}, 0) as gap_{{ unit }},
            {{ reconciliation('agreement') }} * greatest({{ exporter }}, {{ importer }})
                as tolerance_{{ unit }}{% if not loop.last %},{% endif %}
        {% endfor %}
    from flows

),

families as (

    select
        gaps.*,
        large_families.family
    from gaps
    inner join large_families on gaps.hs6_code = large_families.hs6_code

),

-- Flows whose gap closes with that of another code are few: they are chosen first, grouped then.
closing_codes as (

    select
        flows.exporter_iso3,
        flows.importer_iso3,
        flows.hs6_code,
        flows.year,
        {% for unit, _, _ in amounts %}
            abs(flows.gap_{{ unit }} + others.gap_{{ unit }}) <= flows.tolerance_{{ unit }}
                as is_closed_{{ unit }}{% if not loop.last %},{% endif %}
        {% endfor %}
    from families as flows
    inner join families as others
        on
            flows.exporter_iso3 = others.exporter_iso3
            and flows.importer_iso3 = others.importer_iso3
            and flows.year = others.year
            and flows.family = others.family
            and flows.hs6_code <> others.hs6_code

),

closing_years as (

    select
        flows.exporter_iso3,
        flows.importer_iso3,
        flows.hs6_code,
        flows.year,
        {% for unit, exporter, importer in amounts %}
            {{
                evens_out(
                    'flows.' ~ exporter, 'flows.' ~ importer, 'others.' ~ exporter,
                    'others.' ~ importer
                )
            }} as is_closed_{{ unit }}{% if not loop.last %},{% endif %}
        {% endfor %}
    from flows
    inner join consecutive_years
        on flows.hs6_code = consecutive_years.hs6_code and flows.year = consecutive_years.year
    inner join flows as others
        on
            flows.exporter_iso3 = others.exporter_iso3
            and flows.importer_iso3 = others.importer_iso3
            and flows.hs6_code = others.hs6_code
            and flows.hs_revision = others.hs_revision
            and consecutive_years.other_year = others.year

),

closed as (

    select
        *,
        true as is_by_code
    from closing_codes
    where is_closed_usd or is_closed_kg
    union all
    select
        *,
        false as is_by_code
    from closing_years
    where is_closed_usd or is_closed_kg

)

select
    exporter_iso3,
    importer_iso3,
    hs6_code,
    year,
    {% for unit, exporter, importer in amounts %}
        bool_or(is_closed_{{ unit }} and is_by_code) as is_other_code_{{ unit }},
        bool_or(is_closed_{{ unit }} and not is_by_code) as is_other_year_{{ unit }}
        {%- if not loop.last %},{% endif %}
    {% endfor %}
from closed
group by exporter_iso3, importer_iso3, hs6_code, year
