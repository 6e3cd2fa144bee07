"""What a web page of another origin can do to a running `kido dev`: nothing.

By day an HTTP client sends what a browser would send. By night Chromium opens the page of an
attacker.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import http.server
import json
import re
import shutil
import socket
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

import dagster as dg
import pytest

from dagster_project.orchestration.execute import open_instance
from dagster_project.orchestration.metadata import markdown_table
from dagster_project.settings import Settings
from tests.e2e.test_the_ui_stops import PROC, Ui
from tests.hostile import HOST, TEXTS
from tests.nightly import nightly

CHROMIUM = shutil.which("chromium")
MUTATION = 'mutation { deletePipelineRun(runId: "none") { __typename } }'
QUERY = "{ version }"
JSON = {"Content-Type": "application/json"}

pytestmark = pytest.mark.skipif(
    not (PROC / "self" / "environ").exists(), reason="processes are recognised by /proc"
)


@pytest.fixture(scope="module")
def ui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ui]:
    started = Ui(tmp_path_factory.mktemp("door") / "home")
    try:
        started.until_ready()
        yield started
    finally:
        started.process.terminate()
        started.end()


def asked(
    ui: Ui,
    path: str = "/graphql",
    method: str = "POST",
    query: str = QUERY,
    headers: Mapping[str, str] | None = None,
) -> tuple[int, str]:
    """Status and body of the answer to a request with these headers."""
    connection = http.client.HTTPConnection("127.0.0.1", ui.port, timeout=60)
    with contextlib.closing(connection):
        body = json.dumps({"query": query}) if method == "POST" else None
        connection.request(method, path, body, dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def test_a_client_of_this_machine_is_answered(ui: Ui) -> None:
    status, body = asked(ui, headers=JSON)
    assert (status, json.loads(body)["data"]) == (
        200,
        {"version": json.loads(body)["data"]["version"]},
    )
    own = {**JSON, "Origin": f"http://127.0.0.1:{ui.port}", "Sec-Fetch-Site": "same-origin"}
    assert asked(ui, headers=own)[0] == 200
    for name in ("localhost", "LOCALHOST", "[::1]"):
        assert asked(ui, headers={**JSON, "Host": f"{name}:{ui.port}"})[0] == 200


@pytest.mark.parametrize("query", [MUTATION, QUERY])
def test_no_graphql_is_executed_by_get(ui: Ui, query: str) -> None:
    status, body = asked(ui, f"/graphql?query={quote(query)}", "GET")
    assert status == 405
    assert "__typename" not in body
    assert '"data"' not in body


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://attacker.example"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Host": "attacker.example"},
        {"Host": "attacker.example:3000"},
        {"Host": "127.0.0.1.attacker.example"},
    ],
    ids=str,
)
@pytest.mark.parametrize("content", [JSON, {"Content-Type": "text/plain"}], ids=["json", "plain"])
def test_a_request_for_a_foreign_page_is_refused(
    ui: Ui, headers: Mapping[str, str], content: Mapping[str, str]
) -> None:
    path = f"/graphql?query={quote(MUTATION)}"
    status, body = asked(ui, path, query=MUTATION, headers={**content, **headers})
    assert status == 403
    assert body.startswith("Refused: ")
    assert asked(ui, "/server_info", "GET", headers=headers)[0] == 403


def test_a_form_of_any_page_changes_nothing(ui: Ui) -> None:
    """A form has no JSON: Dagster would take the mutation from the address."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert asked(ui, f"/graphql?query={quote(MUTATION)}", headers=form)[0] == 415
    reported = asked(ui, "/report_asset_materialization/x", headers={"Origin": "https://a.example"})
    assert reported[0] == 403


def test_a_link_opens_the_ui_and_a_frame_does_not(ui: Ui) -> None:
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert asked(ui, "/runs", "GET", headers={**link, "Sec-Fetch-Dest": "document"})[0] == 200
    assert asked(ui, "/runs", "GET", headers={**link, "Sec-Fetch-Dest": "iframe"})[0] == 403
    assert asked(ui, "/runs", "POST", headers={**link, "Sec-Fetch-Dest": "document"})[0] == 403


def shaken_hands(ui: Ui, **headers: str) -> int:
    """The status of a handshake for a web socket: 101 where it is opened."""
    key = base64.b64encode(bytes(16)).decode()
    lines = {
        "Host": f"127.0.0.1:{ui.port}", "Upgrade": "websocket", "Connection": "Upgrade",
        "Sec-WebSocket-Key": key, "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Protocol": "graphql-ws", **headers,
    }  # fmt: skip
    text = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    with socket.create_connection(("127.0.0.1", ui.port), timeout=60) as connection:
        connection.sendall(f"GET /graphql HTTP/1.1\r\n{text}\r\n".encode())
        return int(connection.recv(64).split()[1])


def test_only_the_pages_of_the_ui_open_a_web_socket(ui: Ui) -> None:
    assert shaken_hands(ui, Origin=f"http://127.0.0.1:{ui.port}") == 101
    assert shaken_hands(ui) == 101, "a program that is no browser"
    assert shaken_hands(ui, Origin="http://attacker.example") == 403
    assert shaken_hands(ui, Origin="null") == 403
    assert shaken_hands(ui, Host="attacker.example") == 403


def test_the_server_behind_the_door_has_an_address_of_its_own(ui: Ui) -> None:
    """A page can try every port of 127.0.0.1: behind none but the door is Dagster's server."""
    commands = list(ui.processes().values())
    (server,) = (command for command in commands if "dagster_webserver" in command)
    host, port = re.search(r"--host (\S+) --port (\d+)", server).groups()  # type: ignore[union-attr]
    assert host.startswith("127.")
    assert host != "127.0.0.1"
    with contextlib.closing(http.client.HTTPConnection(host, int(port), timeout=60)) as behind:
        behind.request("GET", "/server_info")
        assert behind.getresponse().status == 200
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(port)), timeout=60).close()


def test_no_other_page_can_frame_the_ui(ui: Ui) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", ui.port, timeout=60)
    with contextlib.closing(connection):
        connection.request("GET", "/")
        assert connection.getresponse().getheader("X-Frame-Options") == "SAMEORIGIN"


ATTACK = """
<!doctype html><title>attack</title><form id=form method=post enctype=text/plain target=frame
 action="UI/graphql?query=MUTATION"><input name=a></form><iframe name=frame></iframe>
<script>
const results = {};
const tried = (name, promise) => promise.then(
    value => { results[name] = value; }, error => { results[name] = "refused"; });
const socket = new Promise((resolve, reject) => {
    const opened = new WebSocket("UI_WS/graphql", "graphql-ws");
    opened.onopen = () => resolve("opened");
    opened.onerror = () => reject();
});
const image = new Promise((resolve, reject) => {
    const loaded = new Image();
    loaded.onload = () => resolve("loaded");
    loaded.onerror = () => reject();
    loaded.src = "UI/graphql?query=MUTATION";
});
const post = mode => fetch("UI/graphql?query=MUTATION", {method: "POST", mode, body: "{}"});
window.done = Promise.all([
    tried("get", fetch("UI/graphql?query=MUTATION").then(a => a.text())),
    tried("get no-cors", fetch("UI/graphql?query=MUTATION", {mode: "no-cors"}).then(a => a.type)),
    tried("post", post("cors").then(a => a.text())),
    tried("post no-cors", post("no-cors").then(a => a.type)),
    tried("image", image),
    tried("socket", socket),
]).then(() => { document.getElementById("form").submit(); return results; });
</script>
"""


class Recorder(http.server.BaseHTTPRequestHandler):
    """The server of the attacker's page."""

    page = ""

    def do_GET(self) -> None:
        body = self.page.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def attacker(ui: Ui) -> Iterator[str]:
    page = ATTACK.replace("UI_WS", f"ws://127.0.0.1:{ui.port}")
    page = page.replace("UI/", f"http://127.0.0.1:{ui.port}/").replace("MUTATION", quote(MUTATION))
    handler = type("Page", (Recorder,), {"page": page})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


@nightly
@needs_chromium
def test_the_page_of_an_attacker_reaches_nothing_and_the_ui_works(ui: Ui, attacker: str) -> None:
    from playwright.sync_api import sync_playwright

    address = f"http://127.0.0.1:{ui.port}"
    statuses: dict[tuple[str, str], int] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.on(
            "response",
            lambda answer: statuses.update(
                {(answer.request.method, answer.request.resource_type): answer.status}
            ),
        )
        page.goto(attacker)
        results = page.evaluate("window.done")
        page.wait_for_timeout(1000)
        to_the_ui = {key: status for key, status in statuses.items() if key != ("GET", "document")}
        assert results["get"] == results["post"] == results["image"] == "refused"
        assert results["socket"] == "refused"
        # An answer without a body that the page could read: what it did is in the status.
        assert {results["get no-cors"], results["post no-cors"]} <= {"opaque", "refused"}
        assert set(to_the_ui.values()) <= {403, 405}, to_the_ui
        assert ("POST", "fetch") in to_the_ui
        assert ("POST", "document") in to_the_ui
        page.goto(f"{address}/jobs")
        page.get_by_text("build", exact=True).first.wait_for(timeout=60_000)
        browser.close()


@nightly
@needs_chromium
def test_hostile_rows_are_text_in_the_ui(ui: Ui, tmp_path: Path) -> None:
    """The preview of a table, as a build writes it, in the dialog of the UI."""
    from playwright.sync_api import sync_playwright

    rows = [{"name": name, "text": text[:500]} for name, text in TEXTS.items()]
    key = ["dependency", "supplier_shares"]
    preview = dg.MetadataValue.md(markdown_table(rows, None))
    with open_instance(Settings.load(home=ui.home)) as instance:
        instance.report_runless_asset_event(
            dg.AssetMaterialization(dg.AssetKey(key), metadata={"preview": preview})
        )
    asked_for: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1500, "height": 1500})
        page.on("request", lambda request: asked_for.append(request.url))
        page.on("dialog", lambda dialog: pytest.fail(dialog.message))
        page.goto(f"http://127.0.0.1:{ui.port}/assets/{'/'.join(key)}?view=overview")
        page.get_by_text("Show Markdown").first.click(timeout=60_000)
        dialog = page.get_by_role("dialog")
        dialog.get_by_text("<script>alert(1)</script>").first.wait_for(timeout=60_000)
        page.screenshot(path=tmp_path / "hostile_preview.png")
        assert dialog.locator("td a, td img, td script, td strong, td del").count() == 0
        assert dialog.locator("tbody tr").count() == len(TEXTS)
        browser.close()
    assert [url for url in asked_for if HOST in url] == []
