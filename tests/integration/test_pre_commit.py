"""The hooks with the real pre-commit, which installs the folder `hooks` from a clone as from its own repository, and devloop as a wheel."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from .conftest import ROOT, User, without_go

HOOKS = [hook["id"] for hook in yaml.safe_load((ROOT / "hooks" / ".pre-commit-hooks.yaml").read_text())]
AUTHOR = ["-c", "user.name=tester", "-c", "user.email=tester@localhost"]


@dataclass(frozen=True)
class Repository:
    """A GitOps repository with the hooks installed."""

    path: Path
    env: dict[str, str]

    def git(self, *args: str) -> subprocess.CompletedProcess[str]:
        argv = ["git", "-C", str(self.path), *AUTHOR, *args]
        return subprocess.run(argv, env=self.env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)

    def commit(self) -> str:
        """Try to commit everything; returns the output. Raises AssertionError if hooks and Git disagree."""
        self.git("add", "--all")
        done = self.git("commit", "--message", "A change")
        assert (done.returncode == 0) == ("- exit code:" not in done.stdout), done.stdout
        return done.stdout

    @contextlib.contextmanager
    def changed(self, name: str, text: str) -> Iterator[None]:
        """An invalid file; restores the last commit afterwards."""
        (self.path / name).write_text(text)
        yield
        self.git("reset", "--quiet", "--hard")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory, package_index: Path) -> Repository:
    user = User(tmp_path_factory.mktemp("user"))
    hooks, path = user.home / "hooks", user.home / "platform"
    shutil.copytree(ROOT / "hooks", hooks)
    assert user.devloop("init", str(path)).status == 0
    env = without_go(user.env, package_index, user.home)
    result = Repository(path, env | {"PRE_COMMIT_HOME": str(user.home / "pre-commit"), "PRE_COMMIT_COLOR": "never"})
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "All"]):
        subprocess.run(["git", "-C", str(hooks), *AUTHOR, *command], check=True, env=user.env)
    revision = subprocess.run(["git", "-C", str(hooks), "rev-parse", "HEAD"], check=True, text=True, stdout=subprocess.PIPE).stdout.strip()
    config = {"repos": [{"repo": str(hooks), "rev": revision, "hooks": [{"id": hook} for hook in HOOKS]}]}
    (path / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    subprocess.run([sys.executable, "-m", "pre_commit", "install"], cwd=path, check=True, env=user.env, stdout=subprocess.DEVNULL)
    return result


def test_a_valid_repository_is_committed(repository: Repository) -> None:
    said = repository.commit()
    assert said.count("Passed") == len(HOOKS), said


def test_a_file_that_flux_does_not_read_is_only_checked_for_secrets(repository: Repository) -> None:
    (repository.path / "NOTES").write_text("Nothing.\n")
    said = repository.commit()
    assert said.count("Passed") == said.count("Skipped") == 1, said


def test_a_build_error_prevents_the_commit(repository: Repository) -> None:
    name = "k8s/bases/apps/kustomization.yaml"
    text = (repository.path / name).read_text()
    with repository.changed(name, text.replace("resources:", "resources:\n  - not-there.yaml")):
        said = repository.commit()
        assert "not-there.yaml does not exist  [build/failed]" in said
        assert "k8s/bases/apps/kustomization.yaml" in said


def test_a_plaintext_secret_prevents_the_commit(repository: Repository) -> None:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "token", "namespace": "storefront"},
        "stringData": {"token": "hunter2-x9"},
    }
    with repository.changed("k8s/bases/apps/storefront/token.yaml", yaml.safe_dump(secret)):
        said = repository.commit()
        assert "[secrets/" in said
        assert "hunter2-x9" not in said


def test_only_what_is_staged_counts(repository: Repository) -> None:
    """pre-commit stashes unstaged changes and uses a separate index."""
    (repository.path / "k8s/bases/apps/kustomization.yaml").write_text("resources: [not-there.yaml]\n")
    (repository.path / "k8s/bases/variables/config-map.yaml").open("a").write("# Nothing.\n")
    done = repository.git("commit", "--message", "One file", "k8s/bases/variables/config-map.yaml")
    repository.git("reset", "--quiet", "--hard")
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("Passed") == len(HOOKS)
