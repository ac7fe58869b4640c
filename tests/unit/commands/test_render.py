"""`devloop render`: manifests as any reader takes them, secrets masked, and what a revision makes different."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from devloop.clients.git import first_commit
from devloop.clients.sops import encrypt, new_key_pair
from devloop.commands.render import Request, compare, render
from devloop.errors import InputError
from devloop.model.kubernetes.manifest import Manifest, Origin
from devloop.model.report import Event
from devloop.output.manifests import document, to_yaml
from devloop.repository.revisions import checkout

KSAIL = """\
apiVersion: ksail.io/v1alpha1
kind: Cluster
metadata: {name: local}
spec: {workload: {sourceDirectory: ., kustomizationFile: cluster}}
"""
APPS = """\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec:
  interval: 1h
  path: ./apps
  sourceRef: {kind: GitRepository, name: flux-system}
  decryption: {provider: sops}
  postBuild: {substituteFrom: [{kind: Secret, name: sealed}]}
"""
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: colours, namespace: shop}\ndata: {colour: blue, number: '0o14', url: 'https://${word}'}\n"
PLAIN = "apiVersion: v1\nkind: Secret\nmetadata: {name: plain, namespace: shop}\ndata: {a: aHVudGVyMg==}\nstringData: {b: hunter2}\n"
SEALED = "apiVersion: v1\nkind: Secret\nmetadata: {name: sealed, namespace: flux-system}\nstringData: {word: correct-horse}\n"


@pytest.fixture
def wanted(tmp_path: Path, sops_program: Path) -> Iterator[Request]:
    root, key_file = tmp_path / "repo", tmp_path / "key"
    public, private = new_key_pair()
    key_file.write_text(private)
    files = {"ksail.yaml": KSAIL, "cluster/apps.yaml": APPS, "apps/config.yaml": CONFIG, "apps/plain.yaml": PLAIN}
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / ".sops.yaml").write_text(f"creation_rules: [{{encrypted_regex: ^stringData$, age: {public}}}]\n")
    (root / "cluster/sealed.enc.yaml").write_bytes(encrypt(sops_program, root, "cluster/sealed.enc.yaml", SEALED.encode()))
    first_commit(root, "all of it")
    yield Request(root, "local", key_file=key_file)
    assert not list(Path(tempfile.gettempdir()).glob(f"devloop-revision-{os.getpid()}-*"))


def with_(wanted: Request, **more: Any) -> Request:
    return Request(**{**vars(wanted), **more})


def objects(text: str) -> Mapping[str, Any]:
    return {f"{o['kind']}/{o['metadata']['name']}": o for o in yaml.safe_load_all(text)}


def ignore(_: Event) -> None:
    """Nobody listens."""


def test_manifests_come_as_flux_would_apply_them_with_secrets_masked(wanted: Request, worker_program: Path) -> None:
    rendered = render(wanted, ignore)
    found = objects(rendered.text)
    assert list(found) == ["Kustomization/apps", "Secret/sealed", "ConfigMap/colours", "Secret/plain"]
    assert found["ConfigMap/colours"]["data"] == {"colour": "blue", "number": "0o14", "url": "https://${word}"}
    assert found["Secret/plain"]["data"] == {"a": "KipTT1BTKio="} and found["Secret/plain"]["stringData"] == {"b": "**SOPS**"}
    assert "hunter2" not in rendered.text and "correct-horse" not in rendered.text
    assert rendered.complete
    assert render(wanted, ignore) == rendered


def test_secrets_are_shown_only_when_asked_for(wanted: Request, worker_program: Path) -> None:
    found = objects(render(with_(wanted, show_secrets=True), ignore).text)
    assert found["Secret/sealed"]["stringData"] == {"word": "correct-horse"} and "sops" not in found["Secret/sealed"]
    assert found["Secret/plain"]["stringData"] == {"b": "hunter2"}
    assert found["ConfigMap/colours"]["data"]["url"] == "https://correct-horse"


def test_one_kustomization_alone(wanted: Request, worker_program: Path) -> None:
    for name in ("flux-system/apps", "apps"):
        assert list(objects(render(with_(wanted, kustomization=name), ignore).text)) == ["ConfigMap/colours", "Secret/plain"]
    with pytest.raises(InputError, match="no Kustomization aps in local") as caught:
        render(with_(wanted, kustomization="aps"), ignore)
    assert "flux-system/apps" in str(caught.value.hint)


def test_origins_are_comments(wanted: Request, worker_program: Path) -> None:
    text = render(with_(wanted, origins=True), ignore).text
    assert "---\n# apps/config.yaml\napiVersion: v1\nkind: ConfigMap\n" in text


def test_a_difference_is_told_by_object(wanted: Request, worker_program: Path) -> None:
    assert compare(wanted, "HEAD", ignore).text == ""
    (wanted.root / "apps/config.yaml").write_text(CONFIG.replace("blue", "green"))
    (wanted.root / "apps/plain.yaml").rename(wanted.root / "apps/moved.yaml")
    (wanted.root / "apps/new.yaml").write_text(CONFIG.replace("colours", "new"))
    lines = compare(wanted, "HEAD", ignore).text.splitlines()
    assert [line for line in lines if line.startswith(("+++", "---"))] == [
        "--- HEAD:flux-system/apps/ConfigMap/shop/colours",
        "+++ working tree:flux-system/apps/ConfigMap/shop/colours",
        "--- /dev/null",
        "+++ working tree:flux-system/apps/ConfigMap/shop/new",
    ]
    assert "-  colour: blue" in lines and "+  colour: green" in lines


def test_a_revision_without_the_environment_is_an_empty_one(wanted: Request, worker_program: Path) -> None:
    (wanted.root / "ksail.next.yaml").write_text(KSAIL.replace("local", "next"))
    told: list[Event] = []
    text = compare(with_(wanted, environment="next"), "HEAD", told.append).text
    assert "+++ working tree:flux-system/apps/ConfigMap/shop/colours" in text
    assert "no environment 'next' in HEAD" in str(told)


def test_what_does_not_build_is_told_and_the_rest_is_rendered(wanted: Request, worker_program: Path) -> None:
    (wanted.root / "apps/config.yaml").write_text("a: [\n")
    told: list[Event] = []
    rendered = render(wanted, told.append)
    assert list(objects(rendered.text)) == ["Kustomization/apps", "Secret/sealed"]
    assert not rendered.complete and len(told) == 1


RELEASE = """apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: web, namespace: shop}
spec:
  interval: 10m
  chart: {spec: {chart: ./gone, sourceRef: {kind: GitRepository, name: flux-system, namespace: flux-system}}}
"""


def test_a_chart_that_does_not_render_is_told(wanted: Request, worker_program: Path) -> None:
    (wanted.root / "apps/config.yaml").write_text(RELEASE)
    told: list[Event] = []
    rendered = render(wanted, told.append)
    assert "HelmRelease/web" in objects(rendered.text)
    assert not rendered.complete
    assert "the HelmRelease shop/web does not render: the chart ./gone does not exist" in str(told)


def test_an_earlier_state_goes_away_however_its_use_ends(wanted: Request) -> None:
    (wanted.root / "apps/config.yaml").unlink()
    before = sorted(path.name for path in (wanted.root / ".git").iterdir())
    with pytest.raises(KeyboardInterrupt), checkout(wanted.root, "HEAD") as folder:
        assert (folder / "apps/config.yaml").read_text() == CONFIG
        raise KeyboardInterrupt
    assert not folder.exists()
    assert sorted(path.name for path in (wanted.root / ".git").iterdir()) == before
    with checkout(wanted.root / "apps", "HEAD") as folder:
        assert sorted(path.name for path in folder.iterdir()) == ["config.yaml", "plain.yaml"]


@pytest.mark.parametrize(
    "text", ["1e3", "0o14", "0x1f", "012", "1_000", "1:30", "yes", "null", "~", "=", "", " a ", "a\nb\n", "- a", ".5", "-.inf", "3.10"]
)
def test_texts_stay_texts_for_every_reader(text: str) -> None:
    written = document(Manifest({"kind": "ConfigMap", "data": {"a": text}}))
    assert yaml.safe_load(written)["data"]["a"] == text
    assert not written.endswith(f"a: {text}\n") or text == "a"


def test_a_long_text_that_is_nearly_a_number_takes_no_time() -> None:
    begun = time.monotonic()
    assert "9Mi" in document(Manifest({"kind": "ConfigMap", "data": {"a": "9" * 200_000 + "Mi"}}))
    assert time.monotonic() - begun < 5


def test_long_texts_stay_readable() -> None:
    manifest = Manifest({"kind": "ConfigMap", "data": {"a": "one\ntwo\n"}}, Origin("a.yaml"))
    assert to_yaml([manifest], origins=True) == "---\n# a.yaml\nkind: ConfigMap\ndata:\n  a: |\n    one\n    two\n"
