"""Encrypted files as SOPS itself writes them, read without a key, and creation rules of all shapes."""

from __future__ import annotations

import pytest

from devloop.errors import InputError
from devloop.model.sops.creation_rules import parse_creation_rules, parse_secret

ALICE = "age1hjyjz8g7qcrn8qvthcaw8thx8swkd2t9pplg76geql4gewa6fsgs8r57ar"
BOB = "age1g0jyq2jlvuxpj6y3s05jvwaf4znpw23pmv2zuqm3tuzsyvv8y9fqen5585"
ENC = "ENC[AES256_GCM,data:3Q==,iv:TXe0,tag:aQ0O,type:str]"

YAML = f"""\
apiVersion: v1
kind: Secret
metadata:
    name: app
    labels:
        app.kubernetes.io/name: app
stringData:
    user: {ENC}
    clear: not encrypted
    empty: ""
sops:
    kms: []
    pgp: null
    age:
        - enc: |
            -----BEGIN AGE ENCRYPTED FILE-----
            -----END AGE ENCRYPTED FILE-----
          recipient: {ALICE}
        - recipient: {BOB}
          enc: x
    azure_kv:
        - vault_url: https://vault.example.com
    encrypted_regex: ^(data|stringData)$
    mac: {ENC}
    version: 3.13.3
"""
JSON = f'''{{
\t"data": "{ENC}",
\t"sops": {{
\t\t"age": [
\t\t\t{{"recipient": "{ALICE}"}}
\t\t],
\t\t"kms": null,
\t\t"mac": "{ENC}"
\t}}
}}
'''
DOTENV = f"# comment\nKEY={ENC}\nsops_age__list_0__map_recipient={ALICE}\nsops_mac={ENC}\nsops_unencrypted_suffix=_unencrypted\n"
INI = f"[part]\nkey = {ENC}\n\n[sops]\nage__list_0__map_recipient = {ALICE}\nmac                        = {ENC}\n"


def test_all_that_can_be_known_without_a_key() -> None:
    secret = parse_secret("k8s/app.enc.yaml", YAML)
    assert secret is not None
    assert secret.age_recipients == (ALICE, BOB)
    assert secret.services == ("Age", "Azure Key Vault")
    assert secret.settings == {"encrypted_regex": "^(data|stringData)$"}
    assert secret.has_mac
    assert [(".".join(leaf.path), leaf.line) for leaf in secret.encrypted_data] == [("stringData.user", 8)]
    assert [(".".join(leaf.path), leaf.line) for leaf in secret.data if leaf.path[0] == "stringData" and not leaf.encrypted] == [
        ("stringData.clear", 9),
        ("stringData.empty", 10),
    ]
    assert secret.metadata == {"name": "app", "labels.app.kubernetes.io/name": "app"}


@pytest.mark.parametrize(
    ("name", "text", "key"),
    [
        ("a.enc.json", JSON, ("data", 2)),
        ("a.bin", JSON, ("data", 2)),
        ("a.enc.env", DOTENV, ("KEY", 2)),
        ("a.enc.ini", INI, ("part.key", 2)),
    ],
)
def test_every_format_of_sops(name: str, text: str, key: tuple[str, int]) -> None:
    secret = parse_secret(name, text)
    assert secret is not None
    assert secret.age_recipients == (ALICE,)
    assert secret.services == ("Age",)
    assert secret.has_mac
    assert [(".".join(leaf.path), leaf.line) for leaf in secret.encrypted_data] == [key]


def test_key_groups_and_a_missing_mac() -> None:
    groups = f"    - age:\n        - recipient: {ALICE}\n    - hc_vault:\n        - key_name: k\n"
    text = f"a: {ENC}\nsops:\n  key_groups:\n{groups}  version: 3.9.0\n"
    secret = parse_secret("a.yaml", text)
    assert secret is not None
    assert secret.services == ("Age", "HashiCorp Vault")
    assert not secret.has_mac


@pytest.mark.parametrize(
    "text", ["", "a: 1\n", "sops: a tool\n", "- a\n- b\n", "plain\n", "sops:\n  enabled: true\n", "a: !vault x\nb: =\n"]
)
def test_what_is_not_encrypted(text: str) -> None:
    assert parse_secret("a.yaml", text) is None


def test_documents_anchors_and_tags_that_other_readers_refuse() -> None:
    text = YAML + "---\nx: &a 1\ny: &a 2\nz: *a\nw: !custom {v: =}\n"
    secret = parse_secret("a.yaml", text)
    assert secret is not None
    assert [leaf.value for leaf in secret.data if leaf.path[0] in "xyzw"] == ["1", "2", "2", "="]


def test_a_broken_file_is_named_with_its_line() -> None:
    with pytest.raises(InputError, match=r"a\.yaml:2: cannot be read"):
        parse_secret("a.yaml", 'a: 1\nb: "\\q"\n')


def test_rules_in_order() -> None:
    rules = parse_creation_rules(f"""\
keys:
  - &alice {ALICE}
  - &bob {BOB}
stores:
  yaml:
    indent: 2
creation_rules:
  - path_regex: ^k8s/clusters/local/.+\\.enc\\.ya?ml$
    age: >-
      {ALICE},
      {BOB}
    encrypted_regex: ^(data|stringData)$
  - path_regex: \\.sops\\.yaml$
    key_groups:
      - age: [*alice]
      - age: [*bob]
        pgp: [ABCD]
  - age:
      - *bob
""")
    assert [(rule.line, rule.age_recipients) for rule in rules.rules] == [(8, (ALICE, BOB)), (13, (ALICE, BOB)), (19, (BOB,))]
    assert rules.rules[1].services == ("Age", "PGP")
    assert rules.age_recipients == {ALICE, BOB}
    first, second, third = rules.rules
    assert rules.rule_for("k8s/clusters/local/a.enc.yaml") is first
    assert rules.rule_for("deep/a.sops.yaml") is second
    assert rules.rule_for("anything") is third
    assert first.settings == {"encrypted_regex": "^(data|stringData)$"}


@pytest.mark.parametrize("text", ["", "creation_rules: []\n", "creation_rules:\n", "text\n", "{}\n"])
def test_no_rules(text: str) -> None:
    assert parse_creation_rules(text).rule_for("a.yaml") is None


@pytest.mark.parametrize("expression", ["*.yaml", "a{1001}", "(?!a)"])
def test_an_expression_that_is_none_matches_nothing_and_is_told(expression: str) -> None:
    rules = parse_creation_rules(f"creation_rules:\n  - age: a\n    path_regex: '{expression}'\n")
    assert rules.rule_for("a.yaml") is None
    assert [(problem.path, problem.line) for problem in rules.problems] == [(".sops.yaml", 3)]


def test_broken_rules_are_named_with_their_line() -> None:
    with pytest.raises(InputError, match=r"\.sops\.yaml:2: "):
        parse_creation_rules("creation_rules:\n\t- age: x\n")
