"""An extract is fetched until it is complete, and an interrupted one is resumed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from pydantic import SecretStr

from dagster_project.errors import (
    DeniedError,
    FetchError,
    QuotaError,
    UnexpectedStatusError,
    UpstreamFormatError,
)
from dagster_project.http import Client
from dagster_project.intake import ask
from dagster_project.intake.ask import (
    RESUMABLE_FOR,
    ExtractDownload,
    RejectedAnswerError,
    UnfinishedExtract,
)
from dagster_project.lake.landing import Landing, Origin
from dagster_project.lake.records import read_record
from dagster_project.lake.store import Store
from dagster_project.sources.card import (
    Answer,
    Done,
    Extract,
    Instead,
    More,
    Request,
    Source,
    SourceCard,
    Step,
    Stop,
)
from tests.fakes.server import (
    FakePublisher,
    Reply,
    Seen,
    after_reply,
    failing,
    json_reply,
    maintenance_page,
    no_answer,
    send,
    silent,
    status,
    too_many_requests,
    with_validator,
)

PAGES = {"a": 3, "b": 1}
"""How many pages each list of the made-up publisher has."""


class Library(FakePublisher):
    """`/<list>/<page>` holds a page; `/all` is too much at once, `/empty` is not there."""

    def answer(self, request: Seen) -> Reply:
        if request.path == "/all":
            return json_reply({"error": "ask for less"}, 413)
        if request.path == "/empty":
            return json_reply({"error": "no results"}, 404)
        _, name, page = request.path.split("/")
        is_last = int(page) >= PAGES[name]
        return json_reply({"list": name, "page": int(page), "next": not is_last})


def request(url: str, **headers: str) -> Request:
    return Request(
        url,
        expects=("json",),
        headers=headers,
        statuses={404: "nothing", 413: "too_much", 403: "quota"},
    )


def follow(asked: Request, answer: Answer) -> Step:
    """By pages, and list by list where all is too much."""
    if answer.meaning == "quota":
        return Stop("no more calls", timedelta(seconds=float(answer.text)) if answer.text else None)
    if answer.meaning == "too_much":
        return Instead((request("a/1"), request("b/1")))
    if answer.meaning == "nothing":
        return Done()
    content = json.loads(answer.file.read_bytes())
    if "list" not in content:
        raise UpstreamFormatError("lib: there is no list.", hint="Look at it.")
    if content["next"]:
        return More((request(f"{content['list']}/{content['page'] + 1}"),))
    return Done()


CARD = SourceCard(
    name="lib",
    title="Lists",
    publisher="The library",
    licence="free",
    licence_url="https://example.org/licence",
    is_redistributable=True,
    cadence="monthly",
    domain="prices",
    homepage="https://example.org",
    tables=("price_quotes",),
    description="Lists of a library.",
    base_url="https://example.org",
)
ORIGIN = Origin(producer="", citation="", licence="", licence_url="", url="")
EXTRACT = Extract("lists.json", (request("a/1"), request("b/1")))


def source(follows: Callable[[Request, Answer], Step] | None = follow) -> Source:
    made_up = SimpleNamespace(CARD=CARD, plan=lambda windows, scope: [EXTRACT], parse=None)
    if follows:
        made_up.follow = follows
    return cast(Source, made_up)


class Sleeps(list[float]):
    def __call__(self, seconds: float) -> None:
        self.append(seconds)


class Home:
    """Asks the made-up publisher, each time as another process would."""

    def __init__(self, library: Library, folder: Path) -> None:
        self.library = library
        self.landing = Landing(Store(str(folder / "landing")))
        self.intake = folder / "intake"
        self.quarantine = folder / "quarantine"
        self.sleeps = Sleeps()
        self.pauses: list[tuple[float, str]] = []

    def download(self, extract: Extract = EXTRACT, of: Source | None = None) -> ExtractDownload:
        landing = Landing(Store(self.landing.store.url))
        return ExtractDownload(landing, of or source(), extract, self.intake)

    def run(
        self, extract: Extract = EXTRACT, of: Source | None = None, **options: Any
    ) -> ExtractDownload:
        download = self.download(extract, of)
        settings = {"timeout_s": 5.0, "attempts": 1, "attempts_at_silence": 1, **options}
        with Client(base_url=self.library.root, sleep=self.sleeps, **settings) as client:
            download.run(client, self.sleeps, lambda *pause: self.pauses.append(pause))
        return download

    def parts(self, download: ExtractDownload) -> list[str]:
        return [
            f"{content['list']}/{content['page']}"
            for content in map(json.loads, download.payloads())
        ]

    @property
    def asked(self) -> list[str]:
        return [seen.path.removeprefix("/") for seen in self.library.requests]

    @property
    def downloads(self) -> list[Path]:
        """What is left of answers in the folder of downloads."""
        return sorted(self.intake.rglob("*.part")) if self.intake.exists() else []


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with Library() as library:
        yield Home(library, tmp_path)


def test_pages_are_asked_one_after_the_other_before_the_next_list(home: Home) -> None:
    download = home.run()
    assert home.asked == ["a/1", "a/2", "a/3", "b/1"]
    assert home.parts(download) == ["a/1", "a/2", "a/3", "b/1"]
    assert len(download.state.pending) == 0
    assert home.downloads == []


def test_parts_know_their_bytes_and_where_they_came_from(home: Home) -> None:
    before = datetime.now(UTC).replace(tzinfo=None)
    download = home.run()
    for part, payload, url in zip(
        download.state.parts, download.payloads(), ["a/1", "a/2", "a/3", "b/1"], strict=True
    ):
        assert part.sha256 == hashlib.sha256(payload).hexdigest()
        assert part.bytes == len(payload)
        assert part.media_type == "application/json"
        assert part.request == f"GET {home.library.root}/{url}"
        assert before <= part.retrieved_at <= datetime.now(UTC).replace(tzinfo=None)
    assert download.state.answered_at == download.state.parts[-1].retrieved_at


def test_an_answer_that_was_too_much_is_dropped_and_asked_in_pieces(home: Home) -> None:
    download = home.run(Extract("all.json", (request("all"), request("b/1"))))
    assert home.asked == ["all", "a/1", "a/2", "a/3", "b/1", "b/1"]
    assert home.parts(download) == ["a/1", "a/2", "a/3", "b/1", "b/1"]


def test_a_content_that_is_too_much_is_dropped_too(home: Home) -> None:
    def capped(asked: Request, answer: Answer) -> Step:
        return Instead((request("b/1"),)) if asked.url == "a/1" else Done()

    download = home.run(Extract("a.json", (request("a/1"),)), source(capped))
    assert home.parts(download) == ["b/1"]
    assert home.downloads == []


def test_an_answer_without_content_makes_no_part(home: Home) -> None:
    download = home.run(Extract("empty.json", (request("empty"), request("b/1"))))
    assert home.parts(download) == ["b/1"]
    assert home.asked == ["empty", "b/1"]


def test_a_source_that_does_not_follow_is_answered_whole(home: Home) -> None:
    download = home.run(Extract("a.json", (request("a/1"), request("empty"))), source(None))
    assert home.parts(download) == ["a/1"]


def test_without_follow_too_much_at_once_is_a_rejected_answer(home: Home) -> None:
    with pytest.raises(RejectedAnswerError, match="answered 413, too much at once"):
        home.run(Extract("all.json", (request("all"),)), source(None))


def test_without_follow_a_quota_is_reported_in_the_publishers_words(home: Home) -> None:
    home.library.will(send(403, b" Out of quota.\n", Retry_After="600"))
    with pytest.raises(QuotaError, match=r"^lib: Out of quota\.$") as caught:
        home.run(of=source(None))
    wait = cast(datetime, caught.value.again_at) - datetime.now(UTC).replace(tzinfo=None)
    assert timedelta(seconds=590) < wait <= timedelta(seconds=600)


# The quota.


def test_a_quota_that_returns_within_a_minute_is_waited_for(home: Home) -> None:
    home.library.will(send(), status(403, b"42"), status(403, b"7"))
    download = home.run()
    assert home.sleeps == [42.0, 7.0]
    assert home.pauses == [(42.0, "no more calls"), (7.0, "no more calls")]
    assert home.asked == ["a/1", "a/2", "a/2", "a/2", "a/3", "b/1"]
    assert home.parts(download) == ["a/1", "a/2", "a/3", "b/1"]


def test_a_quota_that_gives_its_wait_in_a_header_is_waited_for(home: Home) -> None:
    home.library.will(send(403, b"", Retry_After="33"))
    home.run()
    assert home.sleeps == [33.0]


def test_a_quota_that_does_not_return_in_time_is_not_waited_for_and_goes_on_later(
    home: Home,
) -> None:
    home.library.only(2, then=status(403, b"11657"))
    before = datetime.now(UTC).replace(tzinfo=None)
    with pytest.raises(QuotaError, match="lib: no more calls") as caught:
        home.run()
    assert caught.value.again_at is not None
    wait = caught.value.again_at - before
    assert timedelta(seconds=11650) < wait < timedelta(seconds=11670)
    assert home.sleeps == []
    assert home.asked == ["a/1", "a/2", "a/3"]

    home.library.always(None)
    home.library.requests.clear()
    download = home.run()
    assert home.asked == ["a/3", "b/1"]
    assert home.parts(download) == ["a/1", "a/2", "a/3", "b/1"]


def test_a_quota_without_a_wait_does_not_say_until_when(home: Home) -> None:
    home.library.always(status(403))
    with pytest.raises(QuotaError) as caught:
        home.run()
    assert caught.value.again_at is None
    assert home.sleeps == []


def test_a_quota_that_never_returns_is_not_waited_for_without_end(home: Home) -> None:
    home.library.always(status(403, b"1"))
    with pytest.raises(QuotaError):
        home.run()
    assert 1 <= len(home.sleeps) <= 10


def test_waits_before_one_request_do_not_count_for_the_next(home: Home) -> None:
    home.library.will(*[status(403, b"1")] * 4, send(), *[status(403, b"1")] * 4)
    home.run()
    assert len(home.sleeps) == 8


def test_a_quota_in_a_document_leaves_no_download_behind(home: Home) -> None:
    def used_up(asked: Request, answer: Answer) -> Step:
        return Stop("no more calls")

    with pytest.raises(QuotaError):
        home.run(of=source(used_up))
    assert home.downloads == []


def test_a_quota_of_the_client_goes_through(home: Home) -> None:
    home.library.will(send(), too_many_requests("3600"))
    with pytest.raises(QuotaError, match="allows no more calls"):
        home.run()
    assert home.parts(home.download()) == ["a/1"]


# Interruptions.

SILENT = silent()


@pytest.mark.parametrize("answered", range(4))
@pytest.mark.parametrize(
    ("misbehaviour", "error"),
    [
        (failing(500), FetchError),
        (no_answer(), FetchError),
        (SILENT, FetchError),
        (status(400), UnexpectedStatusError),
        (status(401), DeniedError),
        (maintenance_page(), RejectedAnswerError),
        (send(body=b'{"other": 1}'), RejectedAnswerError),
    ],
    ids=["500", "closed", "silent", "400", "401", "html", "other json"],
)
def test_what_was_answered_is_kept_whatever_happens_at_any_request(
    home: Home, answered: int, misbehaviour: Any, error: type[Exception]
) -> None:
    is_silent = misbehaviour is SILENT
    home.library.only(answered, then=misbehaviour)
    with pytest.raises(error):
        home.run(timeout_s=0.3 if is_silent else 5.0)
    order = ["a/1", "a/2", "a/3", "b/1"]
    assert home.asked == order[: answered + 1]

    home.library.always(None)
    home.library.requests.clear()
    download = home.run()
    assert home.asked == order[answered:]
    assert home.parts(download) == order


@pytest.mark.parametrize("answered", range(5))
def test_a_process_killed_at_any_moment_loses_one_answer_at_most(
    home: Home, answered: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = ExtractDownload._save
    saves: list[int] = []

    def killed(self: ExtractDownload) -> None:
        if len(saves) == answered:
            raise KeyboardInterrupt
        saves.append(1)
        plain(self)

    monkeypatch.setattr(ExtractDownload, "_save", killed)
    if answered < 4:
        with pytest.raises(KeyboardInterrupt):
            home.run()
        home.library.requests.clear()
    monkeypatch.setattr(ExtractDownload, "_save", plain)
    order = ["a/1", "a/2", "a/3", "b/1"]
    download = home.run()
    assert home.asked == order[answered:] or answered == 4
    assert home.parts(download) == order
    # Whatever the interruption left in the folder, the parts are whole.
    for part, payload in zip(download.state.parts, download.payloads(), strict=True):
        assert part.sha256 == hashlib.sha256(payload).hexdigest()


def test_an_error_in_the_source_keeps_what_was_answered(home: Home) -> None:
    def stumbles(asked: Request, answer: Answer) -> Step:
        if asked.url == "a/2":
            raise ZeroDivisionError
        return follow(asked, answer)

    with pytest.raises(RejectedAnswerError, match=r"cannot be read \(ZeroDivisionError"):
        home.run(of=source(stumbles))
    assert home.parts(home.download()) == ["a/1"]
    assert home.parts(home.run()) == ["a/1", "a/2", "a/3", "b/1"]


def test_a_refusal_by_the_source_leaves_no_download_behind(home: Home) -> None:
    def refuses(asked: Request, answer: Answer) -> Step:
        raise DeniedError("lib: the key is refused.")

    with pytest.raises(DeniedError):
        home.run(of=source(refuses))
    assert home.downloads == []


def test_pieces_that_were_asked_for_instead_are_remembered(home: Home) -> None:
    everything = Extract("all.json", (request("all"),))
    home.library.only(2, then=failing(500))
    with pytest.raises(FetchError):
        home.run(everything)
    home.library.always(None)
    home.library.requests.clear()
    download = home.run(everything)
    assert home.asked == ["a/2", "a/3", "b/1"]
    assert home.parts(download) == ["a/1", "a/2", "a/3", "b/1"]


def test_an_extract_that_was_answered_whole_asks_nothing_more(home: Home) -> None:
    home.run()
    home.library.requests.clear()
    download = home.run()
    assert home.asked == []
    assert home.parts(download) == ["a/1", "a/2", "a/3", "b/1"]


def test_extracts_of_other_names_do_not_meet(home: Home) -> None:
    home.library.only(2, then=failing(500))
    with pytest.raises(FetchError):
        home.run()
    home.library.always(None)
    other = home.run(Extract("other.json", (request("b/1"),)))
    assert home.parts(other) == ["b/1"]
    assert home.parts(home.download()) == ["a/1", "a/2"]


def test_how_many_requests_are_left_is_known_before_asking(home: Home) -> None:
    assert len(home.download().state.pending) == 2
    home.library.only(1, then=failing(500))
    with pytest.raises(FetchError):
        home.run()
    # The next page of the first list, and the second list.
    assert len(home.download().state.pending) == 2
    home.library.always(None)
    home.run()
    assert len(home.download().state.pending) == 0


# Starting anew.


def interrupted(home: Home) -> str:
    """Two answers are there; the name of the snapshot under way."""
    home.library.only(2, then=failing(500))
    with pytest.raises(FetchError):
        home.run()
    home.library.always(None)
    home.library.requests.clear()
    return home.download().state.snapshot_id


@pytest.mark.parametrize(
    "changed",
    [
        Extract("lists.json", (request("a/1"),)),
        Extract("lists.json", (request("b/1"), request("a/1"))),
        Extract("lists.json", (request("a/1", Accept="text/csv"), request("b/1"))),
        Extract(
            "lists.json",
            (
                Request("a/1", ("json",), params={"x": "1"}, statuses=request("a/1").statuses),
                request("b/1"),
            ),
        ),
    ],
    ids=["fewer", "another order", "another header", "another parameter"],
)
def test_a_plan_that_changed_starts_anew(home: Home, changed: Extract) -> None:
    begun = interrupted(home)
    download = home.run(changed)
    assert home.asked[0] == changed.requests[0].url
    assert download.state.snapshot_id != begun
    assert not home.landing.store.exists(f"lib/{begun}")


def test_an_extract_begun_long_ago_starts_anew(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = interrupted(home)
    later = datetime.now(UTC).replace(tzinfo=None) + RESUMABLE_FOR
    monkeypatch.setattr(ask, "_now", lambda: later + timedelta(seconds=1))
    download = home.run()
    assert home.asked == ["a/1", "a/2", "a/3", "b/1"]
    assert home.parts(download) == ["a/1", "a/2", "a/3", "b/1"]
    assert download.state.snapshot_id != begun
    assert not home.landing.store.exists(f"lib/{begun}")


def test_an_extract_begun_days_ago_goes_on(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = interrupted(home)
    later = datetime.now(UTC).replace(tzinfo=None) + RESUMABLE_FOR - timedelta(hours=1)
    monkeypatch.setattr(ask, "_now", lambda: later)
    download = home.run()
    assert home.asked == ["a/3", "b/1"]
    assert download.state.snapshot_id == begun


def test_an_extract_whose_part_was_removed_starts_anew(home: Home) -> None:
    begun = interrupted(home)
    home.landing.store.remove(f"lib/{begun}/{home.download().state.parts[0].file}")
    download = home.run()
    assert home.asked == ["a/1", "a/2", "a/3", "b/1"]
    assert len(download.payloads()) == 4


@pytest.mark.parametrize("damage", [b"", b"{", b'{"document": "lists.json"}', b"[]"])
def test_a_state_that_cannot_be_read_starts_anew(home: Home, damage: bytes) -> None:
    interrupted(home)
    (name,) = home.landing.store.names("lib/.unfinished")
    home.landing.store.write(f"lib/.unfinished/{name}", damage)
    assert home.parts(home.run()) == ["a/1", "a/2", "a/3", "b/1"]


def test_a_state_keeps_requests_as_they_were_and_no_key(home: Home) -> None:
    keyed = Request(
        "a/1", ("json",), {"p": "1"}, {"X-Key": "{key}"}, {404: "nothing", 413: "too_much"}
    )
    home.library.will(after_reply(lambda: None), failing(500))
    with pytest.raises(FetchError):
        home.run(Extract("keyed.json", (keyed, keyed)), source(None), key=SecretStr("s3cr3t-key"))
    assert home.library.requests[0].headers["x-key"] == "s3cr3t-key"
    kept = b"".join(
        path.read_bytes() for path in Path(home.landing.store.url).rglob("*") if path.is_file()
    )
    assert b"s3cr3t" not in kept
    (name,) = home.landing.store.names("lib/.unfinished")
    state = read_record(home.landing.store, f"lib/.unfinished/{name}", UnfinishedExtract, "")
    assert state.pending == [keyed]


# What counts.


def test_nothing_counts_before_the_record(home: Home) -> None:
    download = home.run()
    assert home.landing.snapshots("lib") == []
    # Nor is it swept away as a leftover.
    home.landing.sweep("lib")
    assert home.parts(home.download()) == ["a/1", "a/2", "a/3", "b/1"]
    landed = record(home, download)
    assert [one.snapshot_id for one in home.landing.snapshots("lib")] == [landed]
    assert [json.loads(one)["page"] for one in home.landing.payloads(
        home.landing.snapshots("lib")[0])] == [1, 2, 3, 1]  # fmt: skip


def record(home: Home, download: ExtractDownload) -> str:
    state = download.state
    home.landing.record(
        home.landing.describe(state.snapshot_id, "lib", state.document, state.parts, ORIGIN)
    )
    return state.snapshot_id


def test_what_is_settled_is_asked_anew_the_next_time(home: Home) -> None:
    download = home.run()
    record(home, download)
    download.finish()
    home.library.requests.clear()
    again = home.run()
    assert home.asked == ["a/1", "a/2", "a/3", "b/1"]
    assert again.state.snapshot_id != download.state.snapshot_id


@pytest.mark.parametrize("then", ["the same", "another plan", "long after"])
def test_a_snapshot_that_was_landed_is_never_taken_for_one_under_way(
    home: Home, monkeypatch: pytest.MonkeyPatch, then: str
) -> None:
    landed = record(home, home.run())  # killed before `finish`
    home.library.requests.clear()
    extract = EXTRACT
    if then == "another plan":
        extract = Extract(EXTRACT.document, (request("b/1"), request("a/1")))
    if then == "long after":
        later = datetime.now(UTC).replace(tzinfo=None) + 2 * RESUMABLE_FOR
        monkeypatch.setattr(ask, "_now", lambda: later)
    again = home.run(extract)
    # The earlier answer stays as it is, and dropping the current one removes nothing else.
    assert len(home.asked) == 4
    again.discard()
    (snapshot,) = home.landing.snapshots("lib")
    assert snapshot.snapshot_id == landed
    assert len(list(home.landing.payloads(snapshot))) == 4


def test_what_is_discarded_is_gone_and_asked_anew(home: Home) -> None:
    download = home.run()
    download.discard()
    assert home.landing.store.names("lib") == []
    assert home.landing.store.names("lib/.unfinished") == []
    assert len(home.download().state.pending) == 2


# What has not changed since.


def settle(home: Home, download: ExtractDownload) -> None:
    record(home, download)
    download.finish()
    home.library.requests.clear()


@pytest.mark.parametrize(
    ("header", "condition"),
    [("ETag", "if-none-match"), ("Last-Modified", "if-modified-since")],
)
def test_a_landed_answer_is_asked_for_only_if_it_has_changed(
    home: Home, header: str, condition: str
) -> None:
    home.library.always(with_validator(header))
    first = home.run()
    settle(home, first)
    again = home.run()
    assert home.asked == ["a/1", "a/2", "a/3", "b/1"]
    assert [seen.headers[condition] for seen in home.library.requests] == [
        part.headers[header.lower()] for part in first.state.parts
    ]
    # The answers without a body are as good as those with one, pages to follow included.
    assert list(again.payloads()) == list(first.payloads())
    assert [part.sha256 for part in again.state.parts] == [
        part.sha256 for part in first.state.parts
    ]
    assert again.state.answered_at > first.state.answered_at
    assert home.downloads == []


def test_what_has_changed_is_received_beside_what_has_not(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.library.always(with_validator())
    settle(home, home.run())
    monkeypatch.setitem(PAGES, "a", 2)  # the second page is the last one now
    again = home.run()
    assert home.asked == ["a/1", "a/2", "b/1"]
    assert [json.loads(payload)["next"] for payload in again.payloads()] == [True, False, False]


def test_a_publisher_without_validators_is_asked_for_all_of_it(home: Home) -> None:
    settle(home, home.run())
    home.run()
    assert not any("if-" in name for seen in home.library.requests for name in seen.headers)


def test_a_withdrawn_answer_is_not_taken_for_one_that_is_there(home: Home) -> None:
    home.library.always(with_validator())
    settle(home, home.run())
    (snapshot,) = home.landing.snapshots("lib")
    home.landing.withdraw(snapshot, by="test", reason="wrong")
    home.run()
    assert not any("if-none-match" in seen.headers for seen in home.library.requests)


@pytest.mark.parametrize("damage", [b"{}", None])
def test_a_damaged_copy_is_received_again(home: Home, damage: bytes | None) -> None:
    home.library.always(with_validator())
    settle(home, home.run(Extract("b.json", (request("b/1"),))))
    (snapshot,) = home.landing.snapshots("lib")
    (part,) = snapshot.parts
    copy = f"lib/{snapshot.snapshot_id}/{part.file}"
    home.landing.store.remove(copy)
    if damage is not None:
        home.landing.store.write(copy, damage)
    again = home.run(Extract("b.json", (request("b/1"),)))
    assert home.asked == ["b/1", "b/1"]
    assert home.parts(again) == ["b/1"]


def test_not_modified_without_a_question_is_an_error(home: Home) -> None:
    home.library.will(status(304))
    with pytest.raises(UnexpectedStatusError, match="304"):
        home.run()


# The quarantine.


def test_a_rejected_answer_is_put_aside_with_the_reason(home: Home) -> None:
    home.library.will(send(), maintenance_page())
    download = home.download()
    with (
        Client(base_url=home.library.root) as client,
        pytest.raises(RejectedAnswerError, match="sent an HTML page") as caught,
    ):
        download.run(client)
    assert caught.value.file is not None
    folder = download.quarantine(home.quarantine, str(caught.value), caught.value.file)
    assert b"Maintenance" in (folder / "answer").read_bytes()
    assert "sent an HTML page" in (folder / "reason.txt").read_text()
    assert home.downloads == []
    assert home.parts(home.download()) == ["a/1"]


def test_an_answer_the_source_rejects_keeps_its_words_and_its_bytes(home: Home) -> None:
    home.library.will(send(body=b'{"other": 1}'))
    with pytest.raises(RejectedAnswerError) as caught:
        home.run()
    assert (caught.value.message, caught.value.hint) == ("lib: there is no list.", "Look at it.")
    assert caught.value.file is not None
    assert caught.value.file.read_bytes() == b'{"other": 1}'


def test_all_parts_are_put_aside_where_the_whole_is_rejected(home: Home) -> None:
    download = home.run()
    folder = download.quarantine(home.quarantine, "lib: it cannot be read.")
    names = sorted(path.name for path in folder.iterdir())
    assert names == [*(f"000{number}-lists.json" for number in (1, 2, 3, 4)), "reason.txt"]
    assert json.loads((folder / "0004-lists.json").read_bytes())["list"] == "b"


@pytest.mark.parametrize("misbehaviour", [failing(500), no_answer(), status(401)])
def test_a_failure_leaves_no_download_behind(home: Home, misbehaviour: Any) -> None:
    home.library.will(misbehaviour)
    with pytest.raises(FetchError):
        home.run()
    assert home.downloads == []
