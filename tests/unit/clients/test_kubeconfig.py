"""The user's kubeconfig: our entry goes in and out, everything else stays."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from devloop.clients.kubeconfig import merge, remove, user_kubeconfig
from devloop.errors import DevloopError


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever contexts the user of this machine has, they choose nothing here."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("KUBECONFIG", raising=False)


OTHERS = """\
apiVersion: v1
kind: Config
preferences: {colors: true}
extensions: [{name: tool, extension: {pinned: [1, 2]}}]
clusters:
- name: work
  cluster: {server: 'https://work.example:6443', insecure-skip-tls-verify: true, extensions: [{name: x, extension: {share: 0.5}}]}
users:
- name: work
  user: {token: '0123', exec: {apiVersion: client.authentication.k8s.io/v1, command: login, args: ['--yes', 'no']}}
contexts:
- name: work
  context: {cluster: work, user: work, namespace: team}
current-context: work
"""


def entry(name: str = "devloop-local", server: str = "https://127.0.0.1:6443") -> dict[str, Any]:
    return {
        "clusters": [{"name": name, "cluster": {"server": server}}],
        "users": [{"name": name, "user": {"client-key-data": "a2V5"}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
    }


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config"


def names(path: Path, section: str = "contexts") -> list[str]:
    return [item["name"] for item in load(path)[section]]


def test_a_new_file_is_for_this_user_alone_and_chooses_our_context(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "folder" / "config"
    assert merge(entry(), path)
    assert mode(path) == 0o600
    assert load(path) == {"apiVersion": "v1", "kind": "Config", **entry(), "current-context": "devloop-local"}
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing yet\n",
        "apiVersion: v1\nkind: Config\n",
        "clusters: null\nusers: ~\ncontexts:\ncurrent-context: null\n",
        '{"apiVersion": "v1", "kind": "Config", "clusters": [], "current-context": ""}',
    ],
)
def test_a_file_may_have_no_entries_yet(path: Path, text: str) -> None:
    path.write_text(text)
    assert merge(entry(), path)
    assert names(path, "clusters") == names(path, "users") == names(path) == [load(path)["current-context"]] == ["devloop-local"]


def test_json_stays_json(path: Path) -> None:
    path.write_text('{"contexts": [{"name": "work", "context": {}}], "current-context": "work"}')
    merge(entry(), path)
    assert path.read_text().startswith("{")
    assert names(path) == ["work", "devloop-local"]


def test_other_entries_and_unknown_keys_stay(path: Path) -> None:
    path.write_text(OTHERS)
    assert merge(entry(), path)
    before, after = yaml.safe_load(OTHERS), load(path)
    for section in ("clusters", "users", "contexts"):
        assert after[section] == [*before[section], *entry()[section]]
    assert {key: after[key] for key in ("preferences", "extensions", "current-context")} == {
        key: before[key] for key in ("preferences", "extensions", "current-context")
    }
    assert remove("devloop-local", path)
    assert load(path) == before


@pytest.mark.parametrize("written", ["0123", "1e3", "2026-02-01", "2026-99-99", "~", "yes", "'quoted'", "!tool x", "ünï", "a" * 3000])
def test_what_others_wrote_is_written_the_same(path: Path, written: str) -> None:
    path.write_text(f"users:\n- name: work\n  user:\n    token: {written}\n")
    merge(entry(), path)
    assert f"    token: {written}\n" in path.read_text()


def test_twice_the_same_changes_nothing(path: Path) -> None:
    path.write_text(OTHERS)
    merge(entry(), path)
    before = path.stat()
    assert not merge(entry(), path)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_our_entry_keeps_its_place_among_later_ones(path: Path) -> None:
    for name in ("devloop-a", "devloop-b"):
        merge(entry(name), path)
    assert not merge(entry("devloop-a"), path)
    assert merge(entry("devloop-a", "https://127.0.0.1:7443"), path)
    assert names(path, "clusters") == ["devloop-a", "devloop-b"]
    assert load(path)["clusters"][0]["cluster"]["server"] == "https://127.0.0.1:7443"


def test_the_current_context_goes_with_its_entry(path: Path) -> None:
    merge(entry("devloop-a"), path)
    merge(entry("devloop-b"), path)
    assert load(path)["current-context"] == "devloop-a"
    assert remove("devloop-a", path)
    assert load(path)["current-context"] == ""
    assert names(path) == ["devloop-b"]


def test_a_file_that_held_nothing_else_is_removed(path: Path) -> None:
    merge(entry(), path)
    assert remove("devloop-local", path)
    assert list(path.parent.iterdir()) == []
    assert not remove("devloop-local", path)


def test_a_file_with_settings_alone_stays(path: Path) -> None:
    path.write_text("preferences: {colors: true}\n")
    merge(entry(), path)
    assert remove("devloop-local", path)
    assert load(path)["preferences"] == {"colors": True}


def test_what_was_never_there_is_not_removed(path: Path) -> None:
    path.write_text(OTHERS)
    assert not remove("devloop-local", path)
    assert path.read_text() == OTHERS
    assert not remove("devloop-local", path.parent / "no" / "config")
    assert not (path.parent / "no").exists()


@pytest.mark.parametrize("bits", [0o600, 0o640, 0o644])
def test_the_mode_stays(path: Path, bits: int) -> None:
    path.write_text(OTHERS)
    path.chmod(bits)
    merge(entry(), path)
    assert mode(path) == bits


def test_a_link_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "dotfiles").mkdir()
    target, link = tmp_path / "dotfiles" / "kubeconfig", tmp_path / "config"
    target.write_text(OTHERS)
    link.symlink_to(target)
    monkeypatch.setenv("KUBECONFIG", str(link))
    merge(entry(), user_kubeconfig())
    assert link.is_symlink()
    assert names(target) == ["work", "devloop-local"]


@pytest.mark.parametrize("value", ["{0}/a", "{0}/a:{0}/b", ":{0}/a:", "~/a"])
def test_the_first_file_of_the_variable_is_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KUBECONFIG", value.format(tmp_path))
    assert user_kubeconfig() == (tmp_path / "a").resolve()


def test_without_the_variable_it_is_the_one_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KUBECONFIG", "")
    assert user_kubeconfig() == (tmp_path / ".kube" / "config").resolve()


def test_a_context_chosen_in_another_file_stays_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """kubectl takes the first current context of all files of the variable."""
    ours, other = tmp_path / "a", tmp_path / "b"
    other.write_text(OTHERS)
    monkeypatch.setenv("KUBECONFIG", f"{ours}:{other}:{tmp_path / 'missing'}")
    merge(entry(), user_kubeconfig())
    assert not load(ours).get("current-context")
    assert other.read_text() == OTHERS


def test_a_read_only_file_is_left_alone(path: Path) -> None:
    path.write_text(OTHERS)
    path.chmod(0o400)
    with pytest.raises(DevloopError, match="is read-only") as caught:
        merge(entry(), path)
    assert str(caught.value.hint).startswith(f"chmod u+w {path}")
    assert path.read_text() == OTHERS
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("clusters: []\nusers: [\n", r"config:3 is not valid YAML"),
        ("a: 1\n\tb: 2\n", r"config:2 is not valid YAML"),
        ("- a\n- b\n", "is not a kubeconfig"),
        ("clusters: {a: 1}\n", "is not a kubeconfig"),
        ("contexts: [work]\n", "is not a kubeconfig"),
        ("just text\n", "is not a kubeconfig"),
        ("users: [[name, work]]\n", "is not a kubeconfig"),
        ("a: 1\n---\nb: 2\n", r"config:2 is not valid YAML"),
    ],
)
def test_a_broken_file_is_never_overwritten(path: Path, text: str, message: str) -> None:
    path.write_text(text)
    for change in (lambda: merge(entry(), path), lambda: remove("devloop-local", path)):
        with pytest.raises(DevloopError, match=message) as caught:
            change()
        assert str(caught.value.hint)
        assert path.read_text() == text


def test_bytes_that_are_no_text_are_left_alone(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DevloopError, match="cannot read the kubeconfig"):
        merge(entry(), path)
    assert path.read_bytes() == b"\xff\xfe\x00"


def test_a_folder_in_its_place_is_an_error(path: Path) -> None:
    path.mkdir()
    with pytest.raises(DevloopError, match="cannot read the kubeconfig"):
        merge(entry(), path)


def test_a_file_in_place_of_its_folder_is_an_error(path: Path) -> None:
    path.write_text("")
    with pytest.raises(DevloopError, match="cannot use the folder of the kubeconfig"):
        merge(entry(), path / "config")


CONCURRENT = """
import sys, pathlib
sys.path.insert(0, {tests!r})
from devloop.clients.kubeconfig import merge, remove
from test_kubeconfig import entry
path = pathlib.Path({path!r})
for number in range(5):
    merge(entry(f"{{sys.argv[1]}}-{{number}}"), path)
remove(f"{{sys.argv[1]}}-0", path)
"""


def test_writers_at_the_same_time_lose_nothing(path: Path) -> None:
    path.write_text(OTHERS)
    code = CONCURRENT.format(tests=str(Path(__file__).parent), path=str(path))
    writers = [subprocess.Popen([sys.executable, "-c", code, f"devloop-{number}"]) for number in range(4)]
    assert [writer.wait() for writer in writers] == [0] * 4
    expected = {"work", *(f"devloop-{writer}-{number}" for writer in range(4) for number in range(1, 5))}
    assert set(names(path)) == set(names(path, "users")) == expected
    assert list(path.parent.iterdir()) == [path]
