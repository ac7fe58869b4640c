"""The ids of rules are never used again (docs/versions.md): rule_ids.txt lists all that there ever were, `ID removed` for removed rules."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from devloop.lint.rules import RULES

LIST = Path(__file__).with_name("rule_ids.txt")


def ids(text: str) -> list[str]:
    return [line.partition(" ")[0] for line in text.splitlines()]


def test_every_rule_is_listed_once_and_no_removed_id_is_used_again() -> None:
    text = LIST.read_text()
    assert len(ids(text)) == len(set(ids(text)))
    assert {line for line in text.splitlines() if not line.endswith(" removed")} == set(RULES)


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=LIST.parent, check=True, text=True, capture_output=True).stdout


def test_no_id_was_ever_taken_from_the_list() -> None:
    if not (LIST.parents[3] / ".git").exists():
        pytest.skip("not a checkout")
    for commit in git("log", "--format=%H", "--", LIST.name).split():
        missing = set(ids(git("show", f"{commit}:./{LIST.name}"))) - set(ids(LIST.read_text()))
        assert not missing, f"{commit} has {missing}: add `ID removed`"
