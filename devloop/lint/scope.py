"""What there is to validate: the environments of a repository that can be loaded, its settings, what is wrong with the rest."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from devloop.clients.git import remotes
from devloop.diagnostic import Diagnostic
from devloop.errors import InputError
from devloop.lint.rules import RULES
from devloop.model.cluster.environment import Environment
from devloop.model.lint.settings import Settings
from devloop.repository import entry_points
from devloop.repository.settings import load_settings


@dataclass(frozen=True)
class LintScope:
    """`problems` are what is wrong with definitions that could not be loaded; `remotes` are the URLs of its Git remotes.

    `whole` says that all environments were asked for.
    """

    root: Path
    environments: tuple[Environment, ...]
    settings: Settings = Settings()
    problems: tuple[Diagnostic, ...] = ()
    remotes: Collection[str] = ()
    whole: bool = True


def load_scope(root: Path, names: Sequence[str] = ()) -> LintScope:
    """The repository at `root` with all of its environments, or `names` of them; without any definition, those where Flux enters it.

    Raises InputError for a name that is no environment, which is wrong with the question, and for a devloop.yaml that cannot be used.
    """
    settings = load_settings(root, tuple(RULES))
    loaded: list[Environment] = []
    problems: list[Diagnostic] = []
    undefined = entry_points.without_definition(root)
    every = tuple(undefined) or entry_points.names(root)
    for name in names or every:
        try:
            loaded.append(entry_points.load(root, name, known=undefined))
        except InputError as error:
            if name in names and not error.problems:
                raise
            problems += error.problems or [Diagnostic.at("", 0, error.message, error.hint)]
    whole = not names or {*names} == {*every}
    return LintScope(root, tuple(loaded), settings, tuple(problems), tuple(remotes(root)), whole)
