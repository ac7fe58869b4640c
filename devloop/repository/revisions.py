"""Earlier states of the repository: the files that differ from one, and a temporary checkout of one. The user's .git stays untouched."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from devloop.clients.git import git
from devloop.clients.process import exists
from devloop.errors import InputError
from devloop.hint import command

_PREFIX = "devloop-revision-"


def changed_files(root: Path, revision: str) -> frozenset[str]:
    """Paths below `root` that were added, changed or removed since `revision`, committed or not; raises InputError for no revision."""
    commit = _resolve(root, revision)
    changed = git("diff", "--name-only", "--no-renames", "--no-ext-diff", "--relative", "-z", commit, "--", ".", cwd=root)
    new = git("ls-files", "--others", "--exclude-standard", "-z", "--", ".", cwd=root)
    return frozenset(path for done in (changed, new) for path in os.fsdecode(done.stdout).split("\0") if path)


@contextlib.contextmanager
def checkout(root: Path, revision: str) -> Iterator[Path]:
    """A folder with what `root` held at `revision`, removed afterwards; raises InputError for no revision.

    A separate index, since `git worktree` would write to the user's repository.
    """
    commit = _resolve(root, revision)
    prefix = git("rev-parse", "--show-prefix", cwd=root).text.rstrip("\n")
    _remove_leftovers(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{os.getpid()}-", ignore_cleanup_errors=True) as scratch:
        folder = Path(scratch) / "tree"
        folder.mkdir()
        env = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
        git("read-tree", f"{commit}:{prefix.rstrip('/')}" if prefix else commit, cwd=root, env=env)
        top = root.joinpath(*[".."] * prefix.count("/")).resolve()
        git("checkout-index", "--all", "--quiet", f"--prefix={folder}/", cwd=top, env=env)
        yield folder


def _resolve(root: Path, revision: str) -> str:
    """The commit id of `revision`."""
    done = git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}", cwd=root, check=False)
    if done.status == 0:
        return done.text.strip()
    if git("rev-parse", "--git-dir", cwd=root, check=False).status:
        raise InputError(f"{root} is not in a Git repository", hint=command("git -C", root, "init"))
    raise InputError(f"there is no revision {revision!r} in {root}", hint=command("git log --oneline --all"))


def _remove_leftovers(folder: Path) -> None:
    """The checkouts of runs that were killed."""
    for leftover in folder.glob(f"{_PREFIX}*"):
        process = leftover.name.removeprefix(_PREFIX).partition("-")[0]
        if process.isdigit() and not exists(int(process)):
            shutil.rmtree(leftover, ignore_errors=True)
