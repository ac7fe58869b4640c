"""`devloop init` with real Git and real SOPS, and what must hold for the sample platform that it copies."""

from __future__ import annotations

import os
import posixpath
import re
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from devloop.errors import DevloopError, InputError
from devloop.model.sops.creation_rules import parse_creation_rules, parse_secret
from devloop.repository.age_keys import identities
from devloop.repository.environments import environments, load_environment
from devloop.scaffold import require_empty, sample_root, scaffold
from devloop.toolchain import Toolchain

ENVIRONMENTS = ("dev", "local", "prod")
LAYERS = ("variables", "infrastructure-controllers", "infrastructure", "apps")


@pytest.fixture(scope="session")
def sops() -> Path:
    toolchain = Toolchain()
    toolchain.ensure(["sops"], lambda event: None)
    return toolchain.path("sops")


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("SOPS_", "GIT_"))]:
        monkeypatch.delenv(name)
    for variable in ("XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "HOME"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


def git(root: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, text=True).stdout.strip()


def decrypt(sops: Path, path: Path, key: Path) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"SOPS_AGE_KEY_FILE": str(key)}
    return subprocess.run([sops, "decrypt", path], env=env, capture_output=True, text=True, check=False)


def encrypted_files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*.enc.yaml"))


def test_makes_a_repository_with_everything_committed(sops: Path, tmp_path: Path) -> None:
    lines = scaffold(tmp_path / "demo", sops)
    root = tmp_path / "demo"
    assert git(root, "status", "--porcelain", "--ignored") == ""
    assert git(root, "log", "--format=%an <%ae> %s") == "devloop <devloop@localhost> Scaffold the platform"
    assert git(root, "branch", "--show-current") == "main"
    assert sorted(path.name for path in root.iterdir()) == [".git", ".gitignore", ".sops.yaml", "README.md", "clusters", "k8s", "policies"]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".devloop")] == []
    assert f"devloop -C {root} up local" in lines[-1]
    assert "demo" in (root / "README.md").read_text()


def test_every_environment_has_a_key_of_its_own_outside_of_the_repository(sops: Path, tmp_path: Path) -> None:
    lines = scaffold(tmp_path / "demo", sops)
    root, keys = tmp_path / "demo", tmp_path / "XDG_CONFIG_HOME/devloop/keys/demo"
    assert keys.stat().st_mode & 0o777 == 0o700
    files = {path.name.split("-")[0]: path for path in keys.iterdir()}
    assert sorted(files) == [*ENVIRONMENTS]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in files.values())
    tree = b"".join(path.read_bytes() for path in root.rglob("*") if path.is_file())
    for name, path in files.items():
        *comments, private, end = path.read_text().split("\n")
        assert (private[:16], end) == ("AGE-SECRET-KEY-1", "")
        public = comments[-1].removeprefix("# public key: ")
        assert path.name == f"{name}-{public[-8:]}.agekey"
        assert private.encode() not in tree
        assert private not in " ".join(lines)
        assert identities(load_environment(root, name)).public == (public,)


def test_secrets_open_with_the_key_of_their_environment_and_no_other(sops: Path, tmp_path: Path) -> None:
    scaffold(tmp_path / "demo", sops)
    root = tmp_path / "demo"
    rules = parse_creation_rules((root / ".sops.yaml").read_text())
    files = encrypted_files(root)
    assert len(files) == 2 * len(ENVIRONMENTS)
    values = set()
    for path in files:
        secret = parse_secret(path, (root / path).read_text())
        rule = rules.rule_for(path)
        assert secret
        assert rule
        assert (secret.age_recipients, secret.settings) == (rule.age_recipients, rule.settings)
        assert secret.settings == {"encrypted_regex": "^(data|stringData)$"}
        assert secret.has_mac
        for key in (tmp_path / "XDG_CONFIG_HOME/devloop/keys/demo").iterdir():
            opened = decrypt(sops, root / path, key)
            assert (opened.returncode == 0) == (f"clusters/{key.name.split('-')[0]}/" in path)
            if opened.returncode == 0:
                values |= set(yaml.safe_load(opened.stdout)["stringData"].values())
    assert len(values) == 9
    everything = git(root, "show", "--format=", "HEAD")
    assert not any(value in everything for value in values)


def test_definitions_and_environments_load_without_complaint(sops: Path, tmp_path: Path) -> None:
    scaffold(tmp_path / "demo", sops)
    assert environments(tmp_path / "demo") == ENVIRONMENTS
    for name in ENVIRONMENTS:
        environment = load_environment(tmp_path / "demo", name)
        assert environment.entry_path == f"k8s/clusters/{name}"
        assert environment.definition.name == name
        assert not environment.definition.blockers
        assert environment.definition.kubernetes_version == f"v{kubernetes_version()}"


def kubernetes_version() -> str:
    versions = {state.name: state.version for state in Toolchain().states()}
    return versions["kube-apiserver"].removeprefix("v")


def test_the_users_own_name_is_on_the_commit(sops: Path, tmp_path: Path) -> None:
    (tmp_path / "HOME").mkdir()
    hook = tmp_path / "HOME/hooks/pre-commit"
    hook.parent.mkdir()
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    settings = f"[user]\nname = Me\nemail = me@example.com\n[core]\nhooksPath = {hook.parent}\n[commit]\ngpgSign = true\n"
    (tmp_path / "HOME/.gitconfig").write_text(f"{settings}[init]\ndefaultBranch = trunk\n")
    scaffold(tmp_path / "demo", sops)
    assert git(tmp_path / "demo", "log", "--format=%an <%ae>") == "Me <me@example.com>"
    assert git(tmp_path / "demo", "branch", "--show-current") == "main"


def test_an_empty_directory_is_filled_where_it_is(sops: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    inode = (tmp_path / "here").stat().st_ino
    monkeypatch.chdir(tmp_path / "here")
    scaffold(Path(), sops)
    assert (tmp_path / "here").stat().st_ino == inode
    assert git(tmp_path / "here", "status", "--porcelain", "--ignored") == ""
    assert (tmp_path / "XDG_CONFIG_HOME/devloop/keys/here").is_dir()


def occupied(root: Path) -> Path:
    (root / "full").mkdir()
    (root / "full/precious.txt").write_text("mine\n")
    return root / "full"


def a_file(root: Path) -> Path:
    (root / "file").write_text("mine\n")
    return root / "file"


def dangling(root: Path) -> Path:
    (root / "link").symlink_to(root / "nowhere")
    return root / "link"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (occupied, "is not empty"),
        (a_file, "is not a directory"),
        (dangling, "is not a directory"),
        (lambda root: root / "a/b", "does not exist"),
    ],
)
def test_never_overwrites(tmp_path: Path, make, message: str) -> None:  # type: ignore[no-untyped-def]
    directory = make(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    for attempt in (lambda: require_empty(directory), lambda: scaffold(directory, Path("/no/sops"))):
        with pytest.raises(InputError, match=message) as error:
            attempt()
        assert str(error.value.hint)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_second_one_of_the_same_name_keeps_the_keys_of_the_first(sops: Path, tmp_path: Path) -> None:
    for parent in ("one", "two"):
        (tmp_path / parent).mkdir()
        scaffold(tmp_path / parent / "demo", sops)
    assert len([*(tmp_path / "XDG_CONFIG_HOME/devloop/keys/demo").iterdir()]) == 2 * len(ENVIRONMENTS)
    first, second = (identities(load_environment(tmp_path / parent / "demo", "local")).public for parent in ("one", "two"))
    assert len(first) == len(second) == 1
    assert first != second


@pytest.mark.parametrize("existing", [True, False])
def test_a_failure_half_way_leaves_nothing(tmp_path: Path, existing: bool) -> None:
    failing = tmp_path / "sops"
    failing.write_text("#!/bin/sh\ncat > /dev/null\ntest -e seen && exit 1\ntouch seen\n")
    failing.chmod(0o755)
    if existing:
        (tmp_path / "demo").mkdir()
    with pytest.raises(DevloopError):
        scaffold(tmp_path / "demo", failing)
    assert [*tmp_path.rglob("*.agekey")] == []
    assert (tmp_path / "demo").exists() == existing
    assert {path.name for path in tmp_path.iterdir()} - {"HOME"} == {"sops"} | ({"demo"} if existing else set())
    assert not existing or [*(tmp_path / "demo").iterdir()] == []


def test_a_configuration_folder_that_cannot_be_written(sops: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "file"))
    with pytest.raises(DevloopError, match="cannot write"):
        scaffold(tmp_path / "demo", sops)
    assert not (tmp_path / "demo").exists()


def documents(path: Path) -> Iterator[dict[str, Any]]:
    yield from (document for document in yaml.safe_load_all(path.read_text()) if document)


def kustomizations() -> list[Path]:
    return sorted((sample_root() / "k8s").rglob("kustomization.yaml"))


@pytest.mark.parametrize("path", kustomizations(), ids=lambda path: str(path.parent.relative_to(sample_root())))
def test_the_sample_refers_only_to_what_is_there_and_only_downwards(path: Path) -> None:
    (document,) = documents(path)
    layer = path.relative_to(sample_root()).parts[1]
    allowed = {"bases": {"bases"}, "distributions": {"distributions", "bases"}, "clusters": {"clusters", "distributions", "bases"}}
    for reference in (*document.get("resources", ()), *document.get("components", ())):
        target = Path(posixpath.normpath(path.parent / reference))
        assert target.exists() or target.name == "secret.enc.yaml", reference
        parts = target.relative_to(sample_root()).parts
        assert parts[1] in allowed[layer]
        if parts[1] == "clusters":
            assert parts[2] == path.relative_to(sample_root()).parts[2]


def test_every_file_of_the_sample_is_used() -> None:
    used = {sample_root() / "k8s/clusters" / environment / layer for environment in ENVIRONMENTS for layer in ("", *LAYERS)}
    queue = [*used]
    while queue:
        folder = queue.pop()
        (document,) = documents(folder / "kustomization.yaml")
        for reference in (*document.get("resources", ()), *document.get("components", ())):
            target = Path(posixpath.normpath(folder / reference))
            if target not in used:
                used.add(target)
                queue += [target] if target.is_dir() else []
    assert {path.parent for path in kustomizations()} <= used
    loose = {path for path in (sample_root() / "k8s").rglob("*.yaml") if path.name != "kustomization.yaml" and "chart" not in path.parts}
    assert loose <= used


def test_every_workload_of_the_sample_runs_the_one_image_within_limits() -> None:
    images = set()
    for path in (sample_root() / "k8s").rglob("*.yaml"):
        images |= set(re.findall(r"^\s*-?\s*image: ([^\s{].*)$", path.read_text(), re.MULTILINE))
        if "templates" in path.parts or path.name == "kustomization.yaml":
            continue
        for document in documents(path):
            if document.get("kind") == "Deployment":
                assert document["spec"]["template"]["spec"]["containers"][0]["resources"].keys() == {"requests", "limits"}
    assert images == {"localhost/devloop/sample:0.1.0"}


def test_the_sample_holds_no_secret_in_clear() -> None:
    for path in (sample_root() / "k8s").rglob("*.yaml"):
        if "templates" in path.parts:
            continue
        for document in documents(path):
            if document.get("kind") == "Secret":
                assert all("${" in value for value in document["stringData"].values()), path
