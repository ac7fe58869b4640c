"""`devloop init`: creates a repository with the sample platform, its secrets encrypted with new Age keys, which stay outside of it."""

import contextlib
import os
import shlex
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

from devloop.clients.git import first_commit
from devloop.clients.sops import encrypt, new_key_pair
from devloop.clients.xdg import config_folder
from devloop.errors import DevloopError, InputError
from devloop.hint import command, instructions
from devloop.scaffold.secrets import sample_secrets

_RULE = """\
  - path_regex: ^k8s/clusters/{environment}/.+\\.enc\\.ya?ml$
    encrypted_regex: ^(data|stringData)$
    age: {public}
"""


@dataclass(frozen=True)
class _Key:
    environment: str
    public: str
    path: Path
    private: str = field(repr=False)


def require_empty(directory: Path) -> None:
    """Raises InputError unless `directory` is empty, or new in an existing folder."""
    if directory.is_dir():
        if any(directory.iterdir()):
            raise InputError(f"{directory} is not empty", hint="run devloop init with the path of a new directory")
    elif directory.exists() or directory.is_symlink():
        raise InputError(f"{directory} exists and is not a directory", hint="run devloop init with the path of a new directory")
    elif not directory.absolute().parent.is_dir():
        raise InputError(f"folder {directory.parent} does not exist", hint=command("mkdir -p", directory.parent))


def scaffold(directory: Path, sops: Path) -> tuple[str, ...]:
    """Creates the repository and its keys, all or nothing, and returns lines for the user. Raises InputError like `require_empty`."""
    require_empty(directory)
    target = directory.resolve()
    keys = [_new_key(environment, target.name) for environment in _environments()]
    try:
        with _build_folder(target) as build:
            _write_repository(build, target.name, keys, sops)
            with _written(keys):
                _move(build, target)
    except OSError as error:
        hint = instructions(command("df -h"), ", or another directory")
        raise DevloopError(f"cannot write {error.filename or target}: {error.strerror}", hint=hint) from None
    return (
        f"{directory} is a Git repository with the environments {', '.join(key.environment for key in keys)}",
        "their Age keys are stored outside it; back them up, secrets cannot be decrypted without them:",
        *(f"  {key.path}" for key in keys),
        f"next: devloop -C {shlex.quote(str(directory))} up local",
    )


def sample_root() -> Path:
    """The sample platform: in the installed package, or at the root of a checkout."""
    package = Path(str(resources.files("devloop")))
    roots = (package / "sample", package.parent)
    found = next((root for root in roots if (root / "k8s" / "bases").is_dir() and (root / "clusters").is_dir()), None)
    if not found:
        raise DevloopError(
            "the sample platform is missing from this installation of devloop", hint=command("pip install --force-reinstall devloop")
        )
    return found


def _environments() -> tuple[str, ...]:
    names = (path.parent.name for path in (sample_root() / "clusters").glob("*/ksail.yaml"))
    return tuple(sorted(names, key=lambda name: (name != "local", name)))


def _new_key(environment: str, repository: str) -> _Key:
    public, private = new_key_pair()
    path = config_folder() / "keys" / repository / f"{environment}-{public[-8:]}.agekey"
    return _Key(environment, public, path, private)


def _write_repository(root: Path, name: str, keys: list[_Key], sops: Path) -> None:
    for folder in ("clusters", "k8s", "policies"):
        ignored = shutil.ignore_patterns("*.enc.yaml")
        shutil.copytree(sample_root() / folder, root / folder, ignore=ignored, copy_function=shutil.copyfile)
    templates = Path(str(resources.files("devloop.scaffold"))) / "templates"
    (root / "README.md").write_text((templates / "README.md").read_text().replace("@NAME@", name))
    (root / ".gitignore").write_text((templates / "gitignore").read_text())
    rules = "".join(_RULE.format(environment=key.environment, public=key.public) for key in keys)
    (root / ".sops.yaml").write_text(f"# Recipients for SOPS: each environment has its own Age key.\ncreation_rules:\n{rules}")
    for key in keys:
        for path, plaintext in sample_secrets(key.environment).items():
            (root / path).write_bytes(encrypt(sops, root, path, plaintext.encode()))
    first_commit(root, "Scaffold the platform")


@contextlib.contextmanager
def _build_folder(target: Path) -> Iterator[Path]:
    """A temporary folder on the disk of `target`."""
    parent = target if target.is_dir() else target.parent
    with tempfile.TemporaryDirectory(prefix=".devloop-init-", dir=parent) as folder:
        root = Path(folder) / "repository"
        root.mkdir()
        yield root


@contextlib.contextmanager
def _written(keys: list[_Key]) -> Iterator[None]:
    """Writes the keys before the repository is moved; removes them again if that fails."""
    try:
        for key in keys:
            _write_key(key)
        yield
    except BaseException:
        for key in keys:
            key.path.unlink(missing_ok=True)
        raise


def _write_key(key: _Key) -> None:
    key.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    created = datetime.now(UTC).isoformat(timespec="seconds")
    descriptor = os.open(key.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"# created: {created}\n# environment: {key.environment}\n# public key: {key.public}\n{key.private}\n")
        file.flush()
        os.fsync(file.fileno())


def _move(build: Path, target: Path) -> None:
    """In one step; into an existing directory (maybe the current one) entry by entry, undone if that fails."""
    if not target.exists():
        build.rename(target)
        return
    names = [path.name for path in build.iterdir()]
    try:
        for name in names:
            (build / name).rename(target / name)
    except BaseException:
        for name in names:
            if (target / name).exists():
                (target / name).rename(build / name)
        raise
