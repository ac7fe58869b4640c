"""The lines around a finding, without secrets."""

from __future__ import annotations

import time
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console as RichConsole

from devloop.console.findings import findings_by_file
from devloop.diagnostic import Diagnostic, Location, Related, Scope, Severity, Snippet
from devloop.lint.snippets import add_snippets
from devloop.model.lint.snippet import snippet

SECRET = """\
apiVersion: v1
kind: Secret
metadata:
  name: db
  labels:
    team: hunter2
  namespace: shop # of hunter2
type: Opaque
stringData:
  password: hunter2
  name: hunter2
  url: https://me:hunter2@example.com
  "quoted": 'hunter2'
  lines: |
    hunter2: hunter2
    -----BEGIN hunter2-----
  flow: {a: hunter2}
  folded: hunter2
    hunter2
"""


def lines(path: str, text: str) -> list[str]:
    """Each line as its own snippet shows it."""
    shown = []
    for number in range(1, len(text.splitlines()) + 1):
        found = snippet(path, text, number)
        shown.append(found.lines[number - found.first] if found else "")
    return shown


def test_a_snippet_has_two_lines_on_either_side() -> None:
    text = "a: 1\nb: 2\nc:\n  d: 4\ne: 5\nf: 6\n"
    assert snippet("a.yaml", text, 4) == Snippet(2, ("b: 2", "c:", "  d: 4", "e: 5", "f: 6"), 4, 2, 6)
    assert snippet("a.yaml", text, 1) == Snippet(1, ("a: 1", "b: 2", "c:"), 1, 0, 4)
    assert snippet("a.yaml", text, 7) is None
    assert snippet("a.yaml", text, 0) is None
    assert snippet("id_rsa", "all\nof\nit\n", 2) is None


def test_a_secret_shows_only_keys_and_names() -> None:
    shown = lines("db.yaml", SECRET)
    assert "hunter2" not in "\n".join(shown[:5] + shown[7:]).replace("namespace: shop # of hunter2", "")
    assert shown[:4] == ["apiVersion: v1", "kind: Secret", "metadata:", "  name: db"]
    assert shown[5] == "    team: ***"
    assert shown[9:13] == ["  password: ***", "  name: ***", "  url: ***", '  "quoted": ***']
    assert shown[14:16] == ["    ***", "    ***"]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("list.yaml", "kind: List\nitems:\n- kind: Secret\n  data:\n    a: hunter2\n"),
        ("flow.yaml", "{kind: Secret, stringData: {a: hunter2}}\n"),
        ("secret.json", '{\n "kind": "Secret",\n "data": {\n  "a": "hunter2"\n }\n}\n'),
        ("s.json", '{\n "kind": "Secret",\n "data": {\n  "a": "hunter2"\n }\n}\n'),
        ("kustomization.yaml", "secretGenerator:\n- name: a\n  literals:\n  - password=hunter2\n"),
        ("values.yaml", "db:\n  password: hunter2\n  apiKey: hunter2\n  GITHUB_TOKEN: hunter2\n"),
        ("values.yaml", "db:\n  password: |\n    hunter2\n    a: hunter2\n"),
        ("app.env", "PASSWORD=hunter2\n"),
        ("id_rsa", "hunter2\n"),
        ("notes.yaml", "a: b\nc: AGE-SECRET-KEY-1HUNTER2hunter2\nd: hunter2\n"),
        ("x.enc.yaml", "a: hunter2\n"),
        ("a.yaml", "a: hunter2\nsops:\n  mac: hunter2\n"),
        ("a.yaml", "a: ENC[AES256_GCM,data:hunter2]\n"),
        ("two.yaml", "kind: ConfigMap\n---\nkind: Secret\ndata:\n  a: hunter2\n"),
        ("two.yaml", "kind: ConfigMap\n---\ndata:\n  a: hunter2\nkind: Secret\n"),
        ("list.yaml", "kind: List\nitems:\n- stringData: {a: hunter2}\n  kind: Secret\n"),
        ("odd.yaml", "kind:\n  Secret\ndata:\n  a: hunter2\n"),
        ("tag.yaml", "kind: !!str Secret\ndata:\n  a: hunter2\n"),
        ("kustomization.yaml", "patches:\n- target: {kind: Secret}\n  patch: |\n    - {op: add, path: /data/a, value: hunter2}\n"),
        ("kustomization.yaml", "patches:\n- target: {name: db}\n  patch: |\n    - path: /stringData/a\n      value: hunter2\n"),
        ("patch.yaml", "- op: add\n  path: /spec/values/password\n  value: hunter2\n"),
        ("patch.yaml", "- value: hunter2\n  path: /spec/values/password\n  op: add\n"),
        ("deployment.yaml", "env:\n- name: DB_PASSWORD\n  value: hunter2\n"),
        ("deployment.yaml", "env: [{name: DB_PASSWORD, value: hunter2}]\n"),
        ("release.yaml", "spec:\n  values: {db: {password: hunter2}}\n"),
    ],
)
def test_possible_secrets_are_masked(path: str, text: str) -> None:
    assert "hunter2" not in "\n".join(lines(path, text))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("apps.yaml", "kind: Kustomization\nspec:\n  substituteFrom:\n  - kind: Secret\n    name: cluster\n"),
        ("deployment.yaml", "env:\n- name: PASSWORD\n  valueFrom:\n    secretKeyRef:\n      name: db\n      key: password\n"),
        ("two.yaml", "kind: ConfigMap\ndata:\n  a: b\n---\n"),
        ("account.yaml", "automountServiceAccountToken: false\n"),
    ],
)
def test_text_about_secrets_is_shown(path: str, text: str) -> None:
    assert lines(path, text) == text.splitlines()


def test_what_a_rule_calls_secret_is_masked(tmp_path: Path) -> None:
    (tmp_path / "values.yaml").write_text("plain: hunter2\nother: hunter2\n")
    found = [
        Diagnostic("x", Location("values.yaml", 1), rule="secrets/plaintext"),
        Diagnostic("x", Location("values.yaml", 1, "Secret", "db")),
        Diagnostic("x", Location("values.yaml", 1, "ConfigMap", "db")),
    ]
    assert ["hunter2" in str(shown.snippet) for shown in add_snippets(tmp_path, found)] == [False, False, True]


def test_a_line_of_a_terminal_stays_one() -> None:
    assert lines("a.yaml", "a:\tb\x1b[31m\u202e\n") == ["a:  b\ufffd[31m\ufffd"]
    assert len(lines("a.yaml", "a: " + "b" * 1000)[0]) == 160


def test_nothing_outside_the_repository_is_read(tmp_path: Path) -> None:
    root = tmp_path / "repository"
    root.mkdir()
    (tmp_path / "outside.yaml").write_text("a: b\n")
    (root / "inside.yaml").write_text("a: b\n")
    (root / "link.yaml").symlink_to("../outside.yaml")
    paths = ("inside.yaml", "link.yaml", "../outside.yaml", "gone.yaml", "", "inside.yaml/x", "a\0b")
    found = add_snippets(root, [Diagnostic("x", Location(path, 1)) for path in paths])
    assert [f.path for f in found if f.snippet] == ["inside.yaml"]


def test_findings_are_listed_by_file_with_their_lines() -> None:
    where = (Scope("dev", "flux-system/apps"),)
    base = Related("k8s/base.yaml", 3, "a patch for the object")
    shown = Snippet(7, ("spec:", "  path: ./gone"), 8, 2, 14)
    found = [
        Diagnostic(
            "it is gone",
            Location("k8s/apps.yaml", 8),
            "make it",
            Severity.ERROR,
            where,
            "graph/path-missing",
            (base,),
            shown,
        ),
        Diagnostic("no labels", Location("k8s/apps.yaml"), severity=Severity.INFO, rule="labels/required"),
    ]
    text = StringIO()
    print_to = RichConsole(file=text, width=200)
    for line in findings_by_file(found, ("dev", "prod")):
        print_to.print(line)
    assert text.getvalue().split("\n")[:-1] == [
        "k8s/apps.yaml:8",
        "   8  error  it is gone  (dev)  [graph/path-missing]",
        "      7 | spec:",
        "    > 8 |   path: ./gone",
        "        |   ^^^^^^^^^^^^",
        "    note: a patch for the object in k8s/base.yaml:3",
        "    hint: make it",
        "   -  info  no labels  [labels/required]",
        "",
    ]


@pytest.mark.parametrize("above", ["\n", "kind: Secret\n"])
def test_a_long_file_full_of_findings_is_read_once(above: str) -> None:
    text = above * 20_000 + "a:\n" + "  - b: c\n" * 20_000
    begun = time.monotonic()
    assert all(snippet("a.yaml", text, line) for line in range(20_001, 25_000))
    assert time.monotonic() - begun < 20
