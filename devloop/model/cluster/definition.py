"""What ksail.yaml and kind.yaml say, every default resolved. Values only: `devloop.model.ksail` and `kind_config` parse them."""

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
    """What KSail would install beside the cluster; toggles are Default, Enabled or Disabled (G3 words)."""

    gitops_engine: str = "None"
    metrics_server: str = "Default"
    cert_manager: str = "Disabled"
    policy_engine: str = "None"
    csi: str = "Default"
    load_balancer: str = "Default"


@dataclass(frozen=True)
class SopsSettings:
    """Where the definition says that the Age key is; never the key. `enabled` is Default (detect), Enabled or Disabled."""

    enabled: str = "Default"
    key_env_var: str = "SOPS_AGE_KEY"
    key_file: str = ""
    public_keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class ClusterDefinition:
    """One KSail cluster definition of any generation.

    `name` is the cluster's (`devloop.model.ksail.naming` says where it comes from). `path` and `kind_path` are relative to the repository
    root ('' where there is no kind.yaml). `source_directory` is relative to the repository root ('k8s'), `entry_path` relative to
    `source_directory` ('clusters/local', '.' for its top). `timeout` in seconds, per Kustomization. `lines` maps a dotted field path
    ('spec.cluster.cni') to its line. `warnings` are valid values that change nothing or little here; `blockers` are valid values that
    devloop cannot act on (a cloud distribution, ArgoCD): fine to validate, an error for `up`.
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
