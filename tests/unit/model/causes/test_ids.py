"""Every cause has an id of the table, and the table is in the documentation."""

from __future__ import annotations

import re
from pathlib import Path

from devloop.model.causes import flux, refusals
from devloop.model.causes.ids import CAUSES

ROOT = Path(__file__).parents[4]


def test_the_documentation_has_the_table() -> None:
    rows = re.findall(r"^\| `(\S+)` \| (.*) \|$", (ROOT / "docs" / "causes.md").read_text(), re.MULTILINE)
    assert dict(rows) == CAUSES


def test_every_id_in_the_code_is_in_the_table() -> None:
    code = "".join(path.read_text() for folder in ("model/causes", "flux", "steps") for path in (ROOT / "devloop" / folder).glob("*.py"))
    used = set(re.findall(r'"([a-z]+/[a-z-]+)"', code))
    families = {name.partition("/")[0] for name in CAUSES}
    assert {name for name in used if name.partition("/")[0] in families and "." not in name} <= CAUSES.keys()
    kinds = [f"kustomization/{kind}" for kind, _ in flux._KUSTOMIZATION] + [f"release/{kind}" for kind, _ in flux._RELEASE]
    assert {*kinds, *(f"apply/{kind}" for kind, _ in refusals._REFUSALS)} <= CAUSES.keys()
