"""kind.yaml: complete, and what is said of one that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from devloop.errors import InputError
from devloop.model.cluster.definition import PortMapping
from devloop.model.cluster.kind_config import FIELDS, KindConfiguration, read_kind

HEAD = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n"
CASES = Path(__file__).parents[4].parent / "shared" / "cases"

COMPLETE = """
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
name: local
featureGates: {CSIMigration: true}
runtimeConfig: {api/alpha: "false", api/beta: true}
kubeadmConfigPatches: ["kind: InitConfiguration"]
kubeadmConfigPatchesJSON6902: [{group: kubeadm.k8s.io, version: v1beta3, kind: ClusterConfiguration, patch: "- op: add"}]
containerdConfigPatches: ["[plugins]"]
containerdConfigPatchesJSON6902: ["[]"]
nodes:
  - role: control-plane
    image: kindest/node:v1.31.2@sha256:abc
    labels: {ingress-ready: true, tier: "1"}
    kubeadmConfigPatches: ["kind: InitConfiguration"]
    kubeadmConfigPatchesJSON6902: [{group: kubeadm.k8s.io, version: v1beta3, kind: ClusterConfiguration, patch: "- op: add"}]
    extraMounts:
      - {hostPath: ./data, containerPath: /data, readOnly: true, selinuxRelabel: false, propagation: HostToContainer}
    extraPortMappings:
      - {containerPort: 30080, hostPort: 80, listenAddress: 0.0.0.0, protocol: TCP}
      - {containerPort: 30081, hostPort: -1}
      - {containerPort: 30082}
  - role: worker
  - {}
networking:
  ipFamily: dual
  apiServerPort: 6443
  apiServerAddress: 127.0.0.1
  podSubnet: 10.1.0.0/16,fd00::/56
  serviceSubnet: 10.2.0.0/16
  disableDefaultCNI: true
  kubeProxyMode: ipvs
  dnsSearch: [example.com]
"""


def read(text: str, **variables: str) -> KindConfiguration:
    return read_kind(text, "kind.yaml", variables)


def test_a_file_with_every_field() -> None:
    kind = read(COMPLETE, ANY="x")
    assert not kind.problems
    assert not kind.warnings
    assert {field.replace("[0]", "[]") for field in kind.lines} >= set(FIELDS)
    assert (kind.name, kind.disable_default_cni, kind.service_subnet) == ("local", True, "10.2.0.0/16")
    assert kind.kubernetes_version == "v1.31.2"
    first, *others = kind.nodes
    assert [node.role for node in kind.nodes] == ["control-plane", "worker", "control-plane"]
    assert first.labels == {"ingress-ready": "true", "tier": "1"}
    assert first.raw["extraMounts"][0]["containerPath"] == "/data"
    assert first.port_mappings == (PortMapping(30080, 80, "TCP", "0.0.0.0"), PortMapping(30081, 0), PortMapping(30082, 0))
    assert not any(node.port_mappings for node in others)
    assert kind.raw["runtimeConfig"] == {"api/alpha": "false", "api/beta": "true"}
    assert kind.lines["nodes[0].extraPortMappings[1].hostPort"] == 21


@pytest.mark.parametrize("text", [HEAD, HEAD + "nodes:\nnetworking: ~\nname: ''\nfeatureGates: {}\n", "---\n# Kind\n" + HEAD])
def test_an_empty_configuration(text: str) -> None:
    kind = read(text)
    assert not kind.problems
    assert (kind.name, kind.nodes, kind.disable_default_cni, kind.kubernetes_version) == ("", (), False, "")


def test_variables() -> None:
    kind = read(HEAD + "name: ${NAME}\nnetworking: {podSubnet: '${PODS:-10.9.0.0/16}'}\nnodes: [{image: '${IMAGE}'}]\n", NAME="a")
    assert (kind.name, kind.pod_subnet, kind.nodes[0].image) == ("a", "10.9.0.0/16", "")
    assert [str(warning) for warning in kind.warnings] == ["kind.yaml:5: variable IMAGE is not set, so nodes[0].image is empty"]


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("node: []", "unknown key node", "did you mean nodes?"),
        ("networking: {disableDefaultCni: true}", "unknown key networking.disableDefaultCni", "did you mean networking.disableDefaultCNI?"),
        ("disableDefaultCNI: true", "unknown key disableDefaultCNI", "did you mean networking.disableDefaultCNI?"),
        ("nodes: [{}, {rol: worker}]", "unknown key nodes[1].rol", "did you mean role?"),
        ("nodes: [{}, {role: master}]", "nodes[1].role is 'master', allowed: control-plane, worker", ""),
        ("nodes: [{}, {role: Worker}]", "nodes[1].role is 'Worker', allowed: control-plane, worker", "did you mean worker?"),
        ("nodes: [{role: worker}]", "nodes has no control-plane", "add `- role: control-plane`"),
        ("nodes: {role: worker}", "nodes must be a list, not a mapping", ""),
        ("nodes: [control-plane]", "nodes[0] must be a mapping, not text", ""),
        ("nodes: [{extraPortMappings: [{hostPort: 80}]}]", "nodes[0].extraPortMappings[0].containerPort is missing", "add containerPort"),
        (
            "nodes: [{extraPortMappings: [{containerPort: 0}]}]",
            "nodes[0].extraPortMappings[0].containerPort is 0, the minimum is 1",
            "",
        ),
        (
            "nodes: [{extraPortMappings: [{containerPort: 80, hostPort: 65536}]}]",
            "nodes[0].extraPortMappings[0].hostPort is 65536, the maximum is 65535",
            "",
        ),
        (
            "nodes: [{extraPortMappings: [{containerPort: 80, hostPort: '80'}]}]",
            "nodes[0].extraPortMappings[0].hostPort must be an integer, not text",
            "remove the quotes: 80",
        ),
        (
            "nodes: [{extraPortMappings: [{containerPort: 1, hostPort: 80}]}, {extraPortMappings: [{containerPort: 2, hostPort: 80}]}]",
            "nodes[1].extraPortMappings[0].hostPort is 80, which nodes[0].extraPortMappings[0] in line 3 already uses",
            "",
        ),
        ("nodes: [{labels: {a: [b]}}]", "nodes[0].labels.a must be text, not a list", ""),
        ("nodes: [{extraMounts: [{hostPath: a}]}]", "nodes[0].extraMounts[0].containerPath is missing", "add containerPath"),
        ("featureGates: {A: 'true'}", "featureGates.A must be true or false, not text", "remove the quotes: true"),
        (
            "networking: {ipFamily: IPv4}",
            "networking.ipFamily is 'IPv4', allowed: ipv4, ipv6, dual",
            "did you mean ipv4 or ipv6?",
        ),
        ("networking: {podSubnet: 10.0.0.1}", "networking.podSubnet is '10.0.0.1', it must be a subnet like 10.244.0.0/16", ""),
        (
            "networking: {serviceSubnet: 10.0.0.0/33}",
            "networking.serviceSubnet is '10.0.0.0/33', it must be a subnet like 10.244.0.0/16",
            "",
        ),
        ("name: Local", "name is 'Local', it must be lower case letters, digits, dashes and dots", ""),
        ("containerdConfigPatches: a", "containerdConfigPatches must be a list of texts, not text", ""),
    ],
)
def test_problem(text: str, message: str, hint: str) -> None:
    [problem] = read(HEAD + text + "\n").problems
    assert (str(problem), str(problem.hint)) == (f"kind.yaml:3: {message}", hint)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "kind.yaml: the file is empty"),
        ("apiVersion: ksail.io/v1alpha1\nkind: Cluster\n", "kind.yaml:1: this is a KSail definition (apiVersion 'ksail.io/v1alpha1')"),
        ("apiVersion: k3d.io/v1alpha5\nkind: Simple\n", "kind.yaml:1: this is a k3d configuration (apiVersion 'k3d.io/v1alpha5')"),
        ("apiVersion: v1\nkind: ConfigMap\n", "kind.yaml:1: this is an object of kind 'ConfigMap' (apiVersion 'v1')"),
        (
            "apiVersion: kind.sigs.k8s.io/v1alpha3\nkind: Cluster\n",
            "kind.yaml:1: this is an outdated Kind configuration (apiVersion 'kind.sigs.k8s.io/v1alpha3')",
        ),
    ],
)
def test_no_kind_configuration_at_all(text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read(text)
    assert str(caught.value.problems[0]).removesuffix(", not a Kind configuration") == message


def test_a_version_that_does_not_exist() -> None:
    [problem] = read("kind: Cluster\napiVersion: kind.x-k8s.io/v1\n").problems
    assert str(problem) == "kind.yaml:2: apiVersion is 'kind.x-k8s.io/v1', allowed: kind.x-k8s.io/v1alpha4"
    assert str(problem.hint) == "did you mean kind.x-k8s.io/v1alpha4?"


@pytest.mark.parametrize(
    ("networking", "expected"),
    [
        ("podSubnet: 'fd00::/56'", "one IPv4 subnet, because networking.ipFamily is ipv4"),
        ("podSubnet: '10.1.0.0/16,10.2.0.0/16'", "one IPv4 subnet, because networking.ipFamily is ipv4"),
        ("ipFamily: ipv6, podSubnet: '10.1.0.0/16'", "one IPv6 subnet, because networking.ipFamily is ipv6"),
        ("ipFamily: dual, podSubnet: '10.1.0.0/16, fd00::/56'", "a subnet like 10.244.0.0/16, without blanks"),
        ("ipFamily: dual, podSubnet: '10.1.0.0/16,10.2.0.0/16'", "one subnet, or one of each family"),
        ("ipFamily: dual, podSubnet: '10.1.0.0/16,fd00::/56,fd01::/56'", "one subnet, or one of each family"),
        ("ipFamily: dual, podSubnet: '10.1.0.0/16,fd00::/56'", ""),
        ("ipFamily: dual, podSubnet: 'fd00::/56'", ""),
    ],
)
def test_subnets_fit_the_family(networking: str, expected: str) -> None:
    problems = [problem.message.partition("it must be ")[2] for problem in read(HEAD + f"networking: {{{networking}}}\n").problems]
    assert problems == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ("", "listenAddress: 127.0.0.1, ", "hostPort is 80, which nodes[0].extraPortMappings[0] in line 3 already uses"),
        (
            "listenAddress: 127.0.0.1, ",
            "listenAddress: '::', ",
            "hostPort is 80, which nodes[0].extraPortMappings[0] in line 3 already uses",
        ),
        ("listenAddress: 127.0.0.1, ", "listenAddress: 127.0.0.2, ", ""),
        ("", "protocol: udp, ", ""),
        ("", "listenAddress: localhost, ", "listenAddress is 'localhost', it must be an IP address"),
    ],
)
def test_addresses_of_one_port(first: str, second: str, message: str) -> None:
    ports = f"[{{{first}containerPort: 1, hostPort: 80}}, {{{second}containerPort: 2, hostPort: 80}}]"
    problems = [problem.message for problem in read(HEAD + f"nodes: [{{extraPortMappings: {ports}}}]\n").problems]
    assert problems == ([f"nodes[0].extraPortMappings[1].{message}"] if message else [])


def test_what_kind_reads_more_loosely() -> None:
    kind = read(HEAD + "name: 2026\nnetworking: {dnsSearch: [1.10]}\nnodes: [{extraPortMappings: [{containerPort: 53, protocol: Udp}]}]\n")
    assert (kind.problems, kind.name, kind.raw["networking"]["dnsSearch"]) == ((), "2026", ["1.10"])
    assert kind.nodes[0].port_mappings == (PortMapping(53, 0, "UDP"),)


@pytest.mark.skipif(not CASES.is_dir(), reason=f"{CASES} is not there")
def test_real_configuration() -> None:
    kind = read((CASES / "pinniped-poc" / "kind.yaml").read_text())
    assert not kind.problems
    assert kind.name == "ksail-default"
    assert kind.nodes[0].port_mappings == (PortMapping(30010, 80), PortMapping(30011, 443))
