"""Slips and honest revisions of the lists of the catalogue and of answers of UN Comtrade."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache

from dagster_project.quality import limits
from dagster_project.settings import BUNDLED
from tests.fakes.comtrade import WORLD, Flow, as_json, flows_for, world_total
from tests.integration.slips import FEW_UNITS, UNITS, Case, Counts, Honest, Slip, Table, figure

# Answers to questions

CODES = ("280530", "284610", "850511")
WORLD_OF_FLOWS = flows_for(
    [392, 842], [36, 156, 251, 276, 410, 643, 699, 704, 757, 826], CODES, ["2022", "2023"], gaps=0
)


def _with_totals(flows: Sequence[Flow]) -> list[Flow]:
    """The flows of partners with a World row for each slice, as the publisher sums them."""
    partners = [flow for flow in flows if flow.partner != WORLD]
    slices: dict[tuple[int, str, str, str], list[Flow]] = {}
    for flow in partners:
        slices.setdefault(flow.slice, []).append(flow)
    return [one for some in slices.values() for one in (*some, world_total(some))]


def _changed(change: Callable[[Flow], Flow]) -> list[Flow]:
    return [change(flow) for flow in WORLD_OF_FLOWS]


def slips_of_answers() -> Iterator[Slip]:
    rng = random.Random("answers")

    def slip(kind: str, name: str, output: Sequence[Flow] | bytes, *words: str) -> Slip:
        payload = output if isinstance(output, bytes) else as_json(output)
        return Slip(kind, name, payload, words, "answer.json")

    for measure, lake in (("value", "value_usd"), ("weight", "net_weight_kg")):
        for factor, times in (UNITS if measure == "weight" else FEW_UNITS).items():
            yield slip(
                "units", f"{lake} x{factor}",
                _changed(
                    lambda one, by=factor, of=measure: replace(one, **{of: getattr(one, of) * by})
                ),
                f"{lake} is {times} what is known for",
            )  # fmt: skip
        yield slip(
            "column zeroed", lake, _changed(lambda one, of=measure: replace(one, **{of: 0.0})),
            f"{lake} is (0|missing) for",  # UN Comtrade prints 0 where a weight is not known
        )  # fmt: skip
        yield slip(
            "sign turned", lake,
            _changed(lambda one, of=measure: replace(one, **{of: -getattr(one, of)})),
            f"{lake}_is_not_negative", "is negative", "is not a number",
        )  # fmt: skip
        values = [getattr(one, measure) for one in WORLD_OF_FLOWS]
        shifted = [
            replace(one, **{measure: value})
            for one, value in zip(WORLD_OF_FLOWS, [values[-1], *values[:-1]], strict=True)
        ]
        yield slip(
            "column shifted", lake, shifted, "partners_do_not_exceed_the_total",
            "has the figures that are known of", "known ones of other rows",
        )  # fmt: skip
    yield slip(
        "column blank", "net_weight_kg", _changed(lambda one: replace(one, weight=None)),
        "net_weight_kg is missing for",
    )  # fmt: skip
    yield slip(
        "columns swapped", "value_usd and net_weight_kg",
        _changed(lambda one: replace(one, value=one.weight or 0.0, weight=one.value)),
        "value_usd is what is known as net_weight_kg",
    )  # fmt: skip
    for years in (1, -1):
        yield slip(
            "years moved", f"{years:+}",
            _changed(lambda one, by=years: replace(one, period=str(int(one.period) + by))),
            r"known of 1 year (earlier|later)",
        )  # fmt: skip
    whole = as_json(WORLD_OF_FLOWS)
    yield slip("file doubled", "", whole * 2, "JSON")
    yield slip(
        "file doubled", "its rows", [*WORLD_OF_FLOWS, *WORLD_OF_FLOWS], "one_row_per_flow", "twice",
        "more than once",
    )  # fmt: skip
    yield slip("file cut", "in the middle", whole[: len(whole) // 2], "JSON")
    for number in sorted(rng.sample(range(20, len(WORLD_OF_FLOWS)), 3)):
        yield slip(
            "file cut", f"after {number} rows", WORLD_OF_FLOWS[:number], "seems cut within",
            "It would replace", "in none of its own", "partners_add_up", "World",
        )  # fmt: skip
    for gone in (156, 643):
        kept = [one for one in WORLD_OF_FLOWS if one.partner != gone]
        yield slip(
            "partner dropped", f"{gone}, with the totals", _with_totals(kept),
            r"partner_iso3: (CHN|RUS) is in", "It would replace",
        )  # fmt: skip
        yield slip(
            "partner dropped", str(gone), kept, r"partner_iso3: (CHN|RUS) is in",
            "It would replace",
        )  # fmt: skip
    yield slip(
        "country renamed", "704 as 104",
        _changed(lambda one: replace(one, partner=104) if one.partner == 704 else one),
        "partner_iso3: VNM is in",
    )  # fmt: skip
    of_2023 = [one for one in WORLD_OF_FLOWS if one.period == "2023"]
    yield slip("year dropped", "2022", of_2023)
    zeros = _changed(
        lambda one: replace(one, value=0.0, weight=0.0) if one.period == "2023" else one
    )
    yield slip("period of zeros", "2023", zeros, "value_usd is 0 for")
    yield slip(
        "last year's file", "2023 as 2024", [replace(one, period="2024") for one in of_2023],
        "known of 1 year earlier",
    )  # fmt: skip


def honest_answers() -> Iterator[Honest]:
    rng = random.Random("honest answers")

    def honest(kind: str, flows: Sequence[Flow]) -> Honest:
        known = {(*one.slice, one.partner): one for one in WORLD_OF_FLOWS}
        fresh = {(*one.slice, one.partner): one for one in flows}
        slices = {one.slice for one in flows}
        again = [key for key in fresh if key in known]
        unchanged = sum(
            abs(fresh[key].value - known[key].value) <= limits.ALIKE * known[key].value
            for key in again
        )
        counts = Counts(
            len(fresh) - len(again), unchanged, len(again) - unchanged,
            sum(key not in fresh and known[key].slice in slices for key in known),
        )  # fmt: skip
        return Honest(kind, as_json(flows), {"trade_flows": counts}, "answer.json")

    def revised(part: float, low: float, high: float) -> list[Flow]:
        return _with_totals([
            replace(one, value=round(one.value * rng.uniform(low, high)))
            if rng.random() < part else one
            for one in WORLD_OF_FLOWS
        ])  # fmt: skip

    yield honest("a fifth revised by up to 10 %", revised(0.2, 0.9, 1.1))
    yield honest("all estimated anew", revised(1.0, 0.97, 1.03))
    yield honest("a few revised a lot", revised(0.03, 0.4, 2.5))
    more = flows_for(
        [392, 842], [36, 156, 251, 276, 410, 643, 699, 704, 757, 826], CODES, ["2024"], gaps=0
    )
    yield honest("one more year", [*WORLD_OF_FLOWS, *more])
    yield honest("only one more year", more)
    yield honest("only one code", [one for one in WORLD_OF_FLOWS if one.code == CODES[0]])
    shuffled = list(WORLD_OF_FLOWS)
    rng.shuffle(shuffled)
    yield honest("rows in another order", shuffled)


@cache
def answers() -> Case:
    return Case(
        "comtrade", "answer.json", as_json(WORLD_OF_FLOWS),
        tuple(slips_of_answers()), tuple(honest_answers()),
    )  # fmt: skip


# Lists


class Entries:
    """A list as text: what stands before its entries, the entries, and its last line."""

    def __init__(self, file: str) -> None:
        text = (BUNDLED / "catalogue" / file).read_text("utf8")
        self.before, *entries, last = re.split(r"(?m)^(?=  - )", text)
        self.entries = [*entries, last.removesuffix("...\n")]

    def text(self, entries: Sequence[str] | None = None) -> str:
        return f"{self.before}{''.join(entries or self.entries)}...\n"


def _with_years_moved(text: str, years: int) -> str:
    def moved(day: re.Match[str]) -> str:
        return f"{int(day[1]) + years}-{'02-28' if day[2] == '02-29' else day[2]}"

    return re.sub(r"\b(20\d\d)-(\d\d-\d\d)\b", moved, text)


def _swapped(text: str, one: str, other: str) -> str:
    names = {one: other, other: one}
    field = re.compile(rf"(?m)^(\s+(?:- )?)({one}|{other}):")
    return field.sub(lambda found: f"{found[1]}{names[found[2]]}:", text)


def slips_of_list(file: str, swaps: Sequence[tuple[str, str]]) -> Iterator[Slip]:
    known, rng = Entries(file), random.Random(file)

    def slip(kind: str, name: str, text: str, *words: str) -> Slip:
        return Slip(kind, name, text.encode(), words, file)

    whole = known.text()
    for years in (1, -1):
        moved = [_with_years_moved(entry, years) for entry in known.entries]
        yield slip(
            "years moved", f"{years:+}", known.text(moved),
            r"_(date|start|at) is another than known for", "is_not_in_the_future",
        )  # fmt: skip
    for one, other in swaps:
        swapped = [_swapped(entry, one, other) for entry in known.entries]
        yield slip(
            "columns swapped", f"{one} and {other}", known.text(swapped),
            r"\w+ is what is known as \w+ for", f"`{one}`", "before it was announced",
        )  # fmt: skip
    lines = whole.splitlines(keepends=True)
    start = known.before.count("\n") + 5
    for number in sorted(rng.sample(range(start, len(lines) - 2), 3)):
        yield slip("file cut", f"at line {number}", "".join(lines[:number]), "cut")
    yield slip("file doubled", "", whole * 2, "document", "duplicated")
    yield slip("file doubled", "its entries", known.text(known.entries * 2), "duplicated")
    half = len(known.entries) // 2
    for name, entries in (
        ("the first", known.entries[:half]), ("the last", known.entries[half:]),
        ("every other", known.entries[::2]),
    ):  # fmt: skip
        yield slip(
            "half dropped", f"{name} are left", known.text(entries), "It would replace",
            "seems cut within",
            # Of the measures the half that is gone has acts that suspend clauses of the other.
            "is no clause of the file",
        )  # fmt: skip


def units_of_claims() -> Iterator[Slip]:
    known = Entries("claims.yaml").text()
    figure = re.compile(r"(?m)^    (low|high|more_than): (\S+)$")
    for factor, times in FEW_UNITS.items():
        text = figure.sub(
            lambda found, by=factor: f"    {found[1]}: {float(found[2]) * by:.9g}", known
        )
        yield Slip(
            "units", f"low and high x{factor}", text.encode(),
            (f"claimed_(low|high) is {times} what is known for", "of a share are between 0 and 1"),
            "claims.yaml",
        )  # fmt: skip


def slips_of_economies() -> Iterator[Slip]:
    known = Table.read((BUNDLED / "catalogue" / "economies.csv").read_text("utf8"))

    def slip(kind: str, name: str, table: Table | str, *words: str) -> Slip:
        text = table if isinstance(table, str) else table.text
        return Slip(kind, name, text.encode(), words, "economies.csv")

    for one, other in (
        ("name", "name_ja"), ("m49_code", "comtrade_code"), ("name", "region"),
        ("comtrade_code", "japan_customs_code"), ("iso2", "economy_iso3"),
    ):  # fmt: skip
        yield slip(
            "columns swapped", f"{one} and {other}", known.swap(one, other),
            "is what is known as", f"`({one}|{other})`",
        )  # fmt: skip
    for column in ("name", "name_ja", "m49_code", "japan_customs_code", "region"):
        values = known.values(column)
        yield slip(
            "column shifted", column, known.with_values(column, [values[-1], *values[:-1]]),
            f"{column} is another than known for", f"has no `{column}`",
        )  # fmt: skip
        yield slip(
            "column blank", column, known.change(column, lambda _: ""),
            f"{column} is missing for", f"has no `{column}`",
        )  # fmt: skip
    lines = known.text.splitlines(keepends=True)
    yield slip("file doubled", "", "".join([*lines, *lines[1:]]), "duplicated", "one_row_per")
    for number in (60, 130, 250):
        yield slip("file cut", f"at line {number}", "".join(lines[:number]), "it may be cut")
    every_other = "".join([lines[0], *lines[1::2]])
    yield slip("half dropped", "every other is left", every_other, "it may be cut")


def slips_of_abundance(known: Table) -> Iterator[Slip]:
    """Of a list of elements, each a slice of its own: a part of it is an extract."""

    def slip(kind: str, name: str, table: Table | str, *words: str) -> Slip:
        text = table if isinstance(table, str) else table.text
        return Slip(kind, name, text.encode(), words, "abundance.csv")

    amount, of_amount = "abundance_ppm", "abundance_ppm_is_above_0_and_at_most_a_million"
    for factor, times in UNITS.items():
        yield slip(
            "units", f"{amount} x{factor}",
            known.change(amount, lambda old, by=factor: figure(old, lambda one: one * by)),
            f"{amount} is {times} what is known for", f"more than 5%: {of_amount}",
        )  # fmt: skip
    values = known.values(amount)
    yield slip(
        "column shifted", amount, known.with_values(amount, [values[-1], *values[:-1]]),
        "known ones of other rows", "has the figures that are known of",
    )  # fmt: skip
    yield slip("column zeroed", amount, known.change(amount, lambda _: "0"), of_amount)
    yield slip("column blank", amount, known.change(amount, lambda _: ""), f"no number in {amount}")
    yield slip(
        "sign turned", amount, known.change(amount, lambda old: figure(old, lambda one: -one)),
        of_amount,
    )  # fmt: skip
    yield slip(
        "columns swapped", "abundance and error", known.swap(amount, "two_sigma_ppm"),
        f"has no number in {amount}", "is what is known as two_sigma_ppm",
    )  # fmt: skip
    yield slip(
        "columns swapped", "element and reservoir", known.swap("element", "reservoir"),
        "is not the symbol of an element",
    )  # fmt: skip
    if len(set(known.values("reservoir"))) > 1:
        other = {"upper_crust": "bulk_crust", "bulk_crust": "upper_crust"}
        yield slip(
            "columns swapped", "one reservoir and the other",
            known.change("reservoir", other.__getitem__),
            r"reservoir \w+ has the figures that are known of \w+",
        )  # fmt: skip
        yield slip(
            "column blank", "two_sigma_ppm", known.change("two_sigma_ppm", lambda _: ""),
            "two_sigma_ppm is missing for",
        )  # fmt: skip
        yield slip(
            "units", "two_sigma_ppm x0.001",
            known.change("two_sigma_ppm", lambda old: figure(old, lambda one: one / 1000)),
            "two_sigma_ppm is a thousandth of what is known for",
        )  # fmt: skip
    elements = sorted(set(known.values("element")))
    following = dict(zip(elements, [*elements[1:], elements[0]], strict=True))
    yield slip(
        "column shifted", "element", known.change("element", following.__getitem__),
        "known ones of other rows", "has the figures that are known of",
    )  # fmt: skip
    lines = known.text.splitlines(keepends=True)
    yield slip("file doubled", "", "".join([*lines, *lines[1:]]), "one_row_per_estimate")
    half = lines[len(lines) // 2]
    yield slip(
        "file cut", "within a row", "".join(lines[: len(lines) // 2]) + half[: half.index(",")],
        "cut", "columns",
    )  # fmt: skip
    yield slip("half dropped", "every other is left", "".join([lines[0], *lines[1::2]]))


def honest_abundance(known: Table, one_more: str) -> Iterator[Honest]:
    rows, rng = len(known.rows), random.Random("honest abundance")

    def honest(kind: str, table: Table, counts: Counts) -> Honest:
        named = {"element_abundance": counts}
        return Honest(kind, table.text.encode(), named, "abundance.csv")

    revised = known.copy()
    for row in rng.sample(revised.rows, 8):
        row[2] = figure(row[2], lambda old: old * rng.uniform(0.8, 1.2) + 0.01)
    yield honest("eight revised", revised, Counts(unchanged=rows - 8, changed=8))
    shuffled = known.copy()
    rng.shuffle(shuffled.rows)
    yield honest("entries in another order", shuffled, Counts(unchanged=rows))
    added = Table(known.head, [*known.rows, one_more.split(",")])
    yield honest("one more element", added, Counts(added=1, unchanged=rows))
    some = Table(known.head, known.rows[10:30])
    yield honest("only twenty of them", some, Counts(unchanged=20))


def _entries(file: str, name: str) -> int:
    """How many entries a list has, by the lines they begin with."""
    text = (BUNDLED / "catalogue" / file).read_text("utf8")
    return len(re.findall(rf"^ +- {name}: ", text, re.MULTILINE))


def honest_list(
    file: str, table: str, rows: int, edits: Mapping[str, tuple[str, str]]
) -> Iterator[Honest]:
    """Of a list of `rows` rows: each of `edits` (a text, and the one in its place) changes one."""

    def honest(kind: str, text: str, counts: Counts) -> Honest:
        return Honest(kind, text.encode(), {table: counts}, file)

    known = Entries(file) if file.endswith(".yaml") else None
    text = known.text() if known else (BUNDLED / "catalogue" / file).read_text("utf8")
    for kind, (old, new) in edits.items():
        assert text.count(old) == 1, old
        yield honest(kind, text.replace(old, new), Counts(unchanged=rows - 1, changed=1))
    if known:
        backwards = known.text(known.entries[::-1])
    else:
        header, *lines = text.splitlines(keepends=True)
        backwards = "".join([header, *lines[::-1]])
    yield honest("entries in another order", backwards, Counts(unchanged=rows))


@cache
def measures() -> Case:
    edits = {
        "a title put right": ("title: Export ban (nickel ore)", "title: Export ban, nickel ore"),
        "a number put right": ("MOFCOM Ann. 28/2026", "MOFCOM Ann. 27/2026"),
    }
    return _case(
        "measures.yaml", [("announced", "effective"), ("title", "citation")],
        honest_list(
            "measures.yaml", "restriction_clauses", _entries("measures.yaml", "clause"), edits
        ),
    )  # fmt: skip


@cache
def milestones() -> Case:
    edits = {"a day put right": ("ended: 2015-04-30", "ended: 2015-05-01")}
    return _case(
        "milestones.yaml", [("title", "statement")],
        honest_list("milestones.yaml", "milestones", 28, edits),
    )  # fmt: skip


@cache
def claims() -> Case:
    edits = {
        "a figure put right": ("high: 57392.5", "high: 58392.5"),
        "a name put right": ("claimed_by: GKToday", "claimed_by: GK Today"),
    }
    return _case(
        "claims.yaml", [("low", "high"), ("importer", "supplier"), ("statement", "claimed_by")],
        honest_list("claims.yaml", "claims", _entries("claims.yaml", "claim"), edits),
        units_of_claims(),
    )  # fmt: skip


@cache
def list_of_economies() -> Case:
    edits = {"a name put right": (",Aruba,", ",Aruba (Netherlands),")}
    file = BUNDLED / "catalogue" / "economies.csv"
    return Case(
        "catalogue", "economies.csv", file.read_bytes(), tuple(slips_of_economies()),
        tuple(honest_list("economies.csv", "economies", 260, edits)),
    )  # fmt: skip


def _abundance(source: str, one_more: str) -> Case:
    known = Table.read((BUNDLED / source / "abundance.csv").read_text("utf8"))
    return Case(
        source, "abundance.csv", known.text.encode(),
        tuple(slips_of_abundance(known)), tuple(honest_abundance(known, one_more)),
    )  # fmt: skip


@cache
def crc_handbook() -> Case:
    return _abundance("crc_handbook", "Tc,crust,0.0000007,")


@cache
def rudnick_gao() -> Case:
    return _abundance("rudnick_gao", "Na,upper_crust,24259,")


def _case(
    file: str,
    swaps: Sequence[tuple[str, str]],
    honest: Iterator[Honest],
    more: Iterable[Slip] = (),
) -> Case:
    known = Entries(file).text().encode()
    return Case("catalogue", file, known, (*slips_of_list(file, swaps), *more), tuple(honest))


CASES = {
    "comtrade/answer.json": answers,
    "catalogue/measures.yaml": measures,
    "catalogue/milestones.yaml": milestones,
    "catalogue/claims.yaml": claims,
    "catalogue/economies.csv": list_of_economies,
    "crc_handbook/abundance.csv": crc_handbook,
    "rudnick_gao/abundance.csv": rudnick_gao,
}
