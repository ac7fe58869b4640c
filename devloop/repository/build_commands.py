"""Reads the section `build` of devloop.yaml, and keeps what the user allowed and what was built."""

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from devloop.clients import git, private_files
from devloop.clients.xdg import state_folder
from devloop.diagnostic import Diagnostic
from devloop.errors import InputError
from devloop.model.build_commands import TIMEOUT, BuildCommand, fingerprint
from devloop.model.kubernetes.duration import DURATION, parse_duration
from devloop.model.lint.settings import PATH
from devloop.model.yaml.nodes import parse_yaml
from devloop.model.yaml.schema import FieldSchema
from devloop.model.yaml.validation import ValidationResult, validate_fields
from devloop.repository.input_files import is_there, read_input

SECTION = "build"
FIELDS = {
    "build[].command": FieldSchema(("texts",), required=True),
    "build[].paths": FieldSchema(("texts",), required=True),
    "build[].timeout": FieldSchema(pattern=DURATION, example="a duration like 90s or 10m"),
}
_ALLOWED = "build-commands.json"  # root of a repository -> fingerprint of the commands that its user allowed


def load_build_commands(root: Path) -> tuple[BuildCommand, ...]:
    """The commands of the repository; raises InputError with all problems of that part of devloop.yaml."""
    text = read_input(root / PATH, PATH) if is_there(root / PATH) else ""
    if SECTION not in text:
        return ()
    tree, _ = parse_yaml(text, PATH)
    only = replace(tree, value={key: node for key, node in tree.entries.items() if key == SECTION})
    checked = validate_fields(only, FIELDS, PATH, {})
    commands = [_command(entry, checked.lines.get(f"{SECTION}[{i}]", 0)) for i, entry in enumerate(checked.data.get(SECTION, ()))]
    if problems := [*checked.problems, *_outside(commands, checked)]:
        raise InputError.of(problems)
    return tuple(commands)


def _command(entry: Mapping[str, Any], line: int) -> BuildCommand:
    timeout = parse_duration(entry["timeout"], "timeout") if entry.get("timeout") else TIMEOUT
    paths = tuple(posixpath.normpath(path) for path in entry.get("paths", ()))
    return BuildCommand(tuple(entry.get("command", ())), paths, timeout, line)


def _outside(commands: Sequence[BuildCommand], checked: ValidationResult) -> Iterator[Diagnostic]:
    for index, command in enumerate(commands):
        for path in command.paths:
            if posixpath.isabs(path) or path.startswith(".."):
                line = checked.lines.get(f"{SECTION}[{index}].paths", command.line)
                yield Diagnostic.at(PATH, line, f"the path {path} is outside the repository", "name a folder of the repository")


def is_allowed(root: Path, commands: Sequence[BuildCommand]) -> bool:
    """Whether the user has allowed exactly these commands."""
    return not commands or private_files.read_json(state_folder() / _ALLOWED).get(str(root.resolve())) == fingerprint(commands)


def allow(root: Path, commands: Sequence[BuildCommand]) -> None:
    known = private_files.read_json(state_folder() / _ALLOWED)
    private_files.write_json(state_folder() / _ALLOWED, {**known, str(root.resolve()): fingerprint(commands)})


def content_of(root: Path, tree: str, paths: Sequence[str], store: Path) -> str:
    """What is below `paths` in a snapshot's `tree` (of `root` as a whole), as object ids; an absent path has none."""
    done = git.git("--git-dir", str(store), "ls-tree", "-z", tree, "--", *paths, cwd=root, check=False)
    return done.text
