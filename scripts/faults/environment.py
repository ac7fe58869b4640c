"""A running sample of one build on one provisioner, as a user would have it: a private home, a repository, the program."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from devloop.clients.kube import Kube
from devloop.clients.ports import free_ports
from devloop.provisioners.embedded import simulated_failures
from devloop.runtime import control
from devloop.runtime.layout import Layout
from devloop.toolchain import Toolchain

ROOT = Path(__file__).parents[2]
NAME = "local"
VERDICT = re.compile(rf"^\S+ {NAME} is (not )?healthy")
LIMIT = 300.0  # seconds for a command


@dataclass(frozen=True)
class Build:
    """A checkout of devloop and its Python; `cache` is the XDG_CACHE_HOME with its programs, "" the user's."""

    name: str
    checkout: Path
    python: Path
    cache: str = ""


THIS = Build("after", ROOT, Path(sys.executable))


@dataclass(frozen=True)
class Run:
    """A command that ended: `started` and `verdict` are seconds since the epoch, the latter when its final verdict was on screen."""

    status: int
    text: str
    report: Mapping[str, Any]
    started: float
    verdict: float


@dataclass(frozen=True)
class Environment:
    """The sample of `build` below `home`."""

    build: Build
    home: Path
    provisioner: str
    cluster: str = field(default_factory=lambda: f"faults-{uuid.uuid4().hex[:8]}")

    @property
    def repository(self) -> Path:
        return self.home / "demo"

    @property
    def env(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("SOPS_", "GIT_", "GITHUB_", "DEVLOOP_"))}
        own = {
            "XDG_STATE_HOME": str(self.home / "state"),
            "XDG_CONFIG_HOME": str(self.home / "config"),
            "KUBECONFIG": str(self.home / "kubeconfig"),
            "DEVLOOP_PROVISIONER": self.provisioner,
            "DEVLOOP_KEEP_BUILD_CACHE": "true",
            "PYTHONPATH": str(self.build.checkout),
            "COLUMNS": "400",
        }
        return kept | own | ({"XDG_CACHE_HOME": self.build.cache} if self.build.cache else {})

    @property
    def kube(self) -> Kube:
        return Kube(self.home / "kubeconfig", f"{'kind' if self.provisioner == 'kind' else 'devloop'}-{self.cluster}")

    @property
    def layout(self) -> Layout:
        return Layout(self.home / "state" / "devloop" / self.cluster)

    def key(self, name: str) -> Path:
        """The file of the Age key of an environment of the repository."""
        return next((self.home / "config").glob(f"devloop/keys/demo/{name}-*.agekey"))

    def create(self) -> None:
        """Make the repository and bring it up."""
        self.home.mkdir(parents=True, exist_ok=True)
        self._plain("init", "demo")
        claim_names(self.repository, self.cluster)
        self.git("add", "-A")
        self.git("-c", "user.name=faults", "-c", "user.email=faults@localhost", "commit", "-qm", "A cluster of its own")
        self.must_up()
        self.simulate_failures()

    def devloop(self, *args: str) -> Run:
        """The command as a user runs it; it also writes its report to a file."""
        path = self.home / "report.json"
        path.unlink(missing_ok=True)
        started, lines = time.time(), []
        with self.start("-C", str(self.repository), *args, "--output", "json", "--output-file", str(path)) as process:
            timer = threading.Timer(LIMIT, process.kill)
            timer.start()
            assert process.stdout
            for line in process.stdout:
                lines.append((time.time(), line))
            status = process.wait()
            timer.cancel()
        ended = lines[-1][0] if lines else time.time()
        verdict = next((moment for moment, line in lines if VERDICT.match(line)), ended)
        report = json.loads(path.read_text()) if path.exists() else {}
        return Run(status, "".join(line for _, line in lines), report, started, verdict)

    def must_up(self) -> None:
        """Raises RuntimeError if the environment does not become healthy."""
        run = self.devloop("up", NAME, "--no-validate", "--timeout", "120s")
        if run.status:
            raise RuntimeError(f"{self.build.name}: up does not become healthy:\n{run.text}")

    def down(self) -> None:
        self._plain("-C", str(self.repository), "down", NAME)

    def git(self, *args: str) -> None:
        subprocess.run(["git", "-C", str(self.repository), *args], check=True, capture_output=True)

    def kubectl(self, args: Sequence[str], text: str = "") -> None:
        argv = [str(Toolchain().path("kubectl")), *args]
        subprocess.run(argv, env=self.env, input=text, check=True, text=True, capture_output=True, timeout=60)

    def signal(self, component: str, number: signal.Signals) -> None:
        """Send a signal to the processes of a component."""
        if self.provisioner == "embedded":
            components = control.ask(self.layout, {"op": "status"})["components"]
            os.kill(next(item["pid"] for item in components if item["name"] == component), number)
        elif component == "git-server":
            subprocess.run(["docker", "kill", f"--signal={number.name}", f"devloop-{self.cluster}-git"], check=True, capture_output=True)
        else:
            kill = f"kill -{number.value} $(pgrep -f '^[^ ]*{component}( |$)')"
            subprocess.run(["docker", "exec", f"{self.cluster}-control-plane", "sh", "-c", kill], check=True, capture_output=True)

    def simulate_failures(self) -> None:
        """Give the stages of this build to the kwok of a build that does not know them, by its default configuration file."""
        if self.provisioner != "embedded" or self.layout.stages.exists():
            return
        path = self.layout.temporary / ".kwok" / "kwok.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(simulated_failures.stages())
        self.signal("kwok", signal.SIGKILL)

    def _plain(self, *args: str) -> None:
        with self.start(*args) as process:
            text, _ = process.communicate(timeout=LIMIT)
        if process.returncode:
            raise RuntimeError(f"{self.build.name}: devloop {' '.join(args)}: {text}")

    def start(self, *args: str, stderr: int = subprocess.STDOUT) -> subprocess.Popen[str]:
        argv = [str(self.build.python), "-m", "devloop", *args]
        streams: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": stderr}
        return subprocess.Popen(argv, cwd=self.home, env=self.env, text=True, **streams)


def claim_names(repository: Path, cluster: str) -> None:
    """Set the cluster name of the environment `local`, and a free host port."""
    [port] = free_ports(1)
    folder = repository / "clusters" / NAME
    for file, old, new in (
        ("kind.yaml", "name: local", f"name: {cluster}"),
        ("kind.yaml", "hostPort: 8080", f"hostPort: {port}"),
        ("ksail.yaml", "name: local", f"name: {cluster}"),
        ("ksail.yaml", "context: kind-local", f"context: kind-{cluster}"),
    ):
        text = (folder / file).read_text()
        assert old in text
        (folder / file).write_text(text.replace(old, new, 1))


def retried(action: Callable[[], None], seconds: float = 30.0) -> None:
    """Repeat an action that needs an API server which may just be starting."""
    failures = retry_if_exception_type((subprocess.SubprocessError, control.NoSupervisor))
    Retrying(retry=failures, wait=wait_fixed(0.5), stop=stop_after_delay(seconds), reraise=True)(action)
