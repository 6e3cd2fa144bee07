"""Says that a unit of systemd failed: the daemon that sends all other messages may be that unit.

Each failure is a message of its own; nothing is remembered.
"""

from __future__ import annotations

import platform
from collections.abc import Callable

from dagster_project.alerts.send import VARIABLE, addresses, send_to_each
from dagster_project.errors import ConfigurationError
from dagster_project.settings import Settings


def send_failed_unit(settings: Settings, unit: str, write: Callable[[str], None]) -> bool:
    """Send that a unit failed to every address, a line on each; whether all accepted it.

    Raises ConfigurationError if no address is set.
    """
    to = addresses(settings)
    if not to:
        raise ConfigurationError(f"{VARIABLE} is not set: the failure of {unit} was not sent.")
    host = platform.node()
    title = f"Kido: {unit} failed on {host}"
    body = (
        f"The reason is in the journal of {host}:\n"
        f"sudo journalctl -u {unit} -n 50\n\n"
        f"After the cause is removed: sudo systemctl start {unit}"
    )
    return send_to_each(to, title, body, "failure", write)
