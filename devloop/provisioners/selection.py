"""Which provisioner a command uses: the one that was asked for, the one that the environment runs with, else what this machine can do."""

from __future__ import annotations

from dataclasses import dataclass

from devloop.clients import engine
from devloop.errors import DevloopError
from devloop.hint import DevloopCommand, instructions
from devloop.model.cluster.environment import Environment
from devloop.provisioners import AUTO, preferred
from devloop.provisioners.state_dirs import existing


@dataclass(frozen=True)
class Choice:
    """`reason` is '' where the user's own word decided."""

    name: str
    reason: str = ""


def choose(asked: str, environment: Environment) -> Choice:
    """For `up`. Raises DevloopError where the environment runs with another provisioner than the one `asked` for."""
    found = existing(environment.definition.name)
    if asked == AUTO and found:
        return Choice(found[0], "the environment runs with it")
    if asked == AUTO:
        return _usable()
    if found and asked not in found:
        name = environment.name
        raise DevloopError(
            f"the environment {name} runs with the provisioner {found[0]}",
            hint=instructions(DevloopCommand("down", name), ", then the same again"),
        )
    return Choice(asked)


def existing_choices(asked: str, environment: Environment) -> tuple[str, ...]:
    """For `status` and `down`: what was asked for, else whatever exists, else what `up` would take."""
    if asked != AUTO:
        return (asked,)
    return existing(environment.definition.name) or (choose(asked, environment).name,)


def _usable() -> Choice:
    answers = engine.answers()
    return Choice(preferred(with_engine=answers), f"{'a' if answers else 'no'} container engine answers at {engine.address()}")
