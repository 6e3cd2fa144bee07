"""What one GET does when the publisher answers well, badly, late or not at all."""

import gzip
import logging
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from pydantic import SecretStr
from tenacity import wait_fixed, wait_none

from dagster_project import http
from dagster_project.errors import ConfigurationError, FetchError, KidoError, UpstreamFormatError
from dagster_project.sources import ecb as ecb_source
from dagster_project.sources.card import Request
from tests.fakes.ecb import (
    FakeEcb,
    cut_body,
    failing,
    history_zip,
    maintenance_page,
    no_answer,
    not_found,
    send,
    slow,
    too_many_requests,
)

ZIP = ecb_source.plan()[0]
CSV = Request(document="history.csv", url="eurofxref-hist.csv", expects=("csv",))
JSON = Request(document="answer.json", url="eurofxref-hist.csv", expects=("json",))
SECRET = "s3cr3t+/=word"


class Sleeps(list[float]):
    """Stands in for `time.sleep` and keeps the waits it was asked for."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


@pytest.fixture
def ecb() -> Iterator[FakeEcb]:
    with FakeEcb() as server:
        yield server


@pytest.fixture
def sleeps() -> Sleeps:
    return Sleeps()


def get(
    request: Request,
    server: FakeEcb,
    sleeps: Sleeps | None = None,
    *,
    key: str | None = None,
    base_url: str | None = None,
    attempts: int = 5,
    timeout_s: float = 10.0,
) -> http.Response:
    return http.fetch(
        request,
        base_url=base_url or server.base_url,
        key=SecretStr(key) if key else None,
        attempts=attempts,
        timeout_s=timeout_s,
        sleep=Sleeps() if sleeps is None else sleeps,
    )


def whole_story(error: BaseException) -> str:
    """Everything a log would show of an exception, with its causes."""
    return "".join(traceback.format_exception(error)) + repr(error.__context__)


def test_a_document_arrives_byte_for_byte_with_its_origin(ecb: FakeEcb, sleeps: Sleeps) -> None:
    before = datetime.now(UTC)
    response = get(ZIP, ecb, sleeps)

    assert response.payload == ecb.documents["/stats/eurofxref/eurofxref-hist.zip"]
    assert response.media_type == "application/zip"
    assert response.headers["content-length"] == str(len(response.payload))
    assert response.url == f"{ecb.base_url}/eurofxref-hist.zip"
    assert before <= response.retrieved_at <= datetime.now(UTC)
    assert sleeps == []


def test_a_request_names_the_project(ecb: FakeEcb) -> None:
    get(ZIP, ecb)
    assert ecb.requests[0].headers["user-agent"].startswith("Kido/")


def test_a_slash_at_the_end_of_the_base_address_changes_nothing(ecb: FakeEcb) -> None:
    get(ZIP, ecb, base_url=f"{ecb.base_url}/")
    assert ecb.requests[0].path == "/stats/eurofxref/eurofxref-hist.zip"


@pytest.mark.parametrize(
    "misbehaviour",
    [failing(500), failing(502), failing(503), no_answer(), cut_body(), too_many_requests("0")],
    ids=["500", "502", "503", "connection closed", "cut body", "429"],
)
def test_a_failure_that_may_pass_is_asked_again(
    ecb: FakeEcb, sleeps: Sleeps, misbehaviour: object
) -> None:
    ecb.will(misbehaviour, misbehaviour)  # type: ignore[arg-type]
    response = get(ZIP, ecb, sleeps)

    assert response.payload == history_zip()
    assert len(ecb.requests) == 3
    assert len(sleeps) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_an_answer_that_will_not_change_is_not_asked_for_again(
    ecb: FakeEcb, sleeps: Sleeps, status: int
) -> None:
    ecb.will(failing(status))
    with pytest.raises(FetchError, match=f"eurofxref-hist.zip answered {status}"):
        get(ZIP, ecb, sleeps)
    assert len(ecb.requests) == 1
    assert sleeps == []


def test_a_server_that_keeps_failing_ends_in_one_sentence_with_address_and_status(
    ecb: FakeEcb, sleeps: Sleeps
) -> None:
    ecb.will(*[failing(500)] * 3)
    with pytest.raises(FetchError) as caught:
        get(ZIP, ecb, sleeps, attempts=3)
    assert str(caught.value) == (
        f"{ecb.base_url}/eurofxref-hist.zip could not be fetched after 3 attempts: "
        "500 Internal Server Error."
    )
    assert len(ecb.requests) == 3
    assert len(sleeps) == 2


def test_a_body_that_is_cut_every_time_is_a_failure_and_not_a_short_document(ecb: FakeEcb) -> None:
    ecb.will(cut_body(), cut_body())
    with pytest.raises(FetchError, match="could not be fetched after 2 attempts"):
        get(ZIP, ecb, attempts=2)


def test_a_silent_server_is_given_up_on(ecb: FakeEcb) -> None:
    ecb.will(slow(30), slow(30))
    with pytest.raises(FetchError, match="after 2 attempts: the server did not answer in time"):
        get(ZIP, ecb, attempts=2, timeout_s=0.1)


def test_a_slow_server_within_the_time_is_waited_for(ecb: FakeEcb, sleeps: Sleeps) -> None:
    ecb.will(slow(0.1))
    assert get(ZIP, ecb, sleeps).payload == history_zip()
    assert sleeps == []


def test_a_server_that_is_not_there_ends_in_one_sentence(sleeps: Sleeps) -> None:
    with FakeEcb() as server:
        address = server.base_url
    with pytest.raises(FetchError, match=r"could not be fetched after 2 attempts: the connection"):
        http.fetch(ZIP, base_url=address, attempts=2, sleep=sleeps)


def test_waits_grow(ecb: FakeEcb, sleeps: Sleeps) -> None:
    ecb.will(*[failing(500)] * 4)
    get(ZIP, ecb, sleeps)
    # Doubling from one second, each with up to one second of jitter on top.
    assert len(sleeps) == 4
    for shortest, waited in zip([1, 2, 4, 8], sleeps, strict=True):
        assert shortest <= waited <= shortest + 1


def test_the_publishers_wait_in_seconds_goes_before_ours(ecb: FakeEcb, sleeps: Sleeps) -> None:
    ecb.will(too_many_requests("7"))
    get(ZIP, ecb, sleeps)
    assert sleeps == [7.0]


def test_the_publishers_wait_until_a_moment_goes_before_ours(ecb: FakeEcb, sleeps: Sleeps) -> None:
    ecb.will(
        too_many_requests(format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True))
    )
    get(ZIP, ecb, sleeps)
    assert 25 < sleeps[0] <= 30


def test_a_moment_that_has_passed_means_no_wait(ecb: FakeEcb, sleeps: Sleeps) -> None:
    ecb.will(too_many_requests("Mon, 04 Jan 1999 15:00:00 GMT"))
    get(ZIP, ecb, sleeps)
    assert sleeps == [0.0]


def test_no_wait_is_longer_than_two_minutes(ecb: FakeEcb, sleeps: Sleeps) -> None:
    ecb.will(too_many_requests("36000"))
    get(ZIP, ecb, sleeps)
    assert sleeps == [120.0]


def test_a_retry_after_that_says_nothing_leaves_our_own_wait(ecb: FakeEcb, sleeps: Sleeps) -> None:
    ecb.will(too_many_requests("soon"))
    http.fetch(ZIP, base_url=ecb.base_url, wait=wait_fixed(3), sleep=sleeps)
    assert sleeps == [3.0]


def test_the_growing_wait_can_be_replaced(ecb: FakeEcb, sleeps: Sleeps) -> None:
    ecb.will(failing(500))
    http.fetch(ZIP, base_url=ecb.base_url, wait=wait_none(), sleep=sleeps)
    assert sleeps == [0.0]


@pytest.mark.parametrize("request_", [ZIP, CSV, JSON], ids=["zip", "csv", "json"])
def test_an_html_page_is_never_a_document(ecb: FakeEcb, request_: Request) -> None:
    ecb.will(maintenance_page())
    with pytest.raises(UpstreamFormatError, match="sent an HTML page where"):
        get(request_, ecb)
    assert len(ecb.requests) == 1


def test_a_page_under_a_wrong_content_type_is_known_by_its_first_bytes(ecb: FakeEcb) -> None:
    ecb.will(send(200, b"\xef\xbb\xbf\r\n <html></html>", "text/csv"))
    with pytest.raises(UpstreamFormatError, match="sent an HTML page where CSV was expected"):
        get(CSV, ecb)


def test_a_content_type_of_a_page_is_enough_to_refuse(ecb: FakeEcb) -> None:
    ecb.will(send(200, b"Invalid Key", "text/html; charset=utf-8"))
    with pytest.raises(UpstreamFormatError, match="sent an HTML page where CSV was expected"):
        get(CSV, ecb)


@pytest.mark.parametrize(
    ("request_", "body"),
    [
        (ZIP, b"Date,USD,JPY,\n"),
        (CSV, b'{"error": "quota"}'),
        (CSV, history_zip()),
        (JSON, b"Date,USD,JPY,\n"),
        (ZIP, b""),
        (CSV, b"\n"),
    ],
    ids=["csv for zip", "json for csv", "zip for csv", "csv for json", "nothing", "a blank line"],
)
def test_bytes_of_another_kind_are_refused(ecb: FakeEcb, request_: Request, body: bytes) -> None:
    ecb.will(send(200, body, "application/octet-stream"))
    with pytest.raises(UpstreamFormatError, match="was expected"):
        get(request_, ecb)


@pytest.mark.parametrize("body", [b'{"data": []}', b' \n[{"a": 1}]', b"\xef\xbb\xbf{}"])
def test_json_is_known_by_its_first_sign(ecb: FakeEcb, body: bytes) -> None:
    ecb.will(send(200, body, "application/json"))
    assert get(JSON, ecb).payload == body


def test_a_packed_body_is_unpacked(ecb: FakeEcb) -> None:
    ecb.will(send(200, gzip.compress(b"Date,USD,\n"), "text/csv", Content_Encoding="gzip"))
    assert get(CSV, ecb).payload == b"Date,USD,\n"


def test_a_packed_body_that_stops_half_way_is_asked_for_again(ecb: FakeEcb, sleeps: Sleeps) -> None:
    packed = gzip.compress(bytes(range(256)) * 20)
    half = send(200, packed[: len(packed) // 2], "text/csv", Content_Encoding="gzip")
    ecb.will(half)
    assert get(CSV, ecb, sleeps).payload == ecb.documents["/stats/eurofxref/eurofxref-hist.csv"]
    assert len(sleeps) == 1


def test_a_redirect_is_followed(ecb: FakeEcb) -> None:
    ecb.will(send(302, b"", Location="/stats/eurofxref/eurofxref-hist.zip"))
    moved = Request(document="moved.zip", url="moved.zip", expects=("zip",))
    assert get(moved, ecb).payload == history_zip()


def test_redirects_in_a_circle_end(ecb: FakeEcb) -> None:
    ecb.will(*[send(302, b"", Location="/stats/eurofxref/eurofxref-hist.zip")] * 10)
    with pytest.raises(FetchError, match="redirects more than 5 times"):
        get(ZIP, ecb)


KEYED = Request(
    document="keyed.zip",
    url="eurofxref-hist.zip",
    expects=("zip",),
    headers={"Ocp-Apim-Subscription-Key": "{key}", "Authorization": "APIKey {key}"},
)
KEYED_IN_ADDRESS = Request(
    document="keyed.zip",
    url="eurofxref-hist.zip",
    expects=("zip",),
    params={"appId": "{key}", "lang": "J", "unusual": "{key}"},
)


def test_a_key_travels_in_the_headers_that_want_it(ecb: FakeEcb) -> None:
    response = get(KEYED, ecb, key=SECRET)
    (seen,) = ecb.requests
    assert seen.headers["ocp-apim-subscription-key"] == SECRET
    assert seen.headers["authorization"] == f"APIKey {SECRET}"
    assert SECRET not in seen.path
    assert SECRET not in repr(response)


def test_a_key_nobody_asks_for_stays_at_home(ecb: FakeEcb) -> None:
    get(ZIP, ecb, key=SECRET)
    (seen,) = ecb.requests
    assert SECRET not in seen.path + repr(seen.headers)


def test_a_request_that_wants_a_key_is_not_sent_without_one(ecb: FakeEcb) -> None:
    with pytest.raises(ConfigurationError, match="cannot be fetched without a key"):
        get(KEYED, ecb)
    assert ecb.requests == []


def test_a_key_that_a_header_cannot_hold_is_refused_without_being_shown(ecb: FakeEcb) -> None:
    with pytest.raises(ConfigurationError) as caught:
        get(KEYED, ecb, key=f"{SECRET}\nand more")
    assert SECRET not in whole_story(caught.value)
    assert ecb.requests == []


def test_the_record_of_a_request_blots_out_what_looks_like_a_credential(ecb: FakeEcb) -> None:
    open_secrets = Request(
        document="d.zip",
        url="eurofxref-hist.zip?token=t0ken",
        expects=("zip",),
        params={
            "key": "k3y",
            "appId": "4pp",
            "api_key": "4pi",
            "subscription-key": "sub5cription",
            "keyword": "yttrium oxide",
        },
    )
    response = get(open_secrets, ecb)
    assert response.url == (
        f"{ecb.base_url}/eurofxref-hist.zip?token=***&key=***&appId=***&api_key=***"
        "&subscription-key=***&keyword=yttrium+oxide"
    )
    assert "k3y" in ecb.requests[0].path


@pytest.mark.parametrize("request_", [KEYED, KEYED_IN_ADDRESS], ids=["headers", "address"])
@pytest.mark.parametrize(
    "misbehaviour",
    [failing(500), not_found(), maintenance_page(), cut_body(), no_answer(), send(200, b"", "a/b")],
    ids=["500", "404", "html", "cut", "closed", "empty"],
)
def test_no_failure_tells_the_key(
    ecb: FakeEcb, caplog: pytest.LogCaptureFixture, request_: Request, misbehaviour: object
) -> None:
    caplog.set_level(logging.DEBUG)
    ecb.will(misbehaviour, misbehaviour)  # type: ignore[arg-type]
    with pytest.raises(KidoError) as caught:
        get(request_, ecb, key=SECRET, attempts=2)

    # The address holds `s3cr3t%2B%2F%3Dword`; its first and last letters are enough to look for.
    told = whole_story(caught.value) + caplog.text
    assert "s3cr3t" not in told
    assert "eurofxref-hist.zip" in str(caught.value)
    assert all("s3cr3t" in repr(seen) for seen in ecb.requests)


def test_no_log_line_of_a_success_tells_the_key(
    ecb: FakeEcb, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    response = get(KEYED_IN_ADDRESS, ecb, key=SECRET)
    assert "s3cr3t" not in caplog.text + repr(response.headers) + response.url
    assert "lang=J" in response.url
    assert f"GET {response.url}: 200 OK" in caplog.text


def test_a_header_that_sends_the_key_back_is_blotted_out(ecb: FakeEcb) -> None:
    ecb.will(send(Content_Disposition=f"attachment; filename={SECRET}.zip"))
    response = get(KEYED, ecb, key=SECRET)
    assert response.headers["content-disposition"] == "attachment; filename=***.zip"


def test_user_and_password_of_a_mirror_are_used_and_not_shown(ecb: FakeEcb) -> None:
    mirror = ecb.base_url.replace("http://", "http://reader:pa55@")
    response = get(ZIP, ecb, base_url=mirror)
    assert ecb.requests[0].headers["authorization"].startswith("Basic ")
    assert response.url == f"{ecb.base_url}/eurofxref-hist.zip"


def test_a_redirect_to_another_server_does_not_take_the_key_along(ecb: FakeEcb) -> None:
    with FakeEcb() as elsewhere:
        ecb.will(send(302, b"", Location=f"{elsewhere.base_url}/eurofxref-hist.zip"))
        get(KEYED, ecb, key=SECRET)
        assert SECRET in repr(ecb.requests)
        (seen,) = elsewhere.requests
    assert SECRET not in repr(seen)


def test_a_redirect_on_the_same_server_takes_the_key_along(ecb: FakeEcb) -> None:
    ecb.will(send(302, b"", Location="/stats/eurofxref/eurofxref-hist.zip"))
    get(KEYED, ecb, key=SECRET)
    assert [seen.headers["ocp-apim-subscription-key"] for seen in ecb.requests] == [SECRET] * 2


@pytest.mark.parametrize("base_url", ["", "ftp://example.org", "http://", "not an address"])
def test_a_base_address_that_is_none_is_a_wrong_setting(base_url: str) -> None:
    with pytest.raises(ConfigurationError, match="is not an http or https address"):
        http.fetch(ZIP, base_url=base_url)
