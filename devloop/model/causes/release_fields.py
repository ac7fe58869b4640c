"""The field of a HelmRelease, or the line of its chart, that a cause is about, by the words of Helm and Flux's controllers. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from devloop.model.causes.field_paths import Field, has, items_at, pointer

_SCHEMA = re.compile(r"in the following chart\(s\): (?P<chart>[^:\s]+):")
_VALUE = re.compile(r"- at '(?P<at>[^']*)': (?P<why>[^-]*)")
_KEYS = re.compile(r"(?:additional properties|missing propert(?:y|ies)) (?P<names>'[^']*'(?:, '[^']*')*)")
_REFERENCE = re.compile(r"could not resolve (ConfigMap|Secret) chart values reference '(?:[^/']*/)?([^']+)' with key '([^']*)'")
# A template's name begins with that of its chart: catalogue/templates/api.yaml:12:5.
_TEMPLATE = re.compile(r"([\w.-]+/[\w./-]+\.(?:ya?ml|tpl|txt|json))(?::(\d+))?")
_DEPENDENCY = re.compile(r"missing in charts/ director(?:y|ies): ([\w.-]+)|dependency '([^']+)'|failed to get chart '([^']+)'")
_REFUSED = re.compile(r"""(?:with kind (?P<kind>\w+)|\b(?P<of>[A-Z]\w+)(?:\.[\w.-]+)?) "(?P<name>[^"]+)" is invalid""")
_OBJECT = r"(?P<kind>\w+)/(?:[\w.-]+/)?(?P<name>[\w.-]+)"
_HOOK = (
    re.compile(rf"resource {_OBJECT} not ready"),
    re.compile(rf"stalled resources: \[{_OBJECT} status: "),
    re.compile(r"\b(?P<kind>job|pod) (?P<name>[\w.-]+) failed"),
)

# Why there is no chart, most specific first.
_CHART: tuple[tuple[str, Field], ...] = (
    (r"""(Repository|Bucket)\S* ['"][^'"]*['"] not found|failed to get source|no HelmRepository""", ("sourceRef", "name")),
    ("chart version|version matching|for constraint|SemVer|version", ("version",)),
    ("values file", ("valuesFiles",)),
)


def values_fields(message: str, body: Mapping[str, Any], chart: str) -> list[Field]:
    """Keys of spec.values, or the entry of spec.valuesFrom, in the order of the message; `chart` is the name of the release's chart."""
    if reference := _REFERENCE.search(message):
        wanted = (reference[1], reference[2])
        return [(*field, "name") for field, item in items_at(body, "spec", "valuesFrom") if (item.get("kind"), item.get("name")) == wanted]
    owner = _SCHEMA.search(message)
    prefix: Field = (owner["chart"],) if owner and chart and owner["chart"] != chart else ()
    keys = [key for found in _VALUE.finditer(message) for key in _keys(found["at"], found["why"])]
    return [("spec", "values", *(prefix if has(body, ("spec", "values", *prefix, *key)) else ()), *key) for key in keys]


def _keys(at: str, why: str) -> Iterator[Field]:
    """The value itself, or the keys in it that are not allowed."""
    named = _KEYS.search(why)
    names = re.findall(r"'([^']*)'", named["names"]) if named and "additional" in named[0] else []
    yield from ((*pointer(at), name) for name in names) if names else (pointer(at),)


def template_line(message: str, folder: str) -> Iterator[tuple[str, int]]:
    """(path, line) of the innermost template in the chart at `folder`; line 0 if the message counts lines of what was rendered."""
    found = [(match[1], int(match[2] or 0)) for match in _TEMPLATE.finditer(message)]
    for name, line in reversed(found) if folder else ():
        yield f"{folder}/{name.partition('/')[2]}", 0 if "error converting YAML" in message else line


def chart_fields(message: str, body: Mapping[str, Any]) -> list[Field]:
    """Of spec.chart.spec or spec.chartRef of a HelmRelease, or of the spec of a HelmChart."""
    base: Field = ("spec",) if body.get("kind") == "HelmChart" else ("spec", "chart", "spec")
    names = [field for words, field in _CHART if re.search(words, message)]
    return [*((*base, *field) for field in names), (*base, "chart"), ("spec", "chartRef", "name")]


def missing_dependency(message: str) -> str:
    """The dependency in Chart.yaml that the chart lacks, '' if it does not."""
    found = _DEPENDENCY.search(message)
    return next(filter(None, found.groups()), "") if found else ""


def named_object(message: str) -> tuple[str, str]:
    """(kind, name) of the object of a release that the message is about, ('', '') without one; the kind may be in lower case."""
    if hook := next(filter(None, (pattern.search(message) for pattern in _HOOK)), None):
        return hook["kind"], hook["name"]
    if refused := _REFUSED.search(message):
        return refused["kind"] or refused["of"], refused["name"]
    return "", ""
