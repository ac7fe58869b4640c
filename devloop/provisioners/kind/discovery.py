"""The environments in the container engine: clusters with a state folder, and what carries devloop's labels without one."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from devloop.clients.engine import Engine, address, answers
from devloop.clients.engine.containers import Container, Containers
from devloop.clients.kind import LABEL
from devloop.clients.xdg import state_folder
from devloop.errors import DevloopError
from devloop.provisioners import state_dir
from devloop.provisioners.found import Discovery, FoundEnvironment, State, records
from devloop.provisioners.kind.cluster_state import ClusterState
from devloop.runtime.containers import ENVIRONMENT_LABEL, ROOT_LABEL, STATE_LABEL

NAME = "kind"
TIMEOUT = 10.0  # seconds for each answer of the engine


@dataclass
class _Parts:
    """What the engine has of one cluster; `labels` are those of its Git server or volume."""

    nodes: list[Container] = field(default_factory=list)
    labels: Mapping[str, str] = field(default_factory=dict)


def discover() -> Discovery:
    """Without an engine: what the state folder says, in an unknown state."""
    known = tuple(records(NAME))
    if not answers():
        return Discovery(known, f"no container engine responds at {address()}: what runs there is not listed")
    try:
        with contextlib.closing(Engine(address(), TIMEOUT)) as engine:
            return Discovery(tuple(_found(known, _parts(Containers(engine)), engine.identity)))
    except DevloopError as error:
        return Discovery(known, error.message)


def _parts(containers: Containers) -> dict[str, _Parts]:
    """By cluster."""
    parts: dict[str, _Parts] = {}
    for node in containers.labelled(LABEL):
        parts.setdefault(node.labels[LABEL], _Parts()).nodes.append(node)
    volumes = filter(None, map(containers.volume, containers.volumes(ENVIRONMENT_LABEL)))
    for labels in (*(each.labels for each in volumes), *(each.labels for each in containers.labelled(ENVIRONMENT_LABEL))):
        parts.setdefault(labels[ENVIRONMENT_LABEL], _Parts()).labels = labels
    return parts


def _found(known: tuple[FoundEnvironment, ...], parts: Mapping[str, _Parts], engine: str) -> list[FoundEnvironment]:
    recorded = [_recorded(each, parts.get(each.cluster, _Parts()), engine) for each in known]
    names = {each.cluster for each in known}
    return [*recorded, *(_labelled(name, each) for name, each in parts.items() if each.labels and name not in names)]


def _recorded(found: FoundEnvironment, parts: _Parts, engine: str) -> FoundEnvironment:
    state = ClusterState(state_dir(NAME, found.cluster))
    if state.owner.content.get("engine", engine) != engine:
        return found
    return replace(found, state=_state(parts), root=found.root or parts.labels.get(ROOT_LABEL, ""))


def _labelled(cluster: str, parts: _Parts) -> FoundEnvironment:
    """Without a state folder here: it was deleted, or the environment belongs to somebody else."""
    ours = parts.labels.get(STATE_LABEL) == str(state_folder())
    return FoundEnvironment(cluster, NAME, _state(parts), root=parts.labels.get(ROOT_LABEL, ""), ours=ours)


def _state(parts: _Parts) -> State:
    if not parts.nodes:
        return State.LEFTOVERS
    return State.RUNNING if any(node.runs for node in parts.nodes) else State.STOPPED
