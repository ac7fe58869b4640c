"""Loads one definition: ksail.yaml, the kind.yaml that it names, and the folder of its manifests."""

import os
from pathlib import Path

from devloop.diagnostic import Diagnostic
from devloop.errors import InputError
from devloop.model.cluster.definition import ClusterDefinition
from devloop.model.cluster.kind_config import KindConfiguration, read_kind
from devloop.model.ksail import Statement, read_ksail, resolve_definition, source_as_written
from devloop.model.messages import quote
from devloop.repository.input_files import is_there, read_input


def load_definition(root: Path, path: Path, environment: str) -> ClusterDefinition:
    """The definition in `path` and its kind.yaml; raises InputError with all problems of both."""
    shown = _shown(root, path)
    statement = read_ksail(read_input(path, shown), shown, os.environ)
    problems: list[Diagnostic] = []
    kind = _kind(root, path.parent, statement, problems)
    source = _source_directory(root, path.parent, statement, problems)
    return resolve_definition(statement, kind, source_directory=source, environment=environment, found=problems)


def _kind(root: Path, folder: Path, statement: Statement, problems: list[Diagnostic]) -> KindConfiguration | None:
    """The Kind configuration next to the definition or at the root; appends to `problems`."""
    if statement.get("distribution", "Vanilla") != "Vanilla":
        return None
    written = statement.get("distribution_config", "kind.yaml")
    path = next((base / written for base in (folder, root) if is_there(base / written)), None)
    if path is None:
        if statement.written("distribution_config"):
            message = f"names {quote(written)}, which does not exist"
            problems.append(statement.problem("distribution_config", message, "create it, or remove the line"))
        return None
    if not _is_inside(root, path):
        problems.append(statement.problem("distribution_config", f"names {quote(written)}, which is outside the repository"))
        return None
    try:
        return read_kind(read_input(path, _shown(root, path)), _shown(root, path), os.environ)
    except InputError as error:
        problems.extend(error.problems)
        return None


def _source_directory(root: Path, folder: Path, statement: Statement, problems: list[Diagnostic]) -> str:
    """Relative to the root: the folder next to the definition if it exists, else the one at the root."""
    written = source_as_written(statement)
    inside = [path for path in (folder / written, root / written) if _is_inside(root, path)]
    if not inside:
        message = f"is {quote(statement.get('source_directory'))}, which is outside the repository"
        problems.append(statement.problem("source_directory", message))
        return written
    path = next((path for path in inside if _is_folder(path)), inside[-1])
    return os.path.relpath(os.path.realpath(path), root)


def _is_inside(root: Path, path: Path) -> bool:
    """Follows links and `..`."""
    return Path(os.path.realpath(path)).is_relative_to(root)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _shown(root: Path, path: Path) -> str:
    """Relative to the root; a file from elsewhere keeps its path."""
    return os.path.relpath(path, root) if _is_inside(root, path.parent) else str(path)
