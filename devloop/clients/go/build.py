"""Builds with Go: lists the packages to compile, compiles with progress, explains failures."""

import contextlib
import json
import os
import re
import selectors
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from devloop.clients.go import WHEEL, Go, Version, environment
from devloop.clients.process import PIPE, Process, run, spawn
from devloop.errors import DevloopError, Interrupted, ToolError

OnLine = Callable[[str], None]

# Without DWARF, which `-s -w` drops anyway, compiling takes an eighth less time and a fifth less disk.
DOWNLOAD_TIMEOUT = 1800.0  # seconds for one module with those it needs
BUILD_FLAGS = ("-mod=readonly", "-buildvcs=false", "-trimpath", "-gcflags=all=-dwarf=false")


@dataclass(frozen=True)
class Packages:
    """The number of packages in a program, and the ones that are not compiled yet."""

    total: int
    stale: frozenset[str]


def needed_version(module_folder: Path) -> Version:
    """The version in the `go` line of go.mod."""
    match = re.search(r"^go (\d+)\.(\d+)(?:\.(\d+))?", (module_folder / "go.mod").read_text(encoding="utf-8"), re.MULTILINE)
    return tuple(int(part or 0) for part in match.groups()) if match else (1, 24, 0)


def packages(go: Go, module_folder: Path, package: str, linker_flags: str, on_line: OnLine, stop: threading.Event) -> Packages:
    """The packages to compile. Downloads missing modules first and reports each to `on_line`."""
    form = "{{.Stale}} {{.ImportPath}}"
    command: list[str | Path] = [go.program, "list", *BUILD_FLAGS, f"-ldflags={linker_flags}", "-deps", "-f", form, package]
    lines = [line.split(" ", 1) for line in _stream(command, module_folder, on_line, stop).splitlines()]
    return Packages(len(lines), frozenset(name for stale, name in lines if stale == "true"))


def module_directory(go: Go, module_folder: Path, module: str) -> Path:
    """The source of `module` in the module cache, in the version of the go.mod in `module_folder`; downloads it if needed."""
    run([go.program, "mod", "download", module], cwd=module_folder, env=environment(), timeout=DOWNLOAD_TIMEOUT)
    command: list[str | Path] = [go.program, "list", "-mod=readonly", "-m", "-f", "{{.Dir}}", module]
    return Path(run(command, cwd=module_folder, env=environment()).text.strip())


def download(go: Go, module: str, checksum: str) -> Path:
    """Download `module` (path@version) to the module cache; raises DevloopError if its checksum differs."""
    with tempfile.TemporaryDirectory() as nowhere:
        got = json.loads(
            run([go.program, "mod", "download", "-json", module], cwd=Path(nowhere), env=environment(), timeout=DOWNLOAD_TIMEOUT).text
        )
    if got["Sum"] != checksum:
        raise DevloopError(
            f"the module {module} is not the one that was pinned: its checksum is {got['Sum']}, expected {checksum}",
            hint="do not use it: check GOPROXY and the network, then `go clean -modcache` and run the same command again",
        )
    return Path(got["Dir"])


def build(go: Go, module_folder: Path, package: str, linker_flags: str, target: Path, on_line: OnLine, stop: threading.Event) -> None:
    """Build `package` as the file `target`; reports each package that Go starts to compile to `on_line`.

    An interrupted build continues from Go's build cache. Intermediate files are next to `target`.
    """
    command: list[str | Path] = [go.program, "build", *BUILD_FLAGS, f"-ldflags={linker_flags}", "-v", "-o", target, package]
    with tempfile.TemporaryDirectory(prefix=".work-", dir=target.parent, ignore_cleanup_errors=True) as work:
        _stream(command, module_folder, on_line, stop, work)


def _stream(command: Sequence[str | Path], cwd: Path, on_line: OnLine, stop: threading.Event, work: str = "") -> str:
    """Run Go in its own process group with `on_line` for each line of standard error; returns its standard output."""
    tail: list[str] = []
    env = environment(GOTMPDIR=work) if work else environment()
    with tempfile.TemporaryFile() as output:
        process = spawn(command, cwd=cwd, env=env, stdout=output, stderr=PIPE, new_session=True)
        try:
            for line in _lines(process, stop):
                tail = [*tail[-40:], line]
                on_line(line)
            status = process.wait()
        except BaseException:
            _kill_group(process)
            raise
        if status:
            raise explain([str(part) for part in command], status, tail)
        output.seek(0)
        return output.read().decode()


def _lines(process: Process[bytes], stop: threading.Event) -> Iterator[str]:
    """The lines of standard error as they arrive; raises Interrupted soon after `stop` is set."""
    assert process.stderr is not None
    rest = b""
    with selectors.DefaultSelector() as selector, process.stderr as pipe:
        selector.register(pipe, selectors.EVENT_READ)
        while True:
            if stop.is_set():
                raise Interrupted("stopped while building")
            # The timeout is for `stop`.
            if not selector.select(timeout=0.2):
                continue
            chunk = os.read(pipe.fileno(), 65536)
            *lines, rest = (rest + chunk).split(b"\n")
            yield from (line.decode(errors="replace") for line in lines)
            if not chunk:
                return


def _kill_group(process: Process[bytes]) -> None:
    """Kill Go with its compilers; its build cache is safe against that."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


_GO_CACHE = "Go's caches are in GOCACHE and GOMODCACHE, else in devloop's cache: `devloop toolchain prune`"
# Pattern of Go's output, message, hint.
_FAILURES = (
    (
        r"no space left on device|disk quota exceeded",
        "no space left while Go was building",
        f"free some space ({_GO_CACHE}) and run the same command again: it continues where it stopped",
    ),
    (
        r"checksum mismatch|SECURITY ERROR",
        "a downloaded Go module does not match its pinned checksum",
        "do not use it: check GOPROXY and the network, then `go clean -modcache` and run the same command again",
    ),
    (
        r"dial tcp|no such host|i/o timeout|connection re|TLS handshake|proxyconnect|network is unreachable|module lookup disabled",
        "Go modules cannot be downloaded",
        "check the network, or set GOPROXY to a reachable module proxy",
    ),
    (r"requires go >= ", "this Go is too old for the pinned module", f"{sys.executable} -m pip install {WHEEL}"),
    (
        r"signal: killed|out of memory|cannot allocate memory",
        "the compiler ran out of memory",
        "close other programs, or set GOFLAGS=-p=1, and run the same command again: it continues where it stopped",
    ),
    (
        r"permission denied|read-only file system|failed to initialize build cache",
        "Go cannot write to its caches",
        f"make them writable ({_GO_CACHE}), or set GOCACHE and GOMODCACHE to writable folders",
    ),
)


def explain(command: Sequence[str], status: int, lines: Sequence[str]) -> DevloopError:
    """The error for a failed Go `command` whose standard error ended with `lines`."""
    output = "\n".join(lines)
    for pattern, message, hint in _FAILURES:
        if match := re.search(pattern, output):
            line = output[output.rfind("\n", 0, match.start()) + 1 :].split("\n", 1)[0]
            return DevloopError(f"{message}: {line.strip()}", hint=hint)
    return ToolError(command, status, "\n".join(line for line in lines if " " in line))  # without names of packages
