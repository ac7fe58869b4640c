"""Programs that a publisher offers."""

from __future__ import annotations

import hashlib
import http.server
import tarfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devloop.model.report import Event, Notice
from devloop.toolchain import Toolchain
from devloop.toolchain.lock import this_platform

from .hello import LOCK, VERSION, ignore, leftovers, make_lock, version_of

RELEASE = b"#!/bin/sh\necho released >&2\n"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    folder = tmp_path / "releases"
    folder.mkdir()
    (folder / "hello").write_bytes(RELEASE)

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: object, **kwargs: object) -> None:
            super().__init__(*args, directory=str(folder), **kwargs)  # type: ignore[arg-type]

        def log_message(self, *args: object) -> None:
            """Nothing to say."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def release(url: str, sha256: str) -> str:
    return f'{LOCK}\n[tools.hello.releases.{this_platform()}]\nurl = "{url}"\nsha256 = "{sha256}"\n'


SECOND = f"""
[tools.second]
module = "hello"
package = "."
seconds = 60
packages = 30

[tools.second.releases.{this_platform()}]
url = "http://nowhere.invalid/second"
sha256 = "{"0" * 64}"
"""


def test_a_release_with_the_pinned_checksum(server: str, tmp_path: Path) -> None:
    lock = make_lock(tmp_path / "lock", release(f"{server}/hello", hashlib.sha256(RELEASE).hexdigest()))
    toolchain = Toolchain(lock=lock, folder=tmp_path / "cache")
    assert toolchain.ensure(["hello"], ignore)
    assert version_of(toolchain.path("hello")) == "released"
    assert [(state.channel, state.origin) for state in toolchain.states()] == [("release", f"{server}/hello")]


def test_a_release_with_another_checksum_is_built_instead(server: str, tmp_path: Path) -> None:
    events: list[Event] = []
    toolchain = Toolchain(lock=make_lock(tmp_path / "lock", release(f"{server}/hello", "0" * 64)), folder=tmp_path / "cache")
    assert toolchain.ensure(["hello"], events.append)
    assert version_of(toolchain.path("hello")) == f"hello v{VERSION}"
    assert [event.message for event in events if isinstance(event, Notice) and "expected" in event.message]
    assert leftovers(tmp_path / "cache") == []


def test_without_the_release_it_is_built(server: str, tmp_path: Path) -> None:
    events: list[Event] = []
    toolchain = Toolchain(lock=make_lock(tmp_path / "lock", release(f"{server}/gone", "0" * 64)), folder=tmp_path / "cache")
    assert toolchain.ensure(["hello"], events.append)
    assert version_of(toolchain.path("hello")) == f"hello v{VERSION}"
    assert any(isinstance(event, Notice) and "cannot be downloaded" in event.message for event in events)


@pytest.fixture
def archived(server: str, tmp_path: Path) -> Callable[[str, str], Toolchain]:
    """Installs hello from an archive that has it as the first name, by a lock that expects the second."""

    def install(packed: str, expected: str) -> Toolchain:
        archive = tmp_path / "releases" / "hello.tar.gz"
        with tarfile.open(archive, "w:gz") as file:
            file.add(tmp_path / "releases" / "hello", packed)
        text = release(f"{server}/hello.tar.gz", hashlib.sha256(archive.read_bytes()).hexdigest()) + f'member = "{expected}"\n'
        toolchain = Toolchain(lock=make_lock(tmp_path / "lock", text), folder=tmp_path / "cache")
        assert toolchain.ensure(["hello"], ignore)
        return toolchain

    return install


def test_a_program_in_an_archive(archived: Callable[[str, str], Toolchain]) -> None:
    toolchain = archived("hello-1/bin/hello", "hello-1/bin/hello")
    assert version_of(toolchain.path("hello")) == "released"
    assert sorted(path.name for path in toolchain.path("hello").parent.iterdir()) == ["entry.json", "hello"]


def test_an_archive_without_the_program_is_no_release(archived: Callable[[str, str], Toolchain]) -> None:
    assert [state.channel for state in archived("elsewhere", "hello").states()] == ["source"]


def test_a_host_without_an_answer_is_asked_once(tmp_path: Path) -> None:
    events: list[Event] = []
    lock = make_lock(tmp_path / "lock", release("http://nowhere.invalid/hello", "0" * 64) + SECOND)
    Toolchain(lock=lock, folder=tmp_path / "cache").ensure(["hello", "second"], events.append)
    failures = [event.message for event in events if isinstance(event, Notice) and "cannot be downloaded" in event.message]
    assert len(failures) == 1, failures
