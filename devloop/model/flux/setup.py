"""How a repository runs Flux's kustomize-controller: its version and flags. No I/O.

They are in the Deployment of gotk-components with its patches, in a FluxInstance, or in the values of the chart of FluxInstances:
https://fluxcd.io/flux/components/kustomize/options/ and https://fluxcd.control-plane.io/operator/fluxinstance/
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from devloop.model.kubernetes.manifest import mapping_at, mappings_in

CONTROLLER = "kustomize-controller"
_STRICT_GATE = "StrictPostBuildSubstitutions"
# The first version that substitutes strictly by default: kustomize-controller internal/features/features.go.
_STRICT_SINCE = (2, 9)


@dataclass(frozen=True)
class FluxSetup:
    """`version` is Flux's as written, '' where nothing says it; `flags` are the controller's, without the leading dashes."""

    version: str = ""
    flags: tuple[tuple[str, str], ...] = ()

    @property
    def is_strict(self) -> bool:
        """Whether a variable without a value fails the build."""
        gate = self.gates.get(_STRICT_GATE)
        return gate != "false" if gate else not self._release or self._release >= _STRICT_SINCE

    @property
    def gates(self) -> Mapping[str, str]:
        """Feature gates that are set."""
        listed = [pair for name, value in self.flags if name == "feature-gates" for pair in value.split(",")]
        return {name.strip(): value.strip().lower() for name, _, value in (pair.partition("=") for pair in listed)}

    @property
    def gates_to_run(self) -> Mapping[str, str]:
        """Those that change what a build gives, whatever the version that runs."""
        return {_STRICT_GATE: str(self.is_strict).lower()}

    @property
    def age_secret(self) -> str:
        """The Secret whose keys decrypt where a Kustomization names none."""
        return dict(self.flags).get("sops-age-secret", "")

    @property
    def _release(self) -> tuple[int, ...]:
        """Major and minor; () where a range leaves one open."""
        found = re.search(r"(\d+)\.(\d+)", self.version)
        return (int(found[1]), int(found[2])) if found else ()


def read_setup(objects: Iterable[Mapping[str, Any]]) -> FluxSetup:
    """From all objects that say something; what comes later wins."""
    version = ""
    flags: dict[str, str] = {}
    for obj in objects:
        version = _version(obj) or version
        flags |= dict(_flags(obj))
    return FluxSetup(version, tuple(sorted(flags.items())))


def _version(obj: Mapping[str, Any]) -> str:
    if is_controller(obj):
        labels = mapping_at(mapping_at(obj, "metadata"), "labels")
        return str(labels.get("app.kubernetes.io/version") or "")
    return str(mapping_at(_instance(obj), "distribution").get("version") or "")


def _flags(obj: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if is_controller(obj):
        pod = mapping_at(mapping_at(mapping_at(obj, "spec"), "template"), "spec")
        for container in mappings_in(pod.get("containers")):
            yield from _in(container.get("args"))
        return
    for patch in mappings_in(mapping_at(_instance(obj), "kustomize").get("patches")):
        if _targets_controller(mapping_at(patch, "target")):
            yield from _in(_parsed(patch.get("patch")))


def is_controller(obj: Mapping[str, Any]) -> bool:
    """Whether this is the Deployment of the kustomize-controller."""
    return obj.get("kind") == "Deployment" and mapping_at(obj, "metadata").get("name") == CONTROLLER


def _instance(obj: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a FluxInstance, or the values of its chart, say; {} for anything else."""
    spec = mapping_at(obj, "spec")
    return spec if obj.get("kind") == "FluxInstance" else mapping_at(mapping_at(spec, "values") or obj, "instance")


def _targets_controller(target: Mapping[str, Any]) -> bool:
    """Names in targets are regular expressions for the whole name."""
    try:
        named = re.fullmatch(str(target.get("name") or ".*"), CONTROLLER)
    except re.error:
        return False
    return bool(named) and target.get("kind", "Deployment") == "Deployment"


def _parsed(patch: Any) -> Any:
    import yaml

    try:
        return yaml.safe_load(patch) if isinstance(patch, str) else patch
    except yaml.YAMLError:
        return None


def _in(value: Any) -> Iterator[tuple[str, str]]:
    """Every text of the value that is a flag."""
    if isinstance(value, str) and value.startswith("--"):
        name, _, text = value.removeprefix("--").partition("=")
        yield name, text
    elif isinstance(value, Mapping | list):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _in(item)
