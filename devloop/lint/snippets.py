"""Reads the lines around findings; unreadable files have no snippet."""

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from devloop.diagnostic import Diagnostic
from devloop.errors import InputError
from devloop.model.lint.snippet import snippet
from devloop.repository.input_files import read_input


def add_snippets(root: Path, findings: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    root = root.resolve()
    text = lru_cache(maxsize=8)(lambda path: _text(root, path))
    return tuple(replace(f, snippet=snippet(f.path, text(f.path), f.line)) if f.line and f.path else f for f in findings)


def _text(root: Path, path: str) -> str:
    """'' for files outside the repository, also through links."""
    try:
        file = (root / path).resolve()
        return read_input(file, path) if file.is_relative_to(root) else ""
    except (InputError, OSError, ValueError, RuntimeError):
        return ""
