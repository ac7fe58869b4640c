"""Who may reach the environment's repository and where: two users, each with a password of its own that only a file of mode 0600 holds."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from devloop.clients import private_files
from devloop.gitserver.git_server import PULLER, PUSHER

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


def passwords(folder: Path) -> Mapping[str, str]:
    """User -> password, from a file in `folder`; made where there are none."""
    known = private_files.read_json(folder / FILE)
    if not known:
        known = {user: secrets.token_urlsafe(32) for user in (PUSHER, PULLER)}
        private_files.make_folder(folder)
        private_files.write_json(folder / FILE, known)
    return {user: str(word) for user, word in known.items()}


def endpoint(folder: Path, push_url: str, pull_url: str) -> GitEndpoint:
    known = passwords(folder)
    return GitEndpoint(push_url, pull_url, PUSHER, known[PUSHER], PULLER, known[PULLER])
