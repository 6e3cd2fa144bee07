"""Why a figure of output has no share (`dependency.production_shares`), or its producers no
concentration (`dependency.production_concentration`).
"""

from __future__ import annotations

from dagster_project.serving.wording import Facts


def not_published(facts: Facts) -> str:
    """A figure that the publisher keeps back or does not have."""
    return "The figure is withheld or not available."


def outside_the_total(facts: Facts) -> str:
    """A producer that the printed total of the world leaves out."""
    return "The world total leaves the economy out."


def exceeds_a_rounded_total(facts: Facts) -> str:
    """A producer above the total, which is rounded down."""
    return "The figure exceeds the published total, which is rounded."


def no_total(facts: Facts) -> str:
    """Nothing to take a share of: no exact total, or one that its parts exceed."""
    if facts["printed_total_t"] is None:
        return "No exact world total is published."
    return "The economies exceed the published total by more than rounding."


def total_only(facts: Facts) -> str:
    """A total without economies."""
    return "No figure of an economy is published."


def producers_exceed_the_total(facts: Facts) -> str:
    """Producers that add up to more than the whole."""
    return "The producers add up to more than the rounded total."


def few_producers(facts: Facts) -> str:
    """Fewer than three producers with a name, and others without: the largest three are unknown."""
    if facts["producers"] == 1:
        return "Only one producer is named beside a rest."
    return "Only two producers are named beside a rest."


def shares_of_materials_alone(facts: Facts) -> str:
    """A group of materials of which the publisher prints shares and no amounts."""
    return (
        "Shares of its materials are printed and no amounts: that of the group lies between them."
    )
