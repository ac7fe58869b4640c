"""Makes a commit of the working tree, as `git add --all && git commit` would, without touching the user's repository."""

import os
import posixpath
import shutil
import tempfile
from collections.abc import Mapping
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
_REV_PARSE = ("--is-inside-work-tree", "--show-object-format", "--git-path", "index", "--git-path", "objects", "--show-prefix")


@dataclass(frozen=True)
class _WorkTree:
    """The index and objects of the repository around `root`; `prefix` is the path of `root` in it, '' or 'folder/'."""

    root: Path
    index: Path
    objects: Path
    prefix: str


def snapshot(root: Path, directory: str = ".") -> Source:
    """The files below `directory` in `root`, with uncommitted and untracked but without ignored ones. Symbolic links and submodules are
    taken as Git takes them: Flux leaves both out, as `validate` does.

    The commit id depends on the tree alone. Raises InputError if nothing can be committed.
    """
    tree_root = posixpath.normpath(directory)
    work_tree = _locate(root)
    _refuse_conflicts(work_tree)
    store = open_store(root, work_tree.objects)
    with tempfile.TemporaryDirectory(prefix="devloop-index-") as folder:
        env = _COMMIT | {"GIT_INDEX_FILE": str(_copy_index(work_tree, Path(folder))), "GIT_OBJECT_DIRECTORY": str(store / "objects")}
        _add_all(root, env)
        tree = _write_tree(work_tree, tree_root, env)
        commit = git.git("-c", "i18n.commitEncoding=UTF-8", "commit-tree", "--no-gpg-sign", tree, cwd=root, env=env, stdin=_MESSAGE)
    return Source(commit=commit.text.strip(), tree=tree, directory=tree_root)


def push(root: Path, source: Source, url: str, username: str, password: str) -> bool:
    """Set the branch at `url` to the snapshot of `root`; False if it is there already."""
    try:
        return git.push(store_of(root), source.commit, url, source.branch, username=username, password=password)
    except ToolError as error:
        if "unable to read" in error.output:
            message = f"{root} is a partial clone that lacks files of the snapshot"
            raise InputError(message, hint=command("git -C", root, "sparse-checkout", "disable")) from None
        raise DevloopError(f"the Git server refused the snapshot: {_reason(error.output)}", hint="run the command again") from None


def refuse_uncommittable(root: Path) -> None:
    """Raises InputError if no snapshot is possible; quick, since it reads no files."""
    _refuse_conflicts(_locate(root))


def _locate(root: Path) -> _WorkTree:
    if not root.is_dir():
        raise InputError(f"{root} is not a folder", hint="pass the root of the repository with -C DIR")
    done = git.git("rev-parse", *_REV_PARSE, cwd=root, check=False)
    lines = os.fsdecode(done.stdout).split("\n")
    if lines[0] == "false":
        raise InputError(
            f"{root} is a bare repository or a .git folder, not a working tree", hint="clone it, and pass the clone with -C DIR"
        )
    if done.status:
        raise _no_repository(root, _text(done.stderr))
    _, object_format, index, objects, prefix = lines[:5]
    if object_format == "sha256":
        message = f"the Git repository of {root} uses SHA-256, which Flux cannot read"
        raise InputError(message, hint=command("git init --object-format=sha1"))
    return _WorkTree(root, root / index, (root / objects).resolve(), prefix)


def _no_repository(root: Path, output: str) -> InputError:
    if "dubious ownership" in output:
        hint = command("git config --global --add safe.directory", root)
        return InputError(f"the Git repository of {root} belongs to another user", hint=hint)
    if broken := next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), None):
        return InputError(f"the Git repository of {broken} is broken: {_reason(output)}", hint=command("git -C", broken, "fsck"))
    return InputError(f"{root} is not in a Git repository", hint=command("git -C", root, "init"))


def _refuse_conflicts(work_tree: _WorkTree) -> None:
    done = git.git("ls-files", "--unmerged", "-z", cwd=work_tree.root, check=False)
    if done.status:
        message = f"the Git index of {work_tree.root} cannot be read: {_reason(_text(done.stderr))}"
        raise InputError(message, hint=shell(f"{command('rm', work_tree.index)} && {command('git -C', work_tree.root, 'reset')}"))
    if paths := sorted({os.fsdecode(line.partition(b"\t")[2]) for line in done.stdout.split(b"\0") if line}):
        hint = "resolve it, then git add it, or git merge --abort"
        raise InputError.of([Diagnostic.at(path, 0, "has a merge conflict", hint) for path in paths])


def _copy_index(work_tree: _WorkTree, folder: Path) -> Path:
    """With a copy, Git reads only changed files; it compares their times with the index's own, which must stay."""
    copy = folder / "index"
    if work_tree.index.exists():
        shutil.copy2(work_tree.index, copy)
    return copy


def _add_all(root: Path, env: Mapping[str, str]) -> None:
    try:
        git.git("-c", "add.ignoreErrors=false", "add", "--all", "--", ".", cwd=root, env=env)
    except ToolError as error:
        raise _cannot_add(root, error.output) from None


def _cannot_add(root: Path, output: str) -> DevloopError:
    if "does not have a commit checked out" in output:
        return InputError.of([_empty_repository(output.partition("'")[2].partition("'")[0])])
    if "ignored by one of your .gitignore files" in output:
        return InputError(f"the Git repository around {root} ignores all of it", hint=command("git -C", root, "init"))
    if "sparse-checkout definition" in output:
        outside = [line for line in output.partition("index:\n")[2].splitlines() if not line.startswith("hint:")]
        message = "is new and outside the sparse checkout"
        return InputError.of([Diagnostic.at(path, 0, message, command("git sparse-checkout add")) for path in outside])
    if "No space left" in output:
        return DevloopError(f"no space left for a snapshot of {root}", hint=command("df -h"))
    return InputError(f"Git cannot take a snapshot of {root}: {_reason(output)}", hint=command("git -C", root, "add", "--all", "--dry-run"))


def _empty_repository(path: str) -> Diagnostic:
    hint = "commit in it, remove its .git folder, or add it to .gitignore"
    return Diagnostic.at(path.rstrip("/"), 0, "is a separate Git repository without a commit, which Git cannot take", hint)


def _write_tree(work_tree: _WorkTree, directory: str, env: Mapping[str, str]) -> str:
    below = posixpath.normpath(posixpath.join(work_tree.prefix, directory))
    prefix = [] if below == "." else [f"--prefix={below}/"]
    done = git.git("write-tree", *prefix, cwd=work_tree.root, env=env, check=False)
    if done.status and prefix:
        message = f"{work_tree.root / directory} holds no file that Git would commit"
        raise InputError(message, hint=command("git -C", work_tree.root, "status", "--ignored"))
    if done.status:
        raise DevloopError(f"Git cannot write the tree of {work_tree.root}: {_reason(_text(done.stderr))}")
    return done.text.strip()


def _text(output: bytes) -> str:
    return output.decode(errors="replace")


def _reason(output: str) -> str:
    """The line in which Git says why: the first fatal one, else the last."""
    lines = [line for line in output.splitlines() if line.strip() and not line.startswith("hint:")] or ["no output"]
    return next((line for line in lines if line.startswith("fatal:")), lines[-1]).removeprefix("fatal: ")
