"""Finds the repository's root and its environments.

The definition of ENV is the first of: --definition FILE; clusters/ENV/ksail.yaml; ksail.ENV.yaml; ksail.yaml, if it is named ENV, or is
the only definition and ENV is `local`.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from devloop.errors import InputError
from devloop.model.cluster.environment import Environment
from devloop.model.ksail import read_ksail
from devloop.model.messages import join_words, quote, suggestions
from devloop.repository.definitions import load_definition
from devloop.repository.input_files import is_there, read_input

PLAIN = "ksail.yaml"
_LOCAL = "local"
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_SCAFFOLD = "scaffold a sample platform with `devloop init DIR`, or name the repository's root with `devloop -C DIR`"


def find_root(start: Path) -> Path:
    """The nearest folder from `start` upwards with a definition, else with a Git repository; raises InputError if there is neither."""
    start = start.resolve()
    for folder in (start, *start.parents):
        # clusters/local in a repository has a ksail.yaml but is not the root.
        belongs_to_environment = folder.parent.name == "clusters" and not (folder / ".git").exists()
        if not belongs_to_environment and (is_there(folder / PLAIN) or any(_named_definitions(folder))):
            return folder
    for folder in (start, *start.parents):
        if is_there(folder / ".git"):
            return folder
    raise InputError(f"neither a KSail definition nor a Git repository in {start} or in a folder above it", hint=_SCAFFOLD)


def environments(root: Path) -> tuple[str, ...]:
    """The names of all environments, sorted; those with an invalid definition too."""
    return tuple(sorted(_definitions(root)))


def load_environment(root: Path, name: str, definition: Path | None = None) -> Environment:
    """The environment `name`, from the file `definition` if given; raises InputError with all problems of its files."""
    if not _NAME.fullmatch(name):
        raise InputError(f"{quote(name)} is not a valid environment name", hint="use letters, digits, dashes, dots and underscores")
    root = root.resolve()
    path = _given(root, definition) if definition else _find(root, name)
    return Environment(name, root, load_definition(root, path, name))


def _definitions(root: Path) -> dict[str, Path]:
    """Definitions by environment."""
    found: dict[str, Path] = {}
    for name, path in _named_definitions(root):
        found.setdefault(name, path)
    if is_there(root / PLAIN):
        name = _name_of_plain(root) or ("" if found else _LOCAL)
        found.update({name: root / PLAIN} if name and name not in found else {})
    return found


def _named_definitions(root: Path) -> Iterator[tuple[str, Path]]:
    """Definitions whose path names their environment."""
    for folder in _entries(root / "clusters"):
        if _NAME.fullmatch(folder.name) and is_there(folder / PLAIN):
            yield folder.name, folder / PLAIN
    for path in _entries(root):
        named = re.fullmatch(r"ksail\.(.+)\.yaml", path.name)
        if named and _NAME.fullmatch(named[1]):
            yield named[1], path


def _name_of_plain(root: Path) -> str:
    """The name in ksail.yaml, '' for none; `local` if it cannot be read, so that loading that environment reports the problems."""
    try:
        return _read_name(root)
    except InputError:
        return _LOCAL


def _read_name(root: Path) -> str:
    statement = read_ksail(read_input(root / PLAIN, PLAIN), PLAIN, os.environ)
    name = statement.get("name")
    if not name and statement.checked.problems:
        raise InputError.of(statement.checked.problems)
    return name if _NAME.fullmatch(name) else ""


def _given(root: Path, definition: Path) -> Path:
    """--definition FILE is relative to the current folder, or else to the repository's root."""
    path = definition if is_there(definition) or not is_there(root / definition) else root / definition
    return path.parent.resolve() / path.name


def _find(root: Path, name: str) -> Path:
    found = _definitions(root)
    if name in found:
        return found[name]
    if name == _LOCAL and set(found.values()) == {root / PLAIN}:
        return root / PLAIN
    if not found:
        raise InputError(f"no KSail definition in {root}", hint=_SCAFFOLD)
    hint = f"to add it, create clusters/{name}/{PLAIN} or ksail.{name}.yaml"
    if is_there(root / PLAIN) and not _read_name(root):
        hint = f"{PLAIN} has no metadata.name: add one, or use --definition {PLAIN}"
    elif similar := suggestions(name, list(found)):
        hint = f"did you mean {join_words(similar, 'or')}?"
    raise InputError(f"no environment {quote(name)} in {root}; it has {join_words(sorted(found))}", hint=hint)


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []
