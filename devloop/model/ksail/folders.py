"""The source directory and the entry path of a definition, whatever its generation."""

import posixpath
import re
from collections.abc import Iterator

from devloop.diagnostic import Diagnostic
from devloop.model.ksail.g1 import G1
from devloop.model.ksail.generation import Statement
from devloop.model.kubernetes.kustomize import is_kustomization_file
from devloop.model.messages import quote


def source_as_written(statement: Statement) -> str:
    """The folder that becomes the artifact; in G1 the first part of the entry overlay's path."""
    written = posixpath.normpath(statement.get("source_directory", "k8s"))
    return (written.partition("/")[0] or "/") if statement.generation is G1 else written


def entry_path(statement: Statement) -> str:
    """The folder of the entry overlay, relative to the source directory."""
    if statement.generation is G1:
        return posixpath.normpath(statement.get("source_directory", "k8s")).partition("/")[2] or "."
    path = posixpath.normpath(statement.get("entry_path", "."))
    return path if _is_inside(path) else "."


def folder_problems(statement: Statement) -> Iterator[Diagnostic]:
    path = posixpath.normpath(statement.get("entry_path", "."))
    if is_kustomization_file(path):
        folder = posixpath.dirname(path) or '""'
        yield statement.problem("entry_path", f"is {quote(path)}, but despite its name this field takes a folder", f"write {folder}")


def folder_warnings(statement: Statement) -> Iterator[Diagnostic]:
    written = statement.get("entry_path")
    if not _is_inside(posixpath.normpath(written)):
        message = f"is {quote(written)}, not a folder inside the source directory; like KSail, devloop uses the source directory itself"
        yield statement.problem("entry_path", message)


def _is_inside(path: str) -> bool:
    return not (path.startswith(("/", "..")) or "\\" in path or re.match("[A-Za-z]:", path))
