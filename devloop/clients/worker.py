"""The one door to the build worker: JSON lines over its stdin and stdout, many questions at once, a new process when it dies.

Identities travel over stdin only, and what the worker decrypts with them never comes back unless `show_secrets` asks for it.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Protocol

from devloop.clients.process import PIPE, Process, spawn
from devloop.clients.signals import handle_signals
from devloop.clients.worker_protocol import Answer, FieldSource, OpenRequest, Place, Request
from devloop.errors import DevloopError
from devloop.model.flux.graph import FailureKind


class Closable(Protocol):
    """Something that is busy until it is closed, from any thread."""

    def close(self) -> None: ...


class WorkerDied(DevloopError):
    """The process ended before it answered."""


@dataclass(frozen=True)
class DecryptionResult:
    """How an encrypted file met the keys. `error` is empty when it opens; `reason` is then one of key, service, mac, format."""

    path: str
    recipients: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    reason: str = ""
    error: str = ""


@dataclass(frozen=True)
class Located:
    """Where a place is, `line` 0 for nowhere; `setter` is what set the field (a patch, images ...) where that was something else."""

    line: int
    setter: str = ""
    setter_path: str = ""
    setter_line: int = 0


@dataclass
class _Connection:
    """One process and the questions that it has not answered yet."""

    process: Process[bytes]
    waiting: dict[int, Future[Answer]] = field(default_factory=dict)
    last_words: list[str] = field(default_factory=list)
    ended: bool = False


class Worker:
    """The worker for one repository; safe to share between threads. It starts at once, since it has some loading to do by itself."""

    def __init__(
        self,
        program: Path,
        root: Path,
        identities: str | Callable[[], str] = "",
        *,
        show_secrets: bool = False,
        store: Path | None = None,
        ignored: Callable[[Path], Sequence[str]] | None = None,
        absent: Callable[[Path], Sequence[str]] | None = None,
    ) -> None:
        """`identities` may be a function, which is called once the process has begun to load; `show_secrets` leaves nothing masked.

        `store` is the folder in which answers are kept for the next run, if any; with `show_secrets` nothing is. `ignored` lists what is
        no part of the repository and `absent` what of it is not checked out, called likewise.
        """
        self._program = program
        self._root = root
        self._identities = identities
        self._show_secrets = show_secrets
        self._ignored = ignored
        self._absent = absent
        self._store = str(store) if store else ""
        self._scratch = tempfile.TemporaryDirectory(prefix="devloop-worker-")
        self._numbers = itertools.count(1)
        self._sending = threading.Lock()
        self._restarting = threading.Lock()
        self._built: list[Request] = []
        self._closed = False
        self._connection = self._start()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the process, whatever it is doing, and forget what it had not answered."""
        self.let_go()
        self._connection.process.wait()
        with contextlib.suppress(OSError):
            self._scratch.cleanup()

    def let_go(self) -> None:
        """End the process without waiting for that; nobody will ask it any more."""
        self._closed = True
        self._connection.process.kill()

    def reopen(self, identities: str | Callable[[], str]) -> None:
        """Forget what was built, and read the repository again as it is now."""
        self._identities = identities
        self._built.clear()
        if self._connection.ended or self._connection.process.poll() is not None:
            self._connection = self._start()
        else:
            self._opened = self._ask(self._connection, {"open": self._open_request()})

    def request(self, question: Request) -> Future[Answer]:
        """Ask and return at once. The future fails with WorkerDied when the process does."""
        return self._ask(self._connection, question)

    def ask_all(self, questions: Sequence[Request]) -> list[Answer]:
        """Ask side by side; the answers in the order of the questions. A question that kills the worker is answered with a failure."""
        self._check_opened()
        futures = [self.request(question) for question in questions]
        return [self._settle(question, future) for question, future in zip(questions, futures, strict=True)]

    def check_files(self, paths: Sequence[str]) -> list[DecryptionResult]:
        """Whether each encrypted file (relative to the repository) opens with the identities, its checksum included."""
        [answer] = self.ask_all([{"decryption": {"paths": list(paths)}}])
        return [
            DecryptionResult(r["path"], tuple(r["recipients"]), tuple(r.get("services", ())), r.get("reason", ""), r.get("message", ""))
            for r in _result(answer)
        ]

    def locate(self, places: Sequence[Place]) -> list[Located]:
        """The line of each place, and what set the field there."""
        [answer] = self.ask_all([{"locate": {"places": list(places)}}])
        return [_located(each["line"], each.get("setter")) for each in _result(answer)]

    def redact(self, texts: Sequence[str], paths: Sequence[str] = (), *, manifests: bool = False) -> list[str]:
        """`texts` without the values of secrets in files that builds read, or in `paths`; rendered `manifests` stay YAML."""
        [answer] = self.ask_all([{"redact": {"texts": list(texts), "paths": list(paths), "manifests": manifests}}])
        return list(_result(answer))

    # -- the process ----------------------------------------------------------------------------------------------------------------

    def _start(self) -> _Connection:
        # An empty PATH keeps kustomize from cloning anything; in a session of its own it ends by its stdin, not by our Ctrl-C.
        process = spawn(
            [self._program], cwd=Path(self._scratch.name), env={"PATH": ""}, stdin=PIPE, stdout=PIPE, stderr=PIPE, new_session=True
        )
        assert process.stdout and process.stderr
        connection = _Connection(process)
        listener = threading.Thread(target=_overhear, args=(connection, process.stderr), daemon=True)
        listener.start()
        threading.Thread(target=_receive, args=(connection, process.stdout, listener), daemon=True).start()
        try:
            self._opened = self._ask(connection, {"open": self._open_request()})
        except BaseException:
            process.kill()
            process.wait()
            raise
        return connection

    def _open_request(self) -> OpenRequest:
        return {
            "root": str(self._root),
            "scratch": self._scratch.name,
            "identities": self._identities() if callable(self._identities) else self._identities,
            "showSecrets": self._show_secrets,
            "store": self._store,
            "ignored": self._ignored(self._root) if self._ignored else (),
            "absent": self._absent(self._root) if self._absent else (),
        }

    def _ask(self, connection: _Connection, question: Request) -> Future[Answer]:
        number, future = next(self._numbers), Future[Answer]()
        line = json.dumps({"id": number, **question}).encode() + b"\n"
        with self._sending:
            connection.waiting[number] = future
            try:
                assert connection.process.stdin
                connection.process.stdin.write(line)
                connection.process.stdin.flush()
            except OSError:
                connection.ended = True
            if connection.ended:
                _give_up(connection)
        return future

    def _settle(self, question: Request, future: Future[Answer]) -> Answer:
        try:
            answer = future.result()
        except WorkerDied as error:
            answer = self._ask_again(question, error)
        if question.keys() & {"build", "releases"} and "failure" not in answer:
            self._built.append(question)
        return answer

    def _check_opened(self) -> None:
        with contextlib.suppress(WorkerDied):  # the questions will find that out, and ask again
            _result(self._opened.result())

    def _ask_again(self, question: Request, death: WorkerDied) -> Answer:
        """Another question may have killed the worker: one more try, alone, after what it knew has been built again."""
        with self._restarting:
            if self._closed:
                raise death
            try:
                self._revive()
                return self.request(question).result()
            except WorkerDied as again:
                return {"failure": {"kind": FailureKind.CRASH, "message": again.message}}

    def _revive(self) -> None:
        if not self._connection.ended and self._connection.process.poll() is None:
            return
        self._connection = self._start()
        for question in list(self._built):
            self.request(question).result()


@contextlib.contextmanager
def ended_by_signals(*busy: Closable | None) -> Iterator[None]:
    """Ctrl-C and SIGTERM end what workers and the like are doing, however long it would take, and then the run; for the main thread."""

    def end(*_: object) -> None:
        for each in filter(None, busy):
            each.close()
        raise KeyboardInterrupt

    with handle_signals(end):
        yield


def _receive(connection: _Connection, lines: IO[bytes], listener: threading.Thread) -> None:
    for line in lines:
        try:
            answer = json.loads(line)
        except (ValueError, RecursionError):
            connection.process.kill()  # the questions are asked again, each alone
            break
        if future := connection.waiting.pop(answer["id"], None):
            future.set_result(answer)
    status = connection.process.wait()
    listener.join(timeout=1)
    connection.last_words.append(f"status {status}")
    connection.ended = True
    _give_up(connection)


def _give_up(connection: _Connection) -> None:
    words = f" ({connection.last_words[0]})" if connection.last_words else ""
    while connection.waiting:
        with contextlib.suppress(KeyError):
            _, future = connection.waiting.popitem()
            future.set_exception(WorkerDied(f"the build worker died{words}"))


def _overhear(connection: _Connection, lines: IO[bytes]) -> None:
    """Only the runtime's own last words: anything else may quote the repository."""
    for line in lines:
        if line.startswith(b"fatal error: "):
            connection.last_words.append(line.decode(errors="replace").strip())


def _located(line: int, setter: FieldSource | None) -> Located:
    return Located(line, setter["what"], setter["path"], setter["line"]) if setter else Located(line)


def _result(answer: Answer) -> Any:
    if "failure" in answer:
        raise DevloopError(answer["failure"]["message"])
    return answer.get("result") or []
