"""Checks that pip finds a wheel of every dependency on every promised platform and Python, without installing anything.

For the release workflow. Exit code 1 when a wheel is missing.
"""

from __future__ import annotations

import itertools
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
# pip wants every tag that the platform accepts: here those of glibc 2.28, from 2018, and older.
GLIBC = (*(f"manylinux_2_{minor}" for minor in range(28, 4, -1)), "manylinux2014", "manylinux2010", "manylinux1")
PLATFORMS = {
    "linux-amd64": [f"{glibc}_x86_64" for glibc in GLIBC],
    "linux-arm64": [f"{glibc}_aarch64" for glibc in GLIBC],
    "darwin-amd64": ["macosx_13_0_x86_64"],
    "darwin-arm64": ["macosx_13_0_arm64"],
}


def dependencies() -> list[str]:
    content = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return list(content["project"]["dependencies"])


def check(platform: str, python: str) -> str:
    """The last line of pip's complaint; empty if it finds all wheels."""
    tags = [f"--platform={tag}" for tag in PLATFORMS[platform]]
    with tempfile.TemporaryDirectory() as target:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed", "--only-binary=:all:"]
        command = [*pip, "--target", target, "--python-version", python, "--implementation=cp", *tags, *dependencies()]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.stdout.strip().rpartition("\n")[2] if done.returncode else ""


def main() -> int:
    status = 0
    for platform, python in itertools.product(PLATFORMS, PYTHONS):
        problem = check(platform, python)
        print(f"{platform:<14}{python:<6}{problem or 'ok'}", flush=True)
        status |= bool(problem)
    return status


if __name__ == "__main__":
    sys.exit(main())
