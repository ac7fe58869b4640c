"""URLs and credentials of the Git server: two users with passwords, stored only in a file of mode 0600."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from devloop.clients import private_files
from devloop.gitserver.git_server import PULLER, PUSHER

FILE = "git-credentials.json"


@dataclass(frozen=True)
class GitEndpoint:
    """Where devloop pushes and Flux pulls; never print the passwords."""

    push_url: str
    pull_url: str
    push_user: str
    push_password: str = field(repr=False)
    pull_user: str
    pull_password: str = field(repr=False)


def passwords(folder: Path) -> Mapping[str, str]:
    """User -> password, from a file in `folder`; generated if missing."""
    known = private_files.read_json(folder / FILE)
    if not known:
        known = {user: secrets.token_urlsafe(32) for user in (PUSHER, PULLER)}
        private_files.make_folder(folder)
        private_files.write_json(folder / FILE, known)
    return {user: str(password) for user, password in known.items()}


def endpoint(folder: Path, push_url: str, pull_url: str) -> GitEndpoint:
    known = passwords(folder)
    return GitEndpoint(push_url, pull_url, PUSHER, known[PUSHER], PULLER, known[PULLER])
