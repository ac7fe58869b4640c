"""Objects whose controllers make Namespaces, Kustomizations and the like at run time: what they may make. No I/O."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from devloop.model.flux.names import HELM_RELEASE, KUSTOMIZATION, OPERATOR_GROUP
from devloop.model.kubernetes.manifest import Manifest, mapping_at, mappings_in

_RESOURCE_SET, _GITOPS_SET, _SUBNAMESPACE = "ResourceSet", "GitOpsSet", "SubnamespaceAnchor"
# Group and kind of each.
GENERATORS = ((OPERATOR_GROUP, _RESOURCE_SET), ("templates.weave.works", _GITOPS_SET), ("hnc.x-k8s.io", _SUBNAMESPACE))
# What these apply in turn is unknown.
_OPAQUE = frozenset({KUSTOMIZATION, HELM_RELEASE, _RESOURCE_SET, "FluxInstance"})
_TEMPLATE = re.compile(r"<<.*?>>", re.S)
_INPUT = re.compile(r"<<-?\s*inputs\.(\w+)\s*-?>>")


@dataclass(frozen=True)
class Generated:
    """`names` are the kinds and names of what is made, as regular expressions; `anything`: other objects may be made too."""

    anything: bool = False
    names: frozenset[tuple[str, str]] = frozenset()

    def may_have(self, kind: str, name: str) -> bool:
        return self.anything or any(kind == each and re.fullmatch(pattern, name) for each, pattern in self.names)


def generated_by(generators: Iterable[Manifest]) -> Generated:
    """What all of them may make together."""
    anything, names = False, set[tuple[str, str]]()
    for each in generators:
        if each.kind == _SUBNAMESPACE:
            names.add(("Namespace", re.escape(each.name)))
        elif each.kind == _RESOURCE_SET:
            spec = each.mapping("spec")
            names.update((kind, name) for resource in mappings_in(spec.get("resources")) for kind, name in _made(resource, spec))
            anything |= bool(spec.get("resourcesTemplate"))
        else:
            anything = True
    return Generated(anything or any(kind in _OPAQUE or "<<" in kind for kind, _ in names), frozenset(names))


def _made(resource: Mapping[str, Any], spec: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The kind of a resource of a ResourceSet, and its name for each of the inputs."""
    kind, name = str(resource.get("kind")), str(mapping_at(resource, "metadata").get("name"))
    inputs = [] if spec.get("inputsFrom") else mappings_in(spec.get("inputs"))
    for each in inputs or [{}]:
        yield kind, _pattern(name, each)


def _pattern(template: str, inputs: Mapping[str, Any]) -> str:
    """The text with the values of inputs in it; whatever else the template does may give any text."""
    known = {key: value if isinstance(value, str) else json.dumps(value) for key, value in inputs.items()}
    text = _INPUT.sub(lambda match: known.get(match[1], match[0]), template)
    return ".*".join(map(re.escape, _TEMPLATE.split(text)))
