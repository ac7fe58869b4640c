"""The files of an embedded environment, all in one folder that `down` removes."""

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from devloop.clients import private_files

MEMORY = Path("/dev/shm")
_DOOMED = ".deleted"
MIN_FREE_MEMORY = 1 << 30  # bytes on it: containers often get 64 MiB, which a repository may fill


@dataclass(frozen=True)
class Layout:
    """`folder` is absolute and private to this user."""

    folder: Path

    @property
    def doomed(self) -> Path:
        """The folder while it is being removed: renamed first, so that a partly deleted one is not mistaken for an environment."""
        return self.folder.with_name(f".{self.folder.name}{_DOOMED}")

    @property
    def pki(self) -> Path:
        return self.folder / "pki"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def temporary(self) -> Path:
        """HOME and TMPDIR of all components; in memory if possible, since Flux unpacks the repository for each Kustomization."""
        return self.folder / "tmp"

    @property
    def memory(self) -> Path:
        """The target of `temporary` in memory."""
        digest = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]
        return MEMORY / f"devloop-{os.getuid()}-{digest}"

    @property
    def sockets(self) -> Path:
        """The working directory of all components, so that the paths of their sockets are short."""
        return self.folder / "run"

    @property
    def artifacts(self) -> Path:
        return self.folder / "artifacts"

    @property
    def stages(self) -> Path:
        """kwok's configuration."""
        return self.folder / "kwok.yaml"

    def kubeconfig(self, user: str) -> Path:
        return self.pki / f"{user}.kubeconfig"

    def log(self, component: str) -> Path:
        return self.logs / f"{component}.log"

    @contextlib.contextmanager
    def control_socket(self) -> Iterator[str]:
        """The supervisor's socket, by a path that fits into the 108 bytes of an address (man 7 unix)."""
        folder = os.open(self.sockets, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            yield f"/proc/self/fd/{folder}/supervisor.sock"
        finally:
            os.close(folder)

    def make(self) -> None:
        """Create the folders, private to this user."""
        with private_files.explained(self.folder):
            for folder in (self.folder, self.pki, self.logs, self.sockets, self.artifacts):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if self._is_in_memory():
                self.temporary.unlink(missing_ok=True)
                self.temporary.symlink_to(self.memory)
            else:
                self.temporary.mkdir(exist_ok=True, mode=0o700)

    def _is_in_memory(self) -> bool:
        """Whether `memory` exists, belongs to this user and has space; an existing `temporary` on disk is kept."""
        if self.temporary.is_dir() and not self.temporary.is_symlink():
            return False
        try:
            if shutil.disk_usage(MEMORY).free < MIN_FREE_MEMORY:
                return False
            self.memory.mkdir(exist_ok=True, mode=0o700)
        except OSError:
            return False
        return not self.memory.is_symlink() and self.memory.stat().st_uid == os.getuid()


def doomed_folders(parent: Path) -> tuple[str, ...]:
    """The names of the environments in `parent` whose removal was interrupted."""
    return tuple(path.name[1:].removesuffix(_DOOMED) for path in sorted(parent.glob(f".*{_DOOMED}")))
