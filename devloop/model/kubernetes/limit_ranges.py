"""LimitRanges and ResourceQuotas of a namespace, and the resources that its containers get. No I/O."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from devloop.model.kubernetes.manifest import Manifest, mapping_at
from devloop.model.kubernetes.pod_templates import PodContainer
from devloop.model.kubernetes.quantity import parse_quantity

Amounts = Mapping[str, Fraction]

# A ResourceQuota with one of these requires every container to set it; the short names are requests.
_QUOTA_NAMES = {
    **{name: ("requests", name) for name in ("cpu", "memory")},
    **{f"{side}.{name}": (side, name) for side in ("requests", "limits") for name in ("cpu", "memory")},
}


@dataclass(frozen=True)
class Resources:
    """A container's effective resources; `unknown` are (side, resource) with values that are not known here."""

    requests: Amounts
    limits: Amounts
    unknown: frozenset[tuple[str, str]] = frozenset()

    def of(self, side: str) -> Amounts:
        return self.requests if side == "requests" else self.limits

    def says(self, side: str, name: str) -> bool:
        return name in self.of(side) or (side, name) in self.unknown or (side == "requests" and ("limits", name) in self.unknown)


@dataclass(frozen=True)
class NamespaceLimits:
    """A namespace's limits for containers, with the objects that set them."""

    defaults: Amounts = field(default_factory=dict)
    default_requests: Amounts = field(default_factory=dict)
    least: Amounts = field(default_factory=dict)
    most: Amounts = field(default_factory=dict)
    ranges: tuple[Manifest, ...] = ()
    quotas: tuple[Manifest, ...] = ()

    def resources(self, container: PodContainer) -> Resources:
        """Like the API server: its own values, requests default to limits, then the defaults of the LimitRange."""
        own = {side: mapping_at(container.body, "resources", side) for side in ("requests", "limits")}
        known = {side: _amounts(amounts) for side, amounts in own.items()}
        unknown = frozenset((side, name) for side, amounts in own.items() for name in amounts if name not in known[side])
        limits = {**self._missing(self.defaults, "limits", unknown), **known["limits"]}
        requests = {**self._missing(self.default_requests, "requests", unknown), **known["limits"], **known["requests"]}
        return Resources(requests, limits, unknown)

    def _missing(self, defaults: Amounts, side: str, unknown: frozenset[tuple[str, str]]) -> Amounts:
        return {name: amount for name, amount in defaults.items() if (side, name) not in unknown and ("limits", name) not in unknown}

    @property
    def wanted(self) -> Mapping[tuple[str, str], Manifest]:
        """The (side, resource) that every container must set, and the quota that requires it."""
        return {_QUOTA_NAMES[name]: quota for quota in self.quotas for name in quota.mapping("spec", "hard") if name in _QUOTA_NAMES}


def namespace_limits(manifests: Iterable[Manifest]) -> NamespaceLimits:
    """From all objects of a namespace. Of several LimitRanges, the last one's defaults and the tightest bounds apply."""
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


def _amounts(values: Mapping[str, Any]) -> dict[str, Fraction]:
    return {name: amount for name, value in values.items() if (amount := parse_quantity(value)) is not None}


def _is_scoped(quota: Manifest) -> bool:
    spec = quota.mapping("spec")
    return bool(spec.get("scopes") or spec.get("scopeSelector"))


def quota_sums(quota: Manifest) -> Mapping[tuple[str, str], Fraction]:
    """The maximum for all pods of the namespace together, by (side, resource)."""
    amounts = _amounts(quota.mapping("spec", "hard"))
    return {_QUOTA_NAMES[name]: amount for name, amount in amounts.items() if name in _QUOTA_NAMES}
