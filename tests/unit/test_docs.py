"""What the pages show works: settings are read by what reads them, commands run; the few that do not are listed with a reason."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from devloop.lint.rules import RULES
from devloop.model.commands import COMMANDS
from devloop.model.sops.creation_rules import parse_creation_rules
from devloop.output import FORMATS
from devloop.repository.settings import read_settings
from devloop.scaffold import scaffold

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = (ROOT / "README.md", *sorted(DOCS.glob("*.md")))
BLOCK = re.compile(r"^```(sh|yaml|toml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

# Blocks that no test here runs, by page and language: why.
EXCEPTIONS = {
    ("README.md", "sh", 0): "installs devloop into a new environment and builds the programs",
    ("README.md", "sh", 1): "runs the test suite",
    ("README.md", "sh", 2): "needs a cluster; the integration tests run these commands",
    ("images.md", "sh", 0): "needs a container engine; tests/integration/test_kind_images.py makes images",
    ("toolchain.md", "sh", 0): "installs and removes programs; tests/unit/toolchain does that with small ones",
    ("github-actions.md", "yaml", 0): "scripts/lint_workflows.py checks it with actionlint",
    ("github-actions.md", "yaml", 1): "scripts/lint_workflows.py checks it with actionlint",
    ("policies.md", "yaml", 0): "lists the fields of a policy, of the sample's policies some",
}

# Blocks that a test below runs.
RUN = {("validation.md", "sh", 0), ("validation.md", "yaml", 0), ("validation.md", "yaml", 1), ("secrets.md", "yaml", 0)}


def blocks() -> dict[tuple[str, str, int], str]:
    """Page, language and number among the blocks of this language -> text."""
    found: dict[tuple[str, str, int], str] = {}
    for page in PAGES:
        for language, text in BLOCK.findall(page.read_text()):
            number = sum(key[:2] == (page.name, language) for key in found)
            found[page.name, language, number] = text
    return found


def test_every_block_is_run_or_listed_with_a_reason() -> None:
    assert set(blocks()) == set(EXCEPTIONS) | RUN
    assert len(EXCEPTIONS) <= 10


def test_the_settings_on_the_page_are_valid() -> None:
    settings = read_settings(blocks()["validation.md", "yaml", 0], tuple(RULES))
    assert settings.severities
    assert settings.exemptions


def test_the_hooks_on_the_page_exist() -> None:
    [repository] = yaml.safe_load(blocks()["validation.md", "yaml", 1])["repos"]
    hooks = yaml.safe_load((ROOT / "hooks" / ".pre-commit-hooks.yaml").read_text())
    assert {hook["id"] for hook in repository["hooks"]} <= {hook["id"] for hook in hooks}


def test_the_creation_rules_on_the_page_match_encrypted_files() -> None:
    rules = parse_creation_rules(blocks()["secrets.md", "yaml", 0])
    assert rules.problems == ()
    assert rules.rule_for("k8s/clusters/local/apps/settings.enc.yaml")


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory, sops_program: Path) -> Path:
    """A scaffolded sample platform, committed, with a remote branch."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
        folder = tmp_path_factory.mktemp("sample") / "demo"
        scaffold(folder, sops_program)
    commit = ("-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-q", "--allow-empty", "-m", "sample")
    for command in (("init", "-q"), ("add", "-A"), commit, ("update-ref", "refs/remotes/origin/main", "HEAD")):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder


@pytest.mark.parametrize("line", blocks()["validation.md", "sh", 0].splitlines())
def test_a_command_on_the_page_works(line: str, sample: Path, worker_program: Path) -> None:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(["bash", "-c", line], cwd=sample, check=False, text=True, capture_output=True, env=os.environ | {"PATH": path})
    assert done.returncode in (0, 1), done.stderr
    assert "error: " not in done.stderr


def test_the_index_has_every_page() -> None:
    linked = set(re.findall(r"\(([\w-]+\.md)\)", (DOCS / "README.md").read_text()))
    assert linked == {page.name for page in DOCS.glob("*.md")} - {"README.md"}
    assert "docs/README.md" in (ROOT / "README.md").read_text()


def test_the_pages_name_every_command_and_format() -> None:
    assert [name for name in COMMANDS if f"`devloop {name}" not in (ROOT / "README.md").read_text()] == []
    assert [name for name in FORMATS if not re.search(rf"\b{name}\b", (DOCS / "report.md").read_text())] == []


def test_the_picture_of_the_architecture_is_what_the_contract_says() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    [layers] = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    picture = re.search(r"^```text\n(.*?)^```$", (DOCS / "architecture.md").read_text(), re.MULTILINE | re.DOTALL)
    assert picture
    assert [re.split(r" {2,}", line)[0] for line in picture[1].splitlines()] == layers


# The packages that devloop is built around, and where each does its work.
PACKAGES = {
    "sh": "devloop/clients/kind.py",
    "typer": "devloop/cli/__init__.py",
    "docker": "devloop/clients/engine/__init__.py",
    "kubernetes": "devloop/clients/kube.py",
    "yaml": "devloop/model/yaml/nodes.py",
    "tenacity": "devloop/clients/wait.py",
    "pytest_kind": "tests/integration/test_kind.py",
}


@pytest.mark.parametrize(("package", "path"), PACKAGES.items())
def test_a_package_is_in_real_use(package: str, path: str) -> None:
    assert re.search(rf"^\s*(import|from) {package}\b|import_module\(.{package}\.", (ROOT / path).read_text(), re.MULTILINE)
