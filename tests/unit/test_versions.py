"""docs/versions.md: its tables are current, and what it says of version numbers is true."""

from __future__ import annotations

import re
import tomllib
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from devloop import __version__
from devloop.output.json import SCHEMA_VERSION

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = spec_from_file_location("write_versions", ROOT / "scripts/write_versions.py")
    assert spec and spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tables_are_current(script: ModuleType) -> None:
    text = script.PAGE.read_text()
    assert script.page(text) == text, "run scripts/write_versions.py"


def test_another_version_changes_the_table(script: ModuleType) -> None:
    modules = tomllib.loads(script.LOCK.read_text())["modules"]
    jobs = {
        "integration": {"strategy": {"matrix": {"runner": ["ubuntu-24.04"], "python": ["3.11", "3.13"], "provisioner": ["kind"]}}},
        "portable": {"strategy": {"matrix": {"runner": ["macos-15"], "python": ["3.13"]}}},
    }
    jobs["integration"]["strategy"]["matrix"]["include"] = [{"runner": "ubuntu-24.04-arm", "python": "3.13", "provisioner": "kind"}]
    rows = list(script.tested(jobs, modules | {"kind": {"version": "9.9.9"}, "kubernetes": {"version": "1.99.0"}}))
    assert [(row[1], row[2], row[3], row[5]) for row in rows] == [
        ("Linux amd64", "3.11 and 3.13", "1.99.0", "9.9.9"),
        ("Linux arm64", "3.13", "1.99.0", "9.9.9"),
        ("macOS arm64", "3.13", "", ""),
    ]


def test_versions_are_semantic() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?", __version__)
    assert re.fullmatch(r"\d+\.\d+", SCHEMA_VERSION)
