"""The toolchain with a tiny Go module in place of the real tools: channels, cache, interruptions, two runs at once. Real Go, no network."""

from __future__ import annotations

import hashlib
import http.server
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devloop.clients.go import find_go
from devloop.clients.xdg import cache_folder
from devloop.errors import DevloopError, InputError, Interrupted
from devloop.model.report import Event, Notice, Progress
from devloop.toolchain import Toolchain
from devloop.toolchain.install import remaining
from devloop.toolchain.lock import load_lock, this_platform

VERSION = "1.2.3"

# `println` needs nothing but the runtime: the quickest program that Go can build.
PROGRAM = 'package main\n\nvar version = "none"\n\nfunc main() { println("hello v" + version) }\n'
LOCK = f"""
[modules.hello]
path = "example.invalid/hello"
version = "{VERSION}"
stamps = {{ "main.version" = "{VERSION}" }}

[tools.hello]
module = "hello"
package = "."
seconds = 60
packages = 30
ask = ["--version"]
answer = '^hello v(\\S+)'
"""
FILES = '\n[tools.hello.files]\ncrds = "config/*.yaml"\n'


@pytest.fixture(autouse=True)
def shared_build_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """Go's usual caches, which have the standard library; devloop's own would be removed after each build."""
    names, go = ("GOCACHE", "GOMODCACHE"), find_go((1,), cache_folder() / "go", lambda: None)
    for name, folder in zip(names, subprocess.check_output([go.program, "env", *names], text=True).split(), strict=True):
        monkeypatch.setenv(name, folder)


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return make_lock(tmp_path / "lock", LOCK)


def make_lock(folder: Path, text: str) -> Path:
    module = folder / "modules" / "hello"
    module.mkdir(parents=True)
    (module / "go.mod").write_text("module example.invalid/hello\n\ngo 1.24\n")
    (module / "go.sum").touch()
    # A program of its own for each test: one that Go compiled before would be ready at once.
    (module / "main.go").write_text(f"{PROGRAM}\n// {folder}\n")
    (folder / "lock.toml").write_text(text)
    return folder / "lock.toml"


def ignore(event: Event) -> None:
    """An event sink for tests that look at results alone."""


def version_of(program: Path) -> str:
    return subprocess.run([program], capture_output=True, text=True, check=True).stderr.strip()


def leftovers(folder: Path) -> list[str]:
    return [path.name for path in folder.glob("tools/*/.new-*")]


# --- source and cache


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


# --- PATH


def put_on_path(folder: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> Path:
    folder.mkdir(exist_ok=True)
    program = folder / "hello"
    program.write_text(f'#!/bin/sh\necho asked >> {folder}/asked\necho "hello v{version}"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    return program


def test_a_program_on_path_with_the_pinned_version_is_used(lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = put_on_path(tmp_path / "bin", monkeypatch, VERSION)
    toolchain = Toolchain(lock=lock, folder=tmp_path / "cache")
    assert toolchain.missing(["hello"]) == ()
    assert toolchain.path("hello") == program
    assert toolchain.ensure(["hello"], ignore)
    [state] = toolchain.states()
    assert (state.channel, state.origin) == ("path", str(program))
    assert toolchain.path("hello").resolve() == program


def test_a_program_on_path_is_asked_once(lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_on_path(tmp_path / "bin", monkeypatch, VERSION)
    Toolchain(lock=lock, folder=tmp_path / "cache").ensure(["hello"], ignore)
    (tmp_path / "bin" / "asked").unlink()
    toolchain = Toolchain(lock=lock, folder=tmp_path / "cache")
    toolchain.path("hello")
    assert toolchain.missing(["hello"]) == ()
    assert not (tmp_path / "bin" / "asked").exists()


def test_a_program_on_path_that_changed_is_asked_again(lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_on_path(tmp_path / "bin", monkeypatch, VERSION)
    Toolchain(lock=lock, folder=tmp_path / "cache").ensure(["hello"], ignore)
    put_on_path(tmp_path / "bin", monkeypatch, "10.0.0")
    assert Toolchain(lock=lock, folder=tmp_path / "cache").missing(["hello"]) == ("hello",)


@pytest.mark.parametrize("version", ["1.2.4", "1.2.3-beta", "1.2", ""])
def test_another_version_on_path_is_not_used(lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    put_on_path(tmp_path / "bin", monkeypatch, version)
    assert Toolchain(lock=lock, folder=tmp_path / "cache").missing(["hello"]) == ("hello",)


def test_a_program_on_path_still_needs_its_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_on_path(tmp_path / "bin", monkeypatch, VERSION)
    lock = make_lock(tmp_path / "lock", LOCK + FILES)
    (config := lock.parent / "modules" / "hello" / "config").mkdir()
    (config / "a.yaml").write_text("kind: A\n")
    toolchain = Toolchain(lock=lock, folder=tmp_path / "cache")
    assert toolchain.missing(["hello"]) == ("hello",)
    assert toolchain.ensure(["hello"], ignore)
    assert [state.channel for state in toolchain.states()] == ["path"]
    assert toolchain.crds("hello") == [{"kind": "A"}]


# --- releases

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


def test_a_program_in_an_archive(server: str, tmp_path: Path) -> None:
    archive = tmp_path / "releases" / "hello.tar.gz"
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(tmp_path / "releases" / "hello", "hello-1/bin/hello")
    text = release(f"{server}/hello.tar.gz", hashlib.sha256(archive.read_bytes()).hexdigest()) + 'member = "hello-1/bin/hello"\n'
    toolchain = Toolchain(lock=make_lock(tmp_path / "lock", text), folder=tmp_path / "cache")
    assert toolchain.ensure(["hello"], ignore)
    assert version_of(toolchain.path("hello")) == "released"
    assert sorted(path.name for path in toolchain.path("hello").parent.iterdir()) == ["entry.json", "hello"]


def test_an_archive_without_the_program_is_no_release(server: str, tmp_path: Path) -> None:
    archive = tmp_path / "releases" / "hello.tar.gz"
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(tmp_path / "releases" / "hello", "elsewhere")
    text = release(f"{server}/hello.tar.gz", hashlib.sha256(archive.read_bytes()).hexdigest()) + 'member = "hello"\n'
    toolchain = Toolchain(lock=make_lock(tmp_path / "lock", text), folder=tmp_path / "cache")
    assert toolchain.ensure(["hello"], ignore)
    assert [state.channel for state in toolchain.states()] == ["source"]


def test_a_host_without_an_answer_is_asked_once(tmp_path: Path) -> None:
    events: list[Event] = []
    lock = make_lock(tmp_path / "lock", release("http://nowhere.invalid/hello", "0" * 64) + SECOND)
    Toolchain(lock=lock, folder=tmp_path / "cache").ensure(["hello", "second"], events.append)
    failures = [event.message for event in events if isinstance(event, Notice) and "cannot be downloaded" in event.message]
    assert len(failures) == 1, failures


# --- the disk says no


def test_a_cache_that_cannot_be_written(lock: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    toolchain = Toolchain(lock=lock, folder=tmp_path / "file")
    assert toolchain.missing(["hello"]) == ("hello",)
    with pytest.raises(DevloopError, match=r"cannot use the cache .*: not a directory") as error:
        toolchain.ensure(["hello"], ignore)
    assert "XDG_CACHE_HOME" in str(error.value.hint)


def test_a_go_cache_that_cannot_be_written(lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("GOCACHE", str(tmp_path / "file"))
    with pytest.raises(DevloopError, match="Go cannot write to its caches") as error:
        Toolchain(lock=lock, folder=tmp_path / "cache").ensure(["hello"], ignore)
    assert "GOCACHE" in str(error.value.hint)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder], capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"cannot mount a small disk: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_full_disk_and_more_room_later(lock: Path, small_disk: Path) -> None:
    toolchain = Toolchain(lock=lock, folder=small_disk)
    with pytest.raises(DevloopError, match="no space left") as error:
        toolchain.ensure(["hello"], ignore)
    assert "run the same command again" in str(error.value.hint)
    assert leftovers(small_disk) == []
    subprocess.run(["mount", "-o", "remount,size=64m", small_disk], check=True)
    assert toolchain.ensure(["hello"], ignore)


# --- interrupted, killed, twice at once


class Gate:
    """A Go whose compilers wait at a gate (GOFLAGS=-toolexec): what happens in the midst of a build can be tested without a clock."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        for name in ("arrived", "opened"):
            os.mkfifo(folder / name)
        # Read and write, so that opening and writing never block.
        self._arrived = os.open(folder / "arrived", os.O_RDWR)
        self._opened = os.open(folder / "opened", os.O_RDWR)
        script = folder / "wait"
        script.write_text(
            "#!/bin/sh\n"
            'case "$*" in *-V=full*) exec "$@" ;; esac\n'
            f"[ -e {folder}/open ] || {{ echo $PPID > {folder}/arrived; read line < {folder}/opened; }}\n"
            'exec "$@"\n'
        )
        script.chmod(0o755)
        self.environment = {"GOFLAGS": f"-toolexec={script}"}

    def wait_for_compiler(self) -> int:
        """The process id (and group) of the Go that now waits."""
        return int(os.read(self._arrived, 4096).split()[0])

    def open(self) -> None:
        (self._folder / "open").touch()
        os.write(self._opened, b"\n" * 64)

    def close(self) -> None:
        os.close(self._arrived)
        os.close(self._opened)


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    gate = Gate(tmp_path / "gate")
    yield gate
    gate.close()


RUN = textwrap.dedent(
    """
    import pathlib, sys
    from devloop.model.report import Notice
    from devloop.toolchain import Toolchain

    def emit(event):
        if isinstance(event, Notice):
            print(event.message, flush=True)

    toolchain = Toolchain(lock=pathlib.Path(sys.argv[1]), folder=pathlib.Path(sys.argv[2]))
    print("installed" if toolchain.ensure(["hello"], emit) else "unchanged", flush=True)
    """
)


def start(lock: Path, folder: Path, gate: Gate) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", RUN, str(lock), str(folder)]
    return subprocess.Popen(command, env=os.environ | gate.environment, stdout=subprocess.PIPE, text=True)


def group_is_alive(group: int) -> bool:
    """Whether some process of the group still runs; the dead that nobody has waited for do not count."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, its_group = stat.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(its_group) == group and state not in "ZX":
            return True
    return False


def test_two_runs_at_once_build_once(lock: Path, tmp_path: Path, gate: Gate) -> None:
    first = start(lock, tmp_path / "cache", gate)
    gate.wait_for_compiler()
    second = start(lock, tmp_path / "cache", gate)
    assert second.stdout is not None
    said = [second.stdout.readline() for _ in range(2)]
    assert said[-1] == "waiting for another run that is installing hello\n"
    gate.open()
    assert first.communicate()[0].endswith("installed\n")
    assert second.communicate()[0] == "unchanged\n"
    assert (first.returncode, second.returncode) == (0, 0)


def test_killed_in_the_midst_of_a_build(lock: Path, tmp_path: Path, gate: Gate) -> None:
    first = start(lock, tmp_path / "cache", gate)
    group = gate.wait_for_compiler()
    first.kill()
    first.communicate()
    assert len(leftovers(tmp_path / "cache")) == 1
    toolchain = Toolchain(lock=lock, folder=tmp_path / "cache")
    assert toolchain.missing(["hello"]) == ("hello",)
    try:
        assert toolchain.ensure(["hello"], ignore), "the lock died with its holder"
    finally:
        os.killpg(group, signal.SIGKILL)
    assert version_of(toolchain.path("hello")) == f"hello v{VERSION}"
    assert leftovers(tmp_path / "cache") == []


def test_an_orphaned_go_ends_by_itself(lock: Path, tmp_path: Path, gate: Gate) -> None:
    gate.environment["GOCACHE"] = str(tmp_path / "go-cache")
    first = start(lock, tmp_path / "cache", gate)
    group = gate.wait_for_compiler()
    first.kill()
    first.communicate()
    gate.open()
    deadline = time.monotonic() + 60
    while group_is_alive(group):
        assert time.monotonic() < deadline, "Go builds on for nobody"
        time.sleep(0.05)


@pytest.mark.parametrize("by", ["stop", "signal"])
def test_interrupted_in_the_midst_of_a_build(lock: Path, tmp_path: Path, gate: Gate, monkeypatch: pytest.MonkeyPatch, by: str) -> None:
    for name, value in gate.environment.items():
        monkeypatch.setenv(name, value)
    stop, groups = threading.Event(), []

    def interrupt() -> None:
        groups.append(gate.wait_for_compiler())
        if by == "stop":
            stop.set()
        else:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises((Interrupted, KeyboardInterrupt)):
        Toolchain(lock=lock, folder=tmp_path / "cache").ensure(["hello"], ignore, stop)
    thread.join()
    assert not group_is_alive(groups[0])
    assert leftovers(tmp_path / "cache") == []


def test_interrupted_while_waiting_for_another_run(lock: Path, tmp_path: Path, gate: Gate) -> None:
    first = start(lock, tmp_path / "cache", gate)
    gate.wait_for_compiler()
    stop = threading.Event()

    def emit(event: Event) -> None:
        if isinstance(event, Notice) and "another run" in event.message:
            stop.set()

    with pytest.raises(Interrupted):
        Toolchain(lock=lock, folder=tmp_path / "cache").ensure(["hello"], emit, stop)
    gate.open()
    assert first.communicate()[0].endswith("installed\n")


# --- the lock file that we ship


def test_go_modules_agree_with_the_lock_file() -> None:
    for tool in load_lock().values():
        content = (tool.folder / "go.mod").read_text()
        assert (tool.folder / "go.sum").stat().st_size or "require" not in content, tool.name
        if tool.module:
            assert f"\t{tool.module} v{tool.version}\n" in content, tool.name
            assert f"tool {tool.package}\n" in content.replace("\ttool ", "tool "), tool.name


def test_data_of_other_modules_is_of_the_version_that_is_pinned() -> None:
    tools = load_lock()
    pinned = {tool.module: tool.version for tool in tools.values() if tool.module}
    borrowed = dict(name.split("@v") for tool in tools.values() for each in tool.borrowed.values() for name in each.modules)
    assert {name: version for name, version in borrowed.items() if name in pinned} == {
        name: version for name, version in pinned.items() if name in borrowed
    }
    assert {"github.com/fluxcd/source-controller", "github.com/fluxcd/kustomize-controller"} <= borrowed.keys() & pinned.keys()


def test_what_cannot_tell_its_version_is_not_looked_for_on_path() -> None:
    for tool in load_lock().values():
        assert bool(tool.ask) == bool(tool.answer), tool.name
        assert bool(tool.ask) != bool(tool.has_data or not tool.module), tool.name
