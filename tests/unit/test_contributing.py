"""CONTRIBUTING's "How to add ..." is true: its blocks, applied to a copy of the repository, add what they say."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^  ```\w+\n  # (\S+?)(?:, (\w+))?\n(.*?)^  ```$", re.MULTILINE | re.DOTALL)


def blocks() -> list[tuple[str, str, str]]:
    """Path, the table that the block goes into ('' for a new file), the lines."""
    return [(path, table, textwrap.dedent(text)) for path, table, text in BLOCK.findall((ROOT / "CONTRIBUTING.md").read_text())]


def add(file: Path, table: str, text: str) -> None:
    """Make a new file, or add to the end of one or of a table in it, which ends with the first bracket at the start of a line."""
    if not table:
        assert not file.exists()
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    elif table == "end":
        file.write_text(file.read_text() + text)
    else:
        assert text.count("\n") == 1
        before, start, rest = re.split(rf"^({table}\b)", file.read_text(), maxsplit=1, flags=re.MULTILINE)
        file.write_text(before + start + re.sub(r"^(?=[)}])", lambda _: textwrap.indent(text, "    "), rest, count=1, flags=re.MULTILINE))


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository with everything that the page adds."""
    folder = tmp_path_factory.mktemp("copy")
    for name in ("devloop", "worker", "tests", "docs", "clusters", "k8s", "policies", "pyproject.toml"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    for path, table, text in blocks():
        add(folder / path, table, text)
    return folder


def run(copy: Path, *command: str, status: tuple[int, ...] = (0,), **environment: str) -> str:
    done = subprocess.run(command, cwd=copy, check=False, text=True, capture_output=True, env=os.environ | environment)
    assert done.returncode in status, done.stdout + done.stderr
    return done.stdout


def devloop(copy: Path, *args: str, status: tuple[int, ...] = (0,)) -> str:
    return run(copy, sys.executable, "-m", "devloop", *args, status=status)


def completed(copy: Path, *words: str) -> list[str]:
    """What the shell offers for the last word."""
    code = "import sys; sys.argv = ['devloop']; from devloop.cli import run; run([])"
    asked = {"_DEVLOOP_COMPLETE": "complete_bash", "COMP_WORDS": " ".join(("devloop", *words)), "COMP_CWORD": str(len(words))}
    return run(copy, sys.executable, "-c", code, **asked).split()


def test_the_page_shows_how_to_add_each_kind() -> None:
    tables = [table for _, table, _ in blocks() if table]
    assert tables == ["PROVISIONERS", "FAMILIES", "end", "end", "COMMANDS", "FORMATS"]


def test_what_is_added_meets_the_style_and_the_contracts(copy: Path) -> None:
    changed = [path for path, _, _ in blocks() if path.endswith(".py")]
    assert run(copy, sys.executable, "-m", "ruff", "check", *changed).strip() == "All checks passed!"
    assert " 0 broken" in run(copy, str(Path(sys.executable).with_name("lint-imports")), "--no-cache")


def test_the_command_is_listed_completed_and_works(copy: Path) -> None:
    assert "  environments  List the environments of the repository." in devloop(copy, "--help")
    assert completed(copy, "envi") == ["environments"]
    assert devloop(copy, "environments").split() == ["dev", "local", "prod"]


def test_the_format_is_listed_completed_and_works(copy: Path) -> None:
    assert "|csv>" in devloop(copy, "validate", "--help")
    assert completed(copy, "validate", "-o", "c") == ["csv"]
    code = """
from devloop.model.report import Report
from devloop.output import FORMATS
from devloop.diagnostic import Diagnostic
print(FORMATS["csv"].write(Report("validate", "", findings=(Diagnostic.at("c.yaml", 1, "d"),))))
"""
    assert run(copy, sys.executable, "-c", code).strip() == "input,c.yaml,1,d"


def test_the_rule_is_explained_completed_and_works(copy: Path) -> None:
    assert "nobody knows whom to ask" in devloop(copy, "validate", "--explain", "annotations")
    assert completed(copy, "validate", "--rule", "anno") == ["annotations/owner", "annotations/*"]
    tests = ("tests/unit/lint/test_rules.py", "-k", "annotations or documentation or family or folder")
    assert "annotations/owner" in (copy / "tests/unit/lint/rule_ids.txt").read_text().splitlines()
    assert re.search(r"^5 passed", run(copy, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests), re.MULTILINE)


def test_the_provisioner_is_listed_completed_and_works(copy: Path) -> None:
    assert "|scratch>" in devloop(copy, "up", "--help")
    assert completed(copy, "up", "local", "--provisioner", "s") == ["scratch"]
    assert '"provisioner": "scratch"' in devloop(copy, "doctor", "--provisioner", "scratch", "-o", "json", status=(0, 1))
    assert '"steps": []' not in devloop(copy, "status", "local", "--provisioner", "scratch", "-o", "json", status=(0, 1))
