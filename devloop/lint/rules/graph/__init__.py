"""graph/*: how the Kustomizations of an environment fit together, and what they need from each other."""

from __future__ import annotations

from devloop.lint.rules.graph import kustomizations, ownership, prerequisites, readiness, references
from devloop.lint.rules.rule import Rules

RULES: Rules = {
    **kustomizations.RULES,
    **ownership.RULES,
    **references.RULES,
    **prerequisites.RULES,
    **readiness.RULES,
}
