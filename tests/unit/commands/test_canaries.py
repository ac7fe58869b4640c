"""No secret value in any output: a canary of every shape in every place, and every format of the report."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from devloop.clients.sops import encrypt, new_key_pair
from devloop.clients.worker import Worker
from devloop.clients.xdg import cache_folder
from devloop.model.commands import Target
from devloop.output import names
from devloop.runner import write_traceback

from . import secret_shapes
from .secret_shapes import CANARY, ENCODED

FLUX = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {name}, namespace: flux-system}}\n"
SPEC = "spec: {{interval: 1h, prune: true, path: ./{name}, sourceRef: {{kind: GitRepository, name: flux-system}}}}\n---\n"
KSAIL = "apiVersion: ksail.io/v1alpha1\nkind: Cluster\nmetadata: {name: dev}\n"
KSAIL += "spec:\n  workload: {sourceDirectory: ., kustomizationFile: cluster}\n"
META = "metadata: {name: db, namespace: default}\n"

FOLDERS = {
    "order": {
        "a.yaml": f"data:\n  password: {ENCODED}\nkind: Secret\napiVersion: v1\n{META}---\n"
        "kind: ConfigMap\napiVersion: v1\nmetadata: {name: A_}\n"
    },
    "list": {
        "a.yaml": "apiVersion: v1\nkind: List\nitems:\n"
        f"- stringData: {{password: {CANARY}}}\n  kind: Secret\n  apiVersion: v1\n  metadata: {{name: x_, namespace: default}}\n"
    },
    "json": {
        "a.json": f'{{"stringData": {{"password": "{CANARY}"}}, "kind": "Secret", "apiVersion": "v1", "metadata": {{"name": "j_"}}}}\n',
        "kustomization.yaml": "resources: [a.json]\n",
    },
    "patched": {
        "a.yaml": f"apiVersion: v1\nkind: Secret\n{META}stringData: {{user: x}}\n",
        "kustomization.yaml": "resources: [a.yaml]\npatches:\n- target: {kind: Secret}\n  patch: |\n"
        f"    - op: add\n      path: /stringData/password\n      value: {CANARY}\n",
    },
    "merged": {
        "a.yaml": f"apiVersion: v1\nkind: Secret\n{META}stringData: {{user: x}}\n",
        "kustomization.yaml": "resources: [a.yaml]\npatches:\n- patch: |\n"
        f"    stringData:\n      password: {CANARY}\n    kind: Secret\n    apiVersion: v1\n    {META}",
    },
    "unmatched": {
        "kustomization.yaml": "patches:\n- target: {kind: Secret}\n  patch: |\n"
        f"    - op: replace\n      path: /stringData/a/b/c\n      value: {CANARY}\n",
    },
    "literals": {"kustomization.yaml": f"secretGenerator:\n- name: gen\n  literals: [password={CANARY}]\n"},
    "literal": {"kustomization.yaml": f"secretGenerator:\n- name: gen\n  literals:\n  - password {CANARY}\n"},
    "variables": {
        "kustomization.yaml": "secretGenerator:\n- name: gen\n  envs: [app.env]\n",
        "app.env": f"PASSWORD={CANARY}\n",
    },
    "malformed": {"kustomization.yaml": "secretGenerator:\n- name: gen\n  envs: [app.env]\n", "app.env": f"=\n1 2={CANARY}\n"},
    "broken": {"a.yaml": f"apiVersion: v1\nkind: Secret\n{META}stringData:\n  password: '{CANARY}\n  a: b\n"},
    "address": {
        "a.yaml": "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: g, namespace: flux-system}\n"
        f"spec: {{interval: 1m, url: 'htp://bot:{CANARY}@git.example.com/x.git'}}\n"
    },
    "release": {
        "a.yaml": "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: r, namespace: gone}\n"
        "spec:\n  interval: never\n  chartRef: {kind: OCIRepository, name: gone}\n"
        f"  values:\n    password: {CANARY}\n    env: [{{name: DB_PASSWORD, value: {CANARY}}}]\n"
        "  valuesFrom: [{kind: Secret, name: gone}]\n"
    },
}

# Shown by `render`: passwords that Flux applies in objects other than Secrets, and in the addresses of sources.
IN_OBJECTS = secret_shapes.IN_OBJECTS | {name: FOLDERS[name] for name in ("address", "release")}
IN_SECRETS = secret_shapes.FOLDERS | {name: files for name, files in FOLDERS.items() if name not in IN_OBJECTS}
COMMANDS = [*(["validate", "--output", output] for output in names(Target.REPOSITORY)), ["validate"]]
RENDERINGS = [["render", "dev"], ["render", "dev", "--origins"], ["render", "dev", "--diff", "HEAD"]]


def written(root: Path, folders: dict[str, dict[str, str]], spec: str = "") -> Path:
    """A repository with these folders, and a commit before them."""
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "-C", str(root)]
    (root / "cluster").mkdir(parents=True)
    (root / "ksail.yaml").write_text(KSAIL)
    (root / "cluster/apps.yaml").write_text("")
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-qm", "start"], check=True)
    (root / "cluster/apps.yaml").write_text(
        "".join((FLUX + SPEC).format(name=name).replace("}\n---", f"{spec}}}\n---") for name in folders)
    )
    for folder, files in folders.items():
        for name, text in files.items():
            (root / folder / name).parent.mkdir(parents=True, exist_ok=True)
            (root / folder / name).write_text(text)
    return root


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("canaries"), IN_SECRETS | IN_OBJECTS)


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("secrets"), IN_SECRETS)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory, worker_program: Path) -> Path:
    """A cache with the toolchain, and with what runs keep."""
    assert worker_program.exists()
    folder = tmp_path_factory.mktemp("cache")
    (folder / "devloop").mkdir()
    for each in cache_folder().iterdir():
        if each.name != "renderings":
            (folder / "devloop" / each.name).symlink_to(each)
    return folder


def output_of(root: Path, command: Sequence[str], temporary: Path, cache: Path, **env: str) -> str:
    """What a command shows; it must leave no canary on the disk."""
    done = subprocess.run(
        [sys.executable, "-m", "devloop", "-C", str(root), *command],
        env={**os.environ, "TMPDIR": str(temporary), "XDG_CACHE_HOME": str(cache), **env},
        capture_output=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    kept = [path for folder in (temporary, cache / "devloop/renderings") for path in folder.rglob("*") if path.is_file()]
    assert [path for path in kept if CANARY.encode() in path.read_bytes()] == []
    assert any((cache / "devloop/renderings").glob("??/*"))
    return (done.stdout + done.stderr).decode()


def canaries(shown: str) -> list[str]:
    return [line for line in shown.splitlines() if CANARY in line or ENCODED in line]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_format_shows_a_canary(command: Sequence[str], repository: Path, cache: Path, tmp_path: Path) -> None:
    shown = output_of(repository, command, tmp_path, cache)
    assert "password" in shown
    assert canaries(shown) == []


@pytest.mark.parametrize("command", RENDERINGS, ids=" ".join)
def test_no_rendering_shows_a_canary(command: Sequence[str], secrets: Path, cache: Path, tmp_path: Path) -> None:
    shown = output_of(secrets, command, tmp_path, cache)
    assert "stringData" in shown
    assert canaries(shown) == []


USES = """apiVersion: v1
kind: ConfigMap
metadata: {name: "${PASSWORD}"}
data: {x: "a-${PASSWORD}", y: "${PASSWORD:0:20}"}
---
apiVersion: v1
kind: Service
metadata: {name: s}
spec: {ports: [{port: "${PASSWORD}"}], typo: "${PASSWORD}"}
"""


@pytest.mark.parametrize("command", [*COMMANDS, *RENDERINGS], ids=" ".join)
def test_no_value_that_was_decrypted_is_shown(command: Sequence[str], cache: Path, sops_program: Path, tmp_path: Path) -> None:
    public, private = new_key_pair()
    postbuild = ", decryption: {provider: sops}, postBuild: {substituteFrom: [{kind: Secret, name: db}]}"
    root = written(
        tmp_path / "repository", {"apps": {"uses.yaml": USES}, "notes": {"note.yaml": f"# {CANARY}\nkind: Odd\nname: [\n"}}, postbuild
    )
    (root / ".sops.yaml").write_text(f"creation_rules: [{{encrypted_regex: ^stringData$, age: {public}}}]\n")
    secret = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: db, namespace: flux-system}}\nstringData: {{PASSWORD: {CANARY}}}\n"
    (root / "apps/db.yaml").write_bytes(encrypt(sops_program, root, "apps/db.yaml", secret.encode()))
    (tmp_path / "keys").write_text(private)
    (tmp_path / "temporary").mkdir()
    shown = output_of(root, command, tmp_path / "temporary", cache, SOPS_AGE_KEY_FILE=str(tmp_path / "keys"))
    assert canaries(shown) == []
    assert private.splitlines()[-1] not in shown


def test_the_process_of_the_worker_shows_no_key(worker_program: Path, repository: Path) -> None:
    _, private = new_key_pair()
    with Worker(worker_program, repository, private) as worker:
        assert worker.redact([f"it is {CANARY}"], ["address/a.yaml", "order/a.yaml"]) == ["it is ***"]
        process = Path("/proc") / str(worker._connection.process.pid)
        shown = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
    assert private.splitlines()[-1].encode() not in shown


def test_the_traceback_of_a_bug_shows_no_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    try:
        raise ValueError(CANARY) from KeyError(CANARY)
    except ValueError as error:
        assert CANARY not in Path(write_traceback(error)).read_text()
