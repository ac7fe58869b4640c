"""`devloop watch`: a run after every edit, in an environment that is up, with connections and programs kept ready."""

from __future__ import annotations

import queue
import signal
import threading
import time
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from devloop.clients.file_changes import INDEX, changes
from devloop.clients.lock import exclusive, in_turn
from devloop.clients.signals import handle_signals
from devloop.commands.request import Request, lock_file, open_session, redacted, report
from devloop.commands.sync import usable
from devloop.diagnostic import Severity
from devloop.errors import DevloopError, ExitCode
from devloop.flux import expectations
from devloop.flux.feed import Feed
from devloop.flux.watching import Watching
from devloop.hint import DevloopCommand
from devloop.model.cluster.environment import Source
from devloop.model.flux.reconciliation import Reconciliation
from devloop.model.report import Emit, Event, Notice, Reconciling, Report, RunEnded, RunStarted, Status
from devloop.plan import plan_sync
from devloop.provisioners import state_dir
from devloop.provisioners.selection import existing_choices
from devloop.repository.file_index import without_ignored
from devloop.repository.snapshot import snapshot
from devloop.runner import Result, recorded, run
from devloop.session import Session
from devloop.steps import Output
from devloop.steps.cluster import CheckRunning

IDLE = 0.5  # seconds between two looks at the cluster while nothing is edited
ASK = 2.0  # seconds between two questions whether an environment runs again
GONE = 1.0  # seconds between two looks for a repository that is not there


class Key(Enum):
    """What the user asks for: a run now, or the end."""

    RUN = "run"
    QUIT = "quit"


@dataclass(frozen=True)
class Ended:
    number: int
    report: Report


Message = frozenset[str] | Key | Ended  # paths that changed, a key, the end of a run
Messages = queue.Queue[Message]


def watch(request: Request, emit: Emit, messages: Messages, *, push_anyway: bool = False) -> Report:
    """Runs until `messages` has QUIT, or an interruption; returns the report of the last run.

    Raises InputError for a definition that cannot be used, Busy if another watch follows the same environment.
    """
    environment = usable(request)
    [name, *_] = existing_choices(request.provisioner, environment)
    with (
        exclusive(lock_file(environment, "watch"), f"watching {environment.name}"),
        open_session(request, environment, emit, name) as session,
    ):
        watch = _Watch(request, session, emit, messages, push_anyway)
        with handle_signals(watch._give_way, signal.SIGUSR1):
            return watch.run()


@dataclass(frozen=True)
class _Run:
    """A run under way and what it is for; setting `stop` supersedes it."""

    number: int
    paths: frozenset[str]
    stop: threading.Event


@dataclass
class _Watch:
    """`wanted` is what the next run is for, None if no run is wanted."""

    request: Request
    session: Session
    emit: Emit
    messages: Messages
    push_anyway: bool
    feed: Output[Feed] = field(default_factory=Output)
    wanted: frozenset[str] | None = frozenset()
    current: _Run | None = None
    started: int = 0
    last: Report | None = None
    idle: Watching | None = None
    shown: Reconciling | None = None
    kubeconfig: float = 0.0
    asked: float = 0.0

    def run(self) -> Report:
        threading.Thread(target=self._follow_files, name="files", daemon=True).start()
        while not self.session.stop.is_set():
            if self.wanted is not None and self.current is None:
                self._begin(self.wanted)
            try:
                message = self.messages.get(timeout=IDLE)
            except queue.Empty:
                self._look()
                continue
            if message is Key.QUIT:
                break
            self._take(message)
        return self._end()

    # -- runs -----------------------------------------------------------------------------------------------------------------------

    def _take(self, message: Message) -> None:
        if isinstance(message, Ended):
            self._ended(message)
            return
        paths = message if isinstance(message, frozenset) else frozenset()
        self.wanted = (self.wanted or frozenset()) | paths
        self._give_way()

    def _give_way(self, *_: object) -> None:
        """To a later edit or to another command: the run begins again afterwards. Also handles SIGUSR1."""
        if self.current:
            self.current.stop.set()

    def _begin(self, paths: frozenset[str]) -> None:
        self._reconnect()
        self.started += 1
        self.wanted, self.idle = None, None
        following = self.session.again(self.emit)
        self.current = _Run(self.started, paths, following.stop)
        self.emit(RunStarted(tuple(sorted(paths))))
        threading.Thread(target=self._run, args=(self.started, following), name="run", daemon=True).start()

    def _run(self, number: int, session: Session) -> None:
        result, source = Result(), Output[Source]()
        session.emit = redacted(session, recorded(result, _until(session.stop, self.emit)))
        timeout = self.request.timeout or session.environment.definition.timeout
        flags = {"validate": self.request.validate, "allow_remote": self.request.allow_remote, "push_anyway": self.push_anyway}
        try:
            with in_turn(lock_file(session.environment), self._say_busy, session.stop, "watch"):
                run(plan_sync(source, self.feed, timeout, **flags), session, result)
            self._check_missed(source)
        except DevloopError as error:
            session.emit(Notice(error.message, Severity.ERROR, error.hint))
            result.failure = error.exit_code
        finally:
            self.messages.put(Ended(number, report("watch", session, result, source.value.revision if source.is_set else "")))

    def _check_missed(self, source: Output[Source]) -> None:
        """Another run if files are no longer those of this one: the system reports nothing of a folder that is only just new."""
        if source.is_set and snapshot(self.session.environment.root, source.value.directory) != source.value:
            self.messages.put(frozenset())

    def _ended(self, message: Ended) -> None:
        ended, self.current = self.current, None
        if ended is not None and ended.stop.is_set():
            self.wanted = (self.wanted or frozenset()) | ended.paths
            self.emit(RunEnded(None))
            return
        self.last, self.shown = message.report, None
        self.emit(RunEnded(message.report))

    def _say_busy(self, holder: str) -> None:
        self.emit(Notice(f"waiting for another run of devloop (process {holder})"))

    def _end(self) -> Report:
        if self.current:
            self.current.stop.set()
        if self.feed.is_set:
            self.feed.value.close()
        return self.last or report("watch", self.session, Result(), "")

    # -- the repository -------------------------------------------------------------------------------------------------------------

    def _follow_files(self) -> None:
        root, stop = self.session.environment.root, self.session.stop
        while not stop.is_set():
            try:
                for paths in changes(root, stop):
                    self._note_changes(root, paths)
            except DevloopError as error:
                self.emit(Notice(error.message, Severity.ERROR, error.hint))
            if not root.is_dir():
                self._await_root(root, stop)

    def _note_changes(self, root: Path, paths: frozenset[str]) -> None:
        """Git's index counts if the last run could not use the repository, for example because of a conflict."""
        if INDEX in paths and self.last and self.last.failure == ExitCode.INPUT:
            self.messages.put(Key.RUN)
        if relevant := without_ignored(root, paths - {INDEX}):
            self.messages.put(relevant)

    def _await_root(self, root: Path, stop: threading.Event) -> None:
        self.emit(Notice(f"{root} is gone: waiting until it is there again", Severity.WARNING))
        while not root.is_dir() and not stop.wait(GONE):
            pass
        self.messages.put(Key.RUN)

    # -- the cluster ----------------------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """While nothing is edited: what becomes of the environment."""
        if (self._reconnect() or self._is_up_again()) and self.current is None:
            self.wanted = frozenset()
        if self.current or not self.feed.is_set or self.wanted is not None:
            return
        if self.idle is None:
            folder = state_dir(self.session.provisioner.name, self.session.environment.definition.name)
            self.idle = Watching(self.feed.value, Reconciliation(expectations.load(folder), time.monotonic()))
        if self.idle.drain():
            diagnosis = self.idle.diagnose()
            state = Reconciling(diagnosis.kustomizations, diagnosis.causes)
            if self.shown is None or _brief(state) != _brief(self.shown):
                self.session.emit(state)
            self.shown = state

    def _is_up_again(self) -> bool:
        """Whether an environment that did not run at the last run does now."""
        refused = any(step.title == CheckRunning.title and step.status is Status.FAILED for step in (self.last.steps if self.last else ()))
        if not refused or time.monotonic() - self.asked < ASK:
            return False
        self.asked = time.monotonic()
        return self.session.provisioner.status().running

    def _reconnect(self) -> bool:
        """Whether the environment is another one than before: `up` or `down` ran, or a port changed."""
        try:
            changed = self.session.provisioner.kubeconfig().stat().st_mtime
        except (DevloopError, OSError):
            changed = 0.0
        if changed == self.kubeconfig:
            return False
        before, self.kubeconfig = self.kubeconfig, changed
        if before and not changed:
            name = self.session.environment.name
            self.emit(Notice(f"{name} was removed: waiting until it is up again", Severity.WARNING, DevloopCommand("up", name)))
        if self.feed.is_set:
            self.feed.value.close()
            self.feed, self.idle = Output(), None
        self.session.reconnect()
        return bool(changed)


def _until(stop: threading.Event, emit: Emit) -> Emit:
    """`emit`, but nothing of a run that was superseded."""

    def guarded(event: Event) -> None:
        if not stop.is_set():
            emit(event)

    return guarded


def _brief(state: Reconciling) -> list[object]:
    return [*((k.id, k.ready, k.reason) for k in state.kustomizations), *map(str, state.causes)]
