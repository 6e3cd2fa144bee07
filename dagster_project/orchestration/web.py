"""Runs Dagster's web server behind the door of `web_door.py`.

The pages and the answers are Dagster's.
"""

from __future__ import annotations

import contextlib
import logging
import signal
from pathlib import Path
from urllib.parse import urlsplit

from dagster_project.orchestration.execute import open_instance
from dagster_project.orchestration.web_door import WebDoor, is_loopback
from dagster_project.settings import Settings

STATEMENT_TIMEOUT_MS, POOL_RECYCLE_S, POOL_OVERFLOW = 15_000, 3_600, 20
"""Limits of the connections to Dagster's storage: those of `dagster-webserver`."""

_LOG_FORMAT = "%(asctime)s - %(name)s - %(levelname)s - %(message)s"
_LOG_TIME = "%Y-%m-%d %H:%M:%S %z"


def serve(settings: Settings, host: str, port: int, workspace: Path) -> None:
    """Serve the UI of a workspace until SIGINT or SIGTERM."""
    import uvicorn
    from dagster._core.workspace.context import WorkspaceProcessContext
    from dagster._core.workspace.load_target import WorkspaceFileTarget
    from dagster_webserver.app import create_app_from_workspace_process_context
    from dagster_webserver.version import __version__

    logging.basicConfig(level=logging.WARNING, format=_LOG_FORMAT, datefmt=_LOG_TIME)
    # The server raises the signal again once it has stopped; the code locations stop after it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt), open_instance(settings) as instance:
        instance.optimize_for_webserver(STATEMENT_TIMEOUT_MS, POOL_RECYCLE_S, POOL_OVERFLOW)
        with WorkspaceProcessContext(
            instance,
            WorkspaceFileTarget(paths=[str(workspace)]),
            version=__version__,
            code_server_log_level="WARNING",
        ) as context:
            app = create_app_from_workspace_process_context(context, live_data_poll_rate=2_000)
            app.add_middleware(
                WebDoor,
                hosts=allowed_hosts(settings, host),
                origins=allowed_origins(settings),
            )
            uvicorn.run(app, host=host, port=port, log_level="warning", lifespan="off")


def allowed_hosts(settings: Settings, host: str) -> list[str]:
    """Names by which a browser may ask for the UI, beside loopback: without ports."""
    return [host, urlsplit(settings.ui_url).hostname or "", *settings.ui_hosts]


def allowed_origins(settings: Settings) -> list[str]:
    """The origin of a proxy before the UI; none on this machine, where it may be another server."""
    parts = urlsplit(settings.ui_url)
    return [] if is_loopback(parts.hostname or "") else [f"{parts.scheme}://{parts.netloc}"]
