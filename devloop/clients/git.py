"""The only access to Git. It never prompts for a password, runs hooks or signs; only `cwd` selects the repository."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import IO

from devloop.clients.basic_auth import authorization
from devloop.clients.process import Completed, Process, run, spawn
from devloop.model.redaction import strip_credentials

# A hook, an alias or a shell may have set them, for another repository (`git rev-parse --local-env-vars`).
_FOREIGN = frozenset({
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_COMMON_DIR", "GIT_DIR", "GIT_GLOB_PATHSPECS", "GIT_GRAFT_FILE", "GIT_ICASE_PATHSPECS",
    "GIT_IMPLICIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_NAMESPACE", "GIT_NOGLOB_PATHSPECS", "GIT_NO_REPLACE_OBJECTS", "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX", "GIT_REPLACE_REF_BASE", "GIT_SHALLOW_FILE", "GIT_WORK_TREE",
})  # fmt: skip
TIMEOUT = 600.0  # seconds for one command
_OURS = {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "GIT_LITERAL_PATHSPECS": "1", "LC_ALL": "C"}

# The index we write is a copy: no hooks, no file system monitor, nothing written to the user's .git.
_QUIET = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "core.splitIndex=false", "-c", "core.safecrlf=false")


def git(*arguments: str, cwd: Path, env: Mapping[str, str] | None = None, stdin: bytes | None = None, check: bool = True) -> Completed:
    """Run Git in `cwd`; with `check`, a failure raises ToolError with Git's output."""
    environment = {name: value for name, value in os.environ.items() if name not in _FOREIGN} | _OURS | dict(env or {})
    return run(["git", *_QUIET, *arguments], cwd=cwd, env=environment, input=stdin, check=check, timeout=TIMEOUT)


def start_git(arguments: Sequence[str], cwd: Path, settings: Mapping[str, str], *, stdout: IO[bytes], stderr: IO[bytes]) -> Process[bytes]:
    """Start Git in the background, without a terminal for passwords; `settings` do not appear in process lists."""
    inherited = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
    quiet = _OURS | {"GIT_ASKPASS": "", "SSH_ASKPASS": ""}
    environment = {"GIT_SSH_COMMAND": "ssh -o BatchMode=yes"} | inherited | quiet | _settings(settings, inherited)
    return spawn(["git", *_QUIET, *arguments], cwd=cwd, env=environment, stdout=stdout, stderr=stderr, new_session=True)


def push(repository: Path, commit: str, url: str, branch: str, *, username: str, password: str) -> bool:
    """Force-push `commit` to `branch` at `url`; False if it was up to date. Ignores all Git configuration files."""
    settings = {
        "http.extraHeader": f"Authorization: {authorization(username, password)}",
        "http.proxy": "",
        "http.followRedirects": "false",
        "http.lowSpeedLimit": "1",
        "http.lowSpeedTime": "30",
        "core.hooksPath": "/dev/null",
        "credential.helper": "",
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment = inherited | _OURS | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"} | _settings(settings)
    arguments = ["git", "--git-dir=.", "push", "--porcelain", "--force", "--no-verify", url, f"{commit}:refs/heads/{branch}"]
    done = run(arguments, cwd=repository, env=environment, timeout=TIMEOUT)
    return not any(line.startswith("=\t") for line in done.text.splitlines())


def _settings(settings: Mapping[str, str], inherited: Mapping[str, str] = MappingProxyType({})) -> dict[str, str]:
    """`settings` as environment variables, which other users cannot read, after the ones in `inherited`."""
    count = inherited.get("GIT_CONFIG_COUNT", "")
    first = int(count) if count.isdigit() else 0
    result = {"GIT_CONFIG_COUNT": str(first + len(settings))}
    for number, (key, value) in enumerate(settings.items(), first):
        result |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return result


def remotes(root: Path) -> tuple[str, ...]:
    """The URLs of the repository's remotes without credentials; empty without a repository."""
    done = git("config", "-z", "--get-regexp", r"^remote\..*\.url$", cwd=root, check=False)
    values = (entry.partition("\n")[2] for entry in done.text.split("\0") if entry)
    return tuple(dict.fromkeys(strip_credentials(value) for value in values if value))


def first_commit(root: Path, message: str) -> None:
    """Make `root` a Git repository with everything committed, without hooks and signing."""
    git("init", "--quiet", "--initial-branch=main", "--template=", cwd=root)
    git("add", "--all", cwd=root)
    git(*_fallback_author(root), "commit", "--quiet", "--no-verify", "--no-gpg-sign", f"--message={message}", cwd=root)


def _fallback_author(root: Path) -> tuple[str, ...]:
    """An author for users who have not configured one, instead of the one that Git guesses from the machine."""
    roles = ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT")
    known = all(git("-c", "user.useConfigOnly=true", "var", role, cwd=root, check=False).status == 0 for role in roles)
    return () if known else ("-c", "user.name=devloop", "-c", "user.email=devloop@localhost")
