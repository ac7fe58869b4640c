"""Reads the files of tests/faults; raises InvalidFault with the file and the place."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import yaml

FOLDER = Path(__file__).parents[2] / "tests" / "faults"
PROVISIONERS = ("embedded", "kind")
Action = Mapping[str, Any]  # one key: what to do


class InvalidFault(Exception):
    """A file that does not say what it should."""


@dataclass(frozen=True)
class Pattern:
    """An object: `name` may contain *."""

    kind: str
    namespace: str
    name: str

    @classmethod
    def of(cls, text: str) -> Pattern:
        kind, _, rest = text.partition(" ")
        namespace, _, name = rest.rpartition("/")
        return cls(kind, namespace, name)

    def __str__(self) -> str:
        return "/".join(part for part in (self.kind, self.namespace, self.name) if part)

    def matches(self, kind: str, namespace: str, name: str) -> bool:
        return kind == self.kind and namespace == self.namespace and fnmatch.fnmatchcase(name, self.name)


@dataclass(frozen=True)
class Evidence:
    """What an object has to show; `condition` is Type=Status or Type=Status/Reason."""

    pattern: Pattern
    shows: str = ""
    condition: str = ""
    gone: bool = False

    def __str__(self) -> str:
        wanted = ["that is gone"] if self.gone else [part for part in (repr(self.shows) if self.shows else "", self.condition) if part]
        return f"{self.pattern} {' and '.join(wanted)}".strip()

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Evidence:
        return cls(Pattern.of(content["object"]), content.get("shows", ""), content.get("condition", ""), content.get("gone", False))


@dataclass(frozen=True)
class At:
    """A place in the repository: `text` is in its line, '' if only the file can be known."""

    path: str
    text: str = ""


@dataclass(frozen=True)
class Expected:
    """The verdict: `at` is the place of the cause, `also` are the ids of other causes that may be named."""

    healthy: bool
    exit: int
    cause: str
    object: Pattern | None
    at: At | None
    also: Sequence[str]
    text: Sequence[str]
    absent: Sequence[str]


@dataclass(frozen=True)
class Fault:
    """One file; `name` is its path below tests/faults without the ending, `timeout` and `seconds` are in seconds."""

    name: str
    title: str
    provisioners: Sequence[str]
    ci: Sequence[str]
    after: str
    edits: Sequence[Mapping[str, Any]]
    kustomization: Mapping[str, Any]
    actions: Sequence[Action]
    during: Sequence[Action]
    heal: Sequence[Action]
    command: str
    timeout: int
    validate: bool
    rule: str
    expected: Expected
    evidence: Evidence | None
    seconds: float


def read_faults(folder: Path = FOLDER) -> tuple[Fault, ...]:
    """All, in alphabetical order."""
    faults = tuple(read_fault(path, folder) for path in sorted(folder.glob("*/*.yaml")))
    names = {fault.name for fault in faults}
    if missing := [fault.name for fault in faults if fault.after and fault.after not in names]:
        raise InvalidFault(f"{', '.join(missing)}: there is no fault with the name in `after`")
    return faults


def read_fault(path: Path, folder: Path = FOLDER) -> Fault:
    try:
        content = yaml.safe_load(path.read_text())
        jsonschema.validate(content, json.loads((FOLDER / "schema.json").read_text()))
    except yaml.YAMLError as error:
        raise InvalidFault(f"{path}: {error}") from None
    except jsonschema.ValidationError as error:
        raise InvalidFault(f"{path}: {'.'.join(map(str, error.absolute_path)) or 'the file'}: {error.message}") from None
    fault = _fault(str(path.relative_to(folder).with_suffix("")), content)
    if strange := set(fault.ci) - set(fault.provisioners):
        raise InvalidFault(f"{path}: ci: {', '.join(strange)} is not among the provisioners")
    if not (fault.expected.healthy or fault.expected.cause or fault.expected.text):
        raise InvalidFault(f"{path}: expect: which cause or text?")
    return fault


def _fault(name: str, content: Mapping[str, Any]) -> Fault:
    evidence, rule = content.get("evidence"), content.get("rule", "")
    return Fault(
        name=name,
        title=content["title"],
        provisioners=content.get("provisioners", PROVISIONERS),
        ci=content.get("ci", ()),
        after=content.get("after", ""),
        edits=content.get("edits", ()),
        kustomization=content.get("kustomization", {}),
        actions=content.get("actions", ()),
        during=content.get("during", ()),
        heal=content.get("heal", ()),
        command=content.get("command", "up"),
        timeout=content.get("timeout", 60),
        validate=content.get("validate", not rule),
        rule=rule,
        expected=_expected(content["expect"]),
        evidence=Evidence.of(evidence) if evidence else None,
        seconds=content.get("seconds", 2.0),
    )


def _expected(content: Mapping[str, Any]) -> Expected:
    return Expected(
        healthy=content["healthy"],
        exit=content.get("exit", 0 if content["healthy"] else 1),
        cause=content.get("cause", ""),
        object=Pattern.of(content["object"]) if "object" in content else None,
        at=At(**content["at"]) if "at" in content else None,
        also=content.get("also", ()),
        text=content.get("text", ()),
        absent=content.get("absent", ()),
    )
