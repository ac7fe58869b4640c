"""Wheels with the worker inside: built with the real pip, installed from a folder, used without Go."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from devloop.toolchain.lock import this_platform

from .conftest import User, copy_of_the_working_tree, without_go

# Prints what the lock needs and the package lacks.
MISSING = """
from devloop.toolchain.lock import load_lock
from devloop.toolchain.packaged import packaged_data, packaged_program
tools = load_lock()
print([name for name in ("worker",) if not packaged_program(tools[name])])
print([(tool.name, kind) for tool in tools.values() for kind in (*tool.files, *tool.borrowed) if not packaged_data(tool, kind)])
"""


def build(folder: Path, env: dict[str, str]) -> Path:
    """The wheel of a copy of the working tree."""
    copy_of_the_working_tree(folder / "source")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder / "dist", folder / "source"]
    done = subprocess.run(
        [str(part) for part in command], env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600
    )
    assert done.returncode == 0, done.stdout
    [wheel] = (folder / "dist").iterdir()
    return wheel


@pytest.fixture(scope="module")
def wheel(package_index: Path) -> Path:
    [found] = package_index.glob("devloop-*.whl")
    return found


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, package_index: Path) -> Path:
    """The folder of programs of an environment into which pip installed the wheel."""
    environment = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    pip = [environment / "bin" / "pip", "install", "--quiet", "--no-index", "--find-links", package_index, "devloop"]
    subprocess.run([str(part) for part in pip], check=True)
    return environment / "bin"


def test_the_wheel_is_for_its_platform_and_small(wheel: Path) -> None:
    assert "-py3-none-manylinux_2_17_" in wheel.name
    assert wheel.stat().st_size <= 45_000_000


def test_the_package_has_all_that_the_lock_takes_from_modules(installed: Path, package_index: Path, user: User) -> None:
    command = [installed / "python", "-c", MISSING]
    done = subprocess.run(command, cwd=user.home, env=without_go(user.env, package_index, user.home), text=True, capture_output=True)
    assert done.stdout.split("\n") == ["[]", "[]", ""], done.stderr


def test_the_sample_is_validated_without_go(installed: Path, package_index: Path, user: User) -> None:
    repository = user.init()
    command = [installed / "devloop", "-C", repository, "validate"]
    env = without_go(user.env, package_index, user.home)
    done = subprocess.run(command, cwd=user.home, env=env, text=True, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not (user.home / "compiled").exists()


@pytest.mark.nightly
def test_a_second_build_gives_the_same_bytes(wheel: Path, user: User) -> None:
    second = build(user.home, user.env | {"DEVLOOP_WHEEL_PLATFORM": this_platform()})
    assert (second.name, second.read_bytes()) == (wheel.name, wheel.read_bytes())


def test_without_go_the_wheel_has_no_worker(package_index: Path, user: User) -> None:
    wheel = build(user.home, without_go(user.env, package_index, user.home))
    assert "-py3-none-any" in wheel.name
    assert wheel.stat().st_size < 5_000_000


REFUSALS = {"plan9-mips": "plan9-mips is none of linux-amd64, ", this_platform(): "module lookup disabled"}


@pytest.mark.parametrize("platform", REFUSALS)
def test_a_chosen_platform_is_built_or_refused(package_index: Path, user: User, platform: str) -> None:
    with pytest.raises(AssertionError, match=REFUSALS[platform]):
        build(user.home, without_go(user.env, package_index, user.home) | {"DEVLOOP_WHEEL_PLATFORM": platform})
