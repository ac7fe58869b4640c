"""Recipes, keys, layers and archives: what needs neither an engine nor Debian."""

from __future__ import annotations

import functools
import hashlib
import io
import json
import tarfile
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from devloop.errors import InputError
from devloop.images import Images, archive, control_plane, image_builder, packages, recipes
from devloop.images.archive import Contents, Entry, folder, link, program, write_archive, write_layer
from devloop.images.layout import write_metadata
from devloop.images.recipes import RECIPES, Recipe
from devloop.toolchain import Toolchain

TOOLCHAIN = Toolchain()


def layer(*entries: Entry) -> list[tarfile.TarInfo]:
    file = io.BytesIO()
    write_layer(entries, file)
    file.seek(0)
    with tarfile.open(fileobj=file) as tar:
        return tar.getmembers()


def test_a_layer_has_the_folders_of_its_files_once_and_before_them() -> None:
    members = layer(Entry("a/b/c", b"x"), folder("a"), Entry("a/b/d", b"y"), link("a/e", "b/c"))
    assert [member.name for member in members] == ["a", "a/b", "a/b/c", "a/b/d", "a/e"]
    assert members[-1].linkname == "b/c"
    assert {(member.mtime, member.uid, member.uname) for member in members} == {(0, 0, "")}


def test_a_named_folder_keeps_its_mode() -> None:
    assert [oct(member.mode) for member in layer(folder("tmp", 0o1777), Entry("tmp/x"))] == ["0o1777", "0o644"]


def test_two_entries_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two entries for a/x"):
        layer(Entry("a/x", b"1"), Entry("a/x", b"2"))


def test_content_comes_from_bytes_files_and_other_archives(tmp_path: Path) -> None:
    (tmp_path / "here").write_bytes(b"from a file")
    source = io.BytesIO()
    write_layer((Entry("there", b"from an archive"),), source)
    source.seek(0)
    with tarfile.open(fileobj=source) as other:
        target = io.BytesIO()
        write_layer((Entry("1", b"bytes"), program("2", tmp_path / "here"), Entry("3", (other, other.getmember("there")))), target)
    target.seek(0)
    with tarfile.open(fileobj=target) as tar:
        assert [tar.extractfile(member).read() for member in tar] == [b"bytes", b"from a file", b"from an archive"]  # type: ignore[union-attr]
        assert tar.getmember("2").mode == 0o755


def test_a_deeper_hard_link_takes_its_target_along_and_a_symbolic_one_does_not() -> None:
    hard = Entry("bin/b", kind=tarfile.LNKTYPE, target="bin/a").under("kind/layers/x")
    assert (hard.path, hard.target) == ("kind/layers/x/bin/b", "kind/layers/x/bin/a")
    assert link("bin/b", "/bin/a").under("kind/layers/x").target == "/bin/a"


def archived(contents: Contents, labels: dict[str, str]) -> dict[str, bytes]:
    file = io.BytesIO()
    write_archive(file, "localhost/x:1", contents, labels)
    file.seek(0)
    with tarfile.open(fileobj=file) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]


def test_an_archive_holds_what_its_manifest_and_configuration_promise() -> None:
    contents = Contents((Entry("a", b"x" * 5000), folder("tmp")), {"User": "65532", "Entrypoint": ["/a"]})
    members = archived(contents, {"devloop.dev/key": "k"})
    (manifest,) = json.loads(members["manifest.json"])
    assert (manifest["RepoTags"], manifest["Layers"]) == (["localhost/x:1"], ["layer.tar"])
    config = json.loads(members[manifest["Config"]])
    assert config["config"] == {"User": "65532", "Entrypoint": ["/a"], "Labels": {"devloop.dev/key": "k"}}
    assert config["rootfs"]["diff_ids"] == ["sha256:" + hashlib.sha256(members["layer.tar"]).hexdigest()]
    with tarfile.open(fileobj=io.BytesIO(members["layer.tar"])) as tar:
        assert tar.getnames() == ["a", "tmp"]
    assert manifest["Config"] == hashlib.sha256(members[manifest["Config"]]).hexdigest() + ".json"


def test_the_same_input_gives_the_same_image() -> None:
    contents = Contents((Entry("a", b"x"),), {})
    assert archived(contents, {}) == archived(contents, {})
    assert archived(contents, {}).keys() != archived(contents, {"a": "b"}).keys()


def test_metadata_describes_images_without_their_layers() -> None:
    file = io.BytesIO()
    contents = Contents((Entry("pause", b"program"),), {"Entrypoint": ["/pause"]})
    (unpacked,) = write_metadata(file, {"pause": ("registry.k8s.io/pause:1", contents, {})})
    file.seek(0)
    with tarfile.open(fileobj=file) as tar:
        blobs = {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]
    (entry,) = json.loads(blobs["index.json"])["manifests"]
    assert entry["annotations"] == {"io.containerd.image.name": "registry.k8s.io/pause:1"}
    manifest = json.loads(blobs[f"blobs/sha256/{entry['digest'].removeprefix('sha256:')}"])
    assert manifest["config"]["digest"] == unpacked.config
    assert manifest["layers"][0]["digest"] == unpacked.layer == write_layer(contents.entries)
    assert json.loads(blobs[f"blobs/sha256/{unpacked.config.removeprefix('sha256:')}"])["rootfs"]["diff_ids"] == [unpacked.layer]


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_every_recipe_names_what_exists(recipe: Recipe) -> None:
    assert recipe.reference(TOOLCHAIN).startswith(f"localhost/devloop/{recipe.name}:")
    assert all(TOOLCHAIN.key(name) for name in recipe.tools)
    assert all(image_builder.own_paths(name) for name in recipe.folders)
    assert recipe.key(TOOLCHAIN) == recipe.key(TOOLCHAIN)


def test_references_carry_the_pinned_versions() -> None:
    assert RECIPES["node"].reference(TOOLCHAIN) == f"localhost/devloop/node:v{TOOLCHAIN.version('kubelet')}"
    assert (
        RECIPES["source-controller"].reference(TOOLCHAIN)
        == f"localhost/devloop/source-controller:v{TOOLCHAIN.version('source-controller')}"
    )
    assert RECIPES["sample"].reference(TOOLCHAIN) == "localhost/devloop/sample:0.1.0"


def test_a_key_changes_with_a_file_a_tool_and_a_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("archive", "image_builder", "mine"):
        (tmp_path / f"{name}.py").write_text(name)
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "unit").write_text("1")
    monkeypatch.setattr(image_builder, "HERE", tmp_path)
    monkeypatch.setattr(recipes, "HERE", tmp_path)

    def key(tools: tuple[str, ...] = ("etcd",), names: tuple[str, ...] = ("git",)) -> str:
        recipe = Recipe("x", RECIPES["sample"].contents, tools, (names,), ("files",), ("mine",), tag="1")
        return recipe.key(TOOLCHAIN)

    keys = [key(), key(tools=()), key(names=("bash",))]
    (tmp_path / "files" / "unit").write_text("2")
    keys.append(key())
    (tmp_path / "mine.py").write_text("changed")
    keys.append(key())
    (tmp_path / "other.py").write_text("of another image")
    assert len({*keys}) == len(keys)
    assert key() == keys[-1]


def test_an_unknown_image_is_the_users_mistake() -> None:
    with pytest.raises(InputError, match="no image nod"):
        Images(TOOLCHAIN, SimpleNamespace(client=None)).reference("nod")  # type: ignore[arg-type]


def test_own_scripts_are_executable_and_the_rest_is_not() -> None:
    modes = {entry.path: entry.mode for entry in image_builder.own_files("node")}
    assert modes["usr/local/bin/entrypoint"] == 0o755
    assert modes["etc/systemd/system/kubelet.service"] == 0o644
    assert not any(path.endswith(".pyc") for path in modes)


def test_control_plane_images_are_named_as_kubeadm_expects() -> None:
    assert control_plane.references("1.36.4") == {
        "kube-apiserver": "registry.k8s.io/kube-apiserver:v1.36.4",
        "kube-controller-manager": "registry.k8s.io/kube-controller-manager:v1.36.4",
        "kube-scheduler": "registry.k8s.io/kube-scheduler:v1.36.4",
        "kube-proxy": "registry.k8s.io/kube-proxy:v1.36.4",
        "coredns": "registry.k8s.io/coredns/coredns:v1.14.2",
        "pause": "registry.k8s.io/pause:3.10.2",
        "etcd": "registry.k8s.io/etcd:3.6.8-0",
    }
    assert set(control_plane.references("1.36.4")) == {*control_plane.TOOLS, "pause"}


def test_packages_are_fetched_once_and_kept_by_what_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[tuple[str, ...]] = []

    def unpack(names: tuple[str, ...], target: Path, stop: threading.Event) -> None:
        fetched.append(names)
        write = io.BytesIO()
        archive.write_layer((Entry("usr/bin/git", b"git"), Entry("usr/share/doc/git/README", b"long")), write)
        target.write_bytes(write.getvalue())

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(packages, "unpack", unpack)
    tools = image_builder.ImageBuilder(TOOLCHAIN, threading.Event())
    for _ in range(2):
        with tools.debian(("git",)) as entries:
            assert [(entry.path, image_builder.read(entry)) for entry in entries if entry.kind == tarfile.REGTYPE] == [
                ("usr/bin/git", b"git")
            ]
    assert fetched == [("git",)]
    assert packages.packages_file(("a", "b")) == packages.packages_file(("b", "a")) != packages.packages_file(("a",))


def test_a_fetch_that_fails_leaves_nothing_that_looks_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unpack(names: tuple[str, ...], target: Path, stop: threading.Event) -> None:
        target.write_bytes(b"half")
        raise InputError("no network")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(packages, "unpack", unpack)
    with pytest.raises(InputError):
        packages.ensure_packages(("git",), threading.Event(), lambda: None)
    assert [path.name for path in (tmp_path / "devloop/debian").iterdir()] == []


def test_threads_that_want_the_same_packages_fetch_them_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[Path] = []
    begun, go = threading.Event(), threading.Event()

    def unpack(names: tuple[str, ...], target: Path, stop: threading.Event) -> None:
        begun.set()
        go.wait(10)
        fetched.append(target)
        target.write_bytes(b"whole")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(packages, "unpack", unpack)
    run = functools.partial(packages.ensure_packages, ("git",), threading.Event(), lambda: None)
    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert begun.wait(10)
    go.set()
    for thread in threads:
        thread.join(10)
    assert len(fetched) == 1
    assert run().read_bytes() == b"whole"
