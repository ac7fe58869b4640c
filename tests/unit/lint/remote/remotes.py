"""Remote bases on local servers, and repositories that use them."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import ClassVar

from devloop.model.report import Report

KUSTOMIZATION = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"


FLUX = """\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec:
  interval: 10m
  timeout: 1m
  prune: true
  path: ./apps
  sourceRef: {kind: GitRepository, name: flux-system}
"""


WEB = """\
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: default}
spec:
  containers:
    - name: web
      image: example.org/web:latest
"""


PASSWORD = "pass-word-1"
Check = Callable[..., Report]
PATIENCE = 30  # seconds


class Files(BaseHTTPRequestHandler):
    """Serves files by path; an unknown path is a 404, and /hangs does not answer until the test ends."""

    files: ClassVar[dict[str, str]] = {}
    asked: ClassVar[list[str]] = []
    silent: ClassVar[threading.Event] = threading.Event()
    over: ClassVar[threading.Event] = threading.Event()

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path.startswith("/hangs"):
            self.silent.set()
            self.over.wait(PATIENCE)
        content = self.files.get(self.path)
        self.send_response(200 if content is not None else 404)
        self.end_headers()
        self.wfile.write((content or "").encode())

    def log_message(self, *_: object) -> None:
        """Not on the tests' terminal."""


def committed(folder: Path, files: Mapping[str, str]) -> Path:
    write(folder, files)
    if not (folder / ".git").is_dir():
        git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--no-gpg-sign", "--message=a")
    return folder


def git(folder: Path, *arguments: str) -> str:
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return subprocess.run(["git", *arguments], cwd=folder, env=env, check=True, capture_output=True, text=True).stdout.strip()


def write(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def repository(root: Path, resource: str, more: str = "", **files: str) -> Path:
    write(root, {"cluster/apps.yaml": FLUX, "apps/kustomization.yaml": f"{KUSTOMIZATION}resources:\n  - {resource}\n{more}"})
    return write(root, {name.replace("__", "/") + ".yaml": text for name, text in files.items()})


def failures(report: Report) -> list[str]:
    return [f"{f.path}:{f.line} {f.message} | {f.hint}" for f in report.findings if f.rule == "build/failed"]


HERE = "apps/kustomization.yaml:4"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
