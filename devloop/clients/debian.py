"""Debian packages through mmdebstrap, which only unpacks them: no maintainer scripts run."""

import contextlib
import os
import shutil
import signal
import threading
from collections.abc import Sequence
from pathlib import Path

from devloop.clients.process import PIPE, STDOUT, Process, spawn
from devloop.errors import DevloopError, Interrupted, ToolError
from devloop.hint import command

SUITE = "bookworm"
_HOOKS = Path("/usr/share/mmdebstrap/hooks/merged-usr")
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


def unpack(packages: Sequence[str], target: Path, stop: threading.Event) -> None:
    """Write the files of `packages` and their dependencies, unconfigured, to the tar file `target`.

    Raises DevloopError without mmdebstrap, ToolError if it fails, Interrupted soon after `stop` is set.
    """
    program = shutil.which("mmdebstrap")
    if not program or not _KEYRING.exists():
        missing = "mmdebstrap" if not program else "Debian's keyring"
        raise DevloopError(f"{missing} is not installed", hint=command("sudo apt-get install -y mmdebstrap debian-archive-keyring"))
    options = ["--quiet", "--variant=extract", f"--include={','.join(packages)}", f"--hook-dir={_HOOKS}", f"--keyring={_KEYRING}"]
    argv = [program, *options, SUITE, str(target)]
    process = spawn(argv, stdout=PIPE, stderr=STDOUT, new_session=True)
    try:
        output = _output(process, stop)
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)  # mmdebstrap cleans up
        process.wait()
        raise
    if process.returncode:
        raise ToolError(argv, process.returncode, output, hint="check that Debian's package archive can be reached: sudo apt-get update")


def _output(process: Process[bytes], stop: threading.Event) -> str:
    lines: list[bytes] = []
    assert process.stdout is not None
    reader = threading.Thread(target=lambda: lines.extend(process.stdout or ()), daemon=True)
    reader.start()
    while process.poll() is None:
        if stop.wait(0.1):
            raise Interrupted("stopped while unpacking packages")
    reader.join()
    return b"".join(lines).decode(errors="replace")
