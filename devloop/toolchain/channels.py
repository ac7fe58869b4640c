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
from devloop.clients.http import DownloadFailed, Reason, download, host_of
from devloop.clients.process import run
from devloop.clients.registry import pull_file
from devloop.diagnostic import Severity
from devloop.errors import DevloopError
from devloop.model.kubernetes.image import require_image
from devloop.model.report import Emit, Notice
from devloop.toolchain.lock import Tool, ToolRelease, this_platform
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
    release = job.tool.release
    if not release or host_of(release.url) in job.unreachable:
        return None
    try:
        _download(job, release)
    except DownloadFailed as error:
        _pass(job, release.url, host_of(release.url), error)
        return None
    return release.url


def _download(job: Job, release: ToolRelease) -> None:
    file = job.staged / f".{Path(release.url).name}" if release.member else job.program
    download(release.url, file, job.on_fraction, job.stop, sha256=release.sha256, partials=job.partials)
    if release.member:
        extract_member(file, release.member, job.program)
        file.unlink()
    job.program.chmod(0o755)


def from_image(job: Job) -> str | None:
    image = job.tool.pinned_image
    if not image or require_image(image.reference).registry in job.unreachable:
        return None
    platform = this_platform().replace("-", "/")
    try:
        pull_file(image.reference, image.path, platform, job.program, job.on_fraction, job.stop, partials=job.partials)
    except DownloadFailed as error:
        _pass(job, image.reference, require_image(image.reference).registry, error)
        return None
    return image.reference


def _pass(job: Job, origin: str, host: str, error: DownloadFailed) -> None:
    """To the next channel."""
    job.program.unlink(missing_ok=True)
    if error.reason in (Reason.NO_NETWORK, Reason.TIMED_OUT):
        job.unreachable.add(host)
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
