"""Reads the lines around findings; unreadable files have no snippet."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from devloop.diagnostic import Diagnostic, Snippet
from devloop.errors import InputError
from devloop.model.lint.snippet import snippet
from devloop.repository.input_files import read_input

# Rules whose lines are secret values.
_ABOUT_VALUES = ("secrets/plaintext", "secrets/left-in-clear", "secrets/private-key", "secrets/not-encrypted")


def add_snippets(root: Path, findings: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    text = _reader(root)
    return tuple(replace(found, snippet=_lines(found, text)) if found.line and found.path else found for found in findings)


def lines_around(root: Path, found: Diagnostic) -> Snippet | None:
    """The lines around one location."""
    return _lines(found, _reader(root)) if found.line and found.path else None


def _lines(found: Diagnostic, text: Callable[[str], str]) -> Snippet | None:
    secret = found.location.kind == "Secret" or found.rule in _ABOUT_VALUES
    return snippet(found.path, text(found.path), found.line, secret=secret)


def _reader(root: Path) -> Callable[[str], str]:
    return lru_cache(maxsize=8)(lambda path: read_text(root, path))


def read_text(root: Path, path: str) -> str:
    """'' for files outside the repository, also through links."""
    try:
        root = root.resolve()
        file = (root / path).resolve()
        return read_input(file, path) if file.is_relative_to(root) else ""
    except (InputError, OSError, ValueError, RuntimeError):
        return ""
