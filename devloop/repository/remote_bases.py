"""Builds Kustomizations; with a fetcher, also fetches the remote bases that they need and builds again until nothing is missing."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from devloop.clients import worker_protocol as protocol
from devloop.clients.worker import Worker
from devloop.clients.xdg import remote_folder
from devloop.errors import DevloopError
from devloop.model.flux.graph import Failure, FailureKind
from devloop.repository.builds import Build, Rendering, read_answer, remote_names

if TYPE_CHECKING:
    from devloop.clients.remote_fetch import Fetcher

# How many remote bases may lead from one to the next.
_DEPTH = 16


@contextlib.contextmanager
def open_fetcher(*, allowed: bool, stop: threading.Event | None = None) -> Iterator[Fetcher | None]:
    """Fetches remote bases until `stop` is set; None unless `allowed`."""
    if not allowed:
        yield None
        return
    from devloop.clients.remote_fetch import Fetcher

    with contextlib.closing(Fetcher(remote_folder(), stop)) as fetcher:
        yield fetcher


def build_all(worker: Worker, scope: str, base: str, builds: Sequence[Build], fetcher: Fetcher | None = None) -> list[Rendering]:
    """The renderings of `builds`, made in parallel, with paths relative to `base`; remote bases are skipped without a `fetcher`."""
    renderings: dict[int, Rendering] = {}
    pending = dict(enumerate(builds))
    for level in range(_DEPTH + 1):
        answers = dict(zip(pending, worker.ask_all([build.question(scope, base) for build in pending.values()]), strict=True))
        renderings |= {index: _rendering(pending[index], answer) for index, answer in answers.items()}
        remote = {index: names for index, answer in answers.items() if (names := remote_names(answer))}
        if not fetcher or not remote or level == _DEPTH:
            break
        pending = _with_remotes(pending, remote, renderings, fetcher)
    return [renderings[index] for index in range(len(builds))]


def _rendering(build: Build, answer: protocol.Answer) -> Rendering:
    """What comes from remote bases may differ at the same revision."""
    rendering = read_answer(answer)
    return replace(rendering, fingerprint="") if build.remotes or rendering.remote else rendering


def _with_remotes(
    builds: Mapping[int, Build], remote: Mapping[int, Sequence[protocol.RemoteName]], renderings: dict[int, Rendering], fetcher: Fetcher
) -> dict[int, Build]:
    """The builds whose remote bases were fetched, with those; the other renderings fail."""
    from devloop.clients.remote_fetch import Fetched, RemoteName

    named = {index: [RemoteName(**name) for name in names] for index, names in remote.items()}
    fetched = fetcher.fetch(name for names in named.values() for name in names)
    again: dict[int, Build] = {}
    for index, names in named.items():
        results = [(name, fetched[name.name]) for name in names]
        errors = [
            Failure(FailureKind.FETCH, each.message, each.hint, name.path, name.line)
            for name, each in results
            if isinstance(each, DevloopError)
        ]
        if errors:
            renderings[index] = replace(renderings[index], manifests=(), failure=errors[0])
        else:
            folders: dict[str, protocol.Fetched] = {
                name.name: {"folder": str(each.folder), "path": each.path} for name, each in results if isinstance(each, Fetched)
            }
            again[index] = replace(builds[index], remotes={**(builds[index].remotes or {}), **folders})
    return again
