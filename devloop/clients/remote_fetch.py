"""The door to what kustomization files take from elsewhere: repositories by Git, single files by HTTP.

What comes in lies in folders of the cache whose content never changes, named after a commit or a digest. Nothing asks for a password, and
no credential of a URL is told or stands in a process list.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import TypeVar
from urllib.parse import parse_qs, unquote, urlsplit, urlunsplit

from devloop.clients.background import in_background
from devloop.clients.basic_auth import authorization
from devloop.clients.git import start_git
from devloop.clients.process import Process
from devloop.errors import DevloopError, Interrupted
from devloop.hint import Hint, command
from devloop.model.redaction import strip_credentials

T = TypeVar("T")

# Seconds for everything that one name takes, and for a server to say something.
LIMIT, SILENCE = 60.0, 20.0

# Between two looks at a process or a download.
_PAUSE = 0.02

# Bytes of a single file: Kubernetes itself takes no object of more than 1.5 MB, and a file may have many.
LARGEST = 32 << 20

# Seconds that a folder stays after it was used last.
_KEPT = 30 * 24 * 3600.0

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")

# What in an address says that Git is meant; any other may be a file, which kustomize tries first.
_FOR_GIT = re.compile(r"^(?!https?://)|\.git(/|\?|$)|/_git/|://[^?]*//")
_NOISE = re.compile(r"^unable to access '[^']*': | after \d+ ms")
_SIGN_IN = re.compile(r"(?i)could not read (username|password)|authentication failed|permission denied|terminal prompts disabled|403|401")
_NO_REF = re.compile(r"couldn't find remote ref|not our ref|unadvertised object")


@dataclass(frozen=True)
class RemoteName:
    """As a kustomization file writes it (`name`), and as it may be shown; with `repo` it is what kustomize would clone.

    `path` and `line` are the place that names it.
    """

    name: str
    shown: str
    repo: str = ""
    ref: str = ""
    inside: str = ""
    path: str = ""
    line: int = 0


@dataclass(frozen=True)
class Fetched:
    """Where it lies now: `path` in `folder`."""

    folder: Path
    path: str


class Fetcher:
    """Fetches each name once, several side by side; whatever waits ends when `stop` is set, which stays its owner's to set."""

    def __init__(self, folder: Path, stop: threading.Event | None = None, *, limit: float = LIMIT) -> None:
        self._folder = folder
        self._closed = threading.Event()
        self._stop = stop or self._closed
        self._limit = limit
        self._known: dict[str, Future[Fetched]] = {}
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix="fetch")

    def close(self) -> None:
        """End whatever is being fetched."""
        self._closed.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _has_ended(self) -> bool:
        return self._closed.is_set() or self._stop.is_set()

    def fetch(self, names: Iterable[RemoteName]) -> dict[str, Fetched | DevloopError]:
        """By name, where each lies now or why it cannot be had."""
        asked = {name.name: self._asked(name) for name in names}
        return {name: _result(future) for name, future in asked.items()}

    def _asked(self, name: RemoteName) -> Future[Fetched]:
        with self._lock:
            if name.name not in self._known:
                self._known[name.name] = self._pool.submit(self._get, name)
            return self._known[name.name]

    def _get(self, name: RemoteName) -> Fetched:
        limit = _Limit(self._has_ended, name.shown, self._limit)
        if (not name.repo or not _FOR_GIT.search(name.name)) and (found := self._file(name, limit)):
            return found
        return self._repository(name, limit)

    # -- single files ---------------------------------------------------------------------------------------------------------------

    def _file(self, name: RemoteName, limit: _Limit) -> Fetched | None:
        """None where it is no file, and may be a repository."""
        try:
            content = limit.wait(lambda: _download(name.name))
        except (urllib.error.URLError, HTTPException, OSError, ValueError) as error:
            if name.repo and isinstance(error, urllib.error.HTTPError):
                return None
            raise DevloopError(f"cannot fetch {name.shown}: {_reason(error)}", hint=command("curl -fsSL", name.shown)) from None
        if name.repo and content.lstrip().startswith(b"<"):  # a page about the repository
            return None
        base = re.sub(r"[^A-Za-z0-9._-]", "-", urlsplit(name.name).path.rpartition("/")[2]) or "file.yaml"
        folder = self._folder / "files" / hashlib.sha256(content).hexdigest()
        with self._made(folder) as draft:
            if draft:
                (draft / base).write_bytes(content)
        if not (folder / base).exists():  # the same content under another name
            (folder / base).write_bytes(content)
        return Fetched(folder, base)

    # -- repositories ---------------------------------------------------------------------------------------------------------------

    def _repository(self, name: RemoteName, limit: _Limit) -> Fetched:
        kept = self._folder / "git" / hashlib.sha256(name.repo.encode()).hexdigest()[:32]
        submodules = _wants_submodules(name.name)
        suffix = "" if submodules else "-alone"
        pinned = kept / f"{name.ref}{suffix}"
        if _COMMIT.fullmatch(name.ref) and pinned.is_dir():
            os.utime(pinned)
            return Fetched(pinned, name.inside)
        kept.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".clone-", dir=kept) as scratch:
            clone = _Clone(Path(scratch), name, limit)
            folder = kept / f"{clone.fetch()}{suffix}"
            with self._made(folder) as draft:
                if draft:
                    clone.check_out(draft, submodules=submodules)
        return Fetched(folder, name.inside)

    @contextlib.contextmanager
    def _made(self, folder: Path) -> Iterator[Path | None]:
        """A folder to fill, which then becomes `folder`; None where that is there already."""
        if folder.is_dir():
            os.utime(folder)
            yield None
            return
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _forget(folder.parent)
        draft = Path(tempfile.mkdtemp(prefix=".new-", dir=folder.parent))
        try:
            yield draft
            with contextlib.suppress(OSError):  # another run was first
                draft.rename(folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)


def _forget(parent: Path) -> None:
    """What nobody used for long goes."""
    for folder in parent.iterdir():
        with contextlib.suppress(OSError):
            if folder.stat().st_mtime < time.time() - _KEPT:
                shutil.rmtree(folder, ignore_errors=True)


def _result(future: Future[Fetched]) -> Fetched | DevloopError:
    try:
        return future.result()
    except Interrupted:
        raise
    except DevloopError as error:
        return error


@dataclass
class _Limit:
    """Time for one name, unless everything `has_ended` before."""

    has_ended: Callable[[], bool]
    shown: str
    seconds: float

    def __post_init__(self) -> None:
        self._end = time.monotonic() + self.seconds

    def look(self) -> None:
        """Raise when it is over."""
        time.sleep(_PAUSE)
        if self.has_ended():
            raise Interrupted("interrupted")
        if time.monotonic() > self._end:
            hint = f"is {_host(self.shown)} to be reached from here? without --allow-remote, the rest is validated"
            raise DevloopError(f"cannot fetch {self.shown}: no answer within {self.seconds:.0f} s", hint=hint)

    def wait(self, work: Callable[[], T]) -> T:
        """Do `work` in a thread that nobody waits for after the end."""
        future = in_background(work, "download")
        while not future.done():
            self.look()
        return future.result()


def _download(url: str) -> bytes:
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    request = urllib.request.Request(urlunsplit(parts._replace(netloc=host)))
    if parts.username:
        request.add_unredirected_header("Authorization", authorization(unquote(parts.username), unquote(parts.password or "")))
    with urllib.request.urlopen(request, timeout=SILENCE) as answer:
        content: bytes = answer.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ValueError(f"it has more than {LARGEST >> 20} MiB")
    return content


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"the server says {error.code} {error.reason}"
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    text = reason.strerror if isinstance(reason, OSError) and reason.strerror else str(reason)
    return text[:1].lower() + text[1:]


def _host(url: str) -> str:
    return urlsplit(url).hostname or url.partition(":")[0].rpartition("@")[2]


def _wants_submodules(url: str) -> bool:
    """As kustomize: unless the URL says otherwise."""
    said = parse_qs(url.partition("?")[2]).get("submodules", [""])[0]
    return said.lower() not in ("0", "f", "false")


@dataclass
class _Clone:
    """One fetch into a repository of its own; its URL comes from the environment, where other users cannot read it."""

    folder: Path
    name: RemoteName
    limit: _Limit

    def fetch(self) -> str:
        """The commit that the ref means now."""
        self._git("init", "--quiet", "--template=")
        self._git("fetch", "--quiet", "--depth=1", "--no-tags", "--", "origin", self.name.ref or "HEAD")
        return self._git("rev-parse", "--verify", "FETCH_HEAD^{commit}").strip()

    def check_out(self, into: Path, *, submodules: bool) -> None:
        """The files of that commit alone."""
        self._git("checkout", "--quiet", "--detach", "FETCH_HEAD")
        if submodules and (self.folder / ".gitmodules").is_file():
            self._git("submodule", "--quiet", "update", "--init", "--recursive", "--depth=1")
        for item in self.folder.iterdir():
            if item.name != ".git":
                item.rename(into / item.name)

    def _git(self, *arguments: str) -> str:
        with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as complaint:
            process = start_git(arguments, self.folder, {"remote.origin.url": self.name.repo}, stdout=said, stderr=complaint)
            self._wait(process)
            said.seek(0)
            complaint.seek(0)
            if process.returncode:
                raise self._failed(complaint.read().decode(errors="replace"))
            return said.read().decode(errors="replace")

    def _wait(self, process: Process[bytes]) -> None:
        try:
            while process.poll() is None:
                self.limit.look()
        finally:
            if process.poll() is None:
                with contextlib.suppress(OSError):
                    os.killpg(process.pid, 9)  # with whatever it has started: it leads a session of its own
                process.wait()

    def _failed(self, output: str) -> DevloopError:
        lines = [line for line in strip_credentials(output).splitlines() if line.startswith(("fatal: ", "error: ", "ERROR: "))]
        reason = _NOISE.sub("", lines[0].partition(": ")[2]) if lines else "Git gives no reason"
        shown = strip_credentials(self.name.repo)
        hint: Hint = command("git ls-remote", shown)
        if _NO_REF.search(output):
            reason = f"the repository has no ref {self.name.ref}"
        elif _SIGN_IN.search(output):
            hint = "Git must be able to sign in without asking: a credential helper, or a key in the SSH agent"
        return DevloopError(f"cannot fetch {self.name.shown}: {reason[:1].lower()}{reason[1:]}", hint=hint)
