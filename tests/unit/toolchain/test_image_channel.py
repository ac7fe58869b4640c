"""Programs out of published images: the toolchain, and a real registry in the publisher's place."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from devloop.clients.go import find_go
from devloop.clients.registry.mirrors import VARIABLE
from devloop.clients.xdg import cache_folder
from devloop.images.archive import Entry
from devloop.model.report import Event, Notice
from devloop.toolchain import KEEP, Toolchain
from devloop.toolchain.lock import this_platform

from ..clients.registries import Registry, running

SYSTEM, MACHINE = this_platform().split("-", 1)
PUBLISHED = b"#!/bin/sh\necho published\n"
MAIN = 'package main\n\nfunc main() { print("built\\n") }\n'
LOCK = """
[modules.controller]
path = "example.invalid/controller"
version = "1.2.3"

[tools.controller]
module = "controller"
package = "."
seconds = 60
packages = 30

[tools.controller.image]
reference = "ghcr.io/fluxcd/controller:v1.2.3@{digest}"
path = "/usr/local/bin/controller"
"""

pytestmark = pytest.mark.skipif(SYSTEM != "linux", reason="images have programs for Linux")


@pytest.fixture(autouse=True)
def _usual_caches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Go's own, which have the standard library; nothing is removed after a build."""
    names, go = ("GOCACHE", "GOMODCACHE"), find_go((1,), cache_folder() / "go", lambda: None)
    for name, folder in zip(names, subprocess.check_output([go.program, "env", *names], text=True).split(), strict=True):
        monkeypatch.setenv(name, folder)
    monkeypatch.setenv(KEEP, "1")


@pytest.fixture(scope="module")
def registry(registry_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with running(registry_program, tmp_path_factory.mktemp("registry")) as it:
        yield it


@pytest.fixture
def digest(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> str:
    """That of the image, in a mirror of ghcr.io."""
    monkeypatch.setenv(VARIABLE, f"ghcr.io={registry.host}")
    return registry.push("fluxcd/controller", [[Entry("usr/local/bin/controller", PUBLISHED, 0o755)]], machines=(MACHINE,))


def install(folder: Path, digest: str) -> tuple[str, str, list[str]]:
    """What the program prints, where it is from, and the notices."""
    module, events = folder / "lock" / "modules" / "controller", list[Event]()
    module.mkdir(parents=True)
    (module / "go.mod").write_text("module example.invalid/controller\n\ngo 1.24\n")
    (module / "go.sum").touch()
    (module / "main.go").write_text(MAIN)
    (folder / "lock" / "lock.toml").write_text(LOCK.format(digest=digest))
    toolchain = Toolchain(lock=folder / "lock" / "lock.toml", folder=folder / "cache")
    toolchain.ensure(["controller"], events.append)
    done = subprocess.run([toolchain.path("controller")], check=True, text=True, capture_output=True)
    [state] = toolchain.states()
    return (done.stdout + done.stderr).strip(), state.channel, [event.message for event in events if isinstance(event, Notice)]


def test_the_program_of_the_image(digest: str, tmp_path: Path) -> None:
    assert install(tmp_path, digest)[:2] == ("published", "image")
    assert [path.name for path in (tmp_path / "cache" / "tools" / "controller").glob("*.partial")] == []


def test_an_image_that_is_not_there(digest: str, tmp_path: Path) -> None:
    printed, channel, notices = install(tmp_path, f"sha256:{'0' * 64}")
    assert (printed, channel) == ("built", "source")
    [failed] = [notice for notice in notices if "ghcr.io" in notice]
    assert failed.endswith(": 127.0.0.1 answers 404 Not Found")
