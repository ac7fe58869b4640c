"""The base image of the Git server's Dockerfile: Git, Python's standard library, and the few programs that Git's scripts call."""

from collections.abc import Iterator
from contextlib import contextmanager

from devloop.images.archive import Contents, Entry, folder
from devloop.images.image_builder import ImageBuilder, accounts

PACKAGES = ("git", "python3", "base-files", "dash", "coreutils", "sed", "grep")
# Git uses Perl for mail and for other version control systems only.
_UNUSED = (
    "usr/share/perl", "usr/lib/x86_64-linux-gnu/perl", "usr/lib/aarch64-linux-gnu/perl", "usr/bin/perl", "usr/share/git-core/contrib/",
    "usr/share/gitweb/", "usr/lib/python3.11/test/", "usr/lib/python3.11/pydoc_data/", "usr/lib/python3.11/ensurepip/",
    "usr/share/zoneinfo/", "usr/share/python3/", "usr/share/python-wheels/", "usr/share/debconf/", "usr/sbin/",
    "usr/lib/x86_64-linux-gnu/gconv/", "usr/lib/aarch64-linux-gnu/gconv/",
)  # fmt: skip
USER = ("git", 65532)


@contextmanager
def git_server_base(builder: ImageBuilder) -> Iterator[Contents]:
    with builder.debian(PACKAGES) as debian:
        yield Contents((*(entry for entry in debian if is_used(entry)), *accounts(USER), folder("root", 0o700)), {"Env": ["PATH=/usr/bin"]})


def is_used(entry: Entry) -> bool:
    own = ("tmp", "root", "etc/passwd", "etc/group", "etc/nsswitch.conf")
    return entry.path not in own and not entry.path.startswith(_UNUSED) and not f"{entry.path}/".startswith(_UNUSED)
