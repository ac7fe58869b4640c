"""Rendered objects as YAML that any reader takes for the same: one document an object, block style, long texts readable."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from devloop.model.kubernetes.manifest import Manifest
from devloop.model.redaction import SOPS_MASK, SOPS_MASK_ENCODED

# Texts that a reader of YAML 1.1 or 1.2 other than PyYAML takes for numbers.
_NUMERIC = re.compile(r"[-+]?(0[xob][0-9a-fA-F_]+|(?=[._:]*[0-9])[0-9._:]+([eE][-+]?[0-9]+)?|\.(inf|nan))", re.IGNORECASE)


def to_yaml(manifests: Iterable[Manifest], *, show_secrets: bool = False, origins: bool = False) -> str:
    """The manifests as one stream in their order, the values of Secrets masked unless they are to be shown."""
    return "".join(f"---\n{_comment(manifest) if origins else ''}{document(manifest, show_secrets=show_secrets)}" for manifest in manifests)


def document(manifest: Manifest, *, show_secrets: bool = False) -> str:
    """One object, apiVersion, kind and metadata first."""
    body = manifest.body if show_secrets else masked(manifest)
    first = {key: body[key] for key in ("apiVersion", "kind", "metadata") if key in body}
    return yaml.dump(first | dict(body), Dumper=_dumper(), sort_keys=False, allow_unicode=True, width=160)


def masked(manifest: Manifest) -> Mapping[str, Any]:
    """The object without the values of a Secret, however they came into the repository."""
    if manifest.kind != "Secret":
        return manifest.body
    hidden = {"data": SOPS_MASK_ENCODED, "stringData": SOPS_MASK}
    return {key: _hide(value, hidden[key]) if key in hidden else value for key, value in manifest.body.items()}


def _hide(values: Any, mask: str) -> Any:
    return dict.fromkeys(values, mask) if isinstance(values, dict) else mask


def _comment(manifest: Manifest) -> str:
    return f"# {manifest.origin.path}\n" if manifest.origin.path else ""


def _dumper() -> type[yaml.SafeDumper]:
    base: type[yaml.SafeDumper] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    representers: dict[Any, Any] = {**base.yaml_representers, str: _text}
    return type("Dumper", (base,), {"yaml_representers": representers, "ignore_aliases": lambda *_: True})


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else "'" if _NUMERIC.fullmatch(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)
