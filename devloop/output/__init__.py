"""Reports as text for other programs: one line and one module a format, imported only when it is asked for.

Paths need not be UTF-8: what is not comes out as \\udcXX, which JSON takes for the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from devloop.model.commands import Target

if TYPE_CHECKING:
    from devloop.model.report import Report

# What people read; the console's own.
TEXT = "text"


class Format(NamedTuple):
    """The function `to_NAME` of the module NAME here, for the reports of commands that look at one of `targets`."""

    name: str
    purpose: str
    targets: tuple[Target, ...] = (Target.CLUSTER, Target.REPOSITORY)

    def write(self, report: Report) -> str:
        """The report in characters that can be written as UTF-8."""
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
    """What `--output` takes in commands that look at `target`."""
    return (TEXT, *(each.name for each in FORMATS.values() if target in each.targets))
