"""Definitions of environments in folders of tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from devloop.errors import InputError
from devloop.repository.environments import load_environment

HEAD = "apiVersion: ksail.io/v1alpha1\nkind: Cluster\n"
KIND = "apiVersion: kind.x-k8s.io/v1alpha4\nkind: Cluster\n"


def write(root: Path, files: dict[str, str]) -> Path:
    """Files in a repository: path -> text."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def named(name: str, more: str = "") -> str:
    return f"{HEAD}metadata: {{name: {name}}}\n{more}"


def refusal(root: Path, name: str, definition: Path | None = None) -> list[str]:
    """Message and hint, or those of every problem."""
    with pytest.raises(InputError) as caught:
        load_environment(root, name, definition)
    if caught.value.problems:
        return [f"{problem} | {problem.hint}".removesuffix(" | ") for problem in caught.value.problems]
    return [f"{caught.value.message} | {caught.value.hint}"]
