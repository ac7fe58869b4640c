"""Inserts a fault into the sample platform and knows where it is reported."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

BASES = "k8s/bases"
SYNC = f"{BASES}/sync/kustomization.yaml"
STOREFRONT = f"{BASES}/apps/storefront"
WEB = f"{STOREFRONT}/deployment-web.yaml"
LOGIN = "k8s/clusters/local/apps/storefront/secret.enc.yaml"

Step = Callable[[Path], object]


@dataclass(frozen=True)
class Plant:
    """A change of the sample, and the file and first line with `at` that the rule reports ('' for no line)."""

    step: Step
    path: str = ""
    at: str = ""

    def place(self, root: Path) -> tuple[str, int]:
        """Where the fault is, once it is planted below `root`."""
        if not self.at:
            return self.path, 0
        lines = (root / self.path).read_text().splitlines()
        return self.path, next(number for number, line in enumerate(lines, 1) if self.at in line)


def new(path: str, text: str) -> Step:
    def plant(root: Path) -> None:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)

    return plant


def edit(path: str, pattern: str, replacement: str) -> Step:
    """Replaces the match of the pattern, which must exist."""

    def plant(root: Path) -> None:
        text, count = re.subn(pattern, replacement, (root / path).read_text(), flags=re.MULTILINE)
        assert count, f"{pattern} is not in {path}"
        (root / path).write_text(text)

    return plant


def both(*steps: Step) -> Step:
    return lambda root: [step(root) for step in steps]


def listed(folder: str, name: str, text: str) -> Step:
    """A new file, under resources of its folder's kustomization.yaml."""
    return both(new(f"{folder}/{name}", text), edit(f"{folder}/kustomization.yaml", r"^resources:\n", f"resources:\n  - {name}\n"))


def edited(path: str, pattern: str, replacement: str, at: str = "") -> Plant:
    """A fault that is reported where it is made: on the line of the replacement, or of `at`."""
    return Plant(edit(path, pattern, replacement), path, at or replacement)


def added(name: str, text: str, at: str, folder: str = STOREFRONT) -> Plant:
    """A fault in a new object."""
    return Plant(listed(folder, name, text), f"{folder}/{name}", at)
