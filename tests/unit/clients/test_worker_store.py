"""What the worker keeps until the next run: used when nothing that matters has changed, and never holding what nobody may see."""

from __future__ import annotations

import base64
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from devloop.clients.sops import encrypt, new_key_pair
from devloop.clients.worker import Worker

SECRET = "hunter2-and-more"
Look = Callable[..., list[dict[str, Any]]]


def settings(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "flux-system"}, "data": data}


def question(name: str, **spec: Any) -> dict[str, Any]:
    metadata = {"namespace": "flux-system", "name": name}
    body = {"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization", "metadata": metadata}
    return {"build": {"scope": "x", "base": ".", **metadata, "object": body | {"spec": {"path": f"./{name}"} | spec}}}


VARIABLES = {"substituteFrom": [{"kind": "ConfigMap", "name": "settings"}]}
QUESTIONS = (question("vars"), question("apps", postBuild=VARIABLES))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path / "repo", {"vars/a.yaml": settings("settings", colour="blue"), "apps/b.yaml": settings("app", colour="${colour}")})
    return tmp_path / "repo"


def write(root: Path, files: Mapping[str, Any]) -> None:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content if isinstance(content, str) else yaml.safe_dump(content))


@pytest.fixture
def look(worker_program: Path, root: Path, tmp_path: Path) -> Look:
    """The results of questions, one after the other, in a run with the common store; without the fingerprint, which needs one."""

    def look(questions: Sequence[Mapping[str, Any]] = QUESTIONS, identities: str = "") -> list[dict[str, Any]]:
        with Worker(worker_program, root, identities, store=tmp_path / "store") as worker:
            return [_plain(worker.ask_all([each])[0]["result"]) for each in questions]

    return look


def _plain(result: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in result.items() if key != "fingerprint"}


@pytest.fixture
def entries(tmp_path: Path) -> Callable[[], dict[Path, int]]:
    """When the entries of the store were written."""
    return lambda: {path: path.stat().st_mtime_ns for path in (tmp_path / "store").glob("??/*")}


def colour(results: Sequence[Mapping[str, Any]]) -> str:
    return str(results[-1]["objects"][0]["body"]["data"]["colour"])


def test_the_same_answers_come_from_the_store(look: Look, entries: Callable[[], dict[Path, int]]) -> None:
    first = look()
    written = entries()
    assert len(written) == 2
    assert look() == first
    assert entries() == written


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"apps/b.yaml": settings("app", colour="x-${colour}")}, "x-blue"),
        ({"vars/a.yaml": settings("settings", colour="red")}, "red"),
        ({"apps/a.yaml": settings("new", colour="one more, sorted before")}, "one more, sorted before"),
        ({"apps/kustomization.yaml": "resources: [b.yaml]\nnamePrefix: a-\n"}, "blue"),
        ({".sourceignore": "b.yaml\n", "apps/c.yaml": settings("c", colour="alone")}, "alone"),
    ],
)
def test_whatever_matters_is_noticed(look: Look, root: Path, worker_program: Path, change: dict[str, Any], expected: str) -> None:
    look()
    write(root, change)
    with Worker(worker_program, root) as fresh:
        wanted = [fresh.ask_all([each])[0]["result"] for each in QUESTIONS]
    found = look()
    assert found == wanted
    assert colour(found) == expected


def test_a_file_that_was_missing_is_noticed_when_it_comes(look: Look, root: Path) -> None:
    write(root, {"apps/kustomization.yaml": "resources: [late.yaml]\n"})
    assert look()[-1]["failure"]["message"] == "late.yaml does not exist"
    assert look()[-1]["failure"]["message"] == "late.yaml does not exist"
    write(root, {"apps/late.yaml": settings("late", colour="green")})
    assert colour(look()) == "green"


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[: len(content) // 2],
        lambda content: b"x" + content[1:],
        lambda content: content[:-1] + bytes([content[-1] ^ 1]),
        lambda content: content + content,
    ],
)
def test_broken_entries_are_none(look: Look, entries: Callable[[], dict[Path, int]], damage: Callable[[bytes], bytes]) -> None:
    first = look()
    for path in entries():
        path.write_bytes(damage(path.read_bytes()))
    assert look() == first
    written = entries()
    assert look() == first
    assert entries() == written


def test_a_store_that_cannot_be_used_harms_nobody(look: Look, tmp_path: Path, entries: Callable[[], dict[Path, int]]) -> None:
    first = look()
    for path in entries():
        path.unlink()
        (path / "folder").mkdir(parents=True)
    assert look() == first
    shutil.rmtree(tmp_path / "store")
    (tmp_path / "store").write_text("")
    assert look() == first


def test_old_entries_make_room(look: Look, root: Path, worker_program: Path, tmp_path: Path) -> None:
    first = look()
    old = [tmp_path / "store" / f"{number:02x}" / "old" for number in range(8)]
    for number, path in enumerate(old):
        path.parent.mkdir(exist_ok=True)
        with path.open("wb") as file:
            file.truncate(100 << 20)  # takes no room on the disk, and counts all the same
        os.utime(path, (number, number))
    (tmp_path / "store/.pruned").unlink(missing_ok=True)
    with Worker(worker_program, root, store=tmp_path / "store") as worker:
        assert worker.check_files([]) == []
        deadline = time.monotonic() + 20
        while not (tmp_path / "store/.pruned").exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)
    assert [path.exists() for path in old] == [False] * 5 + [True] * 3
    assert look() == first


# -- secrets ----------------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def keys(root: Path, sops_program: Path) -> Iterator[tuple[str, str]]:
    """vars/ renders a Secret that SOPS encrypted, with a value that no store may hold."""
    public, private = new_key_pair()
    write(root, {".sops.yaml": f"creation_rules: [{{encrypted_regex: ^stringData$, age: {public}}}]"})
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": settings("door")["metadata"], "stringData": {"colour": SECRET}}
    (root / "vars/a.yaml").write_bytes(encrypt(sops_program, root, "vars/a.yaml", yaml.safe_dump(secret).encode()))
    write(root, {f"{SECRET}/c.yaml": settings("found", colour="found")})
    yield public, private


DOOR = {"substituteFrom": [{"kind": "Secret", "name": "door"}]}
OPEN = question("vars", decryption={"provider": "sops"})


def test_no_value_of_a_secret_is_kept_and_what_needs_one_gets_it(look: Look, keys: tuple[str, str], root: Path, tmp_path: Path) -> None:
    questions = (OPEN, question("apps", postBuild=DOOR))
    first = look(questions, keys[1])
    assert colour(first) == "${colour}"
    assert look(questions, keys[1]) == first
    # Built anew while the Secret comes from the store: only its real value is no YAML here.
    write(root, {"apps/b.yaml": settings("app", colour="${colour:0:7}")})
    assert look(questions, keys[1])[-1] == look(questions, keys[1])[-1]
    stored = b"".join(path.read_bytes() for path in (tmp_path / "store").rglob("*") if path.is_file())
    for secret in (SECRET.encode(), base64.b64encode(SECRET.encode()), keys[1].encode(), keys[1].split("\n")[-1].encode()[:20]):
        assert not secret or secret not in stored


def test_what_is_in_clear_in_the_repository_is_not_in_clear_in_the_store(look: Look, root: Path, tmp_path: Path) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": settings("door")["metadata"]}
    write(root, {"vars/b.yaml": secret | {"stringData": {"colour": SECRET}}, "vars/c.yaml": settings("release", password=SECRET)})
    questions = (question("vars"), question("apps", postBuild=DOOR))
    first = look(questions)
    assert SECRET in str(first[0])
    assert look(questions) == first
    stored = b"".join(path.read_bytes() for path in (tmp_path / "store").rglob("*") if path.is_file())
    assert stored
    assert SECRET.encode() not in stored


def test_a_path_that_is_a_secret_is_found_again(look: Look, keys: tuple[str, str], root: Path, tmp_path: Path) -> None:
    child = question("inner", path="./${colour}")["build"]["object"]
    write(root, {"apps/b.yaml": child})
    named = {"build": {"scope": "x", "base": ".", "namespace": "flux-system", "name": "inner"}}
    questions = (OPEN, question("apps", postBuild=DOOR), named)
    for _ in range(2):
        assert colour(look(questions, keys[1])) == "found"
    assert not [path for path in (tmp_path / "store").rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]


def test_other_keys_get_other_answers(look: Look, keys: tuple[str, str]) -> None:
    opened = look([OPEN], keys[1])
    sealed = look([OPEN])
    assert (opened[0]["objects"][0]["secret"], sealed[0]["objects"][0]["secret"]) == ("opened", "sealed")
    assert look([OPEN], keys[1]) == opened
