"""Checks beyond the tables of fields: values that conflict, have no effect here, or are not supported by devloop."""

from collections.abc import Iterator

from devloop.diagnostic import Diagnostic
from devloop.errors import InputError
from devloop.model.cluster.kind_config import KindConfiguration
from devloop.model.ksail.generation import Statement
from devloop.model.kubernetes.duration import parse_duration
from devloop.model.messages import join_words

_ANYWHERE = ("Docker", "Hetzner", "Kubernetes")
# distribution -> supported providers, the default first
PROVIDERS = {
    "Vanilla": _ANYWHERE,
    "K3s": _ANYWHERE,
    "Talos": (*_ANYWHERE, "Omni"),
    "VCluster": ("Docker", "Kubernetes"),
    "KWOK": ("Docker", "Kubernetes"),
    "EKS": ("AWS",),
    "GKE": ("GCP",),
    "AKS": ("Azure",),
}
CLOUD = ("EKS", "GKE", "AKS")
MOST_NODES = 100
DEFAULT_TIMEOUT = 300.0
_LONGEST_TIMEOUT = 7 * 24 * 3600.0


def distribution(statement: Statement) -> str:
    return statement.get("distribution", "Vanilla")


def provider(statement: Statement) -> str:
    return statement.get("provider", PROVIDERS[distribution(statement)][0])


def timeout(statement: Statement) -> float:
    """Seconds; raises InputError if it is not a duration."""
    written = statement.get("timeout")
    return parse_duration(written, statement.place("timeout")) if written else DEFAULT_TIMEOUT


def node_counts(statement: Statement) -> tuple[int, int]:
    """Control planes and workers in ksail.yaml; 0 control planes means one."""
    control_planes = statement.written("control_planes") or statement.written("talos_control_planes") or 1
    return control_planes, statement.written("workers") or statement.written("talos_workers") or 0


def problems(statement: Statement, kind: KindConfiguration | None) -> Iterator[Diagnostic]:
    """Values that conflict."""
    possible = PROVIDERS[distribution(statement)]
    if provider(statement) not in possible:
        message = f"is {provider(statement)}, but {distribution(statement)} runs on {join_words(possible, 'or')}"
        yield statement.problem("provider", message)
    if kind:
        yield from _cni_problems(statement, kind)
    try:
        if timeout(statement) > _LONGEST_TIMEOUT:
            yield statement.problem("timeout", f"is {statement.get('timeout')}, the maximum is one week")
    except InputError as error:
        yield Diagnostic.at(statement.path, statement.line("timeout"), error.message, error.hint)


def _cni_problems(statement: Statement, kind: KindConfiguration) -> Iterator[Diagnostic]:
    """Kind's CNI conflicts with another one; without any, nodes never become ready."""
    cni = statement.get("cni", "Default")
    field, line = "networking.disableDefaultCNI", kind.lines.get("networking.disableDefaultCNI", 0)
    if cni == "Cilium" and not kind.disable_default_cni:
        message = f"{field} must be true, because {statement.path}:{statement.line('cni')} selects Cilium"
        yield Diagnostic.at(kind.path, line or kind.lines.get("networking", 0), message, "set networking.disableDefaultCNI: true")
    if cni == "Default" and kind.disable_default_cni:
        message = f"{field} is true, but {statement.place('cni')} in {statement.path} is Default, so the cluster would have no network"
        yield Diagnostic.at(kind.path, line, message, f"remove it, or set a CNI in {statement.place('cni')}")


def warnings(statement: Statement, kind: KindConfiguration | None) -> Iterator[Diagnostic]:
    """Valid values with little or no effect here."""
    name = distribution(statement)
    if name not in ("Vanilla", *CLOUD) and provider(statement) == "Docker":
        yield statement.problem("distribution", f"is {name}; devloop runs plain Kubernetes instead")
    if statement.written("gitops_engine") == "None":
        yield statement.problem("gitops_engine", "is None; devloop uses Flux anyway")
    if statement.written("engine") == "Podman":
        yield statement.problem("engine", "is Podman; devloop uses the container engine that responds, see DOCKER_HOST")
    count = sum(node_counts(statement))
    if kind and kind.nodes and statement.written("workers") is not None and count != len(kind.nodes):
        yield statement.problem("workers", f"requests {count} nodes, but {kind.path} has {len(kind.nodes)}; kind.yaml takes precedence")


def blockers(statement: Statement) -> Iterator[Diagnostic]:
    """Valid values that devloop does not support."""
    name, host = distribution(statement), provider(statement)
    if name in CLOUD:
        message = f"is {name}; devloop creates local clusters only"
        yield statement.problem("distribution", message, "for a local environment, use a definition with distribution: Vanilla")
    elif host != "Docker":
        message = f"is {host}; devloop creates local clusters only"
        yield statement.problem("provider", message, "for a local environment, use a definition with provider: Docker")
    if statement.get("gitops_engine") == "ArgoCD":
        yield statement.problem("gitops_engine", "is ArgoCD; devloop reconciles with Flux only", "set gitOpsEngine: Flux")
    if sum(node_counts(statement)) > MOST_NODES:
        setting = "workers" if statement.line("workers") else "control_planes"
        yield statement.problem(setting, f"requests {sum(node_counts(statement))} nodes; devloop supports at most {MOST_NODES}")
