"""The building blocks of images: pinned programs, devloop's own files, unpacked Debian packages."""

import contextlib
import tarfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from devloop.images.archive import Entry, folder
from devloop.images.packages import ensure_packages
from devloop.toolchain import Toolchain

HERE = Path(__file__).parent
# Never pulled from a registry.
REGISTRY = "localhost/devloop"
# The label that identifies an image's content.
KEY = "devloop.dev/key"

# Not needed in a container.
_DROPPED = (
    "dev/", "boot/", "usr/share/doc/", "usr/share/man/", "usr/share/info/", "usr/share/locale/", "usr/share/lintian/",
    "usr/share/bash-completion/", "usr/share/bug/", "usr/share/zsh/",
    "var/cache/", "var/lib/apt/", "var/lib/dpkg/", "etc/apt/", "etc/cron.",
)  # fmt: skip


@dataclass(frozen=True)
class ImageBuilder:
    """What a recipe may use."""

    toolchain: Toolchain
    stop: threading.Event

    def tool(self, name: str) -> Path:
        return self.toolchain.path(name).resolve()

    @contextlib.contextmanager
    def debian(self, packages: Sequence[str]) -> Iterator[tuple[Entry, ...]]:
        """The files of unpacked packages, readable while the context is open."""
        path = ensure_packages(packages, self.stop, lambda: None)
        with tarfile.open(path) as tar:
            yield tuple(_entries(tar))


def _entries(tar: tarfile.TarFile) -> Iterator[Entry]:
    for member in tar:
        path = member.name.removeprefix("./").strip("/")
        if path in ("", ".") or f"{path}/".startswith(_DROPPED):
            continue
        target = member.linkname.removeprefix("./") if member.islnk() else member.linkname
        kind = tarfile.REGTYPE if member.isreg() else member.type
        yield Entry(path, (tar, member), member.mode & 0o7777, kind, target, member.uid, member.gid)


def own_files(folder_name: str, replace: Callable[[str], str] = str) -> Iterator[Entry]:
    """devloop's own files in this folder of devloop/images, sorted; scripts are executable."""
    root = HERE / folder_name
    for path in own_paths(folder_name):
        content = replace(path.read_text(encoding="utf-8")).encode()
        yield Entry(str(path.relative_to(root)), content, 0o755 if content.startswith(b"#!") else 0o644)


def own_paths(folder_name: str) -> list[Path]:
    return [path for path in sorted((HERE / folder_name).rglob("*")) if path.is_file() and path.suffix != ".pyc"]


def certificates(debian: Sequence[Entry]) -> Entry:
    """Debian's CA bundle; the package writes it when it is configured, but packages are only unpacked here."""
    found = sorted((e for e in debian if e.path.startswith("usr/share/ca-certificates/") and e.path.endswith(".crt")), key=lambda e: e.path)
    return Entry("etc/ssl/certs/ca-certificates.crt", b"".join(read(entry) for entry in found))


def read(entry: Entry) -> bytes:
    if isinstance(entry.content, bytes):
        return entry.content
    if isinstance(entry.content, Path):
        return entry.content.read_bytes()
    tar, member = entry.content
    file = tar.extractfile(member)
    return file.read() if file else b""


def accounts(*users: tuple[str, int]) -> tuple[Entry, ...]:
    """/etc/passwd, /etc/group and /etc/nsswitch.conf with root, nobody and `users`, one group each; and /tmp."""
    every = (("root", 0), *users, ("nobody", 65534))
    passwd = "".join(f"{name}:x:{number}:{number}:{name}:/{'root' if not number else 'nonexistent'}:/bin/sh\n" for name, number in every)
    group = "".join(f"{name}:x:{number}:\n" for name, number in every)
    return (
        Entry("etc/passwd", passwd.encode()),
        Entry("etc/group", group.encode()),
        Entry("etc/nsswitch.conf", b"passwd: files\ngroup: files\nhosts: files dns\n"),
        folder("tmp", 0o1777),
    )
