"""A large body that breaks off is continued where it broke, and only if it is still the same."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from dagster_project import partial_body
from dagster_project.errors import FetchError, UnexpectedStatusError, UpstreamFormatError
from dagster_project.http import Client, Received
from dagster_project.sources.card import Limits, Request
from tests.fakes.baci import (
    FOLDER,
    FakeCepii,
    File,
    archive,
    cut_after,
    file_of,
    lying_about_its_range,
)
from tests.fakes.server import Reply, after_reply, failing, instead, send, status

NAME = "BACI_HS17_V202601.zip"
ARCHIVE = Request(f"{FOLDER}/{NAME}", expects=("zip",))
BODY = archive(padding=20_000)
NEWER = archive(version="V202602", padding=20_000)


@pytest.fixture(autouse=True)
def every_body_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partial_body, "LEAST_BYTES", 1_000)


@pytest.fixture
def cepii() -> Iterator[FakeCepii]:
    with FakeCepii({NAME: file_of(BODY)}) as server:
        yield server


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "intake" / "baci-1.part"


def get(cepii: FakeCepii, file: Path, request: Request = ARCHIVE, **options: Any) -> Received:
    """One request by a client of its own, as by a process of its own."""
    given = {"base_url": cepii.root, "sleep": lambda seconds: None, "timeout_s": 5.0, **options}
    with Client(**given) as client:
        return client.send(request, file)


def assert_whole(received: Received, file: Path, body: bytes = BODY) -> None:
    assert file.read_bytes() == body
    assert received.sha256 == hashlib.sha256(body).hexdigest()
    assert received.bytes == len(body)
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_body_that_breaks_off_goes_on_where_it_broke(cepii: FakeCepii, file: Path) -> None:
    cepii.will(cut_after(3_000), cut_after(2_000), cut_after(5_000))
    received = get(cepii, file)
    assert_whole(received, file)
    assert cepii.asked == [
        NAME, f"{NAME} bytes=3000-", f"{NAME} bytes=5000-", f"{NAME} bytes=10000-",
    ]  # fmt: skip
    etags = {seen.headers.get("if-range") for seen in cepii.requests[1:]}
    assert etags == {cepii.files[NAME].etag}
    assert (received.answer.meaning, received.answer.status) == ("content", 200)
    assert received.answer.headers["content-length"] == str(len(BODY))


def test_received_bytes_are_counted_once(cepii: FakeCepii, file: Path) -> None:
    sizes: list[int] = []
    cepii.will(cut_after(3_000))
    get(cepii, file, on_received=sizes.append)
    assert sum(sizes) == len(BODY)


def test_a_body_that_changed_between_two_attempts_is_fetched_anew(
    cepii: FakeCepii, file: Path
) -> None:
    def change() -> None:
        cepii.files[NAME] = file_of(NEWER)

    cepii.will(after_reply(change, then=cut_after(3_000)), cut_after(4_000))
    assert_whole(get(cepii, file), file, NEWER)
    # The second was answered whole; where that broke, the newer one goes on.
    assert cepii.asked == [NAME, f"{NAME} bytes=3000-", f"{NAME} bytes=4000-"]


@pytest.mark.parametrize(
    ("header", "value"),
    [("ETag", '"another"'), ("Content-Encoding", "gzip"), ("Content-Range", "none")],
)
def test_a_rest_of_another_body_is_dropped_and_all_is_fetched_anew(
    cepii: FakeCepii, file: Path, header: str, value: str
) -> None:
    cepii.will(cut_after(3_000), send(**{header.replace("-", "_"): value}))
    assert_whole(get(cepii, file), file)
    assert cepii.asked == [NAME, f"{NAME} bytes=3000-", NAME]


@pytest.mark.parametrize(
    "lie",
    [
        f"bytes 0-{len(BODY) - 1}/{len(BODY)}", f"bytes 2999-{len(BODY) - 1}/{len(BODY)}",
        f"bytes 3000-{len(BODY) - 2}/{len(BODY)}", f"bytes 3000-{len(BODY) - 1}/{len(BODY) + 9}",
        f"bytes */{len(BODY)}", "bytes 3000-", "chunks 3000-4000/5000", "",
    ],
)  # fmt: skip
def test_a_range_that_is_not_the_one_asked_for_is_dropped(
    cepii: FakeCepii, file: Path, lie: str
) -> None:
    cepii.will(cut_after(3_000), lying_about_its_range(lie))
    assert_whole(get(cepii, file), file)
    assert cepii.asked == [NAME, f"{NAME} bytes=3000-", NAME]


def test_a_range_of_a_size_that_is_not_given_is_taken(cepii: FakeCepii, file: Path) -> None:
    unknown_size = lying_about_its_range(f"bytes 3000-{len(BODY) - 1}/*")
    cepii.will(cut_after(3_000), unknown_size)
    assert_whole(get(cepii, file), file)
    assert len(cepii.requests) == 2


def test_a_rest_that_is_shorter_than_its_range_is_dropped(cepii: FakeCepii, file: Path) -> None:
    headers = {
        **cepii.files[NAME].headers(), "Content-Range": f"bytes 3000-{len(BODY) - 1}/{len(BODY)}",
    }  # fmt: skip
    short = instead(Reply(206, BODY[3_000:-1], "application/zip", headers))
    cepii.will(cut_after(3_000), short)
    assert_whole(get(cepii, file), file)
    assert cepii.asked == [NAME, f"{NAME} bytes=3000-", NAME]


def test_a_server_that_ignores_a_range_is_read_from_the_start(cepii: FakeCepii, file: Path) -> None:
    whole = Reply(200, BODY, "application/zip", cepii.files[NAME].headers())
    cepii.will(cut_after(3_000), instead(whole))
    assert_whole(get(cepii, file), file)
    assert len(cepii.requests) == 2


def test_a_range_that_cannot_be_satisfied_is_asked_for_anew(cepii: FakeCepii, file: Path) -> None:
    cepii.will(cut_after(3_000), status(416))
    assert_whole(get(cepii, file), file)
    assert cepii.asked == [NAME, f"{NAME} bytes=3000-", NAME]


@pytest.mark.parametrize(
    "changes",
    [
        {"accepts_ranges": False},
        {"etag": "", "last_modified": ""},
        {"etag": 'W/"weak"', "last_modified": ""},
    ],
)
def test_without_ranges_or_a_strong_validator_all_is_fetched_anew(
    cepii: FakeCepii, file: Path, changes: dict[str, Any]
) -> None:
    cepii.files[NAME] = replace(cepii.files[NAME], **changes)
    cepii.will(cut_after(3_000))
    assert_whole(get(cepii, file), file)
    assert cepii.asked == [NAME, NAME]


@pytest.mark.parametrize("etag", ["", 'W/"weak"'])
def test_without_a_strong_etag_the_day_of_change_decides(
    cepii: FakeCepii, file: Path, etag: str
) -> None:
    cepii.files[NAME] = replace(cepii.files[NAME], etag=etag)
    cepii.will(cut_after(3_000))
    assert_whole(get(cepii, file), file)
    assert cepii.requests[1].headers["if-range"] == "Thu, 22 Jan 2026 09:00:00 GMT"
    assert cepii.requests[1].headers["range"] == "bytes=3000-"


def test_a_small_body_is_fetched_anew(
    cepii: FakeCepii, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partial_body, "LEAST_BYTES", len(BODY) + 1)
    cepii.will(cut_after(3_000))
    assert_whole(get(cepii, file), file)
    assert cepii.asked == [NAME, NAME]


def test_a_coded_body_is_fetched_anew(cepii: FakeCepii, file: Path) -> None:
    packed = gzip.compress(BODY, mtime=0)
    reply = Reply(
        200, packed, "application/zip",
        {**cepii.files[NAME].headers(), "Content-Encoding": "gzip"},
    )  # fmt: skip

    cepii.will(instead(replace(reply, body=packed[:-5_000])), instead(reply))
    assert_whole(get(cepii, file), file)
    assert cepii.asked == [NAME, NAME]


def test_the_next_process_goes_on_where_the_last_attempt_broke(
    cepii: FakeCepii, file: Path
) -> None:
    cepii.will(cut_after(3_000), cut_after(1_000), failing(503))
    with pytest.raises(FetchError, match=r"after 3 attempts: .*; 0\.004 of 0\.02078 MB are kept"):
        get(cepii, file, attempts=3)
    assert file.read_bytes() == BODY[:4_000]
    assert_whole(get(cepii, file), file)
    assert cepii.asked[-1] == f"{NAME} bytes=4000-"


def test_a_file_that_is_whole_but_was_not_settled_costs_one_byte(
    cepii: FakeCepii, file: Path
) -> None:
    cepii.will(cut_after(3_000))
    with pytest.raises(FetchError):
        get(cepii, file, attempts=1)
    file.write_bytes(BODY)  # killed after the last byte
    assert_whole(get(cepii, file), file)
    assert cepii.asked[-1] == f"{NAME} bytes={len(BODY) - 1}-"


def test_a_part_of_another_address_is_not_continued(cepii: FakeCepii, file: Path) -> None:
    other = "BACI_HS17_V202602.zip"
    cepii.files[other] = File(NEWER, cepii.files[NAME].etag)
    cepii.will(cut_after(3_000))
    with pytest.raises(FetchError):
        get(cepii, file, attempts=1)
    assert_whole(get(cepii, file, Request(f"{FOLDER}/{other}", expects=("zip",))), file, NEWER)
    assert cepii.asked == [NAME, other]


@pytest.mark.parametrize("damage", [b"", b"{}", b'{"address": "x", "size": -1, "validator": ""}'])
def test_a_part_whose_note_cannot_be_read_is_not_continued(
    cepii: FakeCepii, file: Path, damage: bytes
) -> None:
    cepii.will(cut_after(3_000))
    with pytest.raises(FetchError):
        get(cepii, file, attempts=1)
    file.with_name(f"{file.name}.json").write_bytes(damage)
    assert_whole(get(cepii, file), file)
    assert cepii.asked == [NAME, NAME]


def test_a_refusal_leaves_no_part(cepii: FakeCepii, file: Path) -> None:
    cepii.will(cut_after(3_000), status(404))
    with pytest.raises(UnexpectedStatusError):
        get(cepii, file)
    assert not list(file.parent.iterdir())


def test_a_body_beyond_the_limit_is_not_continued(cepii: FakeCepii, file: Path) -> None:
    small = Limits(largest_answer_bytes=8_000)
    cepii.will(cut_after(3_000))
    with pytest.raises(UpstreamFormatError, match="more than the 0 MiB"):
        get(cepii, file, limits=small)
    assert not file.with_name(f"{file.name}.json").exists()


def test_a_range_that_nobody_asked_for_is_a_failure(cepii: FakeCepii, file: Path) -> None:
    cepii.will(send(206))
    with pytest.raises(UnexpectedStatusError, match="206"):
        get(cepii, file)


def test_a_validator_that_repeats_the_key_is_not_stored(cepii: FakeCepii, file: Path) -> None:
    cepii.files[NAME] = replace(cepii.files[NAME], etag='"s3cr3t-key"')
    request = replace(ARCHIVE, headers={"Authorization": "APIKey {key}"})
    cepii.will(cut_after(3_000))
    with pytest.raises(FetchError):
        get(cepii, file, request, key=SecretStr("s3cr3t-key"), attempts=1)
    assert [path.name for path in file.parent.iterdir()] == [file.name]
