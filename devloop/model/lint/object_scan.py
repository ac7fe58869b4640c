"""Finds what only parsing shows of the objects that somebody may apply by hand: items of lists, JSON, names of generators. No I/O."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from devloop.model.kubernetes.kustomize import is_kustomization_file
from devloop.model.kubernetes.manifest import mapping_at, mappings_in
from devloop.model.lint.file_index import ObjectText

_KINDS = ("Namespace", "ServiceAccount", "ConfigMap", "Secret")
_KIND = re.compile("|".join(_KINDS).encode())
_LIST = re.compile(rb"""^["']?kind["']?:[ \t]*["']?\w*List\b""", re.M)


def nested_objects(path: str, data: bytes) -> Iterator[ObjectText]:
    """Those of lists and of JSON, and what the generators of a kustomization file make."""
    if is_kustomization_file(path):
        for document in _parsed(data) if b"Generator:" in data else ():
            yield from _generated(path, document)
    elif (path.endswith(".json") or _LIST.search(data)) and _KIND.search(data):
        for document in _parsed(data):
            yield from _listed(path, document, alone=path.endswith(".json"))


def _parsed(data: bytes) -> list[Mapping[str, Any]]:
    """The documents of a file; none where it is no YAML."""
    try:
        documents = list(yaml.load_all(data, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except (yaml.YAMLError, ValueError, RecursionError):
        return []
    return [document for document in documents if isinstance(document, Mapping)]


def _listed(path: str, document: Mapping[str, Any], *, alone: bool) -> Iterator[ObjectText]:
    """The items of a list, and the object itself if `alone`."""
    for item in [*([document] if alone else []), *mappings_in(document.get("items"))]:
        metadata = mapping_at(item, "metadata")
        if item.get("kind") in _KINDS and metadata.get("name"):
            yield ObjectText(path, item["kind"], str(metadata.get("namespace") or ""), str(metadata["name"]))


def _generated(path: str, document: Mapping[str, Any]) -> Iterator[ObjectText]:
    """Those whose names get no hash."""
    for kind, field in (("ConfigMap", "configMapGenerator"), ("Secret", "secretGenerator")):
        for each in mappings_in(document.get(field)):
            options = {**mapping_at(document, "generatorOptions"), **mapping_at(each, "options")}
            if options.get("disableNameSuffixHash") is True and each.get("name"):
                yield ObjectText(path, kind, str(each.get("namespace") or document.get("namespace") or ""), str(each["name"]))
