"""Where the state of an environment is, by provisioner: what exists there says with which one it runs."""

from __future__ import annotations

from pathlib import Path

from devloop.clients.xdg import state_folder


def embedded_folder(name: str) -> Path:
    return state_folder() / name


def kind_folder(name: str) -> Path:
    """No other environment's folder has an @ in its name."""
    return state_folder() / f"kind@{name}"


FOLDERS = {"kind": kind_folder, "embedded": embedded_folder}


def existing(name: str) -> tuple[str, ...]:
    """The provisioners that have something of the environment `name`."""
    return tuple(provisioner for provisioner, folder in FOLDERS.items() if folder(name).exists())
