"""The fakes have the format of the real publishers, and misbehave as configured."""

from __future__ import annotations

import csv
import gzip
import io
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import pytest

from tests.conftest import SHARED, needs_shared
from tests.fakes.comtrade import (
    AREAS,
    BULK_COLUMNS,
    COLUMNS,
    DESCRIPTIONS,
    KEY_HEADER,
    WORLD,
    FakeComtrade,
    Flow,
    as_bulk,
    as_csv,
    as_json,
    as_xlsx,
    flows_for,
    out_of_quota,
    rate_limited,
    rows_of,
)
from tests.fakes.ecb import FakeEcb
from tests.fakes.server import (
    Behaviour,
    FakePublisher,
    Reply,
    Seen,
    after_reply,
    before_reply,
    column_added,
    column_missing,
    column_renamed,
    cut_body,
    dripping,
    empty_body,
    encoded_as,
    failing,
    gzipped,
    json_reply,
    maintenance_page,
    no_answer,
    not_found,
    redirect,
    send,
    silent,
    slow,
    status,
    too_many_requests,
    with_bom,
)

PAYLOADS = SHARED / "payloads"
KEY = "a-key-of-the-test"
JPN, USA, IND, FRA, TWN, CHN, VNM = 392, 842, 699, 251, 490, 156, 704
PINNED = {"partner2Code": "0", "customsCode": "C00", "motCode": "0"}
ANNUAL, MONTHLY = "/data/v1/get/C/A/HS", "/data/v1/get/C/M/HS"
PREVIEW = "/public/v1/preview/C/M/HS"
MONTHS_OF_2024 = [f"2024{month:02}" for month in range(1, 13)]


class Letters(FakePublisher):
    """One row of JSON, or as CSV, with letters that encodings differ on."""

    def answer(self, request: Seen) -> Reply:
        if request.path == "/rows.csv":
            return Reply(200, "area,value\nCôte d'Ivoire,1\n".encode(), "text/csv")
        return json_reply({"count": 1, "data": [{"area": "Côte d'Ivoire", "value": 1}]})


@pytest.fixture
def letters() -> Iterator[Letters]:
    with Letters() as server:
        yield server


@pytest.fixture
def comtrade() -> Iterator[FakeComtrade]:
    world = flows_for(
        [JPN, USA], [CHN, VNM, TWN], ["284690", "850511"], MONTHS_OF_2024, with_parts=True
    )
    with FakeComtrade(world, key=KEY) as server:
        yield server


@pytest.fixture
def ecb() -> Iterator[FakeEcb]:
    with FakeEcb() as server:
        yield server


def ask(
    server: FakePublisher, path: str = "/rows.json", *, key: str | None = KEY, **params: str
) -> httpx.Response:
    headers = {KEY_HEADER: key} if key else {}
    return httpx.get(f"{server.root}{path}", params=params, headers=headers, timeout=5)


def payload(name: str) -> Any:
    return json.loads((PAYLOADS / name).read_text("utf-8-sig"))


def data(answer: httpx.Response) -> list[dict[str, Any]]:
    content: dict[str, Any] = answer.json()
    assert content["count"] == len(content["data"])
    return list(content["data"])


def identity(row: Mapping[str, Any]) -> tuple[object, ...]:
    """What makes a row of UN Comtrade one row."""
    split = ("partner2Code", "customsCode", "motCode")
    names = ("reporterCode", "partnerCode", "flowCode", "cmdCode", "period", *split)
    return tuple(row[name] for name in names)


# The server.


def test_a_request_is_logged_with_its_parts_and_on_disk_for_another_process(tmp_path: Path) -> None:
    log = tmp_path / "requests.jsonl"
    with Letters(log=log) as server:
        ask(server, "/a+b", key="k", period="2023,2024", name="a b")
        (seen,) = server.requests
        (line,) = log.read_text().splitlines()
    assert (seen.method, seen.path) == ("GET", "/a+b")
    assert seen.query == {"period": "2023,2024", "name": "a b"}
    assert seen.headers[KEY_HEADER.lower()] == "k"
    assert seen.target.startswith("/a+b?period=2023")
    assert json.loads(line)["query"] == seen.query


@pytest.mark.parametrize(
    ("behaviour", "code", "body"),
    [
        (send(201, b"x"), 201, b"x"),
        (status(413, b'{"error": "too much"}'), 413, b'{"error": "too much"}'),
        (too_many_requests("7"), 429, b"Rate limit is exceeded."),
        (failing(503), 503, b"<html><body>Service unavailable</body></html>"),
        (not_found(), 404, b"<html><body>Page not found</body></html>"),
        (maintenance_page(), 200, b"<!DOCTYPE html>\n<html><body>Maintenance</body></html>"),
        (redirect("/other"), 302, b""),
        (empty_body(), 200, b""),
    ],
    ids=["send", "status", "429", "503", "404", "page", "redirect", "empty"],
)
def test_a_queued_behaviour_holds_for_one_request(
    letters: Letters, behaviour: Behaviour, code: int, body: bytes
) -> None:
    letters.will(behaviour)
    answer = ask(letters)
    assert (answer.status_code, answer.content) == (code, body)
    assert ask(letters).json()["count"] == 1


def test_queue_match_limit_and_always_go_before_each_other_in_this_order(letters: Letters) -> None:
    letters.always(failing(500))
    letters.only(3, then=failing(501))
    letters.when(lambda seen: seen.path == "/special", failing(502))
    letters.will(failing(503))
    found = [ask(letters, path).status_code for path in ("/special", "/special", "/a", "/a")]
    assert found == [503, 502, 500, 501]
    letters.always(None)
    assert ask(letters, "/special").status_code == 200


@pytest.mark.parametrize("behaviour", [cut_body(), no_answer()], ids=["cut", "closed"])
def test_a_connection_that_ends_early_is_an_error_of_the_protocol(
    letters: Letters, behaviour: Behaviour
) -> None:
    letters.will(behaviour)
    with pytest.raises(httpx.RemoteProtocolError):
        ask(letters)


@pytest.mark.parametrize("behaviour", [silent(), slow(30)], ids=["silent", "slow"])
def test_silence_lasts_longer_than_a_client_waits_and_ends_with_the_server(
    behaviour: Behaviour,
) -> None:
    with Letters() as server:
        server.will(behaviour)
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(server.root, timeout=0.05)


def test_a_body_that_drips_arrives_whole(letters: Letters) -> None:
    letters.will(dripping(chunk=7, pause_s=0.001))
    assert ask(letters).content == ask(letters).content


def test_bytes_are_changed_on_the_way(letters: Letters) -> None:
    proper = ask(letters).content
    letters.will(with_bom(), encoded_as("latin-1"), encoded_as("utf-16"), gzipped())
    assert ask(letters).content == b"\xef\xbb\xbf" + proper
    assert ask(letters).content.decode("latin-1") == proper.decode()
    assert ask(letters).content.decode("utf-16") == proper.decode()
    packed = ask(letters)
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == proper


def test_a_packed_body_can_stop_half_way_under_a_length_that_fits(letters: Letters) -> None:
    letters.will(gzipped(cut=True))
    with httpx.stream("GET", letters.root) as answer:
        raw = b"".join(answer.iter_raw())
    assert len(raw) == int(answer.headers["content-length"])
    with pytest.raises(EOFError):
        gzip.decompress(raw)


def test_columns_come_go_and_change_their_name_in_json_and_csv(letters: Letters) -> None:
    changes = (column_added("new", 5), column_missing("area"), column_renamed("value", "worth"))
    letters.will(*changes, *changes)
    assert [list(data(ask(letters))[0].items()) for _ in changes] == [
        [("area", "Côte d'Ivoire"), ("value", 1), ("new", 5)],
        [("value", 1)],
        [("area", "Côte d'Ivoire"), ("worth", 1)],
    ]
    assert [ask(letters, "/rows.csv").text for _ in changes] == [
        "area,value,new\nCôte d'Ivoire,1,5\n",
        "value\n1\n",
        "area,worth\nCôte d'Ivoire,1\n",
    ]


def test_a_test_acts_before_and_after_an_answer(letters: Letters) -> None:
    came, went = threading.Event(), threading.Event()
    letters.will(before_reply(came.set, then=failing(500)), after_reply(went.set))
    assert ask(letters).status_code == 500
    assert came.is_set()
    assert ask(letters).status_code == 200
    # The client may have its answer before the callback is through.
    assert went.wait(5)


def test_a_client_that_is_gone_before_its_answer_does_not_disturb_the_server(
    letters: Letters,
) -> None:
    client = socket.create_connection(("127.0.0.1", int(letters.root.rsplit(":", 1)[1])))
    gone = threading.Event()

    def leave() -> None:
        client.close()
        gone.set()

    letters.will(before_reply(leave, then=dripping(chunk=1, pause_s=0)))
    client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert gone.wait(5)
    assert ask(letters).status_code == 200
    assert len(letters.requests) == 2
    assert letters.errors == []


def test_an_error_inside_a_fake_is_raised_when_the_server_stops() -> None:
    class Broken(FakePublisher):
        def answer(self, request: Seen) -> Reply:
            raise KeyError("area 1")

    def run() -> None:
        with Broken() as server, pytest.raises(httpx.RemoteProtocolError):
            ask(server)

    with pytest.raises(KeyError, match="area 1"):
        run()


# UN Comtrade.


@needs_shared
@pytest.mark.parametrize(
    "name", ["get_C_A_HS_annual_REAL.json", "get_C_M_HS_monthly_SYNTHETIC.json"]
)
def test_an_answer_has_the_keys_of_a_real_one_in_its_order_and_types(name: str) -> None:
    real = payload(f"comtrade/{name}")
    is_annual = real["data"][0]["freqCode"] == "A"
    path, period = (ANNUAL, "2024") if is_annual else (MONTHLY, "202406")
    world = flows_for([JPN], [CHN, VNM], ["284690"], [period], gaps=0)
    with FakeComtrade(world, key=KEY) as server:
        ours = ask(server, path, period=period, includeDesc="true").json()
    assert list(ours) == list(real)
    for row in ours["data"]:
        assert list(row) == list(real["data"][0])
    # Null in one and a figure in the other is an answer about another trade, not another shape.
    for name_, value in real["data"][0].items():
        for row in ours["data"]:
            if value is not None and row[name_] is not None:
                assert type(row[name_]) is type(value), name_
    assert {row["refMonth"] for row in ours["data"]} == {52 if is_annual else 6}


@needs_shared
def test_the_columns_are_those_of_real_files() -> None:
    sample = SHARED / "data" / "comtrade_v1_sample" / "comtrade_v1_china.xlsx"
    sheet = openpyxl.load_workbook(sample, read_only=True).worksheets[0]
    assert next(sheet.iter_rows(max_row=1, values_only=True)) == COLUMNS
    with (PAYLOADS / "comtrade" / "bulk_final_SYNTHETIC.txt").open(newline="") as file:
        assert tuple(next(csv.reader(file, delimiter="\t"))) == BULK_COLUMNS
    items = payload("comtrade_ref/TradeDataItems_REAL.json")["results"]
    in_bulk = [one["dataItem"] for one in items if one["isInBulkFileFinal"] == "True"]
    assert in_bulk == list(BULK_COLUMNS)


@needs_shared
def test_areas_have_the_numbers_letters_and_names_of_the_real_list() -> None:
    real = {
        one["reporterCode"]: (one["reporterCodeIsoAlpha3"], one["reporterDesc"])
        for one in payload("comtrade_ref/Reporters_REAL_extract.json")["results"]
    }
    both = real.keys() & AREAS.keys()
    assert {code: AREAS[code] for code in both} == {code: real[code] for code in both}
    assert both >= {JPN, USA, IND, FRA, TWN, CHN, VNM}


@needs_shared
def test_refusals_and_empty_answers_have_the_words_of_real_ones() -> None:
    with FakeComtrade(key=KEY, calls_a_day=1) as server:
        missing = ask(server, ANNUAL, key=None)
        wrong = ask(server, ANNUAL, key="another")
        empty = ask(server, ANNUAL, period="2024")
        quota = ask(server, ANNUAL, period="2024")
        elsewhere = ask(server, "/data/v2/nothing")
        server.will(rate_limited())
        too_fast = ask(server, ANNUAL)
    for answer, name in (
        (missing, "error_401_missing_key_REAL.json"),
        (wrong, "error_401_invalid_key_REAL.json"),
        (quota, "error_403_quota_REAL.json"),
        (elsewhere, "error_404_REAL.json"),
        (too_fast, "error_429_REAL.json"),
    ):
        real = payload(f"comtrade/{name}")
        assert answer.json() == real
        assert answer.status_code == real["statusCode"]
    assert quota.headers["retry-after"] == str((3 * 60 + 14) * 60 + 17)
    assert too_fast.headers["retry-after"] == "1"
    nothing = payload("comtrade/empty_200_REAL.json")
    assert {**empty.json(), "elapsedTime": ""} == {**nothing, "elapsedTime": ""}
    assert empty.status_code == 200


def test_a_question_is_answered_whatever_the_case_of_its_parameters(comtrade: FakeComtrade) -> None:
    params = {"period": "202406,202407", "cmdCode": "284690", "flowCode": "M", **PINNED}
    rows = data(ask(comtrade, MONTHLY, reporterCode=f"{JPN},{USA}", **params))
    assert {row["reporterCode"] for row in rows} <= {JPN, USA}
    assert {row["period"] for row in rows} <= {"202406", "202407"}
    assert {row["cmdCode"] for row in rows} == {"284690"}
    assert {row["flowCode"] for row in rows} == {"M"}
    lower = {name.lower(): value for name, value in params.items()}
    again = data(ask(comtrade, MONTHLY, reportercode=f"{JPN},{USA}", **lower))
    assert sorted(map(identity, again)) == sorted(map(identity, rows))
    assert data(ask(comtrade, ANNUAL, period="202406")) == []
    only_china = data(ask(comtrade, MONTHLY, partnerCode=str(CHN), **params))
    assert {row["partnerCode"] for row in only_china} == {CHN}


def test_descriptions_come_only_where_they_are_asked_for(comtrade: FakeComtrade) -> None:
    bare = data(ask(comtrade, MONTHLY, period="202406", **PINNED))
    assert all(row[name] is None for row in bare for name in DESCRIPTIONS)
    full = data(ask(comtrade, MONTHLY, period="202406", includeDesc="true", **PINNED))
    assert {row["partnerISO"] for row in full} <= {"W00", "CHN", "VNM", "S19"}
    assert all(row[name] is not None for row in full for name in DESCRIPTIONS)


def test_equal_questions_get_equal_rows_and_other_bytes(comtrade: FakeComtrade) -> None:
    first, second = (ask(comtrade, MONTHLY, period="202406", **PINNED) for _ in range(2))
    assert first.content != second.content
    assert first.json()["data"] != second.json()["data"]
    assert sorted(data(first), key=identity) == sorted(data(second), key=identity)


def test_without_pins_breakdown_rows_come_too_and_double_the_sum(comtrade: FakeComtrade) -> None:
    params = {"period": "202406", "partnerCode": str(CHN)}
    pinned = data(ask(comtrade, MONTHLY, **params, **PINNED))
    every = data(ask(comtrade, MONTHLY, **params))
    assert len(every) == 4 * len(pinned) > 0
    total = sum(row["primaryValue"] for row in pinned)
    assert sum(row["primaryValue"] for row in every) == 3 * total
    by_sea_and_air = data(ask(comtrade, MONTHLY, **params, motCode="1000,2100"))
    assert sum(row["primaryValue"] for row in by_sea_and_air) == total
    assert len(set(map(identity, every))) == len(every)


def test_more_than_the_cap_is_left_out_without_a_word(comtrade: FakeComtrade) -> None:
    params = {"period": ",".join(MONTHS_OF_2024)}
    whole = ask(comtrade, MONTHLY, **params).json()["count"]
    assert whole > 500
    assert ask(comtrade, PREVIEW, key=None, **params).json()["count"] == 500
    assert ask(comtrade, PREVIEW, key=None, maxRecords="7", **params).json()["count"] == 7
    assert len(data(ask(comtrade, MONTHLY, maxRecords="7", **params))) == 7
    comtrade.cap = 20
    cut = ask(comtrade, MONTHLY, maxRecords="1000", **params)
    assert (len(data(cut)), cut.json()["error"], cut.status_code) == (20, "", 200)


def test_a_question_that_is_not_valid_is_refused(comtrade: FakeComtrade) -> None:
    thirteen = ",".join([*MONTHS_OF_2024, "202501"])
    for params in ({"period": thirteen}, {"reporterCode": "JPN"}, {"maxRecords": "all"}):
        answer = ask(comtrade, MONTHLY, **params)
        assert answer.status_code == 400
        assert answer.json()["errorObject"]["errorMessage"]
    comtrade.periods_per_preview = 1
    assert ask(comtrade, PREVIEW, key=None, period="202401").status_code == 200
    assert ask(comtrade, PREVIEW, key=None, period="202401,202402").status_code == 400
    many = ",".join(str(code) for code in range(280000, 281000))
    assert ask(comtrade, MONTHLY, cmdCode=many).text == "Request URL Too Long"


def test_without_a_period_the_newest_one_is_meant(comtrade: FakeComtrade) -> None:
    assert {row["period"] for row in data(ask(comtrade, MONTHLY))} == {"202412"}


def test_the_quota_counts_keyed_calls_until_it_is_replenished(comtrade: FakeComtrade) -> None:
    comtrade.calls_a_day = 2
    ask(comtrade, MONTHLY, key="wrong")
    ask(comtrade, PREVIEW, key=None)
    assert [ask(comtrade, MONTHLY).status_code for _ in range(3)] == [200, 200, 403]
    assert ask(comtrade, PREVIEW, key=None).status_code == 200
    comtrade.replenish()
    assert ask(comtrade, MONTHLY).status_code == 200
    comtrade.will(out_of_quota())
    assert ask(comtrade, MONTHLY).status_code == 403


def test_a_world_is_the_same_for_its_seed_and_its_totals_are_sums() -> None:
    partners = [CHN, VNM, TWN, IND, FRA]
    world = flows_for([JPN, USA], partners, ["284690", "850511"], ["2023", "2024"])
    assert world == flows_for([JPN, USA], partners, ["284690", "850511"], ["2023", "2024"])
    assert world != flows_for([JPN, USA], partners, ["284690", "850511"], ["2023", "2024"], seed=1)
    assert set(flows_for([JPN], partners, ["850511"], ["2024"])) <= set(world)
    slices = {flow.slice for flow in world}
    assert 0 < len(slices) < 2 * 2 * 2 * 2
    for one in slices:
        (total,) = [flow for flow in world if flow.slice == one and flow.partner == WORLD]
        parts = [flow for flow in world if flow.slice == one and flow.partner != WORLD]
        assert total.value == sum(flow.value for flow in parts)
        assert total.weight == sum(flow.weight or 0 for flow in parts)


def test_the_publisher_revises_withdraws_and_publishes_with_its_totals() -> None:
    def flow(partner: int, value: float) -> Flow:
        return Flow(JPN, partner, "M", "284690", "2024", value, 2 * value)

    def values() -> dict[int, float]:
        return {one.partner: one.value for one in server.flows}

    server = FakeComtrade([flow(CHN, 10.0), flow(VNM, 5.0), flow(WORLD, 15.0)])
    server.revise(lambda one: replace(one, value=11.0), partner=CHN)
    assert values() == {CHN: 11.0, VNM: 5.0, WORLD: 16.0}
    server.publish(flow(FRA, 4.0))
    assert values() == {CHN: 11.0, VNM: 5.0, FRA: 4.0, WORLD: 20.0}
    server.withdraw(partner=CHN)
    assert values() == {VNM: 5.0, FRA: 4.0, WORLD: 9.0}
    server.revise(lambda one: replace(one, value=99.0), partner=WORLD)
    assert values()[WORLD] == 99.0
    server.withdraw(reporter=JPN)
    assert values() == {}
    with pytest.raises(LookupError, match="no flow with"):
        server.withdraw(reporter=USA)


def test_files_hold_the_rows_of_the_answers() -> None:
    world = flows_for([JPN], [CHN, VNM], ["284690"], ["202406"], gaps=0, with_parts=True)
    rows = list(rows_of(world))
    every = list(rows_of(world, pinned=False))
    assert len(every) == sum(1 + len(flow.parts) for flow in world)

    assert json.loads(as_json(world))["data"] == rows

    table = list(csv.DictReader(io.StringIO(as_csv(world, case=str.lower).decode())))
    assert list(table[0]) == [name.lower() for name in COLUMNS]
    assert [float(one["primaryvalue"]) for one in table] == [one["primaryValue"] for one in rows]
    assert table[0]["grosswgt"] == ""
    assert table[0]["isleaf"] == "True"

    sheet = openpyxl.load_workbook(io.BytesIO(as_xlsx(world, pinned=False))).worksheets[0]
    assert (sheet.max_row, sheet.max_column) == (1 + len(every), 47)

    text = gzip.decompress(as_bulk(world, packed=True))
    assert text == as_bulk(world)
    header, *lines = text.decode().split("\r\n")[:-1]
    assert tuple(header.split("\t")) == BULK_COLUMNS
    assert [line.split("\t")[0] for line in lines] == ["20392202406"] * len(rows)


# The ECB.


SERIES = "/service/data/EXR/D.USD+JPY+CNY+GBP.EUR.SP00.A"


@needs_shared
@pytest.mark.parametrize(
    ("name", "detail"),
    [
        ("EXR_csvdata_dataonly_FIXTURE.csv", {"detail": "dataonly"}),
        ("EXR_csvdata_SYNTHETIC_status.csv", {}),
    ],
)
def test_series_have_the_columns_of_the_data_api(
    ecb: FakeEcb, name: str, detail: dict[str, str]
) -> None:
    answer = ask(ecb, SERIES, format="csvdata", startPeriod="2026-10-01", **detail)
    with (PAYLOADS / "ecb" / name).open(newline="") as file:
        real = list(csv.DictReader(file))
    ours = list(csv.DictReader(io.StringIO(answer.text)))
    assert list(ours[0]) == list(real[0])
    first = next(row for row in ours if row["CURRENCY"] == real[0]["CURRENCY"])
    changing = {"TIME_PERIOD", "OBS_VALUE", "TITLE", "TITLE_COMPL"}
    for column in first.keys() - changing:
        assert first[column] == real[0][column]


def test_series_come_one_after_the_other_between_two_days(ecb: FakeEcb) -> None:
    answer = ask(
        ecb,
        SERIES,
        format="csvdata",
        detail="dataonly",
        startPeriod="2005-03-31",
        endPeriod="2005-04-01",
    )
    assert [line.split(",")[2:] for line in answer.text.splitlines()[1:]] == [
        ["CNY", "EUR", "SP00", "A", "2005-04-01", "10.7255"],
        ["JPY", "EUR", "SP00", "A", "2005-03-31", "138.44"],
        ["JPY", "EUR", "SP00", "A", "2005-04-01", "139.07"],
        ["USD", "EUR", "SP00", "A", "2005-03-31", "1.2964"],
        ["USD", "EUR", "SP00", "A", "2005-04-01", "1.2959"],
    ]


def test_nothing_there_is_a_404_with_words_and_another_path_is_another_404(ecb: FakeEcb) -> None:
    empty = ask(ecb, SERIES, format="csvdata", startPeriod="2026-10-31")
    assert empty.status_code == 404
    assert empty.json()["detail"] == "No results found."
    assert "No results found." not in ask(ecb, "/service/elsewhere").text


@pytest.mark.parametrize(
    "params", [{"startPeriod": "30.10.2026"}, {"detail": "some"}, {"currency": "USD"}]
)
def test_a_parameter_the_data_api_does_not_know_is_refused(
    ecb: FakeEcb, params: dict[str, str]
) -> None:
    assert ask(ecb, SERIES, format="csvdata", **params).status_code == 400


def test_a_new_day_is_in_the_history_and_in_the_series(ecb: FakeEcb) -> None:
    ecb.publish(("2026-11-02", "1.12", "176.00", "N/A", "7.44"))
    history = ask(ecb, "/stats/eurofxref/eurofxref-hist.csv").text
    assert history.splitlines()[1] == "2026-11-02,1.12,176.00,N/A,7.44,"
    series = ask(ecb, SERIES, format="csvdata", detail="dataonly", startPeriod="2026-11")
    assert [row["OBS_VALUE"] for row in csv.DictReader(io.StringIO(series.text))] == [
        "7.44",
        "176.00",
        "1.12",
    ]


@needs_shared
def test_the_history_has_the_layout_of_the_real_one(ecb: FakeEcb) -> None:
    real = (PAYLOADS / "ecb" / "eurofxref-hist_REAL_extract.csv").read_text()
    with FakeEcb(real.encode()) as server:
        assert ask(server, "/stats/eurofxref/eurofxref-hist.csv").text == real
        last = real.splitlines()[1].split(",")[0]
        params = {"format": "csvdata", "detail": "dataonly", "startPeriod": last}
        series = ask(server, "/service/data/EXR/D.USD.EUR.SP00.A", **params)
    assert series.text.splitlines()[1].endswith(f",{last},{real.splitlines()[1].split(',')[1]}")
    ours = ask(ecb, "/stats/eurofxref/eurofxref-hist.csv").text
    assert all(line.endswith(",") for line in (*ours.splitlines(), *real.splitlines()))
