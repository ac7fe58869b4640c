"""What differs between a revision and the working tree."""

from __future__ import annotations

import os
from pathlib import Path

from devloop.clients.git import git
from devloop.errors import InputError
from devloop.hint import command


def changed_files(root: Path, revision: str) -> frozenset[str]:
    """The paths, relative to `root`, that were added, changed or removed since `revision`, whether Git has been told or not.

    Raises InputError where there is no such revision.
    """
    commit = resolve(root, revision)
    changed = git("diff", "--name-only", "--no-renames", "--no-ext-diff", "--relative", "-z", commit, "--", ".", cwd=root)
    new = git("ls-files", "--others", "--exclude-standard", "-z", "--", ".", cwd=root)
    return frozenset(path for done in (changed, new) for path in os.fsdecode(done.stdout).split("\0") if path)


def resolve(root: Path, revision: str) -> str:
    """The commit id of what the user calls `revision`; raises InputError."""
    found = git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}", cwd=root, check=False)
    if found.status == 0:
        return found.text.strip()
    if git("rev-parse", "--git-dir", cwd=root, check=False).status:
        raise InputError(f"{root} is in no Git repository", hint=command("git -C", root, "init"))
    raise InputError(f"there is no revision {revision!r} in {root}", hint=command("git log --oneline --all"))
