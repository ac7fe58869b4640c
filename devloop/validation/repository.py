"""What there is to validate: the environments of a repository that can be loaded, its settings, what is wrong with the rest."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from devloop.clients.git import remotes
from devloop.errors import InputError, Problem
from devloop.model.environment import Environment
from devloop.model.settings import Settings
from devloop.repository import entries
from devloop.repository.settings import load_settings
from devloop.rules import RULES


@dataclass(frozen=True)
class Repository:
    """`problems` are what is wrong with definitions that could not be loaded; `remotes` are the URLs of its Git remotes.

    `whole` says that all environments were asked for.
    """

    root: Path
    environments: tuple[Environment, ...]
    settings: Settings = Settings()
    problems: tuple[Problem, ...] = ()
    remotes: Collection[str] = ()
    whole: bool = True


def load_repository(root: Path, names: Sequence[str] = ()) -> Repository:
    """The repository at `root` with all of its environments, or `names` of them; without any definition, those where Flux enters it.

    Raises InputError for a name that is no environment, which is wrong with the question, and for a devloop.yaml that cannot be used.
    """
    settings = load_settings(root, tuple(RULES))
    loaded: list[Environment] = []
    problems: list[Problem] = []
    undefined = entries.undefined(root)
    every = tuple(undefined) or entries.names(root)
    for name in names or every:
        try:
            loaded.append(entries.load(root, name, known=undefined))
        except InputError as error:
            if name in names and not error.problems:
                raise
            problems += error.problems or [Problem("", 0, error.message, error.hint)]
    whole = not names or {*names} == {*every}
    return Repository(root, tuple(loaded), settings, tuple(problems), tuple(remotes(root)), whole)
