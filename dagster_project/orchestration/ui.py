"""Starts and stops the Dagster UI for `kido dev`: its processes, and what they print.

What runs in it is defined elsewhere.
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
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from types import FrameType

from dagster_project.errors import ConfigurationError
from dagster_project.orchestration.execute import open_instance
from dagster_project.orchestration.processes import is_group_alive
from dagster_project.orchestration.services import GRACE_S
from dagster_project.safe_text import printable
from dagster_project.settings import CHECKOUT, Settings

_POLL_S = 0.1
_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def start_ui(settings: Settings, host: str, port: int) -> int:
    """Run the UI, the daemon and their code server until it is stopped; returns an exit code.

    SIGINT (Ctrl-C), SIGTERM and SIGHUP stop all its processes, and the code is 0; a second signal
    kills them at once. The code is 1 if it ended without a signal.
    Raises ConfigurationError if it cannot listen on the port.
    """
    port = free_port(host, port)
    with (
        _stop_signals() as signals,
        tempfile.TemporaryDirectory(prefix="kido-ui-", ignore_cleanup_errors=True) as folder,
    ):
        with open_instance(settings) as instance:
            home = instance.root_directory
        address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        _print(f"Starting the Dagster UI on {address}")
        process = _start(settings, home, host, port, folder)
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
    """The port, or a free one for 0. Raises ConfigurationError if Kido cannot listen on it."""
    if not 0 <= port <= 65535:
        raise ConfigurationError(f"--port {port}: a port is a number up to 65535.")
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (socket.gaierror, OverflowError, UnicodeError):
        raise ConfigurationError(
            f"--host {host}: this is not an address of this machine."
        ) from None
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
                    f"--host {host}: this is not an address of this machine."
                ) from None
            raise ConfigurationError(
                f"Port {port} of {host} is in use, perhaps by another kido dev.",
                hint=f"Stop what uses it, or choose another port: kido dev --port {port + 1}.",
            ) from None
        bound_port: int = listening.getsockname()[1]
        return bound_port


class _Signals:
    """Counts the signals to stop that the process received."""

    count = 0

    def add(self, _number: int, _frame: FrameType | None) -> None:
        self.count += 1


@contextlib.contextmanager
def _stop_signals() -> Iterator[_Signals]:
    signals = _Signals()
    before = {number: signal.signal(number, signals.add) for number in _STOPPING}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _start(
    settings: Settings, home: str, host: str, port: int, folder: str
) -> subprocess.Popen[str]:
    """Start the services in a session of their own.

    Ctrl-C at the terminal then reaches only this process, which stops the UI in order. If this
    process is killed, the standard input of the services ends, and they stop.
    """
    command = [
        sys.executable, "-m", "dagster_project.orchestration.services", host, str(port), folder,
    ]  # fmt: skip
    environment = {
        # These are warnings of libraries for their developers; a run logs its own warnings.
        "PYTHONWARNINGS": "ignore",
        **os.environ,
        "DAGSTER_HOME": home,
        "KIDO_HOME": str(settings.home),
    }
    return subprocess.Popen(
        command, cwd=CHECKOUT, env=environment, start_new_session=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        encoding="utf8", errors="replace",
    )  # fmt: skip


def _wait(
    process: subprocess.Popen[str],
    signals: _Signals,
    host: str,
    port: int,
    when_ready: Callable[[], None],
) -> None:
    """Return when the UI has ended or a signal asks to stop it; calls `when_ready` once."""
    is_ready = False
    while process.poll() is None and not signals.count:
        # It listens once its code is loaded.
        if not is_ready and (is_ready := _is_listening(host, port)):
            when_ready()
        time.sleep(_POLL_S)


def _is_listening(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


def _stop(process: subprocess.Popen[str], signals: _Signals) -> bool:
    """Stop it and all processes it has started; returns whether some had to be killed.

    On SIGINT its first process stops the services, but not the runs in progress. On SIGTERM a run
    records that it was interrupted.
    """
    group, signals_before, end = process.pid, signals.count, time.monotonic() + GRACE_S
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGINT)
    ask_again = 0.0
    while (now := time.monotonic()) < end and signals.count <= max(signals_before, 1):
        has_ended = process.poll() is not None
        if not is_group_alive(group):
            return False
        if has_ended and now >= ask_again:
            # Repeated, since a run that is between two steps loses the signal.
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
"""The first characters of a record in Dagster's logs."""


def news(lines: Iterable[str], is_stopping: Callable[[], bool]) -> Iterator[str]:
    """The lines of the UI's processes without log records below a warning and stack traces.

    The stack trace of a failed run is in the UI; its reason is printed. While processes are being
    stopped, only log records are printed: where they were interrupted is of no interest.
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
    print(printable(line), file=sys.stderr, flush=True)
