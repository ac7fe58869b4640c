"""What validation looks for. A rule is a pure function from the context to diagnostics, a line in the RULES of its family's module, two
folders of fixtures, and a row in docs/rules.md."""

from __future__ import annotations

from importlib import import_module

from devloop.lint.rules.rule import Rule, Rules

__all__ = ["RULES", "Rule", "Rules"]

# The modules here, in the order in which docs/rules.md tells them.
FAMILIES = (
    "definition",
    "build",
    "yaml",
    "substitution",
    "schema",
    "naming",
    "labels",
    "resources",
    "images",
    "graph",
    "layers",
    "secrets",
    "constitution",
    "policy",
    "exemptions",
)

RULES: Rules = {name: rule for family in FAMILIES for name, rule in import_module(f"{__name__}.{family}").RULES.items()}
