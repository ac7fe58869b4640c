"""What a rule is for, for people who meet it for the first time, with its fixtures as the example."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from devloop.lint.rules import RULES, Rule
from devloop.lint.selection import chosen

_CHECKOUT = Path(__file__).parents[2] / "tests" / "rules"
_PACKAGED = Path(__file__).parents[1] / "sample" / "rules"
_TEXT = frozenset({".yaml", ".yml", ".json", ".md", ".toml"})
_LONGEST = 60


@dataclass(frozen=True)
class Explanation:
    """`example` is a unified diff from what the rule complains about to what it is content with, '' where there is none to show."""

    name: str
    rule: Rule
    example: str = ""


def explain(pattern: str) -> tuple[Explanation, ...]:
    """The rules that `pattern` names (an id, a family or a glob); one alone comes with an example. Raises InputError for none."""
    names = chosen((pattern,))
    return tuple(Explanation(name, RULES[name], _example(name) if len(names) == 1 else "") for name in names)


def _example(name: str) -> str:
    folder = next((place / name for place in (_CHECKOUT, _PACKAGED) if (place / name).is_dir()), None)
    if folder is None:
        return ""
    lines = [line for path in _paths(folder) for line in _difference(folder, path)]
    return "\n".join(lines) if len(lines) <= _LONGEST else ""


def _paths(folder: Path) -> list[str]:
    files = (path.relative_to(side) for side in (folder / "fail", folder / "pass") for path in side.rglob("*") if path.suffix in _TEXT)
    return sorted({path.as_posix() for path in files})


def _difference(folder: Path, path: str) -> Iterator[str]:
    before, after = (_lines(folder / side / path) for side in ("fail", "pass"))
    yield from difflib.unified_diff(before, after, f"wrong/{path}", f"right/{path}", lineterm="", n=3)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return []
