"""Containers say what they need and what they may take, as their namespace wants it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from devloop.diagnostic import Diagnostic, Severity
from devloop.lint.rules.rule import Rule, Rules
from devloop.lint.rules.schema import told, violations
from devloop.model.kubernetes.limit_ranges import NamespaceLimits, Resources, namespace_limits, quota_sums
from devloop.model.kubernetes.manifest import Manifest, mapping_at
from devloop.model.kubernetes.pod_templates import PodContainer, PodTemplate, pod_template
from devloop.model.kubernetes.quantity import show_quantity
from devloop.model.lint.context import EnvironmentGraph, KustomizationContext, LintContext

_NAMES = ("cpu", "memory")


@dataclass(frozen=True)
class Sized:
    """A container and what it has in the end."""

    unit: KustomizationContext
    pod: PodTemplate
    container: PodContainer
    allowance: NamespaceLimits
    resources: Resources

    def says(self, side: str, name: str) -> bool:
        """It does, or the pod does for all of its containers."""
        return self.resources.says(side, name) or name in mapping_at(self.pod.body, "spec", "resources", side)

    def shown(self, side: str, name: str) -> str:
        """The amount as it is written, or as it was filled in."""
        said = self.container.resource(side, name)
        return show_quantity(self.resources.of(side)[name]) if said is None else str(said)

    def about(self, message: str, *field: str, hint: str = "", severity: Severity | None = None) -> Diagnostic:
        text = f"{self.pod.manifest}: container {self.container.name} {message}"
        return self.unit.about(self.pod.manifest, text, *self.container.field, *field, hint=hint, severity=severity)


def _allowances(inspected: EnvironmentGraph) -> dict[str, NamespaceLimits]:
    """By namespace, for those of the environment that have a LimitRange or a ResourceQuota."""
    found: dict[str, list[Manifest]] = {}
    for unit in inspected.units:
        for manifest in unit.node.manifests:
            if manifest.kind in ("LimitRange", "ResourceQuota"):
                found.setdefault(manifest.id.namespace, []).append(manifest)
    return {namespace: namespace_limits(manifests) for namespace, manifests in found.items()}


def _containers(subject: LintContext) -> tuple[Sized, ...]:
    return tuple(sized for inspected in subject.environments for sized in _containers_of(inspected))


def _containers_of(inspected: EnvironmentGraph) -> Iterator[Sized]:
    allowances = _allowances(inspected)
    for unit in inspected.units:
        for manifest in unit.node.manifests:
            if pod := pod_template(manifest):
                given = allowances.get(manifest.id.namespace, NamespaceLimits())
                for container in pod.containers:
                    yield Sized(unit, pod, container, given, given.resources(container))


def requests(subject: LintContext) -> Iterator[Diagnostic]:
    """Nobody knows how much it needs."""
    for sized in subject.once(_containers):
        if missing := [name for name in _NAMES if not sized.says("requests", name)]:
            hint = "add resources.requests, or a LimitRange with defaultRequest to the namespace"
            yield sized.about(f"requests no {' and no '.join(missing)}", "resources", "requests", hint=hint)


def limits(subject: LintContext) -> Iterator[Diagnostic]:
    """Nothing keeps it from taking everything. Without a limit of cpu it merely gets what others leave, which many want."""
    for sized in subject.once(_containers):
        if missing := [name for name in _NAMES if not sized.says("limits", name)]:
            severity = None if "memory" in missing else Severity.INFO
            hint = "add resources.limits, or a LimitRange with default to the namespace"
            yield sized.about(f"has no limit of {' and none of '.join(missing)}", "resources", "limits", hint=hint, severity=severity)


def request_above_limit(subject: LintContext) -> Iterator[Diagnostic]:
    """It asks for more than it may take."""
    for sized in subject.once(_containers):
        for name, request in sized.resources.requests.items():
            limit = sized.resources.limits.get(name)
            if limit is not None and request > limit:
                default = "" if sized.container.resource("limits", name) is not None else ", which its namespace's LimitRange sets"
                message = (
                    f"requests {sized.shown('requests', name)} of {name}, more than its limit of {sized.shown('limits', name)}{default}"
                )
                yield sized.about(message, "resources", "requests", name, hint="raise the limit or lower the request")


def limit_range(subject: LintContext) -> Iterator[Diagnostic]:
    """It is outside of what its namespace allows."""
    for sized in subject.once(_containers):
        names = ", ".join(str(each) for each in sized.allowance.ranges)
        for side in ("requests", "limits"):
            for name, amount in sized.resources.of(side).items():
                if message := _outside(sized, side, name, amount):
                    yield sized.about(message, "resources", side, name, hint=f"see {names}")


def _outside(sized: Sized, side: str, name: str, amount: Fraction) -> str:
    said = f"{'requests' if side == 'requests' else 'has a limit of'} {sized.shown(side, name)} of {name}"
    least, most = sized.allowance.least.get(name), sized.allowance.most.get(name)
    if least is not None and amount < least:
        return f"{said}, its namespace wants at least {show_quantity(least)}"
    if most is not None and amount > most:
        return f"{said}, its namespace allows at most {show_quantity(most)}"
    return ""


def quota(subject: LintContext) -> Iterator[Diagnostic]:
    """A ResourceQuota makes the API server refuse pods that do not say what they take."""
    for sized in subject.once(_containers):
        for (side, name), by in sized.allowance.wanted.items():
            if not sized.says(side, name):
                message = f"says nothing of {side}.{name}, which {by} wants of every container"
                yield sized.about(message, "resources", side, hint=f"add resources.{side}.{name}, or a LimitRange that sets it")


def quota_exceeded(subject: LintContext) -> Iterator[Diagnostic]:
    """All pods of a namespace together are more than its quota. What runs for a while only is not counted."""
    totals: dict[tuple[str, str, str, str], Fraction] = {}
    for sized in subject.once(_containers):
        where = (sized.unit.inspected.environment.name, sized.pod.manifest.id.namespace)
        for side in ("requests", "limits"):
            for name, amount in sized.resources.of(side).items() if sized.container.stays else ():
                key = (*where, side, name)
                totals[key] = totals.get(key, Fraction(0)) + amount * _replicas(sized.pod.manifest)
    for unit, manifest in subject.manifests:
        where = (unit.inspected.environment.name, manifest.id.namespace)
        if manifest.kind == "ResourceQuota" and manifest in namespace_limits([manifest]).quotas:
            for (side, name), most in quota_sums(manifest).items():
                total = totals.get((*where, side, name), Fraction(0))
                if total > most:
                    message = f"{manifest} allows {show_quantity(most)} of {side}.{name}, what runs there has {show_quantity(total)}"
                    yield unit.about(manifest, message, "spec", "hard", hint="raise the quota, or ask for less")


def _replicas(manifest: Manifest) -> int:
    """How many of its pods run at the same time, at least."""
    if manifest.kind in ("Job", "CronJob", "DaemonSet"):
        return 0
    replicas = manifest.mapping("spec").get("replicas", 1)
    return replicas if isinstance(replicas, int) and replicas >= 0 else 1


def invalid_quantity(subject: LintContext) -> Iterator[Diagnostic]:
    """An amount that Kubernetes cannot read, in whatever field."""
    return told(tuple(violations(subject, "quantity")))


RULES: Rules = {
    "resources/invalid-quantity": Rule(
        invalid_quantity,
        Severity.ERROR,
        "the API server refuses an amount that it cannot read",
        "write a number with a unit that Kubernetes knows: 500m, 2, 128Mi, 1Gi",
    ),
    "resources/request-above-limit": Rule(
        request_above_limit,
        Severity.ERROR,
        "the API server refuses a container that asks for more than it may take",
        "raise the limit or lower the request",
    ),
    "resources/limit-range": Rule(
        limit_range,
        Severity.ERROR,
        "the API server refuses pods that are outside of the bounds of their namespace",
        "stay within the LimitRange, or change it",
    ),
    "resources/quota": Rule(
        quota,
        Severity.ERROR,
        "in a namespace with a ResourceQuota the API server refuses pods that do not say what they take",
        "say it in every container, or let a LimitRange set it",
    ),
    "resources/quota-exceeded": Rule(
        quota_exceeded,
        Severity.WARNING,
        "the last pods of the namespace never start",
        "raise the quota, or ask for less",
    ),
    "resources/requests": Rule(
        requests,
        Severity.WARNING,
        "the scheduler puts pods that ask for nothing onto nodes that have nothing left, and they are the first to be evicted",
        "add resources.requests for cpu and memory, or a LimitRange with defaultRequest",
    ),
    "resources/limits": Rule(
        limits,
        Severity.WARNING,
        "a leak in one container takes the memory of all others on the node",
        "add resources.limits, at least for memory, or a LimitRange with default",
    ),
}
