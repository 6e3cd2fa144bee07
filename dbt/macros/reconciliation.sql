{# Rules of the reconciliation of mirror reports, with every constant in one place. Each is a round
   number. `docs/reconciliation.md` says which were set after a result had been seen. #}


{# A constant by its name:

   - `near_factor`: reports within this factor of each other show the markup for freight;
   - `markup_prior_pairs`: a code's own markup counts as much as all codes' from so many pairs on;
   - `largest_markup_ln`: no more freight than this is taken off, in logarithms;
   - `prior_pairs`: a reporter's error counts as much as all reporters' from so many pairs on;
   - `steps`: steps of the estimate, which no longer changes then;
   - `least_variance`: the error of reporters of which all reports are equal;
   - `hub_ratio`, `hub_least_pairs`: an exporter is a hub whose reports exceed the mirror reports by
     this factor at the median of at least so many flows;
   - `level_ratio`, `level_least_pairs`: a reporter declares another level of values where its
     reports are by this factor above or below the mirror reports, at the median of so many flows;
   - `unit_value_scale`: so many robust standard deviations off, a unit value halves the weight of a
     report; a report without a weight counts as this far off;
   - `conflict_ratio`: two reports conflict that differ by more than this factor;
   - `largest_freight`: an importer's value that is higher by no more than this part has freight and
     insurance in it;
   - `agreement`: amounts agree that differ by no more than this part;
   - `unit_ratio`: unit values that differ by this factor are of two units;
   - `closing_least`: another code closes a gap of which its own gap is at least this part;
   - `confidential_least`: what is declared without a partner explains gaps of which it is at least
     this part;
   - `least_share_at_hand`: the part of an importer's trade whose reporters must have reported. #}
{% macro reconciliation(name) -%}
    {{
        {
            'near_factor': 2,
            'markup_prior_pairs': 50,
            'largest_markup_ln': 0.30,
            'prior_pairs': 5,
            'steps': 30,
            'least_variance': 1e-9,
            'hub_ratio': 2,
            'hub_least_pairs': 20,
            'level_ratio': 1.2,
            'level_least_pairs': 20,
            'unit_value_scale': 3,
            'conflict_ratio': 2,
            'largest_freight': 0.30,
            'agreement': 0.10,
            'unit_ratio': 10,
            'closing_least': 0.5,
            'confidential_least': 0.5,
            'least_share_at_hand': 0.90,
        }[name]
    }}
{%- endmacro %}


{# The edition of the HS that flows of a year are reconciled in: that of most reports, one to five
   years after it came into force. Null before 2002: codes stay as they were reported. #}
{% macro target_edition(year) -%}
    case
        when {{ year }} >= 2017 then 'HS2017'
        when {{ year }} >= 2012 then 'HS2012'
        when {{ year }} >= 2007 then 'HS2007'
        when {{ year }} >= 2002 then 'HS2002'
    end
{%- endmacro %}


{# How much of its weight a report keeps with a unit value (in logarithms), beside the usual one of
   its code: 1 at that one, a half at three robust standard deviations. One without a weight counts
   as if it were there. #}
{% macro plausibility(unit_value_ln, usual) -%}
    (
        1 / (
            1 + pow(
                coalesce(
                    ({{ unit_value_ln }} - {{ usual }}.unit_value_ln) / {{ usual }}.deviation_ln,
                    {{ reconciliation('unit_value_scale') }}
                ) / {{ reconciliation('unit_value_scale') }},
                2
            )
        )
    )
{%- endmacro %}


{# Halfway between the weighted means of two amounts and of their logarithms. `share` is the weight
   of the first. #}
{% macro weighted_mean(amount, other, share) -%}
    (
        {{ share }} * {{ amount }} + (1 - {{ share }}) * {{ other }}
        + exp({{ share }} * ln({{ amount }}) + (1 - {{ share }}) * ln({{ other }}))
    ) / 2
{%- endmacro %}


{# The snapshots of both reports of a flow: joined as `exports` and `imports`, each only where there
   is such a report. #}
{% macro join_report_snapshots(flows, report_snapshots) -%}
    left join {{ report_snapshots }} as exports
        on
            exports.side = 'export'
            and {{ flows }}.declared_exporter_usd is not null
            and {{ flows }}.exporter_iso3 = exports.reporter_iso3
            and {{ flows }}.hs6_code = exports.hs6_code
            and {{ flows }}.year = exports.year
    left join {{ report_snapshots }} as imports
        on
            imports.side = 'import'
            and {{ flows }}.declared_importer_usd is not null
            and {{ flows }}.importer_iso3 = imports.reporter_iso3
            and {{ flows }}.hs6_code = imports.hs6_code
            and {{ flows }}.year = imports.year
{%- endmacro %}


{# Whether two amounts agree; false where one is missing or 0. #}
{% macro agree(amount, other) -%}
    coalesce(
        abs(ln(nullif({{ amount }}, 0) / nullif({{ other }}, 0)))
        <= ln(1 + {{ reconciliation('agreement') }}),
        false
    )
{%- endmacro %}


{# Whether the sums of two years agree whose gaps have opposite signs; false where one is
   missing. #}
{% macro evens_out(amount, other, further_amount, further_other) -%}
    (
        sign({{ amount }} - {{ other }}) = -sign({{ further_amount }} - {{ further_other }})
        and {{
            agree(
                '(' ~ amount ~ ' + ' ~ further_amount ~ ')',
                '(' ~ other ~ ' + ' ~ further_other ~ ')'
            )
        }}
    )
{%- endmacro %}


{# The snapshots of both reports, joined so: lists are united only where there are two. #}
{% macro snapshots_of_reports() -%}
    case
        when imports.snapshot_ids is null or exports.snapshot_ids = imports.snapshot_ids
            then exports.snapshot_ids
        when exports.snapshot_ids is null then imports.snapshot_ids
        else {{ snapshots_together(['exports.snapshot_ids', 'imports.snapshot_ids']) }}
    end
{%- endmacro %}
