"""The working tree as a commit: what `git add --all && git commit` would make of it now, with nothing of the user's repository touched."""

from __future__ import annotations

import os
import posixpath
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from devloop.clients import git
from devloop.diagnostic import Diagnostic
from devloop.errors import DevloopError, InputError, ToolError
from devloop.hint import command, shell
from devloop.model.cluster.environment import Source
from devloop.repository.snapshot_store import open_store, store_of

_WHO = {"NAME": "devloop", "EMAIL": "devloop@localhost", "DATE": "2000-01-01T00:00:00Z"}
_COMMIT = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in _WHO.items()}
_MESSAGE = b"Snapshot of the working tree\n\nMade by devloop for a local reconciliation; it has no parent and is on no branch of yours.\n"
_QUESTIONS = ("--is-inside-work-tree", "--show-object-format", "--git-path", "index", "--git-path", "objects", "--show-prefix")
_GITLINK, _SYMLINK = "160000", "120000"


@dataclass(frozen=True)
class _WorkTree:
    """The repository around `root`: its index and objects, and where `root` lies in it ('' at its top, else 'folder/')."""

    root: Path
    index: Path
    objects: Path
    prefix: str


@dataclass(frozen=True)
class _Entry:
    mode: str
    blob: str
    path: str


def snapshot(root: Path, directory: str = ".") -> Source:
    """The working tree below `root`, uncommitted and untracked files included and ignored ones not, with `directory` as its top folder.

    Only what is in the tree decides on the id. Raises InputError where there is no tree that could be committed.
    """
    tree_root = posixpath.normpath(directory)
    work_tree = _locate(root)
    _refuse_conflicts(work_tree)
    store = open_store(root, work_tree.objects)
    with tempfile.TemporaryDirectory(prefix="devloop-index-") as folder:
        env = _COMMIT | {"GIT_INDEX_FILE": str(_copy_index(work_tree, Path(folder))), "GIT_OBJECT_DIRECTORY": str(store / "objects")}
        _add_all(work_tree, env)
        _refuse_links(work_tree, tree_root, env)
        tree = _write_tree(work_tree, tree_root, env)
        commit = git.git("-c", "i18n.commitEncoding=UTF-8", "commit-tree", "--no-gpg-sign", tree, cwd=root, env=env, stdin=_MESSAGE)
    return Source(commit=commit.text.strip(), tree=tree, directory=tree_root)


def push(root: Path, source: Source, url: str, username: str, password: str) -> bool:
    """Make the branch at `url` be the snapshot of `root`; False when it was so already."""
    try:
        return git.push(store_of(root), source.commit, url, source.branch, username=username, password=password)
    except ToolError as error:
        if "unable to read" in error.output:
            message = f"{root} is a partial clone in which files of the snapshot are missing"
            raise InputError(message, hint=command("git -C", root, "sparse-checkout", "disable")) from None
        raise DevloopError(f"the Git server did not take the snapshot: {_reason(error)}", hint="run the command again") from None


def refuse_uncommittable(root: Path) -> None:
    """Raises InputError where there is no tree that a snapshot could be made of; quick, since it reads no file of the tree."""
    _refuse_conflicts(_locate(root))


def _locate(root: Path) -> _WorkTree:
    if not root.is_dir():
        raise InputError(f"{root} is not a folder", hint="name the root of the repository with -C DIR")
    done = git.git("rev-parse", *_QUESTIONS, cwd=root, check=False)
    lines = os.fsdecode(done.stdout).split("\n")
    if lines[0] == "false":
        raise InputError(f"{root} is a bare repository or a .git folder, not a working tree", hint="git clone it, then -C CLONE")
    if done.status:
        raise _no_repository(root, done.stderr.decode(errors="replace"))
    _, object_format, index, objects, prefix = lines[:5]
    if object_format == "sha256":
        raise InputError(
            f"the Git repository of {root} uses SHA-256, which Flux cannot read", hint=command("git init --object-format=sha1")
        )
    return _WorkTree(root, root / index, (root / objects).resolve(), prefix)


def _no_repository(root: Path, output: str) -> InputError:
    if "dubious ownership" in output:
        return InputError(
            f"the Git repository of {root} belongs to another user",
            hint=command("git config --global --add safe.directory", root),
        )
    broken = next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), None)
    if broken:
        return InputError(f"the Git repository of {broken} is broken: {_last_line(output)}", hint=command("git -C", broken, "fsck"))
    return InputError(f"{root} is not in a Git repository", hint=command("git -C", root, "init"))


def _refuse_conflicts(work_tree: _WorkTree) -> None:
    done = git.git("ls-files", "--unmerged", "-z", cwd=work_tree.root, check=False)
    if done.status:
        message = f"the Git index of {work_tree.root} cannot be read: {_last_line(done.stderr.decode(errors='replace'))}"
        raise InputError(message, hint=shell(f"{command('rm', work_tree.index)} && {command('git -C', work_tree.root, 'reset')}"))
    paths = sorted({entry.path for entry in _entries(done.stdout)})
    if paths:
        hint = "resolve it, then git add it, or git merge --abort"
        raise InputError.of([Diagnostic.at(path, 0, "has a merge conflict", hint) for path in paths])


def _copy_index(work_tree: _WorkTree, folder: Path) -> Path:
    """A copy spares reading the files that Git knows to be unchanged. Its time must stay: later changes are told by it."""
    copy = folder / "index"
    if work_tree.index.exists():
        shutil.copy2(work_tree.index, copy)
    return copy


def _add_all(work_tree: _WorkTree, env: Mapping[str, str]) -> None:
    try:
        git.git("-c", "add.ignoreErrors=false", "add", "--all", "--", ".", cwd=work_tree.root, env=env)
    except ToolError as error:
        raise _cannot_add(work_tree.root, error) from None


def _cannot_add(root: Path, error: ToolError) -> DevloopError:
    if "does not have a commit checked out" in error.output:
        nested = error.output.partition("'")[2].partition("'")[0]
        return InputError.of([_submodule(nested)])
    if "ignored by one of your .gitignore files" in error.output:
        return InputError(f"the Git repository around {root} ignores all of it", hint=command("git -C", root, "init"))
    if "sparse-checkout definition" in error.output:
        outside = [line for line in error.output.partition("index:\n")[2].splitlines() if not line.startswith("hint:")]
        message = "is new and lies outside of the sparse checkout"
        return InputError.of([Diagnostic.at(path, 0, message, command("git sparse-checkout add")) for path in outside])
    if "No space left" in error.output:
        return DevloopError(f"no space left for a snapshot of {root}", hint=command("df -h"))
    return InputError(f"Git cannot take a snapshot of {root}: {_reason(error)}", hint=command("git -C", root, "add", "--all", "--dry-run"))


def _refuse_links(work_tree: _WorkTree, directory: str, env: Mapping[str, str]) -> None:
    """Submodules and symbolic links out of the tree would reach the cluster as nothing at all, and nobody would say so."""
    listing = git.git("ls-files", "--stage", "-z", "--", directory, cwd=work_tree.root, env=env)
    entries = _entries(listing.stdout)
    problems = [_submodule(entry.path) for entry in entries if entry.mode == _GITLINK]
    links = [entry for entry in entries if entry.mode == _SYMLINK]
    for link, target in zip(links, _targets(work_tree.root, links, env), strict=True):
        if _leaves(link.path, target, directory):
            hint = "make it a file or a link to a file of the repository, or add it to .gitignore"
            problems.append(Diagnostic.at(link.path, 0, f"is a symbolic link to {target}, which is outside of what Flux gets", hint))
    if problems:
        raise InputError.of(problems)


def _submodule(path: str) -> Diagnostic:
    hint = "commit its files to this repository, or add it to .gitignore"
    return Diagnostic.at(path.rstrip("/"), 0, "is a Git repository of its own (a submodule), which Flux does not get", hint)


def _leaves(path: str, target: str, directory: str) -> bool:
    reached = posixpath.relpath(posixpath.join(posixpath.dirname(path), target), directory)
    return posixpath.isabs(target) or reached == ".." or reached.startswith("../")


def _targets(root: Path, links: Sequence[_Entry], env: Mapping[str, str]) -> list[str]:
    """Where the links point to; read from Git, since a working tree need not have them."""
    if not links:
        return []
    output = git.git("cat-file", "--batch", cwd=root, env=env, stdin="".join(f"{link.blob}\n" for link in links).encode()).stdout
    targets = []
    while output:
        header, _, rest = output.partition(b"\n")
        size = int(header.split()[2])
        targets.append(os.fsdecode(rest[:size]))
        output = rest[size + 1 :]
    return targets


def _entries(listing: bytes) -> list[_Entry]:
    """The lines of `git ls-files --stage -z` that are no ordinary files or not merged: mode, object id, stage, path."""
    result = []
    for line in listing.split(b"\0"):
        if line and (line[:3] != b"100" or line[47:50] != b" 0\t"):
            meta, _, path = line.partition(b"\t")
            mode, blob, _ = meta.decode().split()
            result.append(_Entry(mode, blob, os.fsdecode(path)))
    return result


def _write_tree(work_tree: _WorkTree, directory: str, env: Mapping[str, str]) -> str:
    below = posixpath.normpath(posixpath.join(work_tree.prefix, directory))
    prefix = [] if below == "." else [f"--prefix={below}/"]
    done = git.git("write-tree", *prefix, cwd=work_tree.root, env=env, check=False)
    if done.status and prefix:
        message = f"{work_tree.root / directory} holds no file that Git would commit"
        raise InputError(message, hint=command("git -C", work_tree.root, "status", "--ignored"))
    if done.status:
        raise DevloopError(f"Git cannot write the tree of {work_tree.root}: {_last_line(done.stderr.decode(errors='replace'))}")
    return done.text.strip()


def _reason(error: ToolError) -> str:
    return _last_line(error.output)


def _last_line(output: str) -> str:
    """The line in which Git says why: the first fatal one, else the last."""
    lines = [line for line in output.splitlines() if line.strip() and not line.startswith("hint:")] or ["no output"]
    return next((line for line in lines if line.startswith("fatal:")), lines[-1]).removeprefix("fatal: ")
