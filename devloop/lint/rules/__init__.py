"""What validation looks for. A rule is a pure function from the subject to faults, a line in the RULES of its family's module, two folders
of fixtures, and a row in docs/rules.md."""

from __future__ import annotations

from devloop.lint.rules import (
    build,
    constitution,
    definition,
    exemptions,
    graph,
    images,
    labels,
    layers,
    naming,
    policy,
    resources,
    schema,
    secrets,
    substitution,
    yaml,
)
from devloop.lint.rules.rule import Rule, Rules

__all__ = ["RULES", "Rule", "Rules"]

# One line a family, in the order in which docs/rules.md tells them.
RULES: Rules = {
    **definition.RULES,
    **build.RULES,
    **yaml.RULES,
    **substitution.RULES,
    **schema.RULES,
    **naming.RULES,
    **labels.RULES,
    **resources.RULES,
    **images.RULES,
    **graph.RULES,
    **layers.RULES,
    **secrets.RULES,
    **constitution.RULES,
    **policy.RULES,
    **exemptions.RULES,
}
