"""One round with Kind: the life cycle of one environment with devloop, and with the script: with the same controllers, with devloop's node
settings too, and with Flux's own flags."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection

from benchmarks.by_hand_kind import by_hand
from benchmarks.end_state import EndState, compare, end_state
from benchmarks.measurements import (
    AGAIN_BY_HAND,
    BY_HAND,
    CONFIGURED,
    CONFIGURED_RATIO,
    DEFAULT_FLAGS,
    DEFAULT_RATIO,
    DOWN,
    DOWN_RATIO,
    EDIT,
    EDIT_BY_HAND,
    HELP,
    KIND_DELETE,
    RATIO,
    UP,
    Measurements,
    add,
)
from benchmarks.rounds import EDITS, live, replaced
from benchmarks.sandbox import Sandbox
from devloop.clients.engine import connect
from devloop.commands.toolchain import EVERYTHING
from devloop.images import Images
from devloop.model.report import Event, Notice
from devloop.toolchain import Toolchain


def prepare() -> None:
    """Installs programs and images before the clock starts."""
    toolchain = Toolchain()
    toolchain.ensure((*EVERYTHING, "kind", "kubectl"), _tell)
    images = Images(toolchain, connect())
    images.ensure(images.names, _tell)


def _tell(event: Event) -> None:
    if isinstance(event, Notice):
        print(event.message, file=sys.stderr)


def measure(place: Sandbox, parts: Collection[str], number: int, measured: Measurements) -> None:
    """Round `number` of the given parts, in changing order, so that no side profits from the others' warm caches."""
    seconds = measured.seconds
    if "help" in parts:
        seconds[HELP].append(place.devloop("--help")[0])
    if not set(parts) - {"help"}:
        return
    contenders: list[Callable[[Sandbox, Collection[str], Measurements], EndState]] = [_devloop]
    if set(parts) & {"up", "down"}:
        contenders.append(_tuned)
    if "up" in parts:
        contenders += [_configured, _with_default_flags]
    first = number % len(contenders)
    states = [contender(place, parts, measured) for contender in contenders[first:] + contenders[:first]]
    for state in states[1:]:
        compare(states[0], state)
    _ratio(measured, RATIO, UP, BY_HAND)
    _ratio(measured, CONFIGURED_RATIO, UP, CONFIGURED)
    _ratio(measured, DEFAULT_RATIO, UP, DEFAULT_FLAGS)
    _ratio(measured, DOWN_RATIO, DOWN, KIND_DELETE)


def _ratio(measured: Measurements, name: str, ours: str, theirs: str) -> None:
    if measured.seconds[ours] and measured.seconds[theirs]:
        measured.seconds[name].append(measured.seconds[ours][-1] / measured.seconds[theirs][-1])


def _devloop(place: Sandbox, parts: Collection[str], measured: Measurements) -> EndState:
    return live(place, parts, measured, (EDIT,))


def _tuned(place: Sandbox, parts: Collection[str], measured: Measurements) -> EndState:
    with by_hand(place, tuned=True) as (seconds, script):
        measured.seconds[BY_HAND].append(seconds)
        add(measured.phases, script.phases.items())
        state = end_state(script.kubeconfig)
        if "again" in parts:
            measured.seconds[AGAIN_BY_HAND].append(script.ask("reconcile"))
            path, old, new, _ = EDITS[EDIT]
            with replaced(place.repository / path, old, new):
                measured.seconds[EDIT_BY_HAND].append(script.ask("reconcile"))
        script.ask("delete")
        measured.seconds[KIND_DELETE].append(script.phases["kind-delete-cluster"])
        return state


def _configured(place: Sandbox, parts: Collection[str], measured: Measurements) -> EndState:
    return _brought_up(place, measured, CONFIGURED, "our nodes too", tuned=True, configured=True)


def _with_default_flags(place: Sandbox, parts: Collection[str], measured: Measurements) -> EndState:
    return _brought_up(place, measured, DEFAULT_FLAGS, "Flux's own flags", tuned=False, configured=False)


def _brought_up(place: Sandbox, measured: Measurements, name: str, variant: str, *, tuned: bool, configured: bool) -> EndState:
    with by_hand(place, tuned=tuned, configured=configured) as (seconds, script):
        measured.seconds[name].append(seconds)
        add(measured.phases, ((f"{phase}, {variant}", value) for phase, value in script.phases.items()))
        return end_state(script.kubeconfig)
