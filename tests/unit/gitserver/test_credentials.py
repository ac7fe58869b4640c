"""Who may reach an environment's repository."""

from __future__ import annotations

import stat
from pathlib import Path

from devloop.gitserver.credentials import FILE, endpoint, passwords
from devloop.gitserver.git_server import PULLER, PUSHER


def test_passwords_are_made_once_and_are_for_this_user_alone(tmp_path: Path) -> None:
    folder = tmp_path / "environment"
    first = dict(passwords(folder))
    assert passwords(folder) == first
    assert set(first) == {PUSHER, PULLER}
    assert len(set(first.values())) == 2
    assert min(map(len, first.values())) >= 40
    assert stat.S_IMODE((folder / FILE).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_an_endpoint_does_not_show_its_passwords(tmp_path: Path) -> None:
    found = endpoint(tmp_path, "http://127.0.0.1:1/devloop.git", "http://git:8080/devloop.git")
    assert (found.push_url, found.pull_url) == ("http://127.0.0.1:1/devloop.git", "http://git:8080/devloop.git")
    assert (found.push_password, found.pull_password) == (passwords(tmp_path)[PUSHER], passwords(tmp_path)[PULLER])
    assert not [word for word in passwords(tmp_path).values() if word in repr(found)]
