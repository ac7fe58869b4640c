"""What validation looks for. A rule is a pure function from the subject to faults, a line in the RULES of its family's module, two folders
of fixtures, and a row in docs/rules.md."""

from __future__ import annotations

from devloop.rules import (
    build,
    constitution,
    definition,
    encryption,
    exemptions,
    files,
    graph,
    images,
    labels,
    layers,
    naming,
    ownership,
    policy,
    prerequisites,
    readiness,
    recipients,
    references,
    resources,
    schema,
    secrets,
    substitution,
)
from devloop.rules.rule import Rule, Rules

__all__ = ["RULES", "Rule", "Rules"]

# One line a family, in the order in which docs/rules.md tells them.
RULES: Rules = {
    **definition.RULES,
    **build.RULES,
    **files.RULES,
    **substitution.RULES,
    **schema.RULES,
    **naming.RULES,
    **labels.RULES,
    **resources.RULES,
    **images.RULES,
    **graph.RULES,
    **ownership.RULES,
    **references.RULES,
    **prerequisites.RULES,
    **readiness.RULES,
    **layers.RULES,
    **secrets.RULES,
    **encryption.RULES,
    **recipients.RULES,
    **constitution.RULES,
    **policy.RULES,
    **exemptions.RULES,
}
