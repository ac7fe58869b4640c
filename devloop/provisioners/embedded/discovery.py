"""The embedded environments of this user, by their folders and processes."""

from dataclasses import replace
from pathlib import Path

from devloop.clients.orphans import marked
from devloop.clients.xdg import state_folder
from devloop.provisioners.found import Discovery, FoundEnvironment, State, records
from devloop.runtime import control
from devloop.runtime.components import MARKER
from devloop.runtime.layout import Layout, doomed_folders

NAME = "embedded"


def discover() -> Discovery:
    """Processes also show an environment whose folder was deleted by hand; with @ in its name it is another provisioner's."""
    folder = state_folder()
    living = {path.name for value in marked(MARKER) if (path := Path(value)).parent == folder and "@" not in path.name}
    found = {each.cluster: replace(each, state=_state(each.cluster, living)) for each in records(NAME)}
    for cluster in living:
        found.setdefault(cluster, FoundEnvironment(cluster, NAME, State.RUNNING))
    for cluster in doomed_folders(folder):
        found.setdefault(cluster, FoundEnvironment(cluster, NAME, State.LEFTOVERS))
    return Discovery(tuple(found.values()))


def _state(cluster: str, living: set[str]) -> State:
    runs = cluster in living or control.runs(Layout(state_folder() / cluster))
    return State.RUNNING if runs else State.STOPPED
