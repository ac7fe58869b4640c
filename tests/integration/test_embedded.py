"""The embedded provisioner with a real control plane: start, access, recovery."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from devloop.clients.git import git
from devloop.clients.kube import NODES, ApiError, Kube, Resource
from devloop.diagnostic import Severity
from devloop.errors import DevloopError
from devloop.gitserver import open_git_server
from devloop.model.cluster.environment import Environment
from devloop.model.report import Notice
from devloop.provisioners.embedded.authority import new_authority
from devloop.runtime import control
from devloop.runtime.components import Component
from devloop.runtime.ports import ports
from devloop.toolchain import Toolchain

from .embedded_places import CONTROLLERS, ROLES, Place, condition, open_embedded, remove, supervisor, until, works

PLANE = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")
CONFIG_MAPS = Resource("v1", "configmaps")
LEASES = Resource("coordination.k8s.io/v1", "leases")


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
    supervisor(cluster).kill()
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


def test_a_stopped_environment_is_continued_with_its_data(cluster: Place) -> None:
    cluster.kube.request("POST", CONFIG_MAPS.path("default"), {"metadata": {"name": "stays"}, "data": {"a": "1"}})
    ports_before, leases = ports(cluster.layout), _lease_ids(cluster)
    assert cluster.provisioner.shut_down(cluster.events.append)
    assert cluster.processes() == []
    assert not cluster.layout.memory.exists()
    status = cluster.provisioner.status()
    assert (status.exists, status.running, status.stopped) == (True, False, True)
    assert not cluster.provisioner.shut_down(cluster.events.append)
    assert cluster.provisioner.resumes_slowly()
    assert cluster.ensure_cluster()
    assert cluster.ensure_git_server()
    assert cluster.ensure_controllers()
    assert not cluster.provisioner.resumes_slowly()
    assert ports(cluster.layout) == ports_before
    assert cluster.kube.get(CONFIG_MAPS, "stays", "default")
    # New leases: kwok does not wait for the end of the old ones before it makes pods ready.
    until(lambda: len(_lease_ids(cluster)) == len(ROLES))
    assert leases.isdisjoint(_lease_ids(cluster))
    assert works(cluster)


def _lease_ids(place: Place) -> set[str]:
    return {lease["metadata"]["uid"] for lease in place.kube.list(LEASES, "kube-node-lease")}


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


def test_a_crashing_component_is_reported_with_its_log(place: Place) -> None:
    place.ensure_git_server()
    (place.layout.folder / "etcd").write_text("a file where its folder should be")
    with pytest.raises(DevloopError, match=r"etcd keeps crashing with status 1: .*not a directory") as caught:
        place.ensure_cluster()
    assert str(caught.value.hint) == f"read {place.layout.log('etcd')}"
    remove(place)


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
