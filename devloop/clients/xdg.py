"""devloop's cache, state and configuration folders (XDG base directory specification)."""

import os
from pathlib import Path


def _folder(variable: str, default: str) -> Path:
    value = os.environ.get(variable, "")
    base = Path(value) if Path(value).is_absolute() else Path.home() / default
    return base / "devloop"


def cache_folder() -> Path:
    """Reproducible data: tools, renderings, downloads."""
    return _folder("XDG_CACHE_HOME", ".cache")


def renderings_folder() -> Path:
    """Build results of the worker, see store.go."""
    return cache_folder() / "renderings"


def build_folder() -> Path:
    """Go's caches while tools are built."""
    return cache_folder() / "build"


def remote_folder() -> Path:
    """Remote bases of kustomization files, see remote_fetch.py."""
    return cache_folder() / "remote"


def state_folder() -> Path:
    """Running environments: data, logs, credentials."""
    return _folder("XDG_STATE_HOME", ".local/state")


def config_folder() -> Path:
    """Data that cannot be reproduced: Age keys."""
    return _folder("XDG_CONFIG_HOME", ".config")
