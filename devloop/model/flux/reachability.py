"""What each node of a directed graph reaches, and its cycles, in time linear in the edges. Pure.

Iterative, because chains of dependencies are longer than Python's stack.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import TypeVar

T = TypeVar("T", bound=Hashable)


def reachable(edges: Mapping[T, Sequence[T]], own: Mapping[T, int]) -> dict[T, int]:
    """For each node of `edges` its bits in `own`, and those of all nodes that it reaches."""
    result: dict[T, int] = {}
    for members in components(edges):
        bits = 0
        for member in members:
            bits |= own.get(member, 0)
            for other in edges.get(member, ()):
                bits |= result.get(other, own.get(other, 0) if other not in edges else 0)
        result.update(dict.fromkeys(members, bits))
    return result


def components(edges: Mapping[T, Sequence[T]]) -> Iterator[list[T]]:
    """The strongly connected components of the nodes of `edges`; each comes after all that it reaches (Tarjan's algorithm)."""
    number: dict[T, int] = {}
    lowest: dict[T, int] = {}
    open_nodes: list[T] = []
    is_open: set[T] = set()
    for start in edges:
        trail: list[tuple[T, Iterator[T]]] = [] if start in number else [(start, iter(edges[start]))]
        while trail:
            node, following = trail[-1]
            if node not in number:
                number[node] = lowest[node] = len(number)
                open_nodes.append(node)
                is_open.add(node)
            for other in following:
                if other in edges and other not in number:
                    trail.append((other, iter(edges[other])))
                    break
                if other in is_open:
                    lowest[node] = min(lowest[node], number[other])
            else:
                trail.pop()
                if trail:
                    parent = trail[-1][0]
                    lowest[parent] = min(lowest[parent], lowest[node])
                if lowest[node] == number[node]:
                    members: list[T] = []
                    while not members or members[-1] != node:
                        members.append(open_nodes.pop())
                    is_open.difference_update(members)
                    yield members


def cycles(edges: Mapping[T, Sequence[T]]) -> Iterator[tuple[T, ...]]:
    """A cycle for each edge back to a node on the way to it; every node on a cycle is in one of them."""
    done: set[T] = set()
    for start in edges:
        trail: list[tuple[T, Iterator[T]]] = [] if start in done else [(start, iter(edges[start]))]
        place = {start: 0}
        while trail:
            node, following = trail[-1]
            for other in following:
                if other in place:
                    yield tuple(each for each, _ in trail[place[other] :])
                elif other in edges and other not in done:
                    place[other] = len(trail)
                    trail.append((other, iter(edges[other])))
                    break
            else:
                trail.pop()
                del place[node]
                done.add(node)
