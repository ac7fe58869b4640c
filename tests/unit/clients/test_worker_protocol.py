"""The types of the worker's protocol are those of protocol.json, which the worker's own tests compare with its types."""

import json
import runpy
from enum import StrEnum
from pathlib import Path
from typing import get_args

from devloop.clients import worker_protocol
from devloop.model.flux.graph import FailureKind
from devloop.model.lint.policy import PolicyOutcome

ROOT = Path(__file__).parents[3]
PROTOCOL = json.loads((ROOT / "worker/internal/protocol/protocol.json").read_text())


def test_the_module_is_what_the_script_writes() -> None:
    script = runpy.run_path(str(ROOT / "scripts/write_protocol.py"))
    assert Path(worker_protocol.__file__).read_text() == script["module"](PROTOCOL)


def test_closed_sets_are_those_of_the_protocol() -> None:
    # A failed fetch is found by devloop itself.
    assert values(FailureKind) == sorted([*PROTOCOL["values"]["FailureKind"], FailureKind.FETCH])
    assert values(PolicyOutcome) == list(get_args(worker_protocol.PolicyOutcome))


def values(of: type[StrEnum]) -> list[str]:
    return sorted(each.value for each in of)
