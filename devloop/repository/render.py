"""Has the build worker build Kustomizations, and opens what that takes."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from devloop.clients.worker import Worker
from devloop.clients.xdg import remote_folder, renderings_folder
from devloop.model.report import Emit
from devloop.repository.builds import Build, Rendering, read_answer, remote_names
from devloop.toolchain import Toolchain

if TYPE_CHECKING:
    from devloop.clients.remote_fetch import Fetcher


def open_worker(root: Path, keys: Callable[[], str], emit: Emit, *, show_secrets: bool = False) -> Worker:
    """A worker for the repository at `root`, installed first where it is missing; `keys` gives the text of the Age identities."""
    toolchain = Toolchain()
    toolchain.ensure(("worker",), emit)
    return Worker(toolchain.path("worker"), root, keys, show_secrets=show_secrets, store=renderings_folder())


@contextlib.contextmanager
def open_fetcher(*, allowed: bool, stop: threading.Event | None = None) -> Iterator[Fetcher | None]:
    """What gets remote bases, None where that is not `allowed`; `stop` ends it."""
    if not allowed:
        yield None
        return
    from devloop.clients.remote_fetch import Fetcher

    with contextlib.closing(Fetcher(remote_folder(), stop)) as fetcher:
        yield fetcher


def render(worker: Worker, scope: str, base: str, builds: Sequence[Build], fetcher: Fetcher | None = None) -> list[Rendering]:
    """Build side by side; `base` is the folder that paths count from. The renderings come in the order of `builds`.

    What is remote is left out, or got by `fetcher`.
    """
    answers = worker.ask_all([build.question(scope, base) for build in builds])
    if fetcher and any(map(remote_names, answers)):
        from devloop.repository.remote_bases import resolve_remotes

        return resolve_remotes(builds, answers, lambda again: worker.ask_all([build.question(scope, base) for build in again]), fetcher)
    return [read_answer(answer) for answer in answers]
