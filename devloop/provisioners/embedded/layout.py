"""Where an embedded environment keeps its things, all below one folder of its own that `down` removes whole."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

# The kernel's limit for the path of a Unix socket, less the terminating zero (man 7 unix).
SOCKET_PATH_LIMIT = 107


@dataclass(frozen=True)
class Layout:
    """`folder` is absolute; everything in it is this user's alone."""

    folder: Path

    @property
    def pki(self) -> Path:
        return self.folder / "pki"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def temporary(self) -> Path:
        return self.folder / "tmp"

    @property
    def lock(self) -> Path:
        return self.folder / "supervisor.lock"

    @property
    def socket(self) -> Path:
        """The supervisor's; in a private folder with a short name where ours is too long for a socket."""
        path = self.folder / "supervisor.sock"
        if len(os.fsencode(path)) <= SOCKET_PATH_LIMIT:
            return path
        digest = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"devloop-{os.getuid()}-{digest}" / "supervisor.sock"

    @property
    def artifacts(self) -> Path:
        return self.folder / "artifacts"

    def kubeconfig(self, user: str) -> Path:
        return self.pki / f"{user}.kubeconfig"

    def log(self, component: str) -> Path:
        return self.logs / f"{component}.log"

    def make(self) -> None:
        """Create the folders, for this user alone."""
        for folder in (self.folder, self.pki, self.logs, self.temporary, self.artifacts, self.socket.parent):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def write(self, path: Path, text: str) -> None:
        """Replace a file at once; mode 0600 from the beginning."""
        part = path.with_name(f".{path.name}.{os.getpid()}")
        file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(file, "w") as stream:
            stream.write(text)
        part.replace(path)

    def read_json(self, name: str) -> dict[str, object]:
        """What `write_json` wrote, {} where there is nothing usable."""
        try:
            content = json.loads((self.folder / name).read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def write_json(self, name: str, content: object) -> None:
        self.write(self.folder / name, json.dumps(content))
