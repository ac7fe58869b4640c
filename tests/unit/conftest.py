"""The build worker for the tests that need the real one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from devloop.toolchain import Toolchain


@pytest.fixture(autouse=True, scope="session")
def _keep_build_caches() -> Iterator[None]:
    """Tests that build leave the user's caches alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEVLOOP_KEEP_BUILD_CACHE", "true")
        yield


@pytest.fixture(scope="session")
def worker_program() -> Path:
    """Built by the toolchain the first time, then found in its cache."""
    toolchain = Toolchain()
    toolchain.ensure(["worker"], lambda event: None)
    return toolchain.path("worker")


@pytest.fixture(scope="session")
def sops_program() -> Path:
    """SOPS itself, to encrypt with."""
    toolchain = Toolchain()
    toolchain.ensure(["sops"], lambda event: None)
    return toolchain.path("sops")


@pytest.fixture(scope="session")
def registry_program() -> Path:
    """A real registry, CNCF Distribution."""
    toolchain = Toolchain()
    toolchain.ensure(["registry"], lambda event: None)
    return toolchain.path("registry")


@pytest.fixture(autouse=True, scope="session")
def _no_memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Folders of environments stay below the tests' own as a whole, so that none is left in memory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("devloop.runtime.layout.MEMORY", tmp_path_factory.getbasetemp() / "no-memory")
        yield
