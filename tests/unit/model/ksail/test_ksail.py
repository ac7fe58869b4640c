"""The KSail reader: every generation complete, every rule, and what is said of files that are wrong."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from devloop.diagnostic import Diagnostic
from devloop.errors import InputError
from devloop.model.cluster.definition import ClusterDefinition, NetworkConfiguration, PortMapping, SopsSettings, ToolingConfiguration
from devloop.model.cluster.kind_config import KindConfiguration, read_kind
from devloop.model.ksail import read_ksail, resolve_definition, source_as_written
from devloop.model.ksail.detection import GENERATIONS

NEW = "apiVersion: ksail.io/v1alpha1\nkind: Cluster\n"
OLD = "apiVersion: ksail.dev/v1alpha1\nkind: Cluster\n"
KIND = "apiVersion: kind.x-k8s.io/v1alpha4\nkind: Cluster\n"

CASES = Path(__file__).parents[4].parent / "shared" / "cases"


def load(text: str, kind: str | None = None, environment: str = "local", **variables: str) -> ClusterDefinition:
    statement = read_ksail(text, "ksail.yaml", variables)
    configuration = None if kind is None else read_kind(KIND + kind, "kind.yaml", variables)
    return resolve_definition(statement, configuration, source_directory=source_as_written(statement), environment=environment)


def problems(text: str, kind: str | None = None, **variables: str) -> list[tuple[str, str]]:
    with pytest.raises(InputError) as caught:
        load(text, kind, **variables)
    return [(str(problem), str(problem.hint)) for problem in caught.value.problems]


def said(found: tuple[Diagnostic, ...]) -> list[str]:
    return [str(problem) for problem in found]


# -- every field of every generation -----------------------------------------------------------------------------------------------

COMPLETE_G1 = """
apiVersion: ksail.io/v1alpha1
kind: Cluster
metadata: {name: local}
spec:
  connection: {kubeconfig: ~/.kube/config, context: kind-local, timeout: 4m}
  project:
    configPath: ksail.yaml
    distributionConfigPath: kind.yaml
    kustomizationPath: ./k8s/clusters/local/
    containerEngine: Docker
    distribution: Kind
    deploymentTool: Flux
    cni: Cilium
    csi: LocalPathProvisioner
    ingressController: Traefik
    gatewayController: None
    metricsServer: false
    secretManager: SOPS
    editor: Vim
    mirrorRegistries: true
  deploymentTool: {flux: {source: {url: "oci://ksail-registry:5000/ksail-registry"}}}
  distribution: {showAllClustersInListings: true}
  secretManager: {sops: {publicKey: age1abc, inPlace: true, showAllKeysInListings: true, showPrivateKeysInListings: false}}
  localRegistry: {name: ksail-registry, hostPort: 5555, provider: Docker}
  generator: {overwrite: true}
  mirrorRegistries: [{name: docker.io-proxy, hostPort: 5557, provider: Podman, proxy: {url: "https://registry-1.docker.io"}}]
  publication: {publishOnUpdate: false}
  validation: {validateOnUp: true, reconcileOnUp: true, validateOnUpdate: true, reconcileOnUpdate: true, verbose: true}
"""

COMPLETE_G2 = """
apiVersion: ksail.dev/v1alpha1
kind: Cluster
spec:
  distribution: Kind
  distributionConfig: kind.yaml
  sourceDirectory: manifests
  editor: nano
  connection: {kubeconfig: ./kubeconfig, context: kind-dev, timeout: 1h30m}
  cni: Calico
  csi: LocalPathStorage
  metricsServer: Disabled
  certManager: Enabled
  localRegistry: Enabled
  gitOpsEngine: Flux
  options:
    flux: {interval: 1m}
    localRegistry: {hostPort: 5111}
    kind: {}
    k3d: {}
    cilium: {}
    calico: {}
    argocd: {}
    helm: {}
    kustomize: {}
"""

COMPLETE_G3 = """
apiVersion: ksail.io/v1alpha1
kind: Cluster
metadata: {name: local}
spec:
  editor: code --wait
  cluster:
    distributionConfig: kind.yaml
    connection: {kubeconfig: ~/.kube/config, context: kind-local, timeout: 40m}
    distribution: Vanilla
    provider: Docker
    cni: Calico
    csi: Enabled
    cdi: Disabled
    metricsServer: true
    loadBalancer: false
    certManager: true
    imageVerification: Disabled
    policyEngine: Kyverno
    localRegistry:
      registry: localhost:5050
      credentials: {tokenEnvVar: A, cliTokenEnvVar: B, clusterTokenEnvVar: C}
    gitOpsEngine: Flux
    sops: {enabled: Enabled, env: {var: MY_KEY}, extract: {file: ~/keys.txt, publicKeys: [age1a, age1b]}}
    autoscaler:
      pod: {horizontal: Enabled, vertical: Disabled}
      node:
        enabled: true
        maxNodesTotal: 10
        expander: [LeastWaste, Price]
        scaleDownUnneededTime: 10m
        scaleDownUtilizationThreshold: "0.5"
        capacityBuffers: true
        ignoreDaemonsetsUtilization: true
        skipNodesWithLocalStorage: false
        skipNodesWithSystemPods: false
        pools:
          - name: small
            serverType: cx23
            location: fsn1
            min: 0
            max: 2
            labels: {tier: small, spot: true}
            taints: [{key: a, value: b, effect: NoSchedule}]
    importImages: images.txt
    controlPlanes: 3
    workers: 2
    kubernetesVersion: v1.32.0
    oidc: {issuerURL: a, clientID: b, extraScopes: [c], usernameClaim: d, usernamePrefix: e, groupsClaim: f, groupsPrefix: g, caFile: h}
    vanilla: {mirrorsDir: kind/mirrors}
    talos:
      version: v1.12.4
      config: ~/.talos/config
      iso: 125127
      schematicId: abc
      extensions: [siderolabs/iscsi-tools]
      extraPortMappings: [{containerPort: 80, hostPort: 8080, protocol: UDP}]
      drainTimeout: 5m
      storageHealthTimeout: 90s
    eks: {experimentalAWSLoadBalancerController: true, awsLoadBalancerControllerServiceAccount: aws.lb-controller}
  provider:
    hetzner:
      controlPlaneServerType: cx23
      workerServerType: cx23
      location: fsn1
      networkName: net
      networkCidr: 10.0.0.0/16
      sshKeyName: key
      tokenEnvVar: HCLOUD_TOKEN
      placementGroupStrategy: Spread
      placementGroup: group
      fallbackLocations: [nbg1]
      placementGroupFallbackToNone: true
      floatingIPEnabled: true
      floatingIPLocation: fsn1
      ingressFirewall: Enabled
      serverLimit: 10
      allowedCidrs: [0.0.0.0/0]
      workerPublicIPv4: true
      workerPublicIPv6: true
      controlPlanePublicIPv4: true
      controlPlanePublicIPv6: true
      autoscalerNodePoolNames: [small]
    omni:
      endpoint: a
      endpointEnvVar: b
      serviceAccountKeyEnvVar: c
      talosVersion: d
      kubernetesVersion: e
      machineClass: f
      machines: [g]
    aws: {profileEnvVar: a, regionEnvVar: b, accessKeyIdEnvVar: c, secretAccessKeyEnvVar: d, sessionTokenEnvVar: e}
    gcp: {projectEnvVar: a, locationEnvVar: b}
    azure: {subscriptionIdEnvVar: a, resourceGroupEnvVar: b}
    kubernetes:
      kubeconfig: a
      kubeconfigEnvVar: b
      context: c
      contextEnvVar: d
      gatewayClassName: e
      podCidr: 10.64.0.0/16
      serviceCidr: 10.128.0.0/16
      persistence: {enabled: true, storageClassName: f, size: 20Gi}
  workload:
    sourceDirectory: k8s
    validateOnPush: true
    tag: dev
    kustomizationFile: clusters/local
    flux:
      operatorVersion: a
      distributionVersion: 2.x
      verify: {provider: cosign, secretRef: {name: a}, matchOIDCIdentity: [{issuer: b, subject: c}]}
    watch: {hooks: [make]}
    validation: {skipKinds: [Coroot], schemaLocations: [a], helmRender: false, rules: b}
    scan: {exceptions: a, frameworks: [nsa], complianceThreshold: 80}
  chat: {model: gpt, reasoningEffort: low}
"""

# Deprecated ones are left out of the complete files, they have a warning each.
DEPRECATED = {
    "spec.project.provider": "Docker",
    "spec.validation.lintOnUp": "true",
    "spec.validation.lintOnUpdate": "true",
    "spec.cluster.sops.ageKeyEnvVar": "KEY",
    "spec.cluster.nodeAutoscaling": "Enabled",
    "spec.cluster.talos.controlPlanes": "1",
    "spec.cluster.talos.workers": "1",
    "spec.cluster.talos.imageVerification": "Disabled",
}


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


# -- values ------------------------------------------------------------------------------------------------------------------------


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


# -- problems ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        # keys
        ("spec: {cluster: {cnii: Cilium}}", "unknown key spec.cluster.cnii", "did you mean cni?"),
        ("spec: {cluster: {CNI: Cilium}}", "unknown key spec.cluster.CNI", "did you mean spec.cluster.cni?"),
        ("spec: {cluster: {name: a}}", "unknown key spec.cluster.name", "did you mean metadata.name?"),
        ("spec: {workload: {cni: Cilium}}", "unknown key spec.workload.cni", "did you mean spec.cluster.cni?"),
        ("spec: {cluster: {timeout: 5m}}", "unknown key spec.cluster.timeout", "did you mean spec.cluster.connection.timeout?"),
        ("spec: {cluster: {}, foo: 1}", "unknown key spec.foo", "spec may have chat, cluster, editor, provider, workload"),
        ("specs: {}", "unknown key specs", "did you mean spec?"),
        ("foo: {}", "unknown key foo", "the file may have apiVersion, kind, metadata, spec"),
        ("metadata: {labels: {}}", "unknown key metadata.labels", "metadata may have name"),
        (
            "spec: {cluster: {autoscaler: {node: {pools: [{name: a}, {nam: b}]}}}}",
            "unknown key spec.cluster.autoscaler.node.pools[1].nam",
            "did you mean name?",
        ),
        (
            "spec: {cluster: {deploymentTool: Flux}}",
            "unknown key spec.cluster.deploymentTool",
            "KSail 5.16 and later calls it spec.cluster.gitOpsEngine",
        ),
        # words
        ("spec: {cluster: {cni: cilium}}", "spec.cluster.cni is 'cilium', allowed: Default, Cilium, Calico", "did you mean Cilium?"),
        (
            "spec: {cluster: {distribution: Kind}}",
            "spec.cluster.distribution is 'Kind', allowed: Vanilla, K3s, Talos, VCluster, KWOK, EKS, GKE, AKS",
            "did you mean Vanilla?",
        ),
        (
            "spec: {cluster: {csi: LocalPathStorage}}",
            "spec.cluster.csi is 'LocalPathStorage', allowed: Default, Enabled, Disabled",
            "did you mean Enabled?",
        ),
        ("spec: {cluster: {gitOpsEngine: Helm}}", "spec.cluster.gitOpsEngine is 'Helm', allowed: None, Flux, ArgoCD", ""),
        (
            "spec: {cluster: {sops: {enabled: AGE-SECRET-KEY-1X}}}",
            "spec.cluster.sops.enabled is a private key, allowed: Default, Enabled, Disabled",
            "",
        ),
        ("spec: {cluster: {cni: '${TOKEN}'}}", "spec.cluster.cni is '${TOKEN}', allowed: Default, Cilium, Calico", ""),
        # types
        ("spec: []", "spec must be a mapping, not a list", ""),
        ("metadata: local", "metadata must be a mapping, not text", ""),
        (
            "spec: {cluster: {kubernetesVersion: 1.30}}",
            "spec.cluster.kubernetesVersion must be text, not a number",
            'quote it: "1.30"',
        ),
        ("spec: {cluster: {workers: '3'}}", "spec.cluster.workers must be an integer, not text", "remove the quotes: 3"),
        (
            "spec: {cluster: {workers: '${N}'}}",
            "spec.cluster.workers must be an integer, not text",
            "variables are expanded in strings only",
        ),
        ("spec: {cluster: {workers: 1.5}}", "spec.cluster.workers must be an integer, not a number", ""),
        ("spec: {cluster: {workers: true}}", "spec.cluster.workers must be an integer, not true or false", ""),
        ("spec: {cluster: {cni: [Cilium]}}", "spec.cluster.cni must be one of Default, Cilium, Calico, not a list", ""),
        ("spec: {cluster: {certManager: 1}}", "spec.cluster.certManager must be one of Enabled, Disabled, not an integer", ""),
        ("spec: {workload: {validateOnPush: Enabled}}", "spec.workload.validateOnPush must be true or false, not text", ""),
        ("spec: {workload: {watch: {hooks: make}}}", "spec.workload.watch.hooks must be a list of texts, not text", ""),
        ("spec: {workload: {watch: {hooks: [make, {}]}}}", "spec.workload.watch.hooks[1] must be text, not a mapping", ""),
        ("spec: {cluster: {autoscaler: {node: {pools: {}}}}}", "spec.cluster.autoscaler.node.pools must be a list, not a mapping", ""),
        ("spec: {cluster: {connection: kind-a}}", "spec.cluster.connection must be a mapping, not text", ""),
        # constraints
        ("spec: {cluster: {workers: -1}}", "spec.cluster.workers is -1, the minimum is 0", ""),
        (
            "metadata: {name: Local}",
            "metadata.name is 'Local', it must be lower case letters, digits and dashes, a letter first",
            "",
        ),
        (f"metadata: {{name: {'a' * 64}}}", "metadata.name has 64 characters, at most 63 are allowed", ""),
        (
            "spec: {cluster: {connection: {timeout: 1d12h}}}",
            "spec.cluster.connection.timeout is '1d12h', it must be a duration like 90s, 10m or 1h30m",
            "",
        ),
        (
            "spec: {cluster: {connection: {timeout: 0s}}}",
            "spec.cluster.connection.timeout '0s' is not a duration",
            "use a format like 90s, 10m or 1h30m",
        ),
        ("spec: {cluster: {connection: {timeout: 999h}}}", "spec.cluster.connection.timeout is 999h, the maximum is one week", ""),
        # values that do not go together
        ("spec: {cluster: {distribution: EKS, provider: Docker}}", "spec.cluster.provider is Docker, but EKS runs on AWS", ""),
        (
            "spec: {cluster: {distribution: KWOK, provider: Hetzner}}",
            "spec.cluster.provider is Hetzner, but KWOK runs on Docker or Kubernetes",
            "",
        ),
        (
            "spec: {workload: {kustomizationFile: a/kustomization.yaml}}",
            "spec.workload.kustomizationFile is 'a/kustomization.yaml', but despite its name this field takes a folder",
            "write a",
        ),
        (
            "spec: {cluster: {connection: {context: kind-../x}}}",
            "spec.cluster.connection.context sets the cluster name to '../x'"
            ", which is invalid: use at most 63 lower case letters, digits, dashes and dots",
            "",
        ),
    ],
)
def test_problem(line: str, message: str, hint: str) -> None:
    assert problems(NEW + line + "\n", TOKEN="geheim") == [(f"ksail.yaml:3: {message}", hint)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            NEW + "spec:\n  connection: {context: a}\n  cluster: {}\n",
            "ksail.yaml:4: spec.connection belongs to KSail 2 and 3, but spec.cluster on line 5 makes this a KSail 5.16 and later file"
            " | use instead: spec.cluster.connection",
        ),
        (
            NEW + "spec:\n  cluster: {}\n  project: {}\n",
            "ksail.yaml:5: spec.project belongs to KSail 2 and 3, but spec.cluster on line 4 makes this a KSail 5.16 and later file"
            " | convert the whole file to KSail 5.16 and later",
        ),
        (
            NEW + "spec:\n  cni: Cilium\n",
            "ksail.yaml:4: spec.cni belongs to KSail 4 to 5.5, but apiVersion on line 1 makes this a KSail 5.16 and later file"
            " | use instead: spec.cluster.cni",
        ),
        (
            NEW + "spec:\n  distribution: Kind\n",
            "ksail.yaml:4: spec.distribution belongs to KSail 4 to 5.5, but apiVersion on line 1 makes this a KSail 5.16 and later file"
            " | use instead: spec.cluster.distribution",
        ),
        (
            OLD + "spec:\n  cluster: {}\n  sourceDirectory: k8s\n",
            "ksail.yaml:5: spec.sourceDirectory belongs to KSail 4 to 5.5, but spec.cluster on line 4 makes this a KSail 5.6 to 5.15 file"
            " | use instead: spec.workload.sourceDirectory",
        ),
        (
            OLD + "metadata: {name: a}\n",
            "ksail.yaml:3: metadata belongs to KSail 5.6 to 5.15, but apiVersion on line 1 makes this a KSail 4 to 5.5 file"
            " | convert the whole file to KSail 4 to 5.5",
        ),
        (
            NEW + "spec:\n  project: {}\n  chat: {}\n",
            "ksail.yaml:5: spec.chat belongs to KSail 5.16 and later, but spec.project on line 4 makes this a KSail 2 and 3 file"
            " | convert the whole file to KSail 2 and 3",
        ),
        (
            NEW + "spec:\n  project: {distribution: Vanilla}\n",
            "ksail.yaml:4: spec.project.distribution is 'Vanilla', allowed: Kind, K3d, Native, K3s | did you mean Kind?",
        ),
        (
            NEW + "spec:\n  project: {gitOpsEngine: Flux}\n",
            "ksail.yaml:4: unknown key spec.project.gitOpsEngine | KSail 2 and 3 calls it spec.project.deploymentTool",
        ),
        (
            OLD + "spec: {options: {kind: {a: b}}}\n",
            "ksail.yaml:3: spec.options.kind must be an empty mapping, not a mapping | ",
        ),
        ("kind: Cluster\nspec: {cluster: {}}\n", "ksail.yaml:1: apiVersion is missing | add apiVersion: ksail.io/v1alpha1"),
        ("apiVersion: ksail.io/v1alpha1\n", "ksail.yaml:1: kind is missing | add kind: Cluster"),
        (
            "apiVersion: ksail.io/v1\nkind: Cluster\n",
            "ksail.yaml:1: apiVersion is 'ksail.io/v1', allowed: ksail.io/v1alpha1 | did you mean ksail.io/v1alpha1?",
        ),
        (
            "apiVersion: kasil.io/v1alpha1\nkind: Cluster\n",
            "ksail.yaml:1: apiVersion is 'kasil.io/v1alpha1', allowed: ksail.io/v1alpha1 | did you mean ksail.io/v1alpha1?",
        ),
        ("apiVersion: ksail.io/v1alpha1\nkind: cluster\n", "ksail.yaml:2: kind is 'cluster', allowed: Cluster | did you mean Cluster?"),
        (NEW + "kind: Cluster\n", "ksail.yaml:3: key kind is duplicated, first on line 2 | keep one of them"),
    ],
)
def test_problem_of_generation(text: str, expected: str) -> None:
    [(message, hint)] = problems(text)
    assert f"{message} | {hint}" == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("apiVersion: apps/v1\nkind: Deployment\n", "1: this is an object of kind 'Deployment' (apiVersion 'apps/v1')"),
        ("kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n", "2: this is a Kind configuration (apiVersion 'kind.x-k8s.io/v1alpha4')"),
        ("apiVersion: k3d.io/v1alpha5\nkind: Simple\n", "1: this is a k3d configuration (apiVersion 'k3d.io/v1alpha5')"),
        ("apiVersion: skaffold/v4beta11\nkind: Config\n", "1: this is a Skaffold configuration (apiVersion 'skaffold/v4beta11')"),
        (
            "apiVersion: fluxcd.controlplane.io/v1\nkind: FluxInstance\n",
            "1: this is a Flux Operator object (apiVersion 'fluxcd.controlplane.io/v1')",
        ),
        (
            "apiVersion: cluster.x-k8s.io/v1beta1\nkind: Cluster\n",
            "1: this is a Cluster API object (apiVersion 'cluster.x-k8s.io/v1beta1')",
        ),
        ("version: v1alpha1\nmachine: {}\n", "1: this is a Talos machine configuration"),
        ("services: {}\n", "1: this is a Compose file"),
        ("- a\n", "1: not a mapping, so not a KSail definition"),
        ("# hm\nhello\n", "2: not a mapping, so not a KSail definition"),
    ],
)
def test_a_file_of_another_tool(text: str, message: str) -> None:
    ending = "" if "mapping" in message else ", not a KSail definition"
    hint = "a KSail definition starts with `apiVersion: ksail.io/v1alpha1` and `kind: Cluster`"
    assert problems(text) == [(f"ksail.yaml:{message}{ending}", hint)]


def test_all_problems_of_both_files_at_once() -> None:
    found = problems(
        NEW + "spec:\n  cluster:\n    cni: Cilium\n    cni: Calico\n    workers: many\n  workload: {tagg: dev}\n",
        "nam: x\nnetworking:\n  podSubnet: ten\n",
    )
    assert [message for message, _ in found] == [
        "ksail.yaml:6: key cni is duplicated, first on line 5",
        "ksail.yaml:7: spec.cluster.workers must be an integer, not text",
        "ksail.yaml:8: unknown key spec.workload.tagg",
        "kind.yaml:3: unknown key nam",
        "kind.yaml:4: networking.disableDefaultCNI must be true, because ksail.yaml:5 selects Cilium",
        "kind.yaml:5: networking.podSubnet is 'ten', it must be a subnet like 10.244.0.0/16",
    ]


def test_the_error_as_a_whole_names_the_files() -> None:
    with pytest.raises(InputError, match=r"^2 problems in ksail\.yaml, kind\.yaml$"):
        load(NEW + "spec: {foo: 1}\n", "foo: 1\n")
    with pytest.raises(InputError, match=r"^ksail\.yaml:3: unknown key spec\.foo$") as caught:
        load(NEW + "spec: {foo: 1}\n")
    assert str(caught.value.hint) == "spec may have chat, cluster, editor, provider, workload"


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        (
            "spec: {cluster: {cni: Cilium}}\n",
            "networking: {disableDefaultCNI: false}\n",
            "kind.yaml:3: networking.disableDefaultCNI must be true, because ksail.yaml:3 selects Cilium",
        ),
        (
            "spec: {cluster: {cni: Cilium}}\n",
            "",
            "kind.yaml: networking.disableDefaultCNI must be true, because ksail.yaml:3 selects Cilium",
        ),
        (
            "spec: {cluster: {cni: Default}}\n",
            "networking: {disableDefaultCNI: true}\n",
            "kind.yaml:3: networking.disableDefaultCNI is true, but spec.cluster.cni in ksail.yaml is Default, "
            "so the cluster would have no network",
        ),
        (
            "metadata: {name: a}\nspec: {project: {}}\n",
            "name: b\n",
            "ksail.yaml:3: metadata.name is 'a', but kind.yaml:3 sets the cluster name to 'b'",
        ),
        (
            "",
            "name: '..'\n",
            "kind.yaml:3: name sets the cluster name to '..', which is invalid: use at most 63 lower case letters, digits, dashes and dots",
        ),
    ],
)
def test_files_that_do_not_fit_each_other(text: str, kind: str, message: str) -> None:
    assert [found for found, _ in problems(NEW + text, kind)] == [message]


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


# -- warnings and blockers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        (
            "spec: {cluster: {distribution: Talos}}",
            None,
            "spec.cluster.distribution is Talos; devloop runs plain Kubernetes instead",
        ),
        (
            "spec: {cluster: {distribution: KWOK}}",
            None,
            "spec.cluster.distribution is KWOK; devloop runs plain Kubernetes instead",
        ),
        (
            "spec: {project: {distribution: K3d}}",
            None,
            "spec.project.distribution is K3s; devloop runs plain Kubernetes instead",
        ),
        (
            "spec: {cluster: {gitOpsEngine: None}}",
            None,
            "spec.cluster.gitOpsEngine is None; devloop uses Flux anyway",
        ),
        (
            "spec: {project: {deploymentTool: Kubectl}}",
            None,
            "spec.project.deploymentTool is None; devloop uses Flux anyway",
        ),
        (
            "spec: {project: {containerEngine: Podman}}",
            None,
            "spec.project.containerEngine is Podman; devloop uses the container engine that responds, see DOCKER_HOST",
        ),
        (
            "spec: {cluster: {connection: {context: kind-b}}}",
            "name: a\n",
            "spec.cluster.connection.context is 'kind-b', but KSail's context for this cluster is kind-a",
        ),
        ("metadata: {name: b}", "name: a\n", "metadata.name is 'b', but the cluster is named a"),
        (
            "spec: {workload: {tag: '${NOPE}'}}",
            None,
            "variable NOPE is not set, so spec.workload.tag is empty",
        ),
        (
            "spec: {workload: {kustomizationFile: ../x}}",
            None,
            "spec.workload.kustomizationFile is '../x', not a folder inside the source directory; "
            "like KSail, devloop uses the source directory itself",
        ),
    ],
)
def test_warning(text: str, kind: str | None, message: str) -> None:
    definition = load(NEW + text + "\n", kind)
    assert said(definition.warnings) == [f"ksail.yaml:3: {message}"]
    assert not definition.blockers
    assert definition.entry_path == "."


@pytest.mark.parametrize("written", ["/abs", "../x", "a/../../x", "C:\\x", "a\\b"])
def test_an_entry_outside_is_the_source_directory_itself(written: str) -> None:
    assert load(NEW + f"spec: {{workload: {{kustomizationFile: '{written}'}}}}\n").entry_path == "."


@pytest.mark.parametrize(("field", "value"), DEPRECATED.items())
def test_deprecated(field: str, value: str) -> None:
    head, _, rest = field.removeprefix("spec.").partition(".")
    nested = value
    for key in reversed(rest.split(".")):
        nested = f"{{{key}: {nested}}}"
    [warning] = load(NEW + f"spec: {{{head}: {nested}}}\n").warnings
    assert str(warning).startswith(f"ksail.yaml:3: {field} is deprecated in favour of spec.")


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("distribution: GKE", ["spec.cluster.distribution is GKE; devloop creates local clusters only"]),
        (
            "distribution: EKS, provider: AWS",
            ["spec.cluster.distribution is EKS; devloop creates local clusters only"],
        ),
        ("distribution: Talos, provider: Omni", ["spec.cluster.provider is Omni; devloop creates local clusters only"]),
        ("provider: Kubernetes", ["spec.cluster.provider is Kubernetes; devloop creates local clusters only"]),
        ("gitOpsEngine: ArgoCD", ["spec.cluster.gitOpsEngine is ArgoCD; devloop reconciles with Flux only"]),
        ("workers: 99999999999", ["spec.cluster.workers requests 100000000000 nodes; devloop supports at most 100"]),
        (
            "distribution: AKS, gitOpsEngine: ArgoCD",
            [
                "spec.cluster.distribution is AKS; devloop creates local clusters only",
                "spec.cluster.gitOpsEngine is ArgoCD; devloop reconciles with Flux only",
            ],
        ),
    ],
)
def test_blocker(text: str, messages: list[str]) -> None:
    definition = load(NEW + f"spec: {{cluster: {{{text}}}}}\n")
    assert said(definition.blockers) == [f"ksail.yaml:3: {message}" for message in messages]
    assert not definition.warnings
    assert len(definition.nodes) <= 200


def test_what_a_variable_holds_stays_out_of_messages_and_the_definition() -> None:
    text = NEW + "spec: {cluster: {localRegistry: {registry: 'me:${TOKEN}@ghcr.io/a/b'}, connection: {timeout: '${TOKEN}'}}}\n"
    assert "geheim" not in str(problems(text, TOKEN="geheim"))
    assert "geheim" not in repr(load(text.replace("timeout: '${TOKEN}'", ""), TOKEN="geheim"))


# -- anything at all ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(60))
def test_whatever_happens_to_a_file_it_loads_or_is_refused_with_a_line(seed: int) -> None:
    dice = random.Random(seed)
    text = dice.choice([COMPLETE_G1, COMPLETE_G2, COMPLETE_G3])
    for _ in range(dice.randint(1, 6)):
        place, length = dice.randrange(len(text)), dice.randint(0, 12)
        text = (
            text[:place]
            + dice.choice(["", "\n", "~", "[]", "{}", ": ", "- ", "'", "${X", "${X}", "*a", "&a ", "\t", "\x7f", "9", "é"])
            + text[place + length :]
        )
    try:
        definition = load(text)
    except InputError as error:
        assert error.problems
        assert all(problem.path == "ksail.yaml" and problem.message for problem in error.problems)
    else:
        assert definition.name


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
