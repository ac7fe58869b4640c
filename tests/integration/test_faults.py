"""The faults of tests/faults, each planted in a running environment: some in every run, the others nightly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scripts.faults.environment import THIS, Environment
from scripts.faults.files import Fault, read_faults
from scripts.faults.play import SYNC, WATCH, play, plays

FAULTS = {fault.name: fault for fault in read_faults()}
SLACK = 5.0  # a shared runner is slower than what `task faults` measures on
CASES = [
    pytest.param(provisioner, fault, id=f"{fault.name}-{provisioner}", marks=[] if provisioner in fault.ci else [pytest.mark.nightly])
    for provisioner in ("embedded", "kind")
    for fault in FAULTS.values()
    if provisioner in fault.provisioners
]

# One of each kind that an edit can cause, by the commands of the inner loop; nightly all of them.
BY_THE_LOOP = {"pods/crash": WATCH, "apply/invalid-field": WATCH, "build/undefined-variable": WATCH, "releases/schema": SYNC}
LOOP_CASES = [
    pytest.param(via, fault, id=f"{fault.name}-{via}", marks=[] if BY_THE_LOOP.get(fault.name) == via else [pytest.mark.nightly])
    for via in (SYNC, WATCH)
    for fault in FAULTS.values()
    if "embedded" in fault.provisioners and plays(fault, via)
]


@pytest.fixture(scope="module")
def environment_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Environment]]:
    """The running sample on a provisioner, made on first use."""
    made: dict[str, Environment] = {}

    def environment(provisioner: str) -> Environment:
        if provisioner not in made:
            made[provisioner] = Environment(THIS, Path(tmp_path_factory.mktemp(provisioner)), provisioner)
            made[provisioner].create()
        return made[provisioner]

    yield environment
    for each in made.values():
        each.down()


@pytest.mark.parametrize(("provisioner", "fault"), CASES)
def test_a_fault_is_named_in_time(environment_of: Callable[[str], Environment], provisioner: str, fault: Fault) -> None:
    result = play(fault, environment_of(provisioner), FAULTS.get(fault.after), slack=SLACK)
    assert list(result.problems) == [], f"{result.evidence}\n{result.output}"


@pytest.mark.parametrize(("via", "fault"), LOOP_CASES)
def test_the_inner_loop_names_a_fault_in_time(environment_of: Callable[[str], Environment], via: str, fault: Fault) -> None:
    result = play(fault, environment_of("embedded"), slack=SLACK, via=via)
    assert list(result.problems) == [], f"{result.evidence}\n{result.output}"
