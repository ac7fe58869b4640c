"""Where devloop keeps things, after the XDG base directory specification: cache, state and configuration of this user."""

from __future__ import annotations

import os
from pathlib import Path


def _folder(variable: str, default: str) -> Path:
    value = os.environ.get(variable, "")
    base = Path(value) if Path(value).is_absolute() else Path.home() / default
    return base / "devloop"


def cache_folder() -> Path:
    """Things that can be made again: tools, renderings, what was fetched."""
    return _folder("XDG_CACHE_HOME", ".cache")


def renderings_folder() -> Path:
    """What was built of repositories: the build worker's own, see store.go."""
    return cache_folder() / "renderings"


def remote_folder() -> Path:
    """What kustomization files take from elsewhere, see fetching.py."""
    return cache_folder() / "remote"


def state_folder() -> Path:
    """Running environments: data, logs, credentials."""
    return _folder("XDG_STATE_HOME", ".local/state")


def config_folder() -> Path:
    """Things that cannot be made again: Age keys."""
    return _folder("XDG_CONFIG_HOME", ".config")
