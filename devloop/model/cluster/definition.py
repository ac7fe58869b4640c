"""A cluster definition with every default resolved; `devloop.model.ksail` and `kind_config` parse it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from devloop.diagnostic import Diagnostic


@dataclass(frozen=True)
class PortMapping:
    """A container port of a node published on the host; `host_port` 0 means a free one."""

    container_port: int
    host_port: int
    protocol: str = "TCP"
    listen_address: str = "127.0.0.1"


@dataclass(frozen=True)
class NodeConfiguration:
    """One node; `role` is control-plane or worker, `raw` the node's mapping of kind.yaml as written."""

    role: str
    image: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    port_mappings: tuple[PortMapping, ...] = ()
    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class NetworkConfiguration:
    """`cni` is Default, Cilium, Calico or None; subnets are CIDRs."""

    cni: str = "Default"
    disable_default_cni: bool = False
    pod_subnet: str = "10.244.0.0/16"
    service_subnet: str = "10.96.0.0/16"
    port_mappings: tuple[PortMapping, ...] = ()


@dataclass(frozen=True)
class ToolingConfiguration:
    """What KSail would install in the cluster; toggles are Default, Enabled or Disabled."""

    gitops_engine: str = "None"
    metrics_server: str = "Default"
    cert_manager: str = "Disabled"
    policy_engine: str = "None"
    csi: str = "Default"
    load_balancer: str = "Default"


@dataclass(frozen=True)
class SopsSettings:
    """Where to find the Age key, never the key. `enabled` is Default (detect), Enabled or Disabled."""

    enabled: str = "Default"
    key_env_var: str = "SOPS_AGE_KEY"
    key_file: str = ""
    public_keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class ClusterDefinition:
    """One KSail cluster definition of any generation.

    `name` is the cluster's. `path`, `kind_path` ('' without kind.yaml) and `source_directory` are relative to the repository root,
    `entry_path` to `source_directory`. `timeout` in seconds, per Kustomization. `lines` maps a dotted field path to its line. `warnings`
    are about values with little or no effect here, `blockers` about those that `up` does not support (a cloud distribution, ArgoCD).
    """

    name: str
    generation: str
    path: str
    distribution: str = "Vanilla"
    provider: str = "Docker"
    kubernetes_version: str = ""
    nodes: tuple[NodeConfiguration, ...] = (NodeConfiguration("control-plane"),)
    network: NetworkConfiguration = NetworkConfiguration()
    tooling: ToolingConfiguration = ToolingConfiguration()
    sops: SopsSettings = SopsSettings()
    source_directory: str = "k8s"
    entry_path: str = "."
    timeout: float = 300.0
    kubeconfig: str = ""
    context: str = ""
    kind_path: str = ""
    kind_config: Mapping[str, Any] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)
    warnings: tuple[Diagnostic, ...] = ()
    blockers: tuple[Diagnostic, ...] = ()
