"""Runs the pinned `kind` program; engine/containers.py inspects and feeds the nodes that it creates."""

import contextlib
import os
import re
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from devloop.clients.process import die_with_parent
from devloop.errors import DevloopError, Interrupted, ToolError
from devloop.hint import DevloopCommand, Hint, command, instructions

LABEL = "io.x-k8s.kind.cluster"  # on every node, with the cluster's name
ROLE_LABEL = "io.x-k8s.kind.role"  # control-plane, worker or external-load-balancer
NETWORK = "kind"  # the network of all its clusters
_POLL_INTERVAL = 0.1  # seconds between two checks for an interrupt


class Kind:
    """The `kind` program; `podman` selects Kind's Podman provider."""

    def __init__(self, program: Path, *, podman: bool = False) -> None:
        self._program = program
        self._env = {**os.environ, **({"KIND_EXPERIMENTAL_PROVIDER": "podman"} if podman else {})}

    def create(self, name: str, configuration: str, kubeconfig: Path, on_line: Callable[[str], None], stop: threading.Event) -> None:
        """Create a cluster; raises ToolError with Kind's last lines, Interrupted soon after `stop` is set.

        If that fails, the nodes are kept for inspection.
        """
        argv = ("create", "cluster", "--name", name, "--config", "-", "--kubeconfig", str(kubeconfig), "--retain", "--verbosity", "0")
        self._run(argv, configuration, on_line, stop)

    def _run(self, argv: tuple[str, ...], text: str, on_line: Callable[[str], None], stop: threading.Event) -> None:
        import sh

        lines: list[str] = []

        def read(line: str) -> None:
            lines.append(line.rstrip())
            on_line(line.rstrip())

        # A new session, so that Ctrl-C reaches only us and ends Kind through `stop`.
        options: dict[str, Any] = {"_env": self._env, "_new_session": True, "_preexec_fn": die_with_parent, "_bg": True, "_bg_exc": False}
        try:
            _await(sh.Command(str(self._program))(*argv, _in=text, _out=read, _err=read, _tty_out=False, **options), stop)
        except sh.ErrorReturnCode as error:
            raise explain((self._program.name, *argv[:4]), error.exit_code, lines) from None
        except OSError as error:
            raise DevloopError(f"cannot run {self._program}: {error.strerror}", hint=command("devloop toolchain install kind")) from None


def _await(running: Any, stop: threading.Event) -> None:
    import sh

    while True:
        with contextlib.suppress(sh.TimeoutException):
            running.wait(timeout=_POLL_INTERVAL)
            return
        if stop.is_set():
            running.kill_group()
            with contextlib.suppress(sh.ErrorReturnCode):
                running.wait()
            raise Interrupted("interrupted while Kind was running")


# Pattern of Kind's output, message, hint; {0} is the pattern's group.
_FAILURES: tuple[tuple[str, str, Callable[[str, str], Hint]], ...] = (
    (
        r'failed to pull image "([^"]+)"',
        "the image {0} is missing and cannot be pulled",
        lambda image, _: command("docker pull", image),
    ),
    (
        r"(?:address already in use|port is already allocated)",
        "a port of the host that the nodes map is taken",
        lambda *_: instructions(command("docker ps"), ", or choose another hostPort in kind.yaml"),
    ),
    (r"no space left on device", "no space left for the nodes", lambda *_: "free some space: docker system df, docker system prune"),
    (r"operation not permitted", "the container engine may not run privileged containers", lambda *_: DevloopCommand("doctor")),
    (
        r"could not find a log line that matches",
        "a node does not boot",
        lambda _, name: instructions(command("docker logs", f"{name}-control-plane"), ", then ", DevloopCommand("doctor")),
    ),
)


def explain(argv: Sequence[str], status: int, lines: Sequence[str]) -> DevloopError:
    """The error for `status` and the lines of Kind's output."""
    output = "\n".join(lines)
    name = argv[-1]
    for pattern, message, hint in _FAILURES:
        if match := re.search(pattern, output):
            caught = match[1] if match.groups() else ""
            return DevloopError(message.format(caught), hint=hint(caught, name))
    return ToolError(argv, status, output.partition("ERROR: ")[2] or output, hint=command("docker logs", f"{name}-control-plane"))
