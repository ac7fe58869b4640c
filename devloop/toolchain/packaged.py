"""The programs and the data of Go modules that a wheel brings. hatch_build.py puts them there; a checkout has none."""

import os
from pathlib import Path

from devloop.toolchain.lock import Tool

PACKAGE = Path(__file__).parents[1]


def packaged_program(tool: Tool, package: Path = PACKAGE) -> Path | None:
    """The program in `package` if it was built for this platform from what the lock says now."""
    program = package / "bin" / tool.name
    try:
        version = program.with_suffix(".version").read_text(encoding="utf-8")
    except OSError:
        return None
    return program if version == tool.key and os.access(program, os.X_OK) else None


def is_offered(tool: Tool) -> bool:
    """Whether the program is ready to run somewhere: in the wheel, as a release, or in an image."""
    return bool(packaged_program(tool) or tool.release or tool.pinned_image)


def packaged_data(tool: Tool, kind: str, package: Path = PACKAGE) -> Path | None:
    """The file of one of the tool's `files` or `borrowed`: a list in JSON."""
    file = package / "data" / tool.name / f"{kind}.json"
    return file if file.is_file() else None
