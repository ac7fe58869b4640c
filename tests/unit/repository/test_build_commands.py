"""The build commands of devloop.yaml: read, allowed, run when their sources have changed."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from devloop.errors import DevloopError, InputError, Interrupted
from devloop.model.build_commands import BuildCommand
from devloop.model.report import Status
from devloop.provisioners import state_dir
from devloop.repository.build_commands import allow, is_allowed, load_build_commands
from devloop.steps.build import RunBuildCommands

APPEND = "import pathlib; f = pathlib.Path('made'); f.write_text((f.read_text() if f.exists() else '') + 'x')"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a folder of sources; what devloop keeps is in the same temporary folder."""
    for kind in ("STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / kind))
    folder = tmp_path / "repository"
    (folder / "images").mkdir(parents=True)
    (folder / "images" / "Dockerfile").write_text("FROM scratch\n")
    (folder / ".gitignore").write_text("made\n")
    subprocess.run(["git", "init", "-q", folder], check=True)
    state_dir("embedded", "local").mkdir(parents=True)
    return folder


def configure(root: Path, argv: Sequence[str], *more: str) -> None:
    lines = ["build:", f"  - command: {list(argv)!r}", "    paths: [images]", *(f"    {line}" for line in more)]
    (root / "devloop.yaml").write_text("\n".join(lines) + "\n")


def run(root: Path, stop: threading.Event | None = None) -> Any:
    environment = SimpleNamespace(root=root, name="local", definition=SimpleNamespace(name="local"))
    session: Any = SimpleNamespace(
        environment=environment,
        provisioner=SimpleNamespace(name="embedded"),
        emit=lambda event: None,
        stop=stop or threading.Event(),
    )
    return RunBuildCommands().run(session)


def made(root: Path) -> str:
    return (root / "made").read_text() if (root / "made").exists() else ""


def test_a_command_runs_when_its_sources_have_changed_and_not_otherwise(root: Path) -> None:
    configure(root, [sys.executable, "-c", APPEND])
    allow(root, load_build_commands(root))
    assert run(root).status is Status.CHANGED
    (root / "unrelated").write_text("x")
    assert run(root).status is Status.UNCHANGED
    assert made(root) == "x"
    (root / "images" / "Dockerfile").write_text("FROM other\n")
    run(root)
    assert made(root) == "xx"


def test_a_command_that_failed_runs_again(root: Path) -> None:
    configure(root, [sys.executable, "-c", APPEND + "; raise SystemExit('no compiler')"])
    allow(root, load_build_commands(root))
    for _ in range(2):
        with pytest.raises(DevloopError, match=r"devloop.yaml:2: .*no compiler"):
            run(root)
    assert made(root) == "xx"


def test_nothing_runs_that_nobody_allowed_and_a_change_is_asked_for_again(root: Path) -> None:
    configure(root, [sys.executable, "-c", APPEND])
    with pytest.raises(DevloopError, match="you have not allowed") as error:
        run(root)
    assert "--allow-build" in str(error.value.hint)
    allow(root, load_build_commands(root))
    assert is_allowed(root, load_build_commands(root))
    configure(root, [sys.executable, "-c", APPEND + "  # another"])
    assert not is_allowed(root, load_build_commands(root))
    assert made(root) == ""


def test_a_command_ends_at_its_timeout_with_what_it_started(root: Path) -> None:
    configure(root, ["sh", "-c", "sleep 600 & wait"], "timeout: 300ms")
    allow(root, load_build_commands(root))
    with pytest.raises(DevloopError, match="did not end within"):
        run(root)


def test_a_command_ends_with_the_run(root: Path) -> None:
    configure(root, ["sh", "-c", "touch made; sleep 600"])
    allow(root, load_build_commands(root))
    stop, ended = threading.Event(), threading.Event()

    def stop_when_it_runs() -> None:
        while not (root / "made").exists():
            ended.wait(0.05)
        stop.set()

    threading.Thread(target=stop_when_it_runs, daemon=True).start()
    with pytest.raises(Interrupted):
        run(root, stop)


def test_a_program_that_does_not_exist_is_named(root: Path) -> None:
    configure(root, ["no-such-program"])
    allow(root, load_build_commands(root))
    with pytest.raises(DevloopError, match="cannot run no-such-program"):
        run(root)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("build:\n  - paths: [images]\n", "command"),
        ("build:\n  - command: [make]\n", "paths"),
        ("build:\n  - command: make images\n    paths: [images]\n", "command"),
        ("build:\n  - command: [make]\n    paths: [../elsewhere]\n", "outside the repository"),
        ("build:\n  - command: [make]\n    paths: [images]\n    timeout: soon\n", "timeout"),
    ],
)
def test_mistakes_in_the_section_have_a_line(root: Path, text: str, message: str) -> None:
    (root / "devloop.yaml").write_text(text)
    with pytest.raises(InputError) as error:
        load_build_commands(root)
    assert any(message in str(problem) and problem.line for problem in error.value.problems)


def test_a_repository_without_the_section_has_no_commands(root: Path) -> None:
    (root / "devloop.yaml").write_text("severities:\n  labels/*: off\n# build: nothing\n")
    assert load_build_commands(root) == ()
    assert is_allowed(root, ())
    assert BuildCommand(("make",), ("images",)).timeout == 600.0
