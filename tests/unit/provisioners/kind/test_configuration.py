"""Kind's configuration and the state of a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from devloop.errors import DevloopError
from devloop.model.cluster.definition import ClusterDefinition, NetworkConfiguration, NodeConfiguration, PortMapping
from devloop.model.cluster.environment import Environment
from devloop.model.cluster.kind_config import read_kind
from devloop.provisioners.kind.cluster import renamed
from devloop.provisioners.kind.cluster_state import ClusterState
from devloop.provisioners.kind.configuration import configuration, described, differences, host_ports


def definition(**fields: Any) -> ClusterDefinition:
    return ClusterDefinition("local", "G3", "ksail.yaml", **fields)


def written(text: str, **fields: Any) -> ClusterDefinition:
    """A definition with this kind.yaml."""
    kind = read_kind(text, "kind.yaml", {})
    assert not kind.problems
    network = NetworkConfiguration(
        disable_default_cni=kind.disable_default_cni,
        port_mappings=tuple(mapping for node in kind.nodes for mapping in node.port_mappings),
    )
    return definition(nodes=kind.nodes, kind_config=kind.raw, kind_path="kind.yaml", network=network, **fields)


KIND = """
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
name: other
networking: {apiServerAddress: 0.0.0.0, podSubnet: 10.9.0.0/16}
containerdConfigPatches: ["[plugins]"]
kubeadmConfigPatches: ["kind: InitConfiguration"]
nodes:
  - role: control-plane
    extraPortMappings: [{containerPort: 30080, hostPort: 8080}]
    extraMounts: [{hostPath: /a, containerPath: /b}]
  - role: worker
    labels: {tier: front}
    image: kindest/node:v1.30.0
"""


def test_the_users_kind_configuration_is_kept() -> None:
    result = configuration(written(KIND), "localhost/devloop/node:v1.36.4")
    assert result["name"] == "local"
    assert result["containerdConfigPatches"] == ["[plugins]"]
    assert result["kubeadmConfigPatches"][-1] == "kind: InitConfiguration"
    assert result["networking"]["podSubnet"] == "10.9.0.0/16"
    first, second = result["nodes"]
    assert first["extraMounts"] == [{"hostPath": "/a", "containerPath": "/b"}]
    assert first["image"] == "localhost/devloop/node:v1.36.4"
    assert (second["role"], second["labels"], second["image"]) == ("worker", {"tier": "front"}, "kindest/node:v1.30.0")


def test_everything_listens_on_loopback() -> None:
    result = configuration(written(KIND), "")
    assert result["networking"]["apiServerAddress"] == "127.0.0.1"
    assert result["nodes"][0]["extraPortMappings"][0]["listenAddress"] == "127.0.0.1"


def test_a_listen_address_of_the_user_is_kept() -> None:
    text = KIND.replace("hostPort: 8080", "hostPort: 8080, listenAddress: 192.168.1.2")
    assert configuration(written(text), "")["nodes"][0]["extraPortMappings"][0]["listenAddress"] == "192.168.1.2"


def test_ports_of_the_ksail_definition_map_to_the_first_node() -> None:
    network = NetworkConfiguration(port_mappings=(PortMapping(30443, 8443),))
    result = configuration(definition(network=network, nodes=(NodeConfiguration("control-plane"), NodeConfiguration("worker"))), "")
    mapping = {"containerPort": 30443, "hostPort": 8443, "protocol": "TCP", "listenAddress": "127.0.0.1"}
    assert result["nodes"][0]["extraPortMappings"] == [mapping]
    assert "extraPortMappings" not in result["nodes"][1]


@pytest.mark.parametrize(("cni", "expected"), [("Default", False), ("Cilium", True), ("Calico", True)])
def test_a_cni_of_the_repository_replaces_the_one_of_kind(cni: str, expected: bool) -> None:
    result = configuration(definition(network=NetworkConfiguration(cni=cni)), "")
    assert result["networking"].get("disableDefaultCNI", False) is expected


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("localhost/devloop/node:v1.36.4", False),
        ("kindest/node:v1.31.0@sha256:0", False),
        ("kindest/node:v1.30.2", None),
        ("mine:latest", None),
    ],
)
def test_kubelets_that_support_it_allow_cgroup_v1(image: str, expected: bool | None) -> None:
    [kubelet] = [patch for patch in patches(image) if patch["kind"] == "KubeletConfiguration"]
    assert kubelet.get("failCgroupV1") is expected


def patches(image: str, **fields: Any) -> list[dict[str, Any]]:
    return [yaml.safe_load(patch) for patch in configuration(definition(**fields), image)["kubeadmConfigPatches"]]


def test_control_plane_patches_use_the_format_of_the_kubeadm_version() -> None:
    [new] = [patch for patch in patches("a:v1.36.4") if patch["kind"] == "ClusterConfiguration"]
    [old] = [patch for patch in patches("a:v1.33.1") if patch["kind"] == "ClusterConfiguration"]
    assert {"name": "unsafe-no-fsync", "value": "true"} in new["etcd"]["local"]["extraArgs"]
    assert {"name": "enable-hostpath-provisioner", "value": "true"} in new["controllerManager"]["extraArgs"]
    assert old["etcd"]["local"]["extraArgs"]["unsafe-no-fsync"] == "true"
    assert "extraEnvs" not in old["controllerManager"]
    assert [patch["kind"] for patch in patches("mine:latest")] == ["KubeletConfiguration"]


def test_only_our_own_node_image_gets_an_init_patch() -> None:
    own = "localhost/devloop/node:v1.36.4"
    one = [yaml.safe_load(patch) for patch in configuration(definition(), own, own)["kubeadmConfigPatches"]]
    [init] = [patch for patch in one if patch["kind"] == "InitConfiguration"]
    assert init["patches"] == {"directory": "/kind/patches"}
    assert "bootstrap-token" in init["skipPhases"]
    workers = (NodeConfiguration("control-plane"), NodeConfiguration("worker"))
    three = [yaml.safe_load(patch) for patch in configuration(definition(nodes=workers), own, own)["kubeadmConfigPatches"]]
    assert "skipPhases" not in next(patch for patch in three if patch["kind"] == "InitConfiguration")
    assert not [patch for patch in patches("kindest/node:v1.36.4") if patch["kind"] == "InitConfiguration"]


def test_our_own_node_image_sets_up_the_network_unless_the_repository_installs_a_cni() -> None:
    own = "localhost/devloop/node:v1.36.4"
    assert configuration(definition(), own, own)["nodes"][0]["labels"] == {"devloop.dev/network": "default"}
    assert "labels" not in configuration(definition(network=NetworkConfiguration(cni="Cilium")), own, own)["nodes"][0]
    assert "labels" not in configuration(definition(), "kindest/node:v1.36.4", own)["nodes"][0]


def test_several_control_planes_elect_their_leaders() -> None:
    nodes = (NodeConfiguration("control-plane"),) * 3
    [patch] = [patch for patch in patches("a:v1.36.4", nodes=nodes) if patch["kind"] == "ClusterConfiguration"]
    assert {"name": "leader-elect", "value": "false"} not in patch["controllerManager"]["extraArgs"]


def test_differences_contain_their_path() -> None:
    before = {"nodes": [{"role": "control-plane", "image": "a"}], "networking": {"podSubnet": "10.0.0.0/16"}}
    now = {"nodes": [{"role": "control-plane", "image": "b"}, {"role": "worker"}], "networking": {"podSubnet": "10.0.0.0/16"}}
    assert differences(before, now) == ["nodes[0].image: a -> b", "nodes[1]: none -> {'role': 'worker'}"]
    assert differences(before, before) == []


def test_choices_of_devloop_are_not_differences() -> None:
    assert described(written(KIND)) == described(written(KIND))
    assert "kubeadmConfigPatches[0]" in "".join(
        differences(described(written(KIND)), described(written(KIND.replace("InitConf", "JoinConf"))))
    )
    newer = differences(described(definition(kubernetes_version="v1.35.0")), described(definition(kubernetes_version="v1.36.4")))
    assert newer == ["kubernetesVersion: v1.35.0 -> v1.36.4"]
    assert described(definition())["kubeadmConfigPatches"] == []


def test_host_ports_are_the_mapped_tcp_ports() -> None:
    network = NetworkConfiguration(port_mappings=(PortMapping(80, 0), PortMapping(53, 53, "UDP"), PortMapping(443, 8443)))
    assert host_ports(definition(network=network)) == [("127.0.0.1", 8443)]


def test_a_kubeadm_kubeconfig_gets_kinds_names_and_address() -> None:
    config = {
        "clusters": [
            {"name": "kubernetes", "cluster": {"certificate-authority-data": "Q0E=", "server": "https://local-control-plane:6443"}}
        ],
        "users": [{"name": "kubernetes-admin", "user": {"client-certificate-data": "Q1JU"}}],
    }
    result = renamed(config, "kind-local", "https://127.0.0.1:40000")
    assert result["clusters"][0] == {
        "name": "kind-local",
        "cluster": {"certificate-authority-data": "Q0E=", "server": "https://127.0.0.1:40000"},
    }
    assert result["contexts"][0]["context"] == {"cluster": "kind-local", "user": "kind-local"}


def environment(root: Path) -> Environment:
    root.mkdir(exist_ok=True)
    return Environment("local", root, definition())


def test_the_state_records_whether_the_cluster_is_complete(tmp_path: Path) -> None:
    state = ClusterState(tmp_path / "state")
    assert not state.exists
    state.make(environment(tmp_path / "a"), {"name": "local"}, "node:v1", ("host:/docker", "unix:///docker.sock"))
    assert (state.exists, state.is_complete, state.configuration, state.image) == (True, False, {"name": "local"}, "node:v1")
    state.owner.note(whole=True)
    assert (state.is_complete, state.configuration) == (True, {"name": "local"})
    assert state.remove()
    assert not state.remove()


def test_a_cluster_in_another_engine_is_refused(tmp_path: Path) -> None:
    state, owner = ClusterState(tmp_path / "state"), environment(tmp_path / "a")
    state.refuse_elsewhere(owner, "host:/docker")
    state.make(owner, {"name": "local"}, "node:v1", ("host:/docker", "unix:///docker.sock"))
    state.refuse_elsewhere(owner, "host:/docker")
    with pytest.raises(DevloopError, match=r"in another container engine, at unix:///docker\.sock") as refused:
        state.refuse_elsewhere(owner, "host:/podman")
    assert "DOCKER_HOST=unix:///docker.sock devloop down local" in str(refused.value.hint)
