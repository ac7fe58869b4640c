"""PolicyRule, devloop's own policy format (docs/policies.md), and the results of policies. No I/O."""

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

_EXPRESSION = FieldSchema(required=True, pattern=r"(?s).*\S.*", example="a non-empty text")
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
        "constraints[]": {"expression": _EXPRESSION, "message": TEXT, "messageExpression": TEXT, "variables": LABELS},
        "metadata": {"name": TEXT, "namespace": TEXT, "labels": LABELS, "annotations": LABELS},
    }
)
_SEVERITIES = {"enforce": Severity.ERROR, "warn": Severity.WARNING, "audit": Severity.INFO}


@dataclass(frozen=True)
class PolicyRule:
    """`targets` and `constraints` are plain data; `environment` is the one that renders the rule, '' for a rule for all environments."""

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

    def line(self, field: Sequence[Any]) -> int:
        """The line of a field, or of its nearest parent."""
        line, name = 1, ""
        for step in field:
            name = f"{name}[{step}]" if isinstance(step, int) else f"{name}.{step}".lstrip(".")
            line = (self.lines or {}).get(name, line)
        return line


def read_policy_rule(tree: YamlNode, path: str) -> tuple[PolicyRule | None, list[Diagnostic]]:
    """The rule in a document, None if it is invalid, and all problems."""
    checked = validate_fields(tree, _FIELDS, path, {})
    problems = [*checked.problems, *_missing(tree, path)]
    data = checked.data
    rule = PolicyRule(
        data.get("ruleName", ""),
        data.get("ruleType", ""),
        data.get("enforcement", ""),
        tuple(data.get("targetResources", ())),
        tuple(_without_substitution(data.get("constraints", ()), tree)),
        path,
        checked.lines,
    )
    return (None if problems else rule), problems


def _missing(tree: YamlNode, path: str) -> list[Diagnostic]:
    """A rule without targets or constraints."""
    hints = {"targetResources": "add a list like [{kinds: [Deployment]}]", "constraints": "add a list of expressions in CEL"}
    return [
        Diagnostic.at(path, tree.line, f"{name} is missing or empty", hint)
        for name, hint in hints.items()
        if (node := tree.entries.get(name)) is None or (node.shape in ("list", "null") and not node.items)
    ]


def _without_substitution(constraints: Sequence[Mapping[str, Any]], tree: YamlNode) -> list[Mapping[str, Any]]:
    """Restores ${NAME} in expressions, which is not a variable of the environment."""
    return [
        {**each, **{key: node.text for key, node in item.entries.items() if key in each and node.shape == "text"}}
        for each, item in zip(constraints, tree.entries["constraints"].items if constraints else [], strict=True)
    ]


class PolicyOutcome(StrEnum):
    """The worker has the same outcomes."""

    VIOLATED = "violated"
    CHANGED = "changed"
    MISSING = "missing"
    INVALID = "invalid"
    UNBOUND = "unbound"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class PolicyResult:
    """About an `object` (Kind/namespace/name) or, without one, about the policy; `place` is the place to edit.

    `policy` is kind and name: PolicyRule replicas. `environment` is '' for the repository as a whole.
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
