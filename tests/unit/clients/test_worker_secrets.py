"""The build worker decrypts secrets and never shows them."""

from __future__ import annotations

import base64
import json
import shutil
from pathlib import Path

import pytest
import yaml

from devloop.clients.sops import encrypt, new_key_pair
from devloop.clients.worker import Worker
from devloop.errors import DevloopError

from .builds import KUSTOMIZATION, SETTINGS, Start, bodies, kustomization, write

PLAIN = "hunter2-and-more"


def test_the_value_of_a_secret_reaches_paths_but_is_never_shown(start: Start, tmp_path: Path) -> None:
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: settings, namespace: flux-system}\nstringData: {place: hidden-corner}\n"
    child = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: child, namespace: flux-system}\n"
    files = {"vars/a.yaml": secret, "apps/child.yaml": child + "spec: {path: './${place}'}\n", "hidden-corner/a.yaml": SETTINGS}
    build = start(write(tmp_path / "repo", files))
    build("vars", path="./vars")
    shown = build(postBuild={"substituteFrom": [{"kind": "Secret", "name": "settings"}]})
    assert "hidden-corner" not in json.dumps(shown["objects"])
    assert bodies(shown)[0]["spec"]["path"] == "./${place}"


SECRET = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: door\nstringData:\n  password: " + PLAIN + "\n"


@pytest.fixture(scope="session")
def vault(sops_program: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A repository with something encrypted in every format, the private key, and the public one."""
    root = tmp_path_factory.mktemp("vault")
    public, private = new_key_pair()
    (root / ".sops.yaml").write_text(
        f"creation_rules:\n- path_regex: secret.yaml$\n  encrypted_regex: ^(data|stringData)$\n  age: {public}\n- age: {public}\n"
    )
    files = {
        "apps/secret.yaml": SECRET,
        "apps/door.env": f"password={PLAIN}\n",
        "apps/door.json": json.dumps({"password": PLAIN}),
        "apps/door.ini": f"[door]\npassword = {PLAIN}\n",
        "apps/door.bin": PLAIN,
        "apps/patch.yaml": SETTINGS.replace("blue", PLAIN),
    }
    rules = (root / ".sops.yaml").read_text()
    (root / ".sops.yaml").write_text(rules.replace("secret.yaml$", "(secret|patch).yaml$"))
    generators = "secretGenerator:\n- name: env\n  envs: [door.env]\n- name: files\n  files: [door.json, door.ini, door.bin]\n"
    write(root, {name: encrypt(sops_program, root, name, text.encode()) for name, text in files.items()})
    patches = "patches:\n- path: patch.yaml\n"
    write(
        root,
        {
            "apps/settings.yaml": SETTINGS,
            "apps/kustomization.yaml": KUSTOMIZATION + "resources: [secret.yaml, settings.yaml]\n" + generators + patches,
        },
    )
    return root, private, public


SOPS = {"provider": "sops"}


def test_secrets_are_opened_and_never_shown(start: Start, vault: tuple[Path, str, str]) -> None:
    root, private, _ = vault
    result = start(root, private)(decryption=SOPS)
    text = json.dumps(result)
    assert bodies(result)
    assert PLAIN not in text
    assert base64.b64encode(PLAIN.encode()).decode() not in text
    assert not any(base64.b64encode(PLAIN.encode()).decode()[:12] in value for value in text.split('"'))
    assert result["objects"][0]["secret"] == "opened"
    assert bodies(result)[0] == {**yaml.safe_load(SECRET), "stringData": {"password": "**SOPS**"}}


def test_their_values_are_there_for_other_builds(start: Start, vault: tuple[Path, str, str], tmp_path: Path) -> None:
    root = Path(shutil.copytree(vault[0], tmp_path / "repo"))
    write(root, {"child/a.yaml": SETTINGS.replace("colour: blue", "colour: ${password}"), f"{PLAIN}/b.yaml": SETTINGS})
    write(root, {"far/k.yaml": json.dumps(kustomization("near", path="./${password}"))})
    build = start(root, vault[1])
    build(decryption=SOPS, targetNamespace="flux-system")
    reference = {"substituteFrom": [{"kind": "Secret", "name": "door"}]}
    assert bodies(build("child", path="./child", postBuild=reference))[0]["data"]["colour"] == "${password}"
    assert build("far", path="./far", postBuild=reference)["objects"][0]["unknown"] == ["/spec/path"]


def test_without_the_key_everything_stays_closed_and_nothing_fails(start: Start, vault: tuple[Path, str, str]) -> None:
    result = start(vault[0], new_key_pair()[1])(decryption=SOPS)
    assert {built["body"]["kind"]: built.get("secret") for built in result["objects"][:1]} == {"Secret": "sealed"}
    assert bodies(result)[0]["stringData"] == {"password": "**SOPS**"}
    assert "sops" not in bodies(result)[0]
    assert result["encrypted"] == [
        f"apps/{name}" for name in ("door.bin", "door.env", "door.ini", "door.json", "patch.yaml", "secret.yaml")
    ]


def test_every_format_can_be_checked(worker_program: Path, vault: tuple[Path, str, str]) -> None:
    root, private, public = vault
    names = [f"apps/{name}" for name in ("secret.yaml", "door.env", "door.json", "door.ini", "door.bin")]
    with Worker(worker_program, root, private) as worker:
        openings = worker.check_files(names)
    assert [(opening.path, opening.recipients, opening.error) for opening in openings] == [(name, (public,), "") for name in names]


def test_what_cannot_be_opened_is_named_with_the_reason(worker_program: Path, vault: tuple[Path, str, str], tmp_path: Path) -> None:
    root = Path(shutil.copytree(vault[0], tmp_path / "repo"))
    secret = (root / "apps/secret.yaml").read_text()
    azure = (
        "sops:\n  azure_kv:\n  - {vaultUrl: https://x.vault.azure.net, key: k, version: v, created_at: '2024-01-01T00:00:00Z', enc: x}\n"
    )
    tail = "  lastmodified: '2024-01-01T00:00:00Z'\n  mac: ENC[AES256_GCM,data:eA==,iv:eA==,tag:eA==,type:str]\n  version: 3.9.0\n"
    changed = {
        "apps/changed.yaml": secret.replace("name: door", "name: gate"),
        "apps/azure.yaml": "a: b\n" + azure + tail,
        "apps/clear.yaml": SECRET,
    }
    write(root, changed)
    with Worker(worker_program, root, vault[1]) as worker:
        openings = worker.check_files([*changed, "apps/gone.yaml"])
    with Worker(worker_program, root) as worker:
        [keyless] = worker.check_files(["apps/secret.yaml"])
    assert [opening.reason for opening in (*openings, keyless)] == ["mac", "service", "format", "format", "key"]
    assert openings[1].error == "Azure Key Vault cannot be asked here"


def test_a_key_that_cannot_be_read_is_not_quoted(worker_program: Path, tmp_path: Path) -> None:
    with Worker(worker_program, tmp_path, "AGE-SECRET-KEY-NONSENSE") as worker, pytest.raises(DevloopError) as error:
        worker.check_files(["a"])
    assert "NONSENSE" not in str(error.value)
