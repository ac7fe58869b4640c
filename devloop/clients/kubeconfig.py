"""Adds and removes the entry of an environment in the user's kubeconfig; everything else is kept.

Files are edited as trees of YAML nodes, never as values: a token that looks like a number must not become one.
"""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from devloop.errors import DevloopError
from devloop.hint import command, instructions

if TYPE_CHECKING:
    from yaml import MappingNode, Node

SECTIONS = ("clusters", "users", "contexts")
CURRENT = "current-context"
EMPTY_KUBECONFIG = {"apiVersion": "v1", "kind": "Config", "clusters": [], "users": [], "contexts": [], CURRENT: ""}
LONGEST_LINE = 1 << 20
ELSEWHERE = "fix it, or set KUBECONFIG to another file"


def single_context(name: str, cluster: Mapping[str, Any], user: Mapping[str, Any]) -> dict[str, Any]:
    """A kubeconfig with one cluster, user and context, all called `name`."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        CURRENT: name,
    }


def user_kubeconfig() -> Path:
    """The file that takes our entry: the first of $KUBECONFIG, or ~/.kube/config; links are followed."""
    return _user_kubeconfigs()[0].resolve()


def _user_kubeconfigs() -> list[Path]:
    named = [Path(part).expanduser() for part in os.environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    return named or [Path.home() / ".kube" / "config"]


def merge(entry: Mapping[str, Any], path: Path) -> bool:
    """Put the one cluster, user and context of `entry` (a kubeconfig) into the file; whether that changed it.

    The current context is set only where there is none, also in the other files of $KUBECONFIG: the user's choice stays.
    """
    with _locked(path):
        tree = _read(path)
        before = _plain(tree)
        for section in SECTIONS:
            _put(_section(tree, section), entry[section][0])
        if not _current(tree) and not any(_chosen(other) for other in _user_kubeconfigs() if other.resolve() != path):
            _set(tree, CURRENT, _node(entry["contexts"][0]["name"]))
        changed = bool(_plain(tree) != before)
        if changed:
            _write(path, tree)
    return changed


def remove(name: str, path: Path) -> bool:
    """Take the entry of that name out; whether there was one. An empty file is removed."""
    if not path.exists():
        return False
    with _locked(path):
        tree = _read(path)
        before = _plain(tree)
        for section in SECTIONS:
            if (items := _get(tree, section)) and not _is_null(items):
                items.value = [item for item in items.value if _name(item) != name]
        if _current(tree) == name:
            _set(tree, CURRENT, _node(""))
        changed = bool(_plain(tree) != before)
        if changed and _plain(tree) == EMPTY_KUBECONFIG:
            path.unlink()
        elif changed:
            _write(path, tree)
    return changed


def contents(path: Path) -> dict[str, Any]:
    """What the file says, every scalar as it is written; raises DevloopError where it cannot be read. Holds credentials."""
    return {**EMPTY_KUBECONFIG, **_plain(_read(path))}


def check_writable(path: Path) -> None:
    """Raises DevloopError where an entry could not go into the file; writes nothing."""
    _refuse_read_only(path)
    folder = next(parent for parent in path.parents if parent.exists())
    if not os.access(folder, os.W_OK | os.X_OK):
        raise DevloopError(f"the folder {folder} of the kubeconfig may not be written", hint="set KUBECONFIG to another file")


def _put(items: Node, item: Mapping[str, Any]) -> None:
    """In the place of the one of the same name, or at the end."""
    places = [index for index, known in enumerate(items.value) if _name(known) == item["name"]]
    if not places:
        items.value.append(_node(item))
    elif _plain(items.value[places[0]]) != _plain(_node(item)):
        items.value[places[0]] = _node(item)


def _section(tree: MappingNode, section: str) -> Node:
    found = _get(tree, section)
    if found is None or _is_null(found):
        found = _node([])
        _set(tree, section, found)
    return found


def _get(tree: Node, key: str) -> Node | None:
    return next((value for known, value in tree.value if known.value == key), None)


def _set(tree: MappingNode, key: str, value: Node) -> None:
    tree.value = [(known, value if known.value == key else old) for known, old in tree.value]
    if _get(tree, key) is not value:
        tree.value.append((_node(key), value))


def _name(item: Node) -> object:
    return _plain(item).get("name")


def _current(tree: Node) -> str:
    found = _get(tree, CURRENT)
    return "" if found is None or _is_null(found) else str(found.value)


def _is_null(node: Node) -> bool:
    return bool(node.tag.endswith(":null"))


def _chosen(path: Path) -> str:
    """The current context of another file; what cannot be read chooses nothing."""
    with contextlib.suppress(DevloopError):
        return _current(_read(path))
    return ""


def _plain(node: Node) -> Any:
    """What a node says, every scalar as it is written."""
    import yaml

    if isinstance(node, yaml.MappingNode):
        return {str(key.value): _plain(value) for key, value in node.value}
    return [_plain(item) for item in node.value] if isinstance(node, yaml.SequenceNode) else node.value


def _node(value: object) -> Any:
    import yaml

    return yaml.SafeDumper(io.StringIO(), sort_keys=False).represent_data(value)


def _read(path: Path) -> MappingNode:
    import yaml

    try:
        tree = yaml.compose(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except FileNotFoundError:
        tree = None
    except (OSError, UnicodeDecodeError) as error:
        raise DevloopError(f"cannot read the kubeconfig {path}: {error}", hint="set KUBECONFIG to another file") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise DevloopError(f"the kubeconfig {where} is not valid YAML", hint=ELSEWHERE) from None
    tree = tree or _node(EMPTY_KUBECONFIG)
    if not isinstance(tree, yaml.MappingNode) or not all(_is_section(_get(tree, section)) for section in SECTIONS):
        raise DevloopError(f"{path} is not a kubeconfig", hint=ELSEWHERE)
    return tree


def _is_section(node: Node | None) -> bool:
    import yaml

    if node is None or _is_null(node):
        return True
    return isinstance(node, yaml.SequenceNode) and all(isinstance(item, yaml.MappingNode) for item in node.value)


def _write(path: Path, tree: MappingNode) -> None:
    """Replace the file at once, with its mode or 0600."""
    import yaml

    old = _refuse_read_only(path)
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    part = path.with_name(f".{path.name}.devloop")
    try:
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
            yaml.serialize(tree, stream, Dumper=dumper, allow_unicode=True, width=LONGEST_LINE)
            stream.flush()
            os.fsync(stream.fileno())
        if old:
            part.chmod(stat.S_IMODE(old.st_mode))
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise DevloopError(f"cannot write the kubeconfig {path}: {error.strerror}", hint="set KUBECONFIG to another file") from None


def _refuse_read_only(path: Path) -> os.stat_result | None:
    """What is known of the file, None where there is none; raises DevloopError where the user or its mode forbids writing."""
    old = path.stat() if path.exists() else None
    if old and not (os.access(path, os.W_OK) and old.st_mode & stat.S_IWUSR):
        raise DevloopError(
            f"the kubeconfig {path} is read-only", hint=instructions(command("chmod u+w", path), ", or set KUBECONFIG to another file")
        )
    return old


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keeps two runs of ours apart, without a file that could be left over."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        message = f"cannot use the folder of the kubeconfig {path}: {error.strerror}"
        raise DevloopError(message, hint="set KUBECONFIG to another file") from None
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        yield
    finally:
        os.close(directory)
