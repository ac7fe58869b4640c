"""Objects that controllers in the cluster may make from rendered ones: Secrets above all. No I/O."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from devloop.model.flux.names import is_flux
from devloop.model.kubernetes.api_groups import is_built_in
from devloop.model.kubernetes.manifest import Manifest
from devloop.model.lint.inventory import Inventory, is_rendered, release_namespace

# Controllers that copy an object into other namespaces know it by annotations with one of these in their names.
_COPIERS = ("reflector", "replicat", "kubed", "syncer", "mirror")


class Makers:
    """What the objects of an inventory may lead to; each part is computed when it is first needed."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory

    def may_name(self, kind: str, namespace: str, name: str) -> bool:
        """Whether a generator or a custom resource names the object."""
        named = name in self._texts.get(namespace, ()) or name in self._texts.get("", ())
        return self._inventory.generated.may_have(kind, name) or named

    def may_make(self, kind: str, namespace: str, name: str, wanted_by: str) -> bool:
        """Also as a copy, or because the object is called after a custom resource or a HelmRelease other than the one that wants it."""
        after = name.startswith(tuple(self._prefixes.get(namespace, set()) - {wanted_by}))
        return self.may_name(kind, namespace, name) or after or (kind, name) in self._copied

    @cached_property
    def _custom(self) -> list[Manifest]:
        groups = {key: not is_built_in(key.group) and not is_flux(key.group) for key in self._inventory.objects}
        return [manifest for key, custom in groups.items() if custom for _, manifest in self._inventory.objects[key]]

    @cached_property
    def _texts(self) -> Mapping[str, set[str]]:
        """The texts in custom resources, by namespace; '' are those of cluster-scoped ones."""
        found: dict[str, set[str]] = {}
        for manifest in self._custom:
            found.setdefault(manifest.namespace, set()).update(_texts(manifest.body))
        return found

    @cached_property
    def _prefixes(self) -> Mapping[str, set[str]]:
        """The names of custom resources, and of HelmReleases with charts from elsewhere, by the namespace of what they make."""
        found: dict[str, set[str]] = {}
        for manifest in self._custom:
            found.setdefault(manifest.namespace, set()).add(manifest.name)
        for kustomization, release in self._inventory.releases:
            if not is_rendered(kustomization.node, release):
                name = str(release.mapping("spec").get("releaseName") or release.name)
                found.setdefault(release_namespace(release), set()).add(name)
        return found

    @cached_property
    def _copied(self) -> set[tuple[str, str]]:
        """Kind and name of what is copied from one namespace to others."""
        objects = self._inventory.objects.items()
        return {(key.kind, key.name) for key, found in objects if not key.group and any(_is_copied(manifest) for _, manifest in found)}


def _is_copied(manifest: Manifest) -> bool:
    return any(copier in key for key in manifest.mapping("metadata", "annotations") for copier in _COPIERS)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
