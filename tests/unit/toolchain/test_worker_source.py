"""The worker's own tests, in Go: evaluators by table. With the flags of its build, everything that it needs is compiled already."""

from __future__ import annotations

import subprocess
from pathlib import Path

from devloop.clients.go import environment, find_go
from devloop.clients.go.build import BUILD_FLAGS, needed_version
from devloop.clients.xdg import cache_folder

SOURCES = Path(__file__).parents[3] / "worker"


def test_the_worker_passes_its_own_tests(worker_program: Path, tmp_path: Path) -> None:
    go = find_go(needed_version(SOURCES), cache_folder() / "go", lambda: None)
    command = [go.program, "test", "-vet=off", *BUILD_FLAGS, "-ldflags=-s -w", "./..."]
    done = subprocess.run(command, cwd=SOURCES, env=environment(GOTMPDIR=str(tmp_path)), text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\nok" in done.stdout
