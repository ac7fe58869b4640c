"""The folder and the context of an embedded environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from devloop.runtime.components import ComponentContext
from devloop.runtime.layout import Layout
from devloop.runtime.ports import ensure_ports, ports

from .components import Tools, definition


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    result = Layout(tmp_path / "demo")
    result.make()
    return result


@pytest.fixture
def context(layout: Layout) -> ComponentContext:
    ensure_ports(layout)
    return ComponentContext(layout, definition(), Tools(), ports(layout))
