"""What to validate: the environments of a repository, its settings, and problems of definitions."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from devloop.clients.git import remotes
from devloop.diagnostic import Diagnostic
from devloop.errors import InputError
from devloop.lint.rules import RULES
from devloop.model.cluster.environment import Environment
from devloop.model.lint.settings import Settings
from devloop.repository.entry_points import EntryPoints
from devloop.repository.settings import load_settings


@dataclass(frozen=True)
class LintScope:
    """`problems` are those of definitions that cannot be loaded, `remotes` the URLs of Git remotes; `whole`: has all environments."""

    root: Path
    environments: tuple[Environment, ...]
    settings: Settings = Settings()
    problems: tuple[Diagnostic, ...] = ()
    remotes: Collection[str] = ()
    whole: bool = True


def load_scope(root: Path, names: Sequence[str] = (), path: Path | None = None) -> LintScope:
    """The environments `names`, or all; with `path`, the one that enters there.

    Raises InputError for an unknown environment and for an invalid devloop.yaml.
    """
    settings = load_settings(root, tuple(RULES))
    loaded: list[Environment] = []
    problems: list[Diagnostic] = []
    entries = EntryPoints(root)
    for name in names or ([path.resolve().name] if path else entries.names):
        try:
            loaded.append(entries.load(name, path=path))
        except InputError as error:
            if (name in names or path) and not error.problems:
                raise
            problems += error.problems or [Diagnostic.at("", 0, error.message, error.hint)]
    whole = not path and (not names or {*names} == {*entries.names})
    return LintScope(root, tuple(loaded), settings, tuple(problems), tuple(remotes(root)), whole)
