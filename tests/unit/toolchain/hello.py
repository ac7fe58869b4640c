"""A tiny Go module in place of the real tools, and a lock file for it. Real Go, no network."""

from __future__ import annotations

import subprocess
from pathlib import Path

from devloop.model.report import Event

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
