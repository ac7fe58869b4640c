"""Reports as text for other programs: one function `Report -> str` a format, each imported only when it is asked for.

Paths need not be UTF-8: what is not comes out as \\udcXX, which JSON takes for the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from devloop.model.report import Report


def _json(report: Report) -> str:
    from devloop.output.json import to_json

    return to_json(report)


def _sarif(report: Report) -> str:
    from devloop.output.sarif import to_sarif

    return to_sarif(report)


def _junit(report: Report) -> str:
    from devloop.output.junit import to_junit

    return to_junit(report)


def _github(report: Report) -> str:
    from devloop.output.github import to_github

    return to_github(report)


def written(name: str, report: Report) -> str:
    """The report in the format `name`, in characters that can be written as UTF-8."""
    return FORMATS[name](report).encode(errors="backslashreplace").decode()


FORMATS: Mapping[str, Callable[[Report], str]] = {"json": _json, "sarif": _sarif, "junit": _junit, "github": _github}
