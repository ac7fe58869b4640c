"""The ports of an embedded environment."""

from __future__ import annotations

import pytest

from devloop.clients import private_files
from devloop.clients.ports import free_ports, is_free
from devloop.runtime.layout import Layout
from devloop.runtime.ports import PORTS, ensure_ports, move_ports, ports


def test_free_ports_are_kept_and_used_ones_replaced(layout: Layout) -> None:
    import socket

    ensure_ports(layout)
    first = ports(layout)
    ensure_ports(layout)
    assert ports(layout) == first
    with socket.create_server(("127.0.0.1", first["git-server"])):
        assert not is_free(first["git-server"])
        ensure_ports(layout)
    assert {name for name, port in ports(layout).items() if port != first[name]} == {"git-server"}


def test_only_the_ports_of_the_named_components_move(layout: Layout) -> None:
    ensure_ports(layout)
    first = ports(layout)
    move_ports(layout, ("source-controller", "etcd"))
    moved = {name for name, port in ports(layout).items() if port != first[name]}
    assert moved == {"source-controller-artifacts", "source-controller-health"}


def test_free_ports_are_unique_and_unused() -> None:
    found = free_ports(20)
    assert len(set(found)) == 20
    assert all(is_free(port) for port in found)


@pytest.mark.parametrize("content", ["", "[]", "{", '"text"'])
def test_an_invalid_file_is_ignored(layout: Layout, content: str) -> None:
    (layout.folder / "ports.json").write_text(content)
    assert private_files.read_json(layout.folder / "ports.json") == {}
    ensure_ports(layout)
    assert set(ports(layout)) == set(PORTS)
