"""Where an embedded environment keeps its things, all below one folder of its own that `down` removes whole."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from devloop.clients import private_files

# A file system in memory, and the bytes that must be free there: containers often get 64 MiB, which a repository may fill.
MEMORY = Path("/dev/shm")
MEMORY_ROOM = 1 << 30


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
        """HOME and TMPDIR of all components; in memory where there is room, since Flux unpacks the repository for every Kustomization."""
        return self.folder / "tmp"

    @property
    def memory(self) -> Path:
        """Where `temporary` then leads to: a folder of this user's, always the same one."""
        digest = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]
        return MEMORY / f"devloop-{os.getuid()}-{digest}"

    @property
    def sockets(self) -> Path:
        """The working directory of all components: their sockets have names without a folder, since long ones do not work."""
        return self.folder / "run"

    @property
    def artifacts(self) -> Path:
        return self.folder / "artifacts"

    @property
    def lock(self) -> Path:
        return self.folder / "supervisor.lock"

    def kubeconfig(self, user: str) -> Path:
        return self.pki / f"{user}.kubeconfig"

    def log(self, component: str) -> Path:
        return self.logs / f"{component}.log"

    @contextlib.contextmanager
    def control_socket(self) -> Iterator[str]:
        """The supervisor's socket, under a name that fits into the 108 bytes of an address (man 7 unix) however deep `folder` is."""
        folder = os.open(self.sockets, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            yield f"/proc/self/fd/{folder}/supervisor.sock"
        finally:
            os.close(folder)

    def make(self) -> None:
        """Create the folders, for this user alone."""
        with private_files.explained(self.folder):
            for folder in (self.folder, self.pki, self.logs, self.sockets, self.artifacts):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if self._is_in_memory():
                self.temporary.unlink(missing_ok=True)
                self.temporary.symlink_to(self.memory)
            else:
                self.temporary.mkdir(exist_ok=True, mode=0o700)

    def _is_in_memory(self) -> bool:
        """Whether `memory` exists, is ours and has room; a folder on the disk that is in use already stays."""
        if self.temporary.is_dir() and not self.temporary.is_symlink():
            return False
        try:
            if shutil.disk_usage(MEMORY).free < MEMORY_ROOM:
                return False
            self.memory.mkdir(exist_ok=True, mode=0o700)
        except OSError:
            return False
        return not self.memory.is_symlink() and self.memory.stat().st_uid == os.getuid()

    def write(self, path: Path, text: str) -> None:
        private_files.write(path, text)

    def read_json(self, name: str) -> dict[str, object]:
        """What `write_json` wrote, {} where there is nothing usable."""
        return private_files.read_json(self.folder / name)

    def write_json(self, name: str, content: object) -> None:
        private_files.write_json(self.folder / name, content)
