"""Check the worker's Go code with gofmt, go vet and the pinned staticcheck.

For `task check`. With the flags of the worker's build, everything that it needs is compiled already. Exit code 1 when something is wrong.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from devloop.clients.go import environment, find_go
from devloop.clients.go.build import BUILD_FLAGS, needed_version
from devloop.clients.xdg import cache_folder
from devloop.model.report import Event, Notice
from devloop.toolchain import Toolchain

WORKER = Path(__file__).parents[1] / "worker"


def tell(event: Event) -> None:
    if isinstance(event, Notice):
        print(event.message, file=sys.stderr, flush=True)


def passes(command: Sequence[str | Path], env: dict[str, str]) -> bool:
    """Run a checker, which prints what it finds; any output on standard output is a finding."""
    done = subprocess.run(command, cwd=WORKER, env=env, stdout=subprocess.PIPE, text=True)
    print(done.stdout, end="", flush=True)
    return done.returncode == 0 and not done.stdout


def main() -> int:
    toolchain = Toolchain()
    toolchain.ensure(("worker", "staticcheck"), tell)
    go = find_go(needed_version(WORKER), cache_folder() / "go", lambda: None).program
    flags = " ".join([*BUILD_FLAGS, "'-ldflags=-s -w'"])
    env = environment(GOFLAGS=flags, STATICCHECK_CACHE=str(cache_folder() / "staticcheck"), PATH=f"{Path(go).parent}:/usr/bin:/bin")
    checks = (
        [Path(go).with_name("gofmt"), "-l", "."],
        [go, "vet", "./..."],
        [toolchain.path("staticcheck"), "./..."],
    )
    found = [check for check in checks if not passes(check, env)]
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
