"""Parts of an embedded environment that need no processes: command lines, nodes, ports, certificates."""

from __future__ import annotations

import base64
import ipaddress
import json
import re
import stat
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

from devloop.clients import private_files
from devloop.clients.ports import free_ports, is_free
from devloop.errors import DevloopError
from devloop.flux import processes
from devloop.gitserver import process
from devloop.gitserver.credentials import passwords
from devloop.model.cluster.definition import ClusterDefinition, NetworkConfiguration, NodeConfiguration
from devloop.provisioners.embedded import control_plane, pki, simulated_failures
from devloop.provisioners.embedded.control_plane import CONTROL_PLANE, service_address
from devloop.provisioners.embedded.nodes import CONTROL_PLANE_LABEL, nodes_of
from devloop.runtime.components import MARKER, QUICK_LISTS, Component, ComponentContext, environment_for
from devloop.runtime.layout import Layout
from devloop.runtime.ports import PORTS, ensure_ports, move_ports, ports

CONTROLLERS = ("source-controller", "kustomize-controller", "helm-controller")


class Tools:
    """Fake paths of the programs."""

    def path(self, name: str) -> Path:
        return Path("/tools") / name

    def version(self, name: str) -> str:
        return "1.2.3"


def definition(*nodes: NodeConfiguration, **network: str) -> ClusterDefinition:
    return ClusterDefinition(
        "demo", "G3", "ksail.yaml", nodes=nodes or (NodeConfiguration("control-plane"),), network=NetworkConfiguration(**network)
    )


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    result = Layout(tmp_path / "demo")
    result.make()
    return result


@pytest.fixture
def context(layout: Layout) -> ComponentContext:
    ensure_ports(layout)
    return ComponentContext(layout, definition(), Tools(), ports(layout))


def commands(context: ComponentContext) -> list[Component]:
    return [
        *(program.command(context) for program in CONTROL_PLANE.values()),
        *(processes.command(context, name, {}) for name in CONTROLLERS),
        process.command(context),
    ]


def flags(component: Component) -> dict[str, str]:
    return dict(argument.removeprefix("--").split("=", 1) for argument in component.argv[1:])


def test_no_secret_is_in_a_command_or_its_environment(context: ComponentContext) -> None:
    pki.ensure_pki(context.layout, "10.96.0.1")
    secrets = [*passwords(context.layout.folder).values(), *(path.read_text() for path in context.layout.pki.glob("*.key"))]
    assert len(secrets) >= 2 + len(pki.USERS)
    text = json.dumps([asdict(component) for component in commands(context)])
    assert not [secret for secret in secrets if secret in text or json.dumps(secret)[1:-1] in text]


def test_every_address_is_on_loopback(context: ComponentContext) -> None:
    for component in commands(context):
        text = " ".join((*component.argv, *component.env.values()))
        addresses = set(re.findall(r"\b\d+\.\d+\.\d+\.\d+\b", text)) - {"10.96.0.0", "10.244.0.0"}
        assert addresses <= {"127.0.0.1"}, component.name
        assert "0.0.0.0" not in text
        assert "localhost" not in text
        for name, value in flags(component).items() if component.name != process.NAME else ():
            # An address without a host (`:8080`) is one on all interfaces.
            assert not value.startswith(":"), name


def test_ports_are_unique_and_all_are_used(context: ComponentContext) -> None:
    assert len(set(context.ports.values())) == len(PORTS)
    text = " ".join(" ".join(component.argv) for component in commands(context))
    assert [name for name, port in context.ports.items() if str(port) not in text] == []


def test_etcd_listens_only_on_unix_sockets(context: ComponentContext) -> None:
    etcd = flags(control_plane.etcd(context))
    listening = {name: value for name, value in etcd.items() if name.startswith("listen-")}
    assert set(listening) == {"listen-client-urls", "listen-peer-urls"}
    # Without a folder: the name of a socket is short, and the folder that it is in is this user's alone.
    assert all(re.fullmatch(r"unix://[a-z.-]+", value) for value in listening.values())


def test_the_api_server_uses_the_certificates(context: ComponentContext) -> None:
    api_server = flags(control_plane.kube_apiserver(context))
    assert api_server["anonymous-auth"] == "false"
    assert "AlwaysAllow" not in api_server["authorization-mode"]
    assert api_server["client-ca-file"] == str(context.layout.pki / "ca.crt")


def test_commands_are_deterministic(context: ComponentContext) -> None:
    """Otherwise the next `up` would restart the component."""
    before = commands(context)
    (context.layout.folder / "etcd" / "member").mkdir(parents=True)
    (context.layout.artifacts / "gitrepository").mkdir()
    assert commands(context) == before
    assert [Component.from_json(json.loads(json.dumps(asdict(component)))) for component in before] == before


def test_api_clients_restart_when_the_api_server_address_changes(context: ComponentContext) -> None:
    moved = ComponentContext(context.layout, context.definition, context.tools, {**context.ports, "kube-apiserver": 1})
    changed = {old.name for old, new in zip(commands(context), commands(moved), strict=True) if old != new}
    assert changed == {*CONTROL_PLANE, *CONTROLLERS} - {"etcd"}


@pytest.mark.parametrize(
    ("subnet", "address"),
    [("10.96.0.0/16", "10.96.0.1"), ("172.20.0.0/24", "172.20.0.1"), ("10.96.0.0/16,fd00::/108", "10.96.0.1"), ("fd00::/108", "fd00::1")],
)
def test_the_service_address_is_the_first_of_its_subnet(subnet: str, address: str) -> None:
    assert service_address(definition(service_subnet=subnet)) == address


def test_subnets_come_from_the_definition(layout: Layout) -> None:
    wanted = definition(pod_subnet="10.1.0.0/16,fd01::/64", service_subnet="10.2.0.0/16")
    ensure_ports(layout)
    context = ComponentContext(layout, wanted, Tools(), ports(layout))
    assert flags(control_plane.kwok(context))["cidr"] == "10.1.0.0/16"
    assert flags(control_plane.kube_apiserver(context))["service-cluster-ip-range"] == "10.2.0.0/16"


def test_pods_without_the_annotation_have_the_stages_of_kwok_and_the_others_weigh_more() -> None:
    by_name = {stage["metadata"]["name"]: stage["spec"] for stage in yaml.safe_load_all(simulated_failures.stages())}
    assert [name for name, spec in by_name.items() if not spec.get("weight")] == ["pod-ready", "pod-complete", "pod-delete"]
    asked = [str(spec["selector"]["matchExpressions"][0]) for spec in by_name.values() if spec.get("weight")]
    assert all(simulated_failures.ANNOTATION in text for text in asked)


def test_other_stages_restart_kwok_alone(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    ensure_ports(layout)
    context = ComponentContext(layout, definition(), Tools(), ports(layout))
    before = commands(context)
    monkeypatch.setattr(control_plane, "stages", lambda: "others")
    assert [old.name for old, new in zip(before, commands(context), strict=True) if old != new] == ["kwok"]


def test_components_get_few_environment_variables(layout: Layout) -> None:
    ours = {"PATH": "/bin", "HTTPS_PROXY": "http://proxy", "SOPS_AGE_KEY": "x", "HOME": "/home/me", "KUBECONFIG": "k", "LD_PRELOAD": "l"}
    home = str(layout.temporary)
    assert environment_for(layout, ours) == {
        "PATH": "/bin",
        "HTTPS_PROXY": "http://proxy",
        "HOME": home,
        "TMPDIR": home,
        MARKER: str(layout.folder),
        **QUICK_LISTS,
    }


def roles(*names: str) -> ClusterDefinition:
    return definition(*(NodeConfiguration(name) for name in names))


def names(nodes: list[dict[str, Any]]) -> list[str]:
    return [node["metadata"]["name"] for node in nodes]


def tainted(nodes: list[dict[str, Any]]) -> list[str]:
    return [node["metadata"]["name"] for node in nodes if node["spec"]["taints"]]


@pytest.mark.parametrize(
    ("wanted", "expected", "expected_tainted"),
    [
        (("control-plane",), ["demo-control-plane"], []),
        (("control-plane", "worker"), ["demo-control-plane", "demo-worker"], ["demo-control-plane"]),
        (
            ("control-plane", "worker", "worker", "worker"),
            ["demo-control-plane", "demo-worker", "demo-worker2", "demo-worker3"],
            ["demo-control-plane"],
        ),
        (("control-plane", "control-plane"), ["demo-control-plane", "demo-control-plane2"], []),
        (
            ("worker", "control-plane", "control-plane", "control-plane"),
            ["demo-worker", "demo-control-plane", "demo-control-plane2", "demo-control-plane3"],
            ["demo-control-plane", "demo-control-plane2", "demo-control-plane3"],
        ),
    ],
)
def test_nodes_have_the_names_and_taints_of_kind(wanted: tuple[str, ...], expected: list[str], expected_tainted: list[str]) -> None:
    nodes = nodes_of(roles(*wanted), "v1.2.3")
    assert names(nodes) == expected
    assert tainted(nodes) == expected_tainted


def test_a_node_has_labels_and_node_info() -> None:
    (node,) = nodes_of(definition(NodeConfiguration("control-plane", labels={"tier": "gold", "kubernetes.io/arch": "arm64"})), "v1.2.3")
    labels = node["metadata"]["labels"]
    assert labels["kubernetes.io/hostname"] == "demo-control-plane"
    assert labels["kubernetes.io/os"] == "linux"
    assert labels[CONTROL_PLANE_LABEL] == ""
    assert (labels["tier"], labels["kubernetes.io/arch"]) == ("gold", "arm64")
    assert node["status"]["nodeInfo"]["kubeletVersion"] == "v1.2.3"
    assert node["status"]["allocatable"] == node["status"]["capacity"]


def test_a_worker_is_not_a_control_plane() -> None:
    _, worker = nodes_of(roles("control-plane", "worker"), "v1.2.3")
    assert CONTROL_PLANE_LABEL not in worker["metadata"]["labels"]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """An environment's folder with its certificates."""
    layout = Layout(tmp_path_factory.mktemp("pki") / "demo")
    layout.make()
    pki.ensure_pki(layout, "10.96.0.1")
    pki.write_kubeconfigs(layout, "https://127.0.0.1:6443")
    return layout


def certificate(layout: Layout, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate((layout.pki / f"{name}.crt").read_bytes())


def subject(found: x509.Certificate) -> tuple[list[Any], list[Any]]:
    return tuple(
        [item.value for item in found.subject.get_attributes_for_oid(oid)] for oid in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME)
    )  # type: ignore[return-value]


@pytest.mark.parametrize(("name", "user", "groups"), [(name, *who) for name, who in pki.USERS.items()])
def test_a_client_certificate_has_user_and_groups(authority: Layout, name: str, user: str, groups: tuple[str, ...]) -> None:
    found = certificate(authority, name)
    assert subject(found) == ([user], list(groups))
    found.verify_directly_issued_by(certificate(authority, "ca"))
    assert list(found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert not found.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_only_the_control_plane_and_the_user_are_masters() -> None:
    masters = {name for name, (_, groups) in pki.USERS.items() if "system:masters" in groups}
    assert masters == {"admin", "kube-controller-manager", "kube-scheduler", "kwok"}


def test_the_server_certificate_has_all_host_names(authority: Layout) -> None:
    found = certificate(authority, "kube-apiserver")
    hosts = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {str(address) for address in hosts.get_values_for_type(x509.IPAddress)} == {"127.0.0.1", "10.96.0.1"}
    assert {"localhost", "kubernetes.default.svc"} <= set(hosts.get_values_for_type(x509.DNSName))
    assert ExtendedKeyUsageOID.SERVER_AUTH in found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    found.verify_directly_issued_by(certificate(authority, "ca"))


def test_the_authority_issues_only_leaf_certificates(authority: Layout) -> None:
    found = certificate(authority, "ca")
    constraints = found.extensions.get_extension_for_oid(ExtensionOID.BASIC_CONSTRAINTS)
    assert constraints.critical
    assert (constraints.value.ca, constraints.value.path_length) == (True, 0)  # type: ignore[attr-defined]


def test_the_ca_key_is_not_stored(authority: Layout) -> None:
    own = certificate(authority, "ca").public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    for path in authority.pki.glob("*.key"):
        key = load_pem_private_key(path.read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        assert key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) != own


def test_every_file_is_private(authority: Layout) -> None:
    files = list(authority.pki.iterdir())
    assert {f"{name}.{kind}" for name in pki.USERS for kind in ("crt", "key", "kubeconfig")} <= {path.name for path in files}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert stat.S_IMODE(authority.pki.stat().st_mode) == 0o700


def test_a_kubeconfig_is_self_contained(authority: Layout) -> None:
    found = json.loads(authority.kubeconfig("source-controller").read_text())
    (user,), (cluster,) = found["users"], found["clusters"]
    assert cluster["cluster"]["server"] == "https://127.0.0.1:6443"
    assert base64.b64decode(cluster["cluster"]["certificate-authority-data"]) == (authority.pki / "ca.crt").read_bytes()
    assert base64.b64decode(user["user"]["client-key-data"]) == (authority.pki / "source-controller.key").read_bytes()


def test_complete_certificates_are_kept_and_incomplete_ones_recreated(layout: Layout) -> None:
    pki.ensure_pki(layout, "10.96.0.1")
    before = (layout.pki / "ca.crt").read_bytes()
    pki.ensure_pki(layout, "10.96.0.1")
    assert (layout.pki / "ca.crt").read_bytes() == before
    (layout.pki / "complete").unlink()
    pki.ensure_pki(layout, "10.96.0.1")
    assert (layout.pki / "ca.crt").read_bytes() != before
    certificate(layout, "kwok").verify_directly_issued_by(certificate(layout, "ca"))


def test_free_ports_are_kept_and_used_ones_replaced(layout: Layout) -> None:
    import socket

    ensure_ports(layout)
    first = ports(layout)
    ensure_ports(layout)
    assert ports(layout) == first
    with socket.create_server(("127.0.0.1", first["git-server"])):
        assert not is_free(first["git-server"])
        ensure_ports(layout)
    assert {name for name, port in ports(layout).items() if port != first[name]} == {"git-server"}


def test_only_the_ports_of_the_named_components_move(layout: Layout) -> None:
    ensure_ports(layout)
    first = ports(layout)
    move_ports(layout, ("source-controller", "etcd"))
    moved = {name for name, port in ports(layout).items() if port != first[name]}
    assert moved == {"source-controller-artifacts", "source-controller-health"}


def test_free_ports_are_unique_and_unused() -> None:
    found = free_ports(20)
    assert len(set(found)) == 20
    assert all(is_free(port) for port in found)


@pytest.mark.parametrize("content", ["", "[]", "{", '"text"'])
def test_an_invalid_file_is_ignored(layout: Layout, content: str) -> None:
    (layout.folder / "ports.json").write_text(content)
    assert private_files.read_json(layout.folder / "ports.json") == {}
    ensure_ports(layout)
    assert set(ports(layout)) == set(PORTS)


def test_a_folder_that_cannot_be_created_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DevloopError, match=r"cannot write .*: Not a directory") as caught:
        Layout(tmp_path / "file" / "demo").make()
    assert "XDG_STATE_HOME" in str(caught.value.hint)


def test_etcd_peer_addresses_are_unused(context: ComponentContext) -> None:
    for name in ("advertise-client-urls", "initial-advertise-peer-urls"):
        host = flags(control_plane.etcd(context))[name].removeprefix("http://").rpartition(":")[0]
        assert ipaddress.ip_address(host).is_loopback


def test_temporary_files_are_in_memory_if_there_is_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = tmp_path / "memory"
    memory.mkdir()
    monkeypatch.setattr("devloop.runtime.layout.MEMORY", memory)
    monkeypatch.setattr("devloop.runtime.layout.MIN_FREE_MEMORY", 0)
    layout = Layout(tmp_path / "state")
    layout.make()
    layout.make()
    assert layout.temporary.resolve() == layout.memory
    assert layout.memory.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("obstacle", ["no space", "no file system", "foreign link"])
def test_temporary_files_are_on_disk_if_memory_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, obstacle: str) -> None:
    memory = tmp_path / "memory"
    monkeypatch.setattr("devloop.runtime.layout.MEMORY", memory)
    monkeypatch.setattr("devloop.runtime.layout.MIN_FREE_MEMORY", 1 << 60 if obstacle == "no space" else 0)
    layout = Layout(tmp_path / "state")
    if obstacle != "no file system":
        memory.mkdir()
    if obstacle == "foreign link":
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        layout.memory.symlink_to(elsewhere)
    layout.make()
    assert not layout.temporary.is_symlink()
    assert layout.temporary.stat().st_mode & 0o777 == 0o700
