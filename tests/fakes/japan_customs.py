"""A local server in place of e-Stat's pages and files of Japan's customs, and of their calendar.

What stands in a month is a line of `lines`; a month that is not published is printed as 0, as the
publisher does. Figures of tests are invented; layout, titles and codes of months are the real ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.fakes.server import NOT_FOUND, FakePublisher, Reply, Seen

LISTING = "/stat-search/files"
DOWNLOAD = "/stat-search/file-download"
CALENDAR = "/toukei/calendar/calend_e.htm"

TABLES = {"000001013181": "export", "000001013182": "import"}
CLASSES = {flow: table for table, flow in TABLES.items()}
FLOW_NAMES = {"export": "輸出", "import": "輸入"}
FLOW_NUMBERS = {"export": "1", "import": "2"}

FILES = (
    "01部 01-05類", "5部 25-27類", "6部 28-38類", "13部 68-70類", "14部 71類", "15部 72-83類",
    "16部 84-85類", "18部 90-92類",
)  # fmt: skip
"""Parts of the table: a file each. The publisher has some 22; these hold the codes of tests."""

MONTH_NAMES = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
Amounts = tuple[int, int, int]
"""First and second quantity, value in thousand yen."""


def month_code(month: int) -> str:
    """e-Stat's code of a month: half, quarter, first and last month of the quarter, month."""
    quarter = (month - 1) // 3
    first = 3 * quarter + 1
    return f"{1 + (month > 6)}{quarter + 1}{first:02}{first + 2:02}{month:02}"


@dataclass
class Line:
    """A line of a file: a code of nine digits and a country, with its amounts by month."""

    code: str
    country: str
    amounts: Mapping[int, Amounts]
    units: tuple[str, str] = ("  ", "KG")


@dataclass
class Year:
    """What is published of a flow in a year: stages by month, and lines."""

    stages: dict[int, str]
    lines: list[Line] = field(default_factory=list)


def header(april: str = "Apr") -> str:
    names = ["Exp or Imp", "Year", "HS", "Country", "Unit1", "Unit2"]
    for period in ("Year", *MONTH_NAMES):
        name = april if period == "Apr" else period
        names += [f"Quantity1-{name}", f"Quantity2-{name}", f"Value-{name}"]
    return ",".join(names)


def csv_of(flow: str, year: int, lines: Iterable[Line], april: str = "Apr") -> bytes:
    """The file as published: codes in single quotes, the year's sums first, CRLF."""
    rows = [header(april)]
    for line in lines:
        months = [line.amounts.get(month, (0, 0, 0)) for month in range(1, 13)]
        cells = [
            *map(sum, zip(*months, strict=True)),
            *(cell for month in months for cell in month),
        ]
        named = [FLOW_NUMBERS[flow], str(year), f"'{line.code}'", line.country, *line.units]
        rows.append(",".join([*named, *map(str, cells)]))
    return ("\r\n".join(rows) + "\r\n").encode("cp932")


def spans(stages: Mapping[int, str]) -> str:
    """`1-8月：確報、9月：輸入9桁速報`: months of one stage together."""
    groups: list[tuple[int, int, str]] = []
    for month, stage in sorted(stages.items()):
        if groups and groups[-1][1:] == (month - 1, stage):
            groups[-1] = (groups[-1][0], month, stage)
        else:
            groups.append((month, month, stage))
    return "、".join(
        f"{first}-{last}月：{stage}" if first != last else f"{first}月：{stage}"
        for first, last, stage in groups
    )


class FakeJapanCustoms(FakePublisher):
    """`with FakeJapanCustoms() as customs:` serves listing, month pages, files and calendar.

    `years` has what is published, by flow and year. `revise` gives the files of a year new numbers
    (`statInfId`), as a new publication does.
    """

    def __init__(self, *, log: Path | None = None) -> None:
        super().__init__(log=log)
        self.years: dict[tuple[str, int], Year] = {}
        self.calendar = calendar_page([(2099, "Jan.", "Feb.25")])
        self.april = "Apr"
        self._editions: dict[tuple[str, int], int] = {}

    def publish(
        self, flow: str, year: int, stages: Mapping[int, str], lines: Iterable[Line]
    ) -> None:
        """A publication of the year to date."""
        with self.lock:
            self.years[flow, year] = Year(dict(stages), list(lines))
            self._editions[flow, year] = self._editions.get((flow, year), 0) + 1

    def answer(self, request: Seen) -> Reply:
        if request.path == CALENDAR:
            return _page(self.calendar)
        if request.path == DOWNLOAD:
            return self._file(request.query.get("statInfId", ""))
        flow = TABLES.get(request.query.get("tclass2", ""))
        if request.path != LISTING or flow is None:
            return NOT_FOUND
        if "month" not in request.query:
            return _page(self._listing(flow))
        year = int(request.query["year"][:4])
        of_year = self.years.get((flow, year))
        if of_year is None or request.query["month"] != month_code(max(of_year.stages)):
            return NOT_FOUND
        return _page(self._month_page(flow, year, of_year))

    def _listing(self, flow: str) -> str:
        links = []
        for (of_flow, year), published in sorted(self.years.items(), reverse=True):
            for month in sorted(published.stages) if of_flow == flow else ():
                links.append(
                    f'<a href="{LISTING}?page=1&amp;layout=datalist&amp;cycle=1&amp;toukei=00350300'
                    f"&amp;tstat=000001013141&amp;tclass1=000001013180&amp;tclass2={CLASSES[flow]}"
                    f"&amp;tclass3val=0&amp;year={year}0&amp;month={month_code(month)}"
                    f'&amp;result_back=1" class="stat-item_child">{month}月</a>'
                )
        # Another table of the same statistics, which has no countries.
        links.append(
            f'<a href="{LISTING}?tclass1=000001013183&amp;tclass2=000001013185&amp;year=20990'
            '&amp;month=24101212">12月</a>'
        )
        return f"<html><body><ul>{''.join(links)}</ul></body></html>"

    def _month_page(self, flow: str, year: int, published: Year) -> str:
        last = max(published.stages)
        rows = "".join(
            '<div class="stat-dataset_list-body">'
            f"<span>確速 26-01 {year}年{last}月分 品別国別表 "
            f"({FLOW_NAMES[flow]} {spans(published.stages)}) {part}</span>"
            f'<a href="{DOWNLOAD}?statInfId={self._number(flow, year, place)}&amp;fileKind=1" '
            'class="stat-dl_icon">CSV</a></div>'
            for place, part in enumerate(FILES)
        )
        return f"<html><body><h1>普通貿易統計</h1>{rows}</body></html>"

    def _number(self, flow: str, year: int, place: int) -> str:
        edition = self._editions[flow, year]
        return f"0000{FLOW_NUMBERS[flow]}{year % 100:02}{edition:03}{place:02}"

    def _file(self, number: str) -> Reply:
        for (flow, year), published in self.years.items():
            for place, part in enumerate(FILES):
                if number == self._number(flow, year, place):
                    lines = [line for line in published.lines if _is_in(part, line.code)]
                    lines.append(_of_other_goods(part, published))
                    return Reply(200, csv_of(flow, year, lines, self.april), "text/csv")
        # What is there no longer: a page, with status 200.
        return _page(MAINTENANCE)


MAINTENANCE = (
    "<!DOCTYPE html><html lang='ja'><head><title>政府統計の総合窓口</title></head>"
    "<body><p>ただいまメンテナンス中です。</p></body></html>"
)


def _of_other_goods(part: str, published: Year) -> Line:
    """A line of each file that no test is about: a file of the publisher is never empty."""
    amounts = dict.fromkeys(published.stages, (0, 1, 1))
    return Line(f"{part.split()[1][:2]}0110900", "304", amounts)


def _is_in(part: str, code: str) -> bool:
    first, _, last = part.split()[1].removesuffix("類").partition("-")
    return first <= code[:2] <= (last or first)


def _page(text: str) -> Reply:
    return Reply(200, text.encode(), "text/html; charset=UTF-8")


def calendar_page(rows: Iterable[tuple[int, str, str]]) -> str:
    """The release calendar: year, month (or `Fiscal Year`) and the day of the detailed figures."""
    body = "".join(
        f"<tr><th>{year}</th><th>{month}</th><td>ー</td><td>ー</td><td>ー</td><td>{day}</td></tr>"
        for year, month, day in rows
    )
    return (
        "<html><body><table><caption>Trade Statistics (Provisional, Detailed)</caption><thead><tr>"
        '<th colspan="2"></th><th>First 10 days</th><th>First 20 days</th><th>Monthly Data</th>'
        f"<th>Detailed</th></tr></thead><tbody>{body}</tbody></table></body></html>"
    )
