"""What one GET does when the publisher answers well, badly, late or not at all."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import logging
import tempfile
import traceback
import tracemalloc
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from tenacity import wait_fixed, wait_none

from dagster_project import http
from dagster_project.errors import (
    ConfigurationError,
    DeniedError,
    FetchError,
    KidoError,
    QuotaError,
    UnexpectedStatusError,
    UpstreamFormatError,
)
from dagster_project.http import Client, Received, shown_address
from dagster_project.sources.card import Kind, Limits, Meaning, Request
from tests.fakes.ecb import FakeEcb, history_csv, history_zip
from tests.fakes.server import (
    Behaviour,
    FakePublisher,
    Handler,
    Reply,
    Seen,
    cut_body,
    dripping,
    empty_body,
    failing,
    gzipped,
    maintenance_page,
    no_answer,
    not_found,
    redirect,
    repeating,
    send,
    silent,
    slow,
    status,
    too_many_requests,
)
from tests.nightly import times

PATH = "stats/eurofxref/eurofxref-hist"
ZIP = Request(f"{PATH}.zip", expects=("zip",))
CSV = Request(f"{PATH}.csv", expects=("csv",))
JSON = Request(f"{PATH}.csv", expects=("json",))
SECRET = "s3cr3t+/=word"
NOTHING_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
"""The hash of no bytes, from NIST's test vectors."""


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


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "intake" / "answer.part"


def get(
    request: Request,
    server: FakePublisher,
    file: Path,
    sleeps: Sleeps | None = None,
    *,
    key: str | None = None,
    **options: Any,
) -> Received:
    """One request by a client of its own."""
    with Client(
        **{
            "base_url": server.root,
            "key": SecretStr(key) if key else None,
            "sleep": Sleeps() if sleeps is None else sleeps,
            "timeout_s": 10.0,
            **options,
        }
    ) as client:
        return client.send(request, file)


def whole_story(error: BaseException) -> str:
    """Everything a log would show of an exception, with its causes."""
    return "".join(traceback.format_exception(error)) + repr(error.__context__) + repr(vars(error))


def expecting(*kinds: Kind, **statuses: Meaning) -> Request:
    by_status = {int(name.removeprefix("s")): meaning for name, meaning in statuses.items()}
    return Request(f"{PATH}.csv", expects=kinds, statuses=by_status)


# What arrives.


def test_a_document_arrives_byte_for_byte_with_its_origin(
    ecb: FakeEcb, file: Path, sleeps: Sleeps
) -> None:
    before = datetime.now(UTC).replace(tzinfo=None)
    received = get(ZIP, ecb, file, sleeps)

    assert file.read_bytes() == history_zip()
    assert received.answer.file == file
    assert (received.answer.meaning, received.answer.status) == ("content", 200)
    assert received.answer.media_type == "application/zip"
    assert received.answer.headers["content-length"] == str(len(history_zip()))
    assert received.bytes == len(history_zip())
    assert received.sha256 == hashlib.sha256(history_zip()).hexdigest()
    assert received.url == f"{ecb.root}/{PATH}.zip"
    assert before <= received.retrieved_at <= datetime.now(UTC).replace(tzinfo=None)
    assert sleeps == []


def test_a_request_names_the_project(ecb: FakeEcb, file: Path) -> None:
    get(ZIP, ecb, file)
    assert ecb.requests[0].headers["user-agent"].startswith("Kido/")


def test_a_request_accepts_no_coding_that_is_not_unpacked_here(ecb: FakeEcb, file: Path) -> None:
    get(ZIP, ecb, file)
    accepted = ecb.requests[0].headers["accept-encoding"].split(",")
    assert {coding.strip() for coding in accepted} == {"gzip", "identity"}


def test_a_request_takes_its_own_headers_and_parameters_along(ecb: FakeEcb, file: Path) -> None:
    request = Request(
        f"{PATH}.csv?a=1",
        expects=("csv",),
        params={"cmdCode": "280530,284610", "name": "yttrium oxide & more"},
        headers={"Accept": "text/csv"},
    )
    get(request, ecb, file)
    (seen,) = ecb.requests
    assert seen.query == {"a": "1", "cmdCode": "280530,284610", "name": "yttrium oxide & more"}
    assert seen.headers["accept"] == "text/csv"


def test_a_slash_at_the_end_of_the_base_address_changes_nothing(ecb: FakeEcb, file: Path) -> None:
    get(ZIP, ecb, file, base_url=f"{ecb.root}/")
    assert ecb.requests[0].path == f"/{PATH}.zip"


def test_one_client_sends_many_requests(ecb: FakeEcb, tmp_path: Path) -> None:
    with Client(base_url=ecb.root) as client:
        client.send(ZIP, tmp_path / "one")
        client.send(CSV, tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == history_zip()
    assert (tmp_path / "two").read_bytes() == history_csv()


def test_a_second_answer_replaces_the_first_in_the_same_file(ecb: FakeEcb, file: Path) -> None:
    get(ZIP, ecb, file)
    get(CSV, ecb, file)
    assert file.read_bytes() == history_csv()


def test_a_large_body_is_on_the_disk_before_its_end_is_out(ecb: FakeEcb, file: Path) -> None:
    written: list[int] = []
    body = b"a,b\n" + b"1,2\n" * (3 << 18)

    def behave(handler: Handler, _reply: Reply) -> None:
        handler.write_head(Reply(200, body, "text/csv"))
        handler.wfile.write(body[:-1])
        handler.wfile.flush()
        for _ in range(200):
            written.append(file.stat().st_size if file.exists() else 0)
            if written[-1] >= 1 << 20 or handler.publisher.stopping.wait(0.01):
                break
        handler.wfile.write(body[-1:])

    ecb.will(behave)
    received = get(CSV, ecb, file)
    assert 1 << 20 <= written[-1] < len(body)
    assert file.read_bytes() == body
    assert received.bytes == len(body)


def test_a_body_that_comes_in_small_pieces_is_whole(ecb: FakeEcb, file: Path) -> None:
    ecb.will(dripping(chunk=16, pause_s=0.001))
    get(CSV, ecb, file)
    assert file.read_bytes() == history_csv()


def test_a_body_of_unknown_length_is_whole(ecb: FakeEcb, file: Path) -> None:
    def chunked(handler: Handler, reply: Reply) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/csv")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for piece in (reply.body[:50], reply.body[50:]):
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        handler.wfile.write(b"0\r\n\r\n")

    ecb.will(chunked)
    get(CSV, ecb, file)
    assert file.read_bytes() == history_csv()


# Asking again.


@pytest.mark.parametrize(
    "misbehaviour",
    [
        *(failing(code) for code in (500, 502, 503, 504, 408, 409, 425)),
        no_answer(),
        cut_body(),
        gzipped(cut=True),
        too_many_requests("0"),
    ],
    ids=[
        *("500", "502", "503", "504", "408", "409", "425"),
        *("connection closed", "cut body", "cut gzip body", "429"),
    ],
)
def test_a_failure_that_may_pass_is_asked_again(
    ecb: FakeEcb, file: Path, sleeps: Sleeps, misbehaviour: Behaviour
) -> None:
    ecb.will(misbehaviour, misbehaviour)
    received = get(ZIP, ecb, file, sleeps)

    assert file.read_bytes() == history_zip()
    assert received.sha256 == hashlib.sha256(history_zip()).hexdigest()
    assert len(ecb.requests) == 3
    assert len(sleeps) == 2


@pytest.mark.parametrize("code", [400, 404, 405, 406, 410, 413, 414, 422, 451])
def test_an_answer_that_will_not_change_is_not_asked_for_again(
    ecb: FakeEcb, file: Path, sleeps: Sleeps, code: int
) -> None:
    ecb.will(failing(code))
    with pytest.raises(UnexpectedStatusError, match=f"eurofxref-hist.zip answered {code}"):
        get(ZIP, ecb, file, sleeps)
    assert len(ecb.requests) == 1
    assert sleeps == []


@pytest.mark.parametrize("code", [401, 403])
def test_a_refused_credential_is_a_denial_and_not_asked_again(
    ecb: FakeEcb, file: Path, sleeps: Sleeps, code: int
) -> None:
    ecb.will(status(code, b"who are you?"))
    with pytest.raises(DeniedError, match=f"answered {code}"):
        get(ZIP, ecb, file, sleeps)
    assert len(ecb.requests) == 1
    assert sleeps == []


def test_a_page_that_is_not_there_is_an_unexpected_status_and_no_denial(
    ecb: FakeEcb, file: Path
) -> None:
    ecb.will(not_found())
    with pytest.raises(UnexpectedStatusError) as caught:
        get(ZIP, ecb, file)
    assert str(caught.value) == f"{ecb.root}/{PATH}.zip answered 404 Not Found."


def test_a_redirect_to_nowhere_is_an_unexpected_status(ecb: FakeEcb, file: Path) -> None:
    ecb.will(status(302))
    with pytest.raises(UnexpectedStatusError, match="answered 302 Found"):
        get(ZIP, ecb, file)


def test_a_server_that_keeps_failing_ends_in_one_sentence_with_address_and_status(
    ecb: FakeEcb, file: Path, sleeps: Sleeps
) -> None:
    ecb.will(*[failing(500)] * 3)
    with pytest.raises(FetchError) as caught:
        get(ZIP, ecb, file, sleeps, attempts=3)
    assert str(caught.value) == (
        f"{ecb.root}/{PATH}.zip could not be fetched after 3 attempts: 500 Internal Server Error."
    )
    assert len(ecb.requests) == 3
    assert len(sleeps) == 2


def test_one_attempt_that_fails_is_not_called_several(ecb: FakeEcb, file: Path) -> None:
    ecb.will(failing(503))
    with pytest.raises(FetchError, match="after one attempt: 503 Service Unavailable"):
        get(ZIP, ecb, file, attempts=1)


def test_a_body_that_is_cut_every_time_is_a_failure_and_not_a_short_document(
    ecb: FakeEcb, file: Path
) -> None:
    ecb.will(cut_body(), cut_body())
    with pytest.raises(FetchError, match="could not be fetched after 2 attempts"):
        get(ZIP, ecb, file, attempts=2)


def test_a_server_that_is_not_there_ends_in_one_sentence(file: Path, sleeps: Sleeps) -> None:
    with FakeEcb() as server:
        pass
    with pytest.raises(FetchError, match=r"could not be fetched after 2 attempts: the connection"):
        get(ZIP, server, file, sleeps, attempts=2)


def test_waits_grow(ecb: FakeEcb, file: Path, sleeps: Sleeps) -> None:
    ecb.will(*[failing(500)] * 4)
    get(ZIP, ecb, file, sleeps)
    # Doubling from one second, each with up to one second of jitter on top.
    assert len(sleeps) == 4
    for shortest, waited in zip([1, 2, 4, 8], sleeps, strict=True):
        assert shortest <= waited <= shortest + 1


def test_the_growing_wait_can_be_replaced(ecb: FakeEcb, file: Path, sleeps: Sleeps) -> None:
    ecb.will(failing(500))
    get(ZIP, ecb, file, sleeps, wait=wait_none())
    assert sleeps == [0.0]


def test_a_failure_that_passed_leaves_nothing_of_its_body(ecb: FakeEcb, file: Path) -> None:
    ecb.will(send(body=history_csv() * 40), cut_body(), send(body=b"a,b\n1,2\n"))
    get(CSV, ecb, file)
    get(CSV, ecb, file)
    assert file.read_bytes() == b"a,b\n1,2\n"


# Silence.


@pytest.mark.parametrize("attempts_at_silence", [1, 2, 3])
def test_a_silent_server_is_asked_again_only_so_often(
    ecb: FakeEcb, file: Path, attempts_at_silence: int
) -> None:
    ecb.always(silent())
    with pytest.raises(FetchError, match=r"attempts?: the server did not answer in time") as caught:
        get(ZIP, ecb, file, timeout_s=0.15, attempts_at_silence=attempts_at_silence)
    assert not isinstance(caught.value, QuotaError | UnexpectedStatusError)
    assert len(ecb.requests) == attempts_at_silence


@pytest.mark.parametrize("attempts_at_silence", [1, 3])
def test_a_server_that_is_not_there_is_looked_for_only_so_often(
    file: Path, sleeps: Sleeps, attempts_at_silence: int
) -> None:
    calls = []
    with FakeEcb() as gone:
        address = gone.root
    with (
        Client(
            base_url=address, sleep=sleeps, attempts_at_silence=attempts_at_silence,
            before_call=lambda: calls.append(1),
        ) as client,
        pytest.raises(FetchError, match="the connection failed"),
    ):  # fmt: skip
        client.send(ZIP, file)
    assert len(calls) == attempts_at_silence
    assert len(sleeps) == attempts_at_silence - 1


def test_a_body_that_stops_coming_is_a_silence(ecb: FakeEcb, file: Path) -> None:
    ecb.always(dripping(chunk=1, pause_s=5))
    with pytest.raises(FetchError, match="after one attempt: the server did not answer in time"):
        get(CSV, ecb, file, timeout_s=0.15, attempts_at_silence=1)


def test_a_slow_server_within_the_time_is_waited_for(
    ecb: FakeEcb, file: Path, sleeps: Sleeps
) -> None:
    ecb.will(slow(0.1))
    get(ZIP, ecb, file, sleeps)
    assert file.read_bytes() == history_zip()
    assert sleeps == []


def test_an_answer_after_a_silence_is_taken(ecb: FakeEcb, file: Path) -> None:
    ecb.will(silent())
    get(ZIP, ecb, file, timeout_s=0.3)
    assert file.read_bytes() == history_zip()


# The publisher's own wait.


def test_the_publishers_wait_in_seconds_goes_before_ours(
    ecb: FakeEcb, file: Path, sleeps: Sleeps
) -> None:
    ecb.will(too_many_requests("7"))
    get(ZIP, ecb, file, sleeps)
    assert sleeps == [7.0]


def test_the_publishers_wait_until_a_moment_goes_before_ours(
    ecb: FakeEcb, file: Path, sleeps: Sleeps
) -> None:
    moment = datetime.now(UTC) + timedelta(seconds=30)
    ecb.will(too_many_requests(format_datetime(moment, usegmt=True)))
    get(ZIP, ecb, file, sleeps)
    assert 25 < sleeps[0] <= 30


def test_a_moment_that_has_passed_means_no_wait(ecb: FakeEcb, file: Path, sleeps: Sleeps) -> None:
    ecb.will(too_many_requests("Mon, 04 Jan 1999 15:00:00 GMT"))
    get(ZIP, ecb, file, sleeps)
    assert sleeps == [0.0]


@pytest.mark.parametrize("header", ["soon", "-5", "1.5", "²", "", "Mon, 99 Foo 1999 15:00:00 GMT"])
def test_a_retry_after_that_is_invalid_leaves_our_own_wait(
    ecb: FakeEcb, file: Path, sleeps: Sleeps, header: str
) -> None:
    ecb.will(too_many_requests(header))
    get(ZIP, ecb, file, sleeps, wait=wait_fixed(3))
    assert sleeps == [3.0]


def test_a_wait_of_a_minute_is_waited(ecb: FakeEcb, file: Path, sleeps: Sleeps) -> None:
    ecb.will(too_many_requests("60"))
    get(ZIP, ecb, file, sleeps)
    assert sleeps == [60.0]


@pytest.mark.parametrize("form", ["seconds", "moment"])
def test_a_wait_of_more_than_a_minute_is_a_used_up_quota_at_once(
    ecb: FakeEcb, file: Path, sleeps: Sleeps, form: str
) -> None:
    moment = datetime.now(UTC) + timedelta(hours=10)
    header = "36000" if form == "seconds" else format_datetime(moment, usegmt=True)
    ecb.will(too_many_requests(header))
    with pytest.raises(QuotaError, match="allows no more calls") as caught:
        get(ZIP, ecb, file, sleeps)
    assert caught.value.again_at is not None
    assert abs(caught.value.again_at - moment.replace(tzinfo=None)) < timedelta(seconds=10)
    assert len(ecb.requests) == 1
    assert sleeps == []


@pytest.mark.parametrize("header", ["999999999999", "9" * 400])
def test_a_wait_longer_than_time_is_still_a_used_up_quota(
    ecb: FakeEcb, file: Path, header: str
) -> None:
    ecb.will(too_many_requests(header))
    with pytest.raises(QuotaError) as caught:
        get(ZIP, ecb, file)
    assert caught.value.again_at is not None
    assert caught.value.again_at > datetime(2026, 1, 1)


def test_a_429_that_stays_is_a_used_up_quota(ecb: FakeEcb, file: Path, sleeps: Sleeps) -> None:
    ecb.will(*[too_many_requests("20")] * 3)
    before = datetime.now(UTC).replace(tzinfo=None)
    with pytest.raises(QuotaError) as caught:
        get(ZIP, ecb, file, sleeps, attempts=3)
    assert str(caught.value) == (
        f"{ecb.root}/{PATH}.zip allows no more calls after 3 attempts: 429 Too Many Requests."
    )
    assert caught.value.again_at is not None
    assert timedelta(seconds=15) < caught.value.again_at - before < timedelta(seconds=25)
    assert sleeps == [20.0, 20.0]


def test_a_429_that_stays_without_a_wait_does_not_say_until_when(ecb: FakeEcb, file: Path) -> None:
    ecb.always(status(429))
    with pytest.raises(QuotaError) as caught:
        get(ZIP, ecb, file, attempts=2)
    assert caught.value.again_at is None


def test_a_failing_server_never_makes_us_wait_more_than_a_minute(
    ecb: FakeEcb, file: Path, sleeps: Sleeps
) -> None:
    ecb.will(send(503, b"", Retry_After="3600"))
    get(ZIP, ecb, file, sleeps)
    assert sleeps == [60.0]


# Statuses that a request knows.


@pytest.mark.parametrize(
    ("code", "meaning"),
    [(404, "nothing"), (413, "too_much"), (403, "quota"), (429, "quota"), (500, "too_much")],
)
def test_a_status_a_request_knows_is_an_answer_with_its_words(
    ecb: FakeEcb, file: Path, sleeps: Sleeps, code: int, meaning: Meaning
) -> None:
    ecb.will(send(code, "Quota: né in 03:14:17".encode(), "text/plain", Retry_After="11657"))
    received = get(expecting("csv", **{f"s{code}": meaning}), ecb, file, sleeps)
    answer = received.answer

    assert (answer.meaning, answer.status) == (meaning, code)
    assert answer.text == "Quota: né in 03:14:17"
    assert answer.retry_after_s == 11657.0
    assert (received.bytes, received.sha256) == (0, NOTHING_SHA256)
    assert len(ecb.requests) == 1
    assert sleeps == []


def test_the_words_of_a_packed_refusal_are_read(ecb: FakeEcb, file: Path) -> None:
    packed = gzip.compress(b'{"message": "No results found."}')
    ecb.will(send(404, packed, Content_Encoding="gzip"))
    received = get(expecting("csv", s404="nothing"), ecb, file)
    assert received.answer.text == '{"message": "No results found."}'


@pytest.mark.parametrize(
    "damaged", [b"\x1f\x8bnot gzip at all", b"No results found."], ids=["damaged", "not packed"]
)
def test_a_refusal_whose_words_cannot_be_unpacked_is_asked_again(
    ecb: FakeEcb, file: Path, damaged: bytes
) -> None:
    ecb.always(send(404, damaged, Content_Encoding="gzip"))
    with pytest.raises(FetchError, match="after 2 attempts: the body was cut or damaged"):
        get(expecting("csv", s404="nothing"), ecb, file, attempts=2)


def test_of_long_words_the_first_part_is_kept(ecb: FakeEcb, file: Path) -> None:
    ecb.will(send(404, b"x" * (1 << 20)))
    received = get(expecting("csv", s404="nothing"), ecb, file)
    assert 0 < len(received.answer.text) <= 64 << 10


def test_an_answer_without_content_leaves_no_bytes_of_an_attempt_before(
    ecb: FakeEcb, file: Path
) -> None:
    large = Reply(200, b"1,2\n" * (2 << 20), "text/csv")
    halves: list[int] = []

    def cut(handler: Handler, _reply: Reply) -> None:
        cut_body(after=4 << 20)(handler, large)

    def nothing(handler: Handler, reply: Reply) -> None:
        halves.append(file.stat().st_size)
        status(404, b"No results found.")(handler, reply)

    ecb.will(cut, nothing)
    received = get(expecting("csv", s404="nothing"), ecb, file)
    assert received.answer.meaning == "nothing"
    assert halves[0] > 0
    assert not file.exists() or file.read_bytes() == b""


def test_a_status_another_request_knows_is_still_a_failure(ecb: FakeEcb, file: Path) -> None:
    ecb.will(status(404))
    with pytest.raises(UnexpectedStatusError):
        get(expecting("csv", s413="too_much"), ecb, file)


# Kinds.


def workbook() -> bytes:
    out = io.BytesIO()
    openpyxl.Workbook().save(out)
    return out.getvalue()


def archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("a.csv", "a,b\n")
    return out.getvalue()


BODIES: Mapping[str, bytes] = {
    "csv": b"a,b\n1,2\n",
    "tsv": b"a\tb\n1\t2\n",
    "json object": b'{"data": []}',
    "json list": b' \n[{"a": 1}]',
    "json with a mark": b"\xef\xbb\xbf{}",
    "html": b"<!DOCTYPE html><html></html>",
    "zip": archive(),
    "gzip": gzip.compress(b"a,b\n"),
    "xlsx": workbook(),
    "text": b"Seite 1\nNeodym",
}
IS_OF: Mapping[Kind, tuple[str, ...]] = {
    "csv": ("csv", "tsv", "text"),
    "tsv": ("csv", "tsv", "text"),
    "json": ("json object", "json list", "json with a mark"),
    "html": ("html",),
    "zip": ("zip", "xlsx"),
    "gzip": ("gzip",),
    "xlsx": ("zip", "xlsx"),
    "text": ("csv", "tsv", "text", "json object", "json list", "json with a mark"),
}
"""Kinds by their first bytes: a table in text is text, a workbook is a zip archive."""


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("kind", IS_OF)
def test_an_answer_is_taken_if_its_first_bytes_are_of_the_kind_expected(
    ecb: FakeEcb, file: Path, kind: Kind, body: str
) -> None:
    ecb.will(send(200, BODIES[body], "application/octet-stream"))
    if body in IS_OF[kind]:
        get(expecting(kind), ecb, file)
        assert file.read_bytes() == BODIES[body]
    else:
        with pytest.raises(UpstreamFormatError, match=f"where {kind.upper()} was expected"):
            get(expecting(kind), ecb, file)
    assert len(ecb.requests) == 1


def test_any_of_several_kinds_is_taken_and_all_are_named_otherwise(
    ecb: FakeEcb, file: Path
) -> None:
    ecb.will(send(body=BODIES["json object"]), send(body=BODIES["zip"]), send(body=BODIES["gzip"]))
    get(expecting("json", "zip"), ecb, file)
    get(expecting("json", "zip"), ecb, file)
    with pytest.raises(UpstreamFormatError, match="where JSON or ZIP was expected"):
        get(expecting("json", "zip"), ecb, file)


@pytest.mark.parametrize("kind", [kind for kind in IS_OF if kind != "html"])
def test_an_html_page_is_never_a_document(ecb: FakeEcb, file: Path, kind: Kind) -> None:
    ecb.will(maintenance_page())
    with pytest.raises(UpstreamFormatError, match="sent an HTML page where"):
        get(expecting(kind), ecb, file)
    assert len(ecb.requests) == 1


def test_a_page_is_taken_where_a_page_is_expected(ecb: FakeEcb, file: Path) -> None:
    ecb.will(maintenance_page())
    get(expecting("html"), ecb, file)
    assert file.read_bytes().startswith(b"<!DOCTYPE html>")


def test_a_page_under_a_wrong_content_type_is_known_by_its_first_bytes(
    ecb: FakeEcb, file: Path
) -> None:
    ecb.will(send(200, b"\xef\xbb\xbf\r\n <html></html>", "text/csv"))
    with pytest.raises(UpstreamFormatError, match="sent an HTML page where CSV was expected"):
        get(CSV, ecb, file)


def test_a_content_type_of_a_page_is_enough_to_reject(ecb: FakeEcb, file: Path) -> None:
    ecb.will(send(200, b"Invalid Key", "text/html; charset=utf-8"))
    with pytest.raises(UpstreamFormatError, match="sent an HTML page where CSV was expected"):
        get(CSV, ecb, file)


@pytest.mark.parametrize("kind", IS_OF)
@pytest.mark.parametrize("behaviour", [empty_body(), send(body=b"\n")], ids=["nothing", "a blank"])
def test_an_empty_body_is_never_a_document(
    ecb: FakeEcb, file: Path, kind: Kind, behaviour: Behaviour
) -> None:
    ecb.will(behaviour)
    with pytest.raises(UpstreamFormatError, match="sent nothing where"):
        get(expecting(kind), ecb, file)


def test_a_rejected_answer_is_in_its_file(ecb: FakeEcb, file: Path) -> None:
    ecb.will(maintenance_page())
    with pytest.raises(UpstreamFormatError):
        get(CSV, ecb, file)
    assert b"Maintenance" in file.read_bytes()


# Packed bodies.


def test_a_packed_body_is_unpacked(ecb: FakeEcb, file: Path) -> None:
    ecb.will(gzipped())
    received = get(CSV, ecb, file)
    assert file.read_bytes() == history_csv()
    assert received.bytes == len(history_csv())
    assert received.sha256 == hashlib.sha256(history_csv()).hexdigest()


def test_a_large_packed_body_is_unpacked_to_its_last_byte(ecb: FakeEcb, file: Path) -> None:
    body = b"a,b\n" + bytes(range(32, 127)) * 60_000
    ecb.will(send(200, gzip.compress(body, mtime=0), "text/csv", Content_Encoding="gzip"))
    get(CSV, ecb, file)
    assert file.read_bytes() == body


@pytest.mark.parametrize("padding", [b"", b"\0" * 8])
def test_a_body_packed_in_several_pieces_is_unpacked_whole(
    ecb: FakeEcb, file: Path, padding: bytes
) -> None:
    # RFC 1952: a gzip file is a series of members; zeros after the last one are padding.
    packed = gzip.compress(b"a,b\n1,2\n") + gzip.compress(b"3,4\n") + padding
    ecb.will(send(200, packed, "text/csv", Content_Encoding="gzip"))
    get(CSV, ecb, file)
    assert file.read_bytes() == b"a,b\n1,2\n3,4\n"


def test_a_packed_body_that_stops_half_way_is_asked_for_again(
    ecb: FakeEcb, file: Path, sleeps: Sleeps
) -> None:
    packed = gzip.compress(bytes(range(256)) * 20)
    half = send(200, packed[: len(packed) // 2], "text/csv", Content_Encoding="gzip")
    ecb.will(half)
    get(CSV, ecb, file, sleeps)
    assert file.read_bytes() == history_csv()
    assert len(sleeps) == 1


@pytest.mark.parametrize("lost", [1, 4, 8, 12])
def test_a_packed_body_that_lacks_its_last_bytes_is_never_a_document(
    ecb: FakeEcb, file: Path, lost: int
) -> None:
    # The last eight bytes of a member are its checksum and length.
    packed = gzip.compress(b"a,b\n1,2\n" * 50)
    ecb.will(send(200, packed[:-lost], "text/csv", Content_Encoding="gzip"))
    with pytest.raises(FetchError, match="the body was cut or damaged"):
        get(CSV, ecb, file, attempts=1)


def test_a_packed_body_with_a_wrong_checksum_is_never_a_document(ecb: FakeEcb, file: Path) -> None:
    packed = bytearray(gzip.compress(b"a,b\n1,2\n" * 50))
    packed[-6] ^= 0xFF
    ecb.will(send(200, bytes(packed), "text/csv", Content_Encoding="gzip"))
    with pytest.raises(FetchError, match="the body was cut or damaged"):
        get(CSV, ecb, file, attempts=1)


def test_a_coding_we_did_not_ask_for_is_rejected(ecb: FakeEcb, file: Path) -> None:
    ecb.will(send(200, b"...", "text/csv", Content_Encoding="br"))
    with pytest.raises(UpstreamFormatError, match="sent a body coded as 'br'"):
        get(CSV, ecb, file)


# Size.


def test_a_body_of_the_largest_size_is_taken_and_a_byte_more_is_not(
    ecb: FakeEcb, file: Path
) -> None:
    limits = Limits(largest_answer_bytes=1 << 20)
    ecb.will(send(body=b"x" * (1 << 20)), send(body=b"x" * ((1 << 20) + 1)))
    get(CSV, ecb, file, limits=limits)
    assert file.stat().st_size == 1 << 20
    with pytest.raises(UpstreamFormatError, match="more than the 1 MiB it may send at once"):
        get(CSV, ecb, file, limits=limits)
    assert file.stat().st_size <= 1 << 20
    assert len(ecb.requests) == 2


def test_a_small_body_that_unpacks_to_a_huge_one_is_stopped_early(ecb: FakeEcb, file: Path) -> None:
    bomb = gzip.compress(b"x" * (200 << 20), compresslevel=9)
    assert len(bomb) < 1 << 20
    ecb.will(send(200, bomb, "text/csv", Content_Encoding="gzip"))
    tracemalloc.start()
    try:
        with pytest.raises(UpstreamFormatError, match="more than the 2 MiB it may send at once"):
            get(CSV, ecb, file, limits=Limits(largest_answer_bytes=2 << 20))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert file.stat().st_size <= 2 << 20
    # Unpacked at once it would be 200 MiB.
    assert most < 20 << 20


# Pace and count.


def test_calls_keep_the_pace_of_the_publisher(ecb: FakeEcb, file: Path, sleeps: Sleeps) -> None:
    with Client(base_url=ecb.root, limits=Limits(calls_a_minute=10), sleep=sleeps) as client:
        for _ in range(3):
            client.send(CSV, file)
    # Six seconds lie between two calls of ten a minute; the first one is sent at once.
    assert len(sleeps) == 2
    assert all(4 < waited <= 6 for waited in sleeps)


def test_a_call_that_is_asked_again_keeps_the_pace_too(
    ecb: FakeEcb, file: Path, sleeps: Sleeps
) -> None:
    ecb.will(failing(500))
    get(CSV, ecb, file, sleeps, limits=Limits(calls_a_minute=10), wait=wait_fixed(1))
    assert len(sleeps) == 2
    assert sleeps[0] == 1.0
    assert 4 < sleeps[1] <= 6


def test_each_pause_is_announced_with_its_seconds_and_reason(
    ecb: FakeEcb, file: Path, sleeps: Sleeps
) -> None:
    ecb.will(too_many_requests("7"), failing(503))
    pauses: list[tuple[float, str]] = []

    def on_pause(seconds: float, reason: str) -> None:
        assert len(sleeps) == len(pauses)  # before it begins
        pauses.append((seconds, reason))

    get(
        CSV, ecb, file, sleeps,
        limits=Limits(calls_a_minute=10), wait=wait_fixed(1), on_pause=on_pause,
    )  # fmt: skip
    assert [seconds for seconds, _ in pauses] == sleeps
    assert [reason for _, reason in pauses] == [
        "429 Too Many Requests",
        "10 calls a minute",
        "503 Service Unavailable",
        "10 calls a minute",
    ]
    assert sleeps[0] == 7


def test_a_pause_never_names_the_key(ecb: FakeEcb, file: Path, sleeps: Sleeps) -> None:
    ecb.will(repeating(SECRET, 503))
    reasons: list[str] = []
    get(
        replace(CSV, headers={"X-Key": "{key}"}), ecb, file, sleeps, key=SECRET,
        on_pause=lambda seconds, reason: reasons.append(reason),
    )  # fmt: skip
    assert reasons == ["503 ***"]


def test_received_bytes_are_those_that_were_sent(ecb: FakeEcb, file: Path) -> None:
    sizes: list[int] = []
    get(ZIP, ecb, file, on_received=sizes.append)
    assert sum(sizes) == len(history_zip())
    sizes.clear()
    ecb.will(cut_body(50), gzipped())
    get(CSV, ecb, file, on_received=sizes.append)
    assert sum(sizes) == 50 + len(gzip.compress(history_csv(), mtime=0))
    assert file.read_bytes() == history_csv()


def test_a_shown_address_has_neither_user_nor_password() -> None:
    assert shown_address("https://me:word@example.org:8/a?x=1&key=abcd") == (
        "https://example.org:8/a?x=1&key=***"
    )
    assert shown_address("https://example.org:port") == "an invalid address"


def test_a_publisher_that_names_no_pace_is_asked_at_once(
    ecb: FakeEcb, file: Path, sleeps: Sleeps
) -> None:
    with Client(base_url=ecb.root, sleep=sleeps) as client:
        client.send(CSV, file)
        client.send(CSV, file)
    assert sleeps == []


def test_every_call_is_counted_also_those_asked_again_and_redirects(
    ecb: FakeEcb, file: Path
) -> None:
    calls: list[int] = []
    ecb.will(failing(500), redirect(f"/{PATH}.zip"), no_answer())
    get(ZIP, ecb, file, before_call=lambda: calls.append(len(ecb.requests)))
    # Each was counted before it was sent.
    assert calls == [0, 1, 2, 3]
    assert len(ecb.requests) == 4


def test_a_call_that_the_count_does_not_allow_is_not_sent(ecb: FakeEcb, file: Path) -> None:
    again_at = datetime(2026, 11, 1)

    def no_more() -> None:
        raise QuotaError("ecb: 5 calls were sent today.", again_at=again_at)

    with pytest.raises(QuotaError, match="5 calls were sent today") as caught:
        get(ZIP, ecb, file, before_call=no_more)
    assert caught.value.again_at == again_at
    assert ecb.requests == []


def test_a_count_that_runs_out_between_two_attempts_ends_them(
    ecb: FakeEcb, file: Path, sleeps: Sleeps
) -> None:
    ecb.always(failing(500))

    def one_call() -> None:
        if ecb.requests:
            raise QuotaError("ecb: no more calls today.")

    with pytest.raises(QuotaError, match="no more calls today"):
        get(ZIP, ecb, file, sleeps, before_call=one_call)
    assert len(ecb.requests) == 1


# Redirects.


def test_a_redirect_is_followed(ecb: FakeEcb, file: Path) -> None:
    ecb.will(redirect(f"/{PATH}.zip"))
    received = get(Request("moved.zip", expects=("zip",)), ecb, file)
    assert file.read_bytes() == history_zip()
    # What was asked for is what a reader can ask for again.
    assert received.url == f"{ecb.root}/moved.zip"


def test_redirects_in_a_circle_end(ecb: FakeEcb, file: Path) -> None:
    ecb.will(*[redirect(f"/{PATH}.zip")] * 10)
    with pytest.raises(FetchError, match="redirects more than 5 times"):
        get(ZIP, ecb, file)


@pytest.mark.parametrize("to", ["ftp://example.org/file.zip", "http://127.0.0.1:port/"])
def test_a_redirect_to_what_is_no_address_ends_in_one_sentence(
    ecb: FakeEcb, file: Path, to: str
) -> None:
    ecb.always(redirect(to))
    with pytest.raises(FetchError, match="could not be fetched"):
        get(ZIP, ecb, file)


# Keys.

KEYED = Request(
    f"{PATH}.zip",
    expects=("zip",),
    headers={"Ocp-Apim-Subscription-Key": "{key}", "Authorization": "APIKey {key}"},
)
KEYED_IN_ADDRESS = Request(
    f"{PATH}.zip",
    expects=("zip",),
    params={"appId": "{key}", "lang": "J", "unusual": "{key}"},
)


def test_a_key_travels_in_the_headers_that_want_it(ecb: FakeEcb, file: Path) -> None:
    received = get(KEYED, ecb, file, key=SECRET)
    (seen,) = ecb.requests
    assert seen.headers["ocp-apim-subscription-key"] == SECRET
    assert seen.headers["authorization"] == f"APIKey {SECRET}"
    assert SECRET not in seen.target
    assert SECRET not in repr(received)


def test_a_key_nobody_asks_for_stays_at_home(ecb: FakeEcb, file: Path) -> None:
    get(ZIP, ecb, file, key=SECRET)
    (seen,) = ecb.requests
    assert SECRET not in seen.target + repr(seen.headers)


def test_blanks_around_a_key_are_not_part_of_it(ecb: FakeEcb, file: Path) -> None:
    get(KEYED, ecb, file, key=f" {SECRET}\n")
    assert ecb.requests[0].headers["ocp-apim-subscription-key"] == SECRET


@pytest.mark.parametrize("key", [None, " "])
def test_a_request_that_wants_a_key_is_not_sent_without_one(
    ecb: FakeEcb, file: Path, key: str | None
) -> None:
    with pytest.raises(ConfigurationError, match="cannot be fetched without a key"):
        get(KEYED, ecb, file, key=key)
    assert ecb.requests == []


@pytest.mark.parametrize("bad", ["\nand more", "\x7f", "ключ"])
def test_a_key_that_a_header_cannot_hold_is_rejected_without_being_shown(
    ecb: FakeEcb, file: Path, bad: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        get(KEYED, ecb, file, key=f"{SECRET}{bad}x")
    assert SECRET not in whole_story(caught.value)
    assert ecb.requests == []


def test_the_record_of_a_request_blots_out_what_looks_like_a_credential(
    ecb: FakeEcb, file: Path
) -> None:
    open_secrets = Request(
        f"{PATH}.zip?token=t0ken",
        expects=("zip",),
        params={
            "key": "k3y",
            "appId": "4pp",
            "api_key": "4pi",
            "subscription-key": "sub5cription",
            "keyword": "yttrium oxide",
        },
    )
    received = get(open_secrets, ecb, file)
    assert received.url == (
        f"{ecb.root}/{PATH}.zip?token=***&key=***&appId=***&api_key=***"
        "&subscription-key=***&keyword=yttrium+oxide"
    )
    assert ecb.requests[0].query["key"] == "k3y"


@pytest.mark.parametrize("request_", [KEYED, KEYED_IN_ADDRESS], ids=["headers", "address"])
@pytest.mark.parametrize(
    "misbehaviour",
    [
        *(failing(500), not_found(), status(401), too_many_requests("100"), too_many_requests("1")),
        *(maintenance_page(), cut_body(), no_answer(), silent(), send(200, b"", "a/b")),
        send(200, b"x", "text/csv", Content_Encoding="br"),
        send(200, b"x", "text/csv", Content_Encoding="gzip"),
        redirect(f"http://127.0.0.1:port/{SECRET}"),
        redirect(f"ftp://{SECRET}@example.org/"),
        redirect(f"http://127.0.0.1:1/{SECRET}"),
    ],
    ids=[
        *("500", "404", "401", "429 long", "429 short"),
        *("html", "cut", "closed", "silent", "empty"),
        *("coding", "damaged", "redirect to no address", "redirect to ftp", "redirect to nobody"),
    ],
)
def test_no_failure_shows_the_key(
    ecb: FakeEcb,
    file: Path,
    caplog: pytest.LogCaptureFixture,
    request_: Request,
    misbehaviour: Behaviour,
) -> None:
    caplog.set_level(logging.DEBUG)
    ecb.always(misbehaviour)
    with pytest.raises(KidoError) as caught:
        get(request_, ecb, file, key=SECRET, attempts=2, timeout_s=0.2)

    # The address holds `s3cr3t%2B%2F%3Dword`; its first letters are enough to look for.
    assert "s3cr3t" not in whole_story(caught.value) + caplog.text
    assert "eurofxref-hist.zip" in str(caught.value)
    assert all("s3cr3t" in repr(seen) for seen in ecb.requests)


def test_no_log_line_of_a_success_shows_the_key(
    ecb: FakeEcb, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    received = get(KEYED_IN_ADDRESS, ecb, file, key=SECRET)
    assert "s3cr3t" not in caplog.text + repr(received)
    assert "lang=J" in received.url
    assert f"GET {received.url}: 200 OK" in caplog.text


def test_the_lines_of_others_who_use_the_same_libraries_are_still_logged(
    ecb: FakeEcb, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    get(CSV, ecb, file)
    httpx.get(f"{ecb.root}/somebody-else")
    assert "somebody-else" in caplog.text


def test_a_header_that_sends_the_key_back_is_blotted_out(ecb: FakeEcb, file: Path) -> None:
    ecb.will(send(Content_Disposition=f"attachment; filename={SECRET}.zip"))
    received = get(KEYED, ecb, file, key=SECRET)
    assert received.answer.headers["content-disposition"] == "attachment; filename=***.zip"


def test_words_that_send_the_key_back_are_blotted_out(ecb: FakeEcb, file: Path) -> None:
    ecb.will(status(403, f"{SECRET} is out of quota".encode()))
    known = Request(KEYED.url, KEYED.expects, headers=KEYED.headers, statuses={403: "quota"})
    assert get(known, ecb, file, key=SECRET).answer.text == "*** is out of quota"


ECHOES = {
    "as it is": SECRET,
    "in capitals": SECRET.upper(),
    "escaped": quote(SECRET, safe=""),
    "escaped in lower case": quote(SECRET, safe="").lower(),
    "escaped in part": SECRET.replace("=", "%3D"),
    "escaped twice": quote(quote(SECRET, safe=""), safe=""),
    "every character escaped": "".join(f"%{ord(character):02X}" for character in SECRET),
    "in JSON": SECRET.replace("/", r"\/"),
    "in JSON by number": "".join(rf"\u{ord(character):04x}" for character in SECRET),
    "in HTML": SECRET.replace("+", "&#43;").replace("/", "&#x2F;"),
    "base64": base64.b64encode(SECRET.encode()).decode(),
    "base64 after a name": base64.b64encode(f"reader:{SECRET}".encode()).decode(),
    "base64 after another": base64.b64encode(f"a reader:{SECRET}".encode()).decode(),
    "base64 in an address": base64.urlsafe_b64encode(f"me:{SECRET}".encode()).decode(),
}
"""Ways in which a server may repeat the key."""


def assert_no_key(text: str, *echoes: str) -> None:
    assert "s3cr3t" not in text.lower()
    for echo in echoes:
        # The ends of base64 also stand for what is beside the key.
        assert echo[-14:-4] not in text


@pytest.mark.parametrize("code", [302, 400, 401, 403, 404, 413, 429, 500, 503])
def test_whatever_status_repeats_the_key_no_error_or_log_line_does(
    ecb: FakeEcb, file: Path, caplog: pytest.LogCaptureFixture, code: int
) -> None:
    caplog.set_level(logging.DEBUG)
    for echo in ECHOES.values():
        ecb.always(repeating(f"{echo} is no key", code))
        with pytest.raises(KidoError) as caught:
            get(KEYED, ecb, file, key=SECRET, attempts=2)
        assert_no_key(whole_story(caught.value) + caplog.text, echo)
        assert code == 302 or "***" in str(caught.value)
    assert not file.exists()


@pytest.mark.parametrize("code", [204, 403, 404, 413])
@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES)
def test_a_status_that_is_an_answer_repeats_the_key_in_none_of_its_words(
    ecb: FakeEcb, file: Path, caplog: pytest.LogCaptureFixture, code: int, echo: str
) -> None:
    caplog.set_level(logging.DEBUG)
    ecb.will(repeating(f"{echo} is no key", code))
    known = replace(KEYED, statuses={204: "nothing", 403: "quota", 404: "nothing", 413: "too_much"})
    received = get(known, ecb, file, key=SECRET)
    assert_no_key(repr(received) + caplog.text, echo)
    assert "***" in received.answer.headers["etag"]
    assert code == 204 or received.answer.text.endswith(" is no key")


@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES)
def test_a_document_that_repeats_the_key_is_kept_as_received_and_described_without_it(
    ecb: FakeEcb, file: Path, caplog: pytest.LogCaptureFixture, echo: str
) -> None:
    caplog.set_level(logging.DEBUG)
    ecb.will(repeating(f"{echo} is no key", 200))
    received = get(replace(KEYED, expects=("text",)), ecb, file, key=SECRET)
    assert_no_key(repr(received) + caplog.text, echo)
    assert file.read_text() == f"{echo} is no key"
    assert received.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES)
@pytest.mark.parametrize("elsewhere", ["", "http://127.0.0.1:1", "http://[", "ftp://example.org"])
def test_a_redirect_to_an_address_with_the_key_is_reported_without_it(
    ecb: FakeEcb, file: Path, caplog: pytest.LogCaptureFixture, elsewhere: str, echo: str
) -> None:
    caplog.set_level(logging.DEBUG)
    ecb.always(redirect(f"{elsewhere}/{echo}?key={echo}"))
    with pytest.raises(KidoError) as caught:
        get(KEYED, ecb, file, key=SECRET, attempts=2)
    assert_no_key(whole_story(caught.value) + caplog.text, echo)


@pytest.mark.parametrize("before", range(186, 202))
def test_a_message_that_is_cut_in_the_middle_of_the_key_shows_no_half_of_it(
    ecb: FakeEcb, file: Path, before: int
) -> None:
    ecb.will(send(Content_Encoding=f"{'x' * before}{SECRET}{'y' * 200}"))
    with pytest.raises(UpstreamFormatError, match="sent a body coded as 'x") as caught:
        get(KEYED, ecb, file, key=SECRET)
    assert "s3c" not in whole_story(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("end", range(0, len(SECRET) + 1, 3))
def test_words_that_are_cut_in_the_middle_of_the_key_show_no_half_of_it(
    ecb: FakeEcb, file: Path, end: int
) -> None:
    before = http.MOST_ERROR_TEXT_BYTES - end
    ecb.will(status(403, b"x" * before + SECRET.encode() + b"y" * 100_000))
    known = replace(KEYED, statuses={403: "quota"})
    words = get(known, ecb, file, key=SECRET).answer.text
    assert len(words) == http.MOST_ERROR_TEXT_BYTES
    assert set(words) <= set("xy*")


@pytest.mark.parametrize("code", [200, 302, 401, 500])
def test_user_and_password_of_a_stand_in_are_shown_as_little_as_a_key(
    ecb: FakeEcb, file: Path, caplog: pytest.LogCaptureFixture, code: int
) -> None:
    caplog.set_level(logging.DEBUG)
    basic = base64.b64encode(b"reader:pa55 w+rd").decode()
    stand_in = ecb.root.replace("http://", "http://reader:pa55%20w%2Brd@")
    ecb.always(repeating(f"pa55 w+rd, pa55%20w%2Brd, pa55+w%2Brd, Basic {basic}", code))
    story = ""
    try:
        story = repr(get(replace(ZIP, expects=("text",)), ecb, file, stand_in=stand_in, attempts=2))
    except KidoError as error:
        story = whole_story(error)
    assert ecb.requests[0].headers["authorization"] == f"Basic {basic}"
    assert "pa55" not in story + caplog.text
    assert basic not in story + caplog.text
    assert "127.0.0.1" in story


def test_a_user_without_a_password_is_a_key(ecb: FakeEcb, file: Path) -> None:
    stand_in = ecb.root.replace("http://", f"http://{quote(SECRET, safe='')}@")
    ecb.will(repeating(SECRET, 401))
    with pytest.raises(DeniedError, match=r"answered 401 \*\*\*") as caught:
        get(ZIP, ecb, file, stand_in=stand_in)
    assert_no_key(whole_story(caught.value))


def test_a_credential_that_stands_in_the_request_itself_is_not_repeated(
    ecb: FakeEcb, file: Path
) -> None:
    ecb.will(repeating("t0ken-of-ours", 401))
    request = Request(f"{PATH}.zip?token=t0ken-of-ours", expects=("zip",))
    with pytest.raises(DeniedError, match=r"answered 401 \*\*\*") as caught:
        get(request, ecb, file)
    assert "t0ken" not in whole_story(caught.value)


def test_what_is_reported_of_a_body_inside_the_door_does_not_repeat_its_key(ecb: FakeEcb) -> None:
    def read() -> None:
        try:
            raise ValueError(SECRET)
        except ValueError as error:
            raise UpstreamFormatError(f"the answer says {SECRET!r}", hint=SECRET) from error

    client = Client(base_url=ecb.root, key=SecretStr(SECRET))
    with pytest.raises(UpstreamFormatError) as caught, client.redacting():
        read()
    assert str(caught.value) == "the answer says '***' ***"
    story = "".join(traceback.format_exception_only(caught.value)) + repr(vars(caught.value))
    assert_no_key(story + repr(caught.value.__cause__) + repr(caught.value.__context__))


@settings(
    max_examples=times(at_night=60, by_day=15),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    key=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=6, max_size=40),
    place=st.sampled_from(["X-Odd", "Authorization", "?key", "?odd"]),
    behaviour=st.sampled_from(["good", "500", "404", "html", "echo in header", "echo in words"]),
)
def test_whatever_the_key_and_wherever_it_goes_it_is_in_nothing_that_is_kept(
    keyed_server: FakeEcb,
    caplog: pytest.LogCaptureFixture,
    key: str,
    place: str,
    behaviour: str,
) -> None:
    caplog.clear()
    caplog.set_level(logging.DEBUG)
    key = f"Zq{key}qZ"  # so that it is in no address by chance
    request = Request(
        f"{PATH}.zip",
        expects=("zip",),
        headers={} if place.startswith("?") else {place: "{key}"},
        params={place[1:]: "{key}"} if place.startswith("?") else {},
        statuses={403: "quota"},
    )
    keyed_server.will(
        {
            "good": send(),
            "500": failing(500),
            "404": not_found(),
            "html": maintenance_page(),
            "echo in header": send(Content_Disposition=key, ETag=key),
            "echo in words": status(403, f"bad key {key}!".encode()),
        }[behaviour]
    )
    with tempfile.TemporaryDirectory() as folder:
        try:
            kept = repr(get(request, keyed_server, Path(folder) / "a", key=key, attempts=1))
        except KidoError as error:
            kept = whole_story(error)
    seen = keyed_server.requests.pop()
    assert key in (seen.query.get(place[1:]), seen.headers.get(place.lower()))
    shown = kept + caplog.text
    assert key not in shown
    assert str(httpx.QueryParams({"k": key}))[2:] not in shown


@pytest.fixture(scope="module")
def keyed_server() -> Iterator[FakeEcb]:
    with FakeEcb() as server:
        yield server


def test_user_and_password_of_a_mirror_are_used_and_not_shown(
    ecb: FakeEcb, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    mirror = ecb.root.replace("http://", "http://reader:pa55@")
    received = get(ZIP, ecb, file, base_url="https://example.org", stand_in=mirror)
    assert ecb.requests[0].headers["authorization"].startswith("Basic ")
    assert received.url == f"{ecb.root}/{PATH}.zip"
    assert "pa55" not in repr(received) + caplog.text


def test_a_redirect_to_another_server_does_not_take_the_key_along(ecb: FakeEcb, file: Path) -> None:
    with FakeEcb() as elsewhere:
        ecb.will(redirect(f"{elsewhere.root}/{PATH}.zip"))
        get(KEYED, ecb, file, key=SECRET)
        assert SECRET in repr(ecb.requests)
        (seen,) = elsewhere.requests
    assert SECRET not in repr(seen)


def test_a_redirect_to_another_server_does_not_take_other_credentials_along(
    ecb: FakeEcb, file: Path
) -> None:
    named = Request(f"{PATH}.zip", expects=("zip",), headers={"X-Token": "t0ken", "Token": "t0ken"})
    with FakeEcb() as elsewhere:
        ecb.will(redirect(f"{elsewhere.root}/{PATH}.zip"))
        get(named, ecb, file)
        (seen,) = elsewhere.requests
    assert seen.headers.get("token") is None


def test_a_redirect_on_the_same_server_takes_the_key_along(ecb: FakeEcb, file: Path) -> None:
    ecb.will(redirect(f"/{PATH}.zip"))
    get(KEYED, ecb, file, key=SECRET)
    assert [seen.headers["ocp-apim-subscription-key"] for seen in ecb.requests] == [SECRET] * 2


@pytest.mark.parametrize(
    ("base", "to", "is_taken_along"),
    [
        ("http://example.org", "https://example.org/a", True),
        ("https://example.org", "https://example.org/a", True),
        ("https://example.org", "http://example.org/a", False),
        ("http://example.org", "https://www.example.org/a", False),
        ("http://example.org:8080", "https://example.org/a", False),
        ("https://example.org", "https://example.org:8443/a", False),
        ("https://example.org", "https://example.org.evil.net/a", False),
    ],
)
def test_a_move_to_https_takes_the_key_along_and_no_other_move_does(
    monkeypatch: pytest.MonkeyPatch, file: Path, base: str, to: str, is_taken_along: bool
) -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if len(seen) == 1:
            return httpx.Response(301, headers={"Location": to})
        return httpx.Response(200, stream=httpx.ByteStream(history_zip()))

    real = httpx.Client
    monkeypatch.setattr(
        http.httpx,
        "Client",
        lambda **options: real(transport=httpx.MockTransport(answer), **options),
    )
    with Client(base_url=base, key=SecretStr(SECRET)) as client:
        client.send(KEYED, file)
    assert str(seen[1].url) == to
    names = ("ocp-apim-subscription-key", "authorization")
    assert [seen[1].headers.get(name) for name in names] == (
        [SECRET, f"APIKey {SECRET}"] if is_taken_along else [None, None]
    )


# A stand-in for the publisher's address.


def targets(stand_in: str, *requests: Request, base_url: str = "https://example.org") -> list[str]:
    """What a server that stands in is asked for."""
    with FakeEcb() as server, tempfile.TemporaryDirectory() as folder:
        server.always(send(200, b"a,b\n", "text/csv"))
        address = stand_in.replace("{root}", server.root)
        with Client(base_url=base_url, stand_in=address) as client:
            for request in requests:
                client.send(request, Path(folder) / "a")
        return [seen.target for seen in server.requests]


@pytest.mark.parametrize(
    "url",
    ["data/v1/get/C/A/HS", "/data/v1/get/C/A/HS", "https://other.org:8443/data/v1/get/C/A/HS"],
)
def test_a_stand_in_takes_the_place_of_scheme_host_and_port(url: str) -> None:
    request = Request(url, expects=("csv",), params={"period": "2024"})
    assert targets("{root}", request) == ["/data/v1/get/C/A/HS?period=2024"]


@pytest.mark.parametrize("stand_in", ["{root}/mirror", "{root}/mirror/"])
@pytest.mark.parametrize("url", ["data/v1/get/C/A/HS", "https://other.org/data/v1/get/C/A/HS"])
def test_a_path_of_a_stand_in_goes_before_the_publishers(stand_in: str, url: str) -> None:
    assert targets(stand_in, Request(url, expects=("csv",))) == ["/mirror/data/v1/get/C/A/HS"]


def test_a_stand_in_comes_before_the_path_of_the_base_address_too() -> None:
    request = Request("get", expects=("csv",))
    assert targets("{root}/mirror", request, base_url="https://example.org/api/v1/") == [
        "/mirror/api/v1/get"
    ]


SERIES = "service/data/EXR/D.USD+JPY..SP00.A"


@pytest.mark.parametrize(
    ("url", "target"),
    [
        (SERIES, f"/{SERIES}"),
        # A plus in a query is a blank.
        (f"{SERIES}?startPeriod=2024-01&x=a%2Bb+c", f"/{SERIES}?startPeriod=2024-01&x=a%2Bb%20c"),
        ("a%2Fb/c%20d", "/a%2Fb/c%20d"),
        ("100%2541/x", "/100%2541/x"),
        ("estat/%E5%93%81", "/estat/%E5%93%81"),
    ],
)
@pytest.mark.parametrize("prefix", ["", "/mirror"])
def test_paths_and_queries_reach_a_stand_in_as_they_are(url: str, target: str, prefix: str) -> None:
    for request in (Request(url, ("csv",)), Request(f"https://other.org/{url}", ("csv",))):
        assert targets(f"{{root}}{prefix}", request) == [f"{prefix}{target}"]


@settings(max_examples=times(at_night=40, by_day=10))
@given(
    path=st.lists(
        st.text("abcXYZ019.+-_~,;=@:%", min_size=1, max_size=8)
        .map(lambda part: part.replace("%", "%2F"))
        .filter(lambda part: part not in (".", "..")),
        min_size=1,
        max_size=4,
    ),
    query=st.text("abc019.+-_=&", max_size=10),
)
def test_whatever_the_path_a_stand_in_is_asked_what_the_publisher_would_be(
    path: list[str], query: str
) -> None:
    url = "https://example.org/" + "/".join(path) + (f"?{query}" if query else "")
    asked = Request(url, expects=("csv",))
    direct = http._Address("", None, asked, "").url
    moved = http._Address("", "http://127.0.0.1:1/mirror", asked, "").url
    assert moved.raw_path == b"/mirror" + direct.raw_path
    assert (moved.scheme, moved.host, moved.port) == ("http", "127.0.0.1", 1)


def test_a_query_and_a_fragment_of_a_stand_in_are_not_the_publishers() -> None:
    request = Request("get?a=1", expects=("csv",))
    assert targets("{root}?b=2#c", request) == ["/get?a=1"]


def test_the_address_shown_is_that_of_the_stand_in(ecb: FakeEcb, file: Path) -> None:
    received = get(CSV, ecb, file, base_url="https://www.ecb.europa.eu", stand_in=ecb.root)
    assert received.url == f"{ecb.root}/{PATH}.csv"


@pytest.mark.parametrize(
    "stand_in",
    [
        *("ftp://s3cr3t.example.org", "http://", "s3cr3t", "s3cr3t:8080", "127.0.0.1:8080/s3cr3t"),
        *("//s3cr3t.example.org", "http://s3cr3t:port", "http:/s3cr3t"),
    ],
)
@pytest.mark.parametrize("request_", [ZIP, Request("https://example.org/a", ("csv",))])
def test_a_wrong_stand_in_is_one_sentence_without_the_address(
    file: Path, request_: Request, stand_in: str
) -> None:
    with (
        pytest.raises(ConfigurationError) as caught,
        Client(base_url="https://example.org", stand_in=stand_in) as client,
    ):
        client.send(request_, file)
    assert str(caught.value) == (
        "The address that replaces the publisher's is not an http or https address."
    )
    assert "s3cr3t" not in whole_story(caught.value).replace(f"stand_in = {stand_in!r}", "")


@pytest.mark.parametrize("base_url", ["", "ftp://example.org", "http://", "not an address"])
def test_an_invalid_base_address_is_a_wrong_setting(file: Path, base_url: str) -> None:
    with (
        pytest.raises(ConfigurationError, match="is not below an http or https address"),
        Client(base_url=base_url) as client,
    ):
        client.send(ZIP, file)


def test_an_address_of_its_own_needs_no_base_address(ecb: FakeEcb, file: Path) -> None:
    with Client(base_url="") as client:
        client.send(Request(f"{ecb.root}/{PATH}.csv", expects=("csv",)), file)
    assert file.read_bytes() == history_csv()


def test_a_request_seen_by_the_fake_is_one_that_was_sent(ecb: FakeEcb, file: Path) -> None:
    get(CSV, ecb, file)
    assert [(type(seen), seen.method) for seen in ecb.requests] == [(Seen, "GET")]
