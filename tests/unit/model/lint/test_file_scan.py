"""Finds Secrets, keys, variables and references in bytes. The keys are not real."""

from __future__ import annotations

import base64
import time

import pytest

from devloop.model.lint.file_index import Field, ObjectText, PrivateKey, Reference, Variable
from devloop.model.lint.file_scan import flux_kustomizations, objects, private_keys, references, secret_texts, speaks_of_rotation, variables

BODY = base64.b64encode(b"this is no key, it was made up for a test of devloop and opens nothing at all; thank you").decode()
OPENSSH = base64.b64encode(b"openssh-key-v1\0\0\0\0\x04none\0\0\0\x04none" + b"made up, opens nothing: 0123456789 ABCDEF").decode()
LOCKED = base64.b64encode(b"openssh-key-v1\0\0\0\0\naes256-ctr\0\0\0\x06bcrypt" + b"made up, opens nothing: 0123456789").decode()
AGE = "AGE-SECRET-KEY-1" + "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L" + "QPZRY9X8GF2TVDW0S3JN54KHCE"


def pem(label: str, body: str = BODY) -> str:
    return f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (f"# a comment\n{AGE}\n", "Age"),
        (f"\n{pem('PRIVATE KEY')}", "PEM"),
        (f"\n{pem('RSA PRIVATE KEY')}", "RSA"),
        (f"\n{pem('OPENSSH PRIVATE KEY', OPENSSH)}", "SSH"),
        (f"\nkey: |\n  -----BEGIN EC PRIVATE KEY-----\n  {BODY[:60]}\n  {BODY[60:]}\n"[1:], "EC"),
        ('{\n"key": "' + pem("PRIVATE KEY").replace("\n", "\\n") + '"}', "PEM"),
        (f"\nclient-key-data: {base64.b64encode(pem('RSA PRIVATE KEY').encode()).decode()}\n", "RSA"),
    ],
)
def test_a_private_key_is_found_with_its_line(text: str, kind: str) -> None:
    assert [*private_keys("a", text.encode())] == [PrivateKey("a", 2, kind)]


@pytest.mark.parametrize(
    "text",
    [
        "AGE-SECRET-KEY-1...",
        "AGE-SECRET-KEY-1" + "X" * 58,
        "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
        pem("ENCRYPTED PRIVATE KEY"),
        pem("PUBLIC KEY"),
        pem("CERTIFICATE"),
        pem("OPENSSH PRIVATE KEY", LOCKED),
        pem("RSA PRIVATE KEY", "Proc-Type: 4,ENCRYPTED\n" + BODY),
        pem("AGE ENCRYPTED FILE"),
        f"certificate: {base64.b64encode(pem('CERTIFICATE').encode()).decode()}",
    ],
)
def test_unusable_keys_are_not_found(text: str) -> None:
    assert [*private_keys("a", text.encode())] == []


def test_secrets_are_found_in_every_document_with_the_lines_of_their_fields() -> None:
    text = (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {password: hunter2}\n---\n"
        "apiVersion: v1\nkind: Secret # here\nmetadata:\n  name: login\n  namespace: shop\nstringData:\n  user: admin\n"
        "  password: hunter2\n"
        '--- # next\napiVersion: v1\nkind: "Secret"\nmetadata: {name: token}\ndata:\n  token: aHVudGVyMg==\n'
    )
    login, token = secret_texts("a.yaml", text.encode())
    assert (login.namespace, login.name, login.line) == ("shop", "login", 7)
    assert login.clear == (Field("stringData.password", 13),)
    assert (token.name, token.clear) == ("token", (Field("data.token", 19),))


def test_secrets_are_found_in_json_and_not_in_texts_about_secrets() -> None:
    [found] = secret_texts("a.json", b'{"kind": "Secret", "metadata": {"name": "a"}, "stringData": {"password": "hunter2"}}')
    assert found.clear == (Field("stringData.password", 1),)
    assert not [*secret_texts("a.yaml", b"apiVersion: v1\nkind: ConfigMap\ndata:\n  text: |\n    kind: Secret\n")]
    assert not [*secret_texts("a.yaml", b"kind: Secret\n  broken: [\n")]


def test_variables_are_named_once_and_know_whether_they_have_a_default() -> None:
    text = b"a: ${one}\nb: ${two:=2}\nc: $${three} ${four:-4} $$${five}\nd: ${one:=1} ${ENV:0:3} $(six)\n"
    assert variables(text) == (
        Variable("one", 1, True),
        Variable("two", 2, True),
        Variable("four", 3, True),
        Variable("five", 3, False),
        Variable("ENV", 4, False),
    )


def test_references_out_of_the_folder_count_when_their_target_is_there() -> None:
    text = (
        b"resources:\n  - ../../bases/apps/\n  # - ../../bases/old\n  - ../gone\n  - a.yaml\nx: {files: [a=../../b.yaml, '../../c.yaml']}\n"
    )
    known = {"k8s/bases/apps", "k8s/bases/old", "k8s/b.yaml", "k8s/c.yaml"}
    assert [*references("k8s/clusters/dev/kustomization.yaml", text, known)] == [
        Reference("k8s/clusters/dev/kustomization.yaml", 2, "k8s/bases/apps"),
        Reference("k8s/clusters/dev/kustomization.yaml", 6, "k8s/b.yaml"),
        Reference("k8s/clusters/dev/kustomization.yaml", 6, "k8s/c.yaml"),
    ]


@pytest.mark.parametrize(
    "text", ["## Key rotation\n", "Rotate the Age keys once a year.", "then run `sops updatekeys FILE`", "Keys are rotated by hand"]
)
def test_a_document_speaks_of_rotation(text: str) -> None:
    assert speaks_of_rotation(text.encode())


@pytest.mark.parametrize("text", ["Logs rotate daily.", "# Keys\n\nThey are in the vault.", "The image rotates."])
def test_a_document_speaks_of_something_else(text: str) -> None:
    assert not speaks_of_rotation(text.encode())


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("kind: Namespace\nmetadata: {name: web}\n", [("Namespace", "", "web")]),
        ("metadata:\r\n  name: web\r\nkind: Namespace\r\n", [("Namespace", "", "web")]),
        ("# by hand\nkind: 'Secret'\nmetadata:\n  labels:\n    name: x\n\n  # a\n  namespace: \"a\"\n  name: b\n", [("Secret", "a", "b")]),
        (
            "kind: ConfigMap\nmetadata: # here\n    name: a\ndata:\n  name: b\n---\nkind: Secret\nmetadata:\n- name: c\n",
            [("ConfigMap", "", "a")],
        ),
        ("kind: List\nitems:\n  - kind: Secret\n    metadata: {name: a}\n", []),
        ("kind: Deployment\nmetadata: {name: a}\n", []),
        ("kind: Secret\n", []),
    ],
)
def test_objects_of_a_bootstrap_folder(text: str, found: list[tuple[str, str, str]]) -> None:
    assert [*objects("a", text.encode())] == [ObjectText("a", *each) for each in found]


def test_a_long_document_without_a_name_takes_no_time() -> None:
    text = "kind: Kustomization\nmetadata:\n" + "          description: none\n" * 5000
    started = time.perf_counter()
    assert [*flux_kustomizations("a", text.encode())] == []
    assert time.perf_counter() - started < 5
