"""Imports inside functions hide the graph from the contracts: only those that start-up needs, all of them listed here."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Packages and modules of the standard library that take more than a millisecond, so nobody waits for them until they are used.
SLOW = (
    "certifi",
    "cryptography.x509",
    "ctypes",
    "difflib",
    "docker",
    "psutil",
    "re2",
    "rich.console",
    "sh",
    "tenacity",
    "tomllib",
    "urllib.request",
    "urllib3",
    "yaml",
)

# Modules of devloop -> why they wait, and the modules that import them inside functions. Modules of devloop.cli may defer everything.
DEFERRED: Mapping[str, tuple[str, frozenset[str]]] = {
    "devloop.cli": ("the signal handlers come first", frozenset({"devloop.__main__"})),
    "devloop.clients.remote_fetch": ("only with --allow-remote", frozenset({"devloop.repository.remote_bases"})),
    "devloop.repository.age_keys": ("only for encrypted files", frozenset({"devloop.commands.validate", "devloop.session"})),
    "devloop.lint.run": ("while the worker starts", frozenset({"devloop.commands.validate", "devloop.steps.validation"})),
    "devloop.lint.scope": ("while the worker starts", frozenset({"devloop.commands.validate"})),
    "devloop.lint.selection": ("while the worker starts", frozenset({"devloop.commands.validate"})),
    "devloop.lint.snippets": ("while the worker starts", frozenset({"devloop.commands.validate", "devloop.steps.validation"})),
    "devloop.flux.processes": ("only for processes", frozenset({"devloop.flux"})),
    "devloop.flux.rollout": ("only for containers", frozenset({"devloop.flux"})),
    "devloop.gitserver.process": ("only for processes", frozenset({"devloop.gitserver"})),
    "devloop.gitserver.container": ("only for containers", frozenset({"devloop.gitserver"})),
    "devloop.provisioners.embedded.authority": ("only for new certificates", frozenset({"devloop.provisioners.embedded.pki"})),
    "devloop.toolchain.install": ("only where a tool is missing", frozenset({"devloop.toolchain"})),
    "devloop.clients.go.caches": ("only after a build", frozenset({"devloop.toolchain"})),
    "devloop.toolchain.disk_usage": ("only for `toolchain list`, `toolchain prune` and `doctor`", frozenset({"devloop.toolchain"})),
    "devloop.toolchain.channels": ("only where a tool is missing", frozenset({"devloop.toolchain"})),
}


def deferred() -> Iterator[tuple[str, str]]:
    """Importing module -> imported module, for every import inside a function. The sample's programs are no part of the product."""
    for path in sorted((ROOT / "devloop").rglob("*.py")):
        if "sample" in path.parts:
            continue
        importer = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        functions = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)]
        for node in {found for function in functions for found in ast.walk(function)}:
            if isinstance(node, ast.Import):
                yield from ((importer, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                modules = [f"{node.module}.{alias.name}" for alias in node.names]
                inner = [name for name in modules if _is_module(name)]
                yield from ((importer, name) for name in inner or [str(node.module)])


def _is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or path.is_dir()


def test_an_import_inside_a_function_is_listed_with_its_reason() -> None:
    packages = {name.split(".")[0] for name in SLOW}
    found = {pair for pair in deferred() if not pair[0].startswith("devloop.cli") and pair[1].split(".")[0] not in packages}
    assert found == {(importer, name) for name, (_, importers) in DEFERRED.items() for importer in importers}


def test_every_listed_package_is_deferred_somewhere() -> None:
    assert {name.split(".")[0] for name in SLOW} == {name.split(".")[0] for _, name in deferred() if not name.startswith("devloop")}


@pytest.mark.parametrize("name", SLOW)
def test_a_listed_package_is_slow(name: str) -> None:
    done = subprocess.run([sys.executable, "-X", "importtime", "-c", f"import {name}"], check=True, text=True, capture_output=True)
    took = {line.split("|")[2].strip(): int(line.split("|")[1]) for line in done.stderr.splitlines()[1:]}
    assert took[name] > 1000


def contracts() -> Mapping[str, Mapping[str, object]]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return {contract["name"]: contract for contract in settings["tool"]["importlinter"]["contracts"]}


def test_rules_may_import_values_alone() -> None:
    """The contract lists what is forbidden; nothing new may be missing from it."""
    top = {f"devloop.{path.stem}" for path in (ROOT / "devloop").glob("[!_]*") if path.suffix == ".py" or (path / "__init__.py").is_file()}
    lint = {f"devloop.lint.{path.stem}" for path in (ROOT / "devloop" / "lint").glob("[!_]*") if path.suffix == ".py"}
    values = {"devloop.model", "devloop.errors", "devloop.diagnostic", "devloop.hint", "devloop.lint"}
    assert set(contracts()["Rules know values alone"]["forbidden_modules"]) == (top | lint) - values  # type: ignore[call-overload]


def test_no_contract_leaves_a_package_out() -> None:
    whole = ("One door per outside tool", "One door to the network", "One place that prints")
    assert [contracts()[name]["source_modules"] for name in whole] == [["devloop"]] * 3
    assert contracts()["Imports go one way"]["exhaustive"]
