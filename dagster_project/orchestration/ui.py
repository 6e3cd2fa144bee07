"""The Dagster UI as a child of `kido dev`: started, announced when it answers, and stopped as a
whole.

What runs in it is defined elsewhere; here are only its processes and what they print.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from types import FrameType

from dagster_project.errors import ConfigurationError
from dagster_project.orchestration.execute import open_instance
from dagster_project.orchestration.processes import is_group_alive
from dagster_project.settings import CHECKOUT, Settings

GRACE_S = 20.0
"""How long the processes of the UI may take to stop before they are killed; they take 3 to 6 s."""

_POLL_S = 0.1
_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def start_ui(settings: Settings, host: str, port: int) -> int:
    """`dagster dev` on this warehouse; returns when it is stopped, with an exit code.

    SIGINT (Ctrl-C), SIGTERM and SIGHUP stop all its processes: 0. A second one kills them at once.
    1 where it ended without being asked to.
    Raises ConfigurationError if it cannot listen on the port.
    """
    port = free_port(host, port)
    with _stop_signals() as signals:
        with open_instance(settings) as instance:
            home = instance.root_directory
        address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        _print(f"Starting the Dagster UI on {address}")
        process = _start(settings, home, host, port)
        printing = threading.Thread(target=_print_news, args=(process, signals), daemon=True)
        printing.start()
        try:
            _wait(
                process, signals, host, port, lambda: _print(f"Ready: {address}  (Ctrl-C stops it)")
            )
            code = process.poll()
            if code is None:
                _print("Stopping the Dagster UI")
        finally:
            killed = _stop(process, signals)
        printing.join(timeout=1)
    if code is not None:
        _print(f"The Dagster UI ended by itself, with exit code {code}.")
        return 1
    _print("Stopped; what did not stop by itself was killed." if killed else "Stopped.")
    return 0


def free_port(host: str, port: int) -> int:
    """The port, or any free one for 0. Raises ConfigurationError if it cannot be listened on."""
    if not 0 <= port <= 65535:
        raise ConfigurationError(f"--port {port}: a port is a number up to 65535.")
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (socket.gaierror, OverflowError, UnicodeError):
        raise ConfigurationError(f"--host {host}: this is no address of this machine.") from None
    with socket.socket(family, kind) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(address)
            listening.listen()
        except PermissionError:
            raise ConfigurationError(
                f"--port {port}: only the administrator of this machine may listen on it.",
                hint="Choose one from 1024: kido dev --port 3000.",
            ) from None
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise ConfigurationError(
                    f"--host {host}: this is no address of this machine."
                ) from None
            raise ConfigurationError(
                f"Port {port} of {host} is in use, perhaps by another kido dev.",
                hint=f"Stop what uses it, or choose another port: kido dev --port {port + 1}.",
            ) from None
        bound_port: int = listening.getsockname()[1]
        return bound_port


class _Signals:
    """How often the process was asked to stop."""

    count = 0

    def take(self, _number: int, _frame: FrameType | None) -> None:
        self.count += 1


@contextlib.contextmanager
def _stop_signals() -> Iterator[_Signals]:
    signals = _Signals()
    before = {number: signal.signal(number, signals.take) for number in _STOPPING}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _start(settings: Settings, home: str, host: str, port: int) -> subprocess.Popen[str]:
    """`dagster dev`, in a session of its own: Ctrl-C at the terminal reaches it only from here."""
    command = [
        sys.executable, "-m", "dagster", "dev", "--workspace", str(CHECKOUT / "workspace.yaml"),
        "--host", host, "--port", str(port), "--log-level", "warning",
    ]  # fmt: skip
    environment = {
        # Of libraries, for their developers: a run logs its warnings.
        "PYTHONWARNINGS": "ignore",
        **os.environ,
        "DAGSTER_HOME": home,
        "KIDO_HOME": str(settings.home),
    }
    return subprocess.Popen(
        command, cwd=CHECKOUT, env=environment, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        encoding="utf8", errors="replace",
    )  # fmt: skip


def _wait(
    process: subprocess.Popen[str],
    signals: _Signals,
    host: str,
    port: int,
    when_ready: Callable[[], None],
) -> None:
    """Return when it has ended or is asked to stop."""
    is_ready = False
    while process.poll() is None and not signals.count:
        # It listens when its code is loaded.
        if not is_ready and (is_ready := _answers(host, port)):
            when_ready()
        time.sleep(_POLL_S)


def _answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


def _stop(process: subprocess.Popen[str], signals: _Signals) -> bool:
    """Stop it and all that it has started; returns whether something had to be killed.

    `dagster dev` takes SIGINT for a request to stop its services one by one. It leaves runs in
    progress behind: these take SIGTERM for a request to record that they were interrupted.
    """
    group, asked_before, end = process.pid, signals.count, time.monotonic() + GRACE_S
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGINT)
    ask_again = 0.0
    while (now := time.monotonic()) < end and signals.count <= max(asked_before, 1):
        has_ended = process.poll() is not None
        if not is_group_alive(group):
            return False
        if has_ended and now >= ask_again:
            # A run that is not inside a step loses the signal.
            _signal_group(group, signal.SIGTERM)
            ask_again = now + 2
        time.sleep(_POLL_S)
    _signal_group(group, signal.SIGKILL)
    process.wait()
    return True


def _signal_group(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)


_RECORD = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4} - [\w.]+ - (?P<level>[A-Z]+) - ")
"""How Dagster's logs begin a record."""


def news(lines: Iterable[str], is_stopping: Callable[[], bool]) -> Iterator[str]:
    """Of what the processes of the UI print: all but records below a warning, and stack traces.

    The stack trace of a failed run is in the UI; here is its reason. Of processes that are being
    stopped only records: where they were interrupted is of no interest.
    """
    is_dropping = False
    for line in lines:
        record = _RECORD.match(line)
        if record:
            is_dropping = record["level"] in ("DEBUG", "INFO")
        elif line.startswith("Stack Trace:") or is_stopping():
            is_dropping = True
        elif is_dropping and not line[:1].isspace():
            is_dropping = False
        if not is_dropping and line.strip():
            yield line.rstrip()


def _print_news(process: subprocess.Popen[str], signals: _Signals) -> None:
    assert process.stdout is not None
    for line in news(process.stdout, lambda: signals.count > 0):
        _print(line)


def _print(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
