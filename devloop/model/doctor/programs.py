"""Checks required, pinned and optional programs."""

from collections.abc import Sequence
from dataclasses import dataclass

from devloop.hint import Hint, command, shell
from devloop.model.doctor.diagnosis import Diagnosis, failed, ok, warning
from devloop.model.doctor.machine import version
from devloop.model.messages import counted, join_words

Version = tuple[int, ...]

# The first version with GIT_CONFIG_COUNT, https://git-scm.com/docs/git-config.
OLDEST_GIT = (2, 31)


@dataclass(frozen=True)
class FoundProgram:
    """`version` is empty if unknown."""

    path: str
    version: str


@dataclass(frozen=True)
class Pinned:
    """A tool of the lock file; `channel` is how it was installed, '' if it was not; `seconds` is the estimated build time, 0
    where the program can be downloaded."""

    name: str
    version: str
    channel: str
    seconds: float
    path: str = ""


def judge_git(git: FoundProgram | None, *, linux: bool = True) -> Diagnosis:
    install = command("sudo apt-get install git" if linux else "xcode-select --install")
    if git is None:
        return failed("git", "not found", install)
    if (0, 0) < version(git.version) < OLDEST_GIT:
        oldest = ".".join(map(str, OLDEST_GIT))
        return failed("git", f"{git.version} at {git.path}, {oldest} or newer is needed", install)
    return ok("git", f"{git.version or 'unknown version'} at {git.path}")


def judge_python(python: FoundProgram) -> Diagnosis:
    return ok("python", f"{python.version} at {python.path}")


def judge_go(go: FoundProgram | None, needed: str, missing: Sequence[Pinned]) -> Diagnosis:
    """Go is needed for builds only; `needed` is the version for the missing tools."""
    if go:
        return ok("go", f"{go.version} at {go.path}")
    if not missing:
        return ok("go", "not found and not needed: all tools are installed")
    return warning("go", f"{needed} or newer not found; devloop installs its own for building", command("devloop toolchain install"))


def judge_toolchain(tools: Sequence[Pinned]) -> Diagnosis:
    """The tools of the embedded provisioner and of builds."""
    missing = [tool for tool in tools if not tool.channel]
    if not missing:
        return ok("toolchain", f"{counted(len(tools), 'pinned program')} installed")
    names = join_words([tool.name for tool in missing]) if len(missing) < 4 else f"{len(missing)} of {len(tools)} programs"
    return warning("toolchain", f"{names} not installed: {_effort(missing)}", command("devloop toolchain install"))


def judge_pinned(tool: Pinned, *, needed: bool) -> Diagnosis:
    """An optional tool, like Kind."""
    if tool.channel:
        return ok(tool.name, f"{tool.version}, installed from {tool.channel}")
    message = f"{tool.version} not installed: {_effort([tool])}"
    return warning(tool.name, message, _install(tool)) if needed else ok(tool.name, f"{message}, once it is needed")


def judge_kubectl(own: FoundProgram | None, pinned: Pinned, cluster: str) -> Diagnosis:
    """Kubernetes supports a kubectl one minor version older or newer, https://kubernetes.io/releases/version-skew-policy/#kubectl."""
    if own is None:
        return warning("kubectl", "not on PATH; optional, devloop does not need it", _use(pinned))
    (major, minor), (_, wanted) = version(own.version), version(cluster)
    if major and abs(minor - wanted) > 1:
        return warning(
            "kubectl", f"{own.version} at {own.path} is more than one minor version away from Kubernetes {cluster}", _use(pinned)
        )
    return ok("kubectl", f"{own.version or 'unknown version'} at {own.path}")


def _use(tool: Pinned) -> Hint:
    """The pinned tools are not on PATH."""
    return shell(f"alias {tool.name}={tool.path}") if tool.channel else _install(tool)


def _install(tool: Pinned) -> Hint:
    return command("devloop toolchain install", tool.name)


def _effort(tools: Sequence[Pinned]) -> str:
    seconds = sum(tool.seconds for tool in tools)
    if not seconds:
        return "ready to download"
    return f"building takes about {seconds:.0f} s" if seconds < 90 else f"building takes about {seconds / 60:.0f} min"
