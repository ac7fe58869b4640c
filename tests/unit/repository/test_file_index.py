"""The one pass over a repository's files: what Git would take, and what is in it. Files may be anything, and none of them stops it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from devloop.clients.sops import encrypt, new_key_pair
from devloop.model.lint.file_index import above, is_made_up
from devloop.repository.file_index import LARGEST, index_files, without_ignored

SECRET = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: login\nstringData:\n  password: hunter2\n"
RULES = "creation_rules:\n  - path_regex: ^apps/.*\\.enc\\.yaml$\n    encrypted_regex: ^(data|stringData)$\n    age: {}\n"


def write(root: Path, **files: str) -> Path:
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    return tmp_path


def test_what_git_ignores_is_not_there(repository: Path) -> None:
    write(repository, a_yaml=SECRET, ignored__b_yaml=SECRET)
    (repository / ".gitignore").write_text("ignored\n")
    files = index_files(repository)
    assert files.paths == (".gitignore", "a.yaml")
    assert [secret.path for secret in files.secrets] == ["a.yaml"]


def test_without_git_every_file_counts(tmp_path: Path) -> None:
    write(tmp_path, a_yaml=SECRET, b__c_yaml="a: 1\n")
    assert index_files(tmp_path).paths == ("a.yaml", "b/c.yaml")


def test_files_are_those_of_the_working_tree_not_of_the_index(repository: Path) -> None:
    write(repository, a_yaml=SECRET, b_yaml="a: 1\n")
    subprocess.run(["git", "-C", repository, "add", "."], check=True)
    (repository / "a.yaml").unlink()
    files = index_files(repository)
    assert (files.paths, files.secrets) == (("b.yaml",), ())


def test_an_encrypted_file_is_known_by_its_content_and_finds_its_rule(tmp_path: Path, sops_program: Path) -> None:
    recipient, _ = new_key_pair()
    write(tmp_path, _sops_yaml=RULES.format(recipient))
    for name in ("apps/login.enc.yaml", "apps/login.enc.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / "apps/login.enc.yaml").write_bytes(encrypt(sops_program, tmp_path, "apps/login.enc.yaml", SECRET.encode()))
    (tmp_path / "apps/plain.enc.yaml").write_text("# ENC[ and lastmodified are words like others\n" + SECRET)
    files = index_files(tmp_path)
    assert set(files.encrypted) == {"apps/login.enc.yaml"}
    assert files.encrypted["apps/login.enc.yaml"].age_recipients == (recipient,)
    rule = files.rule_for("apps/login.enc.yaml")
    assert rule and rule.age_recipients == (recipient,)
    assert files.rule_for("other/login.enc.yaml") is None
    assert [secret.path for secret in files.secrets] == ["apps/plain.enc.yaml"]


def test_the_nearest_rules_count(tmp_path: Path) -> None:
    write(tmp_path, _sops_yaml=RULES.format("age1one"), inner___sops_yaml=RULES.format("age1two"))
    rules = index_files(tmp_path).rules_for("inner/apps/a.enc.yaml")
    assert rules and rules.path == "inner/.sops.yaml"
    rule = index_files(tmp_path).rule_for("inner/apps/a.enc.yaml")
    assert rule and rule.age_recipients == ("age1two",)


def test_no_file_stops_it(repository: Path) -> None:
    write(repository, a_yaml="kind: Secret\nmetadata: [\n", _sops_yaml="creation_rules: [", c_yaml="\0\xff: ENC[ lastmodified")
    (repository / "binary.yaml").write_bytes(b"\xff\xfe\0kind: Secret\nENC[lastmodified" + bytes(range(256)))
    (repository / "empty.enc.yaml").touch()
    (repository / "large.yaml").write_bytes(b"#" * (LARGEST + 1))
    (repository / "link.yaml").symlink_to("nowhere")
    os.mkfifo(repository / "pipe.yaml")
    files = index_files(repository)
    assert files.empty == {"empty.enc.yaml"}
    assert files.unreadable == {"large.yaml"}
    assert files.secrets == ()


def test_what_is_there_to_show_or_to_test_is_passed_over(tmp_path: Path) -> None:
    write(tmp_path, tests__a_yaml=SECRET, docs__examples__b_yaml=SECRET)
    assert index_files(tmp_path).secrets == ()
    assert is_made_up("k8s/Examples/a.yaml") and not is_made_up("k8s/testing.yaml")


def test_folders_above_a_file_come_nearest_first() -> None:
    assert [*above("a/b/c.yaml")] == ["a/b", "a", ""]


def test_the_folders_above_an_absolute_path_end() -> None:
    assert list(above("/a/b")) == ["/a", "/"]
    assert list(above("/")) == []


def test_what_git_ignores_is_left_out_of_changes(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / ".gitignore").write_text("*.log\n/out\n")
    assert without_ignored(tmp_path, {"a.yaml", "b/run.log", "out", "[a]"}) == {"a.yaml", "[a]"}
    assert without_ignored(tmp_path / "nowhere", {"a"}) == {"a"}
