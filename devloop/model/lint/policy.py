"""PolicyRule: governance of the repository's own, in files of our own format (docs/policies.md), and what policies say. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from devloop.diagnostic import Diagnostic, Location, Severity
from devloop.hint import Hint
from devloop.model.yaml.nodes import YamlNode
from devloop.model.yaml.schema import LABELS, TEXT, TEXTS, FieldSchema, table
from devloop.model.yaml.validation import validate_fields

API_VERSION = "devloop.dev/v1alpha1"
KIND = "PolicyRule"

_SAID = FieldSchema(required=True, pattern=r"(?s).*\S.*", example="a text that says something")
_LAYERS = FieldSchema(
    ("texts",), ("base", "distribution", "cluster"), {"bases": "base", "distributions": "distribution", "clusters": "cluster"}
)
_FIELDS = table(
    {
        "": {
            "apiVersion": FieldSchema(allowed=(API_VERSION,), required=True),
            "kind": FieldSchema(allowed=(KIND,), required=True),
            "ruleName": FieldSchema(
                required=True, pattern=r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", example="a name like replicas-in-production", longest=63
            ),
            "ruleType": FieldSchema(allowed=("validation", "mutation", "generation"), required=True),
            "enforcement": FieldSchema(allowed=("enforce", "warn", "audit"), required=True),
        },
        "targetResources[]": {
            "apiGroups": TEXTS,
            "apiVersions": TEXTS,
            "kinds": TEXTS,
            "names": TEXTS,
            "namespaces": TEXTS,
            "labels": LABELS,
            "environments": TEXTS,
            "layers": _LAYERS,
        },
        "constraints[]": {"expression": _SAID, "message": TEXT, "messageExpression": TEXT, "variables": LABELS},
        "metadata": {"name": TEXT, "namespace": TEXT, "labels": LABELS, "annotations": LABELS},
    }
)
_SEVERITIES = {"enforce": Severity.ERROR, "warn": Severity.WARNING, "audit": Severity.INFO}


@dataclass(frozen=True)
class PolicyRule:
    """One rule. `targets` and `constraints` are its targetResources and constraints, as plain data; `path` is the file that it stands in.

    `environment` is the one that renders it, '' for a rule that holds in all of them.
    """

    name: str
    type: str
    enforcement: str
    targets: tuple[Mapping[str, Any], ...]
    constraints: tuple[Mapping[str, Any], ...]
    path: str = ""
    lines: Mapping[str, int] | None = None
    environment: str = ""

    @property
    def severity(self) -> Severity:
        return _SEVERITIES[self.enforcement]

    def question(self, environment: str) -> dict[str, Any]:
        """The rule as the worker wants it, for one environment; see policy_rule.go."""
        targets = [target for target in self.targets if environment in (target.get("environments") or (environment,))]
        return {
            "type": self.type,
            "severity": self.severity.value,
            "targets": [{key: value for key, value in target.items() if key != "environments"} for target in targets],
            "constraints": [_constraint(each) for each in self.constraints],
        }

    def line(self, field: Sequence[Any]) -> int:
        """Where a field stands, or the next one above it."""
        lines, where = self.lines or {}, ""
        found = 1
        for step in field:
            where = f"{where}[{step}]" if isinstance(step, int) else f"{where}.{step}".lstrip(".")
            found = lines.get(where, found)
        return found


def _constraint(said: Mapping[str, Any]) -> dict[str, Any]:
    variables = [{"name": name, "expression": text} for name, text in said.get("variables", {}).items()]
    return {**said, "variables": variables}


def read_policy_rule(tree: YamlNode, path: str) -> tuple[PolicyRule | None, list[Diagnostic]]:
    """The rule that a document says, and everything that is wrong with it; None where it cannot be used."""
    checked = validate_fields(tree, _FIELDS, path, {})
    problems = [*checked.problems, *_missing(tree, path)]
    data = checked.data
    rule = PolicyRule(
        data.get("ruleName", ""),
        data.get("ruleType", ""),
        data.get("enforcement", ""),
        tuple(data.get("targetResources", ())),
        tuple(_as_written(data.get("constraints", ()), tree)),
        path,
        checked.lines,
    )
    return (None if problems else rule), problems


def _missing(tree: YamlNode, path: str) -> list[Diagnostic]:
    """A rule about nothing, or one that asks for nothing."""
    hints = {"targetResources": "add a list like [{kinds: [Deployment]}]", "constraints": "add a list of expressions in CEL"}
    lacking = [name for name in hints if not (name in tree.entries and tree.entries[name].items)]
    return [Diagnostic.at(path, tree.line, f"{name} is missing or empty", hints[name]) for name in lacking if _is_list(tree, name)]


def _is_list(tree: YamlNode, name: str) -> bool:
    """Whatever has another shape was complained about."""
    return name not in tree.entries or tree.entries[name].shape in ("list", "null")


def _as_written(constraints: Sequence[Mapping[str, Any]], tree: YamlNode) -> list[Mapping[str, Any]]:
    """${NAME} in an expression is the user's own text, no variable of the environment."""
    return [
        {**said, **{key: node.text for key, node in item.entries.items() if key in said and node.shape == "text"}}
        for said, item in zip(constraints, tree.entries["constraints"].items if constraints else [], strict=True)
    ]


class PolicyOutcome(StrEnum):
    """What a policy says; see policy.go."""

    VIOLATED = "violated"
    CHANGED = "changed"
    MISSING = "missing"
    INVALID = "invalid"
    UNBOUND = "unbound"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class PolicyResult:
    """One thing that a policy says of an object or, where `object` is '', of itself; `place` is where it is to be mended.

    `policy` names the policy as people do: PolicyRule replicas. `object` is Kind/namespace/name. `environment` is '' for what holds in
    the repository as such.
    """

    outcome: PolicyOutcome
    policy: str
    message: str
    place: Location
    hint: Hint = ""
    object: str = ""
    severity: Severity | None = None
    environment: str = ""
    kustomization: str = ""
