"""Reads the facts about the repository's files that no build tells."""

from __future__ import annotations

from pathlib import Path

from devloop.model.files import Files


def read_files(root: Path) -> Files:
    """The files that Git would take, and what is in them."""
    return Files()
