"""Detects the generation of a ksail.yaml, and explains keys that belong to another one."""

from collections.abc import Iterator
from dataclasses import dataclass

from devloop.model.ksail.g1 import G1
from devloop.model.ksail.g2 import G2, G2B
from devloop.model.ksail.g3 import G3
from devloop.model.ksail.generation import Generation
from devloop.model.yaml.nodes import YamlNode

GENERATIONS = (G1, G2, G2B, G3)
_ONLY_G1 = {
    "project", "connection", "localRegistry", "mirrorRegistries", "deploymentTool", "secretManager", "generator", "publication",
    "validation",
}  # fmt: skip


@dataclass(frozen=True)
class Detected:
    """A generation and the key that identifies it."""

    generation: Generation
    key: str
    line: int


def detect(root: YamlNode) -> Detected:
    """G1 and G3 share their apiVersion, G2 and G2b too: the keys under spec decide. An empty spec means the newest generation."""
    version = root.entries.get("apiVersion")
    spec = root.entries.get("spec")
    keys = spec.entries if spec else {}
    early_go = version is not None and version.text.startswith("ksail.dev")
    by_version = "apiVersion" if version else "kind", version.line if version else root.line
    nested = [key for key in keys if key in ("cluster", "workload")]
    if nested:
        return Detected(G2B if early_go else G3, f"spec.{nested[0]}", keys[nested[0]].line)
    if early_go:
        return Detected(G2, *by_version)
    first = [key for key, child in keys.items() if key in _ONLY_G1 or (key == "distribution" and child.shape in ("mapping", "null"))]
    if first:
        return Detected(G1, f"spec.{first[0]}", keys[first[0]].line)
    return Detected(G3, *by_version)


def explain(place: str, detected: Detected) -> tuple[str, str] | None:
    """Message and hint for the unknown key `place`, if another generation has it or uses its name."""
    here = detected.generation
    others = [other for other in GENERATIONS if other is not here and any(_within(name, place) for name in other.fields)]
    if others:
        other = min(others, key=lambda other: (place not in other.fields, other.api_version != here.api_version))
        target = _destination(place, other, here)
        message = f"{place} belongs to {other.title}, but {detected.key} on line {detected.line} makes this a {here.title} file"
        return message, f"use instead: {target}" if target else f"convert the whole file to {here.title}"
    renamed = next(_renamed(place.rpartition(".")[2], here), None)
    return (f"unknown key {place}", f"{here.title} calls it {renamed}") if renamed else None


def _within(name: str, place: str) -> bool:
    return name == place or name.startswith((place + ".", place + "[]"))


def _destination(place: str, other: Generation, here: Generation) -> str:
    """The field in `here` for `place` in `other`, or the section that all fields of a section moved to."""
    moved = [here.places[setting].split(".") for setting, name in other.places.items() if _within(name, place) and setting in here.places]
    common = [parts[0] for parts in zip(*moved, strict=False) if len(set(parts)) == 1]
    return ".".join(common) if len(common) > 1 and (len(common) > 2 or len(moved) == 1) else ""


def _renamed(key: str, here: Generation) -> Iterator[str]:
    """The fields in `here` of settings that another generation calls `key`, unless `here` has a field of that name."""
    if any(name.rpartition(".")[2] == key for name in here.fields):
        return
    for other in GENERATIONS:
        for setting, name in other.places.items():
            if name.rpartition(".")[2] == key and setting in here.places:
                yield here.places[setting]
