{# Materials of supply projects, and the mineral groups that they are traded in. #}


{# Materials with customs codes of their own: what an importer uses of them is known from trade. #}
{% macro materials_with_codes() -%}
    {{ return(['rare_earth_oxides', 'magnets']) }}
{%- endmacro %}


{# The mineral group that a material is traded in; null for what no user buys. #}
{% macro group_of_material(material) -%}
    case
        when {{ material }} = 'magnets' then 'permanent_magnets'
        when {{ material }} in ('rare_earth_oxides', 'ndpr_oxide', 'dy_tb_oxide', 'metal')
            then 'rare_earths'
    end
{%- endmacro %}
