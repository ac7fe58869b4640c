"""What a namespace gives and allows its containers: the defaults and bounds of LimitRanges, the sums of ResourceQuotas. No I/O."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from devloop.model.kubernetes.manifest import Manifest, mapping_at
from devloop.model.kubernetes.pod_templates import PodContainer
from devloop.model.kubernetes.quantity import parse_quantity

Amounts = Mapping[str, Fraction]

# A ResourceQuota that names one of these wants every container to say it; the short names are requests.
_QUOTA_NAMES = {
    "cpu": ("requests", "cpu"),
    "memory": ("requests", "memory"),
    "requests.cpu": ("requests", "cpu"),
    "requests.memory": ("requests", "memory"),
    "limits.cpu": ("limits", "cpu"),
    "limits.memory": ("limits", "memory"),
}


@dataclass(frozen=True)
class Resources:
    """What a container has in the end, by resource; `unknown` are (side, resource) that it names and that cannot be known here."""

    requests: Amounts
    limits: Amounts
    unknown: frozenset[tuple[str, str]] = frozenset()

    def of(self, side: str) -> Amounts:
        return self.requests if side == "requests" else self.limits

    def says(self, side: str, name: str) -> bool:
        return name in self.of(side) or (side, name) in self.unknown or (side == "requests" and ("limits", name) in self.unknown)


@dataclass(frozen=True)
class NamespaceLimits:
    """One namespace's LimitRange for containers and ResourceQuotas, each with the object that says so."""

    defaults: Amounts = field(default_factory=dict)
    default_requests: Amounts = field(default_factory=dict)
    least: Amounts = field(default_factory=dict)
    most: Amounts = field(default_factory=dict)
    ranges: tuple[Manifest, ...] = ()
    quotas: tuple[Manifest, ...] = ()

    def resources(self, container: PodContainer) -> Resources:
        """Its own, a request from the limit where it has none, then what the LimitRange fills in: the order of the API server."""
        said = {side: mapping_at(container.body, "resources", side) for side in ("requests", "limits")}
        known = {side: _amounts(amounts) for side, amounts in said.items()}
        unknown = frozenset((side, name) for side, amounts in said.items() for name in amounts if name not in known[side])
        limits = {**self._missing(self.defaults, "limits", unknown), **known["limits"]}
        requests = {**self._missing(self.default_requests, "requests", unknown), **known["limits"], **known["requests"]}
        return Resources(requests, limits, unknown)

    def _missing(self, defaults: Amounts, side: str, unknown: frozenset[tuple[str, str]]) -> Amounts:
        return {name: amount for name, amount in defaults.items() if (side, name) not in unknown and ("limits", name) not in unknown}

    @property
    def wanted(self) -> Mapping[tuple[str, str], Manifest]:
        """What every container must say, as (side, resource), and the quota that wants it."""
        return {_QUOTA_NAMES[name]: quota for quota in self.quotas for name in _hard(quota) if name in _QUOTA_NAMES}


def namespace_limits(manifests: Iterable[Manifest]) -> NamespaceLimits:
    """That of a namespace, from all of its objects. Of several LimitRanges the last one's defaults count and the tightest bounds."""
    manifests = tuple(manifests)
    ranges = tuple(each for each in manifests if (each.api_version, each.kind) == ("v1", "LimitRange"))
    quotas = tuple(each for each in manifests if (each.api_version, each.kind) == ("v1", "ResourceQuota") and not _is_scoped(each))
    items = [item for each in ranges for item in _items(each)]
    most, least = _bounds(items, "max", min), _bounds(items, "min", max)
    defaults = {**most, **_together(items, "default")}
    requests = {**least, **defaults, **_together(items, "defaultRequest")}
    return NamespaceLimits(defaults, requests, least, most, ranges, quotas)


def _items(limit_range: Manifest) -> list[Mapping[str, Any]]:
    limits = limit_range.mapping("spec").get("limits")
    return [item for item in (limits if isinstance(limits, list) else ()) if isinstance(item, dict) and item.get("type") == "Container"]


def _together(items: Iterable[Mapping[str, Any]], key: str) -> Amounts:
    return {name: amount for item in items for name, amount in _amounts(mapping_at(item, key)).items()}


def _bounds(items: Iterable[Mapping[str, Any]], key: str, tightest: Any) -> Amounts:
    bounds: dict[str, Fraction] = {}
    for item in items:
        for name, amount in _amounts(mapping_at(item, key)).items():
            bounds[name] = tightest(bounds.get(name, amount), amount)
    return bounds


def _amounts(said: Mapping[str, Any]) -> dict[str, Fraction]:
    return {name: amount for name, value in said.items() if (amount := parse_quantity(value)) is not None}


def _hard(quota: Manifest) -> Mapping[str, Any]:
    return quota.mapping("spec", "hard")


def _is_scoped(quota: Manifest) -> bool:
    spec = quota.mapping("spec")
    return bool(spec.get("scopes") or spec.get("scopeSelector"))


def quota_sums(quota: Manifest) -> Mapping[tuple[str, str], Fraction]:
    """The most that all pods of the namespace may have together, by (side, resource)."""
    amounts = _amounts(_hard(quota))
    return {_QUOTA_NAMES[name]: amount for name, amount in amounts.items() if name in _QUOTA_NAMES}
