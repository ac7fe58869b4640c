"""What one environment needs: its kubeconfig entry, its host ports, its keys."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from devloop.hint import DevloopCommand, Hint, command, instructions
from devloop.model.doctor.diagnosis import Diagnosis, failed, ok, warning
from devloop.model.messages import join_words


@dataclass(frozen=True)
class Kubeconfig:
    """The file that takes our entry. `problem` and `hint` say why it cannot be read or written; `contexts` are all that it has."""

    path: str
    exists: bool
    current: str = ""
    contexts: tuple[str, ...] = ()
    problem: str = ""
    hint: Hint = ""


def judge_kubeconfig(config: Kubeconfig, wanted: Collection[str] = ()) -> Diagnosis:
    """`wanted` are the contexts that the environment may have there."""
    if config.problem:
        return failed("kubeconfig", config.problem, config.hint)
    if not config.exists:
        return ok("kubeconfig", f"{config.path} is not there yet and can be made")
    ours = [context for context in config.contexts if context in wanted]
    said = f"{config.path}, current context {config.current or 'none'}"
    if ours and config.current not in ours:
        said += f"; use --context {ours[0]}"
    return ok("kubeconfig", said)


@dataclass(frozen=True)
class HostPort:
    """A port of the host that the definition maps; `free`, else `holder` says who has it, where that can be known; `own`: this
    environment's own container has it."""

    number: int
    protocol: str
    address: str
    free: bool
    holder: str = ""
    own: bool = False


def judge_ports(ports: Sequence[HostPort], definition: str, *, needed: bool) -> tuple[Diagnosis, ...]:
    """`needed`: Kind would publish them; the embedded provisioner publishes none."""
    taken = tuple(_taken(port, definition, needed=needed) for port in ports if not port.free and not port.own)
    if taken:
        return taken
    if not ports:
        return (ok("ports", "the definition maps none"),)
    return (ok("ports", join_words([_said(port) for port in ports])),)


def _said(port: HostPort) -> str:
    return f"{port.number}/{port.protocol.lower()} " + ("is this environment's" if port.own else "is free")


def _taken(port: HostPort, definition: str, *, needed: bool) -> Diagnosis:
    message = f"{port.address}:{port.number} ({port.protocol}) is taken" + (f" by {port.holder}" if port.holder else "")
    hint = instructions(command("sudo ss -lpn sport =", f":{port.number}"), f", or another hostPort in {definition}")
    return failed("ports", message, hint) if needed else warning("ports", f"{message}, which only Kind would mind", hint)


@dataclass(frozen=True)
class KeyFacts:
    """`keys`: the public half and the origin of each identity, never a private one; `exposed`: key files that others may read.

    `files` are the encrypted files that the environment reaches, `closed` those of them that do not open, each with why. `reached` is False
    where nobody could tell which files those are: then they are all that lie below the source directory, and none is said to be closed.
    """

    keys: tuple[tuple[str, str], ...]
    files: tuple[str, ...] = ()
    closed: tuple[tuple[str, str], ...] = ()
    exposed: tuple[str, ...] = ()
    used: tuple[str, ...] = ()
    reached: bool = True


def judge_keys(facts: KeyFacts, environment: str) -> tuple[Diagnosis, ...]:
    if not facts.files:
        return (ok("keys", "nothing is encrypted"),)
    closed = tuple(_closed(facts, environment))
    return (*(closed or (_open(facts),)), *_exposed(facts))


def _closed(facts: KeyFacts, environment: str) -> Iterator[Diagnosis]:
    """One line for each reason, however many files it closes."""
    if not facts.keys:
        yield failed("keys", f"no Age key for {_count(facts.files)}", DevloopCommand("up", environment, ("--age-key-file", "FILE")))
        return
    tried = join_words(_origins(facts))
    for reason in dict.fromkeys(reason for _, reason in facts.closed):
        paths = [path for path, why in facts.closed if why == reason]
        hint = instructions(
            DevloopCommand("up", environment, ("--age-key-file", "FILE")),
            ", or ",
            command("sops updatekeys", paths[0]),
            " with a key that opens it",
        )
        yield failed("keys", f"{_count(paths)} cannot be opened: {reason}; tried {tried}", hint)


def _open(facts: KeyFacts) -> Diagnosis:
    origins = join_words(list(facts.used) or _origins(facts))
    if not facts.reached:
        said = f"{origins}; only the build worker can tell whether that opens what is encrypted"
        return warning("keys", said, command("devloop toolchain install worker"))
    count = facts.files[0] if len(facts.files) == 1 else f"all {len(facts.files)} encrypted files"
    return ok("keys", f"{count} can be opened, with {origins}")


def _origins(facts: KeyFacts) -> list[str]:
    return list(dict.fromkeys(origin for _, origin in facts.keys))


def _exposed(facts: KeyFacts) -> Iterator[Diagnosis]:
    for path in facts.exposed:
        yield warning("keys", f"{path} may be read by others", command("chmod 600", path))


def _count(files: Sequence[str]) -> str:
    return files[0] if len(files) == 1 else f"{files[0]} and {len(files) - 1} more"
