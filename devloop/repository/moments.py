"""Whether files are still those that a graph was built from."""

import posixpath
import time
from collections.abc import Iterator
from pathlib import Path

from devloop.model.flux.graph import Graph, Moment

COARSE = 0.02  # seconds by which the time of a file may be late: the kernel takes it from its last tick, at most 10 ms ago
DRIFT = 0.01  # seconds by which a clock that nobody set differs from another


def now() -> Moment:
    return Moment(time.time(), time.monotonic())


def is_built_from(graph: Graph, root: Path) -> bool:
    """Whether nothing that the graph was built from has changed since, by the times that the file system notes (ctime, nobody sets it).

    A file that appears or goes changes its folder.
    """
    if graph.read_at is None or abs((time.time() - graph.read_at.wall) - (time.monotonic() - graph.read_at.steady)) > DRIFT:
        return False
    latest = graph.read_at.wall - COARSE
    try:
        return all((root / path).lstat().st_ctime < latest for path in _paths(graph))
    except OSError:
        return False


def _paths(graph: Graph) -> Iterator[str]:
    """The files, and every folder on the way to them."""
    seen: set[str] = set()
    pending = [path for node in graph for path in (*node.files, node.directory)]
    while pending:
        path = posixpath.normpath(pending.pop() or ".")
        if path not in seen:
            seen.add(path)
            yield path
            pending.append(posixpath.dirname(path))
