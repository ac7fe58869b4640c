"""Reachability and cycles, compared with what a search from every node finds."""

from __future__ import annotations

import random

import pytest

from devloop.model.flux.reachability import components, cycles, reachable

Edges = dict[int, list[int]]


def made(seed: int) -> Edges:
    chance = random.Random(seed)
    size = chance.randint(1, 9)
    return {node: [chance.randrange(size + 1) for _ in range(chance.randrange(4))] for node in range(size)}


def found_from(edges: Edges, start: int) -> set[int]:
    seen, waiting = set(), [start]
    while waiting:
        node = waiting.pop()
        if node not in seen:
            seen.add(node)
            waiting += edges.get(node, [])
    return seen


@pytest.mark.parametrize("seed", range(60))
def test_it_finds_what_a_search_finds(seed: int) -> None:
    edges = made(seed)
    bits = reachable(edges, {node: 1 << node for node in range(11)})
    for node in edges:
        assert bits[node] == sum(1 << other for other in found_from(edges, node))
    groups = [set(members) for members in components(edges)]
    assert sorted(node for group in groups for node in group) == sorted(edges)
    for group in groups:
        for node in group:
            assert group == {other for other in edges if other in found_from(edges, node) and node in found_from(edges, other)}


@pytest.mark.parametrize("seed", range(60))
def test_every_node_on_a_cycle_is_in_one(seed: int) -> None:
    edges = made(seed)
    found = list(cycles(edges))
    for cycle in found:
        assert all(following in edges[node] for node, following in zip(cycle, (*cycle[1:], cycle[0]), strict=True))
    on_one = {node for node in edges if any(node in found_from(edges, other) for other in edges[node])}
    assert {node for cycle in found for node in cycle} <= on_one
    assert bool(found) == bool(on_one)


def test_a_chain_longer_than_the_stack() -> None:
    edges = {node: [node + 1] for node in range(20_000)}
    assert reachable(edges, {20_000: 1})[0] == 1
    assert list(cycles({**edges, 20_000: [0]})) == [tuple(range(20_001))]
