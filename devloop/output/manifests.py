"""Rendered objects as YAML that every parser reads alike, and as a unified diff."""

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from devloop.model.kubernetes.manifest import Manifest
from devloop.model.redaction import SOPS_MASK, SOPS_MASK_ENCODED

# Strings that YAML parsers other than PyYAML read as numbers.
_NUMERIC = re.compile(r"[-+]?(0[xob][0-9a-fA-F_]+|(?=[._:]*[0-9])[0-9._:]+([eE][-+]?[0-9]+)?|\.(inf|nan))", re.IGNORECASE)


def to_yaml(manifests: Iterable[Manifest], *, show_secrets: bool = False, origins: bool = False) -> str:
    """One stream in the given order; masks the values of Secrets unless `show_secrets`."""
    return "".join(f"---\n{_origin(manifest) if origins else ''}{document(manifest, show_secrets=show_secrets)}" for manifest in manifests)


def document(manifest: Manifest, *, show_secrets: bool = False) -> str:
    """One object with apiVersion, kind and metadata first."""
    body = manifest.body if show_secrets else masked(manifest)
    first = {key: body[key] for key in ("apiVersion", "kind", "metadata") if key in body}
    return yaml.dump(first | dict(body), Dumper=_dumper(), sort_keys=False, allow_unicode=True, width=160)


def masked(manifest: Manifest) -> Mapping[str, Any]:
    """The object, without values if it is a Secret."""
    if manifest.kind != "Secret":
        return manifest.body
    masks = {"data": SOPS_MASK_ENCODED, "stringData": SOPS_MASK}
    masked = {key: dict.fromkeys(manifest.body[key], mask) for key, mask in masks.items() if isinstance(manifest.body.get(key), dict)}
    return {**manifest.body, **{key: mask for key, mask in masks.items() if key in manifest.body}, **masked}


def difference(before: Mapping[str, str], after: Mapping[str, str], before_name: str, after_name: str) -> str:
    """Unified diff of two mappings from names of objects to documents, sorted by name; '' if they are equal."""
    lines: list[str] = []
    for name in sorted({*before, *after}):
        old = f"{before_name}:{name}" if name in before else "/dev/null"
        new = f"{after_name}:{name}" if name in after else "/dev/null"
        lines += difflib.unified_diff(before.get(name, "").splitlines(), after.get(name, "").splitlines(), old, new, lineterm="")
    return "".join(f"{line}\n" for line in lines)


def _origin(manifest: Manifest) -> str:
    return f"# {manifest.origin.path}\n" if manifest.origin.path else ""


def _dumper() -> type[yaml.SafeDumper]:
    base: type[yaml.SafeDumper] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    representers: dict[Any, Any] = {**base.yaml_representers, str: _text}
    return type("Dumper", (base,), {"yaml_representers": representers, "ignore_aliases": lambda *_: True})


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else "'" if _NUMERIC.fullmatch(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)
