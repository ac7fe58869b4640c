"""All rules. A rule is a pure function from the context to diagnostics, an entry in the RULES of its family's module, two folders of
fixtures, and a row in docs/rules.md."""

from importlib import import_module

from devloop.lint.rules.rule import Rule, Rules

__all__ = ["RULES", "Rule", "Rules"]

# The modules in this folder, in the order of docs/rules.md.
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
