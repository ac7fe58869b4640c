"""Checks of programs: installed versions, and the toolchain."""

import platform
import re
import shutil
import sys
from collections.abc import Iterator

from devloop.clients.go import find_go
from devloop.clients.go.build import needed_version
from devloop.clients.machine import is_linux
from devloop.clients.process import run
from devloop.clients.xdg import cache_folder
from devloop.doctor.context import CHECK_TIMEOUT, DoctorContext
from devloop.doctor.machine import kubernetes
from devloop.errors import DevloopError
from devloop.model.doctor.diagnosis import Diagnosis
from devloop.model.doctor.programs import (
    FoundProgram,
    Pinned,
    judge_git,
    judge_go,
    judge_kubectl,
    judge_pinned,
    judge_python,
    judge_toolchain,
)


def git(context: DoctorContext) -> Iterator[Diagnosis]:
    yield judge_git(_program("git", "--version"), linux=is_linux())


def python(context: DoctorContext) -> Iterator[Diagnosis]:
    yield judge_python(FoundProgram(sys.executable, platform.python_version()))


def go(context: DoctorContext) -> Iterator[Diagnosis]:
    missing = [tool for tool in _pinned(context, context.tools) if not tool.channel]
    needed = max((needed_version(context.toolchain.folder(tool.name)) for tool in missing), default=(1, 0, 0))
    yield judge_go(_go(needed), ".".join(map(str, needed)), missing)


def _go(needed: tuple[int, ...]) -> FoundProgram | None:
    def refuse() -> None:
        raise DevloopError("`doctor` installs nothing")

    try:
        found = find_go(needed, cache_folder() / "go", refuse)
    except DevloopError:
        return None
    return FoundProgram(str(found.program), ".".join(map(str, found.version)))


def toolchain(context: DoctorContext) -> Iterator[Diagnosis]:
    yield judge_toolchain(_pinned(context, context.tools))


def kind(context: DoctorContext) -> Iterator[Diagnosis]:
    yield from (judge_pinned(tool, needed=context.needs_engine) for tool in _pinned(context, ("kind",)))


def kubectl(context: DoctorContext) -> Iterator[Diagnosis]:
    [pinned] = _pinned(context, ("kubectl",))
    yield judge_kubectl(_program("kubectl", "version", "--client"), pinned, kubernetes(context))


def _pinned(context: DoctorContext, names: tuple[str, ...]) -> list[Pinned]:
    states = (context.states[name] for name in names)
    return [Pinned(state.name, state.version, state.channel, state.seconds, str(state.path or "")) for state in states]


def _program(name: str, *arguments: str) -> FoundProgram | None:
    """The program on PATH with the first version in its output."""
    path = shutil.which(name)
    if not path:
        return None
    done = run([path, *arguments], timeout=CHECK_TIMEOUT, check=False)
    found = re.search(r"\d+(\.\d+)+", done.text)
    return FoundProgram(path, found[0] if found else "")
