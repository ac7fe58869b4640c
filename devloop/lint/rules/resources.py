"""Containers have requests and limits that fit the LimitRange and the ResourceQuota of their namespace."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from devloop.diagnostic import Diagnostic, Severity
from devloop.lint.rules.rule import Rule, Rules
from devloop.lint.rules.schema import schema_errors, to_diagnostics
from devloop.model.flux.clusters import Cluster
from devloop.model.kubernetes.limit_ranges import NamespaceLimits, Resources, namespace_limits, quota_sums
from devloop.model.kubernetes.manifest import Manifest, mapping_at
from devloop.model.kubernetes.pod_templates import PodContainer, PodTemplate, pod_template
from devloop.model.kubernetes.quantity import show_quantity
from devloop.model.lint.context import KustomizationContext, LintContext
from devloop.model.lint.inventory import Inventory, inventories

_RESOURCES = ("cpu", "memory")


@dataclass(frozen=True)
class ContainerResources:
    """A container and its effective resources, defaults of the namespace included."""

    kustomization: KustomizationContext
    pod: PodTemplate
    container: PodContainer
    namespace: NamespaceLimits
    resources: Resources
    cluster: Cluster

    def sets(self, side: str, name: str) -> bool:
        """Whether the container sets it, or the pod for all of its containers."""
        return self.resources.says(side, name) or name in mapping_at(self.pod.body, "spec", "resources", side)

    def unset(self, side: str) -> str:
        return " or ".join(name for name in _RESOURCES if not self.sets(side, name))

    def amount(self, side: str, name: str) -> str:
        """As written in the manifest, or the default of the namespace."""
        written = self.container.resource(side, name)
        return show_quantity(self.resources.of(side)[name]) if written is None else str(written)

    def diagnostic(self, template: str, *field: str, hint: str, severity: Severity | None = None, **arguments: object) -> Diagnostic:
        container, template = self.container, "{object}: container {container} " + template
        path = (*container.field, "resources", *field)
        about = self.kustomization.about
        return about(self.pod.manifest, template, *path, hint=hint, severity=severity, container=container.name, **arguments)


def _containers(context: LintContext) -> tuple[ContainerResources, ...]:
    return tuple(each for inventory in inventories(context) for each in _containers_of(inventory))


def _containers_of(inventory: Inventory) -> Iterator[ContainerResources]:
    rendered = [(kustomization, manifest) for kustomization, manifests in inventory.applied.values() for manifest in manifests]
    limiting: dict[str, list[Manifest]] = {}
    for _, manifest in rendered:
        if manifest.kind in ("LimitRange", "ResourceQuota"):
            limiting.setdefault(manifest.id.namespace, []).append(manifest)
    by_namespace = {namespace: namespace_limits(manifests) for namespace, manifests in limiting.items()}
    for kustomization, manifest in rendered:
        if pod := pod_template(manifest):
            namespace = by_namespace.get(manifest.id.namespace, NamespaceLimits())
            for container in pod.containers:
                yield ContainerResources(kustomization, pod, container, namespace, namespace.resources(container), inventory.cluster)


def requests(context: LintContext) -> Iterator[Diagnostic]:
    for each in context.once(_containers):
        if unset := each.unset("requests"):
            hint = "add resources.requests, or a LimitRange with defaultRequest to the namespace"
            yield each.diagnostic("does not request {resources}", "requests", hint=hint, resources=unset)


def limits(context: LintContext) -> Iterator[Diagnostic]:
    """A missing limit of cpu alone is often intended: the container then gets what others leave."""
    for each in context.once(_containers):
        if unset := each.unset("limits"):
            severity = None if "memory" in unset else Severity.INFO
            hint = "add resources.limits, or a LimitRange with default to the namespace"
            yield each.diagnostic("has no limit for {resources}", "limits", hint=hint, severity=severity, resources=unset)


def request_above_limit(context: LintContext) -> Iterator[Diagnostic]:
    for each in context.once(_containers):
        for name, request in each.resources.requests.items():
            limit = each.resources.limits.get(name)
            if limit is not None and request > limit:
                template = "requests {amount} of {resource}, more than its limit of {limit}"
                if each.container.resource("limits", name) is None:
                    template += ", which is the default of its namespace's LimitRange"
                requested, limited = each.amount("requests", name), each.amount("limits", name)
                hint = "raise the limit or lower the request"
                yield each.diagnostic(template, "requests", name, hint=hint, amount=requested, resource=name, limit=limited)


def limit_range(context: LintContext) -> Iterator[Diagnostic]:
    for each in context.once(_containers):
        hint = f"see {', '.join(map(str, each.namespace.ranges))}"
        for side in ("requests", "limits"):
            for name, amount in each.resources.of(side).items():
                if bound := _exceeded(each.namespace, name, amount):
                    template = "requests {amount} of {resource}" if side == "requests" else "has a {resource} limit of {amount}"
                    template += ", outside the LimitRange of its namespace: {bound}"
                    yield each.diagnostic(template, side, name, hint=hint, amount=each.amount(side, name), resource=name, bound=bound)


def _exceeded(namespace: NamespaceLimits, name: str, amount: Fraction) -> str:
    least, most = namespace.least.get(name), namespace.most.get(name)
    if least is not None and amount < least:
        return f"at least {show_quantity(least)}"
    return f"at most {show_quantity(most)}" if most is not None and amount > most else ""


def quota(context: LintContext) -> Iterator[Diagnostic]:
    """A ResourceQuota makes the API server reject pods that do not set what it counts."""
    for each in context.once(_containers):
        for (side, name), by in each.namespace.wanted.items():
            if not each.sets(side, name):
                field, hint = f"{side}.{name}", f"add resources.{side}.{name}, or a LimitRange that sets it"
                yield each.diagnostic("does not set {field}, which {quota} requires", side, hint=hint, field=field, quota=by)


def quota_exceeded(context: LintContext) -> Iterator[Diagnostic]:
    """All pods of a namespace together exceed its quota. Pods that end are not counted."""
    totals: dict[tuple[object, ...], Fraction] = {}
    for each in context.once(_containers):
        where = (each.kustomization.environment.name, each.cluster, each.pod.manifest.id.namespace)
        for side in ("requests", "limits"):
            for name, amount in each.resources.of(side).items() if each.container.stays else ():
                key = (*where, side, name)
                totals[key] = totals.get(key, Fraction(0)) + amount * _replicas(each.pod.manifest)
    quotas = ((each.cluster, *found) for each in inventories(context) for found in each.of_kind("", "ResourceQuota"))
    for cluster, kustomization, manifest in quotas:
        where = (kustomization.environment.name, cluster, manifest.id.namespace)
        if manifest in namespace_limits([manifest]).quotas:
            for (side, name), most in quota_sums(manifest).items():
                total = totals.get((*where, side, name), Fraction(0))
                if total > most:
                    message, hint = (
                        "{object} allows {limit} of {field}, but its pods have {amount}",
                        "raise the quota, or lower the amounts",
                    )
                    used, allowed, field = show_quantity(total), show_quantity(most), f"{side}.{name}"
                    yield kustomization.about(manifest, message, "spec", "hard", hint=hint, limit=allowed, field=field, amount=used)


def _replicas(manifest: Manifest) -> int:
    """The minimum number of its pods that run at the same time."""
    if manifest.kind in ("Job", "CronJob", "DaemonSet"):
        return 0
    replicas = manifest.mapping("spec").get("replicas", 1)
    return replicas if isinstance(replicas, int) and replicas >= 0 else 1


def invalid_quantity(context: LintContext) -> Iterator[Diagnostic]:
    return to_diagnostics(tuple(schema_errors(context, "quantity")))


RULES: Rules = {
    "resources/invalid-quantity": Rule(
        invalid_quantity,
        Severity.ERROR,
        "the API server rejects quantities that it cannot parse",
        "write a number with a unit that Kubernetes knows: 500m, 2, 128Mi, 1Gi",
    ),
    "resources/request-above-limit": Rule(
        request_above_limit,
        Severity.ERROR,
        "the API server rejects containers whose request exceeds their limit",
        "raise the limit or lower the request",
    ),
    "resources/limit-range": Rule(
        limit_range,
        Severity.ERROR,
        "the API server rejects pods that violate the LimitRange of their namespace",
        "stay within the LimitRange, or change it",
    ),
    "resources/quota": Rule(
        quota,
        Severity.ERROR,
        "in a namespace with a ResourceQuota the API server rejects pods that do not set what the quota counts",
        "set it in every container, or add a LimitRange with defaults",
    ),
    "resources/quota-exceeded": Rule(
        quota_exceeded, Severity.WARNING, "the last pods of the namespace never start", "raise the quota, or lower requests and limits"
    ),
    "resources/requests": Rule(
        requests,
        Severity.WARNING,
        "the scheduler places pods without requests on full nodes, and the kubelet evicts them first",
        "add resources.requests for cpu and memory, or a LimitRange with defaultRequest",
    ),
    "resources/limits": Rule(
        limits,
        Severity.WARNING,
        "a memory leak in one container can use up the memory of the whole node",
        "add resources.limits, at least for memory, or a LimitRange with default",
    ),
}
