"""Where Prefect keeps its state, and that it tells nobody. To be called before prefect is imported."""

from __future__ import annotations

import os
from pathlib import Path


def prefect_environment(home: Path) -> dict[str, str]:
    """Variables for this process and its children: state in the state folder, no telemetry, patience with a cold start."""
    return {
        "PREFECT_HOME": str(home / "prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
        "PREFECT_LOGGING_LEVEL": "WARNING",
        "PREFECT_LOGGING_SERVER_LEVEL": "CRITICAL",
    }


def prepare_environment(home: Path, api_url: str = "") -> None:
    """Sets what the operator has not set; `api_url` is that of our own server."""
    for name, value in prefect_environment(home).items():
        os.environ.setdefault(name, value)
    if api_url:
        os.environ["PREFECT_API_URL"] = api_url
