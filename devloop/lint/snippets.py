"""Reads the lines around findings; unreadable files have no snippet."""

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from devloop.diagnostic import Diagnostic
from devloop.errors import InputError
from devloop.model.lint.snippet import snippet
from devloop.repository.input_files import read_input

# Rules whose lines are secret values.
_ABOUT_VALUES = ("secrets/plaintext", "secrets/left-in-clear", "secrets/private-key", "secrets/not-encrypted")


def add_snippets(root: Path, findings: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    root = root.resolve()
    text = lru_cache(maxsize=8)(lambda path: _text(root, path))

    def lines(found: Diagnostic) -> Diagnostic:
        secret = found.location.kind == "Secret" or found.rule in _ABOUT_VALUES
        return replace(found, snippet=snippet(found.path, text(found.path), found.line, secret=secret))

    return tuple(lines(found) if found.line and found.path else found for found in findings)


def _text(root: Path, path: str) -> str:
    """'' for files outside the repository, also through links."""
    try:
        file = (root / path).resolve()
        return read_input(file, path) if file.is_relative_to(root) else ""
    except (InputError, OSError, ValueError, RuntimeError):
        return ""
