"""Which existing environments a name means: those of the repository first, else any on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from devloop.errors import InputError
from devloop.hint import Command, DevloopCommand, command, instructions
from devloop.model.cluster.environment import Environment
from devloop.model.messages import join_words
from devloop.provisioners import AUTO
from devloop.provisioners.found import FoundEnvironment
from devloop.provisioners.selection import existing_choices


@dataclass(frozen=True)
class Target:
    """One cluster to remove or stop; `subject` is for the report."""

    environment: Environment
    provisioner: str
    subject: str = ""

    @classmethod
    def of(cls, found: FoundEnvironment) -> Target:
        return cls(found.as_environment(), found.provisioner, f"cluster {found.cluster} ({found.provisioner})")

    @property
    def key(self) -> tuple[str, str]:
        return self.environment.definition.name, self.provisioner


def of_provisioner(found: Sequence[FoundEnvironment], provisioner: str) -> tuple[FoundEnvironment, ...]:
    return tuple(each for each in found if provisioner in (AUTO, each.provisioner))


def of_definition(environment: Environment, provisioner: str, found: Sequence[FoundEnvironment]) -> tuple[Target, ...]:
    """The environment's cluster in the definition, and clusters with other names that run it."""
    name, root = environment.definition.name, str(environment.root)
    own = _own(environment.name, root, found)
    renamed = tuple(Target.of(each) for each in own if each.cluster != name and each.environment == environment.name)
    parts = [each.provisioner for each in found if each.cluster == name and each.root in ("", root)]
    if renamed and not parts and name not in {each.cluster for each in found}:
        return renamed
    chosen = dict.fromkeys((*existing_choices(provisioner, environment), *parts))
    return (*(Target(environment, each) for each in chosen), *renamed)


def of_repository(name: str, root: Path, found: Sequence[FoundEnvironment]) -> tuple[Target, ...]:
    """Those of the repository that are called `name`, by environment or else by cluster."""
    return tuple(map(Target.of, _own(name, str(root), found)))


def of_machine(name: str, root: Path | None, found: Sequence[FoundEnvironment], verb: str) -> tuple[Target, ...]:
    """Those called `name`, environment or cluster; inside a repository (`root`), none of another one that exists.

    Raises InputError if it could mean several, with the devloop command `verb` for each.
    """
    matches = [each for each in found if name in (each.environment, each.cluster)]
    if len({(each.root, each.environment) for each in matches}) > 1 or (root and not all(each.is_orphan for each in matches)):
        raise _ambiguous(name, matches, found, verb)
    return tuple(map(Target.of, matches))


def _own(name: str, root: str, found: Sequence[FoundEnvironment]) -> tuple[FoundEnvironment, ...]:
    own = tuple(each for each in found if each.root == root)
    return tuple(each for each in own if each.environment == name) or tuple(each for each in own if each.cluster == name)


def _ambiguous(name: str, matches: Sequence[FoundEnvironment], found: Sequence[FoundEnvironment], verb: str) -> InputError:
    owners = join_words([f"{each.root or 'an unknown repository'} ({each.provisioner})" for each in matches])
    commands = [_exact(each, found, verb) for each in matches]
    parts = [part for each in dict.fromkeys(commands) for part in (", or ", each)][1:]
    message = f"{name} is an environment of {owners}" if len(matches) > 1 else f"{name} is an environment of another repository: {owners}"
    return InputError(message, hint=instructions(*parts))


def _exact(match: FoundEnvironment, found: Sequence[FoundEnvironment], verb: str) -> Command:
    """The command for `match` alone, from anywhere."""
    if not match.is_orphan:
        return command("devloop -C", match.root, verb, match.name)
    only = [each for each in found if match.cluster in (each.cluster, each.environment)] == [match]
    return DevloopCommand(verb, match.cluster, () if only else ("--provisioner", match.provisioner))
