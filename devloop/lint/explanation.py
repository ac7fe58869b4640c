"""Explains a rule, with its test fixtures as the example."""

import difflib
from dataclasses import dataclass
from pathlib import Path

from devloop.lint.rules import RULES, Rule
from devloop.lint.selection import matching_rules

_CHECKOUT = Path(__file__).parents[2] / "tests" / "rules"
_PACKAGED = Path(__file__).parents[1] / "sample" / "rules"
_TEXT = frozenset({".yaml", ".yml", ".json", ".md", ".toml"})
_LONGEST = 60


@dataclass(frozen=True)
class Explanation:
    """`example` is a unified diff from a failing fixture to a passing one, if there is one."""

    name: str
    rule: Rule
    example: str = ""


def explain(pattern: str) -> tuple[Explanation, ...]:
    """The rules that match `pattern` (an id, a family or a glob), a single one with an example. Raises InputError if none does."""
    names = matching_rules((pattern,))
    return tuple(Explanation(name, RULES[name], _example(name) if len(names) == 1 else "") for name in names)


def _example(name: str) -> str:
    folder = (_CHECKOUT if (_CHECKOUT / name).is_dir() else _PACKAGED) / name
    before, after = folder / "fail", folder / "pass"
    files = {path.relative_to(side).as_posix() for side in (before, after) for path in side.rglob("*") if path.suffix in _TEXT}
    lines: list[str] = []
    for path in sorted(files):
        lines += difflib.unified_diff(_lines(before / path), _lines(after / path), f"wrong/{path}", f"right/{path}", lineterm="", n=3)
    return "\n".join(lines) if len(lines) <= _LONGEST else ""


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return []
