"""The embedded provisioner with a real control plane: start, access, recovery, deletion."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from devloop.clients.git import git
from devloop.clients.kube import NAMESPACES, NODES, PODS, ApiError, Kube, Resource
from devloop.clients.orphans import kill_orphans
from devloop.diagnostic import Severity
from devloop.errors import DevloopError
from devloop.flux import open_controllers
from devloop.flux.install import install
from devloop.gitserver import GitServer, open_git_server
from devloop.model.cluster.definition import ClusterDefinition, NodeConfiguration
from devloop.model.cluster.environment import Environment
from devloop.model.report import Event, Notice
from devloop.provisioners.embedded import EmbeddedProvisioner
from devloop.provisioners.embedded.authority import new_authority
from devloop.provisioners.embedded.simulated_failures import ANNOTATION
from devloop.runtime import control
from devloop.runtime.components import MARKER, Component
from devloop.runtime.layout import Layout
from devloop.runtime.ports import ports
from devloop.toolchain import Toolchain

PLANE = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")
CONTROLLERS = ("source-controller", "kustomize-controller", "helm-controller")
ROLES = ("control-plane", "worker", "worker")
CONFIG_MAPS = Resource("v1", "configmaps")
SERVICE_ACCOUNTS = Resource("v1", "serviceaccounts")
JOBS = Resource("batch/v1", "jobs")
EVENTS = Resource("v1", "events")
LEASES = Resource("coordination.k8s.io/v1", "leases")


def open_embedded(environment: Environment) -> EmbeddedProvisioner:
    return EmbeddedProvisioner(environment, Toolchain(), threading.Event())


@dataclass
class Place:
    """An environment in private folders in `home`; `events` are those of its provisioner."""

    home: Path
    name: str = "demo"
    roles: tuple[str, ...] = ("control-plane",)
    version: str = ""
    events: list[Event] = field(default_factory=list)

    @property
    def environment(self) -> Environment:
        nodes = tuple(NodeConfiguration(role, labels={"asked-for": role}) for role in self.roles)
        return Environment(
            "local",
            self.home / "repository",
            ClusterDefinition(self.name, "G3", "ksail.yaml", kubernetes_version=self.version, nodes=nodes),
        )

    @property
    def provisioner(self) -> EmbeddedProvisioner:
        """A new one each time, like a new run of devloop."""
        return open_embedded(self.environment)

    @property
    def layout(self) -> Layout:
        return Layout(self.home / "state" / "devloop" / self.name)

    @property
    def kubeconfig(self) -> Path:
        return self.home / "kubeconfig"

    @property
    def kube(self) -> Kube:
        """Connects like kubectl: with the user's kubeconfig and our context."""
        return Kube(self.kubeconfig, f"devloop-{self.name}")

    def ensure_cluster(self) -> bool:
        """Create the cluster like `up`; whether anything changed."""
        changed = self.provisioner.ensure_cluster(self.events.append)
        return self.provisioner.ensure_nodes(self.events.append) or changed

    @property
    def git_server(self) -> GitServer:
        return open_git_server(self.provisioner.runtime)

    def ensure_git_server(self) -> bool:
        return self.git_server.ensure(self.events.append)

    def ensure_controllers(self) -> bool:
        return open_controllers(self.provisioner.runtime).ensure(CONTROLLERS, Kube(self.provisioner.kubeconfig()), {})

    def delete(self) -> bool:
        return self.provisioner.delete(self.events.append)

    def components(self) -> dict[str, dict[str, Any]]:
        return {item["name"]: item for item in control.ask(self.layout, {"op": "status"})["components"]}

    def pid(self, name: str) -> int:
        return int(self.components()[name]["pid"])

    def processes(self) -> list[psutil.Process]:
        """All processes with the environment's marker, except zombies."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if process.environ().get(MARKER) == str(self.layout.folder) and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def listening(self) -> set[tuple[str, int]]:
        connections = [connection for process in self.processes() for connection in process.net_connections(kind="inet")]
        return {(c.laddr.ip, c.laddr.port) for c in connections if c.status == psutil.CONN_LISTEN}


@contextlib.contextmanager
def at_home(home: Path) -> Iterator[None]:
    """The user's folders are below `home`; the toolchain's cache stays the real one. Whatever runs there at the end is ended."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(home / "state"))
        patch.setenv("XDG_CONFIG_HOME", str(home / "config"))
        patch.setenv("KUBECONFIG", str(home / "kubeconfig"))
        (home / "repository").mkdir()
        try:
            yield
        finally:
            for folder in (home / "state" / "devloop").glob("*/"):
                kill_orphans(MARKER, str(folder))
                shutil.rmtree(Layout(folder).memory, ignore_errors=True)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
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


def until(condition: Callable[[], Any]) -> Any:
    """The condition's first value that counts as true; fails the test after a minute. An API server that does not answer says no."""
    for _ in range(600):
        with contextlib.suppress(DevloopError):
            if found := condition():
                return found
        time.sleep(0.1)
    pytest.fail("it did not happen")


def condition(obj: dict[str, Any] | None, name: str) -> bool:
    conditions = ((obj or {}).get("status") or {}).get("conditions") or ()
    return any(c["type"] == name and c["status"] == "True" for c in conditions)


def works(place: Place) -> bool:
    """A new namespace gets its service account, a pod in it is scheduled and becomes Ready: every part of the control plane took part."""
    kube, name = place.kube, f"probe-{time.monotonic_ns()}"
    until(lambda: kube.request("POST", NAMESPACES.path(), {"metadata": {"name": name}}))
    until(lambda: kube.get(SERVICE_ACCOUNTS, "default", name))
    pod = {"metadata": {"name": "probe"}, "spec": {"containers": [{"name": "probe", "image": "example.com/probe"}]}}
    until(lambda: kube.request("POST", PODS.path(name), pod))
    return bool(until(lambda: condition(kube.get(PODS, "probe", name), "Ready")))


def status(place: Place, context: ssl.SSLContext) -> int:
    """The API server's response to a request for all Secrets."""
    connection = http.client.HTTPSConnection("127.0.0.1", ports(place.layout)["kube-apiserver"], timeout=20, context=context)
    with contextlib.closing(connection):
        connection.request("GET", "/api/v1/secrets")
        return connection.getresponse().status


def client(place: Place, certificate: Path | None = None, key: Path | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(place.layout.pki / "ca.crt"))
    if certificate:
        context.load_cert_chain(certificate, key)
    return context


def test_the_cluster_works_by_the_users_kubeconfig(cluster: Place) -> None:
    assert works(cluster)
    assert cluster.kubeconfig.stat().st_mode & 0o777 == 0o600


def test_every_node_of_the_definition_is_ready(cluster: Place) -> None:
    nodes = until(lambda: [node for node in cluster.kube.list(NODES) if condition(node, "Ready")] if _all_ready(cluster) else None)
    assert {node["metadata"]["name"]: node["metadata"]["labels"]["asked-for"] for node in nodes} == {
        "shared-control-plane": "control-plane",
        "shared-worker": "worker",
        "shared-worker2": "worker",
    }
    # The taint of a node that is not ready goes a moment after it has become ready.
    lasting = {
        (node["metadata"]["name"], taint["key"])
        for node in nodes
        for taint in node["spec"].get("taints") or ()
        if taint["key"] != "node.kubernetes.io/not-ready"
    }
    assert lasting == {("shared-control-plane", "node-role.kubernetes.io/control-plane")}


def _all_ready(place: Place) -> bool:
    return sum(condition(node, "Ready") for node in place.kube.list(NODES)) == len(ROLES)


# Annotation -> state, reason, exit code of the last termination, warning.
FAILING = {
    "image-pull": ("waiting", "ImagePullBackOff", None, "Error: ImagePullBackOff"),
    "image-name": ("waiting", "InvalidImageName", None, "Error: InvalidImageName"),
    "config": ("waiting", "CreateContainerConfigError", None, ""),
    "pending": ("waiting", "ContainerCreating", None, ""),
    "volume": ("waiting", "ContainerCreating", None, "MountVolume.SetUp failed"),
    "start": ("waiting", "CrashLoopBackOff", 128, "Back-off restarting failed container"),
    "crash": ("waiting", "CrashLoopBackOff", 1, "Back-off restarting failed container"),
    "crash=3": ("waiting", "CrashLoopBackOff", 3, "Back-off restarting failed container"),
    "out-of-memory": ("waiting", "CrashLoopBackOff", 137, "Back-off restarting failed container"),
    "readiness": ("running", "", None, "Readiness probe failed"),
    "liveness": ("waiting", "CrashLoopBackOff", 137, "Liveness probe failed"),
}


@pytest.mark.parametrize("failure", FAILING)
def test_a_pod_fails_as_its_annotation_says(cluster: Place, failure: str) -> None:
    kube, name = cluster.kube, "fails-" + failure.replace("=", "-")
    until(lambda: kube.get(SERVICE_ACCOUNTS, "default", "default"))
    metadata = {"name": name, "annotations": {ANNOTATION: failure}}
    spec = {"containers": [{"name": "web", "image": "example.com/web", "envFrom": [{"configMapRef": {"name": "settings"}}]}]}
    kube.request("POST", PODS.path("default"), {"metadata": metadata, "spec": spec})
    state, reason, exit_code, warning = FAILING[failure]

    def seen() -> dict[str, Any] | None:
        pod = kube.get(PODS, name, "default") or {}
        [container] = (pod.get("status") or {}).get("containerStatuses") or [{"state": {}}]
        return pod if (container["state"].get(state) or {}).get("reason", "") == reason and state in container["state"] else None

    pod = until(seen)
    [container] = pod["status"]["containerStatuses"]
    assert not condition(pod, "Ready")
    assert ((container.get("lastState") or {}).get("terminated") or {}).get("exitCode") == exit_code
    assert bool(container["restartCount"]) == (exit_code is not None)
    assert failure != "config" or container["state"]["waiting"]["message"] == 'configmap "settings" not found'
    until(lambda: any(e["involvedObject"]["name"] == name and warning in e["message"] for e in kube.list(EVENTS, "default")))


def test_a_pod_of_a_job_that_fails_by_its_annotation_fails_the_job(cluster: Place) -> None:
    template = {
        "metadata": {"annotations": {ANNOTATION: "crash=4"}},
        "spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "example.com/job"}]},
    }
    cluster.kube.request("POST", JOBS.path("default"), {"metadata": {"name": "fails"}, "spec": {"backoffLimit": 0, "template": template}})
    until(lambda: condition(cluster.kube.get(JOBS, "fails", "default"), "Failed"))


def test_nodes_stay_alive_by_leases_that_are_renewed(cluster: Place) -> None:
    def renewed() -> dict[str, str]:
        return {lease["metadata"]["name"]: lease["spec"]["renewTime"] for lease in cluster.kube.list(LEASES, "kube-node-lease")}

    before = until(lambda: found if len(found := renewed()) == len(ROLES) else None)
    until(lambda: all(renewed()[name] > time for name, time in before.items()))


def test_another_kubernetes_version_is_a_warning(cluster: Place) -> None:
    ours = Toolchain().version("kube-apiserver")
    warnings = {event.message for event in cluster.events if isinstance(event, Notice) and event.severity is Severity.WARNING}
    assert warnings == {f"ksail.yaml: requests Kubernetes 1.30.0; this provisioner runs {ours}"}
    assert cluster.provisioner.status().kubernetes_version == f"v{ours}"


def test_nothing_changes_the_second_time(cluster: Place) -> None:
    before = {process.pid for process in cluster.processes()}
    text, number = cluster.kubeconfig.read_text(), cluster.kubeconfig.stat().st_ino
    assert not cluster.ensure_git_server()
    assert not cluster.ensure_cluster()
    assert not cluster.ensure_controllers()
    assert {process.pid for process in cluster.processes()} == before
    assert (cluster.kubeconfig.read_text(), cluster.kubeconfig.stat().st_ino) == (text, number)


def test_status_lists_components_with_their_memory(cluster: Place) -> None:
    status = cluster.provisioner.status()
    assert (status.exists, status.running, status.owner) == (True, True, str(cluster.home / "repository"))
    assert {name for name, _, _ in status.components} == {"supervisor", "git-server", *PLANE, *CONTROLLERS}
    assert all(memory > 0 for _, _, memory in status.components)
    print(f"resident memory: {sum(memory for _, _, memory in status.components) >> 20} MiB")  # noqa: T201 (shown with -s)


def test_requests_without_credentials_are_refused(cluster: Place, tmp_path: Path) -> None:
    assert status(cluster, client(cluster)) == 401
    pki = cluster.layout.pki
    assert status(cluster, client(cluster, pki / "admin.crt", pki / "admin.key")) == 200
    forged = new_authority("devloop").issue("devloop:admin", ("system:masters",))
    (tmp_path / "crt").write_text(forged.certificate)
    (tmp_path / "key").write_text(forged.key)
    assert status(cluster, client(cluster, tmp_path / "crt", tmp_path / "key")) == 401


def test_a_controller_may_do_what_its_role_says_and_no_more(cluster: Place) -> None:
    """source-controller must not read nodes."""
    kube = Kube(cluster.layout.kubeconfig("source-controller"))
    # For a moment after its definition a kind is still "(re)initializing".
    until(lambda: kube.list(Resource("source.toolkit.fluxcd.io/v1", "gitrepositories")) == [])
    with pytest.raises(ApiError) as caught:
        kube.list(NODES)
    assert caught.value.status == 403


def test_everything_listens_only_on_loopback(cluster: Place) -> None:
    wanted = {("127.0.0.1", port) for port in ports(cluster.layout).values()}
    # A controller is ready before its server for artifacts is.
    until(lambda: cluster.listening() >= wanted)
    assert cluster.listening() == wanted


def test_nothing_readable_by_others_is_in_the_folder(cluster: Place) -> None:
    assert cluster.layout.folder.stat().st_mode & 0o077 == 0
    secrets = [path for path in cluster.layout.pki.iterdir() if path.is_file()] + list(cluster.layout.logs.iterdir())
    assert [path for path in secrets if path.stat().st_mode & 0o077] == []


def test_no_secret_is_in_a_command_line_or_a_log(cluster: Place) -> None:
    endpoint = cluster.git_server.endpoint()
    shown = "".join(" ".join(process.cmdline()) for process in cluster.processes())
    shown += "".join(path.read_text(errors="replace") for path in cluster.layout.logs.iterdir())
    assert [word for word in (endpoint.push_password, endpoint.pull_password, "PRIVATE KEY") if word in shown] == []


@pytest.mark.parametrize("name", PLANE)
def test_a_killed_part_of_the_control_plane_comes_back_and_the_cluster_works(cluster: Place, name: str) -> None:
    before = until(lambda: cluster.pid(name))
    os.kill(before, signal.SIGKILL)
    until(lambda: cluster.pid(name) not in (0, before))
    assert works(cluster)


@pytest.mark.parametrize("name", CONTROLLERS)
def test_a_killed_controller_comes_back_and_answers(cluster: Place, name: str) -> None:
    before = until(lambda: cluster.pid(name))
    os.kill(before, signal.SIGKILL)
    until(lambda: cluster.pid(name) not in (0, before))
    assert not cluster.ensure_controllers()


def test_a_killed_git_server_comes_back_with_its_repository(cluster: Place) -> None:
    before = cluster.pid("git-server")
    os.kill(before, signal.SIGKILL)
    until(lambda: cluster.pid("git-server") not in (0, before))
    assert not cluster.ensure_git_server()
    endpoint = cluster.git_server.endpoint()
    url = endpoint.pull_url.replace("://", f"://{endpoint.pull_user}:{endpoint.pull_password}@")
    until(lambda: git("ls-remote", url, cwd=cluster.home, check=False).status == 0)


def test_a_killed_supervisor_is_healed_and_the_data_is_kept(cluster: Place) -> None:
    cluster.kube.request("POST", CONFIG_MAPS.path("default"), {"metadata": {"name": "kept"}, "data": {"a": "1"}})
    before = {process.pid for process in cluster.processes()}
    _supervisor(cluster).kill()
    until(lambda: not control.runs(cluster.layout))
    assert cluster.provisioner.status().exists
    assert not cluster.provisioner.status().running
    assert cluster.ensure_cluster()
    assert cluster.ensure_git_server()
    assert cluster.ensure_controllers()
    assert before.isdisjoint(process.pid for process in cluster.processes())
    kept = cluster.kube.get(CONFIG_MAPS, "kept", "default")
    assert kept
    assert kept["data"] == {"a": "1"}
    assert works(cluster)


def _supervisor(place: Place) -> psutil.Process:
    return next(process for process in place.processes() if "devloop.runtime.supervisor" in process.cmdline())


def test_a_name_that_another_repository_uses_is_refused(cluster: Place) -> None:
    (cluster.home / "other").mkdir(exist_ok=True)
    other = open_embedded(Environment("dev", cluster.home / "other", cluster.environment.definition))
    before = {process.pid for process in cluster.processes()}
    for action in (other.ensure_cluster, open_git_server(other.runtime).ensure, other.delete):
        with pytest.raises(DevloopError, match=r"the name shared is used by .*repository") as caught:
            action(cluster.events.append)
        assert str(caught.value.hint) == f"devloop -C {cluster.home / 'repository'} down local"
    assert {process.pid for process in cluster.processes()} == before


def test_ports_used_meanwhile_are_replaced(place: Place) -> None:
    place.ensure_git_server()
    first = ports(place.layout)
    with socket.create_server(("127.0.0.1", first["kube-apiserver"])):
        assert place.ensure_cluster()
    second = ports(place.layout)
    assert {name for name in first if first[name] != second[name]} == {"kube-apiserver"}
    assert works(place)
    remove(place)


def test_another_server_on_our_port_is_not_mistaken_for_ours(place: Place) -> None:
    """The supervisor runs and the port is chosen, then another server takes it."""
    place.ensure_git_server()
    first = ports(place.layout)["git-server"]
    control.start(place.layout, [Component("git-server", ("sleep", "1000"))])
    with ThreadingHTTPServer(("127.0.0.1", first), BaseHTTPRequestHandler) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        assert place.ensure_git_server()
        other.shutdown()
    assert ports(place.layout)["git-server"] != first
    remove(place)


def test_ports_in_use_are_replaced(place: Place) -> None:
    place.ensure_git_server()
    first = ports(place.layout)
    control.end(place.layout)
    with socket.create_server(("127.0.0.1", first["git-server"])):
        assert place.ensure_git_server()
    second = ports(place.layout)
    assert {name for name in first if first[name] != second[name]} == {"git-server"}
    remove(place)


def remove(place: Place) -> None:
    """Delete the environment twice; no processes, ports, files or kubeconfig entries remain."""
    listening = {port for _, port in place.listening()}
    start = time.monotonic()
    assert place.delete()
    print(f"deleted in {time.monotonic() - start:.2f} s")  # noqa: T201 (shown with -s)
    assert place.processes() == []
    assert listening.isdisjoint(c.laddr.port for c in psutil.net_connections(kind="tcp") if c.status == psutil.CONN_LISTEN)
    assert list((place.home / "state" / "devloop").iterdir()) == []
    assert not place.kubeconfig.exists() or f"devloop-{place.name}" not in place.kubeconfig.read_text()
    assert not place.delete()
    assert place.provisioner.status().exists is False


@pytest.mark.parametrize("killed", ["nothing", "supervisor", "kube-apiserver", "everything"])
def test_delete_leaves_nothing_whatever_was_killed_before(place: Place, killed: str) -> None:
    place.kubeconfig.write_text(yaml.safe_dump({"contexts": [{"name": "work", "context": {}}], "current-context": "work"}))
    place.ensure_cluster()
    place.ensure_git_server()
    victims = {
        "nothing": [],
        "supervisor": [_supervisor(place)],
        "kube-apiserver": [psutil.Process(place.pid("kube-apiserver"))],
        "everything": place.processes(),
    }[killed]
    for victim in victims:
        with contextlib.suppress(psutil.NoSuchProcess):
            victim.kill()
    remove(place)
    assert yaml.safe_load(place.kubeconfig.read_text())["current-context"] == "work"


def test_an_interrupted_deletion_is_finished(place: Place) -> None:
    place.ensure_git_server()
    control.end(place.layout)
    place.layout.folder.rename(place.layout.folder.with_name(".demo.deleted"))
    place.delete()
    assert list(place.layout.folder.parent.iterdir()) == []


UP = """
import os, signal, sys, threading
from pathlib import Path
from devloop.model.cluster.definition import ClusterDefinition
from devloop.model.cluster.environment import Environment
from devloop.provisioners.embedded import EmbeddedProvisioner
from devloop.toolchain import Toolchain
threading.Timer(float(sys.argv[2]), lambda: os.kill(os.getpid(), signal.SIGKILL)).start()
environment = Environment("local", Path(sys.argv[1]), ClusterDefinition("demo", "G3", "ksail.yaml"))
EmbeddedProvisioner(environment, Toolchain(), threading.Event()).ensure_cluster(lambda _: None)
signal.pause()
"""


@pytest.mark.parametrize("seconds", ["0.1", "1.2"])
def test_a_killed_run_can_be_removed_or_continued(place: Place, seconds: str) -> None:
    """At any point: the supervisor outlives it and finishes its requests."""
    for follow_up in (place.delete, place.ensure_cluster):
        killed = subprocess.run([sys.executable, "-c", UP, str(place.home / "repository"), seconds], check=False)
        assert killed.returncode == -signal.SIGKILL
        follow_up()
        assert bool(place.processes()) == (follow_up == place.ensure_cluster)
    assert works(place)
    assert [node["metadata"]["name"] for node in place.kube.list(NODES)] == ["demo-control-plane"]


def test_a_crashing_component_is_reported_with_its_log(place: Place) -> None:
    place.ensure_git_server()
    (place.layout.folder / "etcd").write_text("a file where its folder should be")
    with pytest.raises(DevloopError, match=r"etcd keeps crashing with status 1: .*not a directory") as caught:
        place.ensure_cluster()
    assert str(caught.value.hint) == f"read {place.layout.log('etcd')}"
    remove(place)


def test_the_context_is_removed_from_the_kubeconfig_it_was_added_to(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.ensure_cluster()
    monkeypatch.setenv("KUBECONFIG", str(place.home / "another"))
    assert place.kubeconfig.exists()
    remove(place)
    assert not place.kubeconfig.exists()


def test_a_broken_kubeconfig_is_reported_and_kept_but_the_rest_is_deleted(place: Place) -> None:
    place.ensure_git_server()
    place.kubeconfig.write_text("clusters: [\n")
    with pytest.raises(DevloopError, match="kubeconfig:2 is not valid YAML"):
        place.delete()
    assert place.processes() == []
    assert not place.layout.folder.exists()
    assert place.kubeconfig.read_text() == "clusters: [\n"


def test_leftovers_of_a_deleted_repository_are_removed_with_a_notice(place: Place) -> None:
    place.ensure_git_server()
    control.end(place.layout)
    before = json.loads((place.layout.folder / "git-credentials.json").read_text())
    (place.home / "repository").rename(place.home / "moved")
    moved = Environment("local", place.home / "moved", place.environment.definition)
    assert open_git_server(open_embedded(moved).runtime).ensure(place.events.append)
    assert [event.message for event in place.events if isinstance(event, Notice)] == [
        f"removing demo, left behind by {place.home / 'repository'}"
    ]
    assert json.loads((place.layout.folder / "git-credentials.json").read_text()) != before
    assert open_embedded(moved).delete(place.events.append)


def test_nodes_that_were_never_created_are_created_by_the_next_run(place: Place) -> None:
    """After a run that was killed between starting the control plane and creating the nodes."""
    place.ensure_cluster()
    place.kube.request("DELETE", NODES.path(name="demo-control-plane"))
    (place.layout.folder / "nodes.json").unlink()
    assert place.ensure_cluster()
    assert works(place)
    place.roles = ROLES
    assert place.ensure_cluster()
    until(lambda: sum(condition(node, "Ready") for node in place.kube.list(NODES)) == len(ROLES))
    remove(place)
