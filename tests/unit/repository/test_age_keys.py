"""Where Age identities are looked for, what is said of those that are none, and that nothing ever shows a private half."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from devloop.clients.sops import new_key_pair
from devloop.clients.worker import DecryptionResult
from devloop.errors import InputError
from devloop.model.cluster.definition import ClusterDefinition, SopsSettings
from devloop.model.cluster.environment import Environment
from devloop.repository.age_identities import Identities
from devloop.repository.age_keys import identities, missing_keys_error, sops_age_data


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("SOPS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    (tmp_path / "repo/k8s").mkdir(parents=True)
    return Environment("local", tmp_path / "repo", ClusterDefinition(name="local", generation="G3", path="clusters/local/ksail.yaml"))


def with_sops(environment: Environment, **settings: object) -> Environment:
    sops = replace(SopsSettings(), **settings)  # type: ignore[arg-type]
    return replace(environment, definition=replace(environment.definition, sops=sops))


def key(path: Path) -> str:
    """Write a fresh key as age-keygen does; its public half."""
    public, private = new_key_pair()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"# created: 2026-01-01T00:00:00Z\n# public key: {public}\n{private}\n")
    return public


def rules(environment: Environment, *recipients: str) -> None:
    (environment.root / ".sops.yaml").write_text(f"creation_rules:\n  - age: {','.join(recipients)}\n")


def test_every_place_is_looked_at_in_order(environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flag = key(tmp_path / "flag.txt")
    variable, private = new_key_pair()
    monkeypatch.setenv("SOPS_AGE_KEY", f"# comment\n{private}\n")
    file = key(tmp_path / "file.txt")
    monkeypatch.setenv("SOPS_AGE_KEY_FILE", str(tmp_path / "file.txt"))
    own = key(tmp_path / "config/devloop/keys/repo/local-12345678.agekey")
    rules(environment, own)
    xdg = key(tmp_path / "config/sops/age/keys.txt")
    home = key(tmp_path / "home/.config/sops/age/keys.txt")
    named, private = new_key_pair()
    monkeypatch.setenv("TEAM_KEY", private)
    extract = key(tmp_path / "home/team.txt")

    found = identities(with_sops(environment, key_env_var="TEAM_KEY", key_file="~/team.txt"), tmp_path / "flag.txt")

    assert found.public == (flag, variable, file, own, xdg, home, named, extract)
    assert [identity.origin.split(" ")[0] for identity in found][:3] == ["--age-key-file", "SOPS_AGE_KEY", "SOPS_AGE_KEY_FILE"]
    assert not found.skipped


def test_none_is_no_error(environment: Environment) -> None:
    assert not identities(environment)
    assert sops_age_data(identities(environment)) == {}


def test_the_same_key_in_two_places_counts_once(environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    public = key(tmp_path / "config/sops/age/keys.txt")
    monkeypatch.setenv("SOPS_AGE_KEY_FILE", str(tmp_path / "config/sops/age/keys.txt"))
    assert identities(environment).public == (public,)


def test_of_devloops_own_keys_only_this_environments(environment: Environment, tmp_path: Path) -> None:
    keys = tmp_path / "config/devloop/keys"
    mine = key(keys / "repo/local-1.agekey")
    prod = key(keys / "repo/prod-1.agekey")
    key(keys / "other/local-2.agekey")
    rules(environment, mine, prod)
    assert identities(environment).public == (mine,)
    assert identities(environment, recipients=()).public == ()
    assert identities(environment, recipients=[mine]).public == (mine,)


def test_an_encrypted_file_names_recipients_too(environment: Environment, tmp_path: Path) -> None:
    mine = key(tmp_path / "config/devloop/keys/repo/local-1.agekey")
    (environment.root / "k8s/a.enc.yaml").write_text(f"a: b\nsops:\n  version: 3\n  age:\n    - recipient: {mine}\n")
    (environment.root / "k8s/broken.enc.yaml").write_text('a: "\\q"\n')
    assert identities(environment).public == (mine,)


def test_public_keys_of_the_definition_filter_its_places(environment: Environment, tmp_path: Path) -> None:
    key(tmp_path / "config/sops/age/keys.txt")
    wanted = key(tmp_path / "team.txt")
    assert identities(with_sops(environment, key_file=str(tmp_path / "team.txt"), public_keys=(wanted,))).public == (wanted,)


def test_a_definition_without_sops_leaves_only_the_option(
    environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOPS_AGE_KEY", new_key_pair()[1])
    off = with_sops(environment, enabled="Disabled")
    assert not identities(off)
    assert "disables SOPS" in identities(off).skipped[0]
    assert identities(off, tmp_path / "flag.txt").public if key(tmp_path / "flag.txt") else False


def test_a_command_is_never_run_but_told(environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOPS_AGE_KEY_CMD", f"touch {tmp_path / 'ran'}")
    assert "SOPS_AGE_KEY_CMD" in identities(environment).skipped[0]
    assert not (tmp_path / "ran").exists()


PUBLIC, PRIVATE = new_key_pair()


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 0, "holds no Age identity"),
        ("# only a comment\n\n", 0, "holds no Age identity"),
        ("<public>\n", 1, "is a public key"),
        ("ssh-ed25519 AAAAC3Nza me\n", 1, "is an SSH key"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blbn\n-----END OPENSSH PRIVATE KEY-----\n", 1, "is an SSH key"),
        ("-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n", 1, "passphrase"),
        ("age-encryption.org/v1\n-> scrypt\n", 1, "passphrase"),
        ("# a\n\n<private>QQ\n", 3, "is not an Age identity"),
        ("<private>\nsomething else\n", 2, "is not an Age identity"),
    ],
)
def test_what_is_no_key_file_is_told_by_line_and_never_by_content(
    environment: Environment, tmp_path: Path, text: str, line: int, message: str
) -> None:
    path = tmp_path / "key.txt"
    text = text.replace("<public>", PUBLIC).replace("<private>", PRIVATE)
    path.write_text(text)
    with pytest.raises(InputError) as error:
        identities(environment, path)
    (problem,) = error.value.problems
    assert (problem.path, problem.line) == (str(path), line)
    assert message in problem.message
    assert str(problem.hint)
    secret = [part for part in text.split() if len(part) > 5 and part.strip("-").upper() == part and not part.startswith("-")]
    assert not any(part in f"{error.value}{problem}{problem.hint}" for part in secret)


def test_all_mistakes_of_a_file_at_once(environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "key.txt").write_text(f"{PUBLIC}\n{PRIVATE}\nnonsense\n")
    with pytest.raises(InputError) as error:
        identities(environment, tmp_path / "key.txt")
    assert [problem.line for problem in error.value.problems] == [1, 3]


@pytest.mark.parametrize("path", ["missing.txt", "folder"])
def test_a_file_that_cannot_be_read(environment: Environment, tmp_path: Path, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "folder").mkdir()
    monkeypatch.setenv("SOPS_AGE_KEY_FILE", str(tmp_path / path))
    with pytest.raises(InputError, match=f"{path}: the Age key file cannot be read") as error:
        identities(environment)
    assert "SOPS_AGE_KEY_FILE" in str(error.value.hint)


def test_a_plugins_identity_is_passed_over(environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "key.txt").write_text(f"AGE-PLUGIN-YUBIKEY-1QQQ\n{PRIVATE}\n")
    found = identities(environment, tmp_path / "key.txt")
    assert found.public == (PUBLIC,)
    assert "key.txt:1 is the identity of a plugin" in found.skipped[0]


def test_a_default_file_that_nobody_named_is_told_only_later(environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "config/sops/age").mkdir(parents=True)
    (tmp_path / "config/sops/age/keys.txt").write_text("")
    found = identities(environment)
    assert "holds no Age identity" in found.skipped[0]


def test_nothing_shows_a_private_half(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOPS_AGE_KEY", PRIVATE)
    found = identities(environment)
    assert PRIVATE not in f"{found} {found!r} {[*found]} {next(iter(found))!s}"
    assert found.text == f"{PRIVATE}\n"
    assert sops_age_data(found) == {f"{PUBLIC[-8:]}.agekey": f"{PRIVATE}\n"}


def test_missing_keys_are_told_with_what_was_tried(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOPS_AGE_KEY", PRIVATE)
    found = identities(environment)
    stranger = new_key_pair()[0]

    error = missing_keys_error([DecryptionResult("k8s/a.enc.yaml", (stranger,), reason="key", error="sealed")], found)
    assert error.exit_code == 2
    assert error.message == f"k8s/a.enc.yaml: no key decrypts it; its recipients: {stranger}"
    assert f"{PUBLIC} (SOPS_AGE_KEY)" in str(error.hint)
    assert "--age-key-file" in str(error.hint)

    several = missing_keys_error(
        [
            DecryptionResult("a", (stranger,), reason="key", error="sealed"),
            DecryptionResult("b", (PUBLIC,), reason="mac", error="MAC mismatch"),
            DecryptionResult("c", services=("Azure Key Vault",), reason="service", error="Azure Key Vault cannot be asked here"),
        ],
        found,
    )
    assert several.message == "3 encrypted files cannot be decrypted"
    assert [problem.path for problem in several.problems] == ["a", "b", "c"]
    assert several.problems[1].message == "cannot be decrypted: MAC mismatch"
    assert several.problems[2].message == "Azure Key Vault cannot be asked here"
    assert PRIVATE not in f"{several.message}{several.hint}{several.problems}"

    assert "no keys" in missing_keys_error([DecryptionResult("a", (stranger,), reason="key", error="sealed")], Identities()).hint
