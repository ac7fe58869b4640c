"""Fixtures of the integration tests: a private home per user (but the real toolchain cache) and the devloop program."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from devloop.commands.toolchain import EVERYTHING
from devloop.flux.install import install
from devloop.output.json import SCHEMA
from devloop.provisioners import PROVISIONERS
from devloop.runtime.layout import Layout
from devloop.toolchain import Toolchain
from devloop.toolchain.lock import this_platform
from scripts.faults.environment import claim_names

from .embedded_places import CONTROLLERS, ROLES, Place, at_home

if TYPE_CHECKING:
    import docker

ROOT = Path(__file__).parents[2]
os.environ.setdefault("DEVLOOP_KEEP_BUILD_CACHE", "true")
DIAGNOSE = ROOT / "scripts" / "diagnose.sh"


def pytest_addoption(parser: pytest.Parser) -> None:
    text = "only the tests that need this provisioner; those that need none count as embedded"
    parser.addoption("--provisioner", choices=PROVISIONERS, help=text)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    wanted = config.getoption("--provisioner", None)
    for item in items:
        item.add_marker(pytest.mark.integration)
    unwanted = [item for item in items if wanted and provisioner_of(item) != wanted]
    config.hook.pytest_deselected(items=unwanted)
    items[:] = [item for item in items if item not in unwanted]


def provisioner_of(item: pytest.Item) -> str:
    """The provisioner of a test: from its or a fixture's parameter, else from the module name."""
    of_module = "kind" if item.path.stem.startswith("test_kind") else "embedded"
    parameters: dict[str, Any] = getattr(getattr(item, "callspec", None), "params", {})
    return next((value for value in parameters.values() if isinstance(value, str) and value in PROVISIONERS), of_module)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """With DEVLOOP_DIAGNOSTICS=FOLDER, collect diagnostics when a test fails, before its cluster is deleted."""
    report = yield
    folder = os.environ.get("DEVLOOP_DIAGNOSTICS")
    if folder and report.failed:
        name = re.sub(r"[^\w.-]+", "_", f"{item.path.stem}-{item.name}")
        subprocess.run([DIAGNOSE, Path(folder, f"{name}-{report.when}")], check=False, timeout=600)
    return report


@dataclass(frozen=True)
class Run:
    """The result of a command."""

    status: int
    out: str
    err: str

    @property
    def report(self) -> dict[str, Any]:
        """Checked against the schema that the package has."""
        from jsonschema import validate

        document: dict[str, Any] = json.loads(self.out)
        validate(document, json.loads(SCHEMA.read_text()))
        return document

    @property
    def text(self) -> str:
        return self.out + self.err


@dataclass(frozen=True)
class User:
    """A user with private folders in `home`, whose environments use `provisioner`."""

    home: Path
    provisioner: str = "embedded"

    @property
    def env(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("SOPS_", "GIT_", "GITHUB_"))}
        return kept | {
            "XDG_STATE_HOME": str(self.home / "state"),
            "XDG_CONFIG_HOME": str(self.home / "config"),
            "KUBECONFIG": str(self.home / "kubeconfig"),
            "DEVLOOP_PROVISIONER": self.provisioner,
        }

    @property
    def cluster(self) -> str:
        """The name of the cluster of the environment `local` of `demo`."""
        return definition_name(self.home / "demo" / "clusters" / "local" / "kind.yaml")

    @property
    def engine(self) -> docker.DockerClient:
        import docker

        return docker.from_env()

    def start(self, *args: str, cwd: Path | None = None, **env: str) -> subprocess.Popen[str]:
        argv = [sys.executable, "-m", "devloop", *args]
        return subprocess.Popen(
            argv,
            cwd=cwd or self.home,
            env=self.env | env,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
        )

    def devloop(self, *args: str, cwd: Path | None = None, **env: str) -> Run:
        process = self.start(*args, cwd=cwd, **env)
        out, err = process.communicate(timeout=240)
        return Run(process.returncode, out, err)

    def kubectl(self, *args: str) -> str:
        argv = [str(Toolchain().path("kubectl")), *args]
        return subprocess.run(argv, env=self.env, check=True, text=True, capture_output=True, timeout=60).stdout

    def init(self, name: str = "demo") -> Path:
        """The sample, with a unique cluster name and host port."""
        made = self.devloop("init", name)
        assert made.status == 0, made.text
        repository = self.home / name
        if self.provisioner == "kind":
            claim_names(repository, f"devloop-test-{uuid.uuid4().hex[:8]}")
        return repository


def remains(user: User) -> list[str]:
    """Leftovers of a user's environments: processes with the marker, state files, kubeconfig entries."""
    import psutil

    marker = str(user.home)
    left = []
    for process in psutil.process_iter(["pid", "cmdline"]):
        try:
            if process.environ().get("DEVLOOP_ENVIRONMENT_FOLDER", "").startswith(marker):
                left.append(f"process {process.pid} {process.info['cmdline'][:2]}")
        except (psutil.Error, OSError):
            continue
    state = user.home / "state" / "devloop"
    left += [str(path) for path in state.glob("*") if path.name != "crash.log"] if state.exists() else []
    left += [str(layout.memory) for layout in (Layout(state / "local"), Layout(state / "ksail-default")) if layout.memory.exists()]
    kubeconfig = user.home / "kubeconfig"
    left += engine_remains(user) if user.provisioner == "kind" else []
    return left + ([kubeconfig.read_text()] if kubeconfig.exists() and "devloop" in kubeconfig.read_text() else [])


def engine_remains(user: User) -> list[str]:
    """Leftovers of a user's environments in the engine."""
    import docker

    client = docker.from_env()
    names = [definition_name(path) for path in user.home.glob("*/clusters/local/kind.yaml")]
    left = []
    for name in names:
        for label in (f"devloop.dev/environment={name}", f"io.x-k8s.kind.cluster={name}"):
            left += [f"container {c.name}" for c in client.containers.list(all=True, filters={"label": label})]
        left += [f"volume {v.name}" for v in client.volumes.list(filters={"label": f"devloop.dev/environment={name}"})]
        for network in client.networks.list(names=["kind"], greedy=True):
            left += [f"endpoint {c['Name']}" for c in network.attrs["Containers"].values() if name in c["Name"]]
    return left


def definition_name(kind_yaml: Path) -> str:
    import yaml

    return str(yaml.safe_load(kind_yaml.read_text())["name"])


@pytest.fixture(scope="session", autouse=True)
def toolchain() -> Toolchain:
    result = Toolchain()
    result.ensure((*EVERYTHING, "kubectl"), lambda _: None)
    return result


@pytest.fixture
def user(tmp_path: Path) -> Iterator[User]:
    """A user for one test; everything still running is removed at its end."""
    result = User(tmp_path)
    yield result
    clean_up(result)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """An embedded environment that does not run yet."""
    with at_home(tmp_path):
        yield Place(tmp_path)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One running environment for the tests that leave it usable."""
    home = tmp_path_factory.mktemp("shared")
    with at_home(home):
        place = Place(home, "shared", ROLES, version="v1.30.0")
        assert place.ensure_git_server()
        assert place.ensure_cluster()
        assert install(CONTROLLERS, place.kube, Toolchain(), threading.Event())
        assert place.ensure_controllers()
        yield place


@pytest.fixture
def cluster(shared: Place) -> Iterator[Place]:
    """The shared environment, in whose folders a test is at home."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(shared.home / "state"))
        patch.setenv("KUBECONFIG", str(shared.kubeconfig))
        yield shared


def clean_up(user: User) -> None:
    from devloop.clients.orphans import kill_orphans

    for folder in (user.home / "state" / "devloop").glob("*/"):
        kill_orphans("DEVLOOP_ENVIRONMENT_FOLDER", str(folder))
        shutil.rmtree(Layout(folder).memory, ignore_errors=True)
    if user.provisioner == "kind":
        import docker

        client = docker.from_env()
        for kind_yaml in user.home.glob("*/clusters/local/kind.yaml"):
            name = definition_name(kind_yaml)
            for label in (f"devloop.dev/environment={name}", f"io.x-k8s.kind.cluster={name}"):
                for container in client.containers.list(all=True, filters={"label": label}):
                    container.remove(force=True, v=True)
            for volume in client.volumes.list(filters={"label": f"devloop.dev/environment={name}"}):
                volume.remove(force=True)


def copy_of_the_working_tree(target: Path) -> None:
    """A copy of the working tree as it would be committed."""
    git = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(git, check=True, capture_output=True, text=True).stdout.split("\0")
    for name in filter(None, listed):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_bytes((ROOT / name).read_bytes())
            (target / name).chmod((ROOT / name).stat().st_mode)


@pytest.fixture(scope="session")
def package_index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of wheels instead of a package index: the working tree for this platform, what it needs, and what builds packages."""
    index = tmp_path_factory.mktemp("index")
    write_index(tmp_path_factory.mktemp("source"), index)
    return index


def write_index(source: Path, index: Path) -> None:
    """Wheels into `index`; `source` is an empty folder for the working tree that one of them is built from."""
    copy_of_the_working_tree(source)
    env = os.environ | {"DEVLOOP_WHEEL_PLATFORM": this_platform(), "DEVLOOP_KEEP_BUILD_CACHE": "1"}
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--wheel-dir", index, source, "hatchling", "pyyaml", "kubernetes-validate"]
    subprocess.run([str(part) for part in command], check=True, env=env, timeout=600)


def without_go(env: Mapping[str, str], index: Path, folder: Path) -> dict[str, str]:
    """No Go on PATH, and one elsewhere could build nothing; packages come from `index` alone, and the caches in `folder` are cold."""
    path = [part for part in env["PATH"].split(os.pathsep) if not Path(part, "go").exists()]
    kept = {name: value for name, value in env.items() if name != "PYTHONPATH"}
    return kept | {
        "PATH": os.pathsep.join(path),
        "GOPROXY": "off",
        "GOMODCACHE": str(folder / "modules"),
        "GOCACHE": str(folder / "compiled"),
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(index),
        "XDG_CACHE_HOME": str(folder / "cache"),
    }


@pytest.fixture(scope="session")
def on_kind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[User]:
    """The running sample; tests that share it leave it repairable by `up`."""
    user = User(tmp_path_factory.mktemp("kind"), "kind")
    user.init()
    up = user.devloop("-C", "demo", "up", "local")
    assert up.status == 0, up.text
    yield user
    down = user.devloop("-C", "demo", "down", "local")
    left = remains(user)
    clean_up(user)
    assert (down.status, left) == (0, []), down.text


@pytest.fixture
def kind_user(tmp_path: Path) -> Iterator[User]:
    user = User(tmp_path, "kind")
    yield user
    clean_up(user)


def running_sample(user: User) -> Iterator[tuple[User, Path]]:
    """For a fixture: the user and the repository of the sample, which runs; nothing of it may be left afterwards."""
    user.init()
    up = user.devloop("-C", "demo", "up", "local")
    assert up.status == 0, up.text
    yield user, user.home / "demo"
    down = user.devloop("-C", "demo", "down", "local")
    left = remains(user)
    clean_up(user)
    assert (down.status, left) == (0, []), down.text
