"""The user's kubeconfig: one entry of ours goes in and out, everything else stays as it is."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from devloop.errors import DevloopError

SECTIONS = ("clusters", "users", "contexts")

Config = dict[str, Any]


def user_kubeconfig() -> Path:
    """The file that kubectl would write to: the first of $KUBECONFIG, or ~/.kube/config; links are followed."""
    named = [part for part in os.environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    path = Path(named[0]).expanduser() if named else Path.home() / ".kube" / "config"
    return path.resolve()


def merge(entry: Mapping[str, Any], path: Path) -> bool:
    """Put the one cluster, user and context of `entry` (a kubeconfig) into the file; whether that changed it.

    The current context is set only where there is none: another cluster's stays chosen.
    """
    name = entry["contexts"][0]["name"]
    with _locked(path):
        config = _read(path)
        before = repr(config)
        for section in SECTIONS:
            others = [item for item in config.get(section) or [] if item.get("name") != name]
            config[section] = [*others, *entry[section]]
        if not config.get("current-context"):
            config["current-context"] = name
        if repr(config) == before:
            return False
        _write(path, config)
        return True


def remove(name: str, path: Path) -> bool:
    """Take our entry out; whether there was one. A file that held nothing else is removed."""
    if not path.exists():
        return False
    with _locked(path):
        config = _read(path)
        kept = {section: [item for item in config.get(section) or [] if item.get("name") != name] for section in SECTIONS}
        if all(len(kept[section]) == len(config.get(section) or []) for section in SECTIONS):
            return False
        config |= kept
        if config.get("current-context") == name:
            config["current-context"] = ""
        if any(kept.values()):
            _write(path, config)
        else:
            path.unlink()
        return True


def _read(path: Path) -> Config:
    import yaml

    try:
        text = path.read_text()
    except FileNotFoundError:
        return {"apiVersion": "v1", "kind": "Config", "preferences": {}}
    except (OSError, UnicodeDecodeError) as error:
        raise DevloopError(f"cannot read the kubeconfig {path}: {error}", hint="set KUBECONFIG to another file") from None
    try:
        config = yaml.safe_load(text) or {"apiVersion": "v1", "kind": "Config"}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise DevloopError(f"the kubeconfig {where} is no valid YAML", hint="mend it, or set KUBECONFIG to another file") from None
    if not isinstance(config, dict) or any(not isinstance(config.get(section) or [], list) for section in SECTIONS):
        raise DevloopError(f"{path} is no kubeconfig", hint="mend it, or set KUBECONFIG to another file")
    return config


def _write(path: Path, config: Config) -> None:
    """Replace the file at once, with its mode or 0600."""
    import yaml

    mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o600
    if path.exists() and not (os.access(path, os.W_OK) and mode & stat.S_IWUSR):
        raise DevloopError(f"the kubeconfig {path} is read-only", hint=f"chmod u+w {path}, or set KUBECONFIG to another file")
    part = path.with_name(f".{path.name}.devloop")
    try:
        file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(file, "w") as stream:
            yaml.safe_dump(config, stream, sort_keys=False)
            stream.flush()
            os.fsync(stream.fileno())
        part.chmod(mode)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise DevloopError(f"cannot write the kubeconfig {path}: {error.strerror}", hint="set KUBECONFIG to another file") from None


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keeps two runs of ours apart, without a file that could be left over."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise DevloopError(
            f"cannot use the folder of the kubeconfig {path}: {error.strerror}", hint="set KUBECONFIG to another file"
        ) from None
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        yield
    finally:
        os.close(directory)
