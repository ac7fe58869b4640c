"""How a repository runs Flux's kustomize-controller: its version and flags. No I/O.

They are in the Deployment of gotk-components with its patches, in a FluxInstance, or in the values of the chart of FluxInstances:
https://fluxcd.io/flux/components/kustomize/options/ and https://fluxcd.control-plane.io/operator/fluxinstance/
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from devloop.model.flux.names import HELM_RELEASE
from devloop.model.kubernetes.image import parse_image
from devloop.model.kubernetes.manifest import mapping_at, mappings_in

CONTROLLER = "kustomize-controller"
_STRICT_GATE = "StrictPostBuildSubstitutions"
# Those of kustomize-controller 1.9, internal/features/features.go; it refuses to start with an unknown one.
_GATES = frozenset({
    "AdditiveCELDependencyCheck", "DisableCommitStatusEvent", "DisableFailFastBehavior", "DisableStatusPollerCache", "GroupChangeLog",
    "MigrateAPIVersion", _STRICT_GATE,
})  # fmt: skip
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
        """Those that the pinned controller knows, and the default of the repository's version for what a build gives."""
        known = {name: value for name, value in self.gates.items() if name in _GATES}
        return {**known, _STRICT_GATE: str(self.is_strict).lower()}

    def differs_from(self, version: str) -> bool:
        """Whether the repository names another minor version of Flux than that of the controller's `version`, which has the same minor."""
        return bool(self._release) and self._release[1] != _numbers(version)[1]

    @property
    def age_secret(self) -> str:
        """The Secret whose keys decrypt where a Kustomization names none."""
        return dict(self.flags).get("sops-age-secret", "")

    @property
    def service_account(self) -> str:
        """As whom Kustomizations that name nobody are applied; '' for the controller itself."""
        return dict(self.flags).get("default-service-account", "")

    @property
    def _release(self) -> tuple[int, ...]:
        return _numbers(self.version)


def _numbers(version: str) -> tuple[int, ...]:
    """Major and minor; () where a range leaves one open."""
    found = re.search(r"(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else ()


def read_setup(objects: Iterable[Mapping[str, Any]]) -> FluxSetup:
    """From all objects that say something; what comes later wins."""
    version = ""
    flags: dict[str, str] = {}
    for obj in filter(_may_say, objects):
        version = _version(obj) or version
        flags |= dict(_flags(obj))
    return FluxSetup(version, tuple(sorted(flags.items())))


def _may_say(obj: Mapping[str, Any]) -> bool:
    """Most objects do not; a values file has no kind."""
    return obj.get("kind") in (None, "ConfigMap", "Deployment", "FluxInstance", HELM_RELEASE)


def _version(obj: Mapping[str, Any]) -> str:
    if is_controller(obj):
        return str(mapping_at(obj, "metadata", "labels").get("app.kubernetes.io/version") or "") or _version_of_image(obj)
    return str(mapping_at(flux_instance(obj), "distribution").get("version") or "")


def _version_of_image(controller: Mapping[str, Any]) -> str:
    """Flux 2.8 has kustomize-controller 1.8."""
    containers = mappings_in(mapping_at(controller, "spec", "template", "spec").get("containers"))
    images = (parse_image(str(each.get("image"))) for each in containers)
    minors = (numbers[1] for image in images if image and (numbers := _numbers(image.tag)))
    return next((f"2.{minor}" for minor in minors), "")


def _flags(obj: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if is_controller(obj):
        pod = mapping_at(obj, "spec", "template", "spec")
        for container in mappings_in(pod.get("containers")):
            yield from _in(container.get("args"))
        return
    instance = flux_instance(obj)
    if mapping_at(instance, "cluster").get("multitenant") is True:
        yield "default-service-account", str(mapping_at(instance, "cluster").get("tenantDefaultServiceAccount") or "default")
    for patch in mappings_in(mapping_at(instance, "kustomize").get("patches")):
        operations = _parsed(patch.get("patch"))
        # Without a target, a patch names its object itself.
        target = mapping_at(patch, "target") or {**mapping_at(operations, "metadata"), "kind": mapping_at(operations).get("kind")}
        if _targets_controller(target):
            yield from _in(operations)


def is_controller(obj: Mapping[str, Any]) -> bool:
    """Whether this is the Deployment of the kustomize-controller."""
    return obj.get("kind") == "Deployment" and mapping_at(obj, "metadata").get("name") == CONTROLLER


def flux_instance(obj: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a FluxInstance says, or the values of its chart in a HelmRelease, a values file or a ConfigMap; {} for anything else."""
    if obj.get("kind") == "FluxInstance":
        return mapping_at(obj, "spec")
    if found := mapping_at(mapping_at(obj, "spec", "values") or obj, "instance"):
        return found
    texts = mapping_at(obj, "data").values() if obj.get("kind") == "ConfigMap" else ()
    values = (_parsed(text) for text in texts if isinstance(text, str) and "instance:" in text)
    return next(filter(None, (mapping_at(each, "instance") for each in values)), {})


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
    """Every text of the value that is a flag. Aliases of YAML make the same value appear many times."""
    following, seen = [value], {id(value)}
    while following:
        each = following.pop()
        if isinstance(each, str) and each.startswith("--"):
            name, _, text = each.removeprefix("--").partition("=")
            yield name, text
        elif isinstance(each, Mapping | list):
            inside = [*each.values()] if isinstance(each, Mapping) else each
            following += (item for item in inside if id(item) not in seen)
            seen.update(map(id, inside))
