"""The sources of tools, in order: PATH with the pinned version, a release with a known checksum, a build from source."""

import re
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from devloop.clients.process import run
from devloop.diagnostic import Severity
from devloop.errors import DevloopError
from devloop.model.report import Emit, Notice
from devloop.toolchain.lock import Tool, this_platform
from devloop.toolchain.source import build

Channel = Callable[["Job"], str | None]


@dataclass(frozen=True)
class Job:
    """One tool to install into the folder `staged`.

    `on_fraction` takes the fraction that is done and the seconds expected in total; None if unknown.
    """

    tool: Tool
    staged: Path
    wheel_folder: Path
    on_fraction: Callable[[float | None, float | None], None]
    emit: Emit
    stop: threading.Event


def find_on_path(tool: Tool) -> Path | None:
    """The program on PATH if it has the pinned version. Not for tools with data, which only a build from source provides."""
    program = shutil.which(tool.name) if tool.ask and not tool.has_data else None
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
    (job.staged / job.tool.name).symlink_to(program)
    return str(program)


def from_release(job: Job) -> str | None:
    from devloop.clients import http

    release = job.tool.releases.get(this_platform())
    if not release or job.tool.has_data:
        return None
    program = job.staged / job.tool.name
    try:
        actual = http.download(release.url, program, job.on_fraction, job.stop)
    except http.DownloadFailed as error:
        job.emit(Notice(f"{release.url} cannot be downloaded ({error}), building {job.tool.name} from source", Severity.WARNING))
        return None
    if actual != release.sha256:
        raise DevloopError(
            f"{release.url} does not match the pinned checksum: its SHA-256 is {actual}, expected {release.sha256}",
            hint=f"do not use it; install {job.tool.name} {job.tool.version} from a trusted source on PATH",
        )
    program.chmod(0o755)
    return release.url


def from_source(job: Job) -> str | None:
    return build(job.tool, job.staged, wheel_folder=job.wheel_folder, on_fraction=job.on_fraction, emit=job.emit, stop=job.stop)


CHANNELS: dict[str, Channel] = {"path": from_path, "release": from_release, "source": from_source}
