"""The environment's Git server as a host process, on loopback.

Run as `python -m devloop.gitserver.process FOLDER PORT`; the repository and the passwords are in FOLDER.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from devloop.gitserver.credentials import passwords
from devloop.gitserver.git_server import serve
from devloop.runtime.components import HOST, environment_for
from devloop.runtime.layout import Layout


def main(folder: Path, port: int) -> None:
    serve((HOST, port), folder / "git", passwords(folder), environment_for(Layout(folder), os.environ))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
