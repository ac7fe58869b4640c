"""The KSail reader: every generation complete, every rule, and what is said of files that are wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from devloop.model.cluster.definition import ClusterDefinition, NetworkConfiguration, PortMapping, SopsSettings, ToolingConfiguration
from devloop.model.cluster.kind_config import KindConfiguration
from devloop.model.ksail import read_ksail
from devloop.model.ksail.detection import GENERATIONS

from .complete import COMPLETE_G1, COMPLETE_G2, COMPLETE_G3, DEPRECATED
from .definitions import NEW, OLD, load, said

CASES = Path(__file__).parents[4].parent / "shared" / "cases"


@pytest.mark.parametrize(("text", "name"), [(COMPLETE_G1, "G1"), (COMPLETE_G2, "G2"), (COMPLETE_G3, "G3")])
def test_a_file_with_every_field_is_accepted_without_a_word(text: str, name: str) -> None:
    statement = read_ksail(text, "ksail.yaml", {})
    assert statement.generation.name == name
    assert not statement.checked.problems
    assert not statement.checked.warnings
    written = {field.replace("[0]", "[]") for field in statement.checked.lines}
    assert set(statement.generation.fields) - set(DEPRECATED) <= written


def test_g1_in_todays_words() -> None:
    definition = load(COMPLETE_G1, "name: local\nnetworking: {disableDefaultCNI: true}\n")
    assert (definition.name, definition.generation, definition.distribution) == ("local", "G1", "Vanilla")
    assert (definition.source_directory, definition.entry_path) == ("k8s", "clusters/local")
    assert definition.tooling == ToolingConfiguration("Flux", metrics_server="Disabled", csi="Enabled")
    assert definition.sops == SopsSettings("Enabled", public_keys=("age1abc",))
    assert (definition.timeout, definition.context) == (240.0, "kind-local")
    assert definition.network.cni == "Cilium"
    assert definition.lines["spec.project.cni"] == 14
    assert definition.lines["spec.mirrorRegistries[0].proxy.url"] == 27
    assert not definition.warnings
    assert not definition.blockers


def test_g2_in_todays_words() -> None:
    definition = load(COMPLETE_G2)
    assert (definition.name, definition.generation, definition.distribution) == ("dev", "G2", "Vanilla")
    assert (definition.source_directory, definition.entry_path) == ("manifests", ".")
    assert definition.tooling == ToolingConfiguration("Flux", metrics_server="Disabled", cert_manager="Enabled", csi="Enabled")
    assert (definition.timeout, definition.kubeconfig, definition.network.cni) == (5400.0, "kubeconfig", "Calico")


def test_g3_in_todays_words() -> None:
    definition = load(COMPLETE_G3)
    assert (definition.name, definition.generation, definition.kubernetes_version) == ("local", "G3", "v1.32.0")
    assert [node.role for node in definition.nodes] == ["control-plane"] * 3 + ["worker"] * 2
    assert definition.tooling == ToolingConfiguration("Flux", "Enabled", "Enabled", "Kyverno", "Enabled", "Disabled")
    assert definition.sops == SopsSettings("Enabled", "MY_KEY", "~/keys.txt", ("age1a", "age1b"))
    assert definition.network.port_mappings == (PortMapping(80, 8080, "UDP"),)
    assert (definition.source_directory, definition.entry_path, definition.timeout) == ("k8s", "clusters/local", 2400.0)
    assert definition.lines["spec.cluster.autoscaler.node.pools[0].taints[0].effect"] == 44


@pytest.mark.parametrize(
    ("text", "generation"),
    [
        (NEW, "G3"),
        (NEW + "spec:\n", "G3"),
        (NEW + "spec: {}\n", "G3"),
        (NEW + "spec: {cluster: ~, workload: null, provider: {}, chat: {}}\nmetadata:\n", "G3"),
        (NEW + "spec: {cluster: {distribution: Vanilla, distributionConfig: kind.yaml}}\n", "G3"),
        (OLD, "G2"),
        (OLD + "spec: {}\n", "G2"),
        (OLD + "spec: {cluster: {}}\n", "G2b"),
        (NEW + "spec: {project: {}}\n", "G1"),
        (NEW + "spec: {connection: {}, deploymentTool: {flux: {source: {}}}, secretManager: {sops: {}}}\n", "G1"),
        (NEW + "spec: {distribution: {}}\n", "G1"),
        ("spec: {project: {}}\n", "G1"),
    ],
)
def test_generation_and_defaults(text: str, generation: str) -> None:
    definition = load(text, environment="Dev_1")
    metrics = "Default" if generation == "G3" else "Enabled"
    assert definition == ClusterDefinition(
        name="dev-1",
        generation=generation,
        path="ksail.yaml",
        tooling=ToolingConfiguration(metrics_server=metrics),
        lines=definition.lines,
    )


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        (NEW + "spec: {project: {distribution: Native}}", "distribution", "Vanilla"),
        (NEW + "spec: {project: {distribution: K3s}}", "distribution", "K3s"),
        (NEW + "spec: {project: {distribution: K3d}}", "distribution", "K3s"),
        (NEW + "spec: {project: {deploymentTool: Kubectl}}", "tooling.gitops_engine", "None"),
        (NEW + "spec: {project: {csi: None}}", "tooling.csi", "Disabled"),
        (NEW + "spec: {project: {csi: Default}}", "tooling.csi", "Default"),
        (NEW + "spec: {project: {cni: None}}", "network.cni", "None"),
        (NEW + "spec: {project: {secretManager: None}}", "sops.enabled", "Disabled"),
        (NEW + "spec: {project: {secretManager: true}}", "sops.enabled", "Enabled"),
        (NEW + "spec: {project: {mirrorRegistries: DockerRegistry}}", "name", "local"),
        (NEW + "spec: {project: {kustomizationPath: k8s}}", "entry_path", "."),
        (NEW + "spec: {project: {kustomizationPath: ./a//b/./c}}", "entry_path", "b/c"),
        (NEW + "spec: {project: {kustomizationPath: ./a//b/./c}}", "source_directory", "a"),
        (OLD + "spec: {distribution: K3d}", "distribution", "K3s"),
        (OLD + "spec: {cluster: {distribution: Kind, csi: LocalPathStorage, localRegistry: Enabled}}", "tooling.csi", "Enabled"),
        (OLD + "spec: {cluster: {distribution: Talos, options: {flux: {interval: 1m}}}}", "distribution", "Talos"),
        (NEW + "spec: {cluster: {distribution: EKS}}", "provider", "AWS"),
        (NEW + "spec: {cluster: {metricsServer: yes}}", "tooling.metrics_server", "Enabled"),
        (NEW + "spec: {cluster: {certManager: off}}", "tooling.cert_manager", "Disabled"),
        (NEW + "spec: {cluster: {cni: ''}}", "network.cni", "Default"),
        (NEW + "spec: {cluster: {controlPlanes: 0, talos: {workers: 2}}}", "nodes.2.role", "worker"),
        (NEW + "spec: {cluster: {sops: {ageKeyEnvVar: A}}}", "sops.key_env_var", "A"),
        (NEW + "spec: {cluster: {sops: {ageKeyEnvVar: A, env: {var: B}}}}", "sops.key_env_var", "B"),
        (NEW + "spec: {cluster: {connection: {kubeconfig: /tmp/config}}}", "kubeconfig", "/tmp/config"),
        (NEW + "spec: {cluster: {connection: {timeout: 300ms}}}", "timeout", 0.3),
        (NEW + "spec: {cluster: {connection: {timeout: 1h30m}}}", "timeout", 5400.0),
        (NEW + "spec: {cluster: {connection: {timeout: 1.5h}}}", "timeout", 5400.0),
        (NEW + "spec: {workload: {kustomizationFile: ./clusters//local/}}", "entry_path", "clusters/local"),
        (NEW + "spec: {workload: {kustomizationFile: ''}}", "entry_path", "."),
        (NEW + 'spec: {workload: {sourceDirectory: "${FOLDER}/a"}}', "source_directory", "k8s/a"),
        (NEW + "spec: {workload: {sourceDirectory: '${NONE:-x}${EMPTY:-y}${FOLDER:-z}'}}", "source_directory", "xyk8s"),
        (NEW + "spec: {cluster: {cni: '${CNI:-Cilium}'}}", "network.cni", "Cilium"),
    ],
)
def test_value(text: str, field: str, value: object) -> None:
    found: Any = load(text, FOLDER="k8s", EMPTY="")
    for part in field.split("."):
        found = found[int(part)] if part.isdigit() else getattr(found, part)
    assert found == value


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("", None, "staging"),
        ("metadata: {name: meta}\n", None, "meta"),
        ("metadata: {name: meta}\n", "", "meta"),
        ("metadata: {name: meta}\nspec: {cluster: {connection: {context: kind-ctx}}}\n", "", "ctx"),
        ("metadata: {name: meta}\nspec: {cluster: {connection: {context: kind-ctx}}}\n", "name: file\n", "file"),
        ("metadata: {name: meta}\nspec: {cluster: {connection: {context: other}}}\n", None, "meta"),
        ("metadata: {name: meta}\nspec: {cluster: {distribution: Talos, connection: {context: admin@ctx}}}\n", None, "ctx"),
        ("metadata: {name: meta}\nspec: {project: {}}\n", "", "meta"),
        ("spec: {project: {}}\n", "name: file\n", "file"),
    ],
)
def test_name(text: str, kind: str | None, name: str) -> None:
    assert load(NEW + text, kind, environment="staging").name == name


def test_what_kind_says_of_nodes_and_network_counts() -> None:
    kind = """
name: local
nodes:
  - image: kindest/node:v1.31.2@sha256:abc
    extraPortMappings: [{containerPort: 30080, hostPort: 80}]
  - role: worker
networking: {podSubnet: 10.1.0.0/16, serviceSubnet: 10.2.0.0/16, disableDefaultCNI: true}
"""
    definition = load(NEW + "spec: {cluster: {cni: Cilium, workers: 5}}\n", kind)
    assert [node.role for node in definition.nodes] == ["control-plane", "worker"]
    assert definition.network == NetworkConfiguration("Cilium", True, "10.1.0.0/16", "10.2.0.0/16", (PortMapping(30080, 80),))
    assert (definition.kubernetes_version, definition.kind_path) == ("v1.31.2", "kind.yaml")
    assert definition.kind_config["name"] == "local"
    assert said(definition.warnings) == [
        "ksail.yaml:3: spec.cluster.workers requests 6 nodes, but kind.yaml has 2; kind.yaml takes precedence"
    ]


@pytest.mark.parametrize(
    ("cni", "kind"),
    [
        ("Calico", "networking: {disableDefaultCNI: true}\n"),
        ("Calico", ""),
        ("Default", ""),
        ("Cilium", "networking: {disableDefaultCNI: true}\n"),
    ],
)
def test_files_that_fit_each_other(cni: str, kind: str) -> None:
    assert load(NEW + f"spec: {{cluster: {{cni: {cni}}}}}\n", kind).network.cni == cni


@pytest.mark.parametrize("generation", GENERATIONS, ids=lambda generation: generation.name)
def test_the_places_of_a_generation_are_fields(generation: Any) -> None:
    sections = {place for place in generation.places.values() if place not in generation.fields}
    assert all(any(name.startswith((place + ".", place + "[]")) for name in generation.fields) for place in sections)


@pytest.mark.skipif(not CASES.is_dir(), reason=f"{CASES} is not there")
@pytest.mark.parametrize(
    ("path", "generation", "entry_path", "nodes"),
    [
        ("pinniped-poc/ksail.yaml", "G1", ".", 1),
        ("platform-template/ksail.yaml", "G3", "clusters/local", 4),
        ("platform-template/ksail.prod.yaml", "G3", "clusters/prod", 7),
    ],
)
def test_real_definition(path: str, generation: str, entry_path: str, nodes: int) -> None:
    definition = load((CASES / path).read_text())
    assert (definition.generation, definition.source_directory, definition.entry_path) == (generation, "k8s", entry_path)
    assert len(definition.nodes) == nodes


def test_no_kind_configuration_is_fine() -> None:
    assert load(NEW).kind_path == ""
    assert KindConfiguration("kind.yaml").kubernetes_version == ""
