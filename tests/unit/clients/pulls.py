"""Pulling a program out of an image of the test registry."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from devloop.clients.http import DownloadFailed, Limits
from devloop.clients.registry import pull_file
from devloop.images.archive import Entry, folder, link

from .servers import Answer, send

NAME = "fluxcd/source-controller"
PATH = "/usr/local/bin/source-controller"
INSIDE = PATH.lstrip("/")
PROGRAM = b"\x7fELF a controller" * 10_000
LIMITS = Limits(pause=0.01)

# For registries that hang.
HASTY = Limits(read=0.5, stalled=1, pause=0.01)

BASE = (Entry("etc/os-release", b"NAME=base\n"), Entry("bin/busybox", b"busybox", 0o755), link("lib64", "usr/lib64"))
TOP = (folder("usr/local/bin"), Entry(INSIDE, PROGRAM, 0o755))


def pull(
    reference: str,
    target: Path,
    path: str = PATH,
    *,
    mirrored: dict[str, str] | None = None,
    platform: str = "linux/amd64",
    limits: Limits = LIMITS,
) -> bytes:
    event = threading.Event()
    pull_file(reference, path, platform, target / "it", lambda *_: None, event, mirrored=mirrored or {}, limits=limits)
    assert [each.name for each in target.iterdir()] == ["it"], "nothing else is left"
    return (target / "it").read_bytes()


def failure(reference: str, target: Path, path: str = PATH, **options: Any) -> DownloadFailed:
    """Of a pull with these options."""
    with pytest.raises(DownloadFailed) as failed:
        pull(reference, target, path, **options)
    assert "\n" not in failed.value.message
    return failed.value


def forward(host: str, **changed: Answer) -> Answer:
    """A proxy before the registry; `changed` answers instead for paths that contain its name."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        for part, instead in changed.items():
            if f"/{part}/" in handler.path:
                instead(handler)
                return
        with urlopen(Request(f"http://{host}{handler.path}", headers=dict(handler.headers)), timeout=5) as upstream:
            send(handler, upstream.status, upstream.read())

    return answer
