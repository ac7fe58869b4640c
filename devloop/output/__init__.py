"""Report formats for other programs: a line in FORMATS and a module each, imported when used.

Bytes of paths that are not UTF-8 become \\udcXX, as in JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from devloop.model.commands import Target

if TYPE_CHECKING:
    from devloop.model.report import Report

# The console's format.
TEXT = "text"
# A file name: standard output.
STDOUT = "-"


class Format(NamedTuple):
    """Written by the function `to_NAME` of the module NAME here, for commands with one of `targets`."""

    name: str
    purpose: str
    targets: tuple[Target, ...] = (Target.CLUSTER, Target.REPOSITORY)

    def write(self, report: Report) -> str:
        text: str = getattr(import_module(f"devloop.output.{self.name}"), f"to_{self.name}")(report)
        return text.encode(errors="backslashreplace").decode()


def _by_name(*formats: Format) -> Mapping[str, Format]:
    return {each.name: each for each in formats}


FORMATS = _by_name(
    Format("json", "everything, for scripts", tuple(Target)),
    Format("sarif", "findings, for code scanning"),
    Format("junit", "a case per Kustomization and family of rules, for test result views"),
    Format("github", "annotations in a workflow"),
)


def names(target: Target) -> tuple[str, ...]:
    """Values of `--output` for commands with `target`."""
    return (TEXT, *(each.name for each in FORMATS.values() if target in each.targets))
