"""The files in `deploy/`: systemd and nginx read them, and the commands in them exist."""

from __future__ import annotations

import base64
import http.server
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from configparser import RawConfigParser
from pathlib import Path

import pytest

from dagster_project.settings import Settings
from dagster_project.sources.registry import source_names
from tests.conftest import CHECKOUT

DEPLOY = CHECKOUT / "deploy"
UNITS = sorted(path.name for path in [*DEPLOY.glob("*.service"), *DEPLOY.glob("*.timer")])
SERVICES = [name for name in UNITS if name.endswith(".service")]
BIN = Path(sys.executable).parent

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not on this machine"
)
needs_nginx = pytest.mark.skipif(
    shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") is None
    or shutil.which("openssl") is None,
    reason="nginx or openssl is not on this machine",
)


def unit(name: str) -> RawConfigParser:
    parsed = RawConfigParser(strict=False)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read(DEPLOY / name)
    return parsed


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units with folders and the environment file of this machine."""
    for name in ("opt", "home", "backups"):
        (tmp_path / name).mkdir()
    (tmp_path / "opt" / ".venv").mkdir()
    (tmp_path / "opt" / ".venv" / "bin").symlink_to(BIN)
    (tmp_path / "opt" / "workspace.yaml").touch()
    shutil.copy(DEPLOY / "kido.env", tmp_path / "kido.env")
    for name in UNITS:
        text = (DEPLOY / name).read_text("utf8")
        for path, here in (
            ("/opt/kido", "opt"), ("/var/lib/kido", "home"), ("/var/backups/kido", "backups"),
            ("/etc/kido/kido.env", "kido.env"),
        ):  # fmt: skip
            text = text.replace(path, str(tmp_path / here))
        (tmp_path / name).write_text(text)
    return tmp_path


@needs_systemd
@pytest.mark.parametrize("name", UNITS)
def test_systemd_finds_nothing_wrong_with_a_unit(units: Path, name: str) -> None:
    result = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(units / name)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    about_it = [line for line in result.stderr.splitlines() if str(units) in line or name in line]
    assert (result.returncode, about_it) == (0, [])


@needs_systemd
def test_systemd_finds_a_misspelt_setting_in_a_unit(units: Path) -> None:
    broken = units / "kido-web.service"
    broken.write_text(broken.read_text().replace("ProtectHome=", "ProtectHouse="))
    result = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(broken)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "ProtectHouse" in result.stderr


@needs_systemd
@pytest.mark.parametrize("name", [name for name in UNITS if name.endswith(".timer")])
def test_systemd_reads_the_time_of_a_timer(name: str) -> None:
    when = unit(name)["Timer"]["OnCalendar"]
    result = subprocess.run(
        ["systemd-analyze", "calendar", "--iterations=3", when],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    days = re.findall(r"(?:Next elapse|Iteration #\d): \w+ (\S+)", result.stdout)
    assert len(set(days)) == 3  # once a day


def test_every_timer_has_a_service_and_is_wanted() -> None:
    for name in UNITS:
        if name.endswith(".timer"):
            assert name.replace(".timer", ".service") in SERVICES
            assert unit(name)["Install"]["WantedBy"] == "timers.target"


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_may_write_only_to_the_folders_of_kido(name: str) -> None:
    service = unit(name)["Service"]
    assert (service["User"], service["ProtectSystem"]) == ("kido", "strict")
    assert set(service["ReadWritePaths"].split()) <= {"/var/lib/kido", "/var/backups/kido"}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_calls_a_command_that_has_its_options(name: str) -> None:
    program, *arguments = unit(name)["Service"]["ExecStart"].split()
    command = BIN / Path(program).name
    assert command.exists()
    words = [word for word in arguments if re.fullmatch("[a-z]+", word)]
    subcommands = words[:1] if command.name in ("kido", "dagster-daemon") else []
    helped = subprocess.run(
        [str(command), *subcommands, "--help"],
        capture_output=True, text=True, check=True, env={**os.environ, "COLUMNS": "200"},
    ).stdout  # fmt: skip
    for option in (word for word in arguments if word.startswith("--")):
        assert option in helped


def test_every_setting_in_the_environment_file_exists(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = (DEPLOY / "kido.env").read_text("utf8")
    pairs = dict(re.findall(r"^(?:# )?([A-Z_]+)=(.*)$", text, re.MULTILINE))
    for name, value in pairs.items():
        monkeypatch.setenv(name, value.strip("'"))
    Settings.load().require_known_names(source_names())
    assert pairs["DAGSTER_HOME"] == str(Settings.load().dagster_home)
    assert unit("kido-backup.service")["Service"]["ReadWritePaths"].split() == [
        pairs["KIDO_HOME"],
        pairs["KIDO_BACKUP_DIR"],
    ]


@pytest.mark.parametrize("name", [name for name in SERVICES if "@" not in name])
def test_a_service_that_fails_reaches_a_person(name: str) -> None:
    failing, notice = unit(name), unit("kido-failed@.service")
    assert failing["Unit"]["OnFailure"] == "kido-failed@%n.service"
    assert notice["Service"]["ExecStart"].endswith("kido alert --unit %i")
    assert "OnFailure" not in notice["Unit"]
    if "Restart" in failing["Service"]:
        # systemd calls it failed only once it was started this often in this time.
        tries, wait = int(failing["Unit"]["StartLimitBurst"]), int(failing["Service"]["RestartSec"])
        assert failing["Unit"]["StartLimitIntervalSec"] == "30min"
        assert tries * wait < 30 * 60


@needs_systemd
def test_systemd_finds_the_unit_that_sends_a_failure(units: Path) -> None:
    def verify() -> str:
        return subprocess.run(
            ["systemd-analyze", "verify", "--man=no", str(units / "kido-failed@kido-web.service")],
            capture_output=True, text=True, check=False,
        ).stderr  # fmt: skip

    template = units / "kido-failed@.service"
    (units / "kido-failed@kido-web.service").symlink_to(template)
    assert str(units) not in verify()
    template.write_text(template.read_text().replace("/bin/kido", "/bin/absent"))
    assert "/bin/absent" in verify()


@pytest.fixture
def wrapper(tmp_path: Path) -> Path:
    """deploy/kido.sh with folders of this test; the programs print where they are called."""
    checkout = tmp_path / "opt"
    (checkout / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / "kido.env").write_text("KIDO_IMPORTER='FRA'\n")
    text = (DEPLOY / "kido.sh").read_text("utf8").replace("/opt/kido", str(checkout))
    for name in ("kido", "dagster"):
        program = checkout / ".venv" / "bin" / name
        program.write_text('#!/bin/sh\necho "$KIDO_IMPORTER $(pwd) $*"\n')
        (tmp_path / name).write_text(
            text.replace("/etc/kido/kido.env", str(tmp_path / "kido.env")), "utf8"
        )
        for file in (program, tmp_path / name):
            file.chmod(0o755)
    (tmp_path / "here").mkdir()
    return tmp_path


@pytest.mark.parametrize(("name", "folder"), [("kido", "here"), ("dagster", "opt")])
def test_relative_paths_of_a_person_are_those_of_his_folder(
    wrapper: Path, name: str, folder: str
) -> None:
    result = subprocess.run(
        [str(wrapper / name), "land", "baci", "file.zip"],
        cwd=wrapper / "here", capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert result.stdout == f"FRA {wrapper / folder} land baci file.zip\n"


class Ui(http.server.BaseHTTPRequestHandler):
    """Stands in for the web server: answers with the headers that it got."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = "\n".join(f"{name}: {value}" for name, value in self.headers.items()).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def ui() -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Ui)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def proxy(ui: int, tmp_path: Path) -> Iterator[int]:
    """nginx as in deploy/nginx.conf, before the stand-in; the user is analyst, kido."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", "/CN=kido.example.org",
         "-keyout", str(tmp_path / "key"), "-out", str(tmp_path / "pem")],
        check=True, capture_output=True,
    )  # fmt: skip
    password = subprocess.run(
        ["openssl", "passwd", "-apr1", "kido"], check=True, capture_output=True, text=True
    ).stdout
    (tmp_path / "users").write_text(f"analyst:{password}")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    text = (DEPLOY / "nginx.conf").read_text("utf8")
    for theirs, here in (
        ("listen 443", f"listen 127.0.0.1:{port}"), ("127.0.0.1:3000", f"127.0.0.1:{ui}"),
        ("/etc/ssl/certs/kido.pem", tmp_path / "pem"),
        ("/etc/nginx/kido.users", tmp_path / "users"),
        ("/etc/ssl/private/kido.key", tmp_path / "key"),
    ):  # fmt: skip
        assert theirs in text
        text = text.replace(theirs, str(here))
    temporary = "".join(
        f"{kind}_temp_path {tmp_path}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;" if os.getuid() == 0 else ""
    (tmp_path / "nginx.conf").write_text(
        f"{user} daemon off; pid {tmp_path}/pid; error_log stderr; events {{}}\n"
        f"http {{ access_log off; {temporary}\n{text}\n}}\n"
    )
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    command = [str(program), "-c", str(tmp_path / "nginx.conf"), "-p", str(tmp_path)]
    subprocess.run([*command, "-t"], check=True, capture_output=True)
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    try:
        end = time.monotonic() + 30
        while True:
            assert process.poll() is None
            assert time.monotonic() < end
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.communicate(timeout=30)


@needs_nginx
def test_nginx_asks_for_a_password_and_passes_websockets_on(proxy: int) -> None:
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    request = urllib.request.Request(f"https://127.0.0.1:{proxy}/graphql")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, context=trusting, timeout=30)
    assert refused.value.code == 401
    credentials = base64.b64encode(b"analyst:kido").decode()
    request.add_header("Authorization", f"Basic {credentials}")
    with urllib.request.urlopen(request, context=trusting, timeout=30) as answer:
        assert "Upgrade" not in answer.read().decode()
    context = socket.create_connection(("127.0.0.1", proxy), timeout=30)
    with trusting.wrap_socket(context) as connection:
        connection.sendall(
            f"GET /graphql HTTP/1.1\r\nHost: kido.example.org\r\nAuthorization: Basic {credentials}"
            "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n".encode()
        )
        got = connection.recv(65536).decode()
        while "\r\n\r\n" not in got or "Connection: upgrade" not in got:
            more = connection.recv(65536).decode()
            assert more, got
            got += more
    assert "Upgrade: websocket" in got
    assert "Host: kido.example.org" in got
