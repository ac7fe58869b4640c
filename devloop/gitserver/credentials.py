"""Who may reach the environment's repository and where: two users, each with a password of its own that only files of mode 0600 hold."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from devloop.gitserver.git_server import PULLER, PUSHER, REPOSITORY
from devloop.runtime.components import Component, ComponentContext
from devloop.runtime.layout import Layout

SERVER = "git-server"
FILE = "git-credentials.json"


@dataclass(frozen=True)
class GitEndpoint:
    """The environment's Git server: where we push and where Flux's controllers pull, with credentials that never get printed."""

    push_url: str
    pull_url: str
    push_user: str
    push_password: str = field(repr=False)
    pull_user: str
    pull_password: str = field(repr=False)


def server(site: ComponentContext) -> Component:
    argv = (sys.executable, "-m", "devloop.gitserver.process", str(site.layout.folder), str(site.ports[SERVER]))
    return Component(SERVER, argv)


def ensure_passwords(layout: Layout) -> None:
    if not layout.read_json(FILE):
        layout.write_json(FILE, {user: secrets.token_urlsafe(32) for user in (PUSHER, PULLER)})


def passwords(folder: Path) -> Mapping[str, str]:
    """User -> password."""
    found: dict[str, str] = json.loads((folder / FILE).read_text())
    return found


def endpoint(layout: Layout, address: str) -> GitEndpoint:
    url, known = f"http://{address}/{REPOSITORY}", passwords(layout.folder)
    return GitEndpoint(url, url, PUSHER, known[PUSHER], PULLER, known[PULLER])
