"""The table of economies: names, codes and members, and the economy a mistake names."""

import polars as pl
import pytest

from tests.unit.sources.catalogue.examples import (
    ECONOMIES,
    rejection_of,
    row,
)


def test_economies_have_japanese_names_and_codes_with_their_zeros(frames):
    economies = frames["economies"]
    names = dict(economies.select("economy_iso3", "name_ja").iter_rows())
    assert {code: names[code] for code in ("JPN", "CHN", "VNM", "WLD")} == {
        "JPN": "日本", "CHN": "中国", "VNM": "ベトナム", "WLD": "世界",
    }  # fmt: skip
    customs = dict(economies.select("japan_customs_code", "economy_iso3").iter_rows())
    assert (customs["105"], customs["235"]) == ("CHN", "EST")
    assert row(economies, "economy_iso3", "AFG")["m49_code"] == "004"
    taiwan = row(economies, "economy_iso3", "TWN")
    assert taiwan["comtrade_code"] == "490"
    assert row(economies, "economy_iso3", "USA")["comtrade_code"] == "842"
    # Of several codes, the economy's own is shown: not the Canary Islands' 523.
    assert row(economies, "economy_iso3", "ESP")["japan_customs_code"] == "218"


def test_the_union_has_its_27_members_and_not_the_kingdom_that_left(frames):
    members = set(frames["economies"].filter(pl.col("is_eu27"))["economy_iso3"])
    assert len(members) == 27
    assert "GBR" not in members
    assert {"HRV", "DEU", "MLT"} < members


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("Estonia,,233", "Estonia,,33", ("EST", "`m49_code`", "three digits")),
        (",233,235", ",0233,235", ("EST", "`comtrade_code`")),
        ("235,Europe", "35,Europe", ("EST", "`japan_customs_code`")),
        (",233,235", ",724,235", ("`comtrade_code` 724", "EST", "ESP")),
        ("218 502", "218 235", ("`japan_customs_code` 235", "EST", "ESP")),
        ("EST,EE", "EST,ee", ("EST", "`iso2`")),
        ("EST,EE", "EST,QQ", ("EST", "`name_ja`")),
        ("EST,EE", "Est,EE", ("'Est'", "`economy_iso3`")),
        ("ESP,ES", "EST,ES", ("'EST'", "duplicated")),
        ("Europe,true", "Atlantis,true", ("EST", "`region`")),
        ("Europe,true", "Europe,yes", ("EST", "`is_eu27`")),
        ("m49_code", "m49", ("m49_code",)),
        ("WLD,,World,世界,001,0,,,false\n", "", ("WLD",)),
    ],
)
def test_a_mistake_in_the_table_of_economies_names_the_economy(old, new, names):
    assert old in ECONOMIES
    message = rejection_of(ECONOMIES.replace(old, new, 1))
    for name in names:
        assert name in message, message
