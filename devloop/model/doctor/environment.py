"""Checks the kubeconfig entry, host ports and Age keys of an environment."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from devloop.hint import DevloopCommand, Hint, command, instructions
from devloop.model.doctor.diagnosis import Diagnosis, failed, ok, warning
from devloop.model.messages import join_words


@dataclass(frozen=True)
class Kubeconfig:
    """The kubeconfig with devloop's entries. `problem` says why it cannot be read or written; `contexts` are all of the file's."""

    path: str
    exists: bool
    current: str = ""
    contexts: tuple[str, ...] = ()
    problem: str = ""
    hint: Hint = ""


def judge_kubeconfig(config: Kubeconfig, wanted: Collection[str] = ()) -> Diagnosis:
    """`wanted` are the possible contexts of the environment."""
    if config.problem:
        return failed("kubeconfig", config.problem, config.hint)
    if not config.exists:
        return ok("kubeconfig", f"{config.path} does not exist yet and can be created")
    own = [context for context in config.contexts if context in wanted]
    use = f"; use --context {own[0]}" if own and config.current not in own else ""
    return ok("kubeconfig", f"{config.path}, current context {config.current or 'none'}{use}")


@dataclass(frozen=True)
class HostPort:
    """A host port of the definition; `holder` is the process that uses it, if known; `own`: this environment's own container uses it."""

    number: int
    protocol: str
    address: str
    free: bool
    holder: str = ""
    own: bool = False


def judge_ports(ports: Sequence[HostPort], definition: str, *, needed: bool) -> tuple[Diagnosis, ...]:
    """`needed`: Kind publishes them, the embedded provisioner does not."""
    in_use = tuple(_in_use(port, definition, needed=needed) for port in ports if not port.free and not port.own)
    states = [f"{port.number}/{port.protocol.lower()} is {'used by this environment' if port.own else 'free'}" for port in ports]
    return in_use or (ok("ports", join_words(states) or "the definition maps no ports"),)


def _in_use(port: HostPort, definition: str, *, needed: bool) -> Diagnosis:
    message = f"{port.address}:{port.number} ({port.protocol}) is in use" + (f" by {port.holder}" if port.holder else "")
    hint = instructions(command("sudo ss -lpn sport =", f":{port.number}"), f", or change hostPort in {definition}")
    return failed("ports", message, hint) if needed else warning("ports", f"{message}, which affects Kind only", hint)


@dataclass(frozen=True)
class KeyFacts:
    """`keys`: public key and origin of each identity; `used`: the origins that decrypted; `exposed`: key files that others can read.

    `files` are the encrypted files of the environment, `closed` those that cannot be decrypted, with the reason. `reached` is False if the
    environment's files are unknown: `files` are then all below the source directory, and `closed` is empty.
    """

    keys: tuple[tuple[str, str], ...]
    files: tuple[str, ...] = ()
    closed: tuple[tuple[str, str], ...] = ()
    exposed: tuple[str, ...] = ()
    used: tuple[str, ...] = ()
    reached: bool = True


def judge_keys(facts: KeyFacts, environment: str) -> tuple[Diagnosis, ...]:
    if not facts.files:
        return (ok("keys", "no encrypted files"),)
    exposed = (warning("keys", f"{path} is readable by other users", command("chmod 600", path)) for path in facts.exposed)
    return (*(tuple(_closed(facts, environment)) or (_open(facts),)), *exposed)


def _closed(facts: KeyFacts, environment: str) -> Iterator[Diagnosis]:
    """One diagnosis per reason, however many files are concerned."""
    with_key = DevloopCommand("up", environment, ("--age-key-file", "FILE"))
    if not facts.keys:
        yield failed("keys", f"no Age key for {_count(facts.files)}", with_key)
        return
    for reason in dict.fromkeys(reason for _, reason in facts.closed):
        paths = [path for path, each in facts.closed if each == reason]
        hint = instructions(with_key, ", or ", command("sops updatekeys", paths[0]), " with a key that can decrypt it")
        yield failed("keys", f"{_count(paths)} cannot be decrypted: {reason}; tried {join_words(_origins(facts))}", hint)


def _open(facts: KeyFacts) -> Diagnosis:
    origins = join_words(list(facts.used) or _origins(facts))
    if not facts.reached:
        message = f"{origins}; only the build worker can tell whether they decrypt every file"
        return warning("keys", message, command("devloop toolchain install worker"))
    count = facts.files[0] if len(facts.files) == 1 else f"all {len(facts.files)} encrypted files"
    return ok("keys", f"{count} can be decrypted with {origins}")


def _origins(facts: KeyFacts) -> list[str]:
    return list(dict.fromkeys(origin for _, origin in facts.keys))


def _count(files: Sequence[str]) -> str:
    return files[0] if len(files) == 1 else f"{files[0]} and {len(files) - 1} more"
