"""`devloop watch`: a run after every edit, in an environment that is up, with connections and programs kept ready."""

from __future__ import annotations

import queue
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass

from devloop.clients import memory
from devloop.clients.lock import exclusive, in_turn
from devloop.clients.signals import handle_signals
from devloop.commands.idle import Idle
from devloop.commands.request import Request, lock_file, open_session, redacted, report
from devloop.commands.sync import usable
from devloop.commands.watched_files import Key, WatchedFiles
from devloop.diagnostic import Severity
from devloop.errors import DevloopError, ExitCode, refused
from devloop.model.cluster.environment import Source
from devloop.model.report import Emit, Event, Notice, Report, RunEnded, RunStarted
from devloop.plan import plan_sync
from devloop.provisioners.selection import existing_choices
from devloop.repository.snapshot import snapshot
from devloop.runner import Result, recorded, run
from devloop.session import Session
from devloop.steps import Output

SEVERAL = 10  # runs that were superseded, after which memory is given back although that takes a moment
PAUSE = 0.5  # seconds between two looks at the cluster while nothing is edited


@dataclass(frozen=True)
class Ended:
    report: Report


@dataclass(frozen=True)
class Bug:
    """What ended a thread that should not have; the main thread raises it."""

    error: BaseException


Message = frozenset[str] | Key | Ended | Bug  # paths that changed, a key, the end of a run or of everything
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
    wanted: frozenset[str] | None = frozenset()
    current: _Run | None = None
    started: int = 0

    def __post_init__(self) -> None:
        self.idle = Idle(self.session, self.emit)
        self.files = WatchedFiles(self.session.environment.root, self.session.stop, self.emit, self.messages.put)

    def run(self) -> Report:
        self._start("files", self.files.follow)
        while not self.session.stop.is_set():
            if self.wanted is not None and self.current is None:
                self._begin(self.wanted)
            try:
                message = self.messages.get(timeout=PAUSE)
            except queue.Empty:
                if self.current is None and self.wanted is None and self.idle.look():
                    self.wanted = frozenset()
                continue
            if message is Key.QUIT:
                break
            self._take(message)
        return self._end()

    def _take(self, message: Message) -> None:
        if isinstance(message, Bug):
            raise message.error
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
        self.idle.begin()
        self.started += 1
        self.wanted = None
        following = self.session.again(self.emit)
        self.current = _Run(paths, following.stop)
        self.emit(RunStarted(tuple(sorted(paths))))
        self._start("run", lambda: self._run(following))

    def _start(self, name: str, work: Callable[[], None]) -> None:
        """In a thread, whose bugs end everything."""

        def guarded() -> None:
            try:
                work()
            except BaseException as error:  # noqa: BLE001
                self.messages.put(Bug(error))

        threading.Thread(target=guarded, name=name, daemon=True).start()

    def _run(self, session: Session) -> None:
        result, source = Result(), Output[Source]()
        session.emit = redacted(session, recorded(result, _until(session.stop, self.emit)))
        request, timeout = self.request, self.request.timeout or session.environment.definition.timeout
        flags = {"validate": request.validate, "allow_remote": request.allow_remote, "whole": request.whole}
        try:
            with in_turn(lock_file(session.environment), self._say_busy, session.stop, "watch"):
                run(plan_sync(source, self.idle.feed, timeout, push_anyway=self.push_anyway, **flags), session, result)
            self._check_missed(source)
        except (DevloopError, OSError) as error:
            known = refused(error) if isinstance(error, OSError) else error
            if known is None:
                raise
            session.emit(Notice(known.message, Severity.ERROR, known.hint))
            result.failure = known.exit_code
        self.messages.put(Ended(report("watch", session, result, source.value.revision if source.is_set else "")))

    def _check_missed(self, source: Output[Source]) -> None:
        """Another run if files are no longer those of this one: the system reports nothing of a folder that is only just new."""
        if source.is_set and snapshot(self.session.environment.root, source.value.directory) != source.value:
            self.messages.put(frozenset())

    def _ended(self, message: Ended) -> None:
        ended, self.current = self.current, None
        if ended is not None and ended.stop.is_set():
            self.wanted = (self.wanted or frozenset()) | ended.paths
            self.emit(RunEnded(None))
            if self.started % SEVERAL == 0:
                memory.release()
            return
        self.idle.end(message.report)
        self.files.is_unusable = message.report.failure == ExitCode.INPUT
        self.emit(RunEnded(message.report))
        memory.release()

    def _say_busy(self, holder: str) -> None:
        self.emit(Notice(f"waiting for another run of devloop (process {holder})"))

    def _end(self) -> Report:
        if self.current:
            self.current.stop.set()
        self.idle.close()
        return self.idle.last or report("watch", self.session, Result(), "")


def _until(stop: threading.Event, emit: Emit) -> Emit:
    """`emit`, but nothing of a run that was superseded."""

    def guarded(event: Event) -> None:
        if not stop.is_set():
            emit(event)

    return guarded
