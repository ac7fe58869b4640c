"""Builds of a tiny tool from source, and its entry in the cache."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from devloop.errors import DevloopError, InputError
from devloop.model.report import Event, Progress
from devloop.toolchain import Toolchain
from devloop.toolchain.install import remaining

from .hello import FILES, LOCK, PROGRAM, VERSION, ignore, leftovers, make_lock, version_of


def test_builds_from_source_once(lock: Path, tmp_path: Path) -> None:
    events: list[Event] = []
    toolchain = Toolchain(lock=lock, folder=tmp_path / "cache")
    assert toolchain.missing(["hello"]) == ("hello",)
    assert toolchain.estimate(["hello"]) > 0
    assert toolchain.ensure(["hello"], events.append)
    assert version_of(toolchain.path("hello")) == f"hello v{VERSION}"
    assert toolchain.missing(["hello"]) == ()
    assert toolchain.estimate(["hello"]) == 0
    assert not toolchain.ensure(["hello"], events.append)
    assert leftovers(tmp_path / "cache") == []


def test_progress_grows_to_its_end(lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOCACHE", str(tmp_path / "go-cache"))
    events: list[Event] = []
    Toolchain(lock=lock, folder=tmp_path / "cache").ensure(["hello"], events.append)
    progress = [event for event in events if isinstance(event, Progress)]
    assert {event.item for event in progress} == {"hello"}
    fractions = [event.fraction for event in progress if event.fraction is not None]
    assert fractions == sorted(fractions)
    assert len(fractions) > 5, "a cold build tells of its packages"
    assert progress[0].fraction is None
    assert progress[-1] == Progress("toolchain", "hello", 1.0, 0.0, done=True)
    assert [event.done for event in progress].count(True) == 1


@pytest.mark.parametrize(
    ("fraction", "seconds", "elapsed", "expected"),
    [
        (0.0, 100.0, 0.0, 100.0),
        (0.5, 100.0, 50.0, 50.0),
        (0.5, 100.0, 100.0, 75.0),
        (1.0, 100.0, 100.0, 0.0),
        (0.0, None, 0.0, None),
        (0.5, None, 30.0, 30.0),
    ],
    ids=["start: as expected", "half: as expected", "half: slower", "end", "start: nothing is known", "half: as shown"],
)
def test_remaining(fraction: float, seconds: float | None, elapsed: float, expected: float | None) -> None:
    assert remaining(fraction, seconds, elapsed) == pytest.approx(expected)


def test_looking_is_cheap(lock: Path, tmp_path: Path) -> None:
    """What every `up` does must not import what only an installation needs."""
    Toolchain(lock=lock, folder=tmp_path / "cache").ensure(["hello"], ignore)
    look = (
        "import pathlib, sys; from devloop.toolchain import Toolchain;"
        "toolchain = Toolchain(lock=pathlib.Path(sys.argv[1]), folder=pathlib.Path(sys.argv[2]));"
        "assert not toolchain.ensure(['hello'], print) and toolchain.path('hello').exists();"
        "print(sorted({'subprocess', 'yaml', 'urllib.request', 'tempfile'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", look, lock, tmp_path / "cache"], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_data_files_are_kept_as_json(tmp_path: Path) -> None:
    lock = make_lock(tmp_path / "lock", LOCK + FILES)
    config = lock.parent / "modules" / "hello" / "config"
    config.mkdir()
    (config / "b.yaml").write_text("---\nkind: B\n---\nkind: C\n---\n")
    (config / "a.yaml").write_text("kind: A\n")
    toolchain = Toolchain(lock=lock, folder=tmp_path / "cache")
    with pytest.raises(DevloopError, match="hello is not installed"):
        toolchain.crds("hello")
    toolchain.ensure(["hello"], ignore)
    assert toolchain.crds("hello") == [{"kind": "A"}, {"kind": "B"}, {"kind": "C"}]
    with pytest.raises(DevloopError, match="hello has no rbac"):
        toolchain.rbac("hello")


def test_data_files_that_upstream_no_longer_has(tmp_path: Path) -> None:
    toolchain = Toolchain(lock=make_lock(tmp_path / "lock", LOCK + FILES), folder=tmp_path / "cache")
    with pytest.raises(DevloopError, match=r"has no config/\*\.yaml"):
        toolchain.ensure(["hello"], ignore)
    assert toolchain.missing(["hello"]) == ("hello",)


def damage_truncate(entry: Path) -> None:
    os.truncate(entry / "hello", 100)


def damage_remove(entry: Path) -> None:
    (entry / "hello").unlink()


def damage_record(entry: Path) -> None:
    (entry / "entry.json").write_text("{}")


def damage_content(entry: Path) -> None:
    program = entry / "hello"
    content = bytearray(program.read_bytes())
    content[-1] ^= 1
    program.write_bytes(content)
    os.utime(program, (1, 1))


def damage_mode(entry: Path) -> None:
    (entry / "hello").chmod(0o644)


@pytest.mark.parametrize("damage", [damage_truncate, damage_remove, damage_record, damage_content, damage_mode])
def test_a_damaged_entry_is_made_again(lock: Path, tmp_path: Path, damage: Callable[[Path], None]) -> None:
    toolchain = Toolchain(lock=lock, folder=tmp_path / "cache")
    toolchain.ensure(["hello"], ignore)
    damage(toolchain.path("hello").parent)
    assert toolchain.missing(["hello"]) == ("hello",)
    assert toolchain.ensure(["hello"], ignore)
    assert version_of(toolchain.path("hello")) == f"hello v{VERSION}"
    assert leftovers(tmp_path / "cache") == []


def test_a_copied_cache_is_taken_as_it_is(lock: Path, tmp_path: Path) -> None:
    Toolchain(lock=lock, folder=tmp_path / "cache").ensure(["hello"], ignore)
    shutil.copytree(tmp_path / "cache", tmp_path / "copy", copy_function=shutil.copy)
    for program in (tmp_path / "copy").glob("tools/hello/*/hello"):
        os.utime(program, (1, 1))
    assert Toolchain(lock=lock, folder=tmp_path / "copy").missing(["hello"]) == ()


def test_the_key_follows_everything_that_decides_the_program(lock: Path, tmp_path: Path) -> None:
    before = Toolchain(lock=lock).key("hello")
    assert before.startswith(f"{VERSION}-")
    assert Toolchain(lock=lock).key("hello") == before
    lock.write_text(LOCK.replace(f'"main.version" = "{VERSION}"', '"main.version" = "other"'))
    stamped = Toolchain(lock=lock).key("hello")
    (lock.parent / "modules" / "hello" / "go.sum").write_text("something\n")
    assert len({before, stamped, Toolchain(lock=lock).key("hello")}) == 3


def test_own_sources_are_their_own_version(tmp_path: Path) -> None:
    lock = make_lock(tmp_path / "lock", '[tools.hello]\nmodule = "modules/hello"\npackage = "."\nseconds = 1\npackages = 30\n')
    main = lock.parent / "modules" / "hello" / "main.go"
    toolchain = Toolchain(lock=lock, folder=tmp_path / "cache")
    toolchain.ensure(["hello"], ignore)
    assert version_of(toolchain.path("hello")) == "hello vnone"
    main.with_name("main_test.go").write_text("package main\n")
    assert Toolchain(lock=lock).key("hello") == toolchain.key("hello")
    main.write_text(PROGRAM.replace("none", "new"))
    changed = Toolchain(lock=lock, folder=tmp_path / "cache")
    assert changed.missing(["hello"]) == ("hello",)
    changed.ensure(["hello"], ignore)
    assert version_of(changed.path("hello")) == "hello vnew"


def test_common_key_follows_every_tool_and_no_order() -> None:
    toolchain = Toolchain()
    assert toolchain.common_key(["sops", "worker"]) == toolchain.common_key(["worker", "sops", "sops"])
    assert len({toolchain.common_key(names) for names in (["sops"], ["worker"], ["sops", "worker"])}) == 3
    with pytest.raises(InputError, match="no tool sop,"):
        toolchain.common_key(["sop"])


def test_states(lock: Path, tmp_path: Path) -> None:
    toolchain = Toolchain(lock=lock, folder=tmp_path / "cache")
    [absent] = toolchain.states()
    assert (absent.name, absent.version, absent.channel, absent.path, absent.size) == ("hello", VERSION, "", None, 0)
    toolchain.ensure(["hello"], ignore)
    [present] = toolchain.states()
    assert (present.channel, round(present.size / 2**20)) == ("source", 1)
    assert present.origin.startswith("Go 1.")
    assert present.path == toolchain.path("hello")
    assert present.size == toolchain.path("hello").stat().st_size


@pytest.mark.parametrize("name", ["helo", "hallo"])
def test_unknown_tool(lock: Path, name: str) -> None:
    for ask in (Toolchain(lock=lock).path, lambda name: Toolchain(lock=lock).ensure([name], ignore)):
        with pytest.raises(InputError, match=f"there is no tool {name}, did you mean hello") as error:
            ask(name)
        assert str(error.value.hint) == "the tools are: hello"


def test_path_of_a_tool_that_is_not_installed(lock: Path, tmp_path: Path) -> None:
    with pytest.raises(DevloopError, match="hello is not installed") as error:
        Toolchain(lock=lock, folder=tmp_path / "cache").path("hello")
    assert str(error.value.hint) == "devloop toolchain install hello"


def test_a_program_that_does_not_compile(lock: Path, tmp_path: Path) -> None:
    (lock.parent / "modules" / "hello" / "main.go").write_text("package main\n\nfunc main() { undefined() }\n")
    with pytest.raises(DevloopError, match="undefined: undefined"):
        Toolchain(lock=lock, folder=tmp_path / "cache").ensure(["hello"], ignore)
    assert leftovers(tmp_path / "cache") == []


def test_modules_that_cannot_be_downloaded(lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = lock.parent / "modules" / "hello"
    (module / "go.mod").write_text("module example.invalid/hello\n\ngo 1.24\n\nrequire example.invalid/other v1.0.0\n")
    (module / "go.sum").write_text(f"example.invalid/other v1.0.0 h1:{'A' * 43}=\nexample.invalid/other v1.0.0/go.mod h1:{'A' * 43}=\n")
    (module / "main.go").write_text('package main\n\nimport _ "example.invalid/other"\n\nfunc main() {}\n')
    monkeypatch.setenv("GOPROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("GOFLAGS", "-mod=mod")
    with pytest.raises(DevloopError, match="Go modules cannot be downloaded") as error:
        Toolchain(lock=lock, folder=tmp_path / "cache").ensure(["hello"], ignore)
    assert "GOPROXY" in str(error.value.hint)
