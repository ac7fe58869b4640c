"""One program out of real archives, sound and broken."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from pathlib import Path

import pytest

from devloop.clients.archives import extract_member
from devloop.clients.http import DownloadFailed, Reason

PROGRAM = os.urandom(20_000)


def packed(folder: Path, kind: str, name: str) -> Path:
    """A program called `name` among other things."""
    archive = folder / f"release.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr("README", "read me")
            file.writestr(name, PROGRAM)
        return archive
    with tarfile.open(archive, "w" if kind == "tar" else "w:gz") as file:
        for member, content in (("README", b"read me"), (name, PROGRAM)):
            info = tarfile.TarInfo(member)
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
        for member, kind_, target in (("link", tarfile.SYMTYPE, "/etc/passwd"), ("folder", tarfile.DIRTYPE, "")):
            info = tarfile.TarInfo(member)
            info.type, info.linkname = kind_, target
            file.addfile(info)
    return archive


@pytest.mark.parametrize("kind", ["tar.gz", "tgz", "tar", "zip"])
@pytest.mark.parametrize("name", ["etcd-v3.6.8-linux-amd64/etcd", "./etcd"])
def test_a_member(tmp_path: Path, kind: str, name: str) -> None:
    archive = packed(tmp_path, kind, name).rename(tmp_path / "without-an-ending")
    extract_member(archive, name.removeprefix("./"), tmp_path / "it")
    assert (tmp_path / "it").read_bytes() == PROGRAM
    assert (tmp_path / "it").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("name", ["../../escaped", "/escaped"])
def test_a_name_cannot_lead_elsewhere(tmp_path: Path, name: str) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    extract_member(packed(tmp_path, "tar.gz", name), name, tmp_path / "a" / "b" / "it")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "b", "it", "release.tar.gz"]


@pytest.mark.parametrize(("kind", "member"), [("tgz", "etcdctl"), ("tgz", "link"), ("tgz", "folder"), ("zip", "etcdctl")])
def test_a_member_that_is_absent_or_no_file(tmp_path: Path, kind: str, member: str) -> None:
    with pytest.raises(DownloadFailed, match=f"the archive release.{kind} has no file {member}") as failed:
        extract_member(packed(tmp_path, kind, "etcd"), member, tmp_path / "it")
    assert failed.value.reason is Reason.UNUSABLE
    assert not (tmp_path / "it").exists()


@pytest.mark.parametrize("kind", ["tgz", "tar", "zip"])
def test_an_archive_that_is_cut_off(tmp_path: Path, kind: str) -> None:
    archive = packed(tmp_path, kind, "etcd")
    archive.write_bytes(archive.read_bytes()[:10_000])
    with pytest.raises(DownloadFailed, match=f"release.{kind}") as failed:
        extract_member(archive, "etcd", tmp_path / "it")
    assert failed.value.reason is Reason.UNUSABLE


def test_something_that_is_no_archive(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<html>sign in</html>")
    with pytest.raises(DownloadFailed, match=r"the archive page\.html is damaged"):
        extract_member(tmp_path / "page.html", "etcd", tmp_path / "it")


def test_a_file_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devloop.clients.archives.LARGEST", len(PROGRAM) - 1)
    with pytest.raises(DownloadFailed) as failed:
        extract_member(packed(tmp_path, "zip", "etcd"), "etcd", tmp_path / "it")
    assert failed.value.reason is Reason.TOO_LARGE
