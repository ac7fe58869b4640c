"""The build worker for the tests that need the real one."""

from __future__ import annotations

from pathlib import Path

import pytest

from devloop.toolchain import Toolchain


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


@pytest.fixture(autouse=True)
def _no_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders of environments stay below `tmp_path` as a whole, so that no test leaves one in memory."""
    monkeypatch.setattr("devloop.provisioners.embedded.layout.MEMORY", tmp_path / "no-memory")
