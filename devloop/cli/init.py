"""`devloop init`: parses the arguments."""

from pathlib import Path
from typing import Annotated

import typer


def init(directory: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty directory.", show_default=False)]) -> None:
    """Creates three environments, two distributions and encrypted secrets. Stores the new age keys outside DIR."""
    from devloop.cli.boundary import open_console
    from devloop.commands.init import init as run

    with open_console() as console:
        for line in run(directory, console.emit):
            console.line(line)
