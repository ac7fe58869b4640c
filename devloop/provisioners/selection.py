"""Selects the provisioner: the requested one, else the one that the environment uses, else what this machine supports."""

from dataclasses import dataclass

from devloop.clients import engine
from devloop.errors import DevloopError
from devloop.hint import DevloopCommand, instructions
from devloop.model.cluster.environment import Environment
from devloop.model.doctor.engine import start_hint
from devloop.provisioners import AUTO, existing, preferred, refuse_elsewhere


@dataclass(frozen=True)
class Choice:
    """`reason` is '' if the user chose."""

    name: str
    reason: str = ""


def choose(requested: str, environment: Environment) -> Choice:
    """For `up`. Raises DevloopError if the environment uses another provisioner than the requested one, or if none can run here."""
    refuse_elsewhere(requested)
    in_use = existing(environment.definition.name)
    if requested == AUTO and in_use:
        return Choice(in_use[0], "the environment already uses it")
    if requested == AUTO:
        return _automatic()
    if in_use and requested not in in_use:
        message = f"the environment {environment.name} uses the provisioner {in_use[0]}"
        raise DevloopError(message, hint=instructions(DevloopCommand("down", environment.name), ", then run the command again"))
    return Choice(requested)


def _automatic() -> Choice:
    answers = engine.answers()
    reason = f"{'a' if answers else 'no'} container engine responds at {engine.address()}"
    if name := preferred(with_engine=answers):
        return Choice(name, reason)
    raise DevloopError(f"{reason}, and without one devloop requires Linux", hint=start_hint(engine.address(), linux=False))


def existing_choices(requested: str, environment: Environment) -> tuple[str, ...]:
    """For `status` and `down`: the requested one, else all that exist, else what `up` would select."""
    refuse_elsewhere(requested)
    if requested != AUTO:
        return (requested,)
    return existing(environment.definition.name) or (choose(requested, environment).name,)
