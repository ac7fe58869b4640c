"""Which files of a chart differ from the packaged one. No I/O.

Helm keeps the bytes of all files but Chart.yaml; dependencies are added below charts/.
"""

from __future__ import annotations

from collections.abc import Mapping

_RENDERED = ("templates/", "crds/")
_REWRITTEN = frozenset({"Chart.yaml", "Chart.lock", "requirements.lock"})


def changed_files(chart: Mapping[str, bytes], packaged: Mapping[str, bytes]) -> tuple[str, ...]:
    """Paths, relative to the chart, that were edited, added or removed since; only those that Helm renders can be added or removed."""
    edited = {name for name, content in packaged.items() if name in chart and chart[name] != content and not _is_prose(name)} - _REWRITTEN
    added = {name for name in chart.keys() - packaged.keys() if name.startswith(_RENDERED) and not _is_backup(name)}
    removed = {name for name in packaged.keys() - chart.keys() if name.startswith(_RENDERED)}
    return tuple(sorted(edited | added | removed))


def _is_backup(name: str) -> bool:
    """Names that the usual .helmignore leaves out."""
    base = name.rpartition("/")[2]
    return base.startswith(".") or base.endswith(("~", ".swp", ".bak", ".tmp", ".orig"))


def _is_prose(name: str) -> bool:
    return name.endswith((".md", "NOTES.txt", "LICENSE", ".helmignore"))
