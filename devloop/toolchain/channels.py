"""Where programs come from, in order: PATH with the pinned version, devloop's wheel, a release, a published image, a build from source.

Each channel gives the program alone and says in one line why it cannot; data.py adds the data of Go modules.
"""

import re
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from devloop.clients.archives import extract_member
from devloop.clients.http import DownloadFailed, Reason, download
from devloop.clients.process import run
from devloop.clients.registry import pull_file
from devloop.diagnostic import Severity
from devloop.errors import DevloopError
from devloop.model.report import Emit, Notice
from devloop.toolchain.lock import Tool, this_platform
from devloop.toolchain.packaged import packaged_program
from devloop.toolchain.source import NO_GO, build

Channel = Callable[["Job"], str | None]


@dataclass(frozen=True)
class Job:
    """One tool to install into the folder `staged`.

    `partials` keeps what a failed download received. `on_fraction` takes the fraction that is done and the seconds expected in total; None
    if unknown.
    """

    tool: Tool
    staged: Path
    partials: Path
    wheel_folder: Path
    on_fraction: Callable[[float | None, float | None], None]
    emit: Emit
    stop: threading.Event
    unreachable: set[str] = field(default_factory=set)
    """Hosts that did not answer in this run."""

    def on_go(self) -> None:
        self.emit(Notice(NO_GO))

    @property
    def program(self) -> Path:
        return self.staged / self.tool.name


def find_on_path(tool: Tool) -> Path | None:
    """The program on PATH if it has the pinned version."""
    program = shutil.which(tool.name) if tool.ask else None
    if not program:
        return None
    try:
        done = run([program, *tool.ask], timeout=20, check=False)
    except (DevloopError, OSError):
        return None
    match = re.search(tool.answer, done.text + done.stderr.decode(errors="replace"), re.MULTILINE)
    return Path(program).absolute() if match and match[1] == tool.version else None


def from_path(job: Job) -> str | None:
    program = find_on_path(job.tool)
    if not program:
        return None
    job.program.symlink_to(program)
    return str(program)


def from_package(job: Job) -> str | None:
    program = packaged_program(job.tool)
    if not program:
        return None
    shutil.copy2(program, job.program)
    return str(program)


def from_release(job: Job) -> str | None:
    release = job.tool.releases.get(this_platform())
    if not release or host_of(release.url) in job.unreachable:
        return None
    file = job.staged / f".{Path(release.url).name}" if release.member else job.program
    try:
        download(release.url, file, job.on_fraction, job.stop, sha256=release.sha256, partials=job.partials)
        if release.member:
            extract_member(file, release.member, job.program)
            file.unlink()
    except DownloadFailed as error:
        _pass(job, release.url, error)
        return None
    job.program.chmod(0o755)
    return release.url


def from_image(job: Job) -> str | None:
    image, platform = job.tool.image, this_platform()
    if not image or "@" not in image.reference or not platform.startswith("linux-") or host_of(image.reference) in job.unreachable:
        return None
    try:
        pull_file(image.reference, image.path, platform.replace("-", "/"), job.program, job.on_fraction, job.stop, partials=job.partials)
    except DownloadFailed as error:
        _pass(job, image.reference, error)
        return None
    job.program.chmod(0o755)
    return image.reference


def host_of(origin: str) -> str:
    """The host of a URL or an image."""
    return origin.partition("://")[2].partition("/")[0] or origin.partition("/")[0]


def _pass(job: Job, origin: str, error: DownloadFailed) -> None:
    """To the next channel."""
    job.program.unlink(missing_ok=True)
    if error.reason in (Reason.NO_NETWORK, Reason.TIMED_OUT):
        job.unreachable.add(host_of(origin))
    job.emit(Notice(f"{job.tool.name} cannot be downloaded from {origin}: {error.message}", Severity.WARNING))


def from_source(job: Job) -> str | None:
    return build(job.tool, job.staged, wheel_folder=job.wheel_folder, on_fraction=job.on_fraction, emit=job.emit, stop=job.stop)


CHANNELS: dict[str, Channel] = {
    "path": from_path,
    "package": from_package,
    "release": from_release,
    "image": from_image,
    "source": from_source,
}
