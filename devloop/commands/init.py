"""`devloop init`: scaffolds the sample platform as a new repository."""

from pathlib import Path

from devloop.model.report import Emit
from devloop.scaffold import require_empty, scaffold
from devloop.toolchain import Toolchain


def init(directory: Path, emit: Emit) -> tuple[str, ...]:
    """The lines that say what was created and what to do next."""
    require_empty(directory)
    toolchain = Toolchain()
    toolchain.ensure(("sops",), emit)
    return scaffold(directory, toolchain.path("sops"))
