with flows as (

    select * from {{ ref('int_trade__reconcile_flows') }}

),

covered_codes as (

    select * from {{ ref('int_trade__list_covered_codes') }}

),

codes_of_groups as (

    select * from {{ ref('seed_mineral_group_codes') }}

),

breaks as (

    select * from {{ ref('seed_nomenclature_breaks') }}

),

codes as (

    select distinct
        hs6_code,
        hs_revision,
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
        codes.*,
        others.year as other_year,
        others.hs_revision as other_revision
    from codes
    inner join codes as others
        on codes.hs6_code = others.hs6_code and abs(codes.year - others.year) = 1
    where
        not exists (
            select 1
            from breaks
            where
                codes.hs6_code = breaks.hs6_code
                and {{
                    is_across_a_break(
                        'breaks', 'codes.hs_revision', 'codes.year', 'others.hs_revision',
                        'others.year'
                    )
                }}
        )

),

-- Nothing is 0 only for a reporter of the code: else it is not known.
amounts as (

    select
        flows.exporter_iso3,
        flows.importer_iso3,
        flows.hs6_code,
        flows.hs_revision,
        flows.year,
        {% for unit in ['usd', 'kg'] %}
            case
                when flows.exporter_usd is not null then flows.exporter_{{ unit }}
                when flows.re_exported_usd >= flows.declared_exporter_usd then 0
                when flows.declared_exporter_usd is null and exporters.year is not null then 0
            end as exporter_{{ unit }},
            case
                when flows.importer_usd is not null
                    then flows.importer_{{ 'fob_usd' if unit == 'usd' else 'kg' }}
                when flows.declared_importer_usd is null and importers.year is not null then 0
            end as importer_{{ unit }}{% if not loop.last %},{% endif %}
        {% endfor %}
    from flows
    left join covered_codes as exporters
        on
            exporters.side = 'export'
            and flows.exporter_iso3 = exporters.reporter_iso3
            and flows.hs6_code = exporters.hs6_code
            and flows.year = exporters.year
    left join covered_codes as importers
        on
            importers.side = 'import'
            and flows.importer_iso3 = importers.reporter_iso3
            and flows.hs6_code = importers.hs6_code
            and flows.year = importers.year

),

gaps as (

    select
        exporter_iso3,
        importer_iso3,
        hs6_code,
        year,
        {% for unit in ['usd', 'kg'] %}
            exporter_{{ unit }} - importer_{{ unit }} as gap_{{ unit }},
            greatest(exporter_{{ unit }}, importer_{{ unit }})
            * {{ reconciliation('agreement') }} / (1 + {{ reconciliation('agreement') }})
                as tolerance_{{ unit }}{% if not loop.last %},{% endif %}
        {% endfor %}
    from amounts

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
        {% for unit in ['usd', 'kg'] %}
            abs(flows.gap_{{ unit }} + others.gap_{{ unit }}) <= flows.tolerance_{{ unit }}
            and abs(others.gap_{{ unit }})
            >= {{ reconciliation('closing_least') }} * abs(flows.gap_{{ unit }})
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
        {% for unit in ['usd', 'kg'] %}
            {{
                evens_out(
                    'flows.exporter_' ~ unit, 'flows.importer_' ~ unit,
                    'others.exporter_' ~ unit, 'others.importer_' ~ unit
                )
            }} as is_closed_{{ unit }}{% if not loop.last %},{% endif %}
        {% endfor %}
    from amounts as flows
    inner join consecutive_years
        on
            flows.hs6_code = consecutive_years.hs6_code
            and flows.hs_revision = consecutive_years.hs_revision
            and flows.year = consecutive_years.year
    inner join amounts as others
        on
            flows.exporter_iso3 = others.exporter_iso3
            and flows.importer_iso3 = others.importer_iso3
            and flows.hs6_code = others.hs6_code
            and consecutive_years.other_revision = others.hs_revision
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
    {% for unit in ['usd', 'kg'] %}
        coalesce(bool_or(is_closed_{{ unit }} and is_by_code), false) as is_other_code_{{ unit }},
        coalesce(bool_or(is_closed_{{ unit }} and not is_by_code), false)
            as is_other_year_{{ unit }}{% if not loop.last %},{% endif %}
    {% endfor %}
from closed
group by exporter_iso3, importer_iso3, hs6_code, year
