#!/usr/bin/env python3
"""An OCI runtime for hosts whose capability bounding set lacks CAP_SYS_RESOURCE: runc, asked for what the host can give.

Docker's --privileged, which Kind's nodes need, asks for every capability there is, and runc refuses to start a process with one that it
cannot give. So this takes that one out of what runc reads: `config.json` in the bundle (create, run) and the file after --process (exec).
A negative oomScoreAdj needs the same capability. The rest goes to runc as it came. scripts/prepare_test_host.sh installs it where needed.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

RUNC = "/usr/sbin/runc"
WITHHELD = "CAP_SYS_RESOURCE"


def option(arguments: list[str], *names: str) -> str | None:
    """The value of `--name value` or `--name=value`."""
    for position, argument in enumerate(arguments):
        for name in names:
            if argument == name and position + 1 < len(arguments):
                return arguments[position + 1]
            if argument.startswith(f"{name}="):
                return argument.partition("=")[2]
    return None


def spared(process: dict[str, Any]) -> dict[str, Any]:
    """An OCI process (runtime-spec, config.md) that asks for neither the capability nor a negative oomScoreAdj."""
    granted = {kind: [name for name in names if name != WITHHELD] for kind, names in (process.get("capabilities") or {}).items()}
    score = process.get("oomScoreAdj")
    return process | ({"capabilities": granted} if granted else {}) | ({"oomScoreAdj": max(score, 0)} if score is not None else {})


def rewrite(arguments: list[str]) -> None:
    """Change the files that runc is about to read."""
    if "exec" in arguments:
        if file := option(arguments, "--process", "-p"):
            path = Path(file)
            path.write_text(json.dumps(spared(json.loads(path.read_text()))))
    elif "create" in arguments or "run" in arguments:
        path = Path(option(arguments, "--bundle", "-b") or ".") / "config.json"
        config = json.loads(path.read_text())
        if "process" in config:
            path.write_text(json.dumps(config | {"process": spared(config["process"])}))


if __name__ == "__main__":
    rewrite(sys.argv[1:])
    os.execv(RUNC, [RUNC, *sys.argv[1:]])
