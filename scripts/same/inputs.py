"""The repositories that commands run on, created once from the fixtures of BEFORE, the tables in tests/same and the cases."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

from scripts.same.build import Build, NotReady

# So that commits are reproducible.
GIT = {"PATH": os.environ["PATH"], "HOME": "/nowhere", "GIT_CONFIG_NOSYSTEM": "1"} | {
    f"GIT_{role}_{key}": value
    for role in ("AUTHOR", "COMMITTER")
    for key, value in (("NAME", "same"), ("EMAIL", "same@localhost"), ("DATE", "2024-01-01T00:00:00Z"))
}
HEAD = "apiVersion: ksail.io/v1alpha1\nkind: Cluster\n"
KIND = "apiVersion: kind.x-k8s.io/v1alpha4\nkind: Cluster\n"
# The definition for fixtures without one.
PLAIN = f"{HEAD}metadata: {{name: local}}\nspec: {{workload: {{sourceDirectory: ., kustomizationFile: cluster}}}}\n"


@dataclass(frozen=True)
class Inputs:
    """`environments` by repository; `definitions` are the environments of the repository of that name, by section of the table."""

    folder: Path
    environments: Mapping[str, tuple[str, ...]]
    definitions: Mapping[str, tuple[str, ...]]
    skipped: tuple[str, ...]

    @property
    def config(self) -> Path:
        """XDG_CONFIG_HOME, with the keys of the sample."""
        return self.folder / "config"

    @property
    def digest(self) -> str:
        return self.folder.name

    def repository(self, name: str) -> Path:
        return self.folder / "repositories" / name

    def matching(self, patterns: list[str]) -> list[str]:
        """The repositories, in the order of the patterns."""
        found = [name for pattern in patterns for name in self.environments if fnmatchcase(name, pattern)]
        if not found and not all(pattern.startswith(("cases/", "field/")) for pattern in patterns):
            raise NotReady(f"commands.yaml: no repository is called {' or '.join(patterns)}")
        return list(dict.fromkeys(found))


def prepare(keep: Path, before: Build, tables: Path, cases: Path) -> Inputs:
    """The inputs in `keep`, reused from an earlier run if their sources are unchanged."""
    made = _Maker(before, tables, cases)
    folder = keep / f"inputs-{made.digest()}"
    with _locked(keep / "inputs.lock"):
        if not (folder / "index.json").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            made.make(folder)
    index = json.loads((folder / "index.json").read_text())
    environments, definitions = ({name: tuple(each) for name, each in index[key].items()} for key in ("environments", "definitions"))
    return Inputs(folder, environments, definitions, tuple(index["skipped"]))


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@dataclass(frozen=True)
class _Maker:
    before: Build
    tables: Path
    cases: Path

    @property
    def _fixtures(self) -> Path:
        return self.before.checkout / "tests"

    def digest(self) -> str:
        """A hash of all sources of the inputs."""
        total = hashlib.sha256(self.before.version.encode())
        roots = (self.tables / "repositories.yaml", self.tables / "definitions.yaml", Path(__file__), self.cases)
        for root in roots:
            for path in sorted(root.rglob("*")) if root.is_dir() else [root]:
                if path.is_file():
                    total.update(f"{path}\0".encode() + path.read_bytes())
        return total.hexdigest()[:12]

    def make(self, folder: Path) -> None:
        repositories, names, skipped = folder / "repositories", ["sample"], []
        definitions = yaml.safe_load((self.tables / "definitions.yaml").read_text())
        self._sample(folder, repositories / "sample")
        names += self._tests(repositories)
        if self.cases.is_dir():
            names += self._cases(repositories)
        else:
            skipped.append(f"everything over {self.cases}, which is not there")
        for name, entry in yaml.safe_load((self.tables / "repositories.yaml").read_text()).items():
            names.append(_write(repositories, name, entry))
        for number, text in enumerate(definitions.pop("settings")):
            names.append(_write(repositories, f"settings-{number:02}", {"from": "small", "files": {"devloop.yaml": text}}))
        named = {section: [f"{section}-{number:03}" for number in range(len(each))] for section, each in definitions.items()}
        files = {path: text for section, each in definitions.items() for path, text in _definitions(section, each)}
        names.append(_write(repositories, "definitions", {"files": files}))
        index = {
            "environments": {name: self._environments(repositories / name) for name in sorted(names)},
            "definitions": named,
            "skipped": skipped,
        }
        (folder / "index.json").write_text(json.dumps(index))

    def _sample(self, folder: Path, target: Path) -> None:
        """The sample of `init`; its keys are new each time, so both builds share the inputs."""
        with tempfile.TemporaryDirectory() as aside:
            done = self.before.run(["init", "sample"], Path(aside), {"XDG_CONFIG_HOME": str(folder / "config")})
            if done.code:
                raise NotReady(f"before: devloop init failed: {done.stderr.decode()}")
            shutil.copytree(Path(aside) / "sample", target, symlinks=True)

    def _tests(self, repositories: Path) -> Iterator[str]:
        for folder in (*self._fixtures.glob("rules/*/*/*/"), self._fixtures / "zoo"):
            if folder.is_dir():
                target = repositories / folder.relative_to(self._fixtures)
                shutil.copytree(folder, target, symlinks=True)
                if not any(target.glob("**/ksail*.yaml")) and (target / "cluster").is_dir():
                    (target / "ksail.yaml").write_text(PLAIN)
                _commit(target)
                yield str(folder.relative_to(self._fixtures))

    def _cases(self, repositories: Path) -> Iterator[str]:
        field = self.cases / "field"
        for folder in (*self.cases.glob("*/"), *field.glob("*/")):
            if folder.is_dir() and folder.name not in ("field", "keys"):
                target = repositories / ("field" if folder.parent == field else "cases") / folder.name
                shutil.copytree(folder, target, symlinks=True)
                _commit(target)
                yield str(target.relative_to(repositories))
        shutil.copytree(field / "keys", repositories.parent / "keys")

    def _environments(self, repository: Path) -> list[str]:
        """By the paths of their definitions, else as shell completion lists them. A wrong name does no harm: both builds refuse it."""
        named = [path.parent.name for path in repository.glob("clusters/*/ksail.yaml")]
        named += [path.name.split(".")[1] for path in repository.glob("ksail.*.yaml")]
        if named or (repository / "ksail.yaml").exists():
            return sorted(set(named)) or ["local"]
        words = {"_DEVLOOP_COMPLETE": "complete_bash", "COMP_WORDS": "devloop up ", "COMP_CWORD": "2"}
        done = self.before.run([], repository, words)
        return done.stdout.decode().split() if done.code == 0 else []


def _write(repositories: Path, name: str, entry: Mapping[str, Any]) -> str:
    target = repositories / name
    if "from" in entry:
        shutil.copytree(repositories / entry["from"], target, symlinks=True)
        if entry["from"] != "sample":
            shutil.rmtree(target / ".git", ignore_errors=True)
    target.mkdir(parents=True, exist_ok=True)
    for path, text in entry.get("files", {}).items():
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        (target / path).write_text(text)
    if "run" in entry:
        _run(["sh", "-euc", entry["run"]], target, {"HEAD": HEAD, "KIND": KIND})
    if entry.get("git", True) and not (target / ".git").exists():
        _commit(target)
    return name


def _definitions(section: str, entries: list[Mapping[str, str]]) -> Iterator[tuple[str, str]]:
    for number, entry in enumerate(entries):
        folder = f"clusters/{section}-{number:03}"
        yield f"{folder}/ksail.yaml", entry.get("whole") or HEAD + entry["ksail"]
        if "kind" in entry or "wholeKind" in entry:
            yield f"{folder}/kind.yaml", entry["wholeKind"] if "wholeKind" in entry else KIND + entry["kind"]


def _commit(target: Path) -> None:
    _run(["git", "init", "--quiet", "--initial-branch=main"], target)
    _run(["git", "add", "--all"], target)
    _run(["git", "commit", "--quiet", "--allow-empty", "--message", "Begin"], target)


def _run(argv: list[str], cwd: Path, more: Mapping[str, str] | None = None) -> None:
    done = subprocess.run(argv, cwd=cwd, env=GIT | dict(more or {}), check=False, capture_output=True, text=True)
    if done.returncode:
        raise NotReady(f"{' '.join(argv)} in {cwd}: {done.stderr}")
