"""Where the state of an environment is, by provisioner: what exists there says with which one it runs."""

from __future__ import annotations

from pathlib import Path

from devloop.clients.xdg import state_folder
from devloop.provisioners import PROVISIONERS


def state_dir(provisioner: str, name: str) -> Path:
    return state_folder() / PROVISIONERS[provisioner].state_dir.format(name=name)


def existing(name: str) -> tuple[str, ...]:
    """The provisioners that have something of the environment `name`."""
    return tuple(provisioner for provisioner in PROVISIONERS if state_dir(provisioner, name).exists())
