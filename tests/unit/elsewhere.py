"""Runs devloop as on a system that is not Linux: no /proc, /sys, pidfd or prctl, and `sys.platform` of macOS.

    elsewhere.py import            imports every module of devloop but those that only the embedded provisioner uses
    elsewhere.py run ARGUMENTS     runs devloop

Other libraries are imported as on Linux, since their own parts for macOS do not exist here.
"""

from __future__ import annotations

import os
import pkgutil
import select
import signal
import socket
import sys
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

OTHERS = ("ctypes", "cryptography.x509", "docker", "kubernetes.client", "psutil", "re2", "rich.console", "sh", "tenacity", "urllib.request")
ONLY_ON_LINUX = {
    os: ("pidfd_open", "memfd_create", "eventfd", "sched_getaffinity", "sched_setaffinity", "posix_fadvise", "O_PATH", "setns", "unshare"),
    signal: ("pidfd_send_signal",),
    socket: ("SOCK_CLOEXEC", "SOCK_NONBLOCK", "AF_NETLINK", "SO_PEERCRED"),
    select: ("epoll",),
}
FOLDERS = ("/proc", "/sys", "/dev/shm")


@cache
def embedded_only() -> list[str]:
    """Patterns of the modules that mypy does not check for macOS."""
    settings = tomllib.loads((Path(__file__).parents[2] / "mypy-darwin.toml").read_text())["tool"]["mypy"]
    [names] = [override["module"] for override in settings["overrides"] if override.get("ignore_errors")]
    return [pattern for name in names for pattern in dict.fromkeys((name, name.removesuffix(".*")))]


def modules() -> Iterator[str]:
    """The others but the sample's programs, which run in pods, and `__main__`, which runs on import."""
    import devloop

    left_out = (*embedded_only(), "devloop.__main__", "devloop.images.sample.*")
    for found in pkgutil.walk_packages(devloop.__path__, "devloop."):
        if not any(fnmatchcase(found.name, pattern) for pattern in left_out):
            yield found.name


def leave_linux() -> None:
    for module, names in ONLY_ON_LINUX.items():
        for name in names:
            if hasattr(module, name):
                delattr(module, name)
    stat = os.stat

    def stat_elsewhere(path: Any, *arguments: Any, **options: Any) -> os.stat_result:
        refuse(path)
        return stat(path, *arguments, **options)

    os.stat = stat_elsewhere  # exists() and is_file() use it, and it has no audit event
    sys.addaudithook(audit)
    sys.meta_path.insert(0, Absent())
    sys.platform = "darwin"


class Absent:
    """Finds what only the embedded provisioner uses, and refuses it."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if any(fnmatchcase(name, pattern) for pattern in embedded_only()):
            raise ImportError(f"{name} requires Linux", name=name)


def audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event in ("open", "os.listdir", "os.scandir"):
        refuse(arguments[0])
    if event == "ctypes.dlsym" and arguments[1] == "prctl":
        raise AttributeError("dlsym(RTLD_DEFAULT, prctl): symbol not found")


def refuse(path: object) -> None:
    """psutil may read /proc: it has its own ways on macOS."""
    text = os.fsdecode(path) if isinstance(path, str | bytes | os.PathLike) else ""
    if any(text == folder or text.startswith(f"{folder}/") for folder in FOLDERS) and not within("psutil"):
        raise FileNotFoundError(2, "No such file or directory", text)


def within(package: str) -> bool:
    frame = sys._getframe()
    while frame := frame.f_back:  # type: ignore[assignment]
        if str(frame.f_globals.get("__name__")).partition(".")[0] == package:
            return True
    return False


def main(verb: str, *arguments: str) -> None:
    names = list(modules())
    for name in (*OTHERS, *names):
        import_module(name)
    for name in [name for name in sys.modules if name.partition(".")[0] == "devloop"]:
        del sys.modules[name]
    leave_linux()
    if verb == "import":
        for name in names:
            import_module(name)
        sys.stdout.write("\n".join(name for name in sys.modules if name.partition(".")[0] == "devloop"))
    else:
        from devloop.cli import run

        sys.exit(run(list(arguments)))


if __name__ == "__main__":
    main(*sys.argv[1:])
